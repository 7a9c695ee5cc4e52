"""Bounds of the reconciliation."""

EVENTS_PER_DAY_MAX = 5_000_000
"""Of one kind, held as reference and amount. More is an error, never a part of the day."""
BREAKS_KEPT_MAX = 1_000
