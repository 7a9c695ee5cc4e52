"""What a hub sends to the backend: a signed batch of envelopes, each with its time of receipt.

The hub vouches, with one signature, for when it received each envelope, so that an envelope that
waited in the spool while the line was down is judged by the time it arrived at the hub.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol import cbor, cose
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.limits import BATCH_BYTES_MAX, BATCH_ITEMS_MAX, ENVELOPE_BYTES_MAX
from protocol.topics import is_name

VERSION = 1


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One envelope as it arrived, and when."""

    received_at_ms: int
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Envelopes that a hub forwards together; answered item by item."""

    hub: str
    batch_id: str
    sent_at_ms: int
    items: tuple[BatchItem, ...]


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A batch whose signature nobody has checked yet."""

    batch: Batch
    sign1: cose.Sign1

    def verify(self, key: VerifyKey) -> Batch:
        """The batch, once the hub's signature holds; else ``CallerError("signature_invalid")``."""
        if not cose.verify1(self.sign1, key):
            raise CallerError("signature_invalid")
        return self.batch


def seal(batch: Batch, key: SigningKey) -> bytes:
    """Encode and sign a batch of at most ``BATCH_ITEMS_MAX`` items."""
    if not 0 < len(batch.items) <= BATCH_ITEMS_MAX:
        raise ValueError("a batch has 1 to 50 items")
    rows = [[item.received_at_ms, item.envelope] for item in batch.items]
    fields = {1: VERSION, 2: batch.hub, 3: batch.batch_id, 4: batch.sent_at_ms, 5: rows}
    return cose.sign1(key, cbor.encode(fields))


def unseal(data: bytes) -> SealedBatch:
    """Take a batch apart without believing it; ``CallerError`` says what is wrong with it."""
    if len(data) > BATCH_BYTES_MAX:
        raise CallerError("envelope_too_large")
    sign1 = cose.parse1(data, bytes_max=BATCH_BYTES_MAX)
    fields = cbor.decode(sign1.payload, bytes_max=BATCH_BYTES_MAX)
    match fields:
        case {1: version} if not cbor.is_version(version, VERSION):
            raise CallerError("envelope_version")
        case {1: _, 2: str(hub), 3: str(batch_id), 4: sent_at_ms, 5: [*rows]} if (
            is_name(hub)
            and is_name(batch_id)
            and cbor.is_count(sent_at_ms)
            and 0 < len(rows) <= BATCH_ITEMS_MAX
        ):
            return SealedBatch(Batch(hub, batch_id, sent_at_ms, _items(rows)), sign1)
    raise CallerError("envelope_malformed")


def _items(rows: Sequence[object]) -> tuple[BatchItem, ...]:
    items = []
    for row in rows:
        match row:
            case [received_at_ms, bytes(envelope)] if (
                cbor.is_count(received_at_ms) and len(envelope) <= ENVELOPE_BYTES_MAX
            ):
                items.append(BatchItem(received_at_ms, envelope))
            case _:
                raise CallerError("envelope_malformed")
    return tuple(items)
