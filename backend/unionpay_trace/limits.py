"""Bounds of the terminal's numbers."""

NUMBERS_PER_BATCH_MAX = 999
"""A settlement counts a batch's transactions in three digits, so a batch has no more numbers."""
BATCHES_PER_SETTLEMENT_MAX = 10_000
"""Compared in one go; the rest of a day above ten million transactions waits for the next."""
