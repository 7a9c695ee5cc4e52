"""Goal: the scan engine does what the Programmer's Guide says, in virtual time."""

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.sight import Sighting
from firmware_sim.devices.ssi import PROFILES, READ_MS, SsiScanner
from firmware_sim.devices.ssi.machine import PACKET_GAP_MS, WAKE_MS, Power
from protocol.framing import ssi
from protocol.framing.ssi import Opcode, Packet, Parameter, Reason

ACK = Packet(Opcode.ACK, source=ssi.DECODER)
HOST_ACK, START = Packet(Opcode.ACK), Packet(Opcode.START_SESSION)
RESPONSE_MS = 2000


def _heard(outputs: list[Output]) -> list[Packet]:
    parser = ssi.PacketParser(ssi.DECODER)
    found = [item for output in outputs for item in parser.feed(output.payload)]
    assert not parser.is_mid_item
    return [item for item in found if isinstance(item, Packet)]


def _tell(scanner: SsiScanner, packet: Packet, now_ms: int = 0) -> list[Packet]:
    return _heard(scanner.feed(ssi.encode(packet), now_ms))


def _scanner(model: str = "zebra", **values: int) -> SsiScanner:
    """In host mode and with packeted data, unless told otherwise."""
    scanner = SsiScanner(lambda png: Sighting("QRCode", png.decode()), PROFILES[model])
    scanner.boot(0)
    wanted = {"TRIGGER_MODE": ssi.TRIGGER_HOST, "PACKETED": 1, **values}
    for name, value in wanted.items():
        assert _tell(scanner, ssi.set_parameter(Parameter[name], value)) in ([ACK], [])
    return scanner


def _refused(scanner: SsiScanner, packet: Packet) -> Reason:
    [answer] = _tell(scanner, packet)
    assert answer.opcode == Opcode.NAK
    return Reason(answer.data[0])


def _decoded(scanner: SsiScanner, text: bytes = b"9") -> list[Packet]:
    scanner.present(text, 0)
    assert _tell(scanner, START) == [ACK]
    return _heard(scanner.poll(READ_MS))


@pytest.mark.parametrize(("model", "code_type"), [("zebra", 0x1C), ("gm67", 0xF1)])
def test_a_code_is_told_with_its_type(model: str, code_type: int) -> None:
    [packet] = _decoded(_scanner(model))
    assert (packet.opcode, packet.data) == (Opcode.DECODE_DATA, bytes([code_type]) + b"9")


def test_an_acknowledged_code_is_told_once() -> None:
    scanner = _scanner()
    _decoded(scanner)
    assert _tell(scanner, HOST_ACK, 100) == []
    assert scanner.next_deadline_ms() is None


def test_a_code_that_is_not_acknowledged_is_told_twice_more_and_then_lost() -> None:
    scanner = _scanner()
    _decoded(scanner)
    for again in (1, 2):
        [packet] = _heard(scanner.poll(READ_MS + again * RESPONSE_MS))
        assert packet.status == ssi.STATUS_RESENT
    assert scanner.poll(READ_MS + 3 * RESPONSE_MS) == []
    assert scanner.transfer.lost == 1
    assert scanner.next_deadline_ms() is None


def test_a_host_that_asks_again_gets_it_at_once_and_one_that_cancels_does_not() -> None:
    scanner = _scanner()
    _decoded(scanner)
    [packet] = _tell(scanner, ssi.nak(Reason.RESEND, source=ssi.HOST), 100)
    assert packet.status == ssi.STATUS_RESENT
    assert _tell(scanner, ssi.nak(Reason.CANCEL, source=ssi.HOST), 200) == []
    assert not scanner.transfer.is_busy


def test_a_long_code_of_zebra_goes_in_continued_packets_each_acknowledged() -> None:
    scanner, text = _scanner(), b"0123456789" * 60
    [packet] = _decoded(scanner, text)
    heard = [packet]
    while packet.status & ssi.STATUS_CONTINUED:
        [packet] = _tell(scanner, HOST_ACK, 100)
        heard.append(packet)
    assert [one.status for one in heard] == [2, 2, 0]
    assert b"".join(one.data[1:] for one in heard) == text


def test_a_long_code_of_gm67_goes_in_one_long_packet() -> None:
    text = b"0123456789" * 60
    [packet] = _decoded(_scanner("gm67"), text)
    assert (packet.opcode, packet.data[1:]) == (Opcode.LONG_DECODE_DATA, text)


def test_unpacketed_text_is_bare_and_may_be_dressed() -> None:
    scanner = _scanner(PACKETED=0)
    scanner.present(b"9", 0)
    _tell(scanner, START)
    assert [output.payload for output in scanner.poll(READ_MS)] == [b"9"]
    _tell(scanner, ssi.set_parameter(Parameter.PREFIX, 0x3C))
    _tell(scanner, ssi.set_parameter(Parameter.FORMAT, 7))
    scanner.present(b"9", 0)
    _tell(scanner, START)
    assert [output.payload for output in scanner.poll(READ_MS)] == [b"<9\r\n"]


def test_without_handshaking_nothing_is_acknowledged_or_told_again() -> None:
    scanner = _scanner(HANDSHAKING=0)
    scanner.present(b"9", 0)
    assert _tell(scanner, START) == []
    assert len(_heard(scanner.poll(READ_MS))) == 1
    assert scanner.next_deadline_ms() is None


def test_a_session_is_denied_outside_host_mode_and_while_disabled() -> None:
    scanner = _scanner(TRIGGER_MODE=ssi.TRIGGER_HOLD)
    assert _refused(scanner, START) is Reason.DENIED
    scanner = _scanner()
    assert _tell(scanner, Packet(Opcode.SCAN_DISABLE)) == [ACK]
    assert _refused(scanner, START) is Reason.DENIED
    assert _tell(scanner, Packet(Opcode.SCAN_ENABLE)) == [ACK]
    assert _tell(scanner, START) == [ACK]


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (ssi.set_parameter(Parameter.TRIGGER_MODE, 3), Reason.DENIED),
        (ssi.set_parameter(Parameter.BAUD, 99), Reason.DENIED),
        (ssi.set_parameter(0x42, 1), Reason.DENIED),
        (Packet(Opcode.PARAM_SEND, b"\xff\x8a"), Reason.BAD_CONTEXT),
        (Packet(Opcode.PARAM_REQUEST), Reason.BAD_CONTEXT),
        (Packet(Opcode.CUSTOM_DEFAULTS, b"\x07"), Reason.BAD_CONTEXT),
        (Packet(Opcode.REPLY_REVISION), Reason.BAD_CONTEXT),
        (Packet(Opcode.BEEP), Reason.BAD_CONTEXT),
        (Packet(Opcode.IMAGER_MODE, b"\x01"), Reason.DENIED),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(packet: Packet, reason: Reason) -> None:
    assert _refused(_scanner(), packet) is reason


def test_a_wrong_checksum_is_asked_for_again() -> None:
    raw = ssi.encode(START)
    [answer] = _heard(_scanner().feed(raw[:-1] + b"\x00", 0))
    assert (answer.opcode, answer.data) == (Opcode.NAK, bytes([Reason.RESEND]))


def test_an_order_sent_again_is_acknowledged_and_done_once() -> None:
    scanner, beep = _scanner(), Packet(Opcode.BEEP, b"\x01")
    again = Packet(Opcode.BEEP, b"\x01", status=ssi.STATUS_RESENT)
    assert _tell(scanner, beep) == _tell(scanner, again) == [ACK]
    assert scanner.show.beeps == 1


def test_an_order_that_was_refused_is_refused_again_when_it_is_sent_again() -> None:
    """Goal: a host that missed the refusal does not take its order for done."""
    scanner = _scanner(TRIGGER_MODE=ssi.TRIGGER_HOLD)
    again = Packet(Opcode.START_SESSION, status=ssi.STATUS_RESENT)
    assert _refused(scanner, START) is _refused(scanner, again) is Reason.DENIED
    assert not scanner.is_reading


def test_parameters_are_told_all_or_some() -> None:
    scanner = _scanner()
    [told] = _tell(scanner, ssi.ask_parameter(Parameter.TRIGGER_MODE))
    assert ssi.read_parameters(told.data) == {Parameter.TRIGGER_MODE: ssi.TRIGGER_HOST}
    [told] = _tell(scanner, ssi.ask_parameter(ssi.ALL_PARAMETERS))
    values = ssi.read_parameters(told.data)
    assert values is not None
    assert values[Parameter.QR] == 1


def test_only_a_permanent_parameter_survives_a_power_cut() -> None:
    scanner = _scanner()
    kept = ssi.set_parameter(Parameter.SESSION_TIME, 99, is_permanent=True)
    assert _tell(scanner, kept) == [ACK]
    scanner.boot(10)
    assert scanner.settings[Parameter.SESSION_TIME] == 99
    assert scanner.mode == ssi.TRIGGER_HOLD
    _tell(scanner, Packet(Opcode.PARAM_DEFAULTS))
    assert scanner.settings[Parameter.SESSION_TIME] == 30


def test_custom_defaults_are_kept_and_come_back() -> None:
    scanner = _scanner()
    _tell(scanner, Packet(Opcode.CUSTOM_DEFAULTS, b"\x01"))
    _tell(scanner, ssi.set_parameter(Parameter.TRIGGER_MODE, ssi.TRIGGER_EDGE))
    _tell(scanner, Packet(Opcode.CUSTOM_DEFAULTS, b"\x00"))
    assert scanner.mode == ssi.TRIGGER_HOST


def test_a_new_rate_is_acknowledged_at_the_old_one() -> None:
    scanner = _scanner()
    [said] = scanner.feed(ssi.encode(ssi.set_parameter(Parameter.BAUD, 8)), 0)
    assert (said.baud, scanner.baud) == (9600, 38_400)


def test_asleep_it_hears_nothing_until_50_ms_after_it_was_woken() -> None:
    scanner = _scanner()
    assert _tell(scanner, Packet(Opcode.SLEEP)) == [ACK]
    assert scanner.feed(ssi.WAKE, 1000) == []
    assert _tell(scanner, START, 1000 + WAKE_MS - 1) == []
    assert _tell(scanner, START, 1000 + WAKE_MS) == [ACK]
    assert scanner.power is Power.AWAKE


def test_a_wake_byte_while_awake_and_a_broken_packet_do_no_harm() -> None:
    scanner, raw = _scanner(), ssi.encode(START)
    assert scanner.feed(raw[:3], 0) == []
    assert _tell(scanner, START, PACKET_GAP_MS + 1) == [ACK]
    assert _heard(scanner.feed(ssi.WAKE + raw, 1000)) == [ACK]


def test_a_session_ends_by_itself_and_says_so_if_told_to() -> None:
    scanner = _scanner(NO_READ_MESSAGE=1)
    _tell(scanner, START)
    [packet] = _heard(scanner.poll(3000))
    assert packet.data == b"\x00NR"
    assert not scanner.is_reading


def test_the_trigger_reads_in_hold_mode_while_it_is_held() -> None:
    scanner = _scanner(TRIGGER_MODE=ssi.TRIGGER_HOLD)
    scanner.pull_trigger(0)
    assert scanner.is_reading
    scanner.release_trigger(10)
    scanner.present(b"9", 20)
    assert scanner.next_deadline_ms() is None
    scanner.pull_trigger(30)
    assert len(_heard(scanner.poll(30 + READ_MS))) == 1


def test_continuous_mode_goes_on_after_the_acknowledgement_and_holds_back_the_same_code() -> None:
    scanner = _scanner(TRIGGER_MODE=ssi.TRIGGER_CONTINUOUS)
    scanner.present(b"9", 0, keep=True)
    times: list[int] = []
    while (due := scanner.next_deadline_ms()) is not None and due < 5000:
        if _heard(scanner.poll(due)):
            times.append(due)
            _tell(scanner, HOST_ACK, due)
    assert len(times) == 5
    assert times[1] - times[0] == 1000


def test_a_symbology_switched_off_is_not_read() -> None:
    assert _decoded(_scanner(QR=0)) == []


def test_sensing_mode_of_gm67_reads_what_is_shown() -> None:
    scanner = _scanner("gm67", TRIGGER_MODE=ssi.TRIGGER_SENSING)
    scanner.present(b"9", 100)
    scanner.poll(100)
    assert len(_heard(scanner.poll(100 + READ_MS))) == 1


def test_leds_aim_and_light_are_shown() -> None:
    scanner = _scanner()
    for opcode, data in (
        (Opcode.LED_ON, b"\x03"), (Opcode.LED_OFF, b"\x01"), (Opcode.AIM_ON, b""),
        (Opcode.ILLUMINATION_OFF, b""),
    ):  # fmt: skip
        assert _tell(scanner, Packet(opcode, data)) == [ACK]
    assert (scanner.show.leds, scanner.show.is_aiming, scanner.show.is_lit) == (2, True, False)
