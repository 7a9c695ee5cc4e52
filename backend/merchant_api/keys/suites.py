"""The two suites of API v3 behind one form: what the rest of the room signs and seals with.

Rule: who has keys of one suite is proven, answered, told and sealed for in that suite.
"""

from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from backend.merchant_api.keys import crypto, sm2
from protocol.crypto import SigningKey, VerifyKey


class PublicHalf(Protocol):
    """A key that proves calls and takes secrets."""

    def is_signed(self, signature: str, message: bytes) -> bool:
        """Whether the signature is this key's over exactly these bytes."""
        ...

    def close_field(self, text: str) -> str:
        """A sensitive field for the key's holder."""
        ...


class PrivateHalf(Protocol):
    """A key of the platform's."""

    @property
    def public_pem(self) -> str:
        """SubjectPublicKeyInfo, PEM."""
        ...

    def sign(self, message: bytes) -> str:
        """A signature, base64."""
        ...

    def open_field(self, text: str) -> str:
        """A sensitive field; ``field_invalid`` for what was not encrypted for this key."""
        ...

    def private_bytes(self) -> bytes:
        """The private key in the clear. Only for sealing."""
        ...

    def certify(self, public: PublicHalf | None, *, subject: str, serial: int, now_ms: int) -> str:
        """A certificate of a key of this suite, or of its own public half; PEM."""
        ...


class Suite(Protocol):
    """A signature scheme with all that goes with it."""

    @property
    def name(self) -> str:
        """How it is stored and asked for."""
        ...

    @property
    def scheme(self) -> str:
        """The first word of ``Authorization``, and ``Wechatpay-Signature-Type``."""
        ...

    @property
    def aead(self) -> str:
        """What resources are sealed with."""
        ...

    def make_key(self) -> PrivateHalf:
        """A new pair. Slow: not on the event loop."""
        ...

    def read_private(self, stored: bytes) -> PrivateHalf:
        """What ``PrivateHalf.private_bytes`` gave."""
        ...

    def read_request(self, der: str) -> PublicHalf:
        """The key of a certificate request; ``field_invalid`` for one of another suite."""
        ...

    def certificate_key(self, pem: str) -> PublicHalf:
        """The key of a certificate of ours."""
        ...

    def seal_resource(self, api_v3_key: str, *, nonce: str, associated: str, plain: bytes) -> str:
        """A resource for a merchant, base64."""
        ...


@dataclass(frozen=True, slots=True)
class _RsaPublic:
    key: RSAPublicKey

    def is_signed(self, signature: str, message: bytes) -> bool:
        return crypto.is_signed(self.key, signature, message)

    def close_field(self, text: str) -> str:
        return crypto.close_field(self.key, text)


@dataclass(frozen=True, slots=True)
class _RsaPrivate:
    key: RSAPrivateKey = field(repr=False)

    @property
    def public_pem(self) -> str:
        return crypto.public_pem(self.key.public_key())

    def sign(self, message: bytes) -> str:
        return crypto.sign(self.key, message)

    def open_field(self, text: str) -> str:
        return crypto.open_field(self.key, text)

    def private_bytes(self) -> bytes:
        return crypto.private_bytes(self.key)

    def certify(self, public: PublicHalf | None, *, subject: str, serial: int, now_ms: int) -> str:
        assert public is None or isinstance(public, _RsaPublic)
        key = public.key if public else self.key.public_key()
        return crypto.issue(key, subject=subject, serial=serial, issuer_key=self.key, now_ms=now_ms)


@dataclass(frozen=True, slots=True)
class _RsaSuite:
    name: str = "rsa"
    scheme: str = crypto.SUITE
    aead: str = crypto.AEAD

    def make_key(self) -> PrivateHalf:
        return _RsaPrivate(crypto.make_key())

    def read_private(self, stored: bytes) -> PrivateHalf:
        return _RsaPrivate(crypto.read_private(stored))

    def read_request(self, der: str) -> PublicHalf:
        return _RsaPublic(crypto.read_request(der))

    def certificate_key(self, pem: str) -> PublicHalf:
        return _RsaPublic(crypto.certificate_key(pem))

    def seal_resource(self, api_v3_key: str, *, nonce: str, associated: str, plain: bytes) -> str:
        return crypto.seal_resource(api_v3_key, nonce=nonce, associated=associated, plain=plain)


@dataclass(frozen=True, slots=True)
class _Sm2Public:
    key: VerifyKey

    def is_signed(self, signature: str, message: bytes) -> bool:
        return sm2.is_signed(self.key, signature, message)

    def close_field(self, text: str) -> str:
        return sm2.close_field(self.key, text)


@dataclass(frozen=True, slots=True)
class _Sm2Private:
    key: SigningKey = field(repr=False)

    @property
    def public_pem(self) -> str:
        return sm2.public_pem(self.key)

    def sign(self, message: bytes) -> str:
        return sm2.sign(self.key, message)

    def open_field(self, text: str) -> str:
        return sm2.open_field(self.key, text)

    def private_bytes(self) -> bytes:
        return self.key.private_bytes()

    def certify(self, public: PublicHalf | None, *, subject: str, serial: int, now_ms: int) -> str:
        assert public is None or isinstance(public, _Sm2Public)
        key = public.key if public else self.key.public
        return sm2.issue(key, subject=subject, serial=serial, issuer_key=self.key, now_ms=now_ms)


@dataclass(frozen=True, slots=True)
class _Sm2Suite:
    name: str = "sm2"
    scheme: str = sm2.SUITE
    aead: str = sm2.AEAD

    def make_key(self) -> PrivateHalf:
        return _Sm2Private(sm2.make_key())

    def read_private(self, stored: bytes) -> PrivateHalf:
        return _Sm2Private(sm2.read_private(stored))

    def read_request(self, der: str) -> PublicHalf:
        return _Sm2Public(sm2.read_request(der))

    def certificate_key(self, pem: str) -> PublicHalf:
        return _Sm2Public(sm2.certificate_key(pem))

    def seal_resource(self, api_v3_key: str, *, nonce: str, associated: str, plain: bytes) -> str:
        return sm2.seal_resource(api_v3_key, nonce=nonce, associated=associated, plain=plain)


RSA: Suite = _RsaSuite()
SM2: Suite = _Sm2Suite()
SUITES = {suite.name: suite for suite in (RSA, SM2)}
BY_SCHEME = {suite.scheme: suite for suite in SUITES.values()}
