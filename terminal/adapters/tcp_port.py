"""A peripheral's port over TCP, as network printers (9100) and serial servers have it.

Rule 1: it is a ``Port``: reads end within the port's slice, writes within the port's limit.
Rule 2: a far end that closes, or that no longer acknowledges, is an ``OSError``, so that the worker
drops the port and looks for it again; a read never gives bytes of an older connection.
"""

import socket

import serial

from terminal.adapters.limits import (
    PORT_SLICE_S,
    PORT_WRITE_S,
    TCP_CONNECT_S,
    TCP_DISCARD_BYTES_MAX,
    TCP_KEEPALIVE_COUNT,
    TCP_KEEPALIVE_S,
    TCP_PEEK_BYTES,
    TCP_UNACKNOWLEDGED_MS,
)


class TcpPort:
    """One connection. Raises ``OSError`` where it is gone, pyserial's time-out where a write is
    not taken in time."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=TCP_CONNECT_S)
        options = (
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, TCP_KEEPALIVE_S),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, TCP_KEEPALIVE_S),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, TCP_KEEPALIVE_COUNT),
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TCP_UNACKNOWLEDGED_MS),
        )
        for level, option, value in options:
            self._socket.setsockopt(level, option, value)

    @property
    def in_waiting(self) -> int:
        """As ``Port.in_waiting``."""
        self._socket.setblocking(False)
        try:
            waiting = self._socket.recv(TCP_PEEK_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            return 0
        return len(_open(waiting))

    def read(self, size: int, /) -> bytes:
        """As ``Port.read``."""
        if size == 0:
            return b""
        self._socket.settimeout(PORT_SLICE_S)
        try:
            return _open(self._socket.recv(size))
        except TimeoutError:
            return b""

    def write(self, data: bytes, /) -> int:
        """As ``Port.write``."""
        self._socket.settimeout(PORT_WRITE_S)
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise serial.SerialTimeoutException("write") from None
        return len(data)

    def reset_input_buffer(self) -> None:
        """As ``Port.reset_input_buffer``; a far end that never falls silent is not waited for."""
        left = TCP_DISCARD_BYTES_MAX
        while left > 0 and (waiting := self.in_waiting):
            left -= len(self._socket.recv(waiting))

    def close(self) -> None:
        """As ``Port.close``."""
        self._socket.close()


def _open(data: bytes) -> bytes:
    if not data:
        raise ConnectionResetError("the far end has closed")
    return data
