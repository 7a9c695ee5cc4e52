"""What the core asks of its shell, and the values that travel with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hub.domain.admission import Transport
from hub.domain.registry import Device
from protocol.answers import Answer
from protocol.crypto.keys import VerifyKey
from protocol.envelope import SealedEnvelope
from protocol.messages.offline import FloorLimits
from protocol.topics import Kind

Mode = Literal["online", "degraded", "offline"]
ParcelKey = tuple[Literal["uplink", "downlink"], int]
"""Which row of the spool a parcel is: the answer of an uplink row, or a downlink row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkRow:
    """An accepted envelope. ``row`` is 0 until it is committed."""

    row: int
    device: str
    position: tuple[int, int]
    request_id: str
    trace_id: str
    envelope: bytes
    received_at_ms: int
    transport: Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Bytes that a device must get, kept until it acknowledges them."""

    key: ParcelKey
    device: str
    kind: Kind
    payload: bytes
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One signed answer that the backend pushed for a device."""

    cursor: int
    device: str
    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """An answer whose signature holds, and the bytes it came as."""

    request_id: str
    device: str
    wire: bytes


@dataclass(frozen=True, slots=True)
class Verify:
    """Check a signature; report ``verified``."""

    ticket: int
    sealed: SealedEnvelope
    key: VerifyKey


@dataclass(frozen=True, slots=True)
class Store:
    """Commit an uplink row and its device's position; report ``stored`` or ``not_stored``."""

    ticket: int
    row: UplinkRow


@dataclass(frozen=True, slots=True)
class Settle:
    """The line may acknowledge what it brought under this ticket.

    ``device`` is set when an envelope of this device was accepted, empty after a refusal.
    """

    ticket: int
    device: str = ""


@dataclass(frozen=True, slots=True)
class Speak:
    """Sign the hub's own words and give them to the device once; nothing is kept."""

    answer: Answer
    transport: Transport
    ticket: int | None
    code: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give a parcel to its device; report ``delivered`` or ``undelivered``."""

    parcel: Parcel
    transport: Transport | None
    ticket: int | None


@dataclass(frozen=True, slots=True)
class SendBatch:
    """Forward; report ``answered`` or ``line_failed``."""

    number: int
    rows: tuple[UplinkRow, ...]


@dataclass(frozen=True, slots=True)
class RecordAnswers:
    """Write answers down, because their devices do not take them soon."""

    answers: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove delivered rows."""

    keys: tuple[ParcelKey, ...]


@dataclass(frozen=True, slots=True)
class StorePushes:
    """Commit pushes, registry rows and the cursor behind them; report ``pushes_stored``."""

    pushes: tuple[Push, ...]
    devices: tuple[Device, ...]
    cursor: int


@dataclass(frozen=True, slots=True)
class StoreDevices:
    """Make the durable copy of the device table equal to the one in memory."""

    devices: tuple[Device, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Cut a device off."""

    device: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Sign the hub's state and say it, retained."""

    mode: Mode
    at_ms: int
    floor: FloorLimits | None


Effect = (
    Verify
    | Store
    | Settle
    | Speak
    | Deliver
    | SendBatch
    | RecordAnswers
    | Forget
    | StorePushes
    | StoreDevices
    | Disconnect
    | Announce
)
Effects = Sequence[Effect]
