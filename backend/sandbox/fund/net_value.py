"""What a unit is worth and earns. Pure, in integers.

A money-market fund's unit is always worth one yuan (1.0000); what it earns is said as yuan of
income per 10,000 units a day (每万份收益, four decimals) and comes as more units. Units are counted
in hundredths, so that a hundredth of a unit is a fen.
"""

from dataclasses import dataclass
from datetime import date

UNIT_VALUE = "1.0000"
_PER_UNITS, _RATE_SCALE = 10_000, 10_000


@dataclass(frozen=True, slots=True)
class Published:
    """What the fund publishes for a trading day."""

    day: date
    per_10k_e4: int
    """Ten-thousandths of a yuan per 10,000 units a calendar day."""
    days: int
    """Calendar days it is for."""

    def text(self) -> dict[str, str | int]:
        """The value as a decimal text, as it is printed."""
        whole, part = divmod(self.per_10k_e4, _RATE_SCALE)
        return {
            "day": self.day.isoformat(),
            "unit_value": UNIT_VALUE,
            "income_per_10k": f"{whole}.{part:04}",
            "days": self.days,
        }


def income_minor(units_minor: int, published: Published) -> int:
    """What a holder earns, in hundredths of a unit, rounded down: the rest stays in the fund."""
    earned = units_minor * published.per_10k_e4 * published.days
    return earned // (_PER_UNITS * _RATE_SCALE)
