"""Bounds of refunds."""

REFUND_WITHIN_MS_MAX = 365 * 24 * 3600 * 1000
LIST_ROWS_MAX = 200
