"""ES256: ECDSA over P-256 with SHA-256 (FIPS 186-5; RFC 9053 §2.1), from ``cryptography``.

A signature is r || s with both in 1…n-1. (r, n-s) is then valid too, as in every ECDSA that
follows RFC 9053: nothing in Tillway identifies a message by its signature's bytes.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol.crypto.curves import (
    P256,
    point_from_bytes,
    scalar_from_bytes,
    signature_from_der,
    signature_to_der,
)
from protocol.crypto.limits import PRIVATE_KEY_BYTES

_CURVE = ec.SECP256R1()
_ALGORITHM = ec.ECDSA(SHA256())
_OF_DIGEST = ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True)


class P256Signer:
    """A P-256 private key."""

    __slots__ = ("_key", "_public")

    def __init__(self, private: bytes) -> None:
        scalar = scalar_from_bytes(private, scalar_max=P256.n - 1)
        self._key = ec.derive_private_key(scalar, _CURVE)
        self._public = self._key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )

    @property
    def public(self) -> bytes:
        """``04 x y``."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """``r || s``."""
        return signature_from_der(self._key.sign(message, _ALGORITHM))

    def sign_digest(self, digest: bytes) -> bytes:
        """``r || s`` of a message's SHA-256, always the same for the same digest (RFC 6979)."""
        return signature_from_der(self._key.sign(digest, _OF_DIGEST))


class P256Verifier:
    """A P-256 public key."""

    __slots__ = ("_key",)

    def __init__(self, public: bytes) -> None:
        point_from_bytes(P256, public)
        self._key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether ``r || s`` is good."""
        der = signature_to_der(P256, signature)
        if der is None:
            return False
        try:
            self._key.verify(der, message, _ALGORITHM)
        except InvalidSignature:
            return False
        return True


class P256Scheme:
    """ECDSA with P-256 and SHA-256."""

    def generate(self) -> bytes:
        """A new private key."""
        scalar = ec.generate_private_key(_CURVE).private_numbers().private_value
        return scalar.to_bytes(PRIVATE_KEY_BYTES, "big")

    def signer(self, private: bytes) -> P256Signer:
        """Load a private key."""
        return P256Signer(private)

    def verifier(self, public: bytes) -> P256Verifier:
        """Load a public key."""
        return P256Verifier(public)
