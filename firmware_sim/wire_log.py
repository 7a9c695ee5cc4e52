"""The newest of what was said and done on a board, numbered, for those who look on.

Rule 1: it holds a named number of events and bytes, and nothing for each who looks: a looker says
which number it saw last. Rule 2: what must not be kept is masked already, as in a trace.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from firmware_sim.board import Board
from firmware_sim.limits import (
    WIRE_BYTES_KEPT_MAX,
    WIRE_EVENTS_KEPT_MAX,
    WIRE_EVENTS_TOLD_MAX,
    WIRE_FRAME_BYTES_KEPT_MAX,
)
from firmware_sim.recording.recorder import Recorder
from firmware_sim.recording.trace import Event, Said
from firmware_sim.wire_pictures import Entry, Pictures
from protocol.errors import CallerError

_HEX_CHARS = 2


class WireLog:
    """Hears a board from now on. Everything here runs on the board's loop."""

    def __init__(self, board: Board, now_ms: Callable[[], int]) -> None:
        self.last = 0
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._pictures = Pictures({name: kind.begins for name, kind in board.kinds.items()})
        self._news = asyncio.Event()
        self.recorder = Recorder(board, now_ms, self._keep)

    def after(self, number: int, device: str | None = None) -> list[Entry]:
        """What came after an event, in order; the newest where it is more than may be told."""
        self.recorder.settle()
        newest: deque[Entry] = deque(maxlen=WIRE_EVENTS_TOLD_MAX)
        for entry in self._newer(number):
            if device is None or entry.event.device == device:
                newest.appendleft(entry)
                if len(newest) == WIRE_EVENTS_TOLD_MAX:
                    break
        return list(newest)

    def entry(self, number: int) -> Entry:
        """One event; raises ``CallerError`` for one that is not there (any more)."""
        first = self._entries[0].number if self._entries else 0
        at = number - first
        if not self._entries or not 0 <= at < len(self._entries):
            raise CallerError(
                "field_invalid",
                f"the wire's log holds {first} to {self.last}",
                detail_zh=f"线路记录现有第 {first} 到第 {self.last} 条",
            )
        return next(islice(self._entries, at, None))

    async def wait(self, number: int, seconds: float) -> None:
        """Until something came after that event, or for so long."""
        if self.last > number:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    def _newer(self, number: int) -> Iterator[Entry]:
        for entry in reversed(self._entries):
            if entry.number <= number:
                return
            yield entry

    def _keep(self, event: Event) -> None:
        self.last += 1
        size = len(event.hex) // _HEX_CHARS if isinstance(event, Said) else 0
        if isinstance(event, Said) and size > WIRE_FRAME_BYTES_KEPT_MAX:
            first = event.hex[: _HEX_CHARS * WIRE_FRAME_BYTES_KEPT_MAX]
            event = event.model_copy(update={"hex": first})
        picture = self._pictures.of(event)
        self._entries.append(Entry(self.last, event, size, picture))
        if picture is not None:
            self._pictures.add(picture, self._entries[-1])
        self._bytes += _kept_bytes(self._entries[-1])
        while len(self._entries) > WIRE_EVENTS_KEPT_MAX or self._bytes > WIRE_BYTES_KEPT_MAX:
            self._bytes -= _kept_bytes(self._entries.popleft())
        self._news.set()
        self._news.clear()


def _kept_bytes(entry: Entry) -> int:
    return min(entry.size_bytes, WIRE_FRAME_BYTES_KEPT_MAX)
