"""Scrypt that remembers: slow on purpose, and asked for the same again by every test that signs in.

The same secret under the same salt and costs gives the same hash, so nothing else is told. Keys
that are sealed get one salt all through a process, else no hash would ever be asked for again.
"""

from functools import cache
from ssl import RAND_bytes

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_SALT = RAND_bytes(16)


class RememberedScrypt:
    """In place of ``cryptography``'s ``Scrypt``, for a module that names it."""

    def __init__(self, **costs: bytes | int) -> None:
        self._costs = tuple(sorted(costs.items()))

    def derive(self, secret: bytes) -> bytes:
        return _derived(secret, self._costs)


def salt_or_nonce(count: int) -> bytes:
    """In place of ``RAND_bytes`` where keys are sealed: a nonce is as random as ever."""
    return _SALT if count == len(_SALT) else RAND_bytes(count)


@cache
def _derived(secret: bytes, costs: tuple[tuple[str, bytes | int], ...]) -> bytes:
    return Scrypt(**dict(costs)).derive(secret)  # type: ignore[arg-type]  # as they were given
