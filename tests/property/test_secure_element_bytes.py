"""Goal: no bytes crash the secure element or its parser, make it grow, give a secret away or count
down.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.devices.secure_element import SecureElement
from protocol.framing import secure_element as wire
from protocol.framing.secure_element import Command, Damaged, FrameParser, Instruction

PIN = b"4711-secret"
BODIES = st.binary(min_size=1, max_size=256)
COMMANDS = st.builds(
    Command,
    st.one_of(st.sampled_from(list(Instruction)), st.integers(0, 255)),
    st.integers(0, 5), st.just(0),
    st.one_of(st.binary(max_size=40), st.just(PIN), st.just(bytes(32))), st.integers(0, 3),
).map(wire.encode_command)  # fmt: skip
NOISE = st.one_of(
    st.binary(max_size=40), st.sampled_from([b"\xa5", b"\xa5\x5a\x01\x00", b"\xa5\x5a"])
)
STREAMS = st.lists(st.one_of(NOISE, COMMANDS), max_size=20)
unhurried = settings(deadline=None, max_examples=60)


@unhurried
@given(STREAMS, st.integers(0, 300), st.booleans())
def test_the_element_takes_anything_and_keeps_its_secrets(
    stream: list[bytes], step_ms: int, starts_unlocked: bool
) -> None:
    element = SecureElement(b"seed")
    element.initialise(PIN)
    element.boot(0)
    if starts_unlocked:
        element.feed(wire.encode_command(Command(Instruction.VERIFY_PIN, data=PIN)), 0)
    before = element.counters
    for number, data in enumerate(stream, start=1):
        for output in element.feed(data, number * step_ms):
            assert output.at_ms >= number * step_ms
            assert PIN not in output.payload
        assert all(new >= old for new, old in zip(element.counters, before, strict=True))
        before = element.counters
    assert len(element._parser._buffer) <= 2 * 300
    assert 0 <= element.tries_left <= 5


@unhurried
@given(BODIES, st.lists(NOISE, max_size=3))
def test_a_body_comes_out_as_it_went_in_after_a_pause(body: bytes, noise: list[bytes]) -> None:
    parser = FrameParser()
    for data in noise:
        parser.feed(data)
    parser.forget()
    frame = wire.encode(body)
    pieces = [frame[at : at + 7] for at in range(0, len(frame), 7)]
    assert [item for piece in pieces for item in parser.feed(piece)] == [body]


@unhurried
@given(BODIES, st.data())
def test_a_flipped_bit_is_never_another_body(body: bytes, data: st.DataObject) -> None:
    frame = bytearray(wire.encode(body))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = FrameParser().feed(bytes(frame))
    assert all(isinstance(item, Damaged) for item in found)
