"""Goal: the sensor's kind builds what a board file says, shows it, and reads its line to people."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from firmware_sim.devices.ef01 import Ef01
from firmware_sim.frames import JUNK, Frame, Side
from firmware_sim.kinds.ef01 import KIND
from firmware_sim.kinds.ef01_wire import PacketDecoder
from protocol.framing import ef01
from protocol.framing.ef01 import Instruction, Packet, Pid


def _built(**options: object) -> Ef01:
    built = KIND.build(KIND.entry.model_validate({"kind": "ef01", **options}), b"seed")
    assert isinstance(built, Ef01)
    return built


def _do(sensor: Ef01, name: str, **words: object) -> None:
    act = KIND.act(name)
    assert act is not None
    act.run(sensor, act.body.model_validate(words), 0)


def _read(*said: tuple[Side, bytes]) -> list[Frame]:
    decoder = PacketDecoder()
    return [frame for side, data in said for frame in decoder.feed(side, data)]


def _talk(sensor: Ef01, *commands: bytes) -> list[Frame]:
    said: list[tuple[Side, bytes]] = []
    for command in commands:
        said.append((Side.HOST, command))
        said += [(Side.DEVICE, output.payload) for output in sensor.feed(command, 0)]
    return _read(*said)


def test_a_board_file_says_profile_capacity_fingers_password_and_address() -> None:
    sensor = _built(
        profile="r503", capacity=20, enrolled={"alice": 19}, password=7, address=0x01020304
    )
    state = KIND.state(sensor)
    assert (state["profile"], state["slots"]) == ("r503", [19])
    assert sensor.profile.capacity == 20
    asked = ef01.command(Instruction.GET_IMAGE, address=0x01020304)
    assert sensor.feed(asked, 0)[0].payload[9] == ef01.Confirmation.PASSWORD_NEEDED


@pytest.mark.parametrize(
    "options",
    [
        {"profile": "r500"}, {"enrolled": {"alice": 1000}}, {"enrolled": {"": 1}},
        {"profile": "r503", "enrolled": {"alice": 200}}, {"capacity": 0}, {"password": -1},
    ],
)  # fmt: skip
def test_what_a_sensor_cannot_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _built(**options)


def test_a_person_lays_lifts_enrols_and_breaks() -> None:
    sensor = _built(profile="r503")
    _do(sensor, "place", finger="alice", quality=80)
    assert KIND.state(sensor)["finger"] == "alice"
    _do(sensor, "remove")
    _do(sensor, "enroll", finger="bob", slot=4)
    _do(sensor, "damage", glass=True)
    state = KIND.state(sensor)
    assert (state["finger"], state["slots"], state["touches"]) == (None, [4], 1)
    assert sensor.feed(ef01.command(Instruction.CHECK_SENSOR), 0)[0].payload[9] == 0x29


def test_the_picture_shows_what_the_image_buffer_holds() -> None:
    sensor = _built(profile="r503")
    assert KIND.pictures(sensor) == {}
    _do(sensor, "place", finger="alice")
    sensor.feed(ef01.command(Instruction.GET_IMAGE), 0)
    with Image.open(io.BytesIO(KIND.pictures(sensor)["finger"]())) as picture:
        assert picture.size == (192, 192)
        shades: Any = picture.convert("L").getextrema()
    assert shades[0] < 200 < shades[1]


def test_instructions_and_answers_are_read_with_names_and_fields() -> None:
    sensor = _built(enrolled={"alice": 3})
    _do(sensor, "place", finger="alice")
    frames = _talk(
        sensor, ef01.command(Instruction.GET_IMAGE), ef01.command(Instruction.IMG2TZ, 1),
        ef01.command(Instruction.SEARCH, 1, 0, 0, 3, 232),
    )  # fmt: skip
    assert [frame.name for frame in frames] == [
        "get_image", "ack", "img2tz", "ack", "search", "ack",
    ]  # fmt: skip
    assert frames[4].fields == {"buffer": 1, "first": 0, "count": 1000}
    assert frames[5].fields == {"code": "ok", "slot": 3, "score": 200}
    assert all(frame.is_valid for frame in frames)


def test_no_password_and_nobody_s_finger_is_kept() -> None:
    sensor = _built(password=0xA1B2C3D4, enrolled={"alice": 0})
    frames = _talk(
        sensor, ef01.command(Instruction.VERIFY_PASSWORD, 0xA1, 0xB2, 0xC3, 0xD4),
        ef01.command(Instruction.SET_PASSWORD, 0xA1, 0xB2, 0xC3, 0xD4),
        ef01.command(Instruction.LOAD, 1, 0, 0), ef01.command(Instruction.UP_CHAR, 1),
    )  # fmt: skip
    words = "\n".join(frame.describe() for frame in frames)
    assert "a1b2c3d4" not in words
    assert b"SIM1".hex() not in words
    assert [frame.name for frame in frames][-4:] == ["data", "data", "data", "end_of_data"]
    assert sum(int(frame.fields["bytes"]) for frame in frames[-4:]) == 512


def test_a_password_whose_first_byte_is_lost_is_kept_as_little() -> None:
    said = ef01.command(Instruction.VERIFY_PASSWORD, 0xA1, 0xB2, 0xC3, 0xD4)[1:]
    frames = PacketDecoder().feed(Side.HOST, said)
    assert frames
    assert all("a1" not in frame.hex() and "b2" not in frame.hex() for frame in frames)


def test_a_damaged_password_is_kept_as_little_as_a_sound_one() -> None:
    frame = bytearray(ef01.command(Instruction.VERIFY_PASSWORD, 0xA1, 0xB2, 0xC3, 0xD4))
    frame[-1] ^= 1
    [read] = _read((Side.HOST, bytes(frame)))
    assert (read.name, read.is_valid) == (JUNK, False)
    assert "a1b2c3d4" not in read.describe()


def test_noise_a_bad_sum_and_the_ready_byte_have_their_own_frames() -> None:
    damaged = bytearray(ef01.encode(Packet(Pid.ACK, b"\x00")))
    damaged[-1] ^= 1
    frames = _read(
        (Side.DEVICE, b"\x55"),
        (Side.HOST, b"\x01\x02" + ef01.command(Instruction.EMPTY)),
        (Side.DEVICE, bytes(damaged)),
    )
    assert [(frame.name, frame.is_valid) for frame in frames] == [
        ("ready", True), (JUNK, False), ("empty", True), (JUNK, False),
    ]  # fmt: skip
    assert frames[1].raw == b"\x01\x02"
    assert frames[3].fields == {"why": "sum"}


def test_a_packet_of_an_unknown_sort_or_instruction_is_shown_as_such() -> None:
    frames = _read(
        (Side.HOST, ef01.encode(Packet(Pid.COMMAND, b"\xee\x01"))),
        (Side.DEVICE, ef01.encode(Packet(0x33, b"\x01"))),
    )
    assert (frames[0].name, frames[0].fields) == ("eeh", {"more": "01"})
    assert (frames[1].name, frames[1].is_valid) == (JUNK, False)


pieces = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.one_of(st.binary(max_size=40), st.just(ef01.command(Instruction.EMPTY)[:5])),
    ),
    max_size=20,
)


@settings(max_examples=60)
@given(pieces)
def test_every_byte_is_shown_once_or_still_awaited(said: Sequence[tuple[Side, bytes]]) -> None:
    decoder, shown = PacketDecoder(), dict.fromkeys(Side, b"")
    for side, data in said:
        for frame in decoder.feed(side, data):
            shown[frame.side] += frame.raw
    for side in Side:
        whole = b"".join(data for speaker, data in said if speaker is side)
        assert whole.startswith(shown[side])
        assert len(whole) - len(shown[side]) <= 267
