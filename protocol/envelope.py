"""The signed request of a device: what is signed are the exact bytes that travel.

Rule 1: the payload is encoded once, signed, and never re-serialised; everyone keeps the bytes.
Rule 2: a retry is a new envelope (new counter, nonce, time) around the same request id and body.
Rule 3: an unknown version is refused, an unknown field is kept and ignored.

RFC 9052 §4.2 (COSE_Sign1) carries it; the payload is a CBOR map with the integer keys below.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol import cbor, cose
from protocol.crypto.keys import Signs, VerifyKey
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.limits import (
    CLOCK_SKEW_MS_MAX,
    ENVELOPE_BYTES_MAX,
    FINGERPRINT_DIGEST_BYTES,
    IDENTIFIER_CHARS_MAX,
    NONCE_BYTES,
)
from protocol.topics import is_name

VERSION = 1


class Key:
    """The integer keys of the payload map. Plain numbers: each envelope asks for a dozen at both
    ends, and Python 3.11 takes ten times as long to find an enum's member and its value."""

    VERSION = 1
    TYPE = 2
    REQUEST_ID = 3
    DEVICE = 4
    STORE = 5
    BOOT_EPOCH = 6
    COUNTER = 7
    SENT_AT_MS = 8
    NONCE = 9
    REPLY_TO = 10
    BODY = 11
    TRACE_ID = 12
    FINGERPRINT = 13


_NAMES = {number: name.lower() for name, number in vars(Key).items() if name.isupper()}
"""Of the keys, as an error tells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One request, decoded. ``(boot_epoch, counter)`` rises with every envelope of a device."""

    message_type: str
    request_id: str
    device: str
    store: str
    boot_epoch: int
    counter: int
    sent_at_ms: int
    nonce: bytes
    reply_to: str
    body: Mapping[str, Any]
    trace_id: str
    fingerprint: bytes = b""
    """The digest of the device's latest fingerprint (``device.fingerprint``); empty before it has
    sent one. Left out of the map then, so an older reader meets no field it must ignore."""
    extra: Mapping[int, Any] = field(default_factory=dict)

    @property
    def position(self) -> tuple[int, int]:
        """Where this envelope stands in the device's life; compared to detect replays."""
        return self.boot_epoch, self.counter


@dataclass(frozen=True, slots=True)
class SealedEnvelope:
    """An envelope and the signature it came with, which nobody has checked yet."""

    envelope: Envelope
    sign1: cose.Sign1

    def verify(self, key: VerifyKey) -> None:
        """Raise ``CallerError("signature_invalid")`` unless this key signed exactly these bytes."""
        if not cose.verify1(self.sign1, key):
            raise CallerError("signature_invalid")


def encode_payload(envelope: Envelope) -> bytes:
    """The bytes to sign."""
    return cbor.encode(
        {
            **envelope.extra,
            Key.VERSION: VERSION,
            Key.TYPE: envelope.message_type,
            Key.REQUEST_ID: envelope.request_id,
            Key.DEVICE: envelope.device,
            Key.STORE: envelope.store,
            Key.BOOT_EPOCH: envelope.boot_epoch,
            Key.COUNTER: envelope.counter,
            Key.SENT_AT_MS: envelope.sent_at_ms,
            Key.NONCE: envelope.nonce,
            Key.REPLY_TO: envelope.reply_to,
            Key.BODY: dict(envelope.body),
            Key.TRACE_ID: envelope.trace_id,
            **({Key.FINGERPRINT: envelope.fingerprint} if envelope.fingerprint else {}),
        }
    )


def decode_payload(payload: bytes) -> Envelope:
    """The envelope in signed bytes; ``CallerError`` names a wrong version or a wrong field."""
    fields = cbor.decode(payload, bytes_max=ENVELOPE_BYTES_MAX)
    if not isinstance(fields, dict):
        raise CallerError("envelope_malformed")
    if not cbor.is_version(fields.get(Key.VERSION), VERSION):
        raise CallerError("envelope_version")
    return Envelope(
        message_type=_text(fields, Key.TYPE),
        request_id=_request_id(fields),
        device=_name(fields, Key.DEVICE),
        store=_name(fields, Key.STORE),
        boot_epoch=_count(fields, Key.BOOT_EPOCH),
        counter=_count(fields, Key.COUNTER),
        sent_at_ms=_count(fields, Key.SENT_AT_MS),
        nonce=_nonce(fields),
        reply_to=_text(fields, Key.REPLY_TO, chars_max=2 * IDENTIFIER_CHARS_MAX),
        body=_body(fields),
        trace_id=_text(fields, Key.TRACE_ID),
        fingerprint=_fingerprint(fields),
        extra={
            key: value
            for key, value in fields.items()
            if not isinstance(key, int) or key not in _NAMES
        },
    )


def seal(envelope: Envelope, key: Signs) -> bytes:
    """Encode and sign an envelope: the bytes that travel."""
    return cose.sign1(key, encode_payload(envelope))


def draft(envelope: Envelope, key: VerifyKey) -> cose.Draft1:
    """Encode an envelope that this key's private half is to sign, elsewhere."""
    return cose.draft1(key, encode_payload(envelope))


def unseal(data: bytes) -> SealedEnvelope:
    """Take an envelope apart, its signature unchecked: call ``verify`` before believing it."""
    if len(data) > ENVELOPE_BYTES_MAX:
        raise CallerError("envelope_too_large")
    sign1 = cose.parse1(data)
    return SealedEnvelope(decode_payload(sign1.payload), sign1)


def content_hash(envelope: Envelope) -> bytes:
    """What an idempotency key is bound to: the same in every retry, other for other content."""
    return hashlib.sha256(
        cbor.encode(
            [envelope.message_type, envelope.request_id, envelope.device, dict(envelope.body)]
        )
    ).digest()


def check_freshness(envelope: Envelope, *, now_ms: int) -> None:
    """Raise ``CallerError("envelope_stale")`` when the sender's clock is over five minutes off."""
    if abs(now_ms - envelope.sent_at_ms) > CLOCK_SKEW_MS_MAX:
        raise CallerError("envelope_stale")


def _text(fields: Mapping[Any, Any], key: int, *, chars_max: int = IDENTIFIER_CHARS_MAX) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= chars_max or not value.isprintable():
        raise CallerError("envelope_malformed", _NAMES[key])
    return value


def _name(fields: Mapping[Any, Any], key: int) -> str:
    value = _text(fields, key)
    if not is_name(value):
        raise CallerError("envelope_malformed", _NAMES[key])
    return value


def _request_id(fields: Mapping[Any, Any]) -> str:
    value = _text(fields, Key.REQUEST_ID)
    if not is_id(value, prefix="req"):
        raise CallerError("id_invalid", "request_id")
    return value


def _count(fields: Mapping[Any, Any], key: int) -> int:
    value = fields.get(key)
    if not cbor.is_count(value):
        raise CallerError("envelope_malformed", _NAMES[key])
    return value


def _nonce(fields: Mapping[Any, Any]) -> bytes:
    value = fields.get(Key.NONCE)
    if not isinstance(value, bytes) or len(value) != NONCE_BYTES:
        raise CallerError("envelope_malformed", "nonce")
    return value


def _fingerprint(fields: Mapping[Any, Any]) -> bytes:
    value = fields.get(Key.FINGERPRINT, b"")
    if not isinstance(value, bytes) or len(value) not in {0, FINGERPRINT_DIGEST_BYTES}:
        raise CallerError("envelope_malformed", "fingerprint")
    return value


def _body(fields: Mapping[Any, Any]) -> dict[str, Any]:
    value = fields.get(Key.BODY)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise CallerError("envelope_malformed", "body")
    return value
