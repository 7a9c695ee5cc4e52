"""What is usual: how often each attribute changes, by itself and with others, and how far what is
measured scatters. Pure; learned from accepted readings, from what is expected at first, and where
nobody can be asked from what many devices are refused for alone.

Rule 1: what is usual is learned of the whole fleet, so that a new kernel which every device takes
is no news, whatever the source calls it.
Rule 2: what honest devices do not do is not learned from a few that do it: the first half per cent
of readings in which it happens may be attacks that were not noticed.
Rule 3: expectations weigh as much as ``EXPECTED_WEIGHT`` readings, so a young fleet is judged too.
Rule 4: a reading asks several times what a number is and changes it once, so ``Habit`` settles it
when one is learned. A member of an enum that each reading asks for has a name of the module's own:
Python 3.11 takes ten times as long to find it in its class.
"""

from collections import Counter
from collections.abc import KeysView
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, log, pi, sqrt

from backend.risk.devices.attributes import Group, attribute_of
from backend.risk.devices.readings import NUMERIC, Curve, Number, Plain

EXPECTED_WEIGHT = 200.0
TOGETHER_WEIGHT = 4.0
UNNOTICED_SHARE = 0.005
TOTAL_MAX = 12.0
TOTAL_USUAL = 0.1
"""The share of honest readings that have any sum to speak of, before any was seen: e times fewer
have one more."""
TOTAL_ATTACKED = 0.5
ROOT_2_PI = sqrt(2 * pi)
COUNTER, OTHER, BEHAVIOUR = Group.COUNTER, Group.OTHER, Group.BEHAVIOUR
PLACE = Group.PLACE
HARD = frozenset({Group.ROOT, Group.BOARD, Group.SOFTWARE, Group.EVIDENCE, Group.COUNTER})
"""Groups to which rule 2 applies, in readings without an update."""
FOREIGN_DEVICES_MIN = 20
UNIQUE_SHARE_MIN = 0.9
SPREAD_DEVICES_MIN = 3
REFUSED_DEVICES_MIN = 5
"""Devices that are refused for the same, all of which may be one attacker's."""


class Outcome(StrEnum):
    """What became of an attribute since the device's latest accepted reading."""

    SAME = "same"
    NOVEL = "novel"
    """Another value, which no other device has shown."""
    KNOWN = "known"
    """Another value, which others have too."""
    RETURNED = "returned"
    """A value that the device had before."""
    SPREAD = "spread"
    """A value that was refused, and that several devices go on showing."""
    VANISHED = "vanished"
    APPEARED = "appeared"
    COMPLETED = "completed"
    """Read for the first time, of a device that was read only once."""


class Update(StrEnum):
    """Whether the build changed with the rest."""

    NONE = "none"
    FIRST = "first"
    """To one that no other device has."""
    FOLLOWING = "following"
    """To one that others have, whose software is known by then."""


USUAL = {
    Group.ROOT: 0.0003,
    Group.BOARD: 0.0005,
    Group.STORAGE: 0.002,
    Group.BUILD: 0.02,
    Group.SOFTWARE: 0.002,
    Group.PERIPHERAL: 0.006,
    Group.KEY: 0.02,
    Group.PLACE: 0.03,
    Group.COUNTER: 0.0005,
    Group.BEHAVIOUR: 0.01,
    Group.EVIDENCE: 0.0005,
    Group.OTHER: 0.005,
}
"""The share of honest readings in which an attribute of the group changes, before any was seen."""

ATTACKED = {
    Group.ROOT: 0.5,
    Group.BOARD: 0.5,
    Group.STORAGE: 0.2,
    Group.BUILD: 0.1,
    Group.SOFTWARE: 0.35,
    Group.PERIPHERAL: 0.3,
    Group.KEY: 0.15,
    Group.PLACE: 0.1,
    Group.COUNTER: 0.3,
    Group.BEHAVIOUR: 0.3,
    Group.EVIDENCE: 0.4,
    Group.OTHER: 0.2,
}
"""The same share among dishonest readings."""

SILENT = 0.006
"""The share of honest readings in which a source stops to answer, or begins to. Only the chips of
``Group.ROOT`` answer always."""
IN_AN_UPDATE = 0.6
"""How often software changes when the build does."""
SHARE_OF = {
    Outcome.NOVEL: 0.5,
    Outcome.KNOWN: 0.5,
    Outcome.RETURNED: 0.5,
    Outcome.VANISHED: 0.3,
    Outcome.APPEARED: 0.5,
}


GIVEN = {Outcome.SPREAD: 0.1, Outcome.COMPLETED: 0.5}
"""How usual it is to show what several devices go on showing, and what the only reading before
could not read."""
SILENCES = frozenset({Outcome.VANISHED, Outcome.APPEARED})


@dataclass(slots=True)
class Scatter:
    """How a measured attribute spreads: within a device from reading to reading, and between."""

    step: float = 0.0
    steps: int = 0
    number: int = 0
    mean: float = 0.0
    square: float = 0.0

    def meet(self, value: float) -> None:
        """A device's first value."""
        self.number += 1
        off = value - self.mean
        self.mean += off / self.number
        self.square += off * (value - self.mean)

    def follow(self, off: float) -> None:
        """How far a value lay from what the device showed before."""
        self.steps += 1
        self.step += (min(abs(off), 6 * self.step or abs(off)) - self.step) / min(self.steps, 500)

    def strangeness(self, value: float, expected: float) -> float:
        """The log of how much likelier the value is of any device than of this one, 0 or more."""
        if self.number < 8 or self.steps < 8:
            return 0.0
        between = sqrt(self.square / self.number) + 1e-12
        within = max(self.step * 1.2533, between * 1e-6)
        z = (value - expected) / within
        own = 0.36755 / within / (1 + z * z / 3) ** 2  # Student's t with 3 degrees of freedom
        y = (value - self.mean) / between
        bell = exp(-y * y / 2) / ROOT_2_PI
        other = 0.9 * bell / between + 0.1 / (20 * between)
        return max(0.0, log(other / own))


@dataclass(slots=True)
class Total:
    """How much findings of one kind weigh together in honest readings. They have one cause: a
    device under load measures several things like another, and a bus that hangs silences several
    sources. So a sum that many readings reach says no more than that it is rare."""

    readings: int = 0
    by_weight: list[int] = field(default_factory=lambda: [0] * (int(TOTAL_MAX) + 1))

    def learn(self, total: float) -> None:
        """What they weighed in one reading."""
        self.readings += 1
        self.by_weight[int(min(total, TOTAL_MAX))] += 1

    def share_of(self, total: float) -> float:
        """How much of its weight such a total keeps where so many honest readings have such."""
        if total < 1:
            return 1.0
        capped = min(total, TOTAL_MAX)
        reached = sum(self.by_weight[int(capped) :])
        expected = TOTAL_USUAL * exp(-int(capped)) * EXPECTED_WEIGHT
        rate = (reached + expected) / (self.readings + EXPECTED_WEIGHT)
        return min(capped, max(1.0, log(TOTAL_ATTACKED / rate))) / total


@dataclass(slots=True)
class Habit:
    """What one attribute does in the fleet."""

    group: Group
    outcomes: Counter[tuple[Update, Outcome]] = field(default_factory=Counter)
    rises: int = 0
    falls: int = 0
    equals: int = 0
    numbers: int = 0
    is_fractional: bool = False
    scatters: list[Scatter] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    """Which device showed a value first."""
    shown: Counter[str] = field(default_factory=Counter)
    """On how many devices."""
    members: Counter[str] = field(default_factory=Counter)
    """Of sets: on how many devices each."""
    lasting: dict[str, set[str]] = field(default_factory=dict)
    """Which devices go on showing a value, or a set's member, that was refused."""
    devices: int = 0
    refused: int = 0
    """How many were refused for it alone."""
    is_counter: bool = field(init=False)
    """Whether it only rises."""
    is_measured: bool = field(init=False)
    """Whether it scatters from reading to reading."""
    is_numeric: bool = field(init=False)
    """Whether it is judged as a measure or a count, not as a name; also a number of an unknown
    name, while it may still turn out to be one of them."""

    def __post_init__(self) -> None:
        self._settle()

    def scatters_of(self, points: int) -> list[Scatter]:
        """One for each point of a curve; there may be more."""
        while len(self.scatters) < points:
            self.scatters.append(Scatter())
        return self.scatters

    def learn_number(self, before: Plain, now: Number | Curve) -> None:
        """A number, or a curve, was shown after what the device showed before."""
        is_whole = isinstance(now, Number) and now.is_whole
        self.is_fractional = self.is_fractional or not is_whole
        if isinstance(before, NUMERIC):
            self.numbers += 1
            self.equals += before == now
            if isinstance(before, Number) and isinstance(now, Number):
                self.rises += now.value > before.value
                self.falls += now.value < before.value
        self._settle()

    def _settle(self) -> None:
        numbers = self.numbers
        self.is_counter = self.group is COUNTER or (
            numbers >= EXPECTED_WEIGHT
            and self.rises > 0.2 * numbers
            and self.falls <= 0.005 * numbers
        )
        is_place = self.group is PLACE
        self.is_measured = not self.is_counter and not is_place and self.equals_rate() < 0.5
        is_unsettled = self.group is OTHER and numbers < EXPECTED_WEIGHT
        self.is_numeric = self.is_counter or self.is_measured or is_unsettled

    def usual(self, outcome: Outcome, update: Update, readings: int) -> float:
        """How often an honest reading shows this outcome. ``readings``: in how many with such an
        update the attribute was compared."""
        if outcome in GIVEN:
            return GIVEN[outcome]
        is_hard = self.group in HARD and outcome is not Outcome.KNOWN
        rate = USUAL[self.group]
        if outcome in SILENCES:
            is_hard, rate = False, rate if self.group is Group.ROOT else SILENT
        if self.group is Group.SOFTWARE and update is not Update.NONE:
            is_hard = is_hard and update is Update.FOLLOWING
            rate = rate if is_hard else IN_AN_UPDATE
        expected = rate * SHARE_OF[outcome] * EXPECTED_WEIGHT
        seen: float = self.outcomes[update, outcome]
        if is_hard:
            seen = max(0.0, seen - UNNOTICED_SHARE * readings)
        return (seen + expected) / (readings + EXPECTED_WEIGHT)

    def learn_refused(self, update: Update, outcome: Outcome) -> None:
        """A device was refused for this alone. The first few may be one attacker's."""
        self.refused += 1
        is_hard = self.group in HARD and outcome not in SILENCES
        if not is_hard or self.refused > REFUSED_DEVICES_MIN:
            self.outcomes[update, outcome] += 1

    def is_spread(self, value: str) -> bool:
        """Whether enough devices go on showing a value that was refused."""
        return len(self.lasting.get(value, ())) >= SPREAD_DEVICES_MIN

    def falls_rate(self) -> float:
        """How often an honest number falls."""
        expected = USUAL[Group.COUNTER] if self.group is Group.COUNTER else 0.05
        falls = max(0.0, self.falls - UNNOTICED_SHARE * self.numbers)
        return (falls + expected * EXPECTED_WEIGHT) / (self.numbers + EXPECTED_WEIGHT)

    def equals_rate(self) -> float:
        """How often an honest number is the same twice."""
        is_measure = self.group is OTHER and self.is_fractional
        expected = 0.02 if is_measure or self.group is BEHAVIOUR else 0.5
        weight = EXPECTED_WEIGHT / 4
        return (self.equals + expected * weight) / (self.numbers + weight)

    @property
    def is_shared(self) -> bool:
        """Whether many devices show the same values, as they do of a build."""
        return self.devices >= FOREIGN_DEVICES_MIN and len(self.shown) <= 0.3 * self.devices

    @property
    def names_one_device(self) -> bool:
        """Whether each device has a value of its own."""
        enough = self.devices >= FOREIGN_DEVICES_MIN
        return enough and len(self.shown) >= UNIQUE_SHARE_MIN * self.devices


@dataclass(slots=True)
class Fleet:
    """The habits of all attributes, and which change together."""

    habits: dict[str, Habit] = field(default_factory=dict)
    readings: dict[Update, Counter[str]] = field(
        default_factory=lambda: {update: Counter() for update in Update}
    )
    """In how many readings each attribute was compared. One counter, so that a reading is counted
    in one call."""
    changes: Counter[str] = field(default_factory=Counter)
    together: Counter[tuple[str, str]] = field(default_factory=Counter)
    strangeness: Total = field(default_factory=Total)
    silence: Total = field(default_factory=Total)
    noises: dict[tuple[object, ...], str] = field(default_factory=dict)
    """Whole sets of measured values, and which device showed them."""

    def meet(self, names: KeysView[str]) -> None:
        """Attributes, of which those that are new get the habit that is expected of their group."""
        if names <= self.habits.keys():
            return
        for name in names - self.habits.keys():
            self.habits[name] = Habit(attribute_of(name).group)

    def teach_totals(self, *, strange: float, silent: float) -> None:
        """What a reading's measures, and what fell silent in it, weighed together."""
        self.strangeness.learn(strange)
        self.silence.learn(silent)

    def usual(self, name: str, outcome: Outcome, update: Update) -> float:
        """How often an honest reading shows this outcome of an attribute."""
        return self.habits[name].usual(outcome, update, self.readings[update][name])

    def with_another(self, name: str, other: str, update: Update, *, is_known: bool) -> float:
        """How often ``name`` changes in honest readings in which ``other`` does. Two peripherals
        are not exchanged at once (rule 2), but the bus changes with either."""
        first, second = self.habits[name].group, self.habits[other].group
        if first is second is Group.PERIPHERAL and not is_bus(name) and not is_bus(other):
            return 0.0
        is_hard = first in HARD and not (is_known and first is second is Group.SOFTWARE)
        if is_hard and update is not Update.FIRST:
            return 0.0
        expected = 0.02
        is_of_one = first is second and first in {Group.STORAGE, Group.SOFTWARE}
        if is_of_one or is_bus(name) or is_bus(other):
            expected = 0.5
        elif first is second is Group.OTHER:
            both = self.habits[name].is_shared and self.habits[other].is_shared
            expected = 0.4 if both else 0.02
        seen = self.together[name, other]
        return (seen + expected * TOGETHER_WEIGHT) / (self.changes[other] + TOGETHER_WEIGHT)


def is_bus(name: str) -> bool:
    """Whether an attribute lists what hangs on the bus, and so changes with any peripheral."""
    return attribute_of(name).name == "usb_topology"
