"""Bounds of refunds."""

REFUND_WITHIN_MS_MAX = 365 * 24 * 3600 * 1000
LIST_ROWS_MAX = 200
GIVE_BACK_TRIES_MAX = 20
"""Conversations about the same money that nobody here owns."""
