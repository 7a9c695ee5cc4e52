"""Merkle trees of the RFC 6962 §2.1 shape, over any hash.

Rule 1: a leaf is hash(00 || data), a node hash(01 || left || right): none passes for the other.
Rule 2: a tree of n leaves splits at the largest power of two below n, so a proof has one shape.
"""

from collections.abc import Sequence

from protocol.crypto.hashes import Hash

_LEAF, _NODE = b"\x00", b"\x01"
TREE_LEAVES_MAX = 2**62


class Tree:
    """A tree over payloads that are all known. ``root`` of no payload is hash of nothing."""

    __slots__ = ("_levels", "root")

    def __init__(self, payloads: Sequence[bytes], digest: Hash) -> None:
        level = [digest(_LEAF + payload) for payload in payloads]
        self._levels = [level]
        while len(level) > 1:
            # An odd node at the end rises unchanged, which is RFC 6962's split seen from below.
            above = [
                digest(_NODE + level[at] + level[at + 1]) for at in range(0, len(level) - 1, 2)
            ]
            level = above + level[len(level) & ~1 :]
            self._levels.append(level)
        self.root = level[0] if level else digest(b"")

    def __len__(self) -> int:
        return len(self._levels[0])

    @property
    def leaves(self) -> tuple[bytes, ...]:
        """The hashes of the leaves, in order."""
        return tuple(self._levels[0])

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The audit path of one leaf, from the leaf upwards (RFC 6962 §2.1.1)."""
        if not 0 <= index < len(self):
            raise IndexError("no such leaf")
        path = []
        for level in self._levels:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return tuple(path)


def leaf_hash(payload: bytes, digest: Hash) -> bytes:
    """The hash of a leaf."""
    return digest(_LEAF + payload)


def node_hash(left: bytes, right: bytes, digest: Hash) -> bytes:
    """The hash of an inner node."""
    return digest(_NODE + left + right)


def root_from_proof(
    payload: bytes, index: int, size: int, proof: Sequence[bytes], digest: Hash
) -> bytes | None:
    """The root that a proof leads to (RFC 9162 §2.1.3.2); None when it fits no tree of ``size``.

    The caller compares the root with one it trusts: that comparison is the check.
    """
    if not 0 <= index < size <= TREE_LEAVES_MAX:
        return None
    node, position, last = leaf_hash(payload, digest), index, size - 1
    for sibling in proof:
        if last == 0 or len(sibling) != len(node):
            return None
        if position & 1 or position == last:
            node = node_hash(sibling, node, digest)
            while not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling, digest)
        position, last = position >> 1, last >> 1
    return node if last == 0 else None
