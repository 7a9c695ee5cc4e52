"""Builds one simulated board and serves it until told to stop."""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import structlog
import uvicorn

from firmware_sim.board import Board
from firmware_sim.board_file import load_board
from firmware_sim.clock import SteadyClock
from firmware_sim.config import SimSettings
from firmware_sim.control import build_control
from firmware_sim.limits import CONTROL_LEAVE_WAIT_S
from firmware_sim.recording.file import TraceFile
from firmware_sim.recording.recorder import Recorder
from firmware_sim.workplace import Workplace
from protocol.errors import OperatingError
from transport.web import QuietServer

log = structlog.get_logger()
_LOOPBACK = "127.0.0.1"


async def serve(settings: SimSettings) -> None:
    """Run a board; prints the ready line once everything is open, ends on SIGTERM or SIGINT."""
    file = load_board(settings.board)
    listener = _listen(settings.http_port)
    board = Board(
        file, state_dir=settings.state_dir, now_ms=SteadyClock().now_ms, pace=settings.pace
    )
    place = Workplace.at(board, settings.state_dir, settings.scenarios)
    config = uvicorn.Config(
        build_control(place), log_level="warning", access_log=False,
        timeout_graceful_shutdown=CONTROL_LEAVE_WAIT_S,
    )  # fmt: skip
    server = QuietServer(config)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, _stop, server)
    try:
        with _recording(board, settings.record):
            await board.start()
            port = listener.getsockname()[1]
            print(_ready_line(board, port), flush=True)  # noqa: T201 - every program's contract
            log.info("sim_ready", board=board.name, http_port=port, devices=board.paths)
            await server.serve(sockets=[listener])
    finally:
        place.close()
        await board.stop()
        listener.close()
        log.info("sim_stopped", board=board.name)


@contextlib.contextmanager
def _recording(board: Board, path: Path | None) -> Iterator[None]:
    """Keep what is said on the board's lines, if that is wanted."""
    if path is None:
        yield
        return
    with TraceFile(path) as file:
        recorder = Recorder(board, SteadyClock().now_ms, file.write)
        file.write(recorder.head)
        try:
            yield
        finally:
            recorder.end()


def _stop(server: uvicorn.Server) -> None:
    server.should_exit = True


def _ready_line(board: Board, http_port: int) -> str:
    return json.dumps(
        {"ready": True, "board": board.name, "ports": {"http": http_port}, "devices": board.paths}
    )


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_LOOPBACK, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OperatingError("port_taken", f"{_LOOPBACK}:{port}") from error
    return listener
