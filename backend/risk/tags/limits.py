"""The maxima of the tags."""

TAGGED_ROWS_MAX = 2_000_000
"""Rows of one table that a report looks at."""
