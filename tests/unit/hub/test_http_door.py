"""The listeners for chargers and of firmware have an end, and say so to whoever is one too many."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from hub import limits
from hub.firmware.server import FirmwareServer
from hub.http_door import HttpDoor, HttpStreet, greeting
from hub.ocpp.limits import CHARGERS_MAX
from hub.ocpp.server import OcppServer
from tests.kit.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio
HOST = "127.0.0.1"
Refused = Counter[tuple[str, str]]


class Caller:
    """One connection; ``ask`` tells the head of the answer, empty where the line was closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, path: str = "/") -> str:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self.writer.write(f"GET {path} HTTP/1.1\r\nHost: hub\r\n\r\n".encode())
            async with asyncio.timeout(PATIENCE_S):
                return (await self.reader.readuntil(b"\r\n\r\n")).decode()
        return ""

    async def ended(self) -> bool:
        """Waits until the other side has closed."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                await self.reader.read()
        return True

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def call(port: int) -> Caller:
    return Caller(*await asyncio.open_connection(HOST, port))


async def answer(request: web.Request) -> web.Response:
    if request.path == "/secret":
        raise web.HTTPUnauthorized
    return web.Response(text="here")


@contextlib.asynccontextmanager
async def door(
    refused: Refused, *, connections_max: int, silent_per_address_max: int = 64
) -> AsyncIterator[HttpDoor]:
    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    street = HttpStreet(
        name="test",
        host=HOST,
        port=0,
        connections_max=connections_max,
        silent_per_address_max=silent_per_address_max,
    )

    def count(*why: str) -> None:
        refused[cast(tuple[str, str], why)] += 1

    made = HttpDoor(street, app, greet=greeting(None), refused=count, stop_s=1)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def test_one_too_many_is_told_to_come_again() -> None:
    refused: Refused = Counter()
    async with door(refused, connections_max=1) as one:
        first = await call(one.port)
        assert "200 OK" in await first.ask()
        with capture_logs() as logs:
            for _ in range(3):
                crowded = await call(one.port)
                said = await crowded.ask()
                assert "503" in said.splitlines()[0]
                assert "Retry-After: 30" in said
                assert await crowded.ended()
                await crowded.close()
        assert [entry["why"] for entry in logs] == ["connections_max"], "said once in a while"
        assert refused == {("test", "connections_max"): 3}
        await first.close()
        async with asyncio.timeout(PATIENCE_S):
            while "200 OK" not in await (again := await call(one.port)).ask():
                await again.close()
        await again.close()


async def test_where_nobody_can_be_told_any_more_a_socket_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "HTTP_REFUSALS_MAX", 0)
    refused: Refused = Counter()
    async with door(refused, connections_max=2) as one:
        served = []
        for _ in range(2):
            served.append(await call(one.port))
            assert "200 OK" in await served[-1].ask()
        third = await call(one.port)
        assert await third.ended()
        assert refused == {("test", "closed"): 1}
        for caller in (*served, third):
            await caller.close()


async def test_who_asks_nothing_keeps_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTTP_FIRST_REQUEST_S", 0.05)
    async with door(Counter(), connections_max=8) as one:
        silent = await call(one.port)
        assert await silent.ended()
        await silent.close()


async def test_one_address_holds_few_places_before_it_asks() -> None:
    refused: Refused = Counter()
    async with door(refused, connections_max=8, silent_per_address_max=1) as one:
        first = await call(one.port)
        second = await call(one.port)
        assert await second.ended()
        assert refused == {("test", "silent"): 1}
        assert "200 OK" in await first.ask()
        third = await call(one.port)
        assert "200 OK" in await third.ask(), "who has asked is silent no more"
        for caller in (first, second, third):
            await caller.close()


async def test_a_stranger_who_is_refused_keeps_no_place() -> None:
    async with door(Counter(), connections_max=8) as one:
        stranger = await call(one.port)
        assert "401" in await stranger.ask("/secret")
        assert await stranger.ended()
        await stranger.close()


async def test_all_chargers_of_a_store_behind_one_address_may_dial_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when the power of a car park is back: each is served, and none is taken for a stranger."""
    monkeypatch.setattr(limits, "HTTP_FIRST_REQUEST_S", PATIENCE_S)
    refused: Refused = Counter()
    nobody: Any = None
    server = OcppServer(
        nobody,
        nobody,
        passwords={},
        clock=nobody,
        host=HOST,
        port=0,
        tls=None,
        refused=lambda *why: refused.update([why]),
    )
    await server.start()
    try:
        callers = await asyncio.gather(*(call(server.port) for _ in range(CHARGERS_MAX)))
        said = [await caller.ask("/ocpp/charger-1") for caller in callers]
        assert [one.splitlines()[0] for one in said if "401" not in one] == []
        assert refused == {}
        for caller in callers:
            await caller.close()
    finally:
        await server.stop()


@pytest.mark.parametrize("name", ["chargers", "firmware"])
async def test_both_listeners_have_a_door(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("HTTP_CHARGERS_MAX", "HTTP_FIRMWARE_MAX", "HTTP_REFUSALS_MAX"):
        monkeypatch.setattr(limits, bound, 0)
    refused: Refused = Counter()
    nobody: Any = None
    options: Any = {
        "host": HOST,
        "port": 0,
        "tls": None,
        "refused": lambda *why: refused.update([why]),
    }
    server: OcppServer | FirmwareServer = (
        OcppServer(nobody, nobody, passwords={}, clock=nobody, **options)
        if name == "chargers"
        else FirmwareServer(nobody, admits=lambda _: True, **options)
    )
    await server.start()
    try:
        caller = await call(server.port)
        assert await caller.ended()
        assert refused == {(name, "closed"): 1}
        await caller.close()
    finally:
        await server.stop()
