"""What speaks against a reading: each attribute's outcome weighed by how unusual it is. Pure.

A weight is the logarithm of how much likelier the finding is in a dishonest reading than in an
honest one, so weights of independent findings add up.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import log

from backend.risk.devices.attributes import Group
from backend.risk.devices.fleet import ATTACKED, Fleet, Habit, Outcome, Update, is_bus
from backend.risk.devices.profile import Profile
from backend.risk.devices.readings import NUMERIC, Curve, Number, Plain, Reading

WEIGHT_MAX = 8.0
REPLAY_MAX = 20.0
MEASURED_MAX = 10.0
FOREIGN_WEIGHT = 3.0
AT_ONCE_WEIGHT = 3.0
"""For a second peripheral that is exchanged in the same reading, besides its own weight."""
REPLAYED_VALUES_MIN = 2
UNLIKE_WEIGHT = 3.0
"""What each measured value that is not repeated says against a replay: it repeats them all."""
ATTACKED_SILENCE = {Outcome.VANISHED: 0.3, Outcome.APPEARED: 0.05}
EXCHANGED = frozenset({Outcome.NOVEL, Outcome.KNOWN})


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


@dataclass(frozen=True, slots=True)
class Finding:
    """One attribute's part: its source's name, what became of it, and what that weighs."""

    name: str
    sign: Sign
    weight: float


def findings(
    fleet: Fleet,
    profile: Profile,
    device: str,
    reading: Reading,
    outcomes: dict[str, Outcome],
) -> list[Finding]:
    """What speaks against a reading that claims to be of this device, with its ``outcomes_of``."""
    measured = measured_values(fleet, reading)
    found = list(_changes(fleet, outcomes, update_in(fleet, outcomes)))
    found += _foreign(fleet, device, reading, outcomes)
    found += _counters(fleet, profile, reading)
    found += _measured(fleet, profile, measured)
    found += _replayed(fleet, profile, device, measured)
    return found


def outcomes_of(fleet: Fleet, profile: Profile, reading: Reading) -> dict[str, Outcome]:
    """What became of each attribute that is compared by its value."""
    found, latest, habits = {}, profile.latest, fleet.habits
    unread = dict.fromkeys(latest.keys() - reading.keys())
    for name, now in (reading | unread if unread else reading).items():
        before = latest.get(name)
        if now is None:
            if before is not None and name not in profile.silent:
                found[name] = Outcome.VANISHED
        elif before is None:
            found[name] = Outcome.APPEARED
        elif not isinstance(now, NUMERIC):
            same = before == now
            found[name] = (
                Outcome.SAME if same else _outcome(habits[name], profile, name, before, now)
            )
        elif not is_number(now, habits[name]):
            found[name] = _outcome(habits[name], profile, name, before, now)
    return found


def is_number(value: Plain, habit: Habit) -> bool:
    """Whether a value is judged as a measure or a count, not as a name."""
    if isinstance(value, Curve):
        return True
    if not isinstance(value, Number):
        return False
    return habit.is_counter or habit.is_measured or habit.is_unsettled


def measured_values(fleet: Fleet, reading: Reading) -> dict[str, tuple[float, ...]]:
    """The attributes of a reading that scatter."""
    found = {}
    for name, value in reading.items():
        if isinstance(value, Curve):
            found[name] = value.values
        elif isinstance(value, Number) and fleet.habits[name].is_measured:
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


def update_in(fleet: Fleet, outcomes: dict[str, Outcome]) -> Update:
    """Whether the build went on to one that others have, or that is new to all."""
    builds = {
        outcome
        for name, outcome in outcomes.items()
        if outcome is not Outcome.SAME and fleet.habits[name].group is Group.BUILD
    }
    if Outcome.NOVEL in builds:
        return Update.FIRST
    return Update.FOLLOWING if Outcome.KNOWN in builds else Update.NONE


def _outcome(habit: Habit, profile: Profile, name: str, before: Plain, now: Plain) -> Outcome:
    if before == now:
        return Outcome.SAME
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


def _changes(fleet: Fleet, outcomes: dict[str, Outcome], update: Update) -> Iterable[Finding]:
    """The changes, the most usual first: what usually changes with one of these weighs little."""
    changed = sorted(name for name, outcome in outcomes.items() if outcome is not Outcome.SAME)
    usual = {name: fleet.habits[name].usual(outcomes[name], update) for name in changed}
    explained: list[str] = []
    peripherals = 0
    for name in sorted(changed, key=lambda name: -usual[name]):
        habit, outcome = fleet.habits[name], outcomes[name]
        rate = max([usual[name], *(fleet.with_another(name, other, update) for other in explained)])
        explained.append(name)
        attacked = ATTACKED_SILENCE.get(outcome, ATTACKED[habit.group])
        weight = min(max(0.0, log(attacked / rate)), WEIGHT_MAX)
        if outcome is Outcome.RETURNED:
            weight /= 2
        sign = _sign(habit.group, outcome, update)
        if sign is Sign.PERIPHERAL and outcome in EXCHANGED and not is_bus(name):
            peripherals += 1
            if peripherals > 1:
                sign, weight = Sign.PERIPHERALS, weight + AT_ONCE_WEIGHT
        yield Finding(name, sign, weight)


def _sign(group: Group, outcome: Outcome, update: Update) -> Sign:
    if outcome is Outcome.VANISHED and group is not Group.PERIPHERAL:
        return Sign.SILENT
    if group is Group.SOFTWARE and (update is Update.FIRST or outcome is Outcome.KNOWN):
        return Sign.UPDATE if update is not Update.NONE else Sign.SOFTWARE
    return SIGN_OF[group]


def _foreign(
    fleet: Fleet, device: str, reading: Reading, outcomes: dict[str, Outcome]
) -> Iterable[Finding]:
    for name, value in reading.items():
        if outcomes.get(name) is Outcome.SAME or not isinstance(value, str):
            continue
        habit = fleet.habits[name]
        owner = habit.owners.get(value)
        if owner not in (None, device) and habit.names_one_device:
            yield Finding(name, Sign.FOREIGN, FOREIGN_WEIGHT)


def _counters(fleet: Fleet, profile: Profile, reading: Reading) -> Iterable[Finding]:
    for name, value in reading.items():
        if not isinstance(value, Number):
            continue
        before, habit = profile.latest.get(name), fleet.habits[name]
        if not (isinstance(before, Number) and habit.is_counter):
            continue
        if value.value > before.value:
            continue
        sign, rate = Sign.COUNTER, habit.falls_rate()
        if value.value == before.value:
            sign, rate = Sign.STOOD, habit.equals_rate()
        weight = min(max(0.0, log(ATTACKED[Group.COUNTER] / rate)), WEIGHT_MAX)
        yield Finding(name, sign, weight)


def _measured(
    fleet: Fleet, profile: Profile, now: dict[str, tuple[float, ...]]
) -> Iterable[Finding]:
    found: list[Finding] = []
    for name, values in now.items():
        expected = profile.expected.get(name, ())
        if len(expected) != len(values):
            continue
        scatter = fleet.habits[name].scatter
        off = [
            scatter[place].strangeness(value, mean)
            for place, (value, mean) in enumerate(zip(values, expected, strict=True))
        ]
        # The points of a curve move together, so many say little more than one.
        weight = min(sum(off) / len(off), WEIGHT_MAX)
        if weight:
            found.append(Finding(name, Sign.MEASURED, weight))
    total = sum([finding.weight for finding in found])
    if total <= MEASURED_MAX:
        return found
    return [Finding(f.name, f.sign, f.weight * MEASURED_MAX / total) for f in found]


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
