"""A log that grows: roots, inclusion and consistency, against RFC 6962's own words and vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto import sha256, sm3
from protocol.crypto.hashes import Hash
from protocol.merkle import (
    Frontier,
    Tree,
    consistency_path,
    inclusion_path,
    is_consistent,
    leaf_hash,
    log_root,
    root_from_proof,
)

# The leaves of the RFC 6962 reference implementation and its roots, by number of leaves.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
SIZES_MAX = 40


def log_of(size: int, digest: Hash) -> Tree:
    return Tree([index.to_bytes(2, "big") for index in range(size)], digest)


@pytest.mark.parametrize("size", ROOTS)
def test_a_growing_log_has_the_roots_of_the_reference_vectors(size: int) -> None:
    frontier = Frontier(sha256)
    assert frontier.root == sha256(b"")
    for leaf in LEAVES[:size]:
        frontier.append(leaf_hash(leaf, sha256))
    assert frontier.root.hex() == ROOTS[size]
    assert log_root(size, Tree(LEAVES, sha256).node, sha256).hex() == ROOTS[size]


# The inclusion and consistency paths of the same reference, as (index or old size, size, path).
INCLUSION = [
    (0, 1, []),
    (0, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (5, 8, ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
]  # fmt: skip
CONSISTENCY = [
    (1, 1, []),
    (1, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (6, 8, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
]  # fmt: skip


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_an_inclusion_path_is_the_reference_s(index: int, size: int, path: list[str]) -> None:
    nodes = Tree(LEAVES, sha256).node
    assert [node.hex() for node in inclusion_path(index, size, nodes, sha256)] == path


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_a_consistency_path_is_the_reference_s(old: int, new: int, path: list[str]) -> None:
    nodes = Tree(LEAVES, sha256).node
    assert [node.hex() for node in consistency_path(old, new, nodes, sha256)] == path


@pytest.mark.parametrize("digest", [sm3, sha256])
def test_every_size_is_consistent_with_every_later_one_and_with_nothing_else(
    digest: Hash,
) -> None:
    nodes = log_of(SIZES_MAX, digest).node
    roots = [log_of(size, digest).root for size in range(SIZES_MAX + 1)]
    for new in range(SIZES_MAX + 1):
        assert log_root(new, nodes, digest) == roots[new]
        for old in range(new + 1):
            path = consistency_path(old, new, nodes, digest)
            assert is_consistent((old, roots[old]), (new, roots[new]), path, digest)
            assert not is_consistent((old, digest(b"x")), (new, roots[new]), path, digest)
            if old:
                assert not is_consistent((old, roots[old]), (new, digest(b"x")), path, digest)
            assert not is_consistent((old, roots[old]), (new, roots[new]), (*path, bytes(32)),
                                     digest)  # fmt: skip
            if path:
                assert not is_consistent((old, roots[old]), (new, roots[new]), path[1:], digest)


def test_a_log_does_not_shrink() -> None:
    root = log_of(3, sm3).root
    assert not is_consistent((3, root), (2, log_of(2, sm3).root), (), sm3)
    with pytest.raises(IndexError):
        consistency_path(3, 2, log_of(3, sm3).node, sm3)
    with pytest.raises(IndexError):
        inclusion_path(3, 3, log_of(3, sm3).node, sm3)


@given(st.integers(1, 200), st.data())
def test_a_path_of_complete_nodes_is_the_tree_s_own_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    whole, wider = log_of(size, sm3), log_of(size + 9, sm3)
    path = inclusion_path(index, size, wider.node, sm3)
    assert path == whole.proof(index)
    assert root_from_proof(index.to_bytes(2, "big"), index, size, path, sm3) == whole.root


@given(st.integers(1, 130))
def test_a_frontier_tells_each_complete_node_once(size: int) -> None:
    frontier = Frontier(sm3)
    made = [
        one
        for index in range(size)
        for one in frontier.append(leaf_hash(index.to_bytes(2, "big"), sm3))
    ]
    tree = log_of(size, sm3)
    assert frontier.root == tree.root
    assert len({(level, position) for level, position, _ in made}) == len(made)
    wanted = {(level, position) for level in range(9) for position in range(size >> level)}
    assert {(level, position) for level, position, _ in made} == wanted
    for level, position, node in made:
        assert node == tree.node(level, position)


@given(st.integers(0, 70), st.integers(0, 20))
def test_a_frontier_goes_on_where_a_log_stands(size: int, more: int) -> None:
    tree = log_of(size + more, sm3)
    frontier = Frontier.resumed(size, tree.node, sm3)
    for index in range(size, size + more):
        frontier.append(leaf_hash(index.to_bytes(2, "big"), sm3))
    assert (frontier.size, frontier.root) == (size + more, tree.root)
