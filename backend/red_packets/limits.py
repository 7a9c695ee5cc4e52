"""Bounds of red packets."""

SHARES_MAX = 100
SHARE_MINOR_MAX = 20_000
"""Of one share: 200 yuan."""
LIFE_MS = 24 * 3600 * 1000
WISH_CHARS_MAX = 40
GIFT_WISH_CHARS_MAX = 128
SENDER_NAME_CHARS_MAX = 32
GIFT_MINOR_MIN = 100
"""Of a merchant: from one yuan to the largest share."""
SEED_BYTES = 32
ROWS_PER_LIST_MAX = 100
EXPIRED_PER_SWEEP_MAX = 500
