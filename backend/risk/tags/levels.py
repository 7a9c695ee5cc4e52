"""From where on a signal is noticed: three levels, by entity and window.

They are where a person would begin to look, not where anything is refused: a busy shop's till is
allowed more than a person. Rules set their own edges.
"""

from collections.abc import Callable

from backend.risk.tags.taxonomy import Levels

LevelsOf = Callable[[str, str], Levels]

_BUSY = {"payer": 1, "card": 1, "device": 15, "merchant": 40, "store": 20, "address": 8}
"""How many persons' payments an entity sees."""
_CROWDED = {"payer": 1, "card": 1, "device": 10, "merchant": 25, "store": 15, "address": 4}
"""How many different others an entity meets for each of a person."""
_TROUBLED = {"payer": 1, "card": 1, "device": 4, "merchant": 10, "store": 6, "address": 3}
"""How often something goes wrong at an entity for each time at a person."""

_COUNTS: dict[str, Levels] = {
    "1m": (3, 5, 10), "10m": (5, 10, 20), "1h": (8, 15, 30), "1d": (20, 40, 80),
    "7d": (60, 120, 240), "30d": (150, 300, 600),
}  # fmt: skip
_SUMS: dict[str, Levels] = {
    "1m": (100_000, 300_000, 1_000_000), "1h": (200_000, 500_000, 2_000_000),
    "1d": (500_000, 1_500_000, 5_000_000), "7d": (1_500_000, 5_000_000, 15_000_000),
    "30d": (3_000_000, 10_000_000, 30_000_000),
}  # fmt: skip
_DISTINCT: dict[str, Levels] = {
    "1h": (2, 3, 5), "1d": (3, 5, 8), "7d": (4, 8, 15), "30d": (6, 12, 25),
}  # fmt: skip
_RARE: dict[str, Levels] = {
    "10m": (2, 4, 8), "1h": (3, 6, 12), "1d": (4, 8, 16), "7d": (6, 12, 24), "30d": (10, 20, 40),
}  # fmt: skip


def _times(levels: Levels, factor: int) -> Levels:
    return (levels[0] * factor, levels[1] * factor, levels[2] * factor)


def counts(entity: str, span: str) -> Levels:
    """Levels for counts of ordinary payments."""
    return _times(_COUNTS[span], _BUSY[entity])


def sums(entity: str, span: str) -> Levels:
    """Levels for sums of money, in minor units."""
    return _times(_SUMS[span], _BUSY[entity])


def distinct(entity: str, span: str) -> Levels:
    """Levels for how many different others there are."""
    return _times(_DISTINCT[span], _CROWDED[entity])


def rare(entity: str, span: str) -> Levels:
    """Levels for counts of what seldom happens."""
    return _times(_RARE[span], _TROUBLED[entity])


def shares(_entity: str, _span: str) -> Levels:
    """Levels for shares of the whole."""
    return (0.3, 0.6, 0.9)


def rates(_entity: str, _span: str) -> Levels:
    """Levels for shares of the whole where one in a hundred is much."""
    return (0.01, 0.03, 0.1)


def ratios(_entity: str, _span: str) -> Levels:
    """To what is usual."""
    return (3, 6, 12)


def to_max(_entity: str, _span: str) -> Levels:
    """To the largest so far."""
    return (1.5, 3, 6)


def speeds(_entity: str, _span: str) -> Levels:
    """Kilometres an hour: faster than a car, than a train, than an aircraft."""
    return (150, 400, 1_000)


def pauses(_entity: str, _span: str) -> Levels:
    """At most so many seconds since the last."""
    return (10, 3, 1)


def ages(_entity: str, _span: str) -> Levels:
    """At most so many seconds old: a week, a day, an hour."""
    return (604_800, 86_400, 3_600)
