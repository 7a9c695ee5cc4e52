"""Goal: messages travel as lines, whole or not at all.

The vector is the echo example of the SMP packet encoder's documentation.
"""

import pytest

from protocol.framing import smp
from protocol.framing.crc16 import crc16_xmodem
from protocol.framing.smp import ConsoleText, Damaged, Group, LineParser, Message, Op, Received


def _echo(words: str) -> Message:
    return smp.message(Op.WRITE, Group.OS, 0, {"d": words}, sequence=7)


def _heard(data: bytes) -> list[smp.Item]:
    return LineParser().feed(data)


def test_the_header_is_as_published() -> None:
    packed = smp.pack(_echo("hi"))
    assert packed.hex() == "0a000006000007" + "00" + "a161646268 69".replace(" ", "")
    assert smp.unpack(packed) == _echo("hi")


def test_the_line_is_as_published() -> None:
    """The published line is of ``Hello, world!``, which is no message; its checksum stands."""
    import base64

    text = base64.b64decode(b"AA9IZWxsbywgd29ybGQhet4=")
    assert text[2:-2] == b"Hello, world!"
    assert crc16_xmodem(text[2:-2]).to_bytes(2, "big") == text[-2:]
    assert _heard(b"\x06\x09AA9IZWxsbywgd29ybGQhet4=\n") == [
        Damaged("header", b"\x06\x09AA9IZWxsbywgd29ybGQhet4=\n")
    ]


@pytest.mark.parametrize("count", [0, 1, 60, 90, 91, 500, 1500])
def test_long_messages_are_cut_into_lines_and_joined(count: int) -> None:
    sent = _echo("x" * count)
    lines = smp.encode(sent)
    assert max(map(len, lines.splitlines(keepends=True))) <= 127
    assert [item.message for item in _heard(lines) if isinstance(item, Received)] == [sent]


def test_console_text_between_messages_is_given_back() -> None:
    sent, line = _echo("x"), smp.encode(_echo("x"))
    items = _heard(b"booting\r\n" + line + b"uart:~$ " + line)
    assert items[0] == ConsoleText(b"booting\r\n")
    assert items[1] == Received(sent, line)
    assert items[2:] == [ConsoleText(b"uart:~$ "), Received(sent, line)]


def test_a_beginning_that_was_cut_off_does_not_hide_the_next_message() -> None:
    line = smp.encode(_echo("x"))
    assert _heard(b"\x06\x09AAx" + line)[-1] == Received(_echo("x"), line)


def test_every_flipped_bit_is_noticed() -> None:
    sent, line = _echo("abc"), smp.encode(_echo("abc"))
    for at in range(len(line)):
        for bit in range(8):
            broken = bytearray(line)
            broken[at] ^= 1 << bit
            heard = [item for item in _heard(bytes(broken) + b"\n") if isinstance(item, Received)]
            assert all(item.message == sent for item in heard), (at, bit)


def test_a_lost_line_loses_its_message_only() -> None:
    lines = smp.encode(_echo("y" * 300)).splitlines(keepends=True)
    items = _heard(lines[0] + lines[2] + lines[3] + smp.encode(_echo("z")))
    assert [item.message for item in items if isinstance(item, Received)] == [_echo("z")]
    assert any(isinstance(item, Damaged) for item in items)


def test_a_continuation_without_a_beginning_is_console_text() -> None:
    line = smp.encode(_echo("y" * 300)).splitlines(keepends=True)[1]
    assert _heard(line) == [ConsoleText(line)]


def test_maps_of_indefinite_length_are_read() -> None:
    found = Message(Op.WRITE_ANSWER, Group.OS, 0, bytes.fromhex("bf61726268 69ff".replace(" ", "")))
    assert found.fields() == {"r": "hi"}


@pytest.mark.parametrize("body", [b"", b"\x80", b"\xa1\x61", b"\xa0\x00", b"\xfb" + bytes(8)])
def test_what_is_no_map_is_none(body: bytes) -> None:
    assert Message(Op.READ, Group.OS, 6, body).fields() is None
