"""Scrypt that remembers: slow on purpose, and asked for the same again by every test that signs in.

The same secret under the same salt and costs gives the same hash, so nothing else is told.
"""

from functools import cache

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt


class RememberedScrypt:
    """In place of ``cryptography``'s ``Scrypt``, for a module that names it."""

    def __init__(self, **costs: bytes | int) -> None:
        self._costs = tuple(sorted(costs.items()))

    def derive(self, secret: bytes) -> bytes:
        return _derived(secret, self._costs)


@cache
def _derived(secret: bytes, costs: tuple[tuple[str, bytes | int], ...]) -> bytes:
    return Scrypt(**dict(costs)).derive(secret)  # type: ignore[arg-type]  # as they were given
