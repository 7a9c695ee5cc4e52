"""The checks of one envelope, in their order, without the signature's arithmetic.

parse → device known → its status → the line's identity → store → reply address → freshness →
position. What passes here is ``Accept`` and names the key that must have signed; nothing is
believed before ``SealedEnvelope.verify`` with that key.
"""

from dataclasses import dataclass
from typing import Literal

from hub.domain.registry import Device, Registry
from protocol import envelope as envelopes
from protocol.crypto.keys import VerifyKey
from protocol.envelope import SealedEnvelope
from protocol.errors import CallerError
from protocol.topics import reply_address

Transport = Literal["mqtt", "coap", "local"]
"""``local``: a device that lives in the hub's own process, as a charger's account does."""
Position = tuple[int, int]
NOWHERE: Position = (-1, -1)
"""Before the first envelope of a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Bytes from a terminal line.

    ``identity`` is what the line proved (the client certificate's name); CoAP has none and relies
    on the signature alone. ``source`` is the line's own address of the sender.
    """

    transport: Transport
    payload: bytes
    received_at_ms: int
    identity: str | None = None
    response_topic: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Accept:
    """Everything holds but the signature, which ``key`` of the device must verify."""

    sealed: SealedEnvelope
    device: Device
    key: VerifyKey


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refused. ``to`` is the device that is told so, empty where the sender is not known."""

    code: str
    to: str
    request_id: str = ""
    trace_id: str = ""
    detail: str = ""


Verdict = Accept | Refuse


def examine(arrival: Arrival, *, store: str, registry: Registry, now_ms: int) -> Verdict:
    """Judge an envelope; never raises, whatever the bytes are."""
    try:
        sealed = envelopes.unseal(arrival.payload)
    except CallerError as error:
        return Refuse(error.code, arrival.identity or "", detail=error.detail)
    try:
        device, key = _check(arrival, sealed, store=store, registry=registry, now_ms=now_ms)
    except CallerError as error:
        return refusal_of(sealed, error.code, arrival=arrival, detail=error.detail)
    return Accept(sealed, device, key)


def refusal_of(sealed: SealedEnvelope, code: str, *, arrival: Arrival, detail: str = "") -> Refuse:
    """Refuse an envelope that could be read; the line's own identity is told, if it has one."""
    envelope = sealed.envelope
    return Refuse(
        code,
        arrival.identity or envelope.device,
        request_id=envelope.request_id,
        trace_id=envelope.trace_id,
        detail=detail,
    )


def _check(
    arrival: Arrival, sealed: SealedEnvelope, *, store: str, registry: Registry, now_ms: int
) -> tuple[Device, VerifyKey]:
    envelope = sealed.envelope
    if arrival.identity is not None and arrival.identity != envelope.device:
        raise CallerError("identity_mismatch", "connection")
    if envelope.store != store:
        raise CallerError("identity_mismatch", "store")
    device = registry.find(envelope.device)
    if device is None:
        raise CallerError("device_unknown")
    if device.refusal is not None:
        raise CallerError(device.refusal)
    key = device.key_of(sealed.sign1.kid, now_ms=now_ms)
    if key is None:
        raise CallerError("signature_invalid", "key id")
    own = reply_address(store, device.tid, arrival.transport)
    if envelope.reply_to != own or arrival.response_topic not in (None, own):
        raise CallerError("reply_address_invalid")
    envelopes.check_freshness(envelope, now_ms=now_ms)
    return device, key
