"""Joining and key rotation: what a machine and the backend's enrolment service say.

``GET /enroll/v1/ca`` answers the CA certificate (DER); the machine checks it against the
fingerprint in its code, and only then trusts the server and says the code.
``POST /enroll/v1/join`` takes a :class:`JoinRequest` and answers a :class:`JoinAnswer`;
``POST /enroll/v1/rotate`` takes a COSE_Sign1 by the machine's present key around a
:class:`RotateRequest` and answers a :class:`JoinAnswer`. All are CBOR maps with integer keys.
"""

from dataclasses import dataclass, field
from typing import Any

from protocol import cbor
from protocol.crypto.hashes import sha256
from protocol.crypto.keys import Signs, VerifyKey
from protocol.enrolment_code import ID_CHARS, SECRET_CHARS, PrintedCode, digest_of
from protocol.errors import CallerError
from protocol.introduction import BYTES_MAX as INTRODUCTION_BYTES_MAX
from protocol.topics import is_name

VERSION = 1
CA_PATH, JOIN_PATH, ROTATE_PATH = "/enroll/v1/ca", "/enroll/v1/join", "/enroll/v1/rotate"
KINDS = ("terminal", "thing", "hub")

REQUEST_BYTES_MAX = 8 * 1024
ANSWER_BYTES_MAX = 64 * 1024
CA_CERTIFICATE_BYTES_MAX = 8 * 1024
CSR_BYTES_MAX = 4 * 1024
KEYS_MAX = 16
URLS_MAX = 8
URL_CHARS_MAX = 200

_JOIN_CONTEXT = b"tillway-join-v1"
_ROTATE_CONTEXT = b"tillway-rotate-v1"


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A machine's request to be taken in, with the code's id and secret."""

    code_id: str
    secret: str = field(repr=False)
    csr: bytes
    key: VerifyKey
    proof: bytes
    sm_csr: bytes = b""
    """The request for an SM2 certificate, too; empty without."""

    @classmethod
    def signed(
        cls, code: PrintedCode, csr: bytes, key: Signs, *, sm_csr: bytes = b""
    ) -> "JoinRequest":
        """Build it with the proof that the machine has the signing key."""
        proof = key.sign(_claim(_JOIN_CONTEXT, code.digest(), (csr, sm_csr), key.public))
        return cls(code.code_id, code.secret, csr, key.public, proof, sm_csr)

    def digest(self) -> bytes:
        """What is compared with the stored digest of the code."""
        return digest_of(self.code_id, self.secret)

    def is_proven(self) -> bool:
        """Whether the owner of the signing key made this very request."""
        claim = _claim(_JOIN_CONTEXT, self.digest(), (self.csr, self.sm_csr), self.key)
        return self.key.verify(self.proof, claim)

    def claimant(self) -> bytes:
        """Who asks: the same in every retry of one machine."""
        return sha256(self.csr + self.key.kid)

    def to_bytes(self) -> bytes:
        """The wire form."""
        fields = (VERSION, self.code_id, self.secret, self.csr, self.key.to_wire(), self.proof)
        sm = (self.sm_csr,) if self.sm_csr else ()
        return cbor.encode(dict(enumerate((*fields, *sm), start=1)))

    @classmethod
    def from_bytes(cls, data: bytes) -> "JoinRequest":
        """Read the wire form; ``CallerError`` says what is wrong."""
        fields = _fields(data, REQUEST_BYTES_MAX)
        sm_csr = _optional_csr(fields.get(7))
        match fields:
            case {2: str(code_id), 3: str(secret), 4: bytes(csr), 5: key, 6: bytes(proof)} if (
                len(code_id) == ID_CHARS and len(secret) == SECRET_CHARS
            ) and len(csr) <= CSR_BYTES_MAX:
                return cls(code_id, secret, csr, VerifyKey.from_wire(key), proof, sm_csr)
        raise CallerError("envelope_malformed", "join request")


@dataclass(frozen=True, slots=True)
class RotateRequest:
    """New keys for a machine that is enrolled. Travels signed by its present key.

    ``certificate`` is the present one (DER): the new one is for the same names. ``proof`` is the
    new key's signature over all other fields: after a lost answer the backend knows only the new
    key, and then the proof alone says that the request is the machine's and of now.
    """

    tid: str
    requested_at_ms: int
    csr: bytes
    key: VerifyKey
    certificate: bytes
    proof: bytes
    sm_csr: bytes = b""

    @classmethod
    def signed(
        cls,
        tid: str,
        *,
        at_ms: int,
        csr: bytes,
        key: Signs,
        certificate: bytes,
        sm_csr: bytes = b"",
    ) -> "RotateRequest":
        """Build it with the proof that the machine has the new signing key."""
        proof = key.sign(_rotate_claim(tid, at_ms, (csr, sm_csr), key.public, certificate))
        return cls(tid, at_ms, csr, key.public, certificate, proof, sm_csr)

    def is_proven(self) -> bool:
        """Whether the owner of the new signing key made this very request, time included."""
        asked = (self.csr, self.sm_csr)
        claim = _rotate_claim(self.tid, self.requested_at_ms, asked, self.key, self.certificate)
        return self.key.verify(self.proof, claim)

    def to_bytes(self) -> bytes:
        """The bytes to sign with the present key."""
        who = (VERSION, self.tid, self.requested_at_ms)
        what = (self.csr, self.key.to_wire(), self.certificate, self.proof)
        sm = (self.sm_csr,) if self.sm_csr else ()
        return cbor.encode(dict(enumerate(who + what + sm, start=1)))

    @classmethod
    def from_bytes(cls, data: bytes) -> "RotateRequest":
        """Read the signed bytes; ``CallerError`` says what is wrong."""
        fields = _fields(data, REQUEST_BYTES_MAX)
        sm_csr = _optional_csr(fields.get(8))
        match fields:
            case {2: tid, 3: at, 4: bytes(csr), 5: key, 6: bytes(old), 7: bytes(proof)} if (
                is_name(tid) and cbor.is_count(at) and len(csr) <= CSR_BYTES_MAX
            ):
                return cls(tid, at, csr, VerifyKey.from_wire(key), old, proof, sm_csr)
        raise CallerError("envelope_malformed", "rotate request")


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinAnswer:
    """What a machine is from now on, and whom it may believe."""

    tid: str
    kind: str
    store: str
    chain: tuple[bytes, ...]
    """Its certificate and then the CA's, DER."""
    backend_keys: tuple[VerifyKey, ...]
    hub_keys: tuple[VerifyKey, ...] = ()
    hub_urls: tuple[str, ...] = ()
    sm_chain: tuple[bytes, ...] = ()
    """The same of the SM2 CA, where there is one and it was asked."""
    introduction: bytes = b""
    """Of a hub's new key, for the devices of its store (``protocol.introduction``)."""

    def to_bytes(self) -> bytes:
        """The wire form."""
        fields = (
            VERSION,
            self.tid,
            self.kind,
            self.store,
            list(self.chain),
            [key.to_wire() for key in self.backend_keys],
            [key.to_wire() for key in self.hub_keys],
            list(self.hub_urls),
        )
        sm_chain = {9: list(self.sm_chain)} if self.sm_chain else {}
        introduction = {10: self.introduction} if self.introduction else {}
        return cbor.encode({**dict(enumerate(fields, start=1)), **sm_chain, **introduction})

    @classmethod
    def from_bytes(cls, data: bytes) -> "JoinAnswer":
        """Read the wire form; ``CallerError`` says what is wrong."""
        fields = _fields(data, ANSWER_BYTES_MAX)
        match fields:
            case {
                2: tid,
                3: str(kind),
                4: store,
                5: [bytes(leaf), bytes(ca)],
                6: k,
                7: h,
                8: u,
            } if is_name(tid) and is_name(store):
                return cls(
                    tid=tid,
                    kind=kind,
                    store=store,
                    chain=(leaf, ca),
                    backend_keys=keys_from_wire(k),
                    hub_keys=keys_from_wire(h),
                    hub_urls=urls_from_wire(u),
                    sm_chain=_optional_chain(fields.get(9)),
                    introduction=introduction_from_wire(fields.get(10)),
                )
        raise CallerError("envelope_malformed", "join answer")


def introduction_from_wire(value: object) -> bytes:
    """What only a hub has."""
    if value is None:
        return b""
    if not isinstance(value, bytes) or len(value) > INTRODUCTION_BYTES_MAX:
        raise CallerError("envelope_malformed", "introduction")
    return value


def keys_from_wire(value: object) -> tuple[VerifyKey, ...]:
    """A bounded list of keys."""
    if not isinstance(value, list) or len(value) > KEYS_MAX:
        raise CallerError("envelope_malformed", "keys")
    return tuple(VerifyKey.from_wire(item) for item in value)


def urls_from_wire(value: object) -> tuple[str, ...]:
    """A bounded list of addresses."""
    if not isinstance(value, list) or len(value) > URLS_MAX:
        raise CallerError("envelope_malformed", "urls")
    if not all(isinstance(url, str) and len(url) <= URL_CHARS_MAX for url in value):
        raise CallerError("envelope_malformed", "urls")
    return tuple(value)


def _optional_csr(value: object) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, bytes) or len(value) > CSR_BYTES_MAX:
        raise CallerError("envelope_malformed", "SM2 certificate request")
    return value


def _optional_chain(value: object) -> tuple[bytes, ...]:
    match value:
        case None:
            return ()
        case [bytes(leaf), bytes(ca)]:
            return (leaf, ca)
    raise CallerError("envelope_malformed", "SM2 chain")


def _fields(data: bytes, bytes_max: int) -> dict[Any, Any]:
    fields = cbor.decode(data, bytes_max=bytes_max)
    if not isinstance(fields, dict):
        raise CallerError("envelope_malformed")
    if not cbor.is_version(fields.get(1), VERSION):
        raise CallerError("envelope_version")
    return fields


def _rotate_claim(
    tid: str, at_ms: int, asked: tuple[bytes, bytes], key: VerifyKey, certificate: bytes
) -> bytes:
    """All of the request: when the old key is gone already, this proof is all that counts."""
    subject = cbor.encode([tid, at_ms, certificate])
    return _claim(_ROTATE_CONTEXT, subject, asked, key)


def _claim(context: bytes, subject: bytes, asked: tuple[bytes, bytes], key: VerifyKey) -> bytes:
    """What a proof of possession signs: every variable part by its hash, so none can shift.

    ``asked`` are the certificate requests; without the second one it is left out.
    """
    csr, sm_csr = asked
    parts = (subject, csr, key.suite.name.encode("ascii"), key.public, *filter(None, (sm_csr,)))
    return context + b"".join(sha256(part) for part in parts)
