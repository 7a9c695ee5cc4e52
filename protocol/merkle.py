"""Merkle trees of the RFC 6962 §2.1 shape, over any hash.

Rule 1: a leaf is hash(00 || data), a node hash(01 || left || right): none passes for the other.
Rule 2: a tree of n leaves splits at the largest power of two below n, so a proof has one shape.
Rule 3: a log is a tree that grows. Its *complete* nodes (level l, position p: the root over leaves
        p·2^l to (p+1)·2^l - 1) never change, so roots and proofs of every size are made of them.
"""

from collections.abc import Callable, Sequence

from protocol.crypto.hashes import Hash

Nodes = Callable[[int, int], bytes]
"""The complete node of a level and a position; level 0 are the hashes of leaves."""

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

    def node(self, level: int, position: int) -> bytes:
        """A complete node, for ``Nodes``."""
        return self._levels[level][position]

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


class Frontier:
    """A log that only grows, in the memory of its height: what is needed to go on and its root."""

    __slots__ = ("_complete", "_digest", "size")

    def __init__(self, digest: Hash) -> None:
        self._digest = digest
        self._complete: list[bytes] = []
        self.size = 0

    @classmethod
    def resumed(cls, size: int, nodes: Nodes, digest: Hash) -> "Frontier":
        """The frontier of a log that has ``size`` leaves already."""
        frontier = cls(digest)
        frontier.size = size
        frontier._complete = [
            nodes(level, (size >> level) - 1)
            for level in reversed(range(size.bit_length()))
            if size >> level & 1
        ]
        return frontier

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add the hash of a leaf. The nodes it completes, from the leaf upwards: level, position,
        hash."""
        node, level, position = leaf, 0, self.size
        made = [(level, position, node)]
        while position & 1:
            node = node_hash(self._complete.pop(), node, self._digest)
            level, position = level + 1, position >> 1
            made.append((level, position, node))
        self._complete.append(node)
        self.size += 1
        return made

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._complete:
            return self._digest(b"")
        *left, node = self._complete
        for other in reversed(left):
            node = node_hash(other, node, self._digest)
        return node


def log_root(size: int, nodes: Nodes, digest: Hash) -> bytes:
    """The root over the first ``size`` leaves of a log."""
    return _range_root(0, size, nodes, digest) if size else digest(b"")


def inclusion_path(index: int, size: int, nodes: Nodes, digest: Hash) -> tuple[bytes, ...]:
    """The audit path of a leaf among the first ``size`` (RFC 6962 §2.1.1), leaf upwards."""
    if not 0 <= index < size:
        raise IndexError("no such leaf")
    start, end = 0, size
    path = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, nodes, digest))
            end = middle
        else:
            path.append(_range_root(start, middle, nodes, digest))
            start = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int, nodes: Nodes, digest: Hash) -> tuple[bytes, ...]:
    """The proof that the first ``old`` leaves are those of size ``new``, too (RFC 6962 §2.1.2)."""
    if not 0 <= old <= new:
        raise IndexError("a log does not shrink")
    if old in (0, new):
        return ()
    start, end = 0, new
    path = []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(middle, end, nodes, digest))
            end = middle
        else:
            path.append(_range_root(start, middle, nodes, digest))
            start = middle
    if start:
        path.append(_range_root(start, end, nodes, digest))
    return tuple(reversed(path))


def is_consistent(
    old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes], digest: Hash
) -> bool:
    """Whether the log of size and root ``new`` begins with that of ``old`` (RFC 9162 §2.1.4.2)."""
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 <= old_size <= new_size <= TREE_LEAVES_MAX:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == digest(b"")
    if any(len(node) != len(old_root) for node in proof):
        return False
    is_power = old_size & (old_size - 1) == 0
    path = [old_root, *proof] if is_power else list(proof)
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    if not path:
        return False
    before = after = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = node_hash(node, before, digest), node_hash(node, after, digest)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            after = node_hash(after, node, digest)
        position, last = position >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _range_root(start: int, end: int, nodes: Nodes, digest: Hash) -> bytes:
    """The root over leaves ``start`` to ``end``, a range that rule 2 cuts out of some log."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(size)
    left = _range_root(start, middle, nodes, digest)
    return node_hash(left, _range_root(middle, end, nodes, digest), digest)


def _split(size: int) -> int:
    """The largest power of two below the size, which is above one."""
    return 1 << (size - 1).bit_length() - 1


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
