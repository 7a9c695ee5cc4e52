"""Comparing two sets of rows, in any order and in no memory: each row's keyed hash is summed.

The key is drawn for each verification, so that nobody can make other rows of the same sum.
"""

from hashlib import blake2b
from secrets import token_bytes
from typing import Any

_KEY_BYTES = 32
_HASH_BYTES = 16


class Fingerprint:
    """Hashes of rows under one key."""

    def __init__(self) -> None:
        self._keyed = blake2b(key=token_bytes(_KEY_BYTES), digest_size=_HASH_BYTES)

    def of(self, values: tuple[Any, ...]) -> int:
        """The hash of a row of texts, integers and bytes, as a number to be summed."""
        hashed = self._keyed.copy()
        hashed.update(repr(values).encode())
        return int.from_bytes(hashed.digest(), "big")
