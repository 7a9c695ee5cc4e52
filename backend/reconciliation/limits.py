"""Bounds of the reconciliation."""

EVENTS_PER_DAY_MAX = 1_000_000
BREAKS_KEPT_MAX = 1_000
