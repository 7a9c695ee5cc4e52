"""Ed25519 (RFC 8032 §5.1) from ``cryptography``, with strict public keys.

libcrypto checks S < L and recomputes R, so a signature has one encoding. It does not check the
public key, so this module refuses non-canonical, off-curve and small-order points (RFC 8032
§5.1.3; with a small-order key one signature verifies for many messages).
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol.crypto.limits import ED25519_PUBLIC_KEY_BYTES, PRIVATE_KEY_BYTES, SIGNATURE_BYTES

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
# y of the points whose order divides 8: the neutral point, order 2, order 4 and order 8 (two).
_Y_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y_ORDER_8, _P - _Y_ORDER_8})


class Ed25519Signer:
    """An Ed25519 private key (the 32-byte seed)."""

    __slots__ = ("_key", "_public")

    def __init__(self, private: bytes) -> None:
        if len(private) != PRIVATE_KEY_BYTES:
            raise ValueError("a private key is 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self._public = self._key.public_key().public_bytes_raw()

    @property
    def public(self) -> bytes:
        """The compressed point, 32 bytes."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """``R || S``."""
        return self._key.sign(message)


class Ed25519Verifier:
    """An Ed25519 public key."""

    __slots__ = ("_key",)

    def __init__(self, public: bytes) -> None:
        _check_point(public)
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether ``R || S`` is good."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Ed25519Scheme:
    """Ed25519."""

    def generate(self) -> bytes:
        """A new private key."""
        return Ed25519PrivateKey.generate().private_bytes_raw()

    def signer(self, private: bytes) -> Ed25519Signer:
        """Load a private key."""
        return Ed25519Signer(private)

    def verifier(self, public: bytes) -> Ed25519Verifier:
        """Load a public key."""
        return Ed25519Verifier(public)


def _check_point(public: bytes) -> None:
    if len(public) != ED25519_PUBLIC_KEY_BYTES:
        raise ValueError("a public key is 32 bytes")
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    if y >= _P:
        raise ValueError("the public key is not in its canonical form")
    if y in SMALL_ORDER_Y:
        raise ValueError("the public key has a small order")
    # x² = (y² - 1) / (dy² + 1) must be a square; the divisor is never 0 as -1/d is none.
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(x_squared, (_P - 1) // 2, _P) != 1:
        raise ValueError("the public key is not a point of the curve")
