"""Bounds of the payer's side."""

PIN_DIGITS = 6
PIN_TRIES_MAX = 5
PIN_LOCK_MS = 30 * 60 * 1000
PIN_SCRYPT_LOG2_N = 14
PIN_SCRYPT_R = 8
PIN_SCRYPT_P = 1
PIN_CHECKS_AT_ONCE_MAX = 2
PIN_FREE_MINOR_MAX = 100_000
"""Above it, a PIN is asked whatever configuration says: 1,000 yuan, as wallets have it."""
PIN_FREE_PER_DAY_MAX = 1_000
TOKEN_BYTES = 32
NAME_CHARS_MAX = 40
BILLS_PER_PAGE_MAX = 100
QR_TEXT_CHARS_MAX = 256
ROUTE_TRIES_MAX = 8
CONSENT_BYTES_MAX = 1_024
SLOW_ANSWER_S = 8
"""How late a payment is answered while a tester's switch says so."""
CODE_KEPT_MS = 25_000
"""A shown code with no more life than this is not shown again."""
TOKEN_CHARS_MAX = 128
"""Of a payer's bearer token."""
