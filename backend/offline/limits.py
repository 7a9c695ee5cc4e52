"""Bounds of offline payments. Units stand last in the names."""

VOUCHER_MINOR_MAX = 100_000
PAYMENT_MINOR_MAX = 50_000
GUARANTEE_MINOR_MAX = 1_000_000
LIFE_H_MAX, RETURN_H_MAX = 72, 7 * 24
KNOWN_AFTER_MS = 30 * 24 * 3_600_000
"""From this age on an account is no longer *new*."""
VOUCHERS_PER_LIST_MAX = 50
TOKENS_PER_LIST_MAX = 50
RETURNS_PER_LIST_MAX = 200
DUE_PER_SWEEP_MAX = 200
