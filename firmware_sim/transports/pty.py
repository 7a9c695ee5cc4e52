"""A pseudo-terminal: a real serial port to any program on this machine.

Rule 1: both ends are raw. Rule 2: the slave's descriptor stays open here, or the master would
fail as soon as a client closes. Rule 3: a pty does not pace and has no modem lines; pacing is the
link's matter. The client's rate is read off the master's settings, so a wrong rate garbles.
"""

import asyncio
import contextlib
import os
import termios
import tty

from firmware_sim.limits import LINE_READ_BYTES, LINE_WRITE_WAIT_S

_RATES = {
    getattr(termios, name): int(name[1:])
    for name in dir(termios)
    if name.startswith("B") and name[1:].isdigit()
}


class PtyLine:
    """One pseudo-terminal with the device on its master side."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._path = os.ttyname(self._slave)
        self._is_closed = False
        self._wake: asyncio.Future[None] | None = None

    @property
    def client_path(self) -> str:
        """The slave's device file."""
        return self._path

    @property
    def client_baud(self) -> int | None:
        """The rate the client has set last."""
        if self._is_closed:
            return None
        return _RATES.get(termios.tcgetattr(self._master)[4])

    async def read(self) -> bytes:
        """As ``Line.read``."""
        loop = asyncio.get_running_loop()
        while True:
            if self._is_closed:
                raise ConnectionError("the line is closed")
            with contextlib.suppress(BlockingIOError):
                return os.read(self._master, LINE_READ_BYTES)
            self._wake = loop.create_future()
            loop.add_reader(self._master, self._readable)
            try:
                await self._wake
            finally:
                if not self._is_closed:
                    loop.remove_reader(self._master)
                self._wake = None

    async def write(self, data: bytes) -> int:
        """As ``Line.write``: waits for a slow reader, and loses what it does not take in time."""
        view = memoryview(data)
        deadline = asyncio.get_running_loop().time() + LINE_WRITE_WAIT_S
        while view:
            if self._is_closed:
                raise ConnectionError("the line is closed")
            with contextlib.suppress(BlockingIOError):
                view = view[os.write(self._master, view) :]
                continue
            if not await self._writable_until(deadline):
                break
        return len(view)

    async def _writable_until(self, deadline: float) -> bool:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._master, ready.set)
        try:
            async with asyncio.timeout_at(deadline):
                await ready.wait()
            return True
        except TimeoutError:
            return False
        finally:
            if not self._is_closed:
                loop.remove_writer(self._master)

    def close(self) -> None:
        """As ``Line.close``: a client's next read or write fails."""
        if self._is_closed:
            return
        with contextlib.suppress(RuntimeError):  # no loop runs, so none watches the line
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.remove_writer(self._master)
        self._readable()
        self._is_closed = True
        os.close(self._master)
        os.close(self._slave)

    def _readable(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
