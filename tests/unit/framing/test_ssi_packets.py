"""Goal: our packets are the Programmer's Guide's. Method: vectors of the guide and of GM67."""

import pytest

from protocol.framing import ssi
from protocol.framing.ssi import Opcode, Packet, Reason

VECTORS = [
    (Packet(Opcode.ACK), "04 D0 04 00 FF 28"),
    (Packet(Opcode.ACK, source=ssi.DECODER), "04 D0 00 00 FF 2C"),
    (ssi.nak(Reason.RESEND, source=ssi.HOST), "05 D1 04 00 01 FF 25"),
    (ssi.nak(Reason.BAD_CONTEXT, source=ssi.HOST), "05 D1 04 00 02 FF 24"),
    (ssi.nak(Reason.DENIED, source=ssi.HOST), "05 D1 04 00 06 FF 20"),
    (Packet(Opcode.START_SESSION), "04 E4 04 00 FF 14"),
    (Packet(Opcode.SCAN_ENABLE), "04 E9 04 00 FF 0F"),
    (Packet(Opcode.LED_OFF, b"\x01"), "05 E8 04 00 01 FF 0E"),
    (Packet(Opcode.REQUEST_REVISION), "04 A3 04 00 FF 55"),
    (ssi.set_parameter(0x8A, 8), "07 C6 04 00 FF 8A 08 FD 9E"),
]


@pytest.mark.parametrize(("packet", "raw"), VECTORS)
def test_packets_are_encoded_and_read_as_in_the_guide(packet: Packet, raw: str) -> None:
    encoded = bytes.fromhex(raw)
    assert ssi.encode(packet) == encoded
    assert ssi.PacketParser(packet.source).feed(encoded) == [packet]


def test_a_long_packet_counts_its_whole_head() -> None:
    packet = Packet(Opcode.LONG_DECODE_DATA, b"\xf1" + b"x" * 300, ssi.DECODER)
    raw = ssi.encode(packet)
    assert raw[:5] == bytes.fromhex("FF F4 01 34 F4")
    assert int.from_bytes(raw[2:4], "big") == len(raw) - 2
    assert ssi.PacketParser(ssi.DECODER).feed(raw) == [packet]


def test_extended_parameters_stand_behind_f0() -> None:
    packet = ssi.set_parameter(ssi.Parameter.QR, 1, is_permanent=True)
    assert packet.data == bytes.fromhex("FF F0 25 01")
    assert packet.status == ssi.STATUS_PERMANENT
    assert ssi.read_parameters(packet.data) == {0x125: 1}
    assert ssi.read_numbers(bytes.fromhex("8A F0 25")) == [0x8A, 0x125]


@pytest.mark.parametrize("broken", ["", "FF 8A", "FF F0", "FF F0 25"])
def test_a_parameter_that_is_broken_off_is_none_at_all(broken: str) -> None:
    assert not ssi.read_parameters(bytes.fromhex(broken))


def test_a_flipped_bit_is_never_taken_for_a_packet() -> None:
    raw = ssi.encode(ssi.set_parameter(0x8A, 8))
    for position in range(len(raw) * 8):
        damaged = bytearray(raw)
        damaged[position // 8] ^= 1 << position % 8
        heard = ssi.PacketParser(ssi.HOST).feed(bytes(damaged))
        assert not any(isinstance(item, Packet) for item in heard)


def test_a_packet_behind_noise_is_found_when_the_line_falls_silent() -> None:
    parser, raw = ssi.PacketParser(ssi.DECODER), ssi.encode(Packet(Opcode.ACK, source=0))
    noise = bytes.fromhex("00 ff 55 aa 7f 3c")
    assert parser.feed(noise + raw) + parser.give_up() == [Packet(Opcode.ACK, source=0)]
    begun = bytes.fromhex("30 F3 00")  # a head, and nothing behind it
    assert parser.feed(begun + raw) == []
    assert parser.give_up() == [Packet(Opcode.ACK, source=0)]
    assert not parser.is_mid_item


def test_an_ear_does_not_hear_its_own_side() -> None:
    assert ssi.PacketParser(ssi.HOST).feed(ssi.encode(Packet(Opcode.ACK, source=0))) == []


def test_a_length_without_end_does_not_fill_the_memory() -> None:
    parser = ssi.PacketParser(ssi.DECODER)
    for _ in range(100):
        parser.feed(bytes.fromhex("FF F4 FF FF F4 00") * 200)
        parser.feed(bytes.fromhex("FF F4 1F FF F4 00 00") + b"\xff" * 1000)
        assert len(parser._buffer) <= 8194


def test_too_much_data_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 251"):
        ssi.encode(Packet(Opcode.DECODE_DATA, bytes(252)))
    with pytest.raises(ValueError, match="at most 8192"):
        ssi.encode(Packet(Opcode.LONG_DECODE_DATA, bytes(8192)))
