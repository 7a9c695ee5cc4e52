"""Goal: no bytes crash the PIN pad, its decoder or its driver, or make them grow without end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.devices.telium import Entry, Phase, TeliumPinPad
from firmware_sim.frames import Side
from firmware_sim.kinds.telium import MessageDecoder
from protocol.errors import TillwayError
from protocol.framing import telium
from protocol.framing.telium import Answer, Ask, Control, Message, Result
from terminal.adapters.serial_worker import AbandonedError, Dialogue
from terminal.adapters.telium_pinpad import _Attempt
from tests.kit.babble import Babble

ASK = Ask(amount_minor=1_280, currency_number="156")
FRAMES = [
    *(bytes([control]) for control in Control),
    telium.encode_ask(ASK),
    telium.encode_ask(Ask(amount_minor=100, currency_number="156", delay=telium.Delay.AT_ONCE)),
    b"\x05" + telium.encode_ask(ASK) + b"\x04",
    telium.encode(b"HELLO"),
    b"\x02" + b"7" * 200,
    telium.encode_answer(
        Answer(
            pos=1, result=Result.APPROVED, amount_minor=1_280, mode="1", report="4111111111111111",
            currency_number="156", private=telium.NO_PRIVATE,
        )
    ),
]  # fmt: skip
streams = st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(FRAMES)), max_size=20)
brisk = settings(max_examples=60)


@brisk
@given(streams)
def test_parser_and_decoder_take_anything_and_find_the_way_again(stream: list[bytes]) -> None:
    parser, decoder = telium.LineParser(), MessageDecoder()
    for data in stream:
        parser.feed(data)
        decoder.feed(Side.DEVICE, data)
        assert len(parser._message) <= 130
        assert not parser._noise
    found = parser.feed(b"\x00\x00" + telium.encode(b"SOUND"))
    assert found[-1] == Message(b"SOUND")


@brisk
@given(stream=streams, step_ms=st.integers(0, 3_000), by=st.sampled_from(Entry))
def test_the_pin_pad_takes_anything_and_pays_only_with_a_card(
    stream: list[bytes], step_ms: int, by: Entry
) -> None:
    pinpad, now_ms = TeliumPinPad(), 0
    for data in stream:
        now_ms += step_ms
        for output in [*pinpad.feed(data, now_ms), *pinpad.poll(now_ms)]:
            assert output.at_ms >= now_ms
            assert output.payload
        assert (pinpad.phase is Phase.IDLE) == (pinpad.next_deadline_ms() is None)
    assert pinpad.bank.agreed == 0
    if pinpad.phase is Phase.CARD:
        pinpad.present("visa", by, now_ms)


@brisk
@given(streams)
def test_the_driver_takes_anything_and_approves_only_what_was_asked(stream: list[bytes]) -> None:
    port = Babble(stream)
    try:
        outcome = _Attempt(ASK).run(1, Dialogue(port, port.is_silent))
    except (TillwayError, AbandonedError):
        return
    assert outcome.result == "approved"
    assert b"".join(stream).count(FRAMES[-1]) > 0
