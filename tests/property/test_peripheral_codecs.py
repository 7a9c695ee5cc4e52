"""Goal: no bytes crash a decoder, a device or a driver's parser, or make it grow without end.

Method: arbitrary bytes in arbitrary pieces, bare or woven into sound frames.
"""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.devices.device import Device
from firmware_sim.devices.displays import Cd5220, EpsonVfd, Led8
from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.profiles import R503
from firmware_sim.devices.escpos import EscPosPrinter, PrinterProfile
from firmware_sim.devices.escpos.characters import TextDecoder
from firmware_sim.devices.escpos.parser import EscPosParser, Operation
from firmware_sim.devices.gm65 import PROFILES as GM_PROFILES
from firmware_sim.devices.gm65 import Gm65, Sighting
from firmware_sim.devices.ssi import PROFILES as SSI_PROFILES
from firmware_sim.devices.ssi import SsiScanner
from firmware_sim.faults import Fault, FaultKind, FaultPlan
from protocol.errors import TillwayError
from protocol.framing import customer_display, ef01, escpos, gm65, ssi
from terminal.adapters import ef01_fingerprint, escpos_printer, gm65_scanner, ssi_scanner
from terminal.adapters.serial_worker import Dialogue

FRAMES = [
    gm65.encode_command(gm65.write(0, b"\xd5")),
    gm65.encode_command(gm65.write(2, b"\x01")),
    gm65.encode_command(gm65.write(0xD9, b"\xa5")),
    gm65.encode_reply(gm65.Reply(0, b"\x00")),
    ssi.encode(ssi.set_parameter(ssi.Parameter.TRIGGER_MODE, ssi.TRIGGER_CONTINUOUS)),
    ssi.encode(ssi.Packet(ssi.Opcode.START_SESSION)),
    ssi.encode(ssi.Packet(ssi.Opcode.ACK, source=ssi.DECODER)),
    ssi.encode(ssi.Packet(ssi.Opcode.DECODE_DATA, b"\x1c1", ssi.DECODER)),
    b"134567890123456789\r",
    ef01.command(ef01.Instruction.GET_IMAGE),
    ef01.command(ef01.Instruction.SEARCH, 1, 0, 0, 3, 232),
    ef01.command(ef01.Instruction.UP_IMAGE),
    ef01.command(ef01.Instruction.DOWN_IMAGE),
    ef01.command(ef01.Instruction.AUTO_ENROL, 0xC8, 0, 0, 1, 1),
    ef01.encode(ef01.Packet(ef01.Pid.ACK, b"\x00")),
    escpos.qr_code(b"x"),
    escpos.CUT_FULL,
    customer_display.cd5220_rows("a", "b"),
    b"\x1bW\x01\x05\x0a\x01\x1b\x13",
    b"\x1f\x03\x1f$\x14\x02",
    b"\x1bQD",
    b"\x1dv0\x00\x02\x00\x02\x00",
    b"\x1b*\x21\x03\x00",
    b"\x1dk\x49",
    b"\x1d(k",
    b"\x1d(L",
    b"\x1bL\x1bT\x01",
    b"\x1cq\x02\x01\x00\x01\x00",
    b"\x1b&\x03\x20\x22",
    b"\x1bD\x01",
    b"\x1d*\x02\x02",
    b"\x1b{\x01\x1bV\x01\x1d!\x77",
    b"\x10\x14\x08",
    "收银".encode("gb18030"),
    b"\x12",
]
streams = st.lists(st.one_of(st.binary(max_size=80), st.sampled_from(FRAMES)), max_size=20)


@given(st.binary(min_size=1, max_size=256), st.integers(0, 0xFFFF))
def test_gm65_commands_come_out_as_they_went_in(data: bytes, address: int) -> None:
    command = gm65.write(address, data)
    assert gm65.CommandParser().feed(gm65.encode_command(command), 0) == [command]


@given(st.binary(min_size=1, max_size=256), st.integers(0, 255))
def test_gm65_replies_come_out_as_they_went_in(data: bytes, status: int) -> None:
    reply = gm65.Reply(status, data)
    assert gm65.HostParser().feed(gm65.encode_reply(reply)) == [reply]


@given(st.binary(max_size=251), st.sampled_from([ssi.HOST, ssi.DECODER]), st.integers(0, 15))
def test_ssi_packets_come_out_as_they_went_in(data: bytes, source: int, status: int) -> None:
    packet = ssi.Packet(ssi.Opcode.DECODE_DATA, data, source, status)
    assert ssi.PacketParser(source).feed(ssi.encode(packet)) == [packet]


@given(st.binary(max_size=256), st.integers(0, 255), st.integers(0, 0xFFFFFFFF))
def test_ef01_packets_come_out_as_they_went_in(payload: bytes, pid: int, address: int) -> None:
    packet = ef01.Packet(pid, payload, address)
    assert ef01.PacketParser().feed(ef01.encode(packet)) == [packet]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])), st.integers(1, 7))
def test_text_comes_out_as_it_went_in_however_it_is_cut(words: str, size: int) -> None:
    data, decoder = escpos.text(words), TextDecoder(chinese=True)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert "".join(map(decoder.feed, pieces)) == data.decode("gb18030")


@given(streams)
def test_a_sound_frame_after_any_bytes_is_read_in_the_end(stream: list[bytes]) -> None:
    """A parser may lose what it is in the middle of, but never the way."""
    packet, sound = ef01.Packet(ef01.Pid.ACK, b"\x00"), ef01.command(ef01.Instruction.EMPTY)
    parser = ef01.PacketParser()
    parser.feed(b"".join(stream))
    found = parser.feed(bytes(300) + sound + ef01.encode(packet))
    assert packet in found
    ear = gm65.CommandParser()
    ear.feed(b"".join(stream), 0)
    assert ear.feed(gm65.encode_command(gm65.save()), 1000) == [gm65.save()]


@given(streams)
def test_parsers_take_anything_and_stay_small(stream: list[bytes]) -> None:
    command, host, packets = gm65.CommandParser(), gm65.HostParser(), ef01.PacketParser()
    paper, engine, framed = EscPosParser(), ssi.PacketParser(0), gm65.HostParser(has_frames=True)
    orders = (customer_display.EPSON_ORDERS, customer_display.CD5220_ORDERS)
    ears = [customer_display.OrderParser(known) for known in orders]
    for number, data in enumerate(stream):
        command.feed(data, number)
        host.feed(data)
        packets.feed(data)
        paper.feed(data)
        engine.feed(data)
        framed.feed(data)
        for ear in ears:
            ear.feed(data)
    assert all(len(ear._buffer) <= 600 for ear in ears)
    assert len(engine._buffer) <= 8194
    assert len(framed._buffer) <= 4100
    assert len(command._buffer) <= 264
    assert len(host._buffer) <= 4097
    assert len(packets._buffer) <= 267
    assert len(paper._buffer) <= sum(map(len, stream))


@given(streams)
def test_the_printers_ear_hears_the_same_however_the_bytes_are_cut(stream: list[bytes]) -> None:
    whole = b"".join(stream)
    at_once = EscPosParser().feed(whole)
    bitwise = EscPosParser()
    one_by_one = [operation for value in whole for operation in bitwise.feed(bytes([value]))]
    assert _joined(at_once) == _joined(one_by_one)


def _joined(operations: list[Operation]) -> bytes:
    return b"".join(op.name + op.data for op in operations)


MAKERS: list[Callable[[], Device]] = [
    EpsonVfd,
    Cd5220,
    Led8,
    lambda: Gm65(lambda _: Sighting("QRCode", "1")),
    lambda: Gm65(lambda _: Sighting("QRCode", "1"), GM_PROFILES["gm60"]),
    lambda: SsiScanner(lambda _: Sighting("QRCode", "1"), SSI_PROFILES["gm67"]),
    Ef01,
    lambda: Ef01(R503),
    EscPosPrinter,
    lambda: EscPosPrinter(PrinterProfile("western", realtime_inside_data=True), roll_mm=20),
    lambda: EscPosPrinter(PrinterProfile(speed_mm_s=50, buffer_bytes=1024, flow="xonxoff")),
]


@pytest.mark.parametrize("make", MAKERS)
@given(stream=streams, step_ms=st.integers(0, 1000))
def test_devices_take_anything_and_answer_in_order(
    make: Callable[[], Device], stream: list[bytes], step_ms: int
) -> None:
    device = make()
    for number, data in enumerate(stream):
        now_ms = number * step_ms
        for output in [*device.feed(data, now_ms), *device.poll(now_ms)]:
            assert output.at_ms >= now_ms
            assert output.baud > 0
            assert output.payload


class _Babble:
    """A port that says whatever it was given, then falls silent."""

    def __init__(self, stream: list[bytes]) -> None:
        self._stream = list(stream)
        self.is_silent = threading.Event()

    @property
    def in_waiting(self) -> int:
        return 0

    def read(self, size: int, /) -> bytes:
        while self._stream and not self._stream[0]:
            self._stream.pop(0)
        if not self._stream:
            self.is_silent.set()  # makes the dialogue give up instead of waiting
            return b""
        head, self._stream[0] = self._stream[0][:size], self._stream[0][size:]
        return head

    def write(self, data: bytes, /) -> int:
        return len(data)

    def reset_input_buffer(self) -> None:
        """Babble goes on."""

    def close(self) -> None:
        """Nothing to close."""


def _scan(dialogue: Dialogue) -> object:
    return gm65_scanner._scan(1, dialogue)


def _status(dialogue: Dialogue) -> object:
    return escpos_printer._status(dialogue)


def _ask(dialogue: Dialogue) -> object:
    return ef01_fingerprint._ask(dialogue, ef01.Instruction.GET_IMAGE)


def _scan_ssi(dialogue: Dialogue) -> object:
    return ssi_scanner._Engine().scan(1, dialogue)


@pytest.mark.parametrize("talk", [_scan, _scan_ssi, _status, _ask])
@given(stream=streams)
def test_drivers_take_anything_and_end_with_a_value_or_a_known_error(
    talk: Callable[[Dialogue], object], stream: list[bytes]
) -> None:
    port = _Babble(stream)
    dialogue = Dialogue(port, port.is_silent)
    try:
        assert talk(dialogue)
    except TillwayError as error:
        assert error.code.startswith(("device_", "scan_", "printer_", "biometric_"))
    except Exception as error:  # noqa: BLE001 - only the one that says "nobody waits" is right
        assert type(error).__name__ == "AbandonedError"


@given(st.sampled_from(FaultKind), st.integers(0, 50), st.binary(max_size=60))
def test_a_fault_never_makes_bytes_but_noise(kind: FaultKind, at: int, data: bytes) -> None:
    deliveries = FaultPlan(Fault(kind, at)).deliver(data, 0)
    heard = b"".join(delivery.data for delivery in deliveries)
    more = {FaultKind.NOISE: 6, FaultKind.DUPLICATE: 1}
    assert len(heard) <= len(data) + more.get(kind, 0)
