"""The adapter to a time stamper: RFC 3161 over HTTP (RFC 3161 §3.4). The token signs itself, so
the line needs no signature of its own."""

from collections.abc import Callable

import aiohttp

from backend.channels.limits import TIMESTAMP_BYTES_MAX, TIMESTAMP_TIMEOUT_S
from backend.channels.timestamping import NONCE_BYTES, StampAuthority, read_reply, write_query
from protocol.clock import Entropy
from protocol.errors import CallerError, OperatingError

QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"


class HttpTimeStamper:
    """``TimeStamper`` over HTTP. ``url`` tells where it is now. Close it when done."""

    def __init__(
        self, *, url: Callable[[], str], authority: StampAuthority, entropy: Entropy
    ) -> None:
        self._url = url
        self._authority = authority
        self._entropy = entropy
        self._session: aiohttp.ClientSession | None = None

    async def stamp(self, digest: bytes) -> bytes:
        """``TimeStamper.stamp``. An answer that does not hold is no answer: ``OperatingError``."""
        nonce = int.from_bytes(self._entropy.token_bytes(NONCE_BYTES))
        query = write_query(digest, nonce, policy=self._authority.policy)
        reply = await self._ask(query)
        try:
            stamp = read_reply(reply, digest=digest, nonce=nonce, authority=self._authority)
        except CallerError as error:
            raise OperatingError("timeout", f"time stamp: {error.detail}") from error
        return stamp.token

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, query: bytes) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMESTAMP_TIMEOUT_S)
            )
        headers = {"Content-Type": QUERY_TYPE}
        try:
            async with self._session.post(
                self._url(), data=query, headers=headers, allow_redirects=False
            ) as response:
                reply = await response.content.read(TIMESTAMP_BYTES_MAX)
                is_reply = response.status == 200 and response.content_type == REPLY_TYPE
                if not is_reply or not response.content.at_eof():
                    raise OperatingError("timeout", f"time stamper: HTTP {response.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OperatingError("timeout", f"time stamper: {type(error).__name__}") from error
        return reply
