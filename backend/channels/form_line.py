"""Our line to a gateway that takes forms: parameters out, bytes in, whatever they say.

Rule: whatever goes wrong on the way is ``OperatingError``; only where there was no connection to
      send anything over it is ``NotSentError``.
"""

from collections.abc import Callable, Mapping

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


def is_address(text: str) -> bool:
    """Whether a browser may be sent there: an HTTPS address that we can keep."""
    is_short = len(text) <= ADDRESS_CHARS_MAX and text.isascii() and text.isprintable()
    return is_short and text.startswith("https://") and " " not in text


class FormLine:
    """Connections that are kept alive. ``find`` says where the gateway is, anew for each request;
    ``OperatingError`` while it is nowhere."""

    def __init__(self, find: Callable[[], str], *, answer_bytes_max: int) -> None:
        self._find = find
        self._answer_bytes_max = answer_bytes_max
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def post(self, path: str, form: Mapping[str, str]) -> bytes:
        """The answer's bytes; ``OperatingError``: whether the form arrived is unknown."""
        content = bytearray()

        def take(chunk: bytes) -> None:
            content.extend(chunk)
            if len(content) > self._answer_bytes_max:
                raise OperatingError("internal", "the answer is too long")

        try:
            url = self._find().rstrip("/") + path
        except OperatingError as error:  # it is not running, so there is nothing to connect to
            raise NotSentError(error.detail) from error
        await self._take("POST", url, take, form=form, timeout_s=CALL_TIMEOUT_S)
        return bytes(content)

    async def fetch(self, url: str) -> Spool:
        """A file of any length, spooled; nothing in it is verified. Close it."""
        spool = Spool()
        try:
            await self._take("GET", url, spool.write, form=None, timeout_s=DAY_FILE_TIMEOUT_S)
        except BaseException:
            spool.close()
            raise
        return spool

    async def _take(
        self,
        method: str,
        url: str,
        take: Callable[[bytes], None],
        *,
        form: Mapping[str, str] | None,
        timeout_s: int,
    ) -> None:
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_read=CALL_TIMEOUT_S)
        try:
            async with self._open().request(
                method, url, data=form, allow_redirects=False, timeout=timeout
            ) as response:
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
