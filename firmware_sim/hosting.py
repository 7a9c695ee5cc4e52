"""A board in your own program: for tests, notebooks and drivers that block.

``HostedBoard`` runs in real time in a thread, on ptys or sockets, for any driver::

    with HostedBoard("pos") as board:
        board.do("scanner", "present", text="134567890123456789")
        your_driver.open(board.paths["scanner"])

``VirtualBoard`` runs in virtual time within your thread; you are the host on the line::

    with VirtualBoard("pos", seed=7) as board:
        board.send("scanner", bytes.fromhex("7E000701000A01EE8A"))
        assert board.receive("scanner", 7) == bytes.fromhex("020000013EE4AC")
"""

import asyncio
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pydantic import JsonValue

from firmware_sim.board import Board
from firmware_sim.board_file import BoardDevice, BoardFile, load_board
from firmware_sim.clock import SteadyClock
from firmware_sim.faults import Fault
from firmware_sim.kinds.kind import State
from firmware_sim.transports.memory import MemoryLine
from firmware_sim.virtual_time import VirtualLoop

START_S = 10
CALL_S = 30
Answer = TypeVar("Answer")


class HostedBoard:
    """Runs a board's loop in a thread; every method may be called from any other thread.

    Without a ``state_dir`` receipts and links to the ports are kept in a folder that goes away.
    """

    def __init__(
        self,
        board: str | BoardFile,
        *,
        state_dir: Path | None = None,
        pace: bool = True,
        seed: int | None = None,
    ) -> None:
        file = load_board(board) if isinstance(board, str) else board
        self._folder = None if state_dir else tempfile.TemporaryDirectory(prefix="tillway-sim-")
        folder = state_dir or Path(self._folder.name if self._folder else "")
        self._loop = asyncio.new_event_loop()
        self._board = Board(
            file, state_dir=folder, now_ms=SteadyClock().now_ms, pace=pace, seed=seed
        )
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

    def do(self, device: str, act: str, /, **words: JsonValue) -> State:
        """Do to a device what a person does (``tillway sim kinds`` lists the acts)."""
        return self.call(lambda board: board.do(device, act, **words))

    def state(self, device: str) -> State:
        """What can be seen of a device."""
        return self.call(lambda board: board.state(device))

    def set_fault(self, device: str, *faults: Fault) -> None:
        """Make a device's line faulty, in place of all faults before; no fault heals it."""
        self.call(lambda board: board.set_faults(device, faults))

    def __enter__(self) -> Self:
        """Raises what keeps the board from starting; nothing of it stays then."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._board.start(), self._loop).result(START_S)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._board.stop(), self._loop).result(START_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)
        self._loop.close()
        if self._folder is not None:
            self._folder.cleanup()


class VirtualBoard:
    """A board in virtual time, every device on a line in memory. Not for several threads."""

    def __init__(
        self, board: str | BoardFile, *, state_dir: Path | None = None, seed: int | None = None
    ) -> None:
        file = in_memory(load_board(board) if isinstance(board, str) else board)
        self._folder = None if state_dir else tempfile.TemporaryDirectory(prefix="tillway-sim-")
        folder = state_dir or Path(self._folder.name if self._folder else "")
        self._loop = VirtualLoop()
        self.board = Board(file, state_dir=folder, now_ms=self._loop.now_ms, seed=seed)

    @property
    def now_ms(self) -> int:
        """Virtual milliseconds since the start."""
        return self._loop.now_ms()

    def do(self, device: str, act: str, /, **words: JsonValue) -> State:
        """Do to a device what a person does."""
        return self._run(lambda: self.board.do(device, act, **words))

    def state(self, device: str) -> State:
        """What can be seen of a device."""
        return self._run(lambda: self.board.state(device))

    def set_fault(self, device: str, *faults: Fault) -> None:
        """Make a device's line faulty, in place of all faults before; no fault heals it."""
        self._run(lambda: self.board.set_faults(device, faults))

    def send(self, device: str, data: bytes) -> None:
        """Say something to a device, as its host; raises ``ConnectionError`` if unplugged."""
        self._run(lambda: self._line(device).client_send(data))

    def receive(self, device: str, count: int, *, within_ms: int = 1000) -> bytes:
        """Up to ``count`` bytes of what the device says, waited for in virtual time."""
        line = self._line(device)
        self._loop.run_until_complete(_arrived(line, count, within_ms / 1000))
        return line.client_take(count)

    def pass_time(self, milliseconds: int) -> None:
        """Let virtual time pass."""
        self._loop.run_until_complete(asyncio.sleep(milliseconds / 1000))

    def call(self, deed: Callable[[Board], Answer]) -> Answer:
        """Do something on the board's own loop."""
        return self._run(lambda: deed(self.board))

    def _line(self, device: str) -> MemoryLine:
        line = self.board.link(device).line
        if not isinstance(line, MemoryLine):
            raise ConnectionError(f"{device} is unplugged")
        return line

    def _run(self, deed: Callable[[], Answer]) -> Answer:
        async def run() -> Answer:
            return deed()

        return self._loop.run_until_complete(run())

    def __enter__(self) -> Self:
        self._loop.run_until_complete(self.board.start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.run_until_complete(self.board.stop())
        self._loop.close()
        if self._folder is not None:
            self._folder.cleanup()


def in_memory(file: BoardFile) -> BoardFile:
    """The same board with every device on a line in memory."""
    devices = {
        name: BoardDevice(one.kind, one.entry.model_copy(update={"transport": f"memory:{name}"}))
        for name, one in file.devices.items()
    }
    return replace(file, devices=devices)


async def _arrived(line: MemoryLine, count: int, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await line.client_wait(count)
    except TimeoutError:
        return
