"""The limits of the simulated fund."""

QUICK_MINOR_PER_DAY_MAX = 1_000_000
"""10,000 yuan an investor, fund and day: what may be redeemed at T+0."""
CUT_OFF_HOUR = 17
"""In China: what comes later is of the next day. The bank pays each day's advances at it, while the
large-value payment system is open."""
INCOME_PER_10K_E4 = 4_321
"""0.4321 yuan per 10,000 units a day, about 1.6 % a year."""
INVESTORS_PER_INCOME_MAX = 100_000
