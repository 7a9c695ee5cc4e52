"""A board with its control API and its bench: in process, or served for a browser."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from firmware_sim.board import Board
from firmware_sim.board_file import load_board
from firmware_sim.clock import SteadyClock
from firmware_sim.control import build_control
from firmware_sim.hosting import in_memory
from firmware_sim.transports.memory import MemoryLine
from firmware_sim.wire_log import WireLog
from firmware_sim.workplace import Workplace

URL = "http://127.0.0.1"


@dataclass(frozen=True, slots=True)
class Desk:
    """A board on lines in memory, and who asks its control API."""

    board: Board
    wire: WireLog
    place: Workplace
    http: httpx2.AsyncClient

    def say(self, device: str, data: bytes) -> None:
        """Say something to a device, as its host."""
        line = self.board.link(device).line
        assert isinstance(line, MemoryLine)
        line.client_send(data)


@asynccontextmanager
async def desk(state_dir: Path, board: str = "pos") -> AsyncIterator[Desk]:
    """In this process, until the block ends."""
    running = Board(
        in_memory(load_board(board)), state_dir=state_dir, now_ms=SteadyClock().now_ms, pace=False
    )
    place = Workplace.at(running, state_dir)
    app = httpx2.ASGITransport(build_control(place))
    await running.start()
    try:
        async with httpx2.AsyncClient(transport=app, base_url=URL) as http:
            yield Desk(running, place.wire, place, http)
    finally:
        place.close()
        await running.stop()


@dataclass(frozen=True, slots=True)
class RunningSim:
    """``tillway sim run``: where its control API is, what a client opens of each device."""

    url: str
    devices: dict[str, str]


@contextmanager
def running_sim(
    state_dir: Path, board: str = "pos", *words: str, program: str = "tillway"
) -> Iterator[RunningSim]:
    """The program itself, until the block ends."""
    command = [sys.executable, "-m", program, "sim", "run", "--board", board]
    with (state_dir / "log").open("w") as errors:
        running = subprocess.Popen(
            [*command, "--state-dir", str(state_dir), *words],
            stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    assert running.stdout is not None
    try:
        ready = json.loads(running.stdout.readline())
        yield RunningSim(f"{URL}:{ready['ports']['http']}", ready["devices"])
    finally:
        running.terminate()
        running.communicate(timeout=10)
