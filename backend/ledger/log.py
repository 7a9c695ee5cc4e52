"""The log over a chain's groups: an RFC 6962 tree with SM3 whose leaves are the groups' hashes.

Group ``seq`` is leaf ``seq - 1``. The follower stores every fourth level's complete nodes, so that
any root or proof takes a few reads of at most fifteen hashes for each level.
"""

from collections.abc import Sequence
from typing import Protocol

from protocol.crypto.hashes import sm3
from protocol.errors import CallerError
from protocol.merkle import leaf_hash, node_hash

NODE_LEVELS = 4


class StoredLog(Protocol):
    """What is read: hashes of groups and stored nodes."""

    def group_hashes(self, chain: str, first_seq: int, count: int) -> list[bytes]: ...

    def nodes(self, chain: str, level: int, first: int, count: int) -> dict[int, bytes]: ...


class LogNodes:
    """The complete nodes of one chain's log. Implements ``merkle.Nodes``."""

    def __init__(self, stored: StoredLog, chain: str) -> None:
        self._stored = stored
        self._chain = chain

    def __call__(self, level: int, position: int) -> bytes:
        """The node; computed of what lies below where it is not stored."""
        base = level - level % NODE_LEVELS
        width = 1 << (level - base)
        return _fold(self._row(base, position * width, width))

    def _row(self, level: int, first: int, count: int) -> list[bytes]:
        """Consecutive nodes of a stored level."""
        if level == 0:
            hashes = self._stored.group_hashes(self._chain, first + 1, count)
            if len(hashes) != count:
                raise CallerError("log_inconsistent", f"{self._chain}: a group is missing")
            return [leaf_hash(one, sm3) for one in hashes]
        stored = self._stored.nodes(self._chain, level, first, count)
        return [
            stored[position] if position in stored else self._made(level, position)
            for position in range(first, first + count)
        ]

    def _made(self, level: int, position: int) -> bytes:
        width = 1 << NODE_LEVELS
        return _fold(self._row(level - NODE_LEVELS, position * width, width))


def _fold(row: Sequence[bytes]) -> bytes:
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1], sm3) for at in range(0, len(row), 2)]
    return row[0]
