"""SM2 with SM3 (GB/T 32918.2-2016), user id 1234567812345678 (GM/T 0009-2012 §10).

The arithmetic is the system libcrypto's; where that has no SM2, ``gmssl``'s, fenced in. What both
share is here: the ranges, the points, Z (§5.5), the digest, and one form of a signature, r || s.
The choice is made once, by a self-test on the standard's own example.
"""

from collections.abc import Callable
from functools import cache
from ssl import RAND_bytes
from typing import Protocol

from protocol.crypto import sm2_gmssl, sm2_libcrypto
from protocol.crypto.curves import SM2, point_from_bytes, scalar_from_bytes, signature_to_der
from protocol.crypto.hashes import Running, sm3, sm3_running
from protocol.crypto.libcrypto import UnavailableError
from protocol.crypto.limits import NONCE_ROUNDS_MAX, PRIVATE_KEY_BYTES

USER_ID = b"1234567812345678"
SCALAR_MAX = SM2.n - 2

RandomBytes = Callable[[int], bytes]


class DigestSigner(Protocol):
    """A private key that signs 32-byte digests."""

    def public(self) -> bytes:
        """``04 x y``."""
        ...

    def sign(self, digest: bytes) -> bytes:
        """``r || s``."""
        ...


class DigestVerifier(Protocol):
    """A public key that verifies signatures of 32-byte digests."""

    def verify(self, signature: bytes, digest: bytes) -> bool:
        """Whether ``r || s``, both already in 1…n-1, is good."""
        ...


class Arithmetic(Protocol):
    """A module that computes on the curve."""

    NAME: str

    def load_private(self, private: bytes) -> DigestSigner:
        """Take a private key whose range was checked."""
        ...

    def load_public(self, public: bytes) -> DigestVerifier:
        """Take a public key that was checked to be on the curve."""
        ...


def z_value(public: bytes) -> bytes:
    """Z: the hash that binds `USER_ID` and the key into every message (GB/T 32918.2 §5.5)."""
    curve = b"".join(value.to_bytes(32, "big") for value in (SM2.a, SM2.b, SM2.gx, SM2.gy))
    return sm3((8 * len(USER_ID)).to_bytes(2, "big") + USER_ID + curve + public[1:])


class Sm2Signer:
    """An SM2 private key with Z absorbed once."""

    __slots__ = ("_key", "_prefix", "_public")

    def __init__(self, private: bytes, arithmetic: Arithmetic) -> None:
        scalar_from_bytes(private, scalar_max=SCALAR_MAX)
        self._key = arithmetic.load_private(private)
        self._public = self._key.public()
        self._prefix = sm3_running(z_value(self._public))

    @property
    def public(self) -> bytes:
        """``04 x y``."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """``r || s``."""
        return self._key.sign(_digest(self._prefix, message))


class Sm2Verifier:
    """An SM2 public key with Z absorbed once."""

    __slots__ = ("_key", "_prefix")

    def __init__(self, public: bytes, arithmetic: Arithmetic) -> None:
        point_from_bytes(SM2, public)
        self._key = arithmetic.load_public(public)
        self._prefix = sm3_running(z_value(public))

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether ``r || s`` is good."""
        if signature_to_der(SM2, signature) is None:
            return False
        return self._key.verify(signature, _digest(self._prefix, message))


class Sm2Scheme:
    """SM2 with SM3 on one arithmetic; by default the one :func:`sm2_backend` names."""

    def __init__(
        self, arithmetic: Arithmetic | None = None, random_bytes: RandomBytes = RAND_bytes
    ) -> None:
        self._arithmetic = arithmetic
        self._random_bytes = random_bytes

    def generate(self) -> bytes:
        """A new private key in 1…n-2, by rejection."""
        for _ in range(NONCE_ROUNDS_MAX):
            private = self._random_bytes(PRIVATE_KEY_BYTES)
            if 1 <= int.from_bytes(private, "big") <= SCALAR_MAX:
                return private
        raise AssertionError("the source of randomness is broken")

    def signer(self, private: bytes) -> Sm2Signer:
        """Load a private key."""
        return Sm2Signer(private, self._arithmetic or _chosen())

    def verifier(self, public: bytes) -> Sm2Verifier:
        """Load a public key."""
        return Sm2Verifier(public, self._arithmetic or _chosen())


def sm2_backend() -> str:
    """Which arithmetic this process uses: ``libcrypto`` or ``gmssl``."""
    return _chosen().NAME


def passes_self_test(arithmetic: Arithmetic) -> bool:
    """Known answer (GB/T 32918.5-2017 A.2), then sign, verify and refuse with that key."""
    try:
        scheme = Sm2Scheme(arithmetic)
        signer, verifier = scheme.signer(_EXAMPLE_PRIVATE), scheme.verifier(_EXAMPLE_PUBLIC)
        return (
            signer.public == _EXAMPLE_PUBLIC
            and verifier.verify(_EXAMPLE_SIGNATURE, _EXAMPLE_MESSAGE)
            and verifier.verify(signer.sign(b"self-test"), b"self-test")
            and not verifier.verify(_EXAMPLE_SIGNATURE, _EXAMPLE_MESSAGE + b"!")
        )
    except UnavailableError:
        return False


@cache
def _chosen() -> Arithmetic:
    choices: tuple[Arithmetic, ...] = (sm2_libcrypto, sm2_gmssl)
    for arithmetic in choices:
        if passes_self_test(arithmetic):
            return arithmetic
    raise AssertionError("no SM2 arithmetic passes the standard's example")


def _digest(prefix: Running, message: bytes) -> bytes:
    running = prefix.copy()
    running.update(message)
    return running.digest()


_EXAMPLE_PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
_EXAMPLE_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_EXAMPLE_MESSAGE = b"message digest"
_EXAMPLE_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
