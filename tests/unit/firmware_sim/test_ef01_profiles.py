"""Goal: each kind of sensor has its own glass, library and instructions, and keeps its flash."""

import pytest

from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.finger import draw, image_of, marks_in, marks_of, score, template_of
from firmware_sim.devices.ef01.profiles import PROFILES, R307, R503, ZFM20, Profile
from protocol.errors import CallerError
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Packet, Pid

EVERY = list(PROFILES.values())


def ask(sensor: Ef01, instruction: int, *arguments: int, now_ms: int = 0) -> bytes:
    """The payload of the acknowledgement."""
    asked = ef01.encode(Packet(Pid.COMMAND, bytes([instruction, *arguments])))
    packets = ef01.PacketParser().feed(sensor.feed(asked, now_ms)[0].payload)
    assert isinstance(packets[0], Packet)
    return packets[0].payload


def follow(sensor: Ef01, instruction: int, *arguments: int) -> bytes:
    """What the data packets behind the acknowledgement carry."""
    outputs = sensor.feed(ef01.command(Instruction(instruction), *arguments), 0)
    parser = ef01.PacketParser()
    packets = [p for output in outputs for p in parser.feed(output.payload)]
    assert [p.pid for p in packets if isinstance(p, Packet)][-1] == Pid.END_OF_DATA
    return b"".join(p.payload for p in packets[1:] if isinstance(p, Packet))


def send_down(sensor: Ef01, content: bytes, *command: int) -> None:
    assert ask(sensor, *command) == b"\x00"
    for start in range(0, len(content), 128):
        pid = Pid.END_OF_DATA if start + 128 >= len(content) else Pid.DATA
        assert sensor.feed(ef01.encode(Packet(pid, content[start : start + 128])), 0) == []


@pytest.mark.parametrize("profile", EVERY)
def test_every_kind_enrols_finds_and_forgets(profile: Profile) -> None:
    sensor = Ef01(profile)
    for buffer in (1, 2):
        sensor.place("alice", quality=80)
        assert ask(sensor, Instruction.GET_IMAGE) == b"\x00"
        assert ask(sensor, Instruction.IMG2TZ, buffer) == b"\x00"
    assert ask(sensor, Instruction.REG_MODEL) == b"\x00"
    assert ask(sensor, Instruction.STORE, 1, 0, 5) == b"\x00"
    sensor.place("alice", quality=75)
    ask(sensor, Instruction.GET_IMAGE)
    ask(sensor, Instruction.IMG2TZ, 1)
    found = ask(sensor, Instruction.SEARCH, 1, 0, 0, *profile.capacity.to_bytes(2, "big"))
    assert found[:3] == b"\x00\x00\x05"
    assert ask(sensor, Instruction.DELETE, 0, 5, 0, 1) == b"\x00"
    assert ask(sensor, Instruction.TEMPLATE_NUM) == b"\x00\x00\x00"


@pytest.mark.parametrize("profile", EVERY)
def test_a_picture_has_the_size_of_the_glass_and_says_whose_finger_it_is(profile: Profile) -> None:
    picture = image_of("alice", profile)
    assert len(picture) == profile.width_px * profile.height_px // 2
    assert marks_in(picture, profile) == marks_of("alice", profile)


@pytest.mark.parametrize("profile", EVERY)
def test_a_picture_and_a_template_go_out_and_come_back_in(profile: Profile) -> None:
    one, two = Ef01(profile), Ef01(profile)
    one.place("alice")
    ask(one, Instruction.GET_IMAGE)
    send_down(two, follow(one, Instruction.UP_IMAGE), Instruction.DOWN_IMAGE)
    assert ask(two, Instruction.IMG2TZ, 1) == b"\x00"
    template = follow(two, Instruction.UP_CHAR, 1)
    assert template == template_of("alice", profile)
    send_down(one, template, Instruction.DOWN_CHAR, 2)
    assert follow(one, Instruction.UP_CHAR, 2) == template


def test_half_a_picture_shows_less_of_the_finger() -> None:
    sensor = Ef01()
    send_down(sensor, image_of("alice")[: ZFM20.image_bytes // 8], Instruction.DOWN_IMAGE)
    assert ask(sensor, Instruction.IMG2TZ, 1)[0] == Confirmation.FEW_FEATURES


def test_a_download_with_a_damaged_packet_counts_for_nothing() -> None:
    sensor = Ef01()
    assert ask(sensor, Instruction.DOWN_CHAR, 1) == b"\x00"
    damaged = bytearray(ef01.encode(Packet(Pid.DATA, template_of("alice")[:128])))
    damaged[20] ^= 1
    [reply] = sensor.feed(bytes(damaged), 0)
    assert reply.payload[9] == Confirmation.RECEIVE_ERROR
    sensor.feed(ef01.encode(Packet(Pid.END_OF_DATA, bytes(128))), 0)
    assert ask(sensor, Instruction.UP_CHAR, 1)[0] == Confirmation.UPLOAD_FAILED


def test_how_much_of_a_finger_shows_decides_what_the_sensor_makes_of_it() -> None:
    sensor, codes = Ef01(), []
    for quality in (5, 12, 100):
        sensor.place("alice", quality=quality)
        codes.append((ask(sensor, Instruction.GET_IMAGE)[0], ask(sensor, Instruction.IMG2TZ, 1)[0]))
    assert codes == [
        (Confirmation.CAPTURE_FAILED, Confirmation.NO_IMAGE),
        (Confirmation.OK, Confirmation.FEW_FEATURES),
        (Confirmation.OK, Confirmation.OK),
    ]
    sensor.place("alice", is_smudged=True)
    assert ask(sensor, Instruction.GET_IMAGE) == b"\x00"
    assert ask(sensor, Instruction.IMG2TZ, 1)[0] == Confirmation.MESSY


def test_a_higher_security_level_refuses_what_a_lower_one_takes() -> None:
    whole, part = template_of("alice"), Ef01()
    part.place("alice", quality=42)
    ask(part, Instruction.GET_IMAGE)
    ask(part, Instruction.IMG2TZ, 1)
    touch = part.state.now.buffers[1]
    taken = [score(whole, touch, security) > 0 for security in range(1, 6)]
    assert taken == sorted(taken, reverse=True)
    assert taken[0]
    assert not taken[-1]
    assert score(whole, template_of("bob"), 1) == 0


def test_two_fingers_never_agree_by_chance() -> None:
    names = [f"finger {number}" for number in range(60)]
    marks = [marks_of(name, R503) for name in names]
    shared = [len(one & two) for one in marks for two in marks if one is not two]
    assert max(shared) <= 4


def test_more_marks_than_a_template_holds_are_dirt() -> None:
    crowd = frozenset((column, row, 3) for column in range(9) for row in range(9))
    sensor = Ef01()
    send_down(sensor, draw(crowd, ZFM20), Instruction.DOWN_IMAGE)
    assert ask(sensor, Instruction.IMG2TZ, 1)[0] == Confirmation.MESSY


def test_power_off_loses_buffers_and_unlocking_and_keeps_the_flash() -> None:
    sensor = Ef01()
    ask(sensor, Instruction.SET_PASSWORD, 0, 0, 0, 9)
    ask(sensor, Instruction.SET_SYS_PARA, 6, 3)
    ask(sensor, Instruction.WRITE_NOTEPAD, 15, *range(32))
    sensor.enrol("alice", 3)
    ask(sensor, Instruction.LOAD, 1, 0, 3)
    assert sensor.boot(0) == []
    assert sensor.feed(ef01.command(Instruction.GET_IMAGE), 499) == []
    assert ask(sensor, Instruction.GET_IMAGE, now_ms=500)[0] == Confirmation.PASSWORD_NEEDED
    assert ask(sensor, Instruction.VERIFY_PASSWORD, 0, 0, 0, 9, now_ms=500) == b"\x00"
    assert ask(sensor, Instruction.UP_CHAR, 1, now_ms=500)[0] == Confirmation.UPLOAD_FAILED
    assert ask(sensor, Instruction.READ_SYS_PARA, now_ms=500)[13:15] == b"\x00\x03"
    assert ask(sensor, Instruction.READ_NOTEPAD, 15, now_ms=500) == b"\x00" + bytes(range(32))
    assert sensor.slots == [3]


def test_only_the_r503_says_that_it_is_ready() -> None:
    [ready] = Ef01(R503).boot(1000)
    assert (ready.at_ms, ready.payload) == (1050, b"\x55")
    assert Ef01(R307).boot(1000) == []


def test_a_soft_reset_is_acknowledged_and_then_the_sensor_starts() -> None:
    sensor = Ef01(R503)
    sensor.place("alice")
    ask(sensor, Instruction.GET_IMAGE)
    acknowledged, ready = sensor.feed(ef01.command(Instruction.SOFT_RESET), 1000)
    assert acknowledged.payload[9] == Confirmation.OK
    assert (ready.payload, ready.at_ms - acknowledged.at_ms) == (b"\x55", 50)
    assert sensor.feed(ef01.command(Instruction.HANDSHAKE), acknowledged.at_ms) == []
    assert ask(sensor, Instruction.IMG2TZ, 1, now_ms=ready.at_ms)[0] == Confirmation.NO_IMAGE


@pytest.mark.parametrize("code", [0x28, 0x30, 0x31, 0x32, 0x35, 0x36, 0x39, 0x3A, 0x3C, 0x3D])
def test_the_r503s_instructions_are_unknown_to_the_older_ones(code: int) -> None:
    for profile in (ZFM20, R307):
        assert ask(Ef01(profile), code)[0] == Confirmation.UNDEFINED
    assert ask(Ef01(R503), code)[0] != Confirmation.UNSUPPORTED


def test_an_unknown_instruction_is_fc_hex_on_the_r503() -> None:
    assert ask(Ef01(R503), 0xEE)[0] == Confirmation.UNSUPPORTED
    assert ask(Ef01(R503), Instruction.LIGHT_ON)[0] == Confirmation.UNSUPPORTED


def test_the_r503_tells_what_it_is() -> None:
    sensor = Ef01(R503, seed=b"one")
    info = ask(sensor, Instruction.PRODUCT_INFO)[1:]
    assert len(info) == 46
    assert info[:16].rstrip(b"\x00") == b"R503"
    assert [int.from_bytes(info[at : at + 2], "big") for at in (38, 40, 42, 44)] == [
        192, 192, 1536, 200,
    ]  # fmt: skip
    assert info[20:28] != ask(Ef01(R503, seed=b"two"), Instruction.PRODUCT_INFO)[21:29]
    for code in (Instruction.ALGORITHM_VERSION, Instruction.FIRMWARE_VERSION):
        assert len(ask(sensor, code)) == 33


@pytest.mark.parametrize("profile", EVERY)
def test_a_handshake_and_an_echo_are_answered(profile: Profile) -> None:
    assert ask(Ef01(profile), Instruction.HANDSHAKE) == b"\x00"
    assert ask(Ef01(profile), Instruction.ECHO) == b"\x55"


def test_the_information_page_is_512_bytes_and_hides_the_password() -> None:
    sensor = Ef01(password=0x31415926)
    ask(sensor, Instruction.VERIFY_PASSWORD, 0x31, 0x41, 0x59, 0x26)
    page = follow(sensor, Instruction.READ_INF_PAGE)
    assert len(page) == 512
    assert bytes.fromhex("31415926") not in page
    assert int.from_bytes(page[4:6], "big") == 1000


def test_the_ring_lights_as_told_and_refuses_colours_it_does_not_have() -> None:
    sensor = Ef01(R503)
    assert ask(sensor, Instruction.AURA_LED, 2, 100, 3, 0) == b"\x00"
    assert (sensor.state.now.light.mode, sensor.state.now.light.colour) == ("flashing", "purple")
    assert ask(sensor, Instruction.AURA_LED, 2, 100, 8, 0)[0] == Confirmation.RECEIVE_ERROR
    assert ask(sensor, Instruction.AURA_LED, 4, 0, 1, 0) == b"\x00"
    assert (sensor.state.now.light.mode, sensor.state.now.light.colour) == ("off", "")


def test_the_backlight_of_the_r307_goes_on_and_off() -> None:
    sensor = Ef01(R307)
    assert ask(sensor, Instruction.LIGHT_ON) == b"\x00"
    assert sensor.state.now.light.mode == "on"
    assert ask(sensor, Instruction.LIGHT_OFF) == b"\x00"
    assert sensor.state.now.light.mode == "off"


def test_a_broken_glass_or_flash_is_said_by_its_own_code() -> None:
    sensor = Ef01(R503)
    sensor.enrol("alice", 1)
    ask(sensor, Instruction.LOAD, 1, 0, 1)
    sensor.damage(glass=True, flash=True)
    sensor.place("alice")
    wanted = {
        Instruction.CHECK_SENSOR: Confirmation.SENSOR_FAILED,
        Instruction.GET_IMAGE: Confirmation.CAPTURE_FAILED,
        Instruction.EMPTY: Confirmation.EMPTY_FAILED,
    }
    assert {code: ask(sensor, code)[0] for code in wanted} == wanted
    assert ask(sensor, Instruction.STORE, 1, 0, 2)[0] == Confirmation.FLASH_FAILED
    assert ask(sensor, Instruction.DELETE, 0, 1, 0, 1)[0] == Confirmation.DELETE_FAILED
    assert ask(sensor, Instruction.SET_PASSWORD, 0, 0, 0, 1)[0] == Confirmation.FLASH_FAILED
    assert sensor.slots == [1]
    sensor.damage(glass=False, flash=False)
    assert ask(sensor, Instruction.CHECK_SENSOR) == b"\x00"


def test_a_new_address_is_in_its_own_acknowledgement_and_the_old_one_is_deaf() -> None:
    sensor = Ef01()
    [reply] = sensor.feed(ef01.command(Instruction.SET_ADDRESS, 1, 2, 3, 4), 0)
    assert reply.payload[2:6] == b"\x01\x02\x03\x04"
    assert sensor.feed(ef01.command(Instruction.GET_IMAGE), 0) == []
    [reply] = sensor.feed(ef01.command(Instruction.GET_IMAGE, address=0x01020304), 0)
    assert reply.payload[9] == Confirmation.NO_FINGER


def test_what_comes_while_the_sensor_works_is_answered_afterwards() -> None:
    sensor = Ef01()
    first, second = sensor.feed(ef01.command(Instruction.GET_IMAGE) * 2, 0)
    assert (first.at_ms, second.at_ms) == (205, 410)


def test_a_packet_whose_bytes_stop_coming_does_not_spoil_the_next() -> None:
    sensor, whole = Ef01(), ef01.command(Instruction.TEMPLATE_NUM)
    assert sensor.feed(whole[:7], 0) == []
    assert sensor.feed(whole[7:], 400)[0].payload[9] == Confirmation.OK
    assert sensor.feed(whole[:7], 1000) == []
    assert sensor.feed(whole, 1501)[0].payload[9] == Confirmation.OK


def test_the_status_word_tells_of_password_picture_and_match() -> None:
    sensor, words = Ef01(), []
    sensor.enrol("alice", 1)
    sensor.place("alice")
    for command in (
        (Instruction.READ_SYS_PARA,), (Instruction.VERIFY_PASSWORD, 0, 0, 0, 0),
        (Instruction.GET_IMAGE,), (Instruction.IMG2TZ, 1), (Instruction.SEARCH, 1, 0, 0, 1, 0),
    ):  # fmt: skip
        ask(sensor, *command)
        words.append(int.from_bytes(ask(sensor, Instruction.READ_SYS_PARA)[1:3], "big"))
    assert words == [0, 4, 12, 12, 14]


def test_a_merge_takes_the_touches_since_the_last_one_and_no_older_buffer() -> None:
    sensor = Ef01(R503)
    for finger, buffers in (("alice", range(1, 7)), ("bob", range(1, 3))):
        sensor.place(finger)
        ask(sensor, Instruction.GET_IMAGE)
        for buffer in buffers:
            ask(sensor, Instruction.IMG2TZ, buffer)
        assert ask(sensor, Instruction.REG_MODEL) == b"\x00"
    assert sensor.state.now.buffers[2] == template_of("bob", R503)
    assert sensor.state.now.buffers[6] == template_of("alice", R503)


def test_many_faint_touches_make_a_better_template_than_two() -> None:
    marks = {}
    for touches in (2, 6):
        sensor = Ef01(R503)
        for buffer in range(1, touches + 1):
            sensor.place("alice", quality=70)
            ask(sensor, Instruction.GET_IMAGE)
            assert ask(sensor, Instruction.IMG2TZ, buffer) == b"\x00"
        assert ask(sensor, Instruction.REG_MODEL) == b"\x00"
        marks[touches] = sensor.state.now.buffers[1][4]
    assert marks[6] > marks[2]


def test_a_touch_has_a_quality_within_a_hundred() -> None:
    with pytest.raises(CallerError):
        Ef01().place("alice", quality=101)
