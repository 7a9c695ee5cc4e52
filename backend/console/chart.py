"""A day by hour as an SVG, pure: bars without a script, each with its figure as text."""

from collections.abc import Mapping
from dataclasses import dataclass

HOURS = 24
_HEIGHT, _WIDTH, _GAP = 120, 24, 6


@dataclass(frozen=True, slots=True)
class Bar:
    """An hour's bar in the picture's own units."""

    hour: int
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


def day_chart(amounts: Mapping[int, int]) -> Chart:
    """24 bars of the hours' amounts (minor units). The highest one fills the height; an hour with
    anything at all is seen."""
    most = max(amounts.values(), default=0)
    step = _WIDTH + _GAP
    bars = []
    for hour in range(HOURS):
        amount = amounts.get(hour, 0)
        height = max(amount * _HEIGHT // most, 2) if amount > 0 else 0
        bars.append(Bar(hour, amount, hour * step, _HEIGHT - height, height))
    return Chart(tuple(bars), HOURS * step - _GAP, _HEIGHT, _WIDTH, most)
