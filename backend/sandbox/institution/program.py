"""One institution as a process: its books opened, its lines served, until SIGTERM.

An institution's room has a ``build(place) -> Running``; everything else is here. One line on
standard output says when it is ready: ``{"ready": true, "ports": {…}, "key": …}``.
"""

import asyncio
import inspect
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from backend.channels.address import Address
from backend.channels.signed_http import by_kid, key_text
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.house import House, furnish
from backend.sandbox.institution.limits import (
    LINES_CLOSE_TIMEOUT_S,
    LISTEN_BACKLOG,
    SETTLE_EVERY_S,
)
from backend.sandbox.institution.state_files import (
    KnownKeys,
    Neighbours,
    own_key,
    write_address,
)
from protocol.clock import Clock
from protocol.crypto.keys import VerifyKey
from protocol.errors import OperatingError, TillwayError
from transport.service_manager import say_ready
from transport.web import QuietServer

BOOKS = "books.db"
_log = structlog.get_logger()
Line = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one connection of a TCP line."""


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """What the sandbox gives an institution to be built in."""

    name: str
    state_dir: Path
    """The sandbox's. The institution's own directory is ``directory``."""
    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)
    """Line → fixed port; what is missing or 0 the system chooses."""
    told: tuple[VerifyKey, ...] = ()
    """The keys of those beside its neighbours whose signatures it knows."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The institution's own settings."""
    clock: Clock = field(default_factory=SystemClock)

    @property
    def directory(self) -> Path:
        """Where the institution keeps its state."""
        return self.state_dir / self.name

    @property
    def neighbours(self) -> Neighbours:
        """The other institutions of this sandbox."""
        return Neighbours(self.state_dir)

    def furnish(self, *, faults: tuple[str, ...] = ()) -> House:
        """The institution's house with its books; ``faults`` are switches of its own."""
        key = own_key(self.directory)
        return furnish(
            self.name,
            Books(self.directory / BOOKS),
            clock=self.clock,
            key=key,
            peers=KnownKeys(by_kid(*self.told), self.neighbours),
            faults=faults,
        )


@dataclass(frozen=True, slots=True)
class Running:
    """An institution that was built: its house, its HTTP face, its other lines."""

    house: House
    app: FastAPI
    lines: Mapping[str, Line] = field(default_factory=dict)
    close: Callable[[], Awaitable[None]] | None = None
    """Ends what the institution opened itself, before its books are closed."""


Build = Callable[[Place], Running | Awaitable[Running]]


async def run(
    build: Build,
    place: Place,
    *,
    say: Callable[[dict[str, Any]], object] = say_ready,
    parent: int | None = None,
) -> None:
    """Serve an institution until SIGTERM or SIGINT, or until its parent's end of a pipe closes."""
    async with serving([(build, place)]) as served:
        (name, address), *_ = served.addresses.items()
        say({"name": name, "ports": dict(address.ports), "key": key_text(address.key)})
        await told_to_stop(parent)


@dataclass(slots=True)
class Served:
    """Institutions that listen."""

    addresses: dict[str, Address] = field(default_factory=dict)
    houses: dict[str, House] = field(default_factory=dict)


async def told_to_stop(parent: int | None = None) -> None:
    """Wait for SIGTERM or SIGINT, or until nobody holds the other end of the pipe ``parent``."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    if parent is not None:
        loop.add_reader(parent, stop.set)
    await stop.wait()
    if parent is not None:
        loop.remove_reader(parent)


@asynccontextmanager
async def serving(wanted: list[tuple[Build, Place]]) -> AsyncIterator[Served]:
    """Serve institutions of this process; at the end their lines and books are closed."""
    served = Served()
    try:
        async with asyncio.TaskGroup() as tasks:
            endings: list[Callable[[], Awaitable[None]]] = []
            try:
                for build, place in wanted:
                    built = build(place)
                    running = await built if inspect.isawaitable(built) else built
                    endings.append(await _serve(running, place, tasks, served))
                yield served
            finally:
                for end in reversed(endings):
                    await end()
    except ExceptionGroup as group:
        match group.exceptions:
            case [TillwayError() as why]:
                raise why from None
        raise


async def _serve(
    running: Running, place: Place, tasks: asyncio.TaskGroup, served: Served
) -> Callable[[], Awaitable[None]]:
    listener = _listen(place.host, place.ports.get("http", 0))
    server = QuietServer(
        uvicorn.Config(running.app, log_config=None, access_log=False, lifespan="off")
    )
    lines = {
        line: await asyncio.start_server(answer, place.host, place.ports.get(line, 0))
        for line, answer in running.lines.items()
    }
    ports = {"http": int(listener.getsockname()[1])}
    ports |= {line: int(found.sockets[0].getsockname()[1]) for line, found in lines.items()}
    address = Address(place.name, running.house.key.public, place.host, ports)
    http = tasks.create_task(server.serve(sockets=[listener]))
    passing = tasks.create_task(_pass_time(running.house))
    write_address(place.directory, address)
    served.addresses[place.name] = address
    served.houses[place.name] = running.house

    async def end() -> None:
        write_address(place.directory, Address(place.name, running.house.key.public, place.host))
        passing.cancel()
        server.should_exit = True
        for found in lines.values():
            found.close()
        await asyncio.wait([http, passing], timeout=LINES_CLOSE_TIMEOUT_S)
        if running.close is not None:
            await running.close()
        running.house.books.close()

    return end


async def _pass_time(house: House) -> None:
    """Do now and then what is due."""
    while True:
        await asyncio.sleep(SETTLE_EVERY_S)
        try:
            await house.time_passes()
        except TillwayError as error:
            _log.warning("institution_waits", institution=house.name, code=error.code)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OperatingError("port_taken", f"{host}:{port}") from error
    listener.listen(LISTEN_BACKLOG)
    return listener
