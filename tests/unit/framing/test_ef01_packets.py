"""Goal: packets as the R503 manual has them. Method: vectors from the manual and from drivers."""

from protocol.framing import ef01
from protocol.framing.ef01 import BadPacket, Instruction, Packet, Pid


def test_verify_password_is_the_manuals_frame() -> None:
    wanted = bytes.fromhex("EF 01 FF FF FF FF 01 00 07 13 00 00 00 00 00 1B")
    assert ef01.command(Instruction.VERIFY_PASSWORD, 0, 0, 0, 0) == wanted


def test_get_image_is_the_manuals_frame() -> None:
    wanted = bytes.fromhex("EF 01 FF FF FF FF 01 00 03 01 00 05")
    assert ef01.command(Instruction.GET_IMAGE) == wanted


def test_an_acknowledgement_is_read_byte_by_byte() -> None:
    parser, found = ef01.PacketParser(), []
    for value in bytes.fromhex("EF 01 FF FF FF FF 07 00 03 00 00 0A"):
        found += parser.feed(bytes([value]))
    assert found == [Packet(Pid.ACK, b"\x00")]


def test_every_flipped_bit_is_seen() -> None:
    frame = ef01.encode(Packet(Pid.ACK, b"\x00\x00\x07\x00\x64", 0x01020304))
    for position in range(6 * 8, len(frame) * 8):
        damaged = bytearray(frame)
        damaged[position // 8] ^= 1 << position % 8
        found = ef01.PacketParser().feed(bytes(damaged))
        assert not any(isinstance(packet, Packet) for packet in found)


def test_an_absurd_length_is_refused_at_once_and_the_next_packet_is_read() -> None:
    parser = ef01.PacketParser()
    assert parser.feed(bytes.fromhex("EF01 FFFFFFFF 07 FFFF")) == [BadPacket("length")]
    assert parser.feed(ef01.command(Instruction.GET_IMAGE)) == [Packet(Pid.COMMAND, b"\x01")]


def test_noise_in_front_of_a_packet_is_skipped() -> None:
    noise = b"\x00\xef\xef\x55\x01"
    found = ef01.PacketParser().feed(noise + ef01.command(Instruction.EMPTY))
    assert found == [Packet(Pid.COMMAND, b"\x0d")]
