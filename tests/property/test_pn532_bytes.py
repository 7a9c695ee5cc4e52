"""Goal: no bytes crash the reader, its cards, its decoder or its driver, or make them grow.

Method: arbitrary bytes woven into sound frames with arbitrary contents, so that chip and cards are
reached and not the parser alone.
"""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.board_file import board_with
from firmware_sim.devices.pn532.chip import Pn532
from firmware_sim.frames import Side
from firmware_sim.kinds.pn532 import KIND
from firmware_sim.kinds.pn532_frames import Pn532Decoder
from protocol.errors import TillwayError
from protocol.framing import ber_tlv, ndef, payment_card, pn532
from protocol.framing.pn532 import Code
from terminal.adapters import pn532_reader
from terminal.adapters.pn532_reader import _facts
from terminal.adapters.serial_worker import AbandonedError, Dialogue

CARDS = ("tag", "unionpay", "classic", "phone")
fast = settings(max_examples=60)
contents = st.one_of(
    st.binary(max_size=30),
    st.builds(lambda tg, head, rest: bytes([tg, head]) + rest, st.integers(0, 3),
              st.sampled_from([0x00, 0x1B, 0x30, 0x3A, 0x60, 0x80, 0xA0, 0xA2, 0xC1, 0xE0, 0x02]),
              st.binary(max_size=20)),
)  # fmt: skip
commands = st.builds(pn532.command, st.sampled_from(Code), contents)
answers = st.builds(pn532.answer, st.sampled_from(Code), contents)
pieces = st.one_of(
    commands, answers, st.binary(max_size=40),
    st.sampled_from([pn532.ACK, pn532.NACK, pn532.ERROR, pn532.WAKE_UP,
                     pn532.command(Code.IN_LIST_PASSIVE_TARGET, b"\x02\x00")]),
)  # fmt: skip
streams = st.lists(pieces, max_size=25)


FOUND = bytes.fromhex("0101000420040801020305788070 02")
TOLD = [
    FOUND, FOUND, b"\x00\x90\x00",
    b"\x00" + bytes.fromhex("6F1084 0E325041592E5359532E4444463031") + b"\x90\x00",
    b"\x00" + bytes.fromhex("6F0F A50D BF0C0A 6108 4F06 A00000000310") + b"\x90\x00",
    b"\x00" + bytes.fromhex("770A 8202 0000 9404 08010100") + b"\x90\x00",
    b"\x00" + bytes.fromhex("700A 5A08 4242424242424242") + b"\x90\x00",
]  # fmt: skip


def _reader() -> Pn532:
    entry = board_with("pn532").devices["device"].entry
    reader = KIND.build(entry, b"seed")
    assert isinstance(reader, Pn532)
    reader.boot(0)
    for card in CARDS:
        reader.present(card, 0)
    return reader


@fast
@given(stream=streams, step_ms=st.integers(0, 300))
def test_the_chip_takes_anything_answers_in_order_and_stays_small(
    stream: list[bytes], step_ms: int
) -> None:
    reader = _reader()
    reader.feed(pn532.WAKE_UP, 0)
    for number, data in enumerate(stream):
        now_ms = number * step_ms
        for output in [*reader.feed(data, now_ms), *reader.poll(now_ms)]:
            assert output.at_ms >= now_ms
            assert output.payload
            assert len(output.payload) <= 264 + 11
        assert (deadline := reader.next_deadline_ms()) is None or deadline >= 0
        assert len(reader._parser._buffer) <= 2 * 275
    assert set(KIND.state(reader)) >= {"cards", "texts"}


@fast
@given(stream=streams)
def test_the_decoder_reads_anything_and_invents_nothing(stream: list[bytes]) -> None:
    decoder = Pn532Decoder()
    frames = [frame for data in stream for frame in decoder.feed(Side.HOST, data)]
    said = b"".join(stream)
    assert sum(len(frame.raw) for frame in frames) <= len(said)
    for frame in frames:
        assert frame.raw in said
        assert all(0 <= start <= end <= len(frame.raw) for start, end in frame.kept_secret)
        assert frame.describe()


@fast
@given(data=st.binary(max_size=200))
def test_card_data_of_any_kind_is_read_or_refused(data: bytes) -> None:
    for read in (ber_tlv.objects, payment_card.pan_in, ndef.decode, ndef.first_text):
        try:
            read(data)
        except ValueError:
            continue
    ndef.from_tag(data)
    assert all(end <= len(data) for _, end in payment_card.secret_spans(data))


class _Babble:
    """A port that answers each command with the next of what it was given: as an answer of the
    right form, or, if it begins so, as a card that was found."""

    def __init__(self, stream: list[bytes]) -> None:
        self._stream = stream
        self._saying = b""
        self.is_silent = threading.Event()

    @property
    def in_waiting(self) -> int:
        return len(self._saying)

    def read(self, size: int, /) -> bytes:
        if not self._saying:
            self.is_silent.set()  # makes the dialogue give up instead of waiting
        head, self._saying = self._saying[:size], self._saying[size:]
        return head

    def write(self, data: bytes, /) -> int:
        if self._stream and len(data) > len(pn532.ACK) and data != pn532.WAKE_UP:
            content = self._stream.pop(0)
            self._saying = pn532.ACK + pn532.answer(data[6], content)
        return len(data)

    def reset_input_buffer(self) -> None:
        """Babble goes on."""

    def close(self) -> None:
        """Nothing to close."""


@fast
@given(stream=st.lists(st.one_of(contents, st.sampled_from(TOLD)), max_size=12))
def test_the_driver_takes_anything_and_ends_with_a_card_or_a_known_error(
    stream: list[bytes],
) -> None:
    port = _Babble([*stream])
    dialogue = Dialogue(port, port.is_silent)
    try:
        found = pn532_reader._until_read(0, _facts, "card_timeout", dialogue)
    except TillwayError as error:
        assert error.code.startswith(("device_", "card_"))
    except AbandonedError:
        return
    else:
        assert "*" in found.pan_masked
