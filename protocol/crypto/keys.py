"""Signing and verifying keys of any suite: what the rest of Tillway uses.

A kid is ``SHA-256(suite name || canonical public key)[:8]``: it finds a key, it proves nothing.
Keys are safe to share between threads. A private key is never shown by ``repr``.
"""

import hmac
from typing import Protocol, Self

from protocol.crypto.hashes import sha256
from protocol.crypto.limits import KID_BYTES
from protocol.crypto.suites import DEFAULT_SUITE, Suite, suite_named
from protocol.errors import CallerError


class VerifyKey:
    """A public key of a suite."""

    __slots__ = ("_verifier", "kid", "public", "suite")

    def __init__(self, suite: Suite, public: bytes) -> None:
        """Take the canonical encoding; ``CallerError("field_invalid")`` for anything else."""
        try:
            self._verifier = suite.scheme.verifier(public)
        except ValueError as error:
            raise CallerError("field_invalid", str(error)) from None
        self.suite = suite
        self.public = public
        self.kid = kid_of(suite, public)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is good; False, never an exception, for a malformed one."""
        return self._verifier.verify(signature, message)

    def to_wire(self) -> dict[str, str | bytes]:
        """``{"suite": name, "public": bytes}``, for CBOR."""
        return {"suite": self.suite.name, "public": self.public}

    @classmethod
    def from_wire(cls, wire: object) -> Self:
        """Read :meth:`to_wire`; ``CallerError("field_invalid")`` for anything else."""
        if not isinstance(wire, dict):
            raise CallerError("field_invalid", "a key is a map")
        name, public = wire.get("suite"), wire.get("public")
        if not isinstance(name, str) or not isinstance(public, bytes):
            raise CallerError("field_invalid", "a key has a suite and public bytes")
        return cls(suite_named(name), public)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VerifyKey):
            return NotImplemented
        return self.suite.name == other.suite.name and self.public == other.public

    def __hash__(self) -> int:
        return hash((self.suite.name, self.public))

    def __repr__(self) -> str:
        return f"VerifyKey({self.suite.name}, kid={self.kid.hex()})"


class Signs(Protocol):
    """Who can sign: a private key in this program, or a device that keeps one."""

    @property
    def suite(self) -> Suite:
        """The key's suite."""
        ...

    @property
    def public(self) -> VerifyKey:
        """Its public half."""
        ...

    @property
    def kid(self) -> bytes:
        """The public half's id."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""
        ...


class SigningKey:
    """A private key of a suite."""

    __slots__ = ("_private", "_signer", "kid", "public", "suite")

    def __init__(self, suite: Suite, private: bytes) -> None:
        """Take the canonical private key; ``CallerError("field_invalid")`` for anything else."""
        try:
            self._signer = suite.scheme.signer(private)
        except ValueError as error:
            raise CallerError("field_invalid", str(error)) from None
        self._private = private
        self.suite = suite
        self.public = VerifyKey(suite, self._signer.public)
        self.kid = self.public.kid

    @classmethod
    def from_private(
        cls, suite: str, private: bytes, *, expected_public: bytes | None = None
    ) -> Self:
        """Import a private key; with ``expected_public`` also check that both belong together."""
        key = cls(suite_named(suite), private)
        if expected_public is not None and not hmac.compare_digest(
            key.public.public, expected_public
        ):
            raise CallerError("field_invalid", "the private key has another public key")
        return key

    def sign(self, message: bytes) -> bytes:
        """The signature of a message: 64 bytes in all three suites."""
        return self._signer.sign(message)

    def private_bytes(self) -> bytes:
        """The private key in the clear. Only for sealing."""
        return self._private

    def __repr__(self) -> str:
        return f"SigningKey({self.suite.name}, kid={self.kid.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled; seal it")


def generate(suite: str = DEFAULT_SUITE) -> SigningKey:
    """A new key; its randomness is libcrypto's."""
    found = suite_named(suite)
    return SigningKey(found, found.scheme.generate())


def kid_of(suite: Suite, public: bytes) -> bytes:
    """The key id of a canonical public key."""
    return sha256(suite.name.encode("ascii") + public)[:KID_BYTES]
