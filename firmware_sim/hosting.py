"""A board in a thread of your own program: for tests, notebooks and drivers that block.

with HostedBoard("pos", state_dir=tmp_path) as hosted:
    open_your_driver(hosted.paths["scanner"])
    hosted.call(lambda board: board.present(png))
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from firmware_sim.board import Board
from firmware_sim.board_file import BoardFile, load_board
from firmware_sim.clock import SteadyClock
from firmware_sim.faults import Fault

START_S = 10
CALL_S = 30
Answer = TypeVar("Answer")


class HostedBoard:
    """Runs a board's loop in a thread; ``call`` reaches the board from any other."""

    def __init__(self, board: str | BoardFile, *, state_dir: Path, pace: bool = True) -> None:
        file = load_board(board) if isinstance(board, str) else board
        self._loop = asyncio.new_event_loop()
        self._board = Board(file, state_dir=state_dir, now_ms=SteadyClock().now_ms, pace=pace)
        self._thread = threading.Thread(target=self._loop.run_forever, name="sim", daemon=True)

    @property
    def paths(self) -> dict[str, str]:
        """What a driver opens, by device."""
        return self.call(lambda board: board.paths)

    def call(self, deed: Callable[[Board], Answer]) -> Answer:
        """Do something on the board's own loop and wait for it."""

        async def run() -> Answer:
            return deed(self._board)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(CALL_S)

    def set_fault(self, device: str, fault: Fault) -> None:
        """Make a device's line faulty; ``Fault()`` heals it."""
        self.call(lambda board: board.links[device].set_fault(fault))

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._board.start(), self._loop).result(START_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._board.stop(), self._loop).result(START_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)
        self._loop.close()
