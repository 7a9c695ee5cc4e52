"""Bounds of the terminal's numbers."""

ROWS_PER_BATCH_MAX = 20_000
"""Told one by one if a batch's totals differ; the bound of what is read at once."""
