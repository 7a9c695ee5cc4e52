"""Our line to the clearing house: HTTP, bytes out and bytes in. What they say is not its matter."""

from collections.abc import Callable, Mapping

import aiohttp

from backend.channels.epcc.limits import MESSAGE_BYTES_MAX, SIGNATURE_LINE_BYTES_MAX
from backend.channels.limits import ANSWER_BYTES_MAX, CALL_TIMEOUT_S, CONNECTIONS_PER_LINE_MAX
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
        limit = MESSAGE_BYTES_MAX + SIGNATURE_LINE_BYTES_MAX
        return await self._post(request, headers, bytes_max=limit)

    async def lines(self, request: bytes, headers: Mapping[str, str]) -> list[bytes]:
        """The lines of a text, each with its end."""
        text = await self._post(request, headers, bytes_max=ANSWER_BYTES_MAX)
        return text.splitlines(keepends=True)

    async def _post(self, request: bytes, headers: Mapping[str, str], *, bytes_max: int) -> bytes:
        try:
            url = self._url()
        except OperatingError as error:
            raise NotSentError(error.detail) from error
        content = bytearray()
        try:
            async with self._open().post(
                url + PATH, data=request, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise OperatingError("timeout", f"HTTP {response.status}")
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > bytes_max:
                        raise OperatingError("internal", "the answer is too long")
        except aiohttp.ClientConnectorError as error:
            raise NotSentError("no connection") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OperatingError("timeout", type(error).__name__) from error
        return bytes(content)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT_S),
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_PER_LINE_MAX),
            )
        return self._session
