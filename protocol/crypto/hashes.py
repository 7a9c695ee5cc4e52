"""Hash functions by name. SM3 comes from the system's libcrypto, else from ``cryptography``'s."""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Protocol

from cryptography.hazmat.primitives import hashes

Hash = Callable[[bytes], bytes]


class Running(Protocol):
    """A hash that has absorbed a prefix; ``copy`` lets many messages share it."""

    def copy(self) -> "Running":
        """An independent hash in the same state."""
        ...

    def update(self, data: bytes, /) -> None:
        """Absorb more."""
        ...

    def digest(self) -> bytes:
        """The hash of all that was absorbed."""
        ...


class _BundledSm3:
    """SM3 of ``cryptography``'s own libcrypto in the form of :mod:`hashlib`."""

    __slots__ = ("_context",)

    def __init__(self, context: hashes.Hash | None = None) -> None:
        self._context = context or hashes.Hash(hashes.SM3())

    def copy(self) -> "_BundledSm3":
        return _BundledSm3(self._context.copy())

    def update(self, data: bytes, /) -> None:
        self._context.update(data)

    def digest(self) -> bytes:
        return self._context.copy().finalize()


@cache
def system_has_sm3() -> bool:
    """Whether :mod:`hashlib` offers SM3 on this machine."""
    try:
        hashlib.new("sm3")
    except ValueError:
        return False
    return True


def sm3_running(prefix: bytes = b"") -> Running:
    """An SM3 that has absorbed ``prefix`` (GB/T 32905-2016)."""
    running: Running = hashlib.new("sm3") if system_has_sm3() else _BundledSm3()
    running.update(prefix)
    return running


def sm3(data: bytes) -> bytes:
    """The 32-byte SM3 hash (GB/T 32905-2016)."""
    running = _SM3.copy()  # half the cost of looking the algorithm up by its name
    running.update(data)
    return running.digest()


_SM3 = sm3_running()


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 hash (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


HASHES: dict[str, Hash] = {"SM3": sm3, "SHA-256": sha256}
