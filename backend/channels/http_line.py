"""Our line to a gateway over HTTP: a message or a form out, bytes in, whatever they say.

Rule: whatever goes wrong on the way is ``OperatingError``; only where there was no connection to
      send anything over it is ``NotSentError``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from backend.channels.day_file import Spool
from backend.channels.limits import (
    ADDRESS_CHARS_MAX,
    CALL_TIMEOUT_S,
    CONNECTIONS_PER_LINE_MAX,
    DAY_FILE_TIMEOUT_S,
)
from backend.channels.ports import NotSentError
from protocol.errors import OperatingError

Content = bytes | Mapping[str, str]
"""A message as it is, or a form."""


def is_address(text: str) -> bool:
    """Whether a browser may be sent there: an HTTPS address that we can keep."""
    is_short = len(text) <= ADDRESS_CHARS_MAX and text.isascii() and text.isprintable()
    return is_short and text.startswith("https://") and " " not in text


class HttpLine:
    """Connections that are kept alive. ``find`` says where the gateway is, anew for each request:
    it may come back elsewhere; ``OperatingError`` while it is nowhere."""

    def __init__(self, find: Callable[[], str], *, answer_bytes_max: int) -> None:
        self._find = find
        self._answer_bytes_max = answer_bytes_max
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(
        self, path: str, content: Content, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The answer's bytes; ``OperatingError``: whether the content arrived is unknown."""
        answer = bytearray()

        def take(chunk: bytes) -> None:
            answer.extend(chunk)
            if len(answer) > self._answer_bytes_max:
                raise OperatingError("internal", "the answer is too long")

        request = _Request("POST", self._place(path), content, headers)
        await self._send(request, take, timeout_s=CALL_TIMEOUT_S)
        return bytes(answer)

    async def ask_file(
        self, path: str, content: Content, headers: Mapping[str, str] | None = None
    ) -> Spool:
        """An answer of any length, spooled; nothing in it is verified. Close it."""
        return await self._spooled(_Request("POST", self._place(path), content, headers))

    async def fetch(self, url: str) -> Spool:
        """A file of any length from an address that the gateway has told, as ``ask_file``."""
        return await self._spooled(_Request("GET", url))

    async def _spooled(self, request: "_Request") -> Spool:
        spool = Spool()
        try:
            await self._send(request, spool.write, timeout_s=DAY_FILE_TIMEOUT_S)
        except BaseException:
            spool.close()
            raise
        return spool

    def _place(self, path: str) -> str:
        try:
            return self._find().rstrip("/") + path
        except OperatingError as error:  # it is not running, so there is nothing to connect to
            raise NotSentError(error.detail) from error

    async def _send(
        self, request: "_Request", take: Callable[[bytes], None], *, timeout_s: int
    ) -> None:
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_read=CALL_TIMEOUT_S)
        try:
            async with self._open().request(
                request.method, request.url, data=request.content, headers=request.headers,
                allow_redirects=False, timeout=timeout,
            ) as response:  # fmt: skip
                if response.status != 200:
                    raise OperatingError("timeout", f"HTTP {response.status}")
                async for chunk in response.content.iter_any():
                    take(chunk)
        except aiohttp.ClientConnectorError as error:
            raise NotSentError(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise OperatingError("timeout", type(error).__name__) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_PER_LINE_MAX)
            )
        return self._session


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    content: Content | None = None
    headers: Mapping[str, str] | None = None
