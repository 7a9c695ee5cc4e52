"""The verdict on a reading, and what is learned from it. Pure.

Rule 1: only an accepted reading moves the profile and teaches the fleet.
Rule 2: an enrolment is believed, unless it shows values that belong to another device.
Rule 3: where ``settles_after_days`` says so, a change that keeps being shown, on so many later
days and by a device that otherwise fits, weighs less each day; without it a person must accept it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from math import exp

from backend.risk.devices.attributes import Group
from backend.risk.devices.evidence import (
    Compared,
    Finding,
    Sign,
    compared,
    findings,
    is_number,
    measured_values,
    new_in,
    noise_key,
    text_of,
    update_in,
)
from backend.risk.devices.fleet import Fleet, Habit
from backend.risk.devices.profile import Profile
from backend.risk.devices.readings import NUMERIC, Curve, Number, Plain, Reading

REFUSED_FROM = 6.5
"""The weight at which a reading is as likely dishonest as honest, were one in 600 dishonest."""
SLOPE = 0.8
NOT_ENROLLED = "not_enrolled"
TOLD_FROM = 0.5
"""Findings that weigh less are no reason."""
SETTLING = frozenset({Sign.PERIPHERAL, Sign.PERIPHERALS, Sign.STORAGE, Sign.OTHER, Sign.UPDATE})
NO_CHANGE = frozenset({Sign.MEASURED, Sign.REPLAY, Sign.FOREIGN, Sign.STOOD})


class Verdict(StrEnum):
    """What a reading is taken for."""

    SAME = "same"
    DRIFTED = "drifted"
    CLONE = "clone"
    EMULATOR = "emulator"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The judgement. ``trust`` is from 0 to 1 and falls with the weight of the evidence."""

    trust: float
    verdict: Verdict
    reasons: tuple[str, ...]
    """``sign:attribute`` by weight, the heaviest first."""
    changed: tuple[str, ...]


@dataclass(slots=True)
class Devices:
    """A fleet and the profiles of its devices."""

    fleet: Fleet = field(default_factory=Fleet)
    profiles: dict[str, Profile] = field(default_factory=dict)
    settles_after_days: int = 0
    """0: never by itself."""

    def observe(self, device: str, reading: Reading, *, day: int, is_enrolment: bool) -> Trust:
        """Judge a reading that claims to be of a device, and learn from it if it is accepted."""
        self.fleet.meet(reading.keys())
        profile = self.profiles.get(device)
        if profile is None or is_enrolment:
            return self._enrol(device, reading, is_enrolment=is_enrolment)
        seen = compared(self.fleet, profile, reading)
        found = findings(self.fleet, profile, device, reading, seen)
        if self.settles_after_days:
            found = self._settled(profile, reading, found, day)
        weight = sum(finding.weight for finding in found)
        trust = _trust(weight, found, profile, reading)
        if weight < REFUSED_FROM:
            self._learn(device, profile, reading, seen)
        else:
            _doubt(profile, reading, day)
            if self.settles_after_days:
                self._believe_spread(device, profile)
        return trust

    def accept(self, device: str, reading: Reading, *, is_anew: bool = False) -> None:
        """Take a reading for the device's own, also when a person says so. ``is_anew``: what it
        measured before is no measure of it any more, because its board was exchanged."""
        self.fleet.meet(reading.keys())
        profile = self.profiles.setdefault(device, Profile())
        if is_anew:
            profile.expected.clear()
        self._learn(device, profile, reading, compared(self.fleet, profile, reading))

    def _learn(self, device: str, profile: Profile, reading: Reading, seen: Compared) -> None:
        if profile.latest:  # a first reading changes nothing
            self._teach_changes(seen)
        # The same name or set again teaches nothing.
        news = {name: reading.get(name) for name in seen.changed} | seen.numbers
        for name, value in news.items():
            if value is not None:
                _learn_value(self.fleet.habits[name], profile, device, name, value)
                profile.latest[name] = value
        measured = measured_values(self.fleet, seen.numbers)
        if measured:
            profile.noises.append(measured)
            self.fleet.noises.setdefault(noise_key(measured), device)
        profile.silent = seen.silent
        profile.doubted.clear()

    def _enrol(self, device: str, reading: Reading, *, is_enrolment: bool) -> Trust:
        foreign = [
            name
            for name, value in reading.items()
            if isinstance(value, str)
            and self.fleet.habits[name].group in {Group.ROOT, Group.BOARD}
            and self.fleet.habits[name].owners.get(value, device) != device
            and self.fleet.habits[name].names_one_device
        ]
        if len(foreign) > 1:
            reasons = tuple(f"{Sign.FOREIGN}:{name}" for name in foreign)
            return Trust(trust=0.01, verdict=Verdict.CLONE, reasons=reasons, changed=())
        self.accept(device, reading)
        reasons = () if is_enrolment else (NOT_ENROLLED,)
        trust = 0.99 if is_enrolment else 0.5
        return Trust(trust=trust, verdict=Verdict.SAME, reasons=reasons, changed=())

    def _settled(
        self, profile: Profile, reading: Reading, found: list[Finding], day: int
    ) -> list[Finding]:
        """What was shown before on other days weighs less, if nothing else is against it. Software
        never settles, but after the first alarm it weighs no more than what is just refused."""
        against = sum(f.weight for f in found if f.sign not in SETTLING | {Sign.SOFTWARE})
        if against >= REFUSED_FROM / 2:
            return found
        settled = []
        for finding in found:
            value, days = profile.doubted.get(finding.name, (None, set()))
            shown = len(days - {day}) if value == reading.get(finding.name) else 0
            share = max(0.0, 1 - shown / self.settles_after_days)
            weight = finding.weight * share if finding.sign in SETTLING else finding.weight
            if finding.sign is Sign.SOFTWARE and shown:
                weight = min(weight, REFUSED_FROM)
            settled.append(Finding(finding.name, finding.sign, weight))
        return settled

    def _believe_spread(self, device: str, profile: Profile) -> None:
        """Software that several devices go on showing for days is spread by somebody who may: from
        then on it is known. Else a part of an update that the first device did not take would stay
        refused for ever."""
        for name, (value, days) in profile.doubted.items():
            habit = self.fleet.habits[name]
            if habit.group is not Group.SOFTWARE or len(days) < self.settles_after_days:
                continue
            for one in new_in(value, profile.latest.get(name)):
                habit.lasting.setdefault(one, set()).add(device)

    def _teach_changes(self, seen: Compared) -> None:
        fleet = self.fleet
        update = update_in(fleet, seen)
        fleet.readings[update].update(seen.outcomes.keys())
        for name in seen.changed:
            fleet.habits[name].outcomes[update, seen.outcomes[name]] += 1
            fleet.changes[name] += 1
            for other in seen.changed:
                if other != name:
                    fleet.together[name, other] += 1


def _learn_value(habit: Habit, profile: Profile, device: str, name: str, value: Plain) -> None:
    before = profile.latest.get(name)
    if before is None:
        habit.devices += 1
    if isinstance(value, NUMERIC):
        _learn_number(habit, profile, name, before, value)
        if is_number(value, habit):
            return
    if value == before:
        return
    text = text_of(value)
    habit.shown[text] += 1
    if isinstance(value, frozenset):
        habit.members.update(value - before if isinstance(before, frozenset) else value)
    habit.owners.setdefault(text, device)
    if before is not None:
        profile.remember(name, text_of(before))


def _learn_number(
    habit: Habit, profile: Profile, name: str, before: Plain, value: Number | Curve
) -> None:
    values = value.values if isinstance(value, Curve) else (value.value,)
    habit.learn_number(before, value)
    scatters = habit.scatters_of(len(values))
    if name not in profile.expected:
        for scatter, one in zip(scatters, values, strict=False):
            scatter.meet(one)
    for scatter, off in zip(scatters, profile.follow(name, values), strict=False):
        scatter.follow(off)


def _doubt(profile: Profile, reading: Reading, day: int) -> None:
    for name, value in reading.items():
        if value != profile.latest.get(name):
            before, days = profile.doubted.get(name, (None, set()))
            profile.doubted[name] = (value, days | {day} if before == value else {day})


def _trust(weight: float, found: list[Finding], profile: Profile, reading: Reading) -> Trust:
    told = sorted((f for f in found if f.weight >= TOLD_FROM), key=lambda f: -f.weight)
    changed = tuple(sorted(f.name for f in found if f.sign not in NO_CHANGE))
    verdict = Verdict.DRIFTED if changed else Verdict.SAME
    if weight >= REFUSED_FROM:
        verdict = _attack(found, profile, reading)
    return Trust(
        trust=1 / (1 + exp(min(SLOPE * (weight - REFUSED_FROM), 700.0))),
        verdict=verdict,
        reasons=tuple(f"{f.sign}:{f.name}" for f in told),
        changed=changed,
    )


def _attack(found: list[Finding], profile: Profile, reading: Reading) -> Verdict:
    """Which attack the evidence speaks for most."""
    weights = dict.fromkeys(Sign, 0.0)
    for finding in found:
        weights[finding.sign] += finding.weight
    silent = sum(reading.get(name) is None for name in profile.latest)
    emulator = weights[Sign.SILENT] + (weights[Sign.EVIDENCE] if silent else 0.0)
    clone = sum(weights[s] for s in (Sign.HARDWARE, Sign.FOREIGN, Sign.REPLAY, Sign.COUNTER))
    clone += weights[Sign.MEASURED] + weights[Sign.STOOD]
    tampered = sum(weights[s] for s in (Sign.SOFTWARE, Sign.PERIPHERAL, Sign.PERIPHERALS))
    tampered += weights[Sign.EVIDENCE] + weights[Sign.STORAGE] + weights[Sign.UPDATE]
    ranked = {Verdict.EMULATOR: emulator, Verdict.CLONE: clone, Verdict.TAMPERED: tampered}
    return max(ranked, key=lambda verdict: ranked[verdict])
