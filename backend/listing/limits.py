"""Bounds of the lists."""

FILTER_CHARS_MAX = 64
MEANT_CHARS_MAX = 200
"""Of a field that takes an id or a name, or both as they are suggested."""
CHOICES_SHOWN_MAX = 40
"""Of the merchants, stores or devices that a name may mean; who finds more types more."""
YEAR_MIN, YEAR_MAX = 1970, 2999
"""Of a typed date: a page has what is before and behind it, too."""
SUMMED_ROWS_MAX = 10_000
"""Of how many rows of a list, the newest ones, the sum is told."""
EXPORT_ROWS_MAX = 100_000
EXPORT_ROWS_PER_READ = 1_000
ANSWER_ROWS, ANSWER_ROWS_MAX = 50, 500
"""Of one answer to a program: unless it says another number, and at most."""
