"""The states of a connector and the steps between them (OCPP 1.6 §4.9, table of A1 to I8).

Rule 1: the state is derived from facts (``Facts``), for a fault must give back whatever the facts
say when it clears. Rule 2: only ``steps`` makes a way from one state to the next, and each step of
it is in the table; a change that the table lacks goes through a state that the table allows.
"""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """1.6's ``ChargePointStatus``."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


_ROWS = {
    State.AVAILABLE: "A -2345-789",
    State.PREPARING: "B 1-3456--9",
    State.CHARGING: "C 1--456-89",
    State.SUSPENDED_EV: "D 1-3-56-89",
    State.SUSPENDED_EVSE: "E 1-34-6-89",
    State.FINISHING: "F 12-----89",
    State.RESERVED: "G 12-----89",
    State.UNAVAILABLE: "H 12345---9",
    State.FAULTED: "I 12345678-",
}
TRANSITIONS: dict[tuple[State, State], str] = {
    (before, after): f"{row[0]}{number}"
    for before, row in _ROWS.items()
    for number, (after, mark) in enumerate(zip(State, row[2:], strict=True), start=1)
    if mark != "-"
}
"""Each allowed step, by its name in the standard's table."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides the state of a connector."""

    is_faulted: bool
    is_in_transaction: bool
    is_plugged: bool
    is_granted: bool
    """A token waits for the cable, or may charge in the transaction."""
    is_offered: bool
    """The charger offers power."""
    is_wanted: bool
    """The car takes it."""
    is_finished: bool
    """A transaction ended and its cable is still in."""
    is_operative: bool
    is_reserved: bool


def state_of(facts: Facts) -> State:
    """The state that the facts make."""
    if facts.is_faulted:
        return State.FAULTED
    if facts.is_in_transaction:
        return _state_within_transaction(facts)
    if not facts.is_operative:
        return State.UNAVAILABLE
    if facts.is_plugged and facts.is_finished:
        return State.FINISHING
    if facts.is_plugged or facts.is_granted:
        return State.PREPARING
    return State.RESERVED if facts.is_reserved else State.AVAILABLE


def _state_within_transaction(facts: Facts) -> State:
    if not facts.is_plugged:
        return State.SUSPENDED_EV
    if not (facts.is_granted and facts.is_offered):
        return State.SUSPENDED_EVSE
    return State.CHARGING if facts.is_wanted else State.SUSPENDED_EV


def steps(before: State, after: State) -> list[State]:
    """The states passed through, ``after`` last; empty where nothing changes."""
    if before is after:
        return []
    if (before, after) in TRANSITIONS:
        return [after]
    for through in (State.PREPARING, State.AVAILABLE):
        if {(before, through), (through, after)} <= TRANSITIONS.keys():
            return [through, after]
    raise AssertionError(f"no way from {before} to {after}")
