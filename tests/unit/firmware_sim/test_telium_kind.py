"""Goal: a board file builds the PIN pad it says, and no card number leaves its decoder."""

from typing import get_args

from firmware_sim.devices.telium import TeliumPinPad
from firmware_sim.frames import Side
from firmware_sim.kinds.kind import NoBody
from firmware_sim.kinds.registry import kind_named
from firmware_sim.kinds.telium import Currency, PinBody, PresentBody
from protocol.framing import telium
from protocol.framing.telium import Answer, Ask, Control, Result

KIND = kind_named("telium")
NUMBER = "4111111111111111"
ANSWER = telium.encode_answer(
    Answer(
        pos=7, result=Result.APPROVED, amount_minor=1_280, mode="1", report=NUMBER,
        currency_number="156", private="000042    ",
    )
)  # fmt: skip


def _pinpad(**options: object) -> TeliumPinPad:
    device = KIND.build(KIND.entry.model_validate({"kind": "telium", **options}), b"seed")
    assert isinstance(device, TeliumPinPad)
    return device


def test_a_board_file_says_cards_currencies_and_limits() -> None:
    pinpad = _pinpad(
        baud=19_200,
        currencies=["HKD"],
        contactless_minor_max=0,
        cards={"mine": {"number": "6200000000000005", "pin": "0000", "funds_minor": 5}},
    )
    assert pinpad.baud == 19_200
    assert pinpad.profile.currencies == frozenset({"344"})
    assert pinpad.bank.funds_minor("mine") == 5


def test_the_acts_are_what_a_payer_does() -> None:
    pinpad = _pinpad()
    pinpad.feed(b"\x05" + telium.encode_ask(Ask(amount_minor=9_900, currency_number="978")), 0)
    pinpad.feed(b"\x04", 0)
    acts = {act.name: act for act in KIND.acts}
    acts["present"].run(pinpad, PresentBody(card="visa"), 0)
    assert KIND.state(pinpad)["phase"] == "pin"
    acts["enter_pin"].run(pinpad, PinBody(pin="1234"), 0)
    assert KIND.state(pinpad)["phase"] == "bank"
    acts["take_card"].run(pinpad, NoBody(), 0)
    acts["cancel"].run(pinpad, NoBody(), 0)
    assert KIND.state(pinpad)["display"] == "PLEASE WAIT"


def test_frames_are_read_and_the_card_number_is_not() -> None:
    decoder = KIND.decoder()
    said = bytes([Control.ENQ]) + telium.encode_ask(Ask(amount_minor=1_280, currency_number="156"))
    host = decoder.feed(Side.HOST, said)
    assert [frame.name for frame in host] == ["enq", "ask"]
    assert host[1].fields["amount_minor"] == 1_280
    [answer] = decoder.feed(Side.DEVICE, ANSWER)
    assert answer.fields["card"] == "411111******1111"
    assert (answer.fields["result"], answer.fields["private"]) == ("approved", "000042")
    assert NUMBER.encode().hex() not in answer.hex()
    assert NUMBER not in answer.describe()


def test_a_damaged_answer_keeps_its_card_number_to_itself() -> None:
    broken = bytearray(ANSWER)
    broken[20] = 0x0F  # within the card number
    frames = KIND.decoder().feed(Side.DEVICE, bytes(broken))
    assert not any(frame.is_valid and frame.name == "answer" for frame in frames)
    for frame in frames:
        assert "31313131" not in frame.hex()


def test_the_currencies_a_board_may_say_are_those_of_the_protocol() -> None:
    assert set(get_args(Currency)) == set(telium.CURRENCY_NUMBERS)


def test_bytes_of_nobody_are_junk_and_a_strange_message_is_named() -> None:
    frames = KIND.decoder().feed(Side.HOST, b"\xff\xfe" + telium.encode(b"HELLO"))
    assert [frame.name for frame in frames] == ["junk", "message"]
