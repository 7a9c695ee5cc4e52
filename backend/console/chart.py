"""A day by hour, or a month by day, as an SVG, pure: bars without a script, each with its figure as
text."""

from collections.abc import Mapping
from dataclasses import dataclass

HOURS, TICKS = 24, 8
_HEIGHT, _WIDTH, _GAP = 120, 24, 6


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar in the picture's own units."""

    name: str
    amount_minor: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, and the box that they stand in."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    bar_width: int
    most_minor: int
    ticks: tuple[str, ...]
    """What stands below, evenly."""


def day_chart(amounts: Mapping[int, int]) -> Chart:
    """24 bars of the hours' amounts (minor units)."""
    named = {f"{hour:02}:00": amounts.get(hour, 0) for hour in range(HOURS)}
    return _chart(named, tuple(named)[:: HOURS // TICKS])


def days_chart(amounts: Mapping[str, int]) -> Chart:
    """A bar of each business date's amount, in this order."""
    ticks = tuple(amounts)[:: -(-len(amounts) // TICKS)]
    return _chart(amounts, tuple(day[len("2026-") :] for day in ticks))


def _chart(amounts: Mapping[str, int], ticks: tuple[str, ...]) -> Chart:
    """The highest bar fills the height; one with anything at all is seen."""
    most = max(amounts.values(), default=0)
    step = _WIDTH + _GAP
    bars = []
    for place, (name, amount) in enumerate(amounts.items()):
        height = max(amount * _HEIGHT // most, 2) if amount > 0 else 0
        bars.append(Bar(name, amount, place * step, _HEIGHT - height, height))
    return Chart(tuple(bars), len(amounts) * step - _GAP, _HEIGHT, _WIDTH, most, ticks)
