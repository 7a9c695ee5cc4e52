"""Certificates and certificate requests of SM2 keys, which no library of ours reads or writes.

Rule 1: signed by SM2 with SM3 (GM/T 0006: 1.2.156.10197.1.501); the key is an id-ecPublicKey on the
        curve 1.2.156.10197.1.301 (GM/T 0015).
Rule 2: what is read has passed ``cryptography``'s strict DER reader first; only then is the key
        taken out of its place.
"""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from protocol.crypto.curves import SM2, signature_to_der
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.crypto.limits import DER_SIGNATURE_BYTES_MAX, SIGNATURE_BYTES
from protocol.crypto.suites import suite_named
from protocol.crypto.tls_keys import UNREADABLE
from protocol.errors import CallerError

_SUITE = "SM2-SM3"
_KEY_KIND = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_SIGNED_BY_OID = "1.2.156.10197.1.501"
_SIGNED_BY = bytes.fromhex("300a06082a811ccf55018375")
_INTEGER, _BITS, _OCTETS, _OID, _SEQUENCE, _SET_0, _SET_3 = 0x02, 0x03, 0x04, 0x06, 0x30, 0xA0, 0xA3
_TRUE = bytes.fromhex("0101ff")
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_UTC_TIME_YEAR_MAX = 2049
_VERSION_3 = bytes.fromhex("a003020102")
_VERSION_0 = bytes.fromhex("020100")
_LINE_CHARS = 64


def signature_der(signature: bytes) -> bytes:
    """The DER form of one of our signatures (GM/T 0009 §7.3)."""
    der = signature_to_der(SM2, signature)
    assert der is not None, "made by a key of ours"
    return der


def signature_raw(der: bytes) -> bytes | None:
    """``r || s`` of a DER signature; None for anything else."""
    if len(der) > DER_SIGNATURE_BYTES_MAX:
        return None
    half = SIGNATURE_BYTES // 2
    try:
        r, s = decode_dss_signature(der)
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")
    except (ValueError, OverflowError):
        return None


def request(key: SigningKey, *, common_name: str = "") -> bytes:
    """A certificate request (PKCS #10, RFC 2986), DER, proven by the key. It may name nobody."""
    body = _tlv(_SEQUENCE, _VERSION_0, _name(common_name), _key_info(key.public), _tlv(_SET_0))
    return _signed(body, key)


def read_request(der: bytes) -> VerifyKey:
    """The key that a request asks for and proves; ``field_invalid`` for anything else."""
    try:
        wanted = x509.load_der_x509_csr(der)
        if wanted.signature_algorithm_oid.dotted_string != _SIGNED_BY_OID:
            raise CallerError("field_invalid", "csr: signed by another algorithm")
        body, signature = wanted.tbs_certrequest_bytes, signature_raw(wanted.signature)
        key = _read_key_info(_parts(_only(body, _SEQUENCE))[2])
    except (*UNREADABLE, IndexError):
        raise CallerError("field_invalid", "csr") from None
    if signature is None or not key.verify(signature, body):
        raise CallerError("field_invalid", "csr: not proven")
    return key


def issue(
    public: VerifyKey,
    *,
    subject: str,
    issuer: str,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    issuer_key: SigningKey,
    extensions: Sequence[x509.Extension[x509.ExtensionType]] = (),
) -> str:
    """A certificate (RFC 5280 §4.1, version 3), PEM."""
    body = _tlv(
        _SEQUENCE,
        _VERSION_3,
        _tlv(_INTEGER, serial.to_bytes(serial.bit_length() // 8 + 1, "big")),
        _SIGNED_BY,
        _name(issuer),
        _tlv(_SEQUENCE, _time(not_before), _time(not_after)),
        _name(subject),
        _key_info(public),
        *_extensions(extensions),
    )
    return _pem("CERTIFICATE", _signed(body, issuer_key))


def certificate_key(pem: str) -> VerifyKey:
    """The key of a certificate; ``field_invalid`` for one of another kind."""
    try:
        found = x509.load_pem_x509_certificate(pem.encode("ascii"))
        return _read_key_info(_parts(_only(found.tbs_certificate_bytes, _SEQUENCE))[6])
    except (*UNREADABLE, IndexError):
        raise CallerError("field_invalid", "certificate") from None


def private_pem(key: SigningKey) -> str:
    """The private key in the clear, PKCS #8 (RFC 5208) around RFC 5915, PEM: for its owner."""
    point = _tlv(0xA1, _tlv(_BITS, b"\0", key.public.public))
    inner = _tlv(_SEQUENCE, b"\x02\x01\x01", _tlv(_OCTETS, key.private_bytes()), point)
    return _pem("PRIVATE KEY", _tlv(_SEQUENCE, _VERSION_0, _KEY_KIND, _tlv(_OCTETS, inner)))


def public_pem(key: VerifyKey) -> str:
    """SubjectPublicKeyInfo, PEM."""
    return _pem("PUBLIC KEY", _key_info(key))


def _signed(body: bytes, key: SigningKey) -> bytes:
    return _tlv(_SEQUENCE, body, _SIGNED_BY, _tlv(_BITS, b"\0", signature_der(key.sign(body))))


def _key_info(key: VerifyKey) -> bytes:
    return _tlv(_SEQUENCE, _KEY_KIND, _tlv(_BITS, b"\0", key.public))


def _read_key_info(der: bytes) -> VerifyKey:
    head = _key_info_head()
    if not der.startswith(head):
        raise CallerError("field_invalid", "a key of another kind than SM2")
    return VerifyKey(suite_named(_SUITE), der[len(head) :])


def _key_info_head() -> bytes:
    whole = _tlv(_SEQUENCE, _KEY_KIND, _tlv(_BITS, bytes(66)))
    return whole[:-65]


def _name(common_name: str) -> bytes:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    return x509.Name(names).public_bytes()


def _extensions(extensions: Sequence[x509.Extension[x509.ExtensionType]]) -> tuple[bytes, ...]:
    """RFC 5280 §4.1: ``[3]`` around their sequence, or nothing at all."""
    if not extensions:
        return ()
    each = [
        _tlv(
            _SEQUENCE,
            _tlv(_OID, _oid(extension.oid.dotted_string)),
            *((_TRUE,) if extension.critical else ()),
            _tlv(_OCTETS, extension.value.public_bytes()),
        )
        for extension in extensions
    ]
    return (_tlv(_SET_3, _tlv(_SEQUENCE, *each)),)


def _oid(dotted: str) -> bytes:
    """X.690 §8.19: the first two arcs in one number, each number in groups of seven bits."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    encoded = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        encoded += bytes(reversed(groups))
    return bytes(encoded)


def _time(at: datetime) -> bytes:
    """RFC 5280 §4.1.2.5: two digits of the year until 2049."""
    at = at.astimezone(UTC)
    if at.year <= _UTC_TIME_YEAR_MAX:
        return _tlv(_UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return _tlv(_GENERALIZED_TIME, at.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def _pem(kind: str, der: bytes) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + _LINE_CHARS] for at in range(0, len(text), _LINE_CHARS)]
    return "\n".join((f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""))


def _tlv(tag: int, *parts: bytes) -> bytes:
    """X.690 §8.1.3, the definite form."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def _only(der: bytes, tag: int) -> bytes:
    """The content of the one value that ``der`` is."""
    body, rest = _split(der)
    if der[0] != tag or rest:
        raise ValueError("another value was expected")
    return body


def _parts(content: bytes) -> list[bytes]:
    """The values of a sequence's content, each with its head."""
    found = []
    while content:
        _, rest = _split(content)
        found.append(content[: len(content) - len(rest)])
        content = rest
    return found


def _split(der: bytes) -> tuple[bytes, bytes]:
    """The content of the first value, and what stands behind it."""
    length, start = der[1], 2
    if length >= 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if length > len(der) - start:
        raise ValueError("cut off")
    return der[start : start + length], der[start + length :]
