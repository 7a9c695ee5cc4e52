"""The verdict on a reading, and what is learned from it. Pure.

Rule 1: only an accepted reading moves the profile and teaches the fleet (but see rule 4).
Rule 2: an enrolment is believed, unless it shows values that belong to another device.
Rule 3: where ``settles_after_days`` says so, a change that keeps being shown, on so many later
days and by a device that otherwise fits, weighs less each day; without it a person must accept it.
Rule 4: there, a refused reading too says how often something happens, once a device: what is only
ever refused would never be known as usual.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from math import exp

from backend.risk.devices.attributes import Group
from backend.risk.devices.doubts import REFUSED_FROM, Doubt, Further
from backend.risk.devices.evidence import (
    Compared,
    Finding,
    Sign,
    compared,
    findings,
    is_number,
    new_in,
    noise_key,
    text_of,
    update_in,
    weight_of,
)
from backend.risk.devices.fleet import Fleet, Habit
from backend.risk.devices.profile import Profile
from backend.risk.devices.readings import NUMERIC, Curve, Number, Plain, Reading

SLOPE = 0.8
NOT_ENROLLED = "not_enrolled"
TOLD_FROM = 0.5
"""Findings that weigh less are no reason."""
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
        further = self._further(device, profile, reading, seen, day)
        is_nearer = further is not None and weight_of(further.found) < weight_of(found)
        if further is not None and is_nearer:
            found = further.found
        weight = weight_of(found)
        trust = _trust(weight, found, profile, reading)
        if weight < REFUSED_FROM:
            self._learn(device, profile, reading, seen)
        elif self.settles_after_days:
            if seen.measured:
                profile.noises.append(seen.measured)
            if further is None or not (further.is_going_on or is_nearer):
                self._teach_refused(profile, seen, found)
            profile.doubt = _doubt(profile, reading, seen, found, further, day)
            self._believe_spread(device, profile, profile.doubt)
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
        if seen.measured:
            profile.noises.append(seen.measured)
            self.fleet.noises.setdefault(noise_key(seen.measured), device)
        self.fleet.teach_totals(strange=sum(seen.strange.values()), silent=seen.silence)
        profile.readings += 1
        profile.silent = seen.silent
        profile.doubt = None

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

    def _further(
        self, device: str, profile: Profile, reading: Reading, seen: Compared, day: int
    ) -> Further | None:
        """The reading beside the refused ones, if there are any (rule 3)."""
        doubt = profile.doubt
        if doubt is None:
            return None
        share = max(0.0, 1 - doubt.days_before(day) / self.settles_after_days)
        return doubt.further(self.fleet, device, reading, seen, share)

    def _believe_spread(self, device: str, profile: Profile, doubt: Doubt) -> None:
        """Software that several devices go on showing for days is spread by somebody who may: from
        then on it is known. Else a part of an update that the first device did not take would stay
        refused for ever."""
        if len(doubt.days) < self.settles_after_days:
            return
        for name, value in doubt.shown.latest.items():
            before = profile.latest.get(name)
            habit = self.fleet.habits[name]
            if habit.group is Group.SOFTWARE and value != before:
                for one in new_in(value, before):
                    habit.lasting.setdefault(one, set()).add(device)

    def _teach_refused(self, profile: Profile, seen: Compared, found: list[Finding]) -> None:
        """What alone makes the difference between accepted and refused, and happens to many
        devices, is what devices do (rule 4). Each teaches it once."""
        weights: dict[str, float] = {}
        for finding in found:
            cause = _cause_of(finding)
            weights[cause] = weights.get(cause, 0.0) + finding.weight
        total, update = weight_of(found), update_in(self.fleet, seen)
        alone = {cause for cause, weight in weights.items() if total - weight < REFUSED_FROM}
        alone -= profile.taught
        for finding in found:
            if _cause_of(finding) not in alone:
                continue
            habit = self.fleet.habits[finding.name]
            if finding.name in seen.changed:
                habit.learn_refused(update, seen.outcomes[finding.name])
                self.fleet.readings[update][finding.name] += 1
            elif finding.sign is Sign.COUNTER:
                habit.numbers += 1
                habit.falls += 1
        self.fleet.teach_totals(
            strange=sum(seen.strange.values()) if Sign.MEASURED in alone else 0.0,
            silent=seen.silence if Sign.SILENT in alone else 0.0,
        )
        profile.taught |= alone

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


def _doubt(
    profile: Profile,
    reading: Reading,
    seen: Compared,
    found: list[Finding],
    further: Further | None,
    day: int,
) -> Doubt:
    """Where a refused reading leads: on, further away, or anew."""
    doubt = profile.doubt
    if doubt is None or further is None:
        return Doubt.of(profile, reading, seen, found, day)
    if further.is_going_on:
        doubt.go_on(reading, further.seen, day)
        return doubt
    if found is further.found:
        return Doubt.of(doubt.shown, reading, further.seen, found, day)
    return Doubt.of(profile, reading, seen, found, day)


def _cause_of(finding: Finding) -> str:
    """What is silent together, or measured strangely, has one cause."""
    return finding.sign if finding.sign in {Sign.SILENT, Sign.MEASURED} else finding.name


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
