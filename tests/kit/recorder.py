"""A wire between a client and a server that keeps what passes: a TCP relay on loopback."""

import asyncio
from types import TracebackType
from typing import Self

CHUNK_BYTES = 64 * 1024


class Recorder:
    """Relays to a port of this machine. ``from_server`` has one stream for each connection."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.from_server: list[bytearray] = []
        self.from_client: list[bytearray] = []
        self._target = target
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection("127.0.0.1", self._target)
        asked, said = bytearray(), bytearray()
        self.from_client.append(asked)
        self.from_server.append(said)
        for source, target, kept in ((reader, to_server[1], asked), (to_server[0], writer, said)):
            task = asyncio.ensure_future(_copy(source, target, kept))
            self._tasks.add(task)


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, kept: bytearray
) -> None:
    try:
        while data := await source.read(CHUNK_BYTES):
            kept += data
            target.write(data)
            await target.drain()
    finally:
        target.close()
