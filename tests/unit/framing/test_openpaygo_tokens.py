"""Prepaid tokens: the reference library and we make and read the same."""

import pytest
from openpaygo.token_decode import OpenPAYGOTokenDecoder
from openpaygo.token_encode import OpenPAYGOTokenEncoder
from openpaygo.token_shared import TokenType

from protocol.errors import CallerError
from protocol.framing.openpaygo import (
    Token,
    make_token,
    next_adding_count,
    read_token,
    siphash_2_4,
)

KEY = bytes.fromhex("a29ab82edc5fbbc41ec9530f6dac86b1")


def test_the_hash_is_the_authors() -> None:
    """The paper's example: key 00…0f, message 00…0e."""
    assert siphash_2_4(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5


@pytest.mark.parametrize(("last", "days"), [(1, 1), (2, 30), (7, 365), (20, 995)])
def test_the_reference_library_makes_and_reads_the_same(last: int, days: int) -> None:
    count, theirs = OpenPAYGOTokenEncoder.generate_token(KEY.hex(), last, days, TokenType.ADD_TIME)
    assert count == next_adding_count(last)
    assert make_token(KEY, count=count, days=days) == theirs
    value, kind, found, _ = OpenPAYGOTokenDecoder.decode_token(theirs, KEY.hex(), last)
    assert (value, kind, found) == (days, TokenType.ADD_TIME, count)
    assert read_token(KEY, theirs, last_count=last) == Token(count, days)


def test_a_token_of_another_meter_or_far_ahead_or_no_number_is_none() -> None:
    token = make_token(KEY, count=4, days=7)
    assert read_token(bytes(16), token, last_count=2) is None
    assert read_token(KEY, make_token(KEY, count=90, days=7), last_count=2) is None
    assert read_token(KEY, "12345678x", last_count=2) is None
    assert read_token(KEY, token, last_count=9) == Token(4, 7), "one that was taken before"
    for count, days in ((0, 1), (2, 0), (2, 996)):
        with pytest.raises(CallerError):
            make_token(KEY, count=count, days=days)
