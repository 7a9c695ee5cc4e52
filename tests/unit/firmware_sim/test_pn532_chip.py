"""Goal: the simulated reader answers as the manual says: sleep, frames, commands, waiting."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.pn532.card import crc_a
from firmware_sim.devices.pn532.chip import Pn532, rising_edges
from firmware_sim.devices.pn532.emv import SCHEMES, EmvSoftware
from firmware_sim.devices.pn532.iso_dep import IsoDepCard
from firmware_sim.devices.pn532.mifare_classic import MifareClassic
from firmware_sim.devices.pn532.ntag213 import VERSION, Ntag213
from protocol.errors import CallerError
from protocol.framing import apdu, pn532
from protocol.framing.pn532 import Code, Data

PPSE = apdu.select(b"2PAY.SYS.DDF01")
RETRY_ONCE = (5, 1, 0, 1)


@dataclass
class Host:
    """The host's end of the line, in virtual time."""

    chip: Pn532
    now_ms: int = 0
    heard: list[bytes] = field(default_factory=list)

    def is_field_on(self) -> bool:
        """The chip's, now."""
        return self.chip.is_field_on

    def say(self, data: bytes) -> None:
        """Put bytes on the line and listen until nothing is due."""
        self._hear(self.chip.feed(data, self.now_ms))
        while (due := self.chip.next_deadline_ms()) is not None:
            self.now_ms = max(self.now_ms, due)
            self._hear(self.chip.poll(self.now_ms))

    def ask(self, code: int, arguments: bytes | tuple[int, ...] = b"") -> bytes:
        """A command's answer behind its code; an empty one is ``b""``, a syntax error raises."""
        self.heard.clear()
        self.say(pn532.command(code, arguments))
        assert self.heard[0] == pn532.ACK
        if self.heard[1] == pn532.ERROR:
            raise SyntaxError
        [item] = [
            item for item in pn532.FrameParser().feed(self.heard[1]) if isinstance(item, Data)
        ]
        assert item.tfi == pn532.CHIP
        assert item.payload[0] == code + 1
        return item.payload[1:]

    def _hear(self, outputs: Sequence[Output]) -> None:
        self.heard += [output.payload for output in outputs]


@pytest.fixture
def host() -> Host:
    """An awake reader with one card of each kind in its people's hands."""
    chip = Pn532({
        "tag": Ntag213(bytes.fromhex("04112233445566")),
        "classic": MifareClassic(bytes.fromhex("DEADBEEF")),
        "bank": IsoDepCard(bytes.fromhex("08010203"), EmvSoftware([SCHEMES["unionpay"]])),
    })  # fmt: skip
    chip.boot(0)
    host = Host(chip)
    host.say(pn532.WAKE_UP)
    host.ask(Code.RF_CONFIGURATION, RETRY_ONCE)
    return host


def test_five_rising_edges_wake_the_chip_and_what_came_before_is_lost() -> None:
    assert [rising_edges(value) for value in (0x00, 0x55, 0xFF, 0xAA)] == [1, 5, 1, 4]
    host = Host(Pn532())
    host.chip.boot(0)
    version = pn532.command(Code.GET_FIRMWARE_VERSION)
    host.say(version)
    assert host.heard == []
    host.say(version)
    assert host.heard[0] == pn532.ACK
    again = Host(Pn532())
    again.chip.boot(0)
    again.say(bytes(10) + version)
    assert len(again.heard) == 2


def test_the_version_comes_after_the_acknowledgement(host: Host) -> None:
    [ack] = host.chip.feed(pn532.command(Code.GET_FIRMWARE_VERSION), 1000)
    assert (ack.at_ms, ack.payload) == (1001, pn532.ACK)
    assert host.chip.poll(1001) == []
    [reply] = host.chip.poll(1002)
    assert reply.payload == pn532.answer(Code.GET_FIRMWARE_VERSION, b"\x32\x01\x06\x07")


def test_a_damaged_frame_gets_no_answer_and_a_cut_one_is_forgotten(host: Host) -> None:
    frame = pn532.command(Code.GET_FIRMWARE_VERSION)
    assert host.chip.feed(frame[:-2] + b"\x00\x00", 100) == []
    assert host.chip.feed(pn532.command(Code.DIAGNOSE, bytes(263))[:20], 200) == []
    assert host.chip.feed(frame, 500) != []


def test_unknown_commands_and_wrong_arguments_are_syntax_errors(host: Host) -> None:
    for code, arguments in [
        (0x8C, b"x"), (Code.GET_FIRMWARE_VERSION, b"x"), (Code.IN_LIST_PASSIVE_TARGET, b"\x03\x00"),
        (Code.IN_LIST_PASSIVE_TARGET, b"\x01\x09"), (Code.READ_REGISTER, b"\x63\x02\x63"),
        (Code.RF_CONFIGURATION, b"\x05\x01"), (Code.SET_SERIAL_BAUD_RATE, b"\x09"),
        (Code.SAM_CONFIGURATION, b"\x00"), (Code.IN_AUTO_POLL, b"\x00\x01\x00"),
        (Code.DIAGNOSE, b"\x03"), (Code.WRITE_REGISTER, b"\x63\x02\x80\x63"),
    ]:  # fmt: skip
        with pytest.raises(SyntaxError):
            host.ask(code, arguments)
    host.heard.clear()
    host.say(pn532.encode(pn532.HOST, b""))
    assert host.heard == [pn532.ACK, pn532.ERROR]


def test_the_line_test_echoes_an_extended_frame(host: Host) -> None:
    told = bytes(value & 0xFF for value in range(262))
    assert host.ask(Code.DIAGNOSE, b"\x00" + told) == b"\x00" + told
    assert host.ask(Code.DIAGNOSE, b"\x01") == b"\x00"


def test_the_host_s_nack_has_the_last_answer_said_again(host: Host) -> None:
    host.ask(Code.GET_FIRMWARE_VERSION)
    answer = host.heard[1]
    host.heard.clear()
    host.say(pn532.NACK)
    assert host.heard == [answer]


def test_a_new_rate_counts_from_the_host_s_acknowledgement_on(host: Host) -> None:
    assert host.ask(Code.SET_SERIAL_BAUD_RATE, b"\x07") == b""
    assert host.chip.baud == 115_200
    host.say(pn532.ACK)
    assert host.chip.baud == 921_600
    host.chip.boot(0)
    assert host.chip.baud == 115_200


def test_registers_keep_what_is_written_and_others_keep_nothing(host: Host) -> None:
    host.ask(Code.WRITE_REGISTER, bytes.fromhex("6302 80 FFF4 11 6305 40"))
    assert host.ask(Code.READ_REGISTER, bytes.fromhex("6302 FFF4 6305")) == b"\x80\x00\x40"
    host.ask(Code.WRITE_REGISTER, bytes.fromhex("633A80 633901 633902"))
    assert host.ask(Code.READ_REGISTER, bytes.fromhex("633A 6339 6339 6339")) == b"\x02\x01\x02\x00"


def test_ports_keep_only_what_is_marked_valid(host: Host) -> None:
    host.ask(Code.WRITE_GPIO, b"\x95\x00")
    assert host.ask(Code.READ_GPIO)[:2] == b"\x15\x07"


def test_no_card_is_none_after_the_tries_and_the_request_is_left_in_the_queue(host: Host) -> None:
    began = host.now_ms
    assert host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00") == b"\x00"
    assert host.now_ms - began == 11
    assert host.ask(Code.READ_REGISTER, bytes.fromhex("6339")) == b"\x26"


def test_other_technologies_are_never_found(host: Host) -> None:
    host.chip.present("tag", 0)
    for kind in (1, 2, 3, 4):
        assert host.ask(Code.IN_LIST_PASSIVE_TARGET, (1, kind)) == b"\x00"
    assert host.ask(Code.IN_JUMP_FOR_DEP, b"\x00\x00\x00") == b"\x01"


def test_a_card_is_told_as_the_manual_says(host: Host) -> None:
    host.chip.present("tag", 0)
    found = host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    assert found.hex() == "01010044000704112233445566"
    host.chip.remove("tag")
    host.chip.present("bank", 0)
    found = host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    assert found.hex() == "010100042004080102030578807002"
    host.ask(Code.SET_PARAMETERS, b"\x00")
    assert not host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00").endswith(b"\x05\x78\x80\x70\x02")


def test_two_cards_are_listed_and_one_is_picked_by_its_uid(host: Host) -> None:
    for name in ("tag", "classic", "bank"):
        host.chip.present(name, 0)
    assert host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x02\x00")[0] == 2
    assert host.ask(Code.GET_GENERAL_STATUS)[2] == 2
    picked = host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00\xde\xad\xbe\xef")
    assert picked[4:6] == b"\x08\x04"
    cascaded = bytes.fromhex("0100 88 041122 33445566")
    assert host.ask(Code.IN_LIST_PASSIVE_TARGET, cascaded)[5] == 7
    assert host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00\x00\x00\x00\x01") == b"\x00"


def test_a_search_without_end_waits_for_the_card_or_the_host(host: Host) -> None:
    host.ask(Code.RF_CONFIGURATION, (5, 0xFF, 1, 0xFF))
    host.heard.clear()
    host.say(pn532.command(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00"))
    assert host.heard == [pn532.ACK]
    assert host.chip.is_searching
    host.chip.present("tag", 5000)
    assert host.chip.next_deadline_ms() == 5005
    [reply] = host.chip.poll(5005)
    assert b"\x04\x11\x22\x33\x44\x55\x66" in reply.payload
    host.chip.remove("tag")
    host.say(pn532.command(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00"))
    host.say(pn532.ACK)
    host.chip.present("tag", 6000)
    assert host.chip.poll(9000) == []


def test_a_new_command_ends_the_one_under_way(host: Host) -> None:
    both = pn532.command(Code.GET_FIRMWARE_VERSION) + pn532.command(Code.GET_GENERAL_STATUS)
    host.heard.clear()
    host.say(both)
    assert [frame[6] if len(frame) > 6 else 0 for frame in host.heard] == [0, 0, 0x05]


def test_auto_poll_finds_the_kind_that_is_asked_for(host: Host) -> None:
    host.chip.present("tag", 0)
    began = host.now_ms
    assert host.ask(Code.IN_AUTO_POLL, b"\x02\x01\x20") == b"\x00"
    assert host.now_ms - began == 301
    found = host.ask(Code.IN_AUTO_POLL, b"\x02\x01\x11\x10")
    assert found[:3] == bytes([1, 0x10, 5 + 7])
    host.chip.present("bank", 0)
    assert host.ask(Code.IN_AUTO_POLL, b"\x01\x01\x20")[1] == 0x20


def test_a_card_taken_away_or_never_listed_is_an_error(host: Host) -> None:
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x30\x04") == b"\x27"
    host.chip.present("tag", 0)
    host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x30\x04")[0] == 0
    host.chip.remove("tag")
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x30\x04") == b"\x01"
    assert host.ask(Code.GET_GENERAL_STATUS)[0] == 0x01
    assert host.ask(Code.IN_COMMUNICATE_THRU, b"\x30\x04") == b"\x01"
    assert host.ask(Code.IN_COMMUNICATE_THRU) == b"\x01"


def test_the_field_off_makes_cards_forget(host: Host) -> None:
    host.chip.present("bank", 0)
    host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    assert host.is_field_on()
    host.ask(Code.RF_CONFIGURATION, b"\x01\x02")
    assert not host.is_field_on()
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01" + PPSE) == b"\x27"


def test_bare_frames_carry_checksums_as_the_mode_registers_say(host: Host) -> None:
    host.chip.present("tag", 0)
    host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    assert host.ask(Code.IN_COMMUNICATE_THRU, b"\x60") == bytes.fromhex("00 0004040201000F03")
    assert host.ask(Code.IN_COMMUNICATE_THRU, b"\xa2\x05abcd") == b"\x02"
    host.ask(Code.WRITE_REGISTER, bytes.fromhex("630300"))
    assert host.ask(Code.IN_COMMUNICATE_THRU, b"\xa2\x05abcd") == b"\x00\x0a"
    with_checksum = VERSION + crc_a(VERSION)
    assert host.ask(Code.IN_COMMUNICATE_THRU, b"\x60") == b"\x00" + with_checksum
    host.ask(Code.WRITE_REGISTER, bytes.fromhex("630200"))
    assert host.ask(Code.IN_COMMUNICATE_THRU, b"\x60") == b"\x01"
    own = b"\x60" + crc_a(b"\x60")
    assert host.ask(Code.IN_COMMUNICATE_THRU, own) == b"\x00" + with_checksum


def test_keys_are_asked_of_the_card_and_a_wrong_one_closes_it(host: Host) -> None:
    host.chip.present("classic", 0)
    host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    key, uid = b"\xff" * 6, bytes.fromhex("DEADBEEF")
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x60\x04" + key + uid) == b"\x00"
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\xa0\x04" + b"sixteen bytes ok") == b"\x00"
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x30\x04") == b"\x00sixteen bytes ok"
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x30\x08") == b"\x13"
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x60\x04" + key + uid) == b"\x14"
    host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x60\x04" + bytes(6) + uid) == b"\x14"
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01\x60\x04" + key) == b"\x10"


def test_a_command_in_two_parts_reaches_the_card_whole(host: Host) -> None:
    host.chip.present("bank", 0)
    host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    whole = host.ask(Code.IN_DATA_EXCHANGE, b"\x01" + PPSE)
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x41" + PPSE[:9]) == b"\x00"
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01" + PPSE[9:]) == whole
    host.ask(Code.IN_DATA_EXCHANGE, b"\x41" + bytes(200))
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01" + bytes(200)) == b"\x07"


def test_cards_are_put_to_sleep_woken_and_let_go(host: Host) -> None:
    host.chip.present("bank", 0)
    host.ask(Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    assert host.ask(Code.DIAGNOSE, b"\x06") == b"\x00"
    assert host.ask(Code.IN_DESELECT, b"\x01") == b"\x00"
    assert host.ask(Code.IN_SELECT, b"\x01") == b"\x00"
    assert host.ask(Code.IN_DATA_EXCHANGE, b"\x01" + PPSE)[-2:] == apdu.OK
    assert host.ask(Code.IN_RELEASE, b"\x00") == b"\x00"
    assert host.ask(Code.IN_SELECT, b"\x01") == b"\x27"
    assert host.ask(Code.DIAGNOSE, b"\x06") == b"\x01"


@pytest.mark.parametrize("name", ["tag", "classic", "bank"])
def test_a_card_put_to_sleep_is_found_again_by_selection_or_in_a_new_field(
    host: Host, name: str
) -> None:
    listing = (Code.IN_LIST_PASSIVE_TARGET, b"\x01\x00")
    host.chip.present(name, 0)
    assert host.ask(*listing)[0] == 1
    host.ask(Code.IN_DESELECT, b"\x01")
    assert host.ask(Code.IN_SELECT, b"\x01") == b"\x00"
    assert host.ask(*listing)[0] == 1
    host.ask(Code.IN_RELEASE, b"\x01")
    assert host.ask(*listing) == b"\x00"
    host.ask(Code.RF_CONFIGURATION, b"\x01\x00")
    assert host.ask(*listing)[0] == 1
    host.ask(Code.IN_COMMUNICATE_THRU, b"\x50\x00")
    assert host.ask(*listing) == b"\x00"


def test_power_down_sleeps_until_the_line_moves_or_for_good(host: Host) -> None:
    assert host.ask(Code.POWER_DOWN, b"\x10") == b"\x00"
    assert not host.chip.is_awake
    host.say(pn532.WAKE_UP)
    host.ask(Code.POWER_DOWN, b"\x20\x01")
    host.say(pn532.WAKE_UP)
    assert not host.chip.is_awake
    host.chip.boot(0)
    host.say(pn532.WAKE_UP)
    assert host.chip.is_awake


def test_people_cannot_hold_what_they_have_not_or_too_much(host: Host) -> None:
    with pytest.raises(CallerError, match="classic"):
        host.chip.present("nothing", 0)
    with pytest.raises(CallerError, match="field_invalid"):
        host.chip.remove("tag")
    many = {str(n): MifareClassic(bytes([n, 1, 2, 3])) for n in range(5)}
    chip = Pn532(dict(many))
    for name in list(many)[:4]:
        chip.present(name, 0)
    with pytest.raises(CallerError, match="busy"):
        chip.present("4", 0)
