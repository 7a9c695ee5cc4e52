"""Bounds of merchants' stocks of coupons."""

COUPONS_MAX = 1_000_000_000
COUPONS_PER_PAYER_MAX = 60
COUPON_MINOR_MAX = 100_000
"""What one coupon is worth at most: 1,000 yuan."""
LIFE_MS_MAX = 90 * 24 * 3600 * 1000
"""From a stock's begin to its end."""
ENDED_PER_SWEEP_MAX = 100
RETRY_MS = 60 * 1000
"""How long a stock waits whose last coupons are still part of payments under way."""
