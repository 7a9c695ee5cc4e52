"""A line within the process: no port, no operating system, for virtual time and for boards by the
thousand."""

import asyncio

from firmware_sim.limits import LINE_OUTBOX_BYTES_MAX
from firmware_sim.transports.line import Hear


class MemoryLine:
    """The device's side is the ``Line``; the client's side is ``client_send/client_receive``."""

    def __init__(self, name: str = "memory:") -> None:
        self._name = name
        self._hear: Hear | None = None
        self._early = bytearray()
        self._to_client = bytearray()
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

    def open(self, hear: Hear) -> None:
        """As ``Line.open``."""
        self._hear = hear
        if self._early:
            early, self._early = bytes(self._early), bytearray()
            hear(early)

    def write(self, data: bytes) -> int:
        """As ``Line.write``."""
        room = LINE_OUTBOX_BYTES_MAX - len(self._to_client)
        self._to_client += data[:room]
        self._delivered.set()
        return len(data) - len(data[:room])

    def tune(self, baud: int) -> None:
        """Memory has no rate of its own."""

    def hold(self, *, is_held: bool) -> None:
        """Memory has nowhere to wait but the link itself."""

    def close(self) -> None:
        """As ``Line.close``."""
        self._is_closed = True
        self._delivered.set()

    def client_send(self, data: bytes) -> None:
        """The client writes; raises ``ConnectionError`` once unplugged."""
        if self._is_closed:
            raise ConnectionError("the line is closed")
        if self._hear is None:
            self._early += data[: LINE_OUTBOX_BYTES_MAX - len(self._early)]
        else:
            self._hear(data)

    def client_take(self, count: int = LINE_OUTBOX_BYTES_MAX) -> bytes:
        """Up to ``count`` bytes of what has arrived for the client."""
        data = bytes(self._to_client[:count])
        del self._to_client[:count]
        return data

    async def client_wait(self, count: int) -> None:
        """Until ``count`` bytes have arrived; raises ``ConnectionError`` once unplugged."""
        while len(self._to_client) < count:
            if self._is_closed:
                raise ConnectionError("the line is closed")
            self._delivered.clear()
            await self._delivered.wait()
