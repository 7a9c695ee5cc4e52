"""SM2's arithmetic from ``gmssl``: slow, only for machines whose libcrypto has no SM2.

Of ``gmssl`` 3.2.2 only point arithmetic on digests is used, because (see the tests):
its nonces come from ``random``, so ours come from the system; it strips leading ``04`` from keys,
so keys are set as 128 digits and looked at; it checks no ranges, so they are checked before it.
It is not constant time: a machine that signs for money should have a libcrypto with SM2.
"""

import hmac
from collections.abc import Callable
from ssl import RAND_bytes

from gmssl.sm2 import CryptSM2

from protocol.crypto.curves import SM2, is_on_curve
from protocol.crypto.limits import NONCE_ROUNDS_MAX

NAME = "gmssl"


class _Private:
    __slots__ = ("_private", "_public", "_random_bytes")

    def __init__(self, private: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self._private = private
        self._random_bytes = random_bytes
        engine = CryptSM2(private_key=private.hex(), public_key="")
        point = engine._kg(int.from_bytes(private, "big"), engine.ecc_table["g"])  # noqa: SLF001
        self._public = b"\x04" + bytes.fromhex(point)
        x, y = int(point[:64], 16), int(point[64:], 16)
        assert is_on_curve(SM2, x, y)

    def public(self) -> bytes:
        return self._public

    def sign(self, digest: bytes) -> bytes:
        engine = CryptSM2(private_key=self._private.hex(), public_key="")
        for _ in range(NONCE_ROUNDS_MAX):
            signature: str | None = engine.sign(digest, f"{self._nonce(digest):064x}")
            if signature is not None:
                return bytes.fromhex(signature)
        raise AssertionError("the source of randomness is broken")

    def _nonce(self, digest: bytes) -> int:
        """k in 1…n-1 from 64 bytes, hedged: a weak source alone does not reveal the key.

        512 bits reduced modulo n - 1 are biased by less than 2^-255 (FIPS 186-5 A.3.1).
        """
        seed = self._random_bytes(64) + digest
        wide = b"".join(
            hmac.digest(self._private, label + seed, "sha256") for label in (b"\x01", b"\x02")
        )
        return int.from_bytes(wide, "big") % (SM2.n - 1) + 1


class _Public:
    __slots__ = ("_engine",)

    def __init__(self, public: bytes) -> None:
        self._engine = CryptSM2(private_key="", public_key="")
        self._engine.public_key = public[1:].hex()

    def verify(self, signature: bytes, digest: bytes) -> bool:
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if (r + s) % SM2.n == 0:
            return False
        try:
            return bool(self._engine.verify(signature.hex(), digest))
        except (TypeError, ValueError):  # a sum at infinity has no coordinates in gmssl
            return False


def load_private(private: bytes, random_bytes: Callable[[int], bytes] = RAND_bytes) -> _Private:
    """Take a private key whose range was checked; nonces draw on ``random_bytes``."""
    return _Private(private, random_bytes)


def load_public(public: bytes) -> _Public:
    """Take a public key that was checked to be on the curve."""
    return _Public(public)
