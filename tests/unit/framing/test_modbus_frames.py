"""Modbus RTU frames: the standard's examples, a second reader's, and whatever comes on a line."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from protocol.framing import modbus
from protocol.framing.modbus import Adu

UNIT = 17
ANSWERS = [
    Adu(UNIT, modbus.READ_INPUTS, modbus.counted(modbus.bits([True, False, True] * 5))),
    Adu(UNIT, modbus.READ_INPUT_REGISTERS, modbus.counted(b"\x12\x34\x56\x78")),
    Adu(UNIT, modbus.WRITE_COIL, b"\x00\x00\xff\x00"),
    Adu(UNIT, modbus.WRITE_REGISTERS, b"\x00\x01\x00\x02"),
    modbus.refuse(Adu(UNIT, modbus.READ_COILS), 2),
]
REQUESTS = [
    modbus.read(UNIT, modbus.READ_COILS, 19, 37),
    modbus.read(UNIT, modbus.READ_HOLDING, 107, 3),
    modbus.write_coil(UNIT, 172, is_on=True),
    modbus.write_registers(UNIT, 1, [0x000A, 0x0102]),
]


def test_the_checksum_is_the_standards() -> None:
    assert modbus.crc16_modbus(b"123456789") == 0x4B37
    assert modbus.encode(modbus.read(UNIT, 3, 107, 3)).hex() == "1103006b00037687"


@pytest.mark.parametrize("side", ["request", "response"])
@pytest.mark.parametrize("number", range(5))
def test_a_second_reader_reads_what_we_write(side: str, number: int) -> None:
    frames = REQUESTS if side == "request" else ANSWERS
    adu = frames[number % len(frames)]
    framer = FramerRTU(DecodePDU(is_server=side == "request"))
    used, unit, _, pdu = framer.decode(modbus.encode(adu))
    assert (used, unit) == (len(modbus.encode(adu)), UNIT)
    assert pdu == bytes((adu.function,)) + adu.data


@given(st.lists(st.sampled_from(ANSWERS), max_size=4), st.data())
def test_frames_are_found_however_a_line_cuts_them(frames: list[Adu], data: st.DataObject) -> None:
    line = b"".join(modbus.encode(one) for one in frames)
    parser, found = modbus.FrameParser("response"), []
    while line:
        cut = data.draw(st.integers(1, len(line)))
        found += parser.feed(line[:cut])
        line = line[cut:]
    assert found == frames


@given(st.binary(max_size=300))
def test_no_bytes_hold_a_parser_up(noise: bytes) -> None:
    sides: tuple[Literal["request", "response"], ...] = ("request", "response")
    for side in sides:
        parser = modbus.FrameParser(side)
        parser.feed(noise)
        parser.finish()
        assert parser.is_idle
        good = ANSWERS[2] if side == "response" else REQUESTS[2]
        assert parser.feed(modbus.encode(good)) == [good]


def test_a_damaged_frame_is_dropped_and_the_next_one_is_read() -> None:
    damaged = bytearray(modbus.encode(ANSWERS[2]))
    damaged[3] ^= 1
    parser = modbus.FrameParser("response")
    assert not any(isinstance(one, Adu) for one in parser.feed(bytes(damaged)))
    parser.finish()  # the silence between frames
    assert parser.feed(modbus.encode(ANSWERS[0])) == [ANSWERS[0]]


def test_bits_and_registers_are_read_back() -> None:
    answer = ANSWERS[0]
    assert [modbus.bit_of(answer, at) for at in range(4)] == [True, False, True, True]
    assert not modbus.bit_of(answer, 99)
    assert modbus.registers_of(ANSWERS[1]) == (0x1234, 0x5678)
    assert modbus.registers_of(Adu(1, 4, b"\x05\x00")) == ()
