"""What speaks against a reading: each attribute's outcome weighed by how unusual it is. Pure.

A weight is the logarithm of how much likelier the finding is in a dishonest reading than in an
honest one, so weights of independent findings add up.

A reading is compared in one pass (``compared``), and what asks about it later looks only at what
changed and at the numbers: nearly all readings are a few numbers among two dozen values that are as
they were.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from math import log
from typing import NamedTuple

from backend.risk.devices.attributes import Group
from backend.risk.devices.fleet import ATTACKED, Fleet, Habit, Outcome, Update, is_bus
from backend.risk.devices.profile import Profile
from backend.risk.devices.readings import NUMERIC, Curve, Number, Plain, Reading

WEIGHT_MAX = 11.0
REPLAY_MAX = 20.0
FOREIGN_WEIGHT = 3.0
AT_ONCE_WEIGHT = 3.0
"""For a second peripheral that is exchanged in the same reading, besides its own weight."""
REPLAYED_VALUES_MIN = 2
UNLIKE_WEIGHT = 3.0
"""What each measured value that is not repeated says against a replay: it repeats them all."""
ATTACKED_SILENCE = {Outcome.VANISHED: 0.3, Outcome.APPEARED: 0.05, Outcome.COMPLETED: 0.05}
EXCHANGED = frozenset({Outcome.NOVEL, Outcome.KNOWN})
SAME = Outcome.SAME


class Sign(StrEnum):
    """What a finding is a sign of."""

    HARDWARE = "hardware_changed"
    """A chip or board says it is another."""
    SILENT = "hardware_silent"
    """What the device could read before, it cannot."""
    FOREIGN = "of_another_device"
    """A value that belongs to another device."""
    MEASURED = "measures_differ"
    REPLAY = "reading_repeated"
    """Measured values that were sent before."""
    COUNTER = "counter_fell"
    STOOD = "counter_stood"
    """A counter that usually rises between readings did not."""
    SOFTWARE = "software_changed"
    """Outside an update."""
    UPDATE = "software_updated"
    STORAGE = "storage_changed"
    PERIPHERAL = "peripheral_changed"
    PERIPHERALS = "peripherals_changed_at_once"
    EVIDENCE = "tamper_evidence"
    OTHER = "other_changed"


MEASURED, SILENT = Sign.MEASURED, Sign.SILENT
SIGN_OF = {
    Group.ROOT: Sign.HARDWARE,
    Group.BOARD: Sign.HARDWARE,
    Group.STORAGE: Sign.STORAGE,
    Group.BUILD: Sign.UPDATE,
    Group.SOFTWARE: Sign.SOFTWARE,
    Group.PERIPHERAL: Sign.PERIPHERAL,
    Group.KEY: Sign.OTHER,
    Group.PLACE: Sign.OTHER,
    Group.COUNTER: Sign.COUNTER,
    Group.BEHAVIOUR: Sign.MEASURED,
    Group.EVIDENCE: Sign.EVIDENCE,
    Group.OTHER: Sign.OTHER,
}


class Finding(NamedTuple):
    """One attribute's part: its source's name, what became of it, and what that weighs."""

    name: str
    sign: Sign
    weight: float


@dataclass(slots=True)
class Compared:
    """A reading beside the profile."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Of each attribute that is compared by its value."""
    changed: list[str] = field(default_factory=list)
    """Those that are not the same."""
    numbers: dict[str, Number | Curve] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    """What the profile knows and the reading could not read."""
    measured: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Those numbers that scatter."""
    strange: dict[str, float] = field(default_factory=dict)
    """Of these, what speaks against the reading by itself."""
    changes: list[Finding] = field(default_factory=list)
    """What the changes weigh."""
    silence: float = 0.0
    """What weighs all that fell silent, each by itself."""


def compared(fleet: Fleet, profile: Profile, reading: Reading) -> Compared:
    """What became of each attribute."""
    found, latest = Compared(), profile.latest
    outcomes = found.outcomes
    if not latest.keys() <= reading.keys():
        reading = reading | dict.fromkeys(latest.keys() - reading.keys())
    for name, now in reading.items():
        before = latest.get(name)
        if now is None:
            if before is not None:
                found.silent.add(name)
                if name not in profile.silent:
                    outcomes[name] = Outcome.VANISHED
            continue
        if not isinstance(now, str) and isinstance(now, NUMERIC):
            found.numbers[name] = now
            if before is not None and is_number(now, fleet.habits[name]):
                continue
        if now == before:
            outcomes[name] = SAME
        elif before is None:
            is_first = profile.readings == 1
            outcomes[name] = Outcome.COMPLETED if is_first else Outcome.APPEARED
        else:
            outcomes[name] = _outcome(fleet.habits[name], profile, name, before, now)
    found.changed = [name for name, outcome in outcomes.items() if outcome is not SAME]
    found.measured = measured_values(fleet, found.numbers)
    found.strange = _strange(fleet, profile, found.measured)
    if found.changed and latest:
        found.changes = list(_changes(fleet, found, update_in(fleet, found)))
        found.silence = weight_of([f for f in found.changes if f.sign is SILENT])
    return found


def findings(
    fleet: Fleet, profile: Profile, device: str, reading: Reading, seen: Compared
) -> list[Finding]:
    """What speaks against a reading that claims to be of this device, ``compared`` before."""
    found = seen.changes
    share = fleet.silence.share_of(seen.silence)
    if share < 1:
        found = [f._replace(weight=f.weight * share) if f.sign is SILENT else f for f in found]
    found = [*found, *_foreign(fleet, device, reading, seen.changed)]
    found += _counters(fleet, profile, seen.numbers)
    found += _measured(fleet, seen.strange)
    found += _replayed(fleet, profile, device, seen.measured)
    return found


def weight_of(found: list[Finding]) -> float:
    """The weight of all findings together."""
    return sum([finding.weight for finding in found])


def is_number(value: Plain, habit: Habit) -> bool:
    """Whether a value is judged as a measure or a count, not as a name."""
    return isinstance(value, Curve) or (isinstance(value, Number) and habit.is_numeric)


def measured_values(
    fleet: Fleet, numbers: dict[str, Number | Curve]
) -> dict[str, tuple[float, ...]]:
    """The measured numbers of a reading: those that scatter."""
    found = {}
    for name, value in numbers.items():
        if isinstance(value, Curve):
            found[name] = value.values
        elif fleet.habits[name].is_measured:
            found[name] = (value.value,)
    return found


def text_of(value: Plain) -> str:
    """A value as something to compare and keep."""
    if isinstance(value, frozenset):
        return "\n".join(sorted(value))
    return repr(value.value) if isinstance(value, Number) else str(value)


def new_in(now: Plain, before: Plain) -> frozenset[str]:
    """What a value adds to the one before: the members of a set that it had not, or itself."""
    if isinstance(now, frozenset):
        return now - before if isinstance(before, frozenset) else now
    return frozenset() if now is None else frozenset({text_of(now)})


def update_in(fleet: Fleet, seen: Compared) -> Update:
    """Whether the build went on to one that others have, or that is new to all."""
    builds = {
        seen.outcomes[name] for name in seen.changed if fleet.habits[name].group is Group.BUILD
    }
    if Outcome.NOVEL in builds:
        return Update.FIRST
    return Update.FOLLOWING if Outcome.KNOWN in builds else Update.NONE


def _outcome(habit: Habit, profile: Profile, name: str, before: Plain, now: Plain) -> Outcome:
    text = text_of(now)
    if text in profile.earlier.get(name, ()):
        return Outcome.RETURNED
    # A set is as new as its newest member: a known driver beside others is no news.
    known = habit.members if isinstance(now, frozenset) else habit.shown
    new = new_in(now, before)
    spread = {one for one in new if habit.is_spread(one)}
    if not all(known[one] for one in new - spread):
        return Outcome.NOVEL
    return Outcome.SPREAD if spread else Outcome.KNOWN


def _changes(fleet: Fleet, seen: Compared, update: Update) -> Iterable[Finding]:
    """The changes, the most usual first: what usually changes with one of these weighs little."""
    outcomes, changed = seen.outcomes, sorted(seen.changed)
    usual = {name: fleet.usual(name, outcomes[name], update) for name in changed}
    explained: list[str] = []
    peripherals = 0
    for name in sorted(changed, key=lambda name: -usual[name]):
        habit, outcome = fleet.habits[name], outcomes[name]
        is_known = outcome is Outcome.KNOWN
        rate = max(
            [usual[name]]
            + [fleet.with_another(name, other, update, is_known=is_known) for other in explained]
        )
        explained.append(name)
        attacked = ATTACKED_SILENCE.get(outcome, ATTACKED[habit.group])
        weight = min(max(0.0, log(attacked / rate)), WEIGHT_MAX)
        if outcome is Outcome.RETURNED:
            weight /= 2
        sign = _sign(habit.group, outcome, update)
        is_firmware = outcome is Outcome.KNOWN and habit.is_shared
        if (
            sign is Sign.PERIPHERAL
            and outcome in EXCHANGED
            and not is_bus(name)
            and not is_firmware
        ):
            peripherals += 1
            if peripherals > 1:
                sign, weight = Sign.PERIPHERALS, weight + AT_ONCE_WEIGHT
        yield Finding(name, sign, weight)


def _sign(group: Group, outcome: Outcome, update: Update) -> Sign:
    if outcome is Outcome.VANISHED and group is not Group.PERIPHERAL:
        return Sign.SILENT
    if outcome is Outcome.COMPLETED:
        return Sign.OTHER
    if group is Group.SOFTWARE and (update is Update.FIRST or outcome is Outcome.KNOWN):
        return Sign.UPDATE if update is not Update.NONE else Sign.SOFTWARE
    return SIGN_OF[group]


def _foreign(fleet: Fleet, device: str, reading: Reading, changed: list[str]) -> Iterable[Finding]:
    for name in changed:
        value = reading.get(name)
        if not isinstance(value, str):
            continue
        habit = fleet.habits[name]
        owner = habit.owners.get(value)
        if owner not in (None, device) and habit.names_one_device:
            yield Finding(name, Sign.FOREIGN, FOREIGN_WEIGHT)


def _counters(
    fleet: Fleet, profile: Profile, numbers: dict[str, Number | Curve]
) -> Iterable[Finding]:
    for name, value in numbers.items():
        habit = fleet.habits[name]
        if not (habit.is_counter and isinstance(value, Number)):
            continue
        before = profile.latest.get(name)
        if not isinstance(before, Number) or value.value > before.value:
            continue
        sign, rate = Sign.COUNTER, habit.falls_rate()
        if value.value == before.value:
            sign, rate = Sign.STOOD, habit.equals_rate()
        weight = min(max(0.0, log(ATTACKED[Group.COUNTER] / rate)), WEIGHT_MAX)
        yield Finding(name, sign, weight)


def _strange(fleet: Fleet, profile: Profile, now: dict[str, tuple[float, ...]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, values in now.items():
        expected = profile.expected.get(name, ())
        if len(expected) != len(values):
            continue
        scatters = fleet.habits[name].scatters_of(len(values))
        off = [
            scatter.strangeness(value, mean)
            for scatter, value, mean in zip(scatters, values, expected, strict=False)
        ]
        # The points of a curve move together, so many say little more than one.
        weight = min(sum(off) / len(off), WEIGHT_MAX)
        if weight:
            found[name] = weight
    return found


def _measured(fleet: Fleet, strange: dict[str, float]) -> Iterable[Finding]:
    total = sum(strange.values())
    share = fleet.strangeness.share_of(total)
    return [Finding(name, MEASURED, weight * share) for name, weight in strange.items()]


def _replayed(
    fleet: Fleet, profile: Profile, device: str, now: dict[str, tuple[float, ...]]
) -> Iterable[Finding]:
    if not now:
        return []
    weigh: Callable[[str], float] = lambda name: max(  # noqa: E731  (one line, used here)
        0.0, log(0.9 / fleet.habits[name].equals_rate())
    )
    best, repeated = 0.0, ""
    tries = log(max(1, len(profile.noises)))  # coarse values repeat by chance among so many
    for before in profile.noises:
        same = [name for name, values in now.items() if before.get(name) == values]
        if len(same) >= min(REPLAYED_VALUES_MIN, len(now)):
            others = len(now) - len(same)
            weight = sum(weigh(name) for name in same) - tries - others * UNLIKE_WEIGHT
            if weight > best:
                best, repeated = weight, same[0]
    owner = fleet.noises.get(noise_key(now))
    if best == 0.0 and owner not in (None, device) and len(now) >= REPLAYED_VALUES_MIN:
        best, repeated = sum(weigh(name) for name in now), next(iter(now))
    return [Finding(repeated, Sign.REPLAY, min(best, REPLAY_MAX))] if best else []


def noise_key(values: dict[str, tuple[float, ...]]) -> tuple[object, ...]:
    """All measured values of a reading as one key."""
    return tuple(sorted(values.items()))
