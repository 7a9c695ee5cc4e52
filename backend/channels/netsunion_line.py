"""Our line to the clearing house: HTTP, bytes out and bytes in. What they say is not its matter."""

from collections.abc import Callable, Mapping

import aiohttp

from backend.channels.day_file import Spool
from backend.channels.epcc.limits import MESSAGE_BYTES_MAX, SIGNATURE_LINE_BYTES_MAX
from backend.channels.limits import CALL_TIMEOUT_S, CONNECTIONS_PER_LINE_MAX
from backend.channels.ports import NotSentError
from protocol.errors import OperatingError

PATH = "/epcc"


class Line:
    """Connections that are kept alive. ``url`` is asked for each request: the clearing house may
    come back elsewhere; while it is nowhere, nothing is sent."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(self, request: bytes, headers: Mapping[str, str]) -> bytes:
        """The answer's bytes; ``OperatingError``: whether it arrived is unknown."""
        content = bytearray()

        def take(chunk: bytes) -> None:
            content.extend(chunk)
            if len(content) > MESSAGE_BYTES_MAX + SIGNATURE_LINE_BYTES_MAX:
                raise OperatingError("internal", "the answer is too long")

        await self._post(request, headers, take)
        return bytes(content)

    async def fetch(self, request: bytes, headers: Mapping[str, str]) -> Spool:
        """A text of any length, spooled; nothing in it is verified."""
        spool = Spool()
        try:
            await self._post(request, headers, spool.write)
        except BaseException:
            spool.close()
            raise
        return spool

    async def _post(
        self, request: bytes, headers: Mapping[str, str], take: Callable[[bytes], None]
    ) -> None:
        try:
            url = self._url()
        except OperatingError as error:
            raise NotSentError(error.detail) from error
        try:
            async with self._open().post(
                url + PATH, data=request, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise OperatingError("timeout", f"HTTP {response.status}")
                async for chunk in response.content.iter_any():
                    take(chunk)
        except aiohttp.ClientConnectorError as error:
            raise NotSentError("no connection") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OperatingError("timeout", type(error).__name__) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT_S),
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_PER_LINE_MAX),
            )
        return self._session
