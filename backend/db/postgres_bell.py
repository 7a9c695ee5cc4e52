"""One backend tells the others on its database that something was committed: NOTIFY and LISTEN.

Rule 1: it is rung after the commit, on a connection of its own: a NOTIFY within a group would have
        every group of every backend commit one after the other.
Rule 2: it carries no news, only where to look; whoever misses it looks by itself now and then. So a
        connection that was lost is made again and nothing is kept, but that whoever listens anew
        is told to look everywhere.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import structlog

from backend.db.engine import is_postgres, postgres_line
from backend.db.limits import BELL_RETRY_S

Heard = Callable[[frozenset[str] | None], None]
"""What to look at; None: at everything."""

_RING = "SELECT pg_notify(%s, one) FROM unnest(%s::text[]) AS one"
_log = structlog.get_logger()


def bell_of(url: str, channel: str) -> "PostgresBell | None":
    """The bell of a database that several backends may share."""
    return PostgresBell(url, channel) if is_postgres(url) else None


class PostgresBell:
    """Owned by the event loop."""

    def __init__(self, url: str, channel: str) -> None:
        self._line = postgres_line(url)
        self._channel = channel
        self._heard: Heard = lambda _: None
        self._tasks: list[asyncio.Task[None]] = []
        self._words: set[str] = set()
        self._is_rung = asyncio.Event()
        self._own_pid = 0

    def start(self, heard: Heard) -> None:
        """Listen, and be ready to ring."""
        self._heard = heard
        for work in (self._listen, self._tell):
            self._tasks.append(asyncio.create_task(self._keep(work), name="postgres-bell"))

    async def stop(self) -> None:
        """Close both connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def ring(self, words: frozenset[str]) -> None:
        """Tell the others, soon."""
        self._words |= words
        self._is_rung.set()

    async def _keep(self, work: Callable[[psycopg.AsyncConnection[Any]], Any]) -> None:
        while True:
            try:
                connecting = psycopg.AsyncConnection.connect(**self._line, autocommit=True)
                async with await connecting as connection:
                    await work(connection)
            except (psycopg.Error, OSError) as error:
                _log.warning("bell_lost", detail=str(error))
            await asyncio.sleep(BELL_RETRY_S)

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(f"LISTEN {self._channel}".encode())
        self._heard(None)
        async for note in connection.notifies():
            if note.pid != self._own_pid:
                self._heard(frozenset((note.payload,)))

    async def _tell(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._own_pid = connection.info.backend_pid
        while True:
            await self._is_rung.wait()
            self._is_rung.clear()
            words, self._words = sorted(self._words), set()
            await connection.execute(_RING, (self._channel, words))
