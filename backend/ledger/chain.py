"""The group chain: every group of transfers is hashed over the one before it. Pure.

A leaf is one linked chain of transfers (what was posted together), hashed as RFC 6962 §2.1 hashes
a leaf, with SM3. A group's root is the tree over its leaves in posting order, its hash covers the
sequence number, the previous hash, the root, the count and the time. Nothing can be changed,
added, removed or moved without changing every later hash.

Fields are joined by U+001F, records by U+001E, which no field contains; NULL is written ``None``,
which no field says (``verify`` insists on both).
"""

import hashlib
from collections.abc import Sequence
from typing import Any

GENESIS = bytes(32)
_LEAF, _NODE = b"\x00", b"\x01"
_FIELD, _RECORD = "\x1f", "\x1e"
SEPARATORS = frozenset(_FIELD + _RECORD)
HASH_BYTES = 32


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905)."""
    return hashlib.new("sm3", data).digest()


def leaf(rows: Sequence[Sequence[Any]]) -> bytes:
    """The leaf of a linked chain of transfer rows.

    A row is what ``tables.LedgerTransfer`` holds, up to and including ``at_ms``.
    """
    text = _RECORD.join([_FIELD.join(map(str, row)) for row in rows])
    return sm3(_LEAF + text.encode())


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962 §2.1, level by level: an odd last node rises unhashed."""
    assert leaves
    level: list[bytes] = list(leaves)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [sm3(_NODE + left + right) for left, right in pairs]
        if len(level) & 1:
            above.append(level[-1])
        level = above
    return level[0]


def group_hash(
    *, chain: str, seq: int, previous: bytes, root_hash: bytes, count: int, at_ms: int
) -> bytes:
    """The hash of a group."""
    head = _FIELD.join((chain, str(seq), str(count), str(at_ms)))
    return sm3(b"tillway-group\x1f" + head.encode() + b"\x1f" + previous + root_hash)
