"""Goal: one string chooses how a device is reached, and pyserial reaches it by each."""

import contextlib
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import serial

from firmware_sim.board_file import board_with
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.hosting import HostedBoard
from firmware_sim.transports.spec import open_line
from protocol.errors import CallerError, OperatingError
from protocol.framing import ef01
from protocol.framing.ef01 import Instruction

COUNT = ef01.command(Instruction.TEMPLATE_NUM)
ANSWER = ef01.encode(ef01.Packet(ef01.Pid.ACK, b"\x00\x00\x00"))
SETTLE_S = 0.3


def _ask(port: serial.Serial) -> bytes:
    port.reset_input_buffer()
    port.write(COUNT)
    return port.read(len(ANSWER))


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # of pyserial's RFC 2217
@pytest.mark.parametrize("transport", ["pty", "tcp:0", "rfc2217:127.0.0.1:0"])
def test_pyserial_reaches_the_device_and_a_wrong_rate_garbles_where_it_is_told(
    tmp_path: Path, transport: str
) -> None:
    board = board_with("ef01", transport=transport)
    with HostedBoard(board, state_dir=tmp_path, pace=False) as hosted:
        path = hosted.paths["device"]
        with serial.serial_for_url(path, baudrate=57_600, timeout=1) as port:
            time.sleep(SETTLE_S)  # a sensor's first byte after the start
            assert _ask(port) == ANSWER
            if not transport.startswith("tcp"):
                port.baudrate = 9600
                assert _ask(port) != ANSWER
        with serial.serial_for_url(path, baudrate=57_600, timeout=1) as again:
            assert _ask(again) == ANSWER


def test_a_cable_between_two_real_ports(tmp_path: Path) -> None:
    """Two ptys stand for the cable's ends: what the device's machine opens is any port."""
    with HostedBoard(board_with("ef01"), state_dir=tmp_path, pace=False) as hosted:
        line = hosted.call(lambda _: open_line(f"serial:{hosted_path(hosted)}", 57_600))
        heard: list[bytes] = []
        hosted.call(lambda _: line.open(heard.append))
        hosted.call(lambda _: line.write(COUNT))
        until = time.monotonic() + 2
        while b"".join(heard)[-len(ANSWER) :] != ANSWER and time.monotonic() < until:
            time.sleep(0.01)
        hosted.call(lambda _: line.close())
    assert b"".join(heard).endswith(ANSWER)


def hosted_path(hosted: HostedBoard) -> str:
    """The board's only port; asked for from the board's own loop."""
    return hosted._board.paths["device"]


def test_a_second_client_is_turned_away_and_the_first_goes_on(tmp_path: Path) -> None:
    with HostedBoard(board_with("ef01", transport="tcp:0"), state_dir=tmp_path) as hosted:
        path = hosted.paths["device"]
        with serial.serial_for_url(path, timeout=1) as first:
            assert _ask(first)
            with serial.serial_for_url(path, timeout=1) as second:
                time.sleep(SETTLE_S)
                with pytest.raises(serial.SerialException):
                    second.read(1)
            assert _ask(first) == ANSWER


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # of pyserial's RFC 2217
@pytest.mark.parametrize(
    "words",
    ["FFFA2C01AAFFF0", "FFF0", "FFFA2C0363FFF0", "FFFA2C" + "61" * 5000],
    ids=["short baud rate", "an end without a beginning", "no such parity", "endless option"],
)
def test_a_client_that_breaks_rfc_2217_is_shown_the_door_and_the_next_is_served(
    tmp_path: Path, words: str
) -> None:
    with HostedBoard(board_with("ef01", transport="rfc2217:0"), state_dir=tmp_path) as hosted:
        path = hosted.paths["device"]
        host, _, port = path.removeprefix("rfc2217://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as hostile:
            hostile.sendall(bytes.fromhex(words))
            with contextlib.suppress(ConnectionResetError):
                while hostile.recv(1024):
                    pass
        with serial.serial_for_url(path, baudrate=57_600, timeout=1) as next_one:
            assert _ask(next_one) == ANSWER


def test_a_hosted_line_has_several_faults_at_once_and_none_when_healed(tmp_path: Path) -> None:
    with HostedBoard(board_with("ef01", device="a"), state_dir=tmp_path) as board:
        board.set_fault("a", Fault(FaultKind.DROP), Fault(FaultKind.SLOW))
        kinds = board.call(lambda one: [fault.kind for fault in one.link("a").faults])
        assert kinds == [FaultKind.DROP, FaultKind.SLOW]
        board.set_fault("a")
        assert board.call(lambda one: one.link("a").faults) == []


def test_a_board_that_cannot_start_leaves_nothing_open(tmp_path: Path) -> None:
    first = open_line("tcp:0")
    taken = f"tcp:{first.client_path.rpartition(':')[2]}"
    one, other = board_with("ef01", device="a"), board_with("ef01", transport=taken, device="b")
    board = HostedBoard(replace(one, devices={**one.devices, **other.devices}), state_dir=tmp_path)
    with pytest.raises(OperatingError, match="port_taken"):
        board.__enter__()
    assert not list((tmp_path / "dev").iterdir())
    assert all(thread.name != "sim" for thread in threading.enumerate())
    first.close()


@pytest.mark.parametrize(
    "spec",
    ["usb", "tcp:", "tcp:host:port", "rfc2217:127.0.0.1:70000", "pty:", "", "serial", "serial:"],
)
def test_a_spec_that_names_nothing_is_refused(spec: str) -> None:
    with pytest.raises(CallerError, match="config_invalid") as refusal:
        open_line(spec)
    assert repr(spec) in refusal.value.detail


def test_a_port_that_is_not_there_or_taken_is_said() -> None:
    with pytest.raises(OperatingError, match="port_unusable"):
        open_line("serial:/nonexistent/tty")
    first = open_line("tcp:0")
    taken = first.client_path.rpartition(":")[2]
    with pytest.raises(OperatingError, match="port_taken"):
        open_line(f"tcp:{taken}")
    first.close()
