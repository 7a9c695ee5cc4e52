"""Goal: MDB blocks as the bus carries them. Method: blocks worked out by hand from the standard's
rules, and what a sniffer on a real bus has shown.
"""

import pytest

from protocol.errors import CallerError
from protocol.framing import mdb

SNIFFED_CONFIG = bytes.fromhex("0103175601021e")


def test_a_poll_is_its_address_with_the_mode_bit_and_the_checksum() -> None:
    assert mdb.encode_command(b"\x12") == (0x112, 0x12)


def test_an_answer_has_the_mode_bit_on_its_last_word_only() -> None:
    assert mdb.encode_answer(b"\x00") == (0x00, 0x100)
    block = mdb.encode_answer(SNIFFED_CONFIG)
    assert block[-1] == mdb.MODE | (0x01 + 0x03 + 0x17 + 0x56 + 0x01 + 0x02 + 0x1E)
    assert mdb.parse_answer(block) == SNIFFED_CONFIG


def test_a_command_is_read_back() -> None:
    setup = bytes.fromhex("110003000000")
    assert mdb.parse_command(mdb.encode_command(setup)) == setup


def test_each_flipped_bit_of_a_block_is_seen() -> None:
    block = mdb.encode_command(bytes.fromhex("1300000a0003"))
    for place in range(len(block)):
        for bit in range(9):
            damaged = list(block)
            damaged[place] ^= 1 << bit
            assert isinstance(mdb.parse_command(tuple(damaged)), mdb.Damaged)


@pytest.mark.parametrize("block", [(), (0x112,), (0x112, *[0] * 36), (0x12, 0x12)])
def test_what_is_no_block_is_damaged(block: mdb.Block) -> None:
    assert isinstance(mdb.parse_command(block), mdb.Damaged)
    assert isinstance(mdb.parse_answer(block), mdb.Damaged)


def test_a_block_longer_than_the_bus_allows_is_not_made() -> None:
    assert len(mdb.encode_command(bytes(35))) == 36
    for data in (b"", bytes(36)):
        with pytest.raises(CallerError, match="field_invalid"):
            mdb.encode_command(data)


def test_a_currency_is_its_number_behind_a_one() -> None:
    assert mdb.bcd_currency("156") == b"\x11\x56"
