"""Bounds of the merchants' room."""

FEE_BPS_MAX = 1_000
FEE_PLANS_PER_MERCHANT_MAX = 100
NAME_CHARS_MAX = 80
URL_CHARS_MAX = 255
CYCLE_CHARS_MAX = 8
CYCLE_DAYS_MAX = 10
"""How long a merchant may wait: D+10, or T+10 in business days."""
ACCOUNT_CHARS_MAX = 34
CATEGORY_DIGITS = 4
"""Of an ISO 18245 category code."""
LIST_ROWS_MAX = 200
CYCLE_CHANGES_PER_MERCHANT_MAX = 100
PENDING_SHARDS_MAX = 32
"""Sub-accounts of a hot merchant: a settlement posts a leg for each, and an event has 64 legs."""
