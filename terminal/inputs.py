"""Everything that can happen to the agent: the cashier, the devices, the link, the clock.

An input is data, so that a simulation can make it and a recording can hold it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.messages import Explanation
from terminal.domain.mark import MarkedAs


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSale:
    """Charge an amount. Without a method the till asks for one. A draft of the keypad is charged
    once: the same one again changes nothing."""

    amount_minor: int
    currency: str
    method: str | None = None
    description: str = ""
    cashier: str | None = None
    item: str | None = None
    draft_id: str | None = None
    mandate_id: str | None = None
    """For a mandate's debit; None: this terminal's own."""
    explanation: Explanation | None = None
    """What a thing says of a mandate's debit."""


@dataclass(frozen=True, slots=True)
class ChooseMethod:
    """How the payer pays the keyed amount."""

    method: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give the sale on the screen up; once sent, this is a request that an answer confirms."""


@dataclass(frozen=True, slots=True)
class Query:
    """Ask now how the sale or refund on the screen stands."""

    payment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reverse:
    """Undo a sale whose outcome is unknown, or a paid one whose item is uncertain."""

    payment_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRefund:
    """Give money back. Without an amount: all that is left."""

    payment_id: str
    amount_minor: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmItem:
    """The owner has looked: an item that was uncertain was given. (`Reverse` says it was not.)"""

    payment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkOutcome:
    """A supervisor says what an unknown outcome is taken for; it stays unknown and is asked on."""

    payment_id: str
    marked_as: MarkedAs
    reason: str
    by_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRefund:
    """The same of a refund: whether the payer is taken to have the money back."""

    refund_id: str
    marked_as: MarkedAs
    reason: str
    by_name: str


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Back to the keypad. An unknown sale stays open behind it and is queried on."""


@dataclass(frozen=True, slots=True)
class Reprint:
    """Print the last receipt of a payment or refund again, marked COPY."""

    subject: str


@dataclass(frozen=True, slots=True)
class PrintStored:
    """Print a slip that the counter has stored (`terminal.counter.shifts`)."""

    receipt_id: int


@dataclass(frozen=True, slots=True)
class TypeCode:
    """A scanner that types, or a person, gives the payer's code for the sale on the screen."""

    code: str


@dataclass(frozen=True, slots=True)
class CodeScanned:
    """The scanner read something for this payment."""

    payment_id: str
    code: str


@dataclass(frozen=True, slots=True)
class ScanFailed:
    """The scanner gave up or is gone."""

    payment_id: str
    code: str


@dataclass(frozen=True, slots=True)
class FingerMatched:
    """The sensor knows the finger."""

    payment_id: str
    score: int
    slot: int


@dataclass(frozen=True, slots=True)
class FingerRefused:
    """No match (``biometric_mismatch``), or no word from the sensor (``biometric_unavailable``)."""

    payment_id: str
    code: str


@dataclass(frozen=True, slots=True)
class ItemGiven:
    """The dispenser says that the item has fallen."""

    payment_id: str


@dataclass(frozen=True, slots=True)
class ItemFailed:
    """The dispenser says that nothing fell (``item_not_given``), or says nothing of use."""

    payment_id: str
    code: str


@dataclass(frozen=True, slots=True)
class ItselfRead:
    """What this terminal is made of: its attributes by name."""

    attrs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SettingsTried:
    """What the devices say to new settings: None, or why they cannot work with them."""

    version: int
    code: str | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardStep:
    """What became of the firmware of a wish: a step of `domain.firmware`."""

    version: int
    step: str
    code: str = ""
    detail: str = ""
    running_version: str = ""
    running_hash: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptPrinted:
    """The printer took the receipt."""

    receipt_id: int


@dataclass(frozen=True, slots=True)
class ReceiptFailed:
    """The printer did not take the receipt."""

    receipt_id: int
    code: str


@dataclass(frozen=True, slots=True)
class AnswerArrived:
    """Bytes that claim to be a signed answer."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The hub can be reached."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The hub cannot be reached."""


@dataclass(frozen=True, slots=True)
class LinkRefused:
    """A try to reach the hub came to nothing; the code says why."""

    code: str


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The link did not get a request through (it says nothing about whether it arrived)."""

    request_id: str


@dataclass(frozen=True, slots=True)
class HubStateArrived:
    """Bytes that claim to be the hub's word about itself. No money is concluded from them."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: whatever is due is done."""


CashierInput = (
    StartSale
    | ChooseMethod
    | Cancel
    | Query
    | Reverse
    | StartRefund
    | ConfirmItem
    | MarkOutcome
    | MarkRefund
    | Dismiss
    | Reprint
    | PrintStored
    | TypeCode
)
DeviceInput = (
    CodeScanned
    | ScanFailed
    | FingerMatched
    | FingerRefused
    | ItemGiven
    | ItemFailed
    | ItselfRead
    | SettingsTried
    | BoardStep
    | ReceiptPrinted
    | ReceiptFailed
)
LinkInput = AnswerArrived | LinkUp | LinkDown | LinkRefused | Undelivered | HubStateArrived
Input = CashierInput | DeviceInput | LinkInput | Tick
