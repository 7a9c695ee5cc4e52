"""SM2's arithmetic from the system's libcrypto: the hot path."""

from protocol.crypto.curves import SM2, signature_from_der, signature_to_der
from protocol.crypto.libcrypto import Sm2PrivateKey, Sm2PublicKey

NAME = "libcrypto"


class _Private:
    __slots__ = ("_key",)

    def __init__(self, private: bytes) -> None:
        self._key = Sm2PrivateKey(private)

    def public(self) -> bytes:
        return self._key.public()

    def sign(self, digest: bytes) -> bytes:
        return signature_from_der(self._key.sign(digest))


class _Public:
    __slots__ = ("_key",)

    def __init__(self, public: bytes) -> None:
        self._key = Sm2PublicKey(public)

    def verify(self, signature: bytes, digest: bytes) -> bool:
        der = signature_to_der(SM2, signature)
        return der is not None and self._key.verify(der, digest)


def load_private(private: bytes) -> _Private:
    """Take a private key whose range was checked."""
    return _Private(private)


def load_public(public: bytes) -> _Public:
    """Take a public key that was checked to be on the curve."""
    return _Public(public)
