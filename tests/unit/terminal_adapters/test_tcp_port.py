"""Goal: a connection behaves as a port does, and one that is gone says so."""

import socket
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import serial

from protocol.errors import CallerError
from protocol.framing.modbus import RtuFraming
from protocol.framing.modbus_tcp import TcpFraming
from terminal.adapters import tcp_port
from terminal.adapters.port_names import modbus_of, opener_of
from terminal.adapters.tcp_port import TcpPort
from tests.kit.stopwatch import Stopwatch
from tillway.demo.ports import lasting_port


@pytest.fixture
def ends() -> Iterator[tuple[TcpPort, socket.socket]]:
    """Our port and the far end of its connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = TcpPort(*listener.getsockname()[:2])
        far, _ = listener.accept()
    with far:
        yield port, far
    port.close()


def _until_waiting(port: TcpPort, count: int) -> None:
    deadline = time.monotonic() + 2
    while port.in_waiting < count and time.monotonic() < deadline:
        time.sleep(0.005)


def test_bytes_go_both_ways(ends: tuple[TcpPort, socket.socket]) -> None:
    port, far = ends
    assert port.write(b"asked") == 5
    assert far.recv(16) == b"asked"
    far.sendall(b"answer")
    _until_waiting(port, 6)
    assert (port.in_waiting, port.read(3), port.read(16), port.in_waiting) == (6, b"ans", b"wer", 0)


def test_a_read_of_silence_ends_within_the_slice(ends: tuple[TcpPort, socket.socket]) -> None:
    port, _ = ends
    with Stopwatch() as watch:
        assert port.read(1) == b""
        assert port.read(0) == b""
    assert watch.had_s < 0.5


def test_what_has_arrived_is_forgotten_when_asked(ends: tuple[TcpPort, socket.socket]) -> None:
    port, far = ends
    far.sendall(bytes(10_000))
    _until_waiting(port, 4096)
    time.sleep(0.05)
    port.reset_input_buffer()
    far.sendall(b"new")
    assert port.read(1) == b"n"


def test_a_far_end_that_never_falls_silent_is_not_waited_for(
    ends: tuple[TcpPort, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, far = ends
    monkeypatch.setattr(tcp_port, "TCP_DISCARD_BYTES_MAX", 8192)
    far.sendall(bytes(100_000))
    _until_waiting(port, 4096)
    port.reset_input_buffer()
    assert port.in_waiting > 0


@pytest.mark.parametrize("ask", ["read", "in_waiting", "reset_input_buffer"])
def test_a_far_end_that_has_closed_is_an_error(
    ends: tuple[TcpPort, socket.socket], ask: str
) -> None:
    port, far = ends
    far.close()
    deeds: dict[str, Callable[[], object]] = {
        "read": partial(port.read, 1),
        "in_waiting": lambda: port.in_waiting,
        "reset_input_buffer": port.reset_input_buffer,
    }
    time.sleep(0.05)
    with pytest.raises(ConnectionResetError):
        deeds[ask]()


def test_a_far_end_that_does_not_read_is_a_write_time_out(
    ends: tuple[TcpPort, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, _ = ends
    monkeypatch.setattr(tcp_port, "PORT_WRITE_S", 0.1)
    with pytest.raises(serial.SerialTimeoutException):
        port.write(bytes(50_000_000))


def test_nobody_there_is_an_error_in_time() -> None:
    with Stopwatch() as watch, pytest.raises(OSError):
        TcpPort("127.0.0.1", lasting_port())
    assert watch.had_s < 2


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("tcp:10.0.0.9", ("10.0.0.9", 9100)), ("tcp:printer.shop:9101", ("printer.shop", 9101)),
        ("socket://127.0.0.1:4001", ("127.0.0.1", 4001)), ("tcp:[::1]:9100", ("::1", 9100)),
        ("tcp:[::1]", ("::1", 9100)),
    ],
)  # fmt: skip
def test_a_name_says_where(name: str, address: tuple[str, int]) -> None:
    opener = opener_of(name, 9600)
    assert isinstance(opener, partial)
    assert (opener.func, opener.args) == (TcpPort, address)


@pytest.mark.parametrize(
    "name", ["tcp:", "tcp::9100", "tcp:host:", "tcp:host:0", "tcp:h:99999", "modbus-tcp:host"]
)
def test_a_name_that_says_nothing_is_refused(name: str) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        opener_of(name, 9600)


@pytest.mark.parametrize(
    ("name", "address", "framing"),
    [
        ("modbus-tcp:10.0.0.9", ("10.0.0.9", 502), TcpFraming),
        ("modbus-tcp:[::1]:1502", ("::1", 1502), TcpFraming),
        ("tcp:10.0.0.9:4001", ("10.0.0.9", 4001), RtuFraming),
    ],
)
def test_a_modbus_unit_s_name_says_how_its_frames_travel(
    name: str, address: tuple[str, int], framing: type
) -> None:
    opener, found = modbus_of(name, 9600)
    assert isinstance(opener, partial)
    assert (opener.func, opener.args, type(found)) == (TcpPort, address, framing)


def test_a_device_file_is_opened_with_its_rate_and_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[dict[str, object]] = []

    def serial_port(path: str, baud: int, **options: object) -> None:
        opened.append({"path": path, "baud": baud, **options})

    monkeypatch.setattr(serial, "Serial", serial_port)
    opener_of("/dev/ttyUSB0", 19200, "xonxoff")()
    opener_of("/dev/ttyUSB0", 19200, "dtr")()
    flows = [(one["xonxoff"], one["dsrdtr"]) for one in opened]
    assert flows == [(True, False), (False, True)]
    assert (opened[0]["path"], opened[0]["baud"]) == ("/dev/ttyUSB0", 19200)
