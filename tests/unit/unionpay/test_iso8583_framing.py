"""The frames of the line, fed in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels.iso8583.framing import Frame, FrameDecoder, write_frame
from backend.channels.iso8583.limits import FRAME_BYTES_MAX
from protocol.errors import CallerError

BODY = bytes(range(10, 60))


def test_the_length_does_not_count_itself_and_an_answer_swaps_the_addresses() -> None:
    frame = Frame(BODY, destination=3, source=0x1234)
    written = write_frame(frame)
    assert int.from_bytes(written[:2]) == len(written) - 2
    assert written[2:7].hex() == "6000031234"
    assert write_frame(frame.answer(BODY))[2:7].hex() == "6012340003"


@given(st.lists(st.binary(min_size=10, max_size=200), max_size=5), st.data())
def test_frames_come_out_however_the_bytes_are_cut(
    bodies: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(write_frame(Frame(body)) for body in bodies)
    decoder, found, at = FrameDecoder(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at))
        found += [frame.body for frame in decoder.feed(stream[at : at + size])]
        at += size
    decoder.finish()
    assert found == bodies


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x00\x00", "length 0"),
        (b"\x00\x14", "length 20"),
        ((FRAME_BYTES_MAX + 1).to_bytes(2) + b"x", "length 2049"),
        (b"\xff\xff", "length 65535"),
        (b"\x00\x15" + b"\x61" + bytes(20), "TPDU 61"),
        (b"\x00\x15" + b"\x60" + bytes(4) + b"\xaa" + bytes(15), "BCD"),
    ],
)
def test_a_frame_that_cannot_be_ends_the_line(data: bytes, reason: str) -> None:
    with pytest.raises(CallerError, match=reason) as refused:
        list(FrameDecoder().feed(data))
    assert refused.value.code == "frame_rejected"


def test_an_end_within_a_frame_is_said() -> None:
    decoder = FrameDecoder()
    assert list(decoder.feed(write_frame(Frame(BODY))[:-1])) == []
    with pytest.raises(CallerError, match="truncated after"):
        decoder.finish()


@given(st.binary(max_size=500))
def test_random_bytes_are_frames_or_refused(data: bytes) -> None:
    try:
        list(FrameDecoder().feed(data))
    except CallerError as error:
        assert error.code == "frame_rejected"
