"""Goal: our frames are the manual's frames. Method: vectors of GM65 manual V1.3."""

import pytest

from protocol.framing import gm65
from protocol.framing.crc16 import crc16_xmodem

COMMAND_VECTORS = [
    (gm65.read(0x000A), "7E 00 07 01 00 0A 01 EE 8A"),
    (gm65.write(0x000A, b"\x3e"), "7E 00 08 01 00 0A 3E 4C CF"),
    (gm65.save(), "7E 00 09 01 00 00 00 DE C8"),
    (gm65.read(0x002A, 2), "7E 00 07 01 00 2A 02 D8 0F"),
    (gm65.write(0x002A, b"\x39\x01"), "7E 00 08 02 00 2A 39 01 A7 EA"),
    (gm65.Command(gm65.CommandType.SAVE, 0, b"\xff"), "7E 00 09 01 00 00 FF C0 38"),
]
REPLY_VECTORS = [
    (gm65.Reply(0, b"\x3e"), "02 00 00 01 3E E4 AC"),
    (gm65.Reply(0, b"\x00"), "02 00 00 01 00 33 31"),
    (gm65.Reply(0, b"\x39\x01"), "02 00 00 02 39 01 C1 4C"),
]


def test_crc_of_the_check_string_is_31c3() -> None:
    assert crc16_xmodem(b"123456789") == 0x31C3


@pytest.mark.parametrize(("command", "frame"), COMMAND_VECTORS)
def test_commands_are_encoded_and_read_as_in_the_manual(command: gm65.Command, frame: str) -> None:
    encoded = bytes.fromhex(frame)
    assert gm65.encode_command(command) == encoded
    assert gm65.CommandParser().feed(encoded, 0) == [command]


@pytest.mark.parametrize(("reply", "frame"), REPLY_VECTORS)
def test_replies_are_encoded_and_read_as_in_the_manual(reply: gm65.Reply, frame: str) -> None:
    encoded = bytes.fromhex(frame)
    assert gm65.encode_reply(reply) == encoded
    assert gm65.HostParser().feed(encoded) == [reply]


def test_checksum_abcd_is_always_accepted() -> None:
    trigger = bytes.fromhex("7E 00 08 01 00 02 01 AB CD")
    assert gm65.CommandParser().feed(trigger, 0) == [gm65.write(2, b"\x01")]


def test_a_flipped_bit_in_a_command_is_not_answered() -> None:
    frame = bytearray(gm65.encode_command(gm65.write(0x000A, b"\x3e")))
    for position in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[position // 8] ^= 1 << position % 8
        assert gm65.CommandParser().feed(bytes(damaged), 0) == []


def test_a_frame_not_finished_within_400_ms_is_dropped_and_the_next_one_is_read() -> None:
    frame = gm65.encode_command(gm65.read(0x000A))
    parser = gm65.CommandParser()
    assert parser.feed(frame[:5], 0) == []
    assert parser.feed(frame[5:], 401) == []
    assert parser.feed(frame, 500) == [gm65.read(0x000A)]


def test_a_frame_finished_at_400_ms_is_read() -> None:
    frame = gm65.encode_command(gm65.read(0x000A))
    parser = gm65.CommandParser()
    parser.feed(frame[:5], 0)
    assert parser.feed(frame[5:], 400) == [gm65.read(0x000A)]


def test_bytes_outside_a_frame_are_ignored() -> None:
    noise = b"\x00\x7e\x7e\x01\xff"
    frame = gm65.encode_command(gm65.read(0x0000))
    assert gm65.CommandParser().feed(noise + frame + noise, 0) == [gm65.read(0x0000)]


def test_a_code_in_front_of_the_reply_is_told_from_the_reply() -> None:
    stream = b"134567890123456789\r" + gm65.encode_reply(gm65.Reply(0, b"\x00"))
    assert gm65.HostParser().feed(stream) == [
        gm65.Text(b"134567890123456789"),
        gm65.Reply(0, b"\x00"),
    ]


def test_a_reply_behind_noise_is_found() -> None:
    stream = bytes.fromhex("00ff55aa7f3c") + gm65.encode_reply(gm65.Reply(0, b"\x00"))
    assert gm65.HostParser().feed(stream)[-1] == gm65.Reply(0, b"\x00")


def test_a_flipped_bit_in_a_reply_is_seen() -> None:
    frame = gm65.encode_reply(gm65.Reply(0, b"\x3e"))
    for position in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[position // 8] ^= 1 << position % 8
        found = gm65.HostParser().feed(bytes(damaged))
        assert not any(isinstance(item, gm65.Reply) for item in found)


def test_text_without_end_does_not_fill_the_memory() -> None:
    parser = gm65.HostParser()
    for _ in range(100):
        parser.feed(b"1" * 1000)
        assert len(parser._buffer) <= 4097


def test_framed_text_and_a_heartbeats_answer_are_told_apart() -> None:
    stream = bytes.fromhex("03 00 00 01 00 33 31 03 00 02 39 0D 04 00 01 38 02 00 00 01 00 33 31")
    assert gm65.HostParser(has_frames=True).feed(stream) == [
        gm65.Reply(0, b"\x00", is_heartbeat=True),
        gm65.Text(b"9"),
        gm65.Text(b"8"),
        gm65.Reply(0, b"\x00"),
    ]


def test_framed_text_that_claims_too_much_is_damaged() -> None:
    assert gm65.HostParser(has_frames=True).feed(b"\x04\xff\xff") == [gm65.Damaged("text_too_long")]
