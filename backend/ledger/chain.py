"""The group chain: every group of transfers is hashed over the one before it. Pure.

A leaf is one linked chain of transfers (what was posted together). A group's root is the RFC 6962
tree over its leaves in posting order, with SM3; its hash covers the chain's name, the sequence
number, the count, the time, the previous hash and the root. Nothing can be changed, added, removed
or moved without changing every later hash.

Fields are joined by U+001F, records by U+001E, which no field contains; NULL is written ``None``,
which no field says (``verify`` insists on both).
"""

from collections.abc import Sequence
from itertools import chain as joined
from typing import Any

from backend.ledger.model import Transfer
from protocol.crypto.hashes import sm3
from protocol.merkle import Tree

GENESIS = bytes(32)
HASH_BYTES = 32
_FIELD, _RECORD = "\x1f", "\x1e"
SEPARATORS = frozenset(_FIELD + _RECORD)
_ROW = _FIELD.join(["%s"] * (len(Transfer._fields) + 1))
_FORMS = ["%d" if name in {"link", "amount_minor"} else "%s" for name in Transfer._fields]
"""As in ``_ROW``, and faster for a number."""
_DOMAIN = b"tillway-group\x1f"


def payload(rows: Sequence[Sequence[Any]]) -> bytes:
    """What a leaf hashes: the rows of one linked chain, each up to and including ``at_ms``."""
    return _RECORD.join([_ROW % tuple(row) for row in rows]).encode()


def tree(linked: Sequence[Sequence[Sequence[Any]]]) -> Tree:
    """The tree over a group's linked chains."""
    return Tree([payload(rows) for rows in linked], sm3)


def group_tree(linked: Sequence[Sequence[Sequence[Any]]], at_ms: int) -> Tree:
    """The tree of a group that is being sealed now; each transfer gets the time ``at_ms``."""
    row = _FIELD.join([*_FORMS, str(at_ms)])
    forms = [_RECORD.join([row] * count) for count in range(max(map(len, linked)) + 1)]
    leaves = [
        (forms[len(transfers)] % tuple(joined.from_iterable(transfers))).encode()
        for transfers in linked
    ]
    return Tree(leaves, sm3)


def group_hash(
    *, chain: str, seq: int, previous: bytes, root: bytes, count: int, at_ms: int
) -> bytes:
    """The hash of a group."""
    head = _FIELD.join((chain, str(seq), str(count), str(at_ms), ""))
    return sm3(_DOMAIN + head.encode() + previous + root)
