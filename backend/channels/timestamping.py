"""RFC 3161 time stamps: what is asked, and what of an answer is believed. Pure.

Rule 1: an answer counts only if it is about our digest and our nonce, under the policy we expect,
        and signed by a certificate for time stamping alone that our pinned authority has issued.
Rule 2: a token is kept as it came; whoever has the digest, the token and the authority's
        certificate checks it without us (``openssl ts -verify -digest … -token_in``).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pyasn1_modules import rfc3161, rfc5035, rfc5652

from backend.channels.limits import TIMESTAMP_BYTES_MAX
from protocol.crypto.hashes import sha256
from protocol.crypto.tls_keys import UNREADABLE
from protocol.errors import CallerError

SHA256_BYTES = 32
NONCE_BYTES = 8
_SHA256 = "2.16.840.1.101.3.4.2.1"
_GRANTED = frozenset({0, 1})
"""RFC 3161 §2.4.2: granted, and granted with modifications."""


@dataclass(frozen=True, slots=True)
class StampAuthority:
    """Whose stamps count: the authority that issues the stamper's certificate, and the policy."""

    certificate: x509.Certificate
    policy: str

    @classmethod
    def from_pem(cls, pem: bytes, policy: str) -> "StampAuthority":
        """The authority of a PEM file; ``config_invalid`` for anything else."""
        try:
            return cls(x509.load_pem_x509_certificate(pem), policy)
        except ValueError:
            raise CallerError("config_invalid", "the time stamper's authority") from None


@dataclass(frozen=True, slots=True)
class Stamp:
    """A token that held, and what it says."""

    digest: bytes
    at_ms: int
    serial: int
    policy: str
    token: bytes = field(repr=False)


def write_query(digest: bytes, nonce: int, *, policy: str) -> bytes:
    """A TimeStampReq (RFC 3161 §2.4.1) for a SHA-256 digest, asking for the certificate, too."""
    assert len(digest) == SHA256_BYTES, "a SHA-256 digest"
    query = rfc3161.TimeStampReq()
    query["version"] = 1
    query["messageImprint"]["hashAlgorithm"]["algorithm"] = univ.ObjectIdentifier(_SHA256)
    query["messageImprint"]["hashedMessage"] = digest
    query["reqPolicy"] = policy
    query["nonce"] = nonce
    query["certReq"] = True
    return bytes(encoder.encode(query))


def query_digest(query: bytes) -> bytes:
    """What a query wants stamped; ``timestamp_invalid`` unless it is a query of SHA-256."""
    found = _decoded(query, rfc3161.TimeStampReq())
    if str(found["messageImprint"]["hashAlgorithm"]["algorithm"]) != _SHA256:
        raise CallerError("timestamp_invalid", "the query's hash")
    return bytes(found["messageImprint"]["hashedMessage"])


def read_reply(
    reply: bytes, *, digest: bytes, nonce: int | None, authority: StampAuthority
) -> Stamp:
    """The stamp in a TimeStampResp (RFC 3161 §2.4.2); ``timestamp_invalid`` names what is wrong."""
    found = _decoded(reply, rfc3161.TimeStampResp())
    status = int(found["status"]["status"])
    if status not in _GRANTED or not found["timeStampToken"].isValue:
        raise CallerError("timestamp_invalid", f"status {status}")
    token = _encoded(found["timeStampToken"])
    return read_token(token, digest=digest, nonce=nonce, authority=authority)


def read_token(
    token: bytes, *, digest: bytes, nonce: int | None = None, authority: StampAuthority
) -> Stamp:
    """The stamp in a token that was kept (then without a nonce); ``timestamp_invalid``."""
    signed = _signed_data(token)
    content = bytes(signed["encapContentInfo"]["eContent"])
    info = _decoded(content, rfc3161.TSTInfo())
    imprint = info["messageImprint"]
    is_ours = (
        str(imprint["hashAlgorithm"]["algorithm"]) == _SHA256
        and bytes(imprint["hashedMessage"]) == digest
    )
    if not is_ours:
        raise CallerError("timestamp_invalid", "another digest")
    if nonce is not None and (not info["nonce"].isValue or int(info["nonce"]) != nonce):
        raise CallerError("timestamp_invalid", "another nonce")
    if str(info["policy"]) != authority.policy:
        raise CallerError("timestamp_invalid", "another policy")
    at = _time(info["genTime"])
    certificate = _check_signature(signed, content)
    _check_certificate(certificate, authority, at)
    return Stamp(
        digest=digest,
        at_ms=int(at.timestamp() * 1000),
        serial=int(info["serialNumber"]),
        policy=authority.policy,
        token=token,
    )


def _signed_data(token: bytes) -> Any:  # noqa: ANN401  # pyasn1 has no types
    envelope = _decoded(token, rfc5652.ContentInfo())
    if envelope["contentType"] != rfc5652.id_signedData:
        raise CallerError("timestamp_invalid", "not signed data")
    signed = _decoded(bytes(envelope["content"]), rfc5652.SignedData())
    if signed["encapContentInfo"]["eContentType"] != rfc3161.id_ct_TSTInfo:
        raise CallerError("timestamp_invalid", "not a time stamp")
    if len(signed["signerInfos"]) != 1:
        raise CallerError("timestamp_invalid", "not one signer")  # RFC 3161 §2.4.2
    return signed


def _check_signature(signed: Any, content: bytes) -> x509.Certificate:  # noqa: ANN401
    """The certificate under which the signature over the attributes holds (RFC 5652 §5.4)."""
    signer = signed["signerInfos"][0]
    attributes = {
        str(one["attrType"]): bytes(one["attrValues"][0]) for one in signer["signedAttrs"]
    }
    digest = _digest_of(str(signer["digestAlgorithm"]["algorithm"]))
    said = attributes.get(str(rfc5652.id_messageDigest), b"")
    kind = attributes.get(str(rfc5652.id_contentType), b"")
    if said != bytes(encoder.encode(univ.OctetString(_hashed(digest, content)))):
        raise CallerError("timestamp_invalid", "the content's digest")
    if kind != bytes(encoder.encode(rfc3161.id_ct_TSTInfo)):
        raise CallerError("timestamp_invalid", "the content's type")
    certificate = _named_certificate(signed, attributes)
    # Signed is the SET itself, not its implicit tag [0] in the message (RFC 5652 §5.4).
    text = b"\x31" + _encoded(signer["signedAttrs"])[1:]
    key, signature = certificate.public_key(), bytes(signer["signature"])
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, text, ec.ECDSA(digest))
            case rsa.RSAPublicKey():
                key.verify(signature, text, padding.PKCS1v15(), digest)
            case _:
                raise CallerError("timestamp_invalid", "the signer's key")
    except InvalidSignature:
        raise CallerError("timestamp_invalid", "the signature") from None
    return certificate


def _named_certificate(signed: Any, attributes: dict[str, bytes]) -> x509.Certificate:  # noqa: ANN401
    """The certificate that the signed attribute names by its hash (RFC 5035 §5.4)."""
    raw = attributes.get(str(rfc5035.id_aa_signingCertificateV2))
    if raw is None:
        raise CallerError("timestamp_invalid", "no signing certificate named")
    named = _decoded(raw, rfc5035.SigningCertificateV2())["certs"][0]
    algorithm = named["hashAlgorithm"]["algorithm"]
    if str(algorithm) != _SHA256:
        raise CallerError("timestamp_invalid", "the signing certificate's hash")
    for one in signed["certificates"]:
        der = _encoded(one["certificate"])
        if sha256(der) == bytes(named["certHash"]):
            try:
                return x509.load_der_x509_certificate(der)
            except UNREADABLE:
                break
    raise CallerError("timestamp_invalid", "the signing certificate is not there")


def _check_certificate(
    certificate: x509.Certificate, authority: StampAuthority, at: datetime
) -> None:
    """RFC 3161 §2.3: for time stamping and nothing else, critical; issued by our authority; valid
    when it stamped."""
    try:
        usage = certificate.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE)
        certificate.verify_directly_issued_by(authority.certificate)
    except UNREADABLE:
        raise CallerError("timestamp_invalid", "the signer's certificate") from None
    is_for_stamps = usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]  # type: ignore[call-overload]
    if not is_for_stamps:
        raise CallerError("timestamp_invalid", "the certificate is not for time stamping")
    for one in (certificate, authority.certificate):
        if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            raise CallerError("timestamp_invalid", "the certificate was not valid then")


def _digest_of(algorithm: str) -> hashes.HashAlgorithm:
    known: dict[str, hashes.HashAlgorithm] = {
        _SHA256: hashes.SHA256(),
        "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
        "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    }
    if algorithm not in known:
        raise CallerError("timestamp_invalid", "the signature's hash")
    return known[algorithm]


def _hashed(digest: hashes.HashAlgorithm, content: bytes) -> bytes:
    hashing = hashes.Hash(digest)
    hashing.update(content)
    return hashing.finalize()


def _time(value: Any) -> datetime:  # noqa: ANN401
    try:
        found: datetime = value.asDateTime
        return found.astimezone(UTC)
    except (PyAsn1Error, ValueError):
        raise CallerError("timestamp_invalid", "the time") from None


def _decoded(raw: bytes, spec: Any) -> Any:  # noqa: ANN401
    """One DER value and nothing behind it."""
    if len(raw) > TIMESTAMP_BYTES_MAX:
        raise CallerError("timestamp_invalid", "too long")
    try:
        found, rest = decoder.decode(raw, asn1Spec=spec)
    except (PyAsn1Error, ValueError, IndexError, RecursionError):
        raise CallerError("timestamp_invalid", "not DER of what it should be") from None
    if rest:
        raise CallerError("timestamp_invalid", "bytes behind the end")
    return found


def _encoded(value: Any) -> bytes:  # noqa: ANN401
    """A part of what came, as DER again; what decodes may still hold what no encoder writes."""
    try:
        return bytes(encoder.encode(value))
    except (PyAsn1Error, ValueError):
        raise CallerError("timestamp_invalid", "not DER of what it should be") from None
