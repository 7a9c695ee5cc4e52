"""Goal: Protocol E's messages as cash registers send them.

Method: frames that an Ingenico driver nobody here wrote has made, byte for byte.
"""

import pytest

from protocol.errors import CallerError, OperatingError
from protocol.framing import telium
from protocol.framing.telium import Answer, Ask, Authorization, Control, Damaged, Kind, Message

ASK = Ask(amount_minor=1280, currency_number="978")
ASK_FRAME = b"\x020100001280110978          A010B010\x03\x0c"
ANSWER = Answer(
    pos=1, result=telium.Result.APPROVED, amount_minor=1280, mode="1",
    report="4111111111111111".ljust(55), currency_number="978", private="000001    ",
)  # fmt: skip


def test_an_ask_is_the_frame_of_the_makers_driver() -> None:
    assert telium.encode_ask(ASK) == ASK_FRAME


def test_an_ask_is_read_back_field_by_field() -> None:
    wish = Ask(
        amount_minor=9_999_999, currency_number="156", pos=42, is_full=False, mode="C",
        kind=Kind.REFUND, private="abcdefghij", delay=telium.Delay.AT_ONCE,
        authorization=Authorization.FORCED,
    )  # fmt: skip
    [message] = telium.LineParser().feed(telium.encode_ask(wish))
    assert isinstance(message, Message)
    assert telium.parse_ask(message.text) == wish


@pytest.mark.parametrize(("is_full", "size"), [(True, 83), (False, 28)])
def test_an_answer_has_the_length_that_drivers_wait_for(is_full: bool, size: int) -> None:
    report = ANSWER.report if is_full else None
    answer = Answer(
        pos=1, result=telium.Result.REFUSED, amount_minor=100, mode="1", report=report,
        currency_number="978", private=telium.NO_PRIVATE,
    )  # fmt: skip
    frame = telium.encode_answer(answer)
    assert len(frame) == size
    [message] = telium.LineParser().feed(frame)
    assert isinstance(message, Message)
    assert telium.parse_answer(message.text) == answer


def test_every_flipped_bit_of_an_answer_is_seen() -> None:
    frame = telium.encode_answer(ANSWER)
    for position in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[position // 8] ^= 1 << position % 8
        found = telium.LineParser().feed(bytes(damaged))
        assert not any(isinstance(item, Message) for item in found)


def test_a_checksum_that_looks_like_a_control_character_is_a_checksum() -> None:
    frame = telium.encode(b"\x20\x26")
    assert frame[-1] == Control.ENQ
    assert telium.LineParser().feed(frame) == [Message(b"\x20\x26")]


def test_noise_before_a_message_and_a_broken_one_are_told_apart() -> None:
    parser = telium.LineParser()
    assert parser.feed(b"\xff\x00") == [Damaged(b"\xff\x00", "noise")]
    assert parser.feed(b"\x0201") == []
    assert parser.is_mid_message
    found = parser.feed(bytes([Control.ENQ]) + telium.encode(b"A"))
    assert found == [Damaged(b"\x0201", "broken_off"), Control.ENQ, Message(b"A")]


@pytest.mark.parametrize("amount_minor", [99, 10_000_000, -100])
def test_an_amount_that_the_protocol_cannot_carry_is_refused(amount_minor: int) -> None:
    with pytest.raises(CallerError, match="amount_invalid"):
        telium.encode_ask(Ask(amount_minor=amount_minor, currency_number="978"))


@pytest.mark.parametrize("text", [b"", b"01", ASK_FRAME[1:-3] + b" ", b"x" + ASK_FRAME[2:-2]])
def test_what_is_no_ask_is_a_bad_frame(text: bytes) -> None:
    with pytest.raises(OperatingError, match="device_bad_frame"):
        telium.parse_ask(text)
    with pytest.raises(OperatingError, match="device_bad_frame"):
        telium.parse_answer(text)


def test_a_report_is_shown_without_the_middle_of_the_card_number() -> None:
    assert telium.masked_report("4111111111111111".ljust(55)) == "411111******1111"
    assert telium.masked_report(" " * 55) == ""
    assert telium.masked_report("4111 1111") == ""
