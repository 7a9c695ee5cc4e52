"""The switch's line: connections that each carry many messages, answered as they are done."""

import asyncio

import structlog

from backend.channels.iso8583.framing import Frame, FrameDecoder, write_frame
from backend.sandbox.institution.signed import strike
from backend.sandbox.unionpay.limits import CONNECTIONS_MAX, IDLE_TIMEOUT_S, READ_BYTES_MAX
from backend.sandbox.unionpay.switch import Switch
from protocol.errors import TillwayError

_log = structlog.get_logger()
_MANAGEMENT = b"\x08"
"""How the types of sign-on, sign-off and echo begin."""


class Lines:
    """Serves connections; a bad frame ends its own connection only."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        if len(self._open) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._open[writer] = asyncio.current_task()
        decoder = FrameDecoder()
        try:
            async with asyncio.TaskGroup() as tasks:
                while data := await _read(reader):
                    for frame in decoder.feed(data):
                        tasks.create_task(self._answer(frame, writer))
                decoder.finish()
        except* (TillwayError, OSError) as group:
            for error in group.exceptions:
                _log.warning("line_ended", error=str(error))
        finally:
            self._open.pop(writer, None)
            writer.close()

    async def close(self) -> None:
        """End every connection, once what was asked on it is answered."""
        serving = [task for task in self._open.values() if task is not None]
        for writer in list(self._open):
            writer.close()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _answer(self, frame: Frame, writer: asyncio.StreamWriter) -> None:
        house = self._switch.house
        if house.faults.strikes("be_down"):
            writer.close()
            return

        def act() -> tuple[int, bytes, str]:
            return 200, self._switch.answer(frame.body), "iso8583"

        said = await strike(house, act, is_writing=frame.body[:1] != _MANAGEMENT)
        if said is not None:
            writer.write(write_frame(frame.answer(said[1])))
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(IDLE_TIMEOUT_S):
            return await reader.read(READ_BYTES_MAX)
    except TimeoutError:
        return b""
