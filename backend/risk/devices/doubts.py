"""What refused readings of a device say together, where nobody can be asked. Pure.

A device whose card was exchanged, or that loaded a driver, is refused once and then goes on as it
is now. A reading that goes on from refused ones is judged by what stands against the first of them
and by what is new since the last, so that an update or a new printer in between is not held against
it with all that came before.
"""

from dataclasses import dataclass, field, replace

from backend.risk.devices.attributes import Group
from backend.risk.devices.evidence import (
    Compared,
    Finding,
    Sign,
    compared,
    findings,
    weight_of,
)
from backend.risk.devices.fleet import Fleet
from backend.risk.devices.profile import Profile
from backend.risk.devices.readings import NUMERIC, Curve, Reading

REFUSED_FROM = 6.5
"""The weight at which a reading is as likely dishonest as honest, were one in 600 dishonest."""
JUST_REFUSED = REFUSED_FROM * (1 + 1e-9)
"""So that a share of a weight, however it is rounded, is no less than ``REFUSED_FROM``."""
SETTLING = frozenset({Sign.PERIPHERAL, Sign.PERIPHERALS, Sign.STORAGE, Sign.OTHER, Sign.UPDATE})
"""What is believed when it stays."""
MOMENTARY = frozenset({Sign.MEASURED, Sign.REPLAY, Sign.STOOD})
"""What is asked of each reading anew."""
ALIKE_UNDER = 1.0
"""Measures that weigh less are the device's own, whatever else is doubted."""
YOUNG_READINGS = 3
"""With fewer, what a device measured at first may have been the exception."""


@dataclass(frozen=True, slots=True)
class Further:
    """A reading beside what refused ones have shown."""

    seen: Compared
    found: list[Finding]
    """What stands against those, and what is new."""
    is_going_on: bool
    """Whether the new alone would be accepted."""


@dataclass(slots=True)
class Doubt:
    """What refused readings in a row say of a device, should they be the device's own."""

    shown: Profile
    """The device as they show it."""
    findings: list[Finding]
    """What spoke against the first."""
    days: set[int] = field(default_factory=set)
    """On which they came."""

    @classmethod
    def of(
        cls, profile: Profile, reading: Reading, seen: Compared, found: list[Finding], day: int
    ) -> "Doubt":
        """The doubt that a first refused reading raises. Its measures are not taken over."""
        earlier = {name: kept.copy() for name, kept in profile.earlier.items()}
        shown = replace(profile, latest=dict(profile.latest), earlier=earlier, doubt=None)
        doubt = cls(shown, [finding for finding in found if finding.sign not in MOMENTARY])
        doubt.go_on(reading, seen, day)
        return doubt

    def go_on(self, reading: Reading, seen: Compared, day: int) -> None:
        """Take a reading that goes on from the one before."""
        self.days.add(day)
        is_young = self.shown.readings < YOUNG_READINGS and len(self.days) > 1
        is_its_own = is_young or sum(seen.strange.values()) < ALIKE_UNDER
        for name in [*seen.changed, *seen.numbers]:
            value = reading.get(name)
            if value is None:
                continue
            self.shown.latest[name] = value
            if is_its_own and isinstance(value, NUMERIC):
                values = value.values if isinstance(value, Curve) else (value.value,)
                self.shown.follow(name, values)
        self.shown.silent = seen.silent

    def further(
        self, fleet: Fleet, device: str, reading: Reading, seen: Compared, share: float
    ) -> Further:
        """A reading, ``seen`` beside the accepted ones, beside the refused. ``share``: how much of
        what settles still stands."""
        since = compared(fleet, self.shown, reading)
        new = findings(fleet, self.shown, device, reading, since)
        found = [*self._standing(fleet, seen, new, share), *new]
        return Further(since, found, is_going_on=weight_of(new) < REFUSED_FROM)

    def days_before(self, day: int) -> int:
        """On how many other days it was shown."""
        return len(self.days - {day})

    def _standing(
        self, fleet: Fleet, seen: Compared, new: list[Finding], share: float
    ) -> list[Finding]:
        """What still is as it was refused, and how much of it still stands, if nothing else is
        against it. Software never settles, but after the first alarm it weighs no more than what is
        just refused."""
        still = [f for f in self.findings if f.name in seen.changed or f.sign is Sign.COUNTER]
        settling = SETTLING | _part_in(fleet, still)
        against = [f for f in [*still, *new] if f.sign not in settling | {Sign.SOFTWARE}]
        if weight_of(against) >= REFUSED_FROM / 2:
            return still
        software = weight_of([f for f in still if f.sign is Sign.SOFTWARE])
        kept = min(1.0, JUST_REFUSED / software) if software and share < 1 else 1.0
        of_sign = dict.fromkeys(settling, share) | {Sign.SOFTWARE: kept}
        return [Finding(f.name, f.sign, f.weight * of_sign.get(f.sign, 1.0)) for f in still]


def _part_in(fleet: Fleet, found: list[Finding]) -> frozenset[Sign]:
    """A lone part of a board, or a counter, is exchanged under service; a chip never."""
    parts = [f for f in found if f.sign in {Sign.HARDWARE, Sign.COUNTER}]
    is_lone = len(parts) == 1 and fleet.habits[parts[0].name].group is not Group.ROOT
    return frozenset({parts[0].sign}) if is_lone else frozenset()
