"""A line over TCP: raw bytes (``tcp:``), or with the port's settings by RFC 2217 (``rfc2217:``).

Rule 1: the device listens; it serves one client at a time, and a second one is turned away.
Rule 2: a client that leaves may come back: the device stays plugged in.
A client that breaks RFC 2217 is shown the door.
Rule 3: only RFC 2217 tells the client's rate; over raw TCP there is none and nothing garbles.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Protocol

import structlog
from serial.rfc2217 import PortManager

from firmware_sim.limits import TELNET_OPTION_BYTES_MAX
from firmware_sim.transports.descriptor import DescriptorPipe
from firmware_sim.transports.line import Hear
from protocol.errors import OperatingError

log = structlog.get_logger()


class _BadTelnetError(Exception):
    """What the client said is no RFC 2217."""


class _Dress(Protocol):
    """What lies around the bytes on the connection."""

    def incoming(self, data: bytes) -> bytes: ...
    def outgoing(self, data: bytes) -> bytes: ...


class _Bare:
    """Nothing."""

    def incoming(self, data: bytes) -> bytes:
        return data

    def outgoing(self, data: bytes) -> bytes:
        return data


class _PortSettings:
    """The port as RFC 2217 sees it: settings are remembered, modem lines are all there."""

    def __init__(self) -> None:
        self.port = "simulated"
        self.baudrate = 9600
        self.bytesize = 8
        self.parity = "N"
        self.stopbits = 1
        self.xonxoff = self.rtscts = self.break_condition = False
        self.dtr = self.rts = self.cts = self.dsr = self.cd = True
        self.ri = False

    def reset_input_buffer(self) -> None:
        """Nothing waits here."""

    def reset_output_buffer(self) -> None:
        """Nothing waits here."""


class _Rfc2217:
    """pyserial's server side of RFC 2217 around the bytes."""

    def __init__(self, settings: _PortSettings, pipe: "_Answer") -> None:
        self._manager = PortManager(settings, pipe)  # type: ignore[arg-type]  # any such port will do

    def incoming(self, data: bytes) -> bytes:
        try:
            plain = b"".join(self._manager.filter(data))
        except (struct.error, KeyError, TypeError, ValueError) as error:  # what pyserial lets out
            raise _BadTelnetError(str(error)) from error
        if len(self._manager.suboption or b"") > TELNET_OPTION_BYTES_MAX:
            raise _BadTelnetError("an option without end")
        return plain

    def outgoing(self, data: bytes) -> bytes:
        return b"".join(self._manager.escape(data))


class _Answer:
    """Where the telnet side writes its own words."""

    def __init__(self, line: "TcpLine") -> None:
        self._line = line

    def write(self, data: bytes) -> None:
        self._line.write_raw(data)


class TcpLine:
    """A listening socket with the device behind it; port 0 is any free one."""

    def __init__(self, host: str, port: int, *, with_settings: bool = False) -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((host, port))
            self._listener.listen(1)
        except (OSError, UnicodeError) as error:  # a host's name can be no name at all
            self._listener.close()
            raise OperatingError("port_taken", f"{host}:{port}") from error
        self._listener.setblocking(False)
        self._with_settings = with_settings
        self._settings: _PortSettings | None = None
        self._dress: _Dress = _Bare()
        self._client: socket.socket | None = None
        self._pipe: DescriptorPipe | None = None
        self._hear: Hear | None = None
        self._is_closed = False
        self._is_held = False

    @property
    def client_path(self) -> str:
        """A URL as pyserial takes it."""
        host, port = self._listener.getsockname()[:2]
        return f"{'rfc2217' if self._with_settings else 'socket'}://{host}:{port}"

    @property
    def client_baud(self) -> int | None:
        """The rate the client has asked for over RFC 2217."""
        return self._settings.baudrate if self._settings else None

    def open(self, hear: Hear) -> None:
        """As ``Line.open``."""
        self._hear = hear
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def write(self, data: bytes) -> int:
        """As ``Line.write``; without a client all is lost."""
        if self._pipe is None:
            return len(data)
        return min(len(data), self._pipe.write(self._dress.outgoing(data)))

    def write_raw(self, data: bytes) -> None:
        """Bytes of the connection itself."""
        if self._pipe is not None:
            self._pipe.write(data)

    def tune(self, baud: int) -> None:
        """A connection has no rate of its own."""

    def hold(self, *, is_held: bool) -> None:
        """As ``Line.hold``: the connection's window closes; also that of the next client."""
        self._is_held = is_held
        if self._pipe:
            self._pipe.hold(is_held=is_held)

    def close(self) -> None:
        """As ``Line.close``."""
        if self._is_closed:
            return
        self._is_closed = True
        with contextlib.suppress(RuntimeError):  # no loop runs, so none watches the socket
            asyncio.get_running_loop().remove_reader(self._listener)
        self._leave()
        self._listener.close()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if self._pipe is not None:
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._pipe = DescriptorPipe(client.fileno(), self._take, self._leave)
        if self._with_settings:
            self._settings = _PortSettings()
            self._dress = _Rfc2217(self._settings, _Answer(self))
        self._pipe.hold(is_held=self._is_held)

    def _take(self, data: bytes) -> None:
        try:
            plain = self._dress.incoming(data)
        except _BadTelnetError as error:
            log.warning("sim_bad_telnet", path=self.client_path, error=str(error))
            self._leave()
            return
        if plain and self._hear is not None:
            self._hear(plain)

    def _leave(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._client is not None:
            self._client.close()
            self._client = None
        self._settings = None
        self._dress = _Bare()
