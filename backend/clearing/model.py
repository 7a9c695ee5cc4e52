"""The life of money that we have told a bank to move: payouts, and what goes between the reserve
and our own account. Pure."""

from datetime import date
from enum import StrEnum

from backend.clearing.limits import CORRECTIONS_PER_ENTRY_MAX
from protocol.errors import CallerError


class MoveKind(StrEnum):
    """Why money goes between the reserve and our own account."""

    FEES = "fees"
    """Earned, or given back."""
    OWN_FUNDS = "own_funds"
    """Promised to the reserve, or promised too much."""


class MoveState(StrEnum):
    """Where a movement at the bank is."""

    INSTRUCTED = "instructed"
    """Stored, and perhaps sent."""
    UNKNOWN = "unknown"
    """The bank did not answer in time; only its word leaves this."""
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    RETURNED = "returned"
    """Paid, and sent back later; not tried again unless somebody says so or the account changes."""
    RELEASED = "released"
    """Returned, and free to be paid out with what else the merchant has."""


class Outcome(StrEnum):
    """What is learned about a movement."""

    CONFIRM = "confirm"
    REJECT = "reject"
    LOSE_CONTACT = "lose_contact"
    RETURN = "return"
    """The bank sent the money back."""
    RELEASE = "release"
    """It may be tried again."""


SETTLEMENT_PREFIX = "STL-"
RETURN_PREFIX = "RTN-"
"""Before a payout's id: the bank's reference of the money that came back."""


def settlement_of(channel_id: str, day: date) -> str:
    """The bank's reference of a channel's payment for one of its days: ``STL-<channel>-<day>``."""
    return f"{SETTLEMENT_PREFIX}{channel_id}-{day:%Y%m%d}"


def settlement_transfer(channel_id: str, day: str) -> str:
    """The transfer by which a channel's day reached the reserve."""
    return f"{SETTLEMENT_PREFIX}{channel_id}-{day.replace('-', '')}:1"


def stated_transfers(reference: str) -> list[str]:
    """The transfers by which we may have followed what the bank's statement shows under a
    reference: the first posting, and those of what it was corrected by."""
    corrections = range(1, CORRECTIONS_PER_ENTRY_MAX + 1)
    return [f"{reference}:1", *(f"{reference}.{number}:1" for number in corrections)]


_S, _O = MoveState, Outcome
TRANSITIONS: dict[tuple[MoveState, Outcome], MoveState] = {
    (_S.INSTRUCTED, _O.CONFIRM): _S.CONFIRMED,
    (_S.INSTRUCTED, _O.REJECT): _S.REJECTED,
    (_S.INSTRUCTED, _O.LOSE_CONTACT): _S.UNKNOWN,
    (_S.UNKNOWN, _O.CONFIRM): _S.CONFIRMED,
    (_S.UNKNOWN, _O.REJECT): _S.REJECTED,
    (_S.UNKNOWN, _O.LOSE_CONTACT): _S.UNKNOWN,
    (_S.CONFIRMED, _O.RETURN): _S.RETURNED,
    (_S.RETURNED, _O.RELEASE): _S.RELEASED,
}
OPEN_STATES = (_S.INSTRUCTED, _S.UNKNOWN)


def next_state(state: MoveState, outcome: Outcome) -> MoveState:
    """The state an outcome leads to; ``CallerError("payment_state")`` where there is no edge."""
    found = TRANSITIONS.get((state, outcome))
    if found is None:
        raise CallerError("payment_state", f"{outcome} in {state}")
    return found
