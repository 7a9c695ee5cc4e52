"""COSE_Sign1 (RFC 9052 §4.2): one signature over exactly the payload's bytes.

Rule 1: what is verified are the bytes that came, never a re-serialised object.
Rule 2: one encoding only (RFC 8949 §4.2): ``18([protected, {}, payload, signature])``, where
        ``protected`` is a byte string around ``{1: alg, 4: kid}``. Nothing unsigned travels along.
Rule 3: parsing believes nothing; :func:`verify1` also demands the key's own algorithm and kid.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import cbor2

from protocol import cbor
from protocol.crypto.keys import Signs, VerifyKey
from protocol.crypto.limits import KID_BYTES
from protocol.errors import CallerError
from protocol.limits import ENVELOPE_BYTES_MAX

LABEL_ALG, LABEL_KID = 1, 4

# Tag 18, then an array of four; the deterministic encoding has no other way to begin.
_HEAD = b"\xd2\x84"
_EMPTY_MAP = b"\xa0"
_BYTE_STRING = 0x40
_PROTECTED_BYTES_MAX = 64
_SIGNATURE_BYTES_MAX = 8 * 1024
_HEADERS_CACHED_MAX = 4096


@dataclass(frozen=True, slots=True)
class Sign1:
    """A parsed COSE_Sign1 whose signature nobody has checked yet."""

    alg: int
    kid: bytes
    payload: bytes
    protected: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft1:
    """A COSE_Sign1 that waits for its signature, for keys that another device holds."""

    payload: bytes
    protected: bytes = field(repr=False)

    @property
    def message(self) -> bytes:
        """What is to be signed."""
        return sig_structure(self.protected, self.payload)

    def signed(self, signature: bytes) -> bytes:
        """The tagged COSE_Sign1 with a signature over ``message``."""
        return _assemble(self.protected, self.payload, signature)


def draft1(key: VerifyKey, payload: bytes) -> Draft1:
    """A COSE_Sign1 that this key's private half is to sign."""
    return Draft1(payload, _encode_header(key.suite.cose_alg, key.kid))


def sign1(key: Signs, payload: bytes, external_aad: bytes = b"") -> bytes:
    """Sign a payload: the tagged COSE_Sign1."""
    protected = _encode_header(key.suite.cose_alg, key.kid)
    signature = key.sign(sig_structure(protected, payload, external_aad))
    return _assemble(protected, payload, signature)


def parse1(data: bytes, *, bytes_max: int = ENVELOPE_BYTES_MAX) -> Sign1:
    """Take a COSE_Sign1 apart without believing it.

    Raises ``CallerError``: ``envelope_too_large`` beyond ``bytes_max``; ``envelope_malformed`` for
    everything but the one encoding of rule 2.
    """
    if len(data) > bytes_max:
        raise CallerError("envelope_too_large")
    if data[:2] != _HEAD:
        raise CallerError("envelope_malformed", "not a COSE_Sign1")
    protected, at = _take_bytes(data, 2)
    if data[at : at + 1] != _EMPTY_MAP:
        raise CallerError("envelope_malformed", "unprotected header")
    payload, at = _take_bytes(data, at + 1)
    signature, at = _take_bytes(data, at)
    if at != len(data):
        raise CallerError("envelope_malformed", "trailing bytes")
    if len(protected) > _PROTECTED_BYTES_MAX or not 0 < len(signature) <= _SIGNATURE_BYTES_MAX:
        raise CallerError("envelope_malformed", "length")
    alg, kid = _decode_header(protected)
    return Sign1(alg, kid, payload, protected, signature)


def verify1(message: Sign1, key: VerifyKey, external_aad: bytes = b"") -> bool:
    """Whether this key, by its kid and with its own algorithm, signed exactly this payload."""
    if message.alg != key.suite.cose_alg or message.kid != key.kid:
        return False
    signed = sig_structure(message.protected, message.payload, external_aad)
    return key.verify(message.signature, signed)


def sig_structure(protected: bytes, payload: bytes, external_aad: bytes = b"") -> bytes:
    """The bytes that are signed (RFC 9052 §4.4, ``Sig_structure`` of context "Signature1")."""
    return cbor2.dumps(["Signature1", protected, external_aad, payload])


@lru_cache(maxsize=_HEADERS_CACHED_MAX)
def _encode_header(alg: int, kid: bytes) -> bytes:
    return cbor.encode({LABEL_ALG: alg, LABEL_KID: kid})


@lru_cache(maxsize=_HEADERS_CACHED_MAX)
def _decode_header(protected: bytes) -> tuple[int, bytes]:
    fields = cbor.decode(protected, bytes_max=_PROTECTED_BYTES_MAX)
    match fields:
        case {1: alg, 4: bytes(kid)} if len(fields) == 2 and len(kid) == KID_BYTES:
            # Encoding again finds every other spelling, like long forms or another order.
            if type(alg) is int and _encode_header(alg, kid) == protected:
                return alg, kid
    raise CallerError("envelope_malformed", "protected header")


def _assemble(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    parts = (_head(protected), protected, _EMPTY_MAP, _head(payload), payload)
    return b"".join((_HEAD, *parts, _head(signature), signature))


def _head(content: bytes) -> bytes:
    """The head of a definite-length byte string (RFC 8949 §3.1, major type 2), shortest form."""
    size = len(content)
    if size < 24:
        return bytes((_BYTE_STRING | size,))
    if size < 0x100:
        return bytes((_BYTE_STRING | 24, size))
    if size < 0x10000:
        return bytes((_BYTE_STRING | 25,)) + size.to_bytes(2, "big")
    return bytes((_BYTE_STRING | 26,)) + size.to_bytes(4, "big")


def _take_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """The byte string at ``at`` and where it ends."""
    initial = data[at] if at < len(data) else 0
    argument = initial ^ _BYTE_STRING
    width = {24: 1, 25: 2, 26: 4}.get(argument, 0)
    if not width and argument >= 24:
        raise CallerError("envelope_malformed", "byte string")
    begin = at + 1 + width
    size = int.from_bytes(data[at + 1 : begin], "big") if width else argument
    content = data[begin : begin + size]
    if len(content) != size or data[at:begin] != _head(content):
        raise CallerError("envelope_malformed", "byte string")
    return content, begin + size
