"""What a stay in a car park costs. Pure."""

from dataclasses import dataclass

from protocol.messages import ExplainedLine, Explanation, Reading

SECONDS_PER_MINUTE = 60
MINUTES_PER_DAY = 1_440


@dataclass(frozen=True, slots=True)
class Tariff:
    """``day_minor_max`` is the most for each started 24 hours; None: no such limit."""

    per_minute_minor: int
    free_minutes: int = 0
    day_minor_max: int | None = None


def minutes_of(stay_s: int) -> int:
    """The started minutes of a stay; none for a clock that went back."""
    return -(-max(stay_s, 0) // SECONDS_PER_MINUTE)


def fee_minor(tariff: Tariff, stay_s: int) -> int:
    """The price: nothing up to the free minutes, else for every started minute."""
    minutes = minutes_of(stay_s)
    if minutes <= tariff.free_minutes:
        return 0
    if tariff.day_minor_max is None:
        return minutes * tariff.per_minute_minor
    days, rest = divmod(minutes, MINUTES_PER_DAY)
    whole = min(MINUTES_PER_DAY * tariff.per_minute_minor, tariff.day_minor_max)
    return days * whole + min(rest * tariff.per_minute_minor, tariff.day_minor_max)


def explain(tariff: Tariff, *, entered_s: int, left_s: int) -> Explanation:
    """How the price of a stay came about."""
    minutes, amount_minor = minutes_of(left_s - entered_s), fee_minor(tariff, left_s - entered_s)
    price_minor = minutes * tariff.per_minute_minor
    line = ExplainedLine(
        what="parking",
        quantity=minutes,
        unit="min",
        price_minor=tariff.per_minute_minor,
        per=1,
        amount_minor=price_minor,
    )
    clocks = (("entered", entered_s), ("left", left_s))
    return Explanation(
        thing="parking",
        reason="left",
        began_at_ms=entered_s * 1000,
        ended_at_ms=left_s * 1000,
        readings=[Reading(what=what, value=s, unit="s", at_ms=s * 1000) for what, s in clocks],
        lines=[line],
        cap_minor=amount_minor if amount_minor < price_minor else None,
    )
