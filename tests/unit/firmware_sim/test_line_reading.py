"""What a side breaks off is told as junk, and what comes after it is read."""

import pytest

from firmware_sim.frames import JUNK, Frame, Side
from firmware_sim.kinds.registry import KINDS, kind_named
from firmware_sim.limits import BROKEN_OFF_MS, SLOW_BYTE_MS_MAX, TURN_QUIET_MS
from firmware_sim.line_reading import LineReader
from protocol.framing import modbus, qibixx, secure_element, smp, ssi, telium

ASK = bytes.fromhex("7e000701000a01ee8a")
REPLY = bytes.fromhex("020000013ee4ac")

WHOLE = {
    "gm65": ASK,
    "ssi": ssi.encode(ssi.Packet(ssi.Opcode.REQUEST_REVISION)),
    "ef01": bytes.fromhex("ef01ffffffff0100030f0013"),
    "pn532": bytes.fromhex("0000ff02fed4022a00"),
    "secure_element": secure_element.encode_command(secure_element.Command(1, data=b"1234")),
    "paymeter": modbus.encode(modbus.read(1, modbus.READ_HOLDING, 0, 1)),
    "gate": modbus.encode(modbus.read(1, modbus.READ_COILS, 0, 1)),
    "telium": telium.encode(b"HELLO"),
    "smp_board": smp.encode(smp.Message(0, 0, 0, b"\xa0")),
    "qibixx": qibixx.encode("D,READER,1"),
    "ocpp16": b'[2,"1","Heartbeat",{}]\n',
    "ocpp201": b'[2,"1","Heartbeat",{}]\n',
}
"""A frame of the host's, of each kind whose device does not wait for a frame's end for good."""
PATIENT = {"escpos", "epson_vfd", "cd5220", "led8"}


def names(frames: list[Frame]) -> list[str]:
    return [f"{frame.name} {frame.raw.hex()}" for frame in frames]


def reader_of(kind: str) -> LineReader:
    return LineReader(kind_named(kind).decoder())


def test_an_answer_that_lost_a_byte_is_told_before_the_host_asks_again() -> None:
    reader = reader_of("gm65")
    reader.feed(Side.HOST, ASK, 0)
    assert reader.feed(Side.DEVICE, REPLY[:3] + REPLY[4:], 16) == []
    broken, asked = reader.feed(Side.HOST, ASK, 616)
    assert (broken.side, broken.name, broken.raw) == (Side.DEVICE, JUNK, REPLY[:3] + REPLY[4:])
    assert broken.fields == {"why": "unfinished"}
    assert asked.name == "read"
    assert names(reader.feed(Side.DEVICE, REPLY, 632)) == [f"reply {REPLY.hex()}"]


def test_what_nothing_follows_is_told_after_a_while_and_not_before() -> None:
    reader = reader_of("gm65")
    reader.feed(Side.DEVICE, REPLY[:3], 0)
    assert reader.settle(BROKEN_OFF_MS - 1) == []
    assert names(reader.settle(BROKEN_OFF_MS)) == [f"junk {REPLY[:3].hex()}"]
    assert reader.settle(10 * BROKEN_OFF_MS) == []


def test_at_the_end_all_that_has_begun_is_told_however_lately() -> None:
    reader = reader_of("gm65")
    reader.feed(Side.HOST, ASK[:4], 0)
    reader.feed(Side.DEVICE, REPLY[:3], 1)
    assert names(reader.end()) == [f"junk {ASK[:4].hex()}", f"junk {REPLY[:3].hex()}"]
    assert reader.end() == []


def test_an_answer_that_comes_slowly_or_late_is_read_whole() -> None:
    reader = reader_of("gm65")
    slow = [
        frame
        for at, value in enumerate(REPLY)
        for frame in reader.feed(Side.DEVICE, bytes([value]), at * SLOW_BYTE_MS_MAX)
    ]
    assert names(slow) == [f"reply {REPLY.hex()}"]


def test_two_sides_may_speak_at_once() -> None:
    reader = reader_of("gm65")
    reader.feed(Side.DEVICE, REPLY[:3], 0)
    assert names(reader.feed(Side.HOST, ASK, TURN_QUIET_MS - 1)) == [f"read {ASK.hex()}"]
    assert names(reader.feed(Side.DEVICE, REPLY[3:], TURN_QUIET_MS)) == [f"reply {REPLY.hex()}"]


@pytest.mark.parametrize("at", range(len(ASK)))
def test_what_a_scanner_passes_over_is_told_byte_for_byte(at: int) -> None:
    reader = reader_of("gm65")
    bent = bytes(value ^ (4 * (here == at)) for here, value in enumerate(ASK))
    told = reader.feed(Side.HOST, bent, 0) + reader.settle(BROKEN_OFF_MS)
    assert b"".join(frame.raw for frame in told) == bent
    assert {frame.name for frame in told} == {JUNK}
    assert names(reader.feed(Side.HOST, ASK, 2 * BROKEN_OFF_MS)) == [f"read {ASK.hex()}"]


def test_every_kind_is_asked_here() -> None:
    assert {*WHOLE} | PATIENT == {*KINDS}


@pytest.mark.parametrize("kind", WHOLE)
def test_half_a_frame_is_told_and_swallows_nothing(kind: str) -> None:
    reader, whole = reader_of(kind), WHOLE[kind]
    half = whole[: max(3, len(whole) // 2)]
    assert reader.feed(Side.HOST, half, 0) == []
    (broken,) = reader.settle(BROKEN_OFF_MS)
    assert (broken.name, broken.raw, broken.is_valid) == (JUNK, half, False)
    (frame,) = reader.feed(Side.HOST, whole, 2 * BROKEN_OFF_MS)
    assert frame.is_valid
    assert frame.name != JUNK


@pytest.mark.parametrize("kind", sorted(PATIENT))
def test_a_command_that_its_device_waits_for_is_not_broken_off(kind: str) -> None:
    reader = reader_of(kind)
    assert reader.feed(Side.HOST, b"\x1b", 0) == []
    assert reader.settle(10 * BROKEN_OFF_MS) == []
    (frame,) = reader.feed(Side.HOST, b"@", 20 * BROKEN_OFF_MS)
    assert frame.raw == b"\x1b@"


def test_half_a_code_and_half_a_card_number_are_kept_secret() -> None:
    for kind, said, shown in (
        ("gm65", b"13456789", "31" "33" + 6 * "**"),
        ("telium", b"\x0201000000010062258", 18 * "**"),
        ("ocpp16", b'[2,"1","Authorize",{"idTag":"04A1B2', '5b322c22' + 31 * "**"),
    ):  # fmt: skip
        reader = reader_of(kind)
        reader.feed(Side.DEVICE, said, 0)
        (broken,) = reader.settle(BROKEN_OFF_MS)
        assert broken.hex() == shown


@pytest.mark.parametrize("noise", [b"\xff\x3c", b"\0\xff\x3c"])
def test_a_code_with_noise_in_its_midst_is_kept_secret_too(noise: bytes) -> None:
    code = b"[<134711230" + noise + b"908172635>]\r"
    [torn] = reader_of("gm65").feed(Side.DEVICE, code, 0)
    for half in ("13471", "908172"):
        assert half.encode().hex() not in torn.hex()
        assert half not in str(torn.fields)


def test_a_code_in_a_packet_that_is_damaged_is_kept_secret_too() -> None:
    whole = ssi.encode(ssi.Packet(ssi.Opcode.DECODE_DATA, b"\x01134711234908172635", ssi.DECODER))
    [junk] = reader_of("ssi").feed(Side.DEVICE, whole.replace(b"2349", b"23y9"), 0)
    assert junk.name == JUNK
    assert b"081726".hex() not in junk.hex()
