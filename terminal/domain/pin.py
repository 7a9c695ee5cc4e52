"""A PIN: what it may be, and whose choice it is.

Rule 1: nothing but `set_pin` says in which state a PIN is, and it only takes an edge of
        `TRANSITIONS`.
Rule 2: a PIN that somebody else has set opens nothing but the choice of an own one: who knows it
        besides could sign with the other's name.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from protocol.errors import CallerError
from terminal.domain.staff_acts import StaffDeed
from terminal.limits import PIN_DIGITS_MAX, PIN_DIGITS_MIN


class PinState(StrEnum):
    """Whose choice it is."""

    NONE = "none"
    """Its person is just being hired."""
    GIVEN = "given"
    """Somebody else has set it, and knows it."""
    OWN = "own"


class PinStep(StrEnum):
    """Who sets it."""

    GIVE = "give"
    """Somebody else does."""
    CHOOSE = "choose"
    """Its person does."""


@dataclass(frozen=True, slots=True)
class PinEdge:
    """One legal step: the state it leads to and what is written down."""

    state: PinState
    deed: StaffDeed


_S, _T, _D = PinState, PinStep, StaffDeed

TRANSITIONS: dict[tuple[PinState, PinStep], PinEdge] = {
    (_S.NONE, _T.GIVE): PinEdge(_S.GIVEN, _D.HIRED),
    (_S.NONE, _T.CHOOSE): PinEdge(_S.OWN, _D.HIRED),
    (_S.GIVEN, _T.GIVE): PinEdge(_S.GIVEN, _D.PIN_RENEWED),
    (_S.GIVEN, _T.CHOOSE): PinEdge(_S.OWN, _D.PIN_CHOSEN),
    (_S.OWN, _T.GIVE): PinEdge(_S.GIVEN, _D.PIN_RENEWED),
    (_S.OWN, _T.CHOOSE): PinEdge(_S.OWN, _D.PIN_CHOSEN),
}


def set_pin(state: PinState, step: PinStep) -> tuple[PinState, StaffDeed]:
    """The state after somebody has set it, and what is written down about it."""
    edge = TRANSITIONS[(state, step)]
    return edge.state, edge.deed


def check_pin_form(pin: str) -> None:
    """``staff_pin_weak`` for what is no PIN, or one that everybody tries first."""
    is_sized = PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX
    if not (is_sized and pin.isascii() and pin.isdecimal()):
        raise CallerError("staff_pin_weak", f"{PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    steps = {(int(right) - int(left)) % 10 for left, right in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        raise CallerError("staff_pin_weak", "digits all alike or in a row")
