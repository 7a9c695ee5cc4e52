"""A line within the process: no port, no operating system, for tests and for boards by the
thousand."""

import asyncio

from firmware_sim.limits import LINE_OUTBOX_BYTES_MAX


class MemoryLine:
    """The device's side is the ``Line``; the client's side is ``client_send/client_receive``."""

    def __init__(self, name: str = "memory:") -> None:
        self._name = name
        self._to_device = bytearray()
        self._to_client = bytearray()
        self._arrived = asyncio.Event()
        self._delivered = asyncio.Event()
        self._is_closed = False
        self.baud: int | None = None

    @property
    def client_path(self) -> str:
        """The spec it was opened with."""
        return self._name

    @property
    def client_baud(self) -> int | None:
        """What the client has set in ``baud``."""
        return self.baud

    async def read(self) -> bytes:
        """As ``Line.read``."""
        while not self._to_device:
            if self._is_closed:
                raise ConnectionError("the line is closed")
            self._arrived.clear()
            await self._arrived.wait()
        data = bytes(self._to_device)
        self._to_device.clear()
        return data

    async def write(self, data: bytes) -> int:
        """As ``Line.write``."""
        room = LINE_OUTBOX_BYTES_MAX - len(self._to_client)
        self._to_client += data[:room]
        self._delivered.set()
        return len(data) - len(data[:room])

    def close(self) -> None:
        """As ``Line.close``."""
        self._is_closed = True
        self._arrived.set()
        self._delivered.set()

    def client_send(self, data: bytes) -> None:
        """The client writes."""
        if self._is_closed:
            raise ConnectionError("the line is closed")
        room = LINE_OUTBOX_BYTES_MAX - len(self._to_device)
        self._to_device += data[:room]
        self._arrived.set()

    async def client_receive(self, count: int) -> bytes:
        """The client reads exactly ``count`` bytes."""
        while len(self._to_client) < count:
            if self._is_closed:
                raise ConnectionError("the line is closed")
            self._delivered.clear()
            await self._delivered.wait()
        data = bytes(self._to_client[:count])
        del self._to_client[:count]
        return data
