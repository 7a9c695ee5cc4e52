"""Bounds of the clearing."""

MERCHANTS_PER_RUN_MAX = 100_000
PAYOUTS_PER_RUN_MAX = 100_000
ISO_ID_CHARS_MAX = 35
"""Max35Text of ISO 20022: message and end-to-end ids."""
