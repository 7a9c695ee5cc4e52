"""Bounds of the risk rules."""

RECENT_PAYMENTS_MAX = 64
"""How many times of attempts are kept per payer; the velocity rule can count no further."""
REASON_CHARS_MAX = 120
