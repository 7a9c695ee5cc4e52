"""Goal: the cards keep their makers' data sheets: memory, locks, keys, blocks and applications."""

import pytest

from firmware_sim.devices.pn532.card import DONE, REFUSED, WRITE_REFUSED, CardAnswer
from firmware_sim.devices.pn532.emv import SCHEMES, EmvSoftware
from firmware_sim.devices.pn532.iso_dep import ATS, Initiator, IsoDepCard
from firmware_sim.devices.pn532.mifare_classic import (
    KEY_A,
    KEY_B,
    MifareClassic,
    access_bits,
    value_block,
)
from firmware_sim.devices.pn532.ntag213 import VERSION, Ntag213
from firmware_sim.devices.pn532.phone import PhoneSoftware
from protocol.errors import CallerError
from protocol.framing import apdu, ber_tlv, ndef
from protocol.framing.apdu import Apdu

UID_7, UID_4 = bytes.fromhex("04112233445566"), bytes.fromhex("DEADBEEF")
KEY = b"\xff" * 6


@pytest.fixture
def tag() -> Ntag213:
    """A blank tag in the field."""
    tag = Ntag213(UID_7)
    tag.select()
    return tag


@pytest.fixture
def classic() -> MifareClassic:
    """A card as it comes from the factory, selected."""
    card = MifareClassic(UID_4)
    card.select()
    return card


# -- NTAG213 -----------------------------------------------------------------------------------


def test_a_blank_tag_reads_as_from_the_factory(tag: Ntag213) -> None:
    assert tag.transceive(b"\x60") == VERSION
    first = tag.transceive(b"\x30\x00")
    assert first == bytes.fromhex("041122BF 33445566 44480000 E1101200")
    assert tag.transceive(b"\x30\x2c") == bytes(4) + first[:12]
    assert tag.transceive(b"\x3a\x04\x05") == bytes.fromhex("0103A00C340300FE")
    assert tag.transceive(b"\x39\x02") == bytes(3)


def test_a_message_is_written_by_the_shop_and_read_by_page(tag: Ntag213) -> None:
    message = ndef.encode([ndef.text_record("134567890123456789")])
    tag.write_message(message)
    assert tag.message == message
    assert tag.transceive(b"\x3a\x04\x27") == ndef.in_tag(message).ljust(144, b"\x00")
    with pytest.raises(CallerError, match="141"):
        tag.write_message(bytes(142))


@pytest.mark.parametrize(
    "frame", ["1A00", "302D", "3A0504", "A22D00000000", "A20000000000", "6001"]
)
def test_what_a_tag_refuses_puts_it_to_sleep(tag: Ntag213, frame: str) -> None:
    assert tag.transceive(bytes.fromhex(frame)) == REFUSED
    assert tag.transceive(b"\x60") is None
    tag.select()
    assert tag.transceive(b"\x60") == VERSION


def test_pages_are_written_whole_or_in_the_old_way(tag: Ntag213) -> None:
    assert tag.transceive(b"\xa2\x04abcd") == DONE
    assert tag.page(4) == b"abcd"
    assert tag.transceive(b"\xa0\x05") == DONE
    assert tag.transceive(b"efgh" + bytes(12)) == DONE
    assert tag.page(5) == b"efgh"


def test_locked_pages_and_one_time_bits_stay(tag: Ntag213) -> None:
    assert tag.transceive(bytes.fromhex("A202 0000 1001")) == DONE
    assert tag.transceive(bytes.fromhex("A202 0000 0000")) == DONE
    assert tag.page(2)[2:] == b"\x10\x01"
    assert tag.transceive(b"\xa2\x04abcd") == WRITE_REFUSED
    tag.select()
    assert tag.transceive(bytes.fromhex("A228 01000000")) == DONE
    assert tag.transceive(b"\xa2\x10abcd") == WRITE_REFUSED
    tag.select()
    assert tag.transceive(bytes.fromhex("A203 0000000F")) == DONE
    assert tag.page(3) == bytes.fromhex("E110120F")


def test_a_password_guards_pages_and_tries_run_out(tag: Ntag213) -> None:
    for frame in ("A22B 11223344", "A22C AABB0000", "A22A 82050000", "A229 04000008"):
        assert tag.transceive(bytes.fromhex(frame)) == DONE
    tag.select()
    assert tag.transceive(b"\x30\x08") == REFUSED
    tag.select()
    assert tag.transceive(b"\x30\x06") == bytes(8) + tag.page(0) + tag.page(1)
    assert tag.transceive(bytes.fromhex("1B 11223344")) == b"\xaa\xbb"
    assert tag.transceive(b"\x30\x2b")[:8] == bytes(8)  # type: ignore[index]
    for _ in range(2):
        tag.select()
        assert tag.transceive(bytes.fromhex("1B 00000000")) == REFUSED
    tag.select()
    assert tag.transceive(bytes.fromhex("1B 11223344")) == WRITE_REFUSED


def test_the_counter_counts_one_read_a_stay(tag: Ntag213) -> None:
    assert tag.transceive(bytes.fromhex("A22A 10050000")) == DONE
    for _ in range(2):
        tag.transceive(b"\x30\x04")
    tag.power_off()
    assert tag.transceive(b"\x60") is None
    tag.select()
    tag.transceive(b"\x30\x04")
    assert tag.transceive(b"\x39\x02") == b"\x02\x00\x00"


# -- MIFARE Classic ----------------------------------------------------------------------------


def test_blocks_open_with_the_sector_s_key_and_no_other(classic: MifareClassic) -> None:
    assert classic.authenticate(4, KEY_A, KEY)
    assert classic.transceive(b"\x30\x04") == bytes(16)
    assert classic.transceive(b"\x30\x07") == bytes(6) + bytes.fromhex("FF078069") + KEY
    assert classic.transceive(b"\x30\x08") == WRITE_REFUSED
    assert not classic.authenticate(4, KEY_A, KEY)
    classic.select()
    assert not classic.authenticate(4, KEY_B, KEY), "key B can be read, so it opens nothing"
    classic.select()
    assert classic.transceive(b"\x30\x04") is None


def test_access_bits_say_who_may_do_what(classic: MifareClassic) -> None:
    # block 4: read A|B, write B; trailer: key B writes the keys
    trailer = b"AAAAAA" + bytes.fromhex("78778800") + b"BBBBBB"
    bits = access_bits(trailer)
    assert bits is not None
    assert (bits[0], bits[3]) == (0b100, 0b011)
    classic.write_block(7, trailer)
    assert classic.authenticate(4, KEY_A, b"AAAAAA")
    assert classic.transceive(b"\xa0\x04") == DONE
    assert classic.transceive(bytes(16)) == WRITE_REFUSED
    classic.select()
    assert classic.authenticate(4, KEY_B, b"BBBBBB")
    assert _write(classic, 4, b"sixteen bytes ok") == DONE
    assert classic.block(4) == b"sixteen bytes ok"
    classic.write_block(7, b"AAAAAA" + bytes(4) + b"BBBBBB")
    assert not classic.authenticate(4, KEY_A, b"AAAAAA"), "contradicting bits shut the sector"


def test_a_value_rises_falls_and_stays_within_its_bounds(classic: MifareClassic) -> None:
    classic.write_block(5, value_block(100, 5))
    assert classic.authenticate(5, KEY_A, KEY)
    assert classic.transceive(b"\xc1\x05") == DONE
    assert classic.transceive((25).to_bytes(4, "little")) is None
    assert classic.transceive(b"\xb0\x06") == DONE
    assert classic.block(6) == value_block(125, 5)
    assert classic.transceive(b"\xc0\x05") == DONE
    assert classic.transceive((2**31 - 1).to_bytes(4, "little")) is None
    assert classic.transceive(b"\xc1\x04") == WRITE_REFUSED, "no value stands there"


def _write(card: MifareClassic, block: int, content: bytes) -> CardAnswer:
    assert card.transceive(bytes([0xA0, block])) == DONE
    return card.transceive(content)


# -- blocks ------------------------------------------------------------------------------------


class _Echo:
    """Software that says a command back, three times over."""

    def apdu(self, command: bytes) -> bytes:
        return command * 3

    def reset(self) -> None:
        """Nothing to forget."""


@pytest.fixture
def chip_card() -> IsoDepCard:
    """A chip card, selected and awaiting its activation."""
    card = IsoDepCard(UID_4, _Echo())
    card.select()
    return card


def test_a_chip_card_answers_nothing_before_its_activation(chip_card: IsoDepCard) -> None:
    assert chip_card.transceive(b"\x02\x00") is None
    assert chip_card.transceive(b"\xe0\x50") == ATS


@pytest.mark.parametrize("size", [0, 1, 60, 61, 62, 200, 261])
def test_chains_in_both_directions_carry_all(chip_card: IsoDepCard, size: int) -> None:
    chip_card.transceive(b"\xe0\x50")
    initiator, command = Initiator(64), bytes(value & 0xFF for value in range(size))
    for _ in range(2):
        assert initiator.exchange(chip_card, command) == command * 3
        assert initiator.is_present(chip_card)
    assert chip_card.exchanges == 2


def test_a_lost_block_is_said_again_and_a_card_identifier_comes_back(chip_card: IsoDepCard) -> None:
    chip_card.transceive(b"\xe0\x50")
    assert chip_card.transceive(b"\x0a\x00x") == b"\x0a\x00xxx"
    assert chip_card.transceive(b"\xba\x00") == b"\x0a\x00xxx"
    assert chip_card.transceive(b"\xb3") == b"\xa2"
    assert chip_card.transceive(b"\x06\x00x") is None
    assert chip_card.transceive(b"\xd0\x11\x00") == b"\xd0"
    assert chip_card.transceive(b"\xc2") == b"\xc2"
    assert chip_card.transceive(b"\x02x") is None
    assert chip_card.exchanges == 1


def test_a_command_too_long_for_any_card_ends_the_activation(chip_card: IsoDepCard) -> None:
    chip_card.transceive(b"\xe0\x50")
    assert Initiator(64).exchange(chip_card, bytes(300)) is None


# -- applications ------------------------------------------------------------------------------


def _begin(card: EmvSoftware, name: str) -> bytes:
    """Select an application and begin with as many values as it asks for."""
    fci = card.apdu(apdu.select(SCHEMES[name].aid))
    asked = ber_tlv.find(fci[:-2], 0x9F38) or b""
    count = sum(size for _, size in SCHEMES[name].options)
    assert bool(asked) == bool(count)
    return card.apdu(apdu.get_processing_options(bytes(count)))


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_a_payment_card_is_read_step_by_step(name: str) -> None:
    card = EmvSoftware([SCHEMES[name]])
    directory = card.apdu(apdu.select(b"2PAY.SYS.DDF01"))
    assert ber_tlv.find(directory[:-2], 0x4F) == SCHEMES[name].aid
    assert ber_tlv.find(_begin(card, name)[:-2], 0x94)
    record = card.apdu(apdu.read_record(1, 1))
    track = ber_tlv.find(record[:-2], 0x57)
    assert track is not None
    assert track.hex().upper().startswith(SCHEMES[name].pan + "D3012201")
    number = card.apdu(apdu.read_record(1, 2))
    assert number.endswith(apdu.OK if SCHEMES[name].has_pan_record else apdu.RECORD_NOT_FOUND)
    assert card.apdu(apdu.read_record(2, 1)) == apdu.RECORD_NOT_FOUND
    assert card.apdu(apdu.read_record(1, 9)) == apdu.FILE_NOT_FOUND


def test_a_payment_card_keeps_the_order_of_steps() -> None:
    card = EmvSoftware([SCHEMES["visa"], SCHEMES["unionpay"]])
    assert card.apdu(apdu.get_processing_options(b"")) == apdu.CONDITIONS_NOT_MET
    assert card.apdu(apdu.select(SCHEMES["mastercard"].aid)) == apdu.FILE_NOT_FOUND
    card.apdu(apdu.select(SCHEMES["visa"].aid))
    assert card.apdu(apdu.read_record(1, 1)) == apdu.CONDITIONS_NOT_MET
    assert card.apdu(apdu.get_processing_options(b"\x00")) == apdu.CONDITIONS_NOT_MET
    assert _begin(card, "visa").endswith(apdu.OK)
    card.reset()
    assert _begin(card, "unionpay").endswith(apdu.OK)
    counter = card.apdu(apdu.encode(Apdu(0x80, 0xCA, 0x9F, 0x36, expected=256)))
    assert counter == bytes.fromhex("9F36020002 9000"), "the counter outlives the power"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("00A40400", apdu.FILE_NOT_FOUND), ("00A4040105AABB", apdu.WRONG_LENGTH),
        ("00A40000023F00", apdu.WRONG_PARAMETERS), ("80A404000101", apdu.CLASS_UNKNOWN),
        ("00200000", apdu.INSTRUCTION_UNKNOWN), ("00", apdu.WRONG_LENGTH),
        ("80CA9F1700", apdu.DATA_NOT_FOUND),
    ],
)  # fmt: skip
def test_wrong_commands_get_their_status_words(command: str, answer: bytes) -> None:
    assert EmvSoftware([SCHEMES["visa"]]).apdu(bytes.fromhex(command)) == answer


def test_a_blocked_card_lists_its_application_and_does_not_open_it() -> None:
    card = EmvSoftware([SCHEMES["visa"]], is_blocked=True)
    assert card.apdu(apdu.select(b"2PAY.SYS.DDF01")).endswith(apdu.OK)
    assert card.apdu(apdu.select(SCHEMES["visa"].aid)) == apdu.FUNCTION_NOT_SUPPORTED


def test_a_telephone_hands_over_its_message_by_file() -> None:
    message = ndef.encode([ndef.text_record("z" * 300)])
    phone = PhoneSoftware(message)
    select_file = Apdu(0, 0xA4, 0, 0x0C, b"\xe1\x04")
    assert phone.apdu(apdu.encode(select_file)) == apdu.FILE_NOT_FOUND
    assert phone.apdu(apdu.select(ndef.TYPE_4_APPLICATION)) == apdu.OK
    assert phone.apdu(apdu.read_binary(0, 2)) == apdu.CONDITIONS_NOT_MET
    assert phone.apdu(apdu.encode(select_file)) == apdu.OK
    assert phone.apdu(apdu.read_binary(0, 2)) == len(message).to_bytes(2, "big") + apdu.OK
    assert phone.apdu(apdu.read_binary(2, 240))[:-2] == message[:240]
    assert phone.apdu(apdu.read_binary(0, 241)) == apdu.WRONG_LENGTH
    assert phone.apdu(apdu.read_binary(1000, 1)) == apdu.WRONG_OFFSET
    phone.reset()
    assert phone.apdu(apdu.encode(select_file)) == apdu.FILE_NOT_FOUND
