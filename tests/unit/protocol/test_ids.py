"""Identifiers: prefixed, ordered by time, equal to their sixteen bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import CallerError
from protocol.ids import PREFIXES, from_bytes, is_id, mint, to_bytes

prefixes = st.sampled_from(sorted(PREFIXES))


@given(prefixes, st.binary(min_size=16, max_size=16))
def test_text_and_bytes_are_two_forms_of_one_id(prefix: str, raw: bytes) -> None:
    text = from_bytes(prefix, raw)
    assert to_bytes(text, prefix=prefix) == raw
    assert is_id(text, prefix=prefix)


@given(prefixes, st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10))
def test_a_later_id_sorts_after_an_earlier_one(prefix: str, time_ms: int, random: bytes) -> None:
    earlier = mint(prefix, time_ms=time_ms, random_bytes=b"\xff" * 10)
    assert earlier < mint(prefix, time_ms=time_ms + 1, random_bytes=random)


@given(st.text(max_size=40))
def test_anything_else_is_refused_by_its_code(text: str) -> None:
    if not is_id(text, prefix="pay"):
        with pytest.raises(CallerError) as caught:
            to_bytes(text, prefix="pay")
        assert caught.value.code == "id_invalid"


@pytest.mark.parametrize(
    "text",
    [
        "req_" + "0" * 26,
        "pay_" + "0" * 25,
        "pay_" + "0" * 25 + "U",
        "pay_8" + "0" * 25,
        "pay_" + "0" * 25 + "o",
    ],
)
def test_another_prefix_length_letter_or_a_129th_bit_is_refused(text: str) -> None:
    assert not is_id(text, prefix="pay")


def test_minting_needs_a_known_prefix_ten_bytes_and_a_sane_time() -> None:
    with pytest.raises(ValueError, match="prefix"):
        mint("xxx", time_ms=0, random_bytes=b"0" * 10)
    with pytest.raises(ValueError, match="10 random bytes"):
        mint("pay", time_ms=0, random_bytes=b"0")
    with pytest.raises(ValueError, match="48 bits"):
        mint("pay", time_ms=2**48, random_bytes=b"0" * 10)
