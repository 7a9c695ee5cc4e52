"""The pure part of taking a batch in: apart, checked, turned into commands.

Rule 1: nothing of an envelope is believed before its signature holds.
Rule 2: what may change while we look (status, current key, store) is not decided here but by
        ``Guarded``, inside the transaction that carries the request out.
Rule 3: an item's failure is that item's answer; only what concerns the hub refuses the batch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.db.command import Command
from backend.devices.directory import KnownKey
from backend.hub_api.limits import RECEIVED_AGE_MS_MAX
from backend.payments.model import DeviceRequest
from protocol import envelope as envelopes
from protocol.answers import Answer
from protocol.batch import Batch, BatchItem
from protocol.envelope import Envelope, SealedEnvelope
from protocol.errors import CallerError, TillwayError
from protocol.limits import CLOCK_SKEW_MS_MAX
from protocol.messages import REQUESTS, ErrorBody, Refusal

Dispatcher = Mapping[str, Callable[[DeviceRequest], Command]]


@dataclass(frozen=True, slots=True)
class Opened:
    """One item of a batch, taken apart: the envelope, or why there is none."""

    item: BatchItem
    sealed: SealedEnvelope | None
    error: TillwayError | None

    @property
    def envelope(self) -> Envelope | None:
        """What the item claims to be."""
        return None if self.sealed is None else self.sealed.envelope


def open_item(item: BatchItem) -> Opened:
    """Take one envelope apart."""
    try:
        return Opened(item, envelopes.unseal(item.envelope), None)
    except TillwayError as error:
        return Opened(item, None, error)


def open_items(batch: Batch) -> list[Opened]:
    """Take all envelopes of a batch apart."""
    return [open_item(item) for item in batch.items]


def check_item(opened: Opened, key: KnownKey | None, *, now_ms: int) -> TillwayError | None:
    """Why this item is refused, or None. Costs a signature verification: not for the event loop."""
    if opened.sealed is None:
        return opened.error
    sealed = opened.sealed
    try:
        if key is None or key.tid != sealed.envelope.device:
            raise CallerError("device_unknown")
        sealed.verify(key.verify_key)
        check_receipt(opened.item.received_at_ms, now_ms=now_ms)
        envelopes.check_freshness(sealed.envelope, now_ms=opened.item.received_at_ms)
    except CallerError as error:
        return error
    return None


def check_items(
    opened: Sequence[Opened], keys: Mapping[bytes, KnownKey], *, now_ms: int
) -> list[TillwayError | None]:
    """``check_item`` for several."""
    return [
        check_item(one, keys.get(one.sealed.sign1.kid) if one.sealed else None, now_ms=now_ms)
        for one in opened
    ]


def check_receipt(received_at_ms: int, *, now_ms: int) -> None:
    """Whether the hub can have received something then: not in the future, not long ago."""
    if not -RECEIVED_AGE_MS_MAX <= received_at_ms - now_ms <= CLOCK_SKEW_MS_MAX:
        raise CallerError("envelope_stale", "received_at_ms")


def request_of(envelope: Envelope, merchant_id: str, received_at_ms: int) -> DeviceRequest:
    """The checked request; ``CallerError`` names an unknown type or a wrong field."""
    body_type = REQUESTS.get(envelope.message_type)
    if body_type is None:
        raise CallerError("message_type_unknown")
    return DeviceRequest(
        request_id=envelope.request_id,
        device=envelope.device,
        store=envelope.store,
        merchant_id=merchant_id,
        message_type=envelope.message_type,
        body=body_type.from_map(envelope.body),
        content_hash=envelopes.content_hash(envelope),
        received_at_ms=received_at_ms,
        trace_id=envelope.trace_id,
        fingerprint=envelope.fingerprint,
    )


def answer_to(opened: Opened, store: str, outcome: Any, *, now_ms: int) -> Answer:  # noqa: ANN401
    """The answer to one item: ``outcome`` is an error, or ``(message_type, body)``."""
    asked = opened.envelope
    if isinstance(outcome, TillwayError):
        outcome = ("refusal", Refusal(error=ErrorBody.of(outcome)).to_map())
    message_type, body = outcome
    return Answer(
        message_type=message_type,
        request_id=asked.request_id if asked else "",
        device=asked.device if asked else "",
        store=asked.store if asked else store,
        answered_at_ms=now_ms,
        body=body,
        trace_id=asked.trace_id if asked else "",
    )
