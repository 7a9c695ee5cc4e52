"""Properties of signatures, COSE and Merkle trees."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import cose, merkle
from protocol.crypto import SUITES, VerifyKey, generate, sha256, sm3, unseal
from protocol.errors import CallerError

KEYS = [generate(name) for name in SUITES]
payload_lists = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


@given(st.sampled_from(KEYS), st.binary(max_size=200), st.binary(max_size=80))
def test_arbitrary_signature_bytes_are_refused_without_an_exception(
    key: object, message: bytes, signature: bytes
) -> None:
    assert not key.public.verify(signature, message)  # type: ignore[attr-defined]


@given(st.sampled_from(KEYS), st.binary(max_size=500), st.binary(max_size=40))
@settings(max_examples=50)
def test_sign_then_parse_then_verify_is_true(key: object, payload: bytes, aad: bytes) -> None:
    message = cose.parse1(cose.sign1(key, payload, aad))  # type: ignore[arg-type]
    assert message.payload == payload
    assert cose.verify1(message, key.public, aad)  # type: ignore[attr-defined]


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda b: b"\xd2\x84" + b)))
def test_arbitrary_bytes_never_crash_the_cose_parser(data: bytes) -> None:
    with contextlib.suppress(CallerError):
        cose.parse1(data)


@given(st.sampled_from(sorted(SUITES)), st.binary(max_size=70))
def test_arbitrary_public_keys_never_crash(name: str, public: bytes) -> None:
    with contextlib.suppress(CallerError):
        VerifyKey(SUITES[name], public)


@given(st.binary(max_size=120))
def test_arbitrary_bytes_are_no_sealed_key(data: bytes) -> None:
    with pytest.raises(CallerError):
        unseal(data, b"a passphrase")


@given(payload_lists, st.data())
def test_every_leaf_is_included_and_nothing_else_is(
    payloads: list[bytes], data: st.DataObject
) -> None:
    tree = merkle.Tree(payloads, sm3)
    size = len(payloads)
    index = data.draw(st.integers(0, size - 1))
    proof = tree.proof(index)

    def holds(payload: bytes, at: int, of: int, path: tuple[bytes, ...]) -> bool:
        return merkle.root_from_proof(payload, at, of, path, sm3) == tree.root

    assert holds(payloads[index], index, size, proof)
    assert not holds(payloads[index] + b"!", index, size, proof)
    assert not holds(payloads[index], index, size, (*proof, b"\x00" * 32))
    assert not holds(payloads[index], -1, size, proof)
    assert not holds(payloads[index], size, size, proof)
    if proof:
        assert not holds(payloads[index], index, size, proof[:-1])
        assert not holds(payloads[index], index, size, (bytes(31), *proof[1:]))
        step = data.draw(st.integers(0, len(proof) - 1))
        bent = bytes((proof[step][0] ^ 1,)) + proof[step][1:]
        assert not holds(payloads[index], index, size, (*proof[:step], bent, *proof[step + 1 :]))


def _root_by_definition(payloads: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not payloads:
        return sha256(b"")
    if len(payloads) == 1:
        return sha256(b"\x00" + payloads[0])
    k = 1 << (len(payloads) - 1).bit_length() - 1
    left, right = _root_by_definition(payloads[:k]), _root_by_definition(payloads[k:])
    return sha256(b"\x01" + left + right)


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_root_is_the_one_rfc_6962_defines(payloads: list[bytes]) -> None:
    assert merkle.Tree(payloads, sha256).root == _root_by_definition(payloads)


LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("size", "root"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9c"),
        (2, "fac54203e7cc696c"),
        (4, "d37ee418976dd957"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_the_published_roots_of_certificate_transparency(size: int, root: str) -> None:
    assert merkle.Tree(LEAVES[:size], sha256).root.hex().startswith(root)


def test_an_index_outside_the_tree_has_no_proof() -> None:
    with pytest.raises(IndexError):
        merkle.Tree([b"a"], sm3).proof(1)
