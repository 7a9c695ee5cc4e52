"""Judging devices: attacks found at one false alarm in a hundred and in a thousand, and how fast.

The fleets are those of ``device_worlds``: 2,400 devices of one world at full length, and a row of
small ones that differ in names, shapes, rates and attackers. Beside the judge, in the same run and
on the same lines, the plain ways: a weighted similarity to the latest trusted reading, and the
share of attributes that are exactly alike.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.risk.devices.attributes import Group, attribute_of
from backend.risk.devices.judging import Devices
from backend.risk.devices.observations import SETTLES_AFTER_DAYS
from backend.risk.devices.readings import Curve, Number, Plain, Reading, plain_reading
from bench.device_worlds import ATTACKS, observe
from bench.result import Result

DEVICES, DAYS, ATTACKED = 2_400, 54, 560
FULL_SEED = 20_261_128
WORLDS = 12
SPOOF_COST = {Group.ROOT: 3.0, Group.BEHAVIOUR: 2.0, Group.BOARD: 1.5, Group.PERIPHERAL: 1.5}
TOLERANCE = 0.1
"""Of a measured value, as a share of it."""
TRUSTED_FROM = 0.8
Line = tuple[dict[str, Any], str]


class Way(Protocol):
    """A way to trust a reading: the higher, the more."""

    def trust(self, line: dict[str, Any], reading: Reading) -> float:
        """Of a reading, by those before it."""
        ...


@dataclass
class Judge:
    """Ours."""

    devices: Devices = field(default_factory=lambda: Devices(settles_after_days=SETTLES_AFTER_DAYS))

    def trust(self, line: dict[str, Any], reading: Reading) -> float:
        """The judge's trust."""
        return self.devices.observe(
            line["claimed"], reading, day=line["day"], is_enrolment=line["enrol"]
        ).trust


@dataclass
class Similarity:
    """Each attribute's likeness, weighed by its entropy among enrolments and its spoof cost."""

    latest: dict[str, Reading] = field(default_factory=dict)
    seen: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def trust(self, line: dict[str, Any], reading: Reading) -> float:
        """The weighted mean; the profile follows what is trusted."""
        before = self.latest.get(line["claimed"])
        if before is None:
            self.latest[line["claimed"]] = reading
            for name, value in reading.items():
                self.seen[name][str(value)] += 1
            return 1.0
        weights = {name: self._weight(name) for name in before.keys() | reading.keys()}
        likeness = sum(
            weight * _likeness(name, before.get(name), reading.get(name))
            for name, weight in weights.items()
        )
        found = likeness / sum(weights.values())
        if found >= TRUSTED_FROM:
            self.latest[line["claimed"]] = reading
        return found

    def _weight(self, name: str) -> float:
        counts = self.seen[name]
        total = sum(counts.values()) or 1
        entropy = -sum(count / total * math.log2(count / total) for count in counts.values())
        return (0.5 + entropy) * SPOOF_COST.get(attribute_of(name).group, 1.0)


@dataclass
class ExactMatch:
    """The share of attributes that are exactly as they were."""

    latest: dict[str, Reading] = field(default_factory=dict)

    def trust(self, line: dict[str, Any], reading: Reading) -> float:
        """That share; the profile is the latest reading."""
        before = self.latest.get(line["claimed"], reading)
        self.latest[line["claimed"]] = reading
        same = sum(before.get(name) == value for name, value in reading.items())
        return same / max(len(reading), 1)


def _likeness(name: str, before: Plain, now: Plain) -> float:
    if before is None or now is None:
        is_hardware = attribute_of(name).group in {Group.ROOT, Group.BOARD}
        return 1.0 if before is now else 0.0 if is_hardware else 0.5
    if isinstance(before, frozenset) and isinstance(now, frozenset):
        return len(before & now) / max(len(before | now), 1)
    pairs = list(zip(_numbers(before), _numbers(now), strict=False))
    if pairs:
        return sum(_near(one, other) for one, other in pairs) / len(pairs)
    return float(before == now)


def _numbers(value: Plain) -> tuple[float, ...]:
    if isinstance(value, Curve):
        return value.values
    return (value.value,) if isinstance(value, Number) else ()


def _near(one: float, other: float) -> float:
    return math.exp(-abs(one - other) / (TOLERANCE * max(abs(one), 1.0)))


@dataclass
class Found:
    """What one way gave honest and dishonest readings."""

    honest: list[float] = field(default_factory=list)
    attacks: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def share(self, alarms_one_in: int, attack: str | None = None) -> float:
        """The share of attacks below the trust that so many honest readings are below."""
        ranked = sorted(self.honest)
        limit = ranked[len(ranked) // alarms_one_in]
        trusts = self.attacks[attack] if attack else self.all_attacks
        return sum(trust < limit for trust in trusts) / max(len(trusts), 1)

    @property
    def all_attacks(self) -> list[float]:
        """Of every kind."""
        return [trust for trusts in self.attacks.values() for trust in trusts]

    @property
    def area(self) -> float:
        """The area under the ROC curve: how often an attack is trusted less than an honest one."""
        ranked = sorted([*((t, 0) for t in self.honest), *((t, 1) for t in self.all_attacks)])
        below, total, at = 0.0, 0.0, 0
        while at < len(ranked):
            upto = at
            while upto < len(ranked) and ranked[upto][0] == ranked[at][0]:
                upto += 1
            attacks = sum(is_attack for _, is_attack in ranked[at:upto])
            honest = upto - at - attacks
            total += honest * (below + attacks / 2)
            below += attacks
            at = upto
        return total / max(len(self.honest) * len(self.all_attacks), 1)


def judged(way: Way, lines: Iterable[Line]) -> Found:
    """What a way gives each line, in order."""
    found = Found()
    for line, attack in lines:
        trust = way.trust(line, plain_reading(line["attrs"]))
        (found.attacks[attack] if attack else found.honest).append(trust)
    return found


def run(scale: float) -> list[Result]:
    """The full world, beside the plain ways, and the small ones."""
    devices, attacks = max(int(DEVICES * scale), 200), max(int(ATTACKED * scale), 60)
    lines = list(observe(FULL_SEED, devices=devices, days=DAYS, attacks=attacks))
    begun = time.perf_counter()
    ours = judged(Judge(), lines)
    rate = len(lines) / (time.perf_counter() - begun)
    plain = {"similarity": judged(Similarity(), lines), "exact match": judged(ExactMatch(), lines)}
    size = f"{len(lines):,} readings, {devices:,} devices, {len(ours.all_attacks)} attacks"
    return [
        *_compared(ours, plain, size),
        Result("devices_judged_per_s", rate, "readings/s", size),
        *_small_worlds(scale),
    ]


def _compared(ours: Found, plain: dict[str, Found], size: str) -> Iterator[Result]:
    for one_in, name in ((100, "1pc"), (1_000, "01pc")):
        others = ", ".join(f"{way} {100 * one.share(one_in):.1f}" for way, one in plain.items())
        against = f"{others}; {size}"
        yield Result(f"devices_found_{name}", 100 * ours.share(one_in), "%", against)
    area = ", ".join(f"{way} {one.area:.4f}" for way, one in plain.items())
    yield Result("devices_auc", ours.area, "", area)
    for attack in ATTACKS:
        others = ", ".join(
            f"{way} {100 * one.share(100, attack):.1f}" for way, one in plain.items()
        )
        yield Result(f"devices_found_1pc_{attack}", 100 * ours.share(100, attack), "%", others)


def _small_worlds(scale: float) -> list[Result]:
    devices = max(int(DEVICES * scale / 4), 200)
    shares = [
        judged(Judge(), observe(seed, devices=devices, days=DAYS, attacks=devices // 4)).share(100)
        for seed in range(1, WORLDS + 1)
    ]
    against = f"{WORLDS} worlds of {devices} devices; the worst {100 * min(shares):.1f}"
    return [Result("devices_found_1pc_worlds", 100 * sum(shares) / WORLDS, "%", against)]
