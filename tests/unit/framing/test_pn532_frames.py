"""Goal: frames survive any cut, and what is damaged is never taken for something."""

import pytest

from protocol.framing import pn532
from protocol.framing.pn532 import Ack, Code, Damaged, Data, FrameParser, Item, Skipped

FRAME = pn532.command(Code.IN_DATA_EXCHANGE, b"\x01\x30\x04")
SOUND = Data(pn532.HOST, b"\x40\x01\x30\x04")


def _frames(items: list[Item]) -> list[Item]:
    return [item for item in items if not isinstance(item, Skipped)]


def test_a_frame_is_read_byte_by_byte() -> None:
    parser, found = FrameParser(), []
    for value in pn532.WAKE_UP + FRAME:
        found += parser.feed(bytes([value]))
    assert _frames(found) == [SOUND]


def test_every_flipped_bit_is_seen() -> None:
    for position in range(3 * 8, (len(FRAME) - 1) * 8):
        damaged = bytearray(FRAME)
        damaged[position // 8] ^= 1 << position % 8
        assert SOUND not in FrameParser().feed(bytes(damaged))


def test_a_lost_byte_does_not_swallow_the_frame_behind_it() -> None:
    for position in range(1, len(FRAME) - 1):
        damaged = FRAME[:position] + FRAME[position + 1 :]
        assert SOUND in FrameParser().feed(damaged + FRAME)


def test_a_lost_postamble_costs_nothing() -> None:
    assert _frames(FrameParser().feed(FRAME[:-1])) == [SOUND]


def test_a_lost_zero_is_seen_by_whoever_insists_on_the_postamble() -> None:
    frame = pn532.command(Code.IN_DATA_EXCHANGE, b"\x01\x00\xa4")
    short = frame.replace(b"\x01\x00\xa4", b"\x01\xa4")
    assert _frames(FrameParser().feed(short)) != []
    parser = FrameParser(needs_postamble=True)
    assert _frames(parser.feed(short)) == []
    assert Damaged("postamble") in parser.feed(b"\x55")
    assert _frames(parser.feed(frame)) == [Data(pn532.HOST, b"\x40\x01\x00\xa4")]


def test_a_length_no_frame_has_is_refused_at_once() -> None:
    parser = FrameParser()
    too_long = bytes.fromhex("0000FFFFFF010AF5")
    assert Damaged("length") in parser.feed(too_long)
    assert not parser.is_mid_frame
    assert _frames(parser.feed(FRAME)) == [SOUND]


def test_all_bytes_come_out_again() -> None:
    data = pn532.WAKE_UP + FRAME + b"\x12\x00" + pn532.ACK + FRAME[:5]
    parser = FrameParser()
    found = parser.feed(data)
    assert b"".join(item.raw for item in found) + FRAME[1:5] == data
    assert Ack() in found
    assert parser.is_mid_frame


def test_a_frame_takes_264_bytes_and_no_more() -> None:
    longest = bytes(range(256)) + bytes(8)
    assert _frames(FrameParser().feed(pn532.encode(pn532.CHIP, longest))) == [
        Data(pn532.CHIP, longest)
    ]
    with pytest.raises(ValueError, match="264"):
        pn532.encode(pn532.CHIP, longest + b"\x00")
