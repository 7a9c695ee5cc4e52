"""Bounds of the bills."""

BILL_BYTES_IN_MEMORY_MAX = 1024 * 1024
"""A longer bill waits on disk until it has been sent."""
BILL_BYTES_PER_CHUNK = 64 * 1024
PAYOUTS_PER_STATEMENT_MAX = 10_000
"""Settlements and payouts of one merchant and day: each run adds one, so this is never met."""
DAYS_PER_LIST_MAX = 92
"""Of a merchant's list of days: a quarter."""
