"""One callback over HTTP, carefully: the address belongs to somebody else.

Rule 1: http and https only, no redirect is followed, one deadline for all of it, and no more of
        the answer is read than we need.
Rule 2: unless configuration allows it (one machine, a test), the address must be on the open
        internet: checked for a literal address and for every address a name resolves to, by the
        resolver that the connection itself uses, so that a name cannot move in between.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from backend.merchants.model import check_notify_url
from backend.notify.limits import (
    CALLBACK_ANSWER_BYTES_MAX,
    CALLBACK_TIMEOUT_S,
    CALLBACKS_AT_ONCE_MAX,
)
from backend.notify.model import Tried, is_public_address
from protocol.errors import CallerError


class Sender(Protocol):
    """What a deliverer needs."""

    async def send(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        is_taken: Callable[[bytes], bool] | None = None,
    ) -> Tried:
        """Whether the merchant's server took it, and how long it took. Never raises for its faults.
        ``is_taken`` reads a body that came with a good status; without it the status says all."""
        ...


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead into a private network."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(is_public_address(one["host"]) for one in found):
            raise OSError(None, "address is not public")
        return found

    async def close(self) -> None:
        await self._inner.close()


class HttpSender:
    """Sends callbacks with one kept session; ``close`` it."""

    def __init__(self, *, allows_private_addresses: bool = False) -> None:
        self._allows_private = allows_private_addresses
        inner = aiohttp.ThreadedResolver()
        resolver = inner if allows_private_addresses else PublicResolver(inner)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver, limit=CALLBACKS_AT_ONCE_MAX),
            timeout=aiohttp.ClientTimeout(total=CALLBACK_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def send(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        is_taken: Callable[[bytes], bool] | None = None,
    ) -> Tried:
        refusal = self._refusal(url)
        if refusal:
            return Tried(refusal)
        now = asyncio.get_running_loop().time
        began_s, status = now(), None
        try:
            async with self._session.post(
                url, data=body, headers=dict(headers), allow_redirects=False
            ) as answer:
                status = answer.status
                error = _error(status, await _beginning(answer.content), is_taken)
        except TimeoutError:
            error = "timeout"
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            error = type(fault).__name__
        return Tried(error, status, int((now() - began_s) * 1000))

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    def _refusal(self, url: str) -> str:
        try:
            check_notify_url(url)
        except CallerError:
            return "address refused"
        host = urlsplit(url).hostname or ""
        is_literal = host.replace(".", "").isdecimal() or ":" in host
        if is_literal and not self._allows_private and not is_public_address(host):
            return "address refused"
        return ""


def _error(status: int, said: bytes, is_taken: Callable[[bytes], bool] | None) -> str:
    if status not in {200, 204}:
        return f"status {status}"
    return "" if is_taken is None or is_taken(said) else "not taken"


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """No more than we need of an answer."""
    found = b""
    while len(found) < CALLBACK_ANSWER_BYTES_MAX:
        more = await content.read(CALLBACK_ANSWER_BYTES_MAX - len(found))
        if not more:
            break
        found += more
    return found
