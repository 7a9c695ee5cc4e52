"""Goal: no bytes crash the secure element or its parser, make it grow, give a secret away or count
down.
"""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.devices.secure_element import SecureElement
from protocol.errors import OperatingError
from protocol.framing import secure_element as wire
from protocol.framing.secure_element import Command, Damaged, FrameParser, Instruction
from terminal.adapters import secure_element
from terminal.adapters.serial_worker import AbandonedError, Dialogue

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
brisk = settings(max_examples=60)


@brisk
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


@brisk
@given(BODIES, st.lists(NOISE, max_size=3))
def test_a_body_comes_out_as_it_went_in_after_a_pause(body: bytes, noise: list[bytes]) -> None:
    parser = FrameParser()
    for data in noise:
        parser.feed(data)
    parser.clear()
    frame = wire.encode(body)
    pieces = [frame[at : at + 7] for at in range(0, len(frame), 7)]
    assert [item for piece in pieces for item in parser.feed(piece)] == [body]


@brisk
@given(BODIES, st.data())
def test_a_flipped_bit_is_never_another_body(body: bytes, data: st.DataObject) -> None:
    frame = bytearray(wire.encode(body))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = FrameParser().feed(bytes(frame))
    assert all(isinstance(item, Damaged) for item in found)


class _Babble:
    """A port that says what it was given, then nothing ever again."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.is_silent = threading.Event()

    @property
    def in_waiting(self) -> int:
        return 0

    def read(self, size: int, /) -> bytes:
        if not self._data:
            self.is_silent.set()
        said, self._data = self._data[:size], self._data[size:]
        return said

    def write(self, data: bytes, /) -> int:
        return len(data)

    def reset_input_buffer(self) -> None:
        """Babble goes on."""

    def close(self) -> None:
        """Nothing to close."""


@brisk
@given(st.lists(st.one_of(NOISE, BODIES.map(wire.encode)), max_size=12))
def test_the_driver_takes_only_a_sound_answer_to_its_own_question(stream: list[bytes]) -> None:
    port = _Babble(b"".join(stream))
    command = Command(Instruction.STATUS, sequence=7)
    try:
        answer = secure_element._ask(Dialogue(port, port.is_silent), command)
    except (OperatingError, AbandonedError):
        return
    assert answer.sequence == 7
    assert wire.encode_answer(answer) in b"".join(stream)
