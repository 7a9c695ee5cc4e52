"""The reserve bank's limits, with their units."""

QUEUE_ENTRIES_MAX = 10_000
LEGS_PER_ENTRY_MAX = 10_000
INTEREST_DAYS_PER_YEAR = 360
