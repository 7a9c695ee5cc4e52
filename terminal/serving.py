"""A terminal from its start to its stop, over disks that are full for a while.

Rule 1: a turn that cannot be committed ends the terminal as a power cut would: what was in memory
        is given up, and what is in the journal is taken up again.
Rule 2: it begins anew by itself, at the same port, once a file can be written; meanwhile the port
        says why nothing can be sold.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from protocol.errors import TillwayError
from protocol.identity import Identity
from terminal.bootstrap import RunningTerminal, running_terminal, web_server
from terminal.config import Settings
from terminal.journal.database import UNWRITABLE
from terminal.limits import ROOM_AGAIN_S, ROOM_BYTES
from terminal.web.waiting import waiting_app

log = structlog.get_logger("terminal")


async def serve(
    settings: Settings,
    identity: Identity,
    stop: asyncio.Event,
    on_ready: Callable[[RunningTerminal], None],
) -> None:
    """Until ``stop``; ``on_ready`` at the first beginning."""
    has_begun = False

    def ready(running: RunningTerminal) -> None:
        nonlocal settings, has_begun
        http = settings.http.model_copy(update={"port": running.ports["http"]})
        settings = settings.model_copy(update={"http": http})
        if not has_begun:
            has_begun = True
            on_ready(running)

    while not stop.is_set():
        try:
            await _serve_once(settings, identity, stop, ready)
        except Exception as error:
            if not is_unwritable(error):
                raise
            log.warning("journal_unwritable", state_dir=str(settings.state_dir))
            await _wait_for_room(settings, stop)


def is_unwritable(error: BaseException) -> bool:
    """Whether this is, or holds, the word that the journal cannot be written."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_unwritable(one) for one in error.exceptions)
    return isinstance(error, TillwayError) and error.code == UNWRITABLE


def has_room(directory: Path) -> bool:
    """Whether a file can be written there."""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(bytes(ROOM_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True


async def _serve_once(
    settings: Settings,
    identity: Identity,
    stop: asyncio.Event,
    on_ready: Callable[[RunningTerminal], None],
) -> None:
    async with running_terminal(settings, identity) as running:
        on_ready(running)
        stopped = asyncio.get_running_loop().create_task(stop.wait())
        await asyncio.wait({stopped, running.failed}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if running.failed.done():
            await running.failed


async def _wait_for_room(settings: Settings, stop: asyncio.Event) -> None:
    http = web_server(settings)
    await http.start(waiting_app(UNWRITABLE, again_s=ROOM_AGAIN_S))
    try:
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(ROOM_AGAIN_S):
                    await stop.wait()
            if await asyncio.to_thread(has_room, settings.state_dir):
                return
    finally:
        await http.stop()
