"""Connections that say nothing: they are closed, and one address cannot take all of them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.kit.patience import PATIENCE_S
from tests.support.backend import Served, served

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest_asyncio.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setattr("backend.hub_api.peer.REQUEST_S_MAX", 0.5)
    monkeypatch.setattr("backend.hub_api.peer.CONNECTIONS_PER_ADDRESS_MAX", 4)
    monkeypatch.setattr("backend.listeners.CONNECTIONS_MAX", 6)
    async with served(tmp_path) as (found, _):
        yield found


async def connect(server: Served, lines: AsyncExitStack) -> Line:
    port = server.listeners.ports["public"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=server.anonymous())
    lines.callback(writer.close)
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came until the server ended it."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    except ConnectionError:
        return b""


@contextmanager
def unhurried() -> Iterator[None]:
    """Whoever does say a request may be slow to: this machine is busy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.hub_api.peer.REQUEST_S_MAX", PATIENCE_S)
        yield


async def is_served(server: Served) -> bool:
    async with aiohttp.ClientSession() as session:
        url = server.url("public", "/healthz")
        with unhurried():
            async with session.get(url, ssl=server.anonymous()) as answer:
                return answer.status == 200


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "said",
    [b"", b"GET /healthz HT", GET[:-2], b"\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"],
)
async def test_a_connection_without_a_complete_request_is_ended(
    server: Served, said: bytes
) -> None:
    async with AsyncExitStack() as lines:
        reader, writer = await connect(server, lines)
        writer.write(said)
        assert b"200 OK" not in await ended(reader)


@pytest.mark.asyncio
async def test_a_request_that_begins_after_an_answer_must_also_end(server: Served) -> None:
    async with AsyncExitStack() as lines:
        with unhurried():
            reader, writer = await connect(server, lines)
            writer.write(GET)
            assert b"200 OK" in await reader.readuntil(b"}")
        writer.write(b"\r\n")
        assert await ended(reader) == b""


@pytest.mark.asyncio
async def test_one_address_cannot_take_all_connections(server: Served) -> None:
    async with AsyncExitStack() as lines:
        held = [await connect(server, lines) for _ in range(4)]
        more, _ = await connect(server, lines)
        assert await ended(more) == b""
        for reader, _ in held:
            await ended(reader)
        assert await is_served(server)


@pytest.mark.asyncio
async def test_a_silent_crowd_does_not_keep_others_out(server: Served) -> None:
    async with AsyncExitStack() as lines:
        held = [await connect(server, lines) for _ in range(4)]
        for reader, _ in held:
            await ended(reader)
        assert await is_served(server)
