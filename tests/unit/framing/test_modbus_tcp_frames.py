"""Modbus TCP frames: the guide's head, a second reader's, and whatever comes back."""

from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from protocol.framing import modbus
from protocol.framing.modbus import Adu
from protocol.framing.modbus_tcp import TcpFraming

ASKED = modbus.read(17, modbus.READ_HOLDING, 107, 3)
ANSWER = Adu(17, modbus.READ_HOLDING, modbus.counted(b"\x12\x34\x56\x78\x9a\xbc"))


def answered(framing: TcpFraming) -> bytes:
    """The unit's answer to a request that is made now: with its number."""
    number = framing.encode(ASKED)[:2]
    body = bytes((ANSWER.unit, ANSWER.function)) + ANSWER.data
    return number + bytes(2) + len(body).to_bytes(2, "big") + body


def test_a_second_reader_reads_what_we_ask() -> None:
    framing = TcpFraming()
    for number in (1, 2):
        wire = framing.encode(ASKED)
        used, unit, told, pdu = FramerSocket(DecodePDU(is_server=True)).decode(wire)
        assert (used, unit, told) == (len(wire), 17, number)
        assert pdu == bytes((ASKED.function,)) + ASKED.data


@given(st.data())
def test_an_answer_is_found_however_it_is_cut(data: st.DataObject) -> None:
    framing, found = TcpFraming(), []
    line = answered(framing)
    while line:
        cut = data.draw(st.integers(1, len(line)))
        found += framing.feed(line[:cut])
        line = line[cut:]
    assert found == [ANSWER]


def test_the_answer_to_an_earlier_request_is_none() -> None:
    framing = TcpFraming()
    late = answered(framing)
    assert framing.feed(late + answered(framing)) == [late, ANSWER]


def test_numbers_begin_again_after_the_last() -> None:
    framing = TcpFraming()
    for _ in range(0xFFFF + 1):
        framing.encode(ASKED)
    assert framing.feed(answered(framing)) == [ANSWER]


@given(st.binary(max_size=600))
def test_no_bytes_hold_it_up(noise: bytes) -> None:
    framing = TcpFraming()
    framing.feed(noise)
    framing.clear()
    assert framing.feed(answered(framing)) == [ANSWER]


def test_what_cannot_be_a_head_is_dropped() -> None:
    framing = TcpFraming()
    for head in (
        b"\x00\x01\x00\x01\x00\x06",
        b"\x00\x01\x00\x00\x00\x01",
        b"\x00\x01\x00\x00\xff\xff",
    ):
        assert framing.feed(head) == [head]
        assert framing.feed(answered(framing)) == [ANSWER]
