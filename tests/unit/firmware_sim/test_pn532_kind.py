"""Goal: a board's reader is reached by its acts, its wire is read, and no number is kept whole."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.board_file import board_with, load_board
from firmware_sim.frames import Frame, Side
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.pn532_frames import Pn532Decoder
from protocol.errors import CallerError
from protocol.framing import apdu, pn532
from protocol.framing.payment_card import luhn_holds, mask_pan, pan_in, secret_spans
from protocol.framing.pn532 import Code

CODE = "134567890123456789"
LIST = pn532.command(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")


def _exchange(content: bytes) -> bytes:
    return pn532.command(Code.IN_DATA_EXCHANGE, b"\x01" + content)


def test_cards_are_held_taken_and_written() -> None:
    with VirtualBoard(board_with("pn532", device="reader")) as board:
        state = board.do("reader", "present", card="tag")
        assert state["cards"] == ["tag"]
        assert state["texts"] == {"tag": "13************6789"}
        board.send("reader", pn532.WAKE_UP + LIST)
        assert board.receive("reader", 100, within_ms=50).startswith(pn532.ACK)
        assert board.state("reader")["activated"] == 1
        assert board.do("reader", "write", card="tag", text="short")["texts"] == {"tag": "short"}
        board.do("reader", "present", text=CODE)
        assert board.do("reader", "remove")["cards"] == []
        board.do("reader", "present", text="another")
        with pytest.raises(CallerError, match="lies before"):
            board.do("reader", "present", text="another")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("present", {}), ("present", {"card": "tag", "text": "x"}), ("present", {"card": "none"}),
        ("remove", {"card": "tag"}), ("write", {"card": "visa", "text": "x"}),
        ("write", {"card": "tag", "text": "x" * 200}),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(act: str, words: dict[str, str]) -> None:
    with (
        VirtualBoard(board_with("pn532", device="reader")) as board,
        pytest.raises(CallerError),
    ):
        board.do("reader", act, **words)


BOARD = """
name: till
devices:
  reader:
    kind: pn532
    cards:
      door: {type: mifare_classic, uid: "01020304", blocks: {"4": %s}}
      both: {type: emv, schemes: [visa, unionpay], blocked: true}
      poster: {type: ntag213, uri: "https://tillway.example"}
""" % ("00" * 16)


def test_cards_of_a_board_file_are_built_as_it_says(tmp_path: Path) -> None:
    file = tmp_path / "till.yaml"
    file.write_text(BOARD)
    with VirtualBoard(load_board(str(file))) as board:
        assert board.state("reader")["texts"] == {"poster": "https://tillway.example"}
        for card in ("door", "both"):
            board.do("reader", "present", card=card)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("[visa, unionpay]", "[]"), ("mifare_classic", "mifare"), ("01020304", "0102"),
        ("https://tillway.example", "x" * 140), ("blocked: true", "pan: 1"), ('"4"', '"64"'),
    ],
)  # fmt: skip
def test_a_card_that_cannot_be_is_refused_with_its_line(
    tmp_path: Path, right: str, wrong: str
) -> None:
    file = tmp_path / "till.yaml"
    file.write_text(BOARD.replace(right, wrong))
    with pytest.raises(CallerError, match=r"till\.yaml:[0-9]+"):
        load_board(str(file))


def _read(*said: tuple[Side, bytes]) -> list[Frame]:
    decoder = Pn532Decoder()
    return [frame for side, data in said for frame in decoder.feed(side, data)]


def test_a_conversation_is_read_whole_and_byte_for_byte() -> None:
    answer = pn532.answer(Code.IN_LIST_PASSIVE_TARGET, bytes.fromhex("01010044000704112233445566"))
    said = [
        (Side.HOST, pn532.WAKE_UP + b"\x99" + LIST), (Side.DEVICE, pn532.ACK + answer),
        (Side.HOST, pn532.NACK), (Side.DEVICE, pn532.ERROR),
        (Side.HOST, pn532.command(0x8C, b"x")), (Side.HOST, LIST[:-2] + b"\x00\x00"),
    ]  # fmt: skip
    frames = _read(*said)
    assert [frame.name for frame in frames] == [
        "junk", "in_list_passive_target", "ack", "in_list_passive_target_answer", "nack",
        "syntax_error", "command_8c", "junk", "junk",
    ]  # fmt: skip
    assert frames[3].fields == {"targets": 1, "sak": "00", "uid": "04112233445566"}
    for side in Side:
        kept = b"".join(frame.raw for frame in frames if frame.side is side)
        assert b"".join(data for who, data in said if who is side).startswith(kept)
    assert _read((Side.HOST, pn532.WAKE_UP + b"\x55" + LIST))[0].name == "wake_up"


def test_commands_to_cards_are_named_and_their_answers_judged() -> None:
    frames = _read(
        (Side.HOST, _exchange(apdu.read_record(1, 2))),
        (Side.DEVICE, pn532.answer(Code.IN_DATA_EXCHANGE, b"\x00\x6a\x83")),
        (Side.HOST, pn532.command(Code.IN_COMMUNICATE_THRU, b"\x30\x04")),
        (Side.DEVICE, pn532.answer(Code.IN_COMMUNICATE_THRU, b"\x02")),
    )
    assert [frame.fields for frame in frames] == [
        {"target": 1, "card": "read_record", "bytes": 5},
        {"status": "ok", "bytes": 2, "sw": "6a83"},
        {"card": "read", "bytes": 2},
        {"status": "crc", "bytes": 0},
    ]


def test_numbers_codes_and_keys_are_hidden() -> None:
    track = bytes.fromhex("5711 6200000000000005D30122010000000000")
    pan = bytes.fromhex("5A08 4242424242424242")
    frames = _read(
        (Side.DEVICE, pn532.answer(Code.IN_DATA_EXCHANGE, b"\x00\x70\x13" + track + b"\x90\x00")),
        (Side.DEVICE, pn532.answer(Code.IN_DATA_EXCHANGE, b"\x00\x70\x0a" + pan + b"\x90\x00")),
        (Side.DEVICE, pn532.answer(Code.IN_DATA_EXCHANGE, b"\x00\x02en" + CODE[:9].encode())),
        (Side.HOST, _exchange(b"\x60\x04" + b"\xa1" * 6 + b"\xde\xad\xbe\xef")),
        (Side.HOST, pn532.command(Code.IN_COMMUNICATE_THRU, b"\x1b\xa1\xa1\xa1\xa1")),
    )
    shown = [frame.hex() for frame in frames]
    assert "5711620000" + "**" * 3 + "0005" + "**" * 9 + "9000" in shown[0]
    assert "5a08424242" + "**" * 3 + "42429000" in shown[1]
    assert "02656e" + "**" * 9 in shown[2]
    assert "6004" + "**" * 6 + "deadbeef" in shown[3]
    assert "1b" + "**" * 4 in shown[4]


def _damaged(frame: bytes) -> Iterator[bytes]:
    """The frame with each byte lost, said twice, or with a wrong bit."""
    for at, value in enumerate(frame):
        head, tail = frame[:at], frame[at + 1 :]
        yield head + tail
        yield head + bytes([value, value]) + tail
        yield head + bytes([value ^ 0x04]) + tail


def test_a_number_in_a_damaged_frame_is_hidden_as_well() -> None:
    pan = bytes.fromhex("5A0A 6217 8539 0264 1730 000F")
    record = b"\x00\x70\x0c" + pan + b"\x90\x00"
    for said in _damaged(pn532.answer(Code.IN_DATA_EXCHANGE, record)):
        frames = _read((Side.DEVICE, said), (Side.DEVICE, pn532.ACK))
        shown = " ".join(frame.hex() for frame in frames)
        assert "39026417" not in shown, said.hex()
        assert not re.search("[0-9a-f]{2}853902|02641730", shown), said.hex()


def test_a_card_number_is_found_checked_and_masked() -> None:
    assert luhn_holds("4242424242424242")
    assert not luhn_holds("4242424242424243")
    assert pan_in(bytes.fromhex("700A5A084242424242424242")) == "4242424242424242"
    assert pan_in(bytes.fromhex("570B4242424242424242D30122")) == "4242424242424242"
    assert pan_in(bytes.fromhex("5A0A6200000000000000000F")) == "6200000000000000000"
    assert pan_in(b"\x50\x01A") is None
    for lie in ("5a084242424242424243", "5a0412345678", "5a02"):
        with pytest.raises(ValueError, match=r"."):
            pan_in(bytes.fromhex(lie))
    assert mask_pan("4242424242424242") == "424242******4242"
    assert secret_spans(bytes.fromhex("5a08ffff")) == []
