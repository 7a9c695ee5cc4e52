"""Goal: no bytes crash the controller board, its parsers or its boot, or make them grow.

Method: arbitrary bytes woven into sound lines, requests with arbitrary fields, and flash in which
anything at all may lie.
"""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.devices.smp_board.board import SmpBoard
from protocol.framing import mcuboot, smp
from protocol.framing.mcuboot_trailer import FLAG, MAGIC, TRAILER_BYTES
from protocol.framing.smp import Message

PLAIN = st.one_of(st.integers(-5, 1 << 33), st.binary(max_size=70), st.text(max_size=8),
                  st.booleans(), st.none())  # fmt: skip
IMAGE = mcuboot.pack_image(b"firmware " * 40, mcuboot.Version(1), security_counter=1)
WHOLE = mcuboot.read_image(IMAGE)
assert isinstance(WHOLE, mcuboot.Image)
COVERED = WHOLE.covered
FIELDS = st.dictionaries(
    st.sampled_from(["d", "off", "data", "len", "sha", "image", "upgrade", "hash", "confirm",
                     "slot", "query", "boot_mode", "datetime", "format", "index", "groups"]),
    st.one_of(PLAIN, st.just(IMAGE), st.just(0), st.just(len(IMAGE))), max_size=6,
)  # fmt: skip
REQUESTS = st.builds(
    lambda op, group, command, fields: smp.encode(
        Message(op, group, command, smp.message(smp.Op.READ, 0, 0, fields).body)
    ),
    st.integers(0, 7), st.sampled_from([0, 1, 2, 10]), st.integers(0, 9), FIELDS,
)  # fmt: skip
JUNK = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=40).map(lambda body: smp.START + base64.b64encode(body) + b"\n"),
    st.binary(max_size=40).map(lambda body: smp.CONTINUE + base64.b64encode(body) + b"\n"),
    st.sampled_from([smp.START + b"\n", smp.CONTINUE + b"\n", smp.START + b"/////\n"]),
)
brisk = settings(max_examples=60)


@brisk
@given(st.lists(st.one_of(JUNK, REQUESTS), max_size=12), st.integers(0, 400))
def test_the_board_takes_anything_and_answers_in_order(stream: list[bytes], step_ms: int) -> None:
    board = SmpBoard(slot_sectors=2)
    board.load(IMAGE)
    board.boot(0)
    for number, data in enumerate(stream, start=1):
        now_ms = number * step_ms
        for output in [*board.poll(now_ms), *board.feed(data, now_ms)]:
            assert output.at_ms >= now_ms
            assert output.payload
    assert set(board.flash._used) <= set(range(board.flash.sectors))


@brisk
@given(st.binary(max_size=1800), st.integers(0, 255), st.integers(0, 3), st.binary(max_size=40))
def test_a_message_comes_out_as_it_went_in_whatever_was_before(
    body: bytes, sequence: int, version: int, noise: bytes
) -> None:
    sent = Message(2, 1, 1, body, sequence, version)
    parser = smp.LineParser()
    parser.feed(noise)
    found = [i for i in parser.feed(smp.encode(sent)) if isinstance(i, smp.Received)]
    assert [item.message for item in found] == [sent]


@brisk
@given(st.lists(JUNK, max_size=40))
def test_the_parser_stays_small(stream: list[bytes]) -> None:
    parser = smp.LineParser()
    for data in stream * 20:
        parser.feed(data)
    assert len(parser._line) + len(parser._raw) + len(parser._whole) < 16 * 1024


@brisk
@given(st.binary(max_size=300), st.data())
def test_any_bytes_are_an_image_or_have_a_flaw(noise: bytes, data: st.DataObject) -> None:
    broken = bytearray(IMAGE)
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    for content in (noise, IMAGE[:32] + noise, bytes(broken)):
        image = mcuboot.read_image(content)
        if isinstance(image, mcuboot.Image):
            assert len(image.covered) <= image.total_bytes <= len(content)
            flaw = mcuboot.find_flaw(image, None)
            # A sound image has the original's covered bytes; they alone do not make it sound, for
            # the hash behind them may be what is broken.
            assert flaw is not None or image.covered == COVERED
            assert flaw is None or content != IMAGE


WORDS = st.sampled_from([FLAG, b"\xff" * 8, bytes(8), b"\x02" + b"\xff" * 7, b"\x03" + bytes(7),
                         b"\x04" + b"\xff" * 7])  # fmt: skip


@brisk
@given(
    st.tuples(*[WORDS] * 12), st.tuples(*[st.sampled_from([MAGIC, b"\xff" * 16, bytes(16)])] * 3)
)
def test_any_trailers_boot_one_of_the_images(
    words: tuple[bytes, ...], magics: tuple[bytes, ...]
) -> None:
    """Not even a trailer that no swap can leave makes the board run something of its own."""
    board = SmpBoard(slot_sectors=3)
    board.load(IMAGE)
    for number, slot in enumerate(
        (board.areas.primary, board.areas.secondary, board.areas.scratch)
    ):
        fields = b"".join(words[4 * number : 4 * number + 4]) + magics[number]
        board.flash.put(slot.end - len(fields), fields)
        assert len(fields) < TRAILER_BYTES
    board.boot(0)
    start = board.start
    assert start is not None
    if isinstance(start.image, mcuboot.Image):
        assert start.image.covered == IMAGE[: len(start.image.covered)]
    assert board.feed(smp.encode(smp.message(smp.Op.READ, 0, 6, {})), 100_000)
