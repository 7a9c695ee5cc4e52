"""What the agent wants done, after its turn is committed to the journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.cose import Draft1
from terminal.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmit:
    """Hand a sealed envelope to the link, once. Type and id mirror what the bytes say.

    Where a secure element holds the device's key, ``draft`` waits for its signature and ``sealed``
    has none yet, so nobody would take it (`SigningLink`).
    """

    request_id: str
    message_type: str
    sealed: bytes
    expiry_s: int
    draft: Draft1 | None = None


@dataclass(frozen=True, slots=True)
class TryOtherHub:
    """The hub says that it has lost the backend: go to another one, if the store has one."""


@dataclass(frozen=True, slots=True)
class ScanCode:
    """Ask the scanner for a code for this payment."""

    payment_id: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class ReadFinger:
    """Ask the fingerprint sensor whose finger lies on it."""

    payment_id: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class StopDevices:
    """Stop the devices that are reading: their result is not wanted any more."""


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """Print from these facts; answer with `ReceiptPrinted` or `ReceiptFailed`."""

    receipt_id: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DispenseItem:
    """*Dispensing* is noted: run the motor, and answer with `ItemGiven` or `ItemFailed`."""

    payment_id: str
    item: str


@dataclass(frozen=True, slots=True)
class ReadItself:
    """Read this terminal's attributes while everything goes on; answer with `ItselfRead`."""


@dataclass(frozen=True, slots=True)
class TrySettings:
    """Look whether the devices can work with this profile; answer with `SettingsTried`."""

    version: int
    profile: Profile


@dataclass(frozen=True, slots=True)
class RenewBoard:
    """Bring this firmware to the controller board instead of any other; answer each step with
    `BoardStep`. An empty digest: bring nothing, and take back what waits to be tried."""

    version: int
    digest: str
    size: int


Effect = (
    Transmit
    | TryOtherHub
    | ScanCode
    | ReadFinger
    | StopDevices
    | PrintReceipt
    | DispenseItem
    | ReadItself
    | TrySettings
    | RenewBoard
)
