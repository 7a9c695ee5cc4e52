"""Bounds of the reconciliation."""

EVENTS_PER_DAY_MAX = 5_000_000
"""Of one side and kind, on disk while they are compared. More is an error, never a part of the
day."""
BREAKS_KEPT_MAX = 1_000
BREAKS_PER_CHANNEL_DAY_MAX = 10_000
"""A file with more is not this channel's, or not this day's: refused whole."""
MATCH_CACHE_KIB_MAX = 8 * 1024
"""Of the temporary database in memory; what is more stands on disk."""
LOADED_AT_ONCE_ROWS = 5_000
LOOKED_UP_AT_ONCE_MAX = 500
POOL_DAYS = 2
"""How long a row with one side waits for the other: what drifts over a cut-off comes the next day,
or the one after over a night's repetition."""
FEE_ROUNDED_MINOR_MAX = 1
FEES_ROUNDED_PER_DAY_MINOR_MAX = 100
"""Of differences that are taken to be rounding, over all channels."""
RETURN_TRIES_MAX = 9
"""Conversations with a channel about one break."""
RETURN_REFUSALS_MAX = 3
"""After so many a person is no longer asked to try again, though one may."""
WORDS_CHARS_MAX = 400
ROWS_PER_LIST_MAX = 200
ADVANCE_DAYS_MAX = 16
"""How far back a fund's repayments are looked at: longer than any holiday and its weekend."""
BREAK_FIGURES_EVERY_S = 30
"""How often the scraper's figures are read again."""
