"""Bounds of merchants' transfers."""

LIFE_MS = 24 * 3600 * 1000
"""How long a transfer waits for its receiver."""
TRANSFER_MINOR_MAX = 2_000_000
NAMED_FROM_MINOR = 200_000
"""From this amount on the merchant must name whom it means."""
ROWS_PER_LIST_MAX = 50
EXPIRED_PER_SWEEP_MAX = 500
