"""What becomes of the goods of a paid sale at a vending machine: a table, asked by everybody.

Rule 1: *given* is the dispenser's word, or the owner's, and nobody else's.
Rule 2: money goes back from *not given* alone, and no edge leads from there to *given*.
Rule 3: a power cut while the motor may have run makes *uncertain*. MDB/ICP 4.2 counts a reset
        between "approved" and "success" as success; so the money stays until the owner decides,
        or until a machine that gives each thing once, however often it is told, was told again.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import CallerError


class Delivery(StrEnum):
    """Where the goods are."""

    NONE = "none"
    """Nothing is to be given out, or not yet."""
    OWED = "owed"
    """Paid; the motor has not been told."""
    DISPENSING = "dispensing"
    """The motor was told, or is about to be."""
    GIVEN = "given"
    NOT_GIVEN = "not_given"
    """Certainly not: the payment is reversed."""
    UNCERTAIN = "uncertain"
    """The owner must look."""


UNSETTLED = frozenset({Delivery.OWED, Delivery.DISPENSING, Delivery.UNCERTAIN})
"""Whether the goods were given is still to come, or for the owner to say."""


class DeliveryStep(StrEnum):
    """What can happen to the goods."""

    OWE = "owe"
    WITHHOLD = "withhold"
    START = "start"
    GIVE = "give"
    FAIL = "fail"
    LOSE_CONTACT = "lose_contact"


class DeliveryEvent(StrEnum):
    """What has happened to the goods."""

    OWED = "ItemOwed"
    WITHHELD = "ItemWithheld"
    STARTED = "ItemDispensing"
    GIVEN = "ItemGiven"
    FAILED = "ItemNotGiven"
    LOST = "ItemUncertain"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: Delivery
    event: DeliveryEvent


_D, _T, _E = Delivery, DeliveryStep, DeliveryEvent
_WITHHELD = Edge(_D.NOT_GIVEN, _E.WITHHELD)
_GIVEN = Edge(_D.GIVEN, _E.GIVEN)

TRANSITIONS: dict[tuple[Delivery, DeliveryStep], Edge] = {
    (_D.NONE, _T.OWE): Edge(_D.OWED, _E.OWED),
    (_D.NONE, _T.WITHHOLD): _WITHHELD,
    (_D.OWED, _T.START): Edge(_D.DISPENSING, _E.STARTED),
    (_D.OWED, _T.WITHHOLD): _WITHHELD,
    (_D.DISPENSING, _T.GIVE): _GIVEN,
    (_D.DISPENSING, _T.FAIL): Edge(_D.NOT_GIVEN, _E.FAILED),
    (_D.DISPENSING, _T.LOSE_CONTACT): Edge(_D.UNCERTAIN, _E.LOST),
    (_D.UNCERTAIN, _T.START): Edge(_D.DISPENSING, _E.STARTED),
    # The owner has looked.
    (_D.UNCERTAIN, _T.GIVE): _GIVEN,
    (_D.UNCERTAIN, _T.WITHHOLD): _WITHHELD,
}


def next_delivery(state: Delivery, step: DeliveryStep) -> Edge:
    """The edge a step takes; ``payment_state`` where none leads."""
    edge = TRANSITIONS.get((state, step))
    if edge is None:
        raise CallerError("payment_state", f"{step} of an item that is {state}")
    return edge
