"""Bytes through a file descriptor that the event loop watches: ptys, real ports, connections.

What the other end does not take waits in a bounded buffer for a bounded time, then it is lost, as
on a real wire.
"""

import asyncio
import os
from collections.abc import Callable

from firmware_sim.limits import LINE_OUTBOX_BYTES_MAX, LINE_READ_BYTES, LINE_WRITE_WAIT_S
from firmware_sim.transports.line import Hear


class DescriptorPipe:
    """Reads and writes one descriptor, which stays the caller's to close."""

    def __init__(self, descriptor: int, hear: Hear, gone: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._hear = hear
        self._gone = gone
        self._waiting = bytearray()
        self._since = 0.0
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        self._is_held = False
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._readable)

    def write(self, data: bytes) -> int:
        """Write now or when there is room; returns how many bytes are lost for want of it."""
        if self._is_closed:
            return len(data)
        if self._waiting:
            return self._queue(data)
        try:
            done = os.write(self._descriptor, data)
        except BlockingIOError:
            done = 0
        except OSError:
            self._end()
            return len(data)
        return self._queue(data[done:]) if done < len(data) else 0

    def hold(self, *, is_held: bool) -> None:
        """Read nothing more, or go on reading."""
        if self._is_closed or is_held == self._is_held:
            return
        self._is_held = is_held
        if is_held:
            self._loop.remove_reader(self._descriptor)
        else:
            self._loop.add_reader(self._descriptor, self._readable)

    def close(self) -> None:
        """Stop watching."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._waiting.clear()

    def _queue(self, data: bytes) -> int:
        now_s = self._loop.time()
        if not self._waiting:
            self._since = now_s
            self._loop.add_writer(self._descriptor, self._writable)
        elif now_s - self._since > LINE_WRITE_WAIT_S:
            return len(data)
        room = LINE_OUTBOX_BYTES_MAX - len(self._waiting)
        self._waiting += data[:room]
        return len(data) - len(data[:room])

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, LINE_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._hear(data)
        else:
            self._end()

    def _writable(self) -> None:
        try:
            done = os.write(self._descriptor, self._waiting)
        except BlockingIOError:
            return
        except OSError:
            self._end()
            return
        del self._waiting[:done]
        self._since = self._loop.time()
        if not self._waiting:
            self._loop.remove_writer(self._descriptor)

    def _end(self) -> None:
        self.close()
        self._gone()
