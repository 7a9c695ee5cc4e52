"""The line to a gateway, against a server that is slow, long-winded or gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from backend.channels import http_line
from backend.channels.http_line import HttpLine
from backend.channels.ports import NotSentError
from protocol.errors import OperatingError

pytestmark = pytest.mark.asyncio
PIECES, PAUSE_S = 6, 0.1


async def dribble(request: web.Request) -> web.StreamResponse:
    """A file that comes in pieces with pauses, each short."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(PIECES):
        await answer.write(b"a row\n")
        await asyncio.sleep(PAUSE_S)
    return answer


async def echo(request: web.Request) -> web.Response:
    said = request.headers.get("x-said", "")
    return web.Response(body=said.encode() + await request.read())


@pytest_asyncio.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_route("*", "/file", dribble)
    app.router.add_post("/echo", echo)
    server = TestServer(app)
    async with server:
        yield server


@pytest_asyncio.fixture
async def line(server: TestServer) -> AsyncIterator[HttpLine]:
    line = HttpLine(lambda: str(server.make_url("/")), answer_bytes_max=20)
    yield line
    await line.close()


async def test_a_message_goes_as_it_is_and_a_form_as_a_form(line: HttpLine) -> None:
    assert await line.ask("/echo", b"<xml/>", {"x-said": "signed"}) == b"signed<xml/>"
    assert await line.ask("/echo", {"a": "1", "b": "x y"}) == b"a=1&b=x+y"


async def test_a_file_may_take_longer_than_an_answer_as_long_as_it_comes(
    line: HttpLine, server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_line, "CALL_TIMEOUT_S", PIECES * PAUSE_S / 2)
    for asked in (line.ask_file("/file", b"341"), line.fetch(str(server.make_url("/file")))):
        spool = await asked
        assert [row for _, row in spool.lines()] == [b"a row\n"] * PIECES
        spool.close()
    with pytest.raises(OperatingError):
        await line.ask("/file", b"303")


async def test_an_answer_that_is_too_long_is_no_answer(line: HttpLine) -> None:
    with pytest.raises(OperatingError, match="too long"):
        await line.ask("/echo", b"x" * 21)


async def test_what_found_no_connection_was_not_sent(server: TestServer) -> None:
    def nowhere() -> str:
        raise OperatingError("internal", "it does not run")

    url = str(server.make_url("/"))
    await server.close()
    for find in (nowhere, lambda: url):
        line = HttpLine(find, answer_bytes_max=20)
        with pytest.raises(NotSentError):
            await line.ask("/echo", b"")
        await line.close()
