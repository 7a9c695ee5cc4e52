"""Interest on the reserve. Pure.

Rule: a day's interest is balance × rate / 360, kept as a whole number of parts without rounding;
      what the reserve bank pays is posted from its statement, and the difference is shown.
"""

from backend.clearing.limits import INTEREST_PARTS_PER_MINOR

INTEREST_PREFIX = "INT-"
"""The reserve bank's reference of a payment of interest: ``INT-<yyyymmdd>``."""


def parts_of(balance_minor: int, rate_bps: int) -> int:
    """What a day's closing balance earns at a yearly rate, in 1/3,600,000 of a minor unit: a basis
    point is 1/10,000 and a year has 360 days."""
    return balance_minor * rate_bps


def whole_minor(parts: int) -> int:
    """What of many days' parts is a whole minor unit, rounded down once and at the end."""
    return parts // INTEREST_PARTS_PER_MINOR
