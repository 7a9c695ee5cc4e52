"""TLS on a blocking socket, for libraries that bring a thread of their own.

Rule: what was encrypted is sent before anything else happens; a peer that takes nothing for
``WRITE_S_MAX`` is given up.
"""

import select
import socket
from contextlib import suppress
from typing import Any

from transport.limits import READ_BYTES_MAX, RECORD_BYTES_MAX, WRITE_S_MAX
from transport.machine import TlsError, TlsMachine


class TlsSocket:
    """As much of :class:`ssl.SSLSocket` as such a library uses. Errors are ``OSError``."""

    def __init__(self, sock: socket.socket, machine: TlsMachine) -> None:
        self._sock = sock
        self._machine = machine
        self._plain = bytearray()
        self.failure: TlsError | None = None
        """What broke the line, for those whose library keeps the error to itself."""

    def do_handshake(self) -> None:
        """Greet the peer, as long as the socket's time-out allows each time. A socket whose
        greeting fails is closed: not every library does it."""
        try:
            self._machine.start()
            self._flush()
            while not self._machine.is_open:
                self._take()
        except OSError:
            self._sock.close()
            raise

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes; none when the peer has ended. ``BlockingIOError`` for not yet."""
        while not self._plain and not self._machine.is_ended:
            self._take()
        found = bytes(self._plain[:size])
        del self._plain[:size]
        return found

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Send some of ``data``, and say how much."""
        part = memoryview(data)[:RECORD_BYTES_MAX]
        self._machine.send(part)
        self._flush()
        return len(part)

    def pending(self) -> int:
        """How many bytes ``recv`` has without asking the socket."""
        return len(self._plain)

    def close(self) -> None:
        """Say goodbye if that can be done at once, and close."""
        self._machine.end()
        with suppress(OSError):
            self._sock.setblocking(False)
            self._sock.send(self._machine.outgoing())
        self._sock.close()

    def shutdown(self, how: int) -> None:
        """As the socket's: without a goodbye."""
        self._sock.shutdown(how)

    def fileno(self) -> int:
        """For ``select``."""
        return self._sock.fileno()

    def getpeercert(self) -> dict[str, Any] | None:
        """Whom the peer proved to be."""
        return self._machine.peer.getpeercert()

    def setblocking(self, flag: bool) -> None:
        """As the socket's."""
        self._sock.setblocking(flag)

    def settimeout(self, value: float | None) -> None:
        """As the socket's."""
        self._sock.settimeout(value)

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """As the socket's."""
        self._sock.setsockopt(level, option, value)

    def _take(self) -> None:
        data = self._sock.recv(READ_BYTES_MAX)
        if not data:
            raise self._failed(TlsError("the line ended without a goodbye"))
        try:
            self._plain += self._machine.receive(data)
        except TlsError as error:
            raise self._failed(error) from None
        finally:
            self._flush()

    def _failed(self, error: TlsError) -> TlsError:
        self.failure = error
        return error

    def _flush(self) -> None:
        left = memoryview(self._machine.outgoing())
        while left:
            try:
                left = left[self._sock.send(left) :]
            except BlockingIOError:
                if not select.select([], [self._sock], [], WRITE_S_MAX)[1]:
                    raise TimeoutError("the peer does not read") from None
