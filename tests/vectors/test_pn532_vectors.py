"""Goal: PN532 frames, checksums and card objects byte for byte as their documents print them.

Method: frames of UM0701-02 chapter 6.2, those nfcpy and libnfc send, ISO/IEC 14443-3 annex B.
"""

import pytest

from firmware_sim.devices.pn532.card import crc_a
from protocol.framing import apdu, ber_tlv, ndef, pn532
from protocol.framing.pn532 import Ack, Code, Data, FrameParser, Nack, Skipped

COMMANDS = [
    ("0000FF02FED4022A00", pn532.command(Code.GET_FIRMWARE_VERSION)),
    ("0000FF05FBD4140100001700", pn532.command(Code.SAM_CONFIGURATION, (1, 0, 0))),
    ("0000FF04FCD44A0100E100", pn532.command(Code.IN_LIST_PASSIVE_TARGET, (1, 0))),
    ("0000FF03FDD410081400", pn532.command(Code.SET_SERIAL_BAUD_RATE, (8,))),
]
ANSWERS = [
    ("0000FF06FAD50332010607E800", pn532.answer(Code.GET_FIRMWARE_VERSION, b"\x32\x01\x06\x07")),
    ("0000FF02FED5151600", pn532.answer(Code.SAM_CONFIGURATION)),
    ("0000FF03FDD54B00E000", pn532.answer(Code.IN_LIST_PASSIVE_TARGET, b"\x00")),
]


@pytest.mark.parametrize(("printed", "made"), COMMANDS + ANSWERS)
def test_frames_are_as_printed(printed: str, made: bytes) -> None:
    assert made.hex().upper() == printed
    [item] = [item for item in FrameParser().feed(made) if isinstance(item, Data)]
    assert item.raw == made[1:-1]


def test_a_command_of_262_bytes_is_an_extended_frame() -> None:
    made = pn532.command(Code.DIAGNOSE, bytes(262))
    assert made[:10].hex().upper() == "0000FFFFFF0108F7D400"
    assert len(made) == 1 + 2 + 5 + 264 + 2


def test_acknowledgements_and_the_error_frame_are_as_printed() -> None:
    data = bytes.fromhex("0000FF00FF00 0000FFFF0000 0000FF01FF7F8100")
    found = [item for item in FrameParser().feed(data) if not isinstance(item, Skipped)]
    assert found == [Ack(), Nack(), Data(pn532.SYNTAX_ERROR, b"")]
    assert data == pn532.ACK + pn532.NACK + pn532.ERROR


@pytest.mark.parametrize(("data", "checksum"), [("0000", "A01E"), ("1234", "26CF")])
def test_the_air_s_checksum_is_the_standard_s_example(data: str, checksum: str) -> None:
    assert crc_a(bytes.fromhex(data)).hex().upper() == checksum


def test_selecting_the_payment_directory_is_as_printed() -> None:
    wanted = "00A404000E325041592E5359532E444446303100"
    assert apdu.select(b"2PAY.SYS.DDF01").hex().upper() == wanted


def test_objects_of_every_length_form_are_read() -> None:
    data = bytes.fromhex("9F3602 0017 00 57820001 AA 5F2A 81 02 0156")
    assert ber_tlv.objects(data) == [(0x9F36, b"\x00\x17"), (0x57, b"\xaa"), (0x5F2A, b"\x01V")]
    assert ber_tlv.find(bytes.fromhex("6F07 A505 BF0C02 5000"), 0x50) == b""


def test_a_text_and_an_address_are_as_the_forum_prints_them() -> None:
    assert ndef.encode([ndef.text_record("hi")]).hex().upper() == "D101055402656E6869"
    address = ndef.encode([ndef.uri_record("https://www.nxp.com")])
    assert address.hex().upper() == "D1010855026E78702E636F6D"
    assert ndef.in_tag(address)[:2].hex() == "030c"
