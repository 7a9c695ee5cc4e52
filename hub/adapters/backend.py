"""The line to the backend: one kept-alive aiohttp session, TLS 1.3 with both certificates.

Every failure becomes one of three: ``OperatingError("backend_unreachable")`` (no answer to believe:
the same again), ``OperatingError("busy")`` (the backend is there and says so itself: the same again
later) and ``CallerError`` (it is there and refuses the content).
"""

import asyncio
import contextlib
import json
from calendar import timegm
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import monotonic
from typing import Any

import aiohttp
import structlog

from hub.adapters.faults import FaultyConnector, LineFaults
from hub.adapters.limits import (
    ANSWERS_BYTES_MAX,
    BATCH_TIMEOUT_S,
    CLOSE_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    CONNECTIONS_MAX,
    DEVICES_BYTES_MAX,
    KEEP_ALIVE_S,
    POLL_GRACE_S,
    PUSHES_BYTES_MAX,
    READ_CHUNK_BYTES,
)
from hub.adapters.peer import PeerConnector
from protocol import cbor
from protocol.clock import Clock
from protocol.errors import CallerError, OperatingError
from protocol.limits import CLOCK_SKEW_MS_MAX, FIRMWARE_PIECE_BYTES_MAX
from transport.contexts import ClientTls
from transport.failures import why

log = structlog.get_logger("hub.backend")
CBOR_TYPE = "application/cbor"
_CONTENT_REFUSED = frozenset({400, 413, 422, 500})
"""What speaks of the content of a request; other statuses speak of the hub or of the moment."""


class BackendClient:
    """``/hub/v1`` of the backend. Made and closed inside the running loop."""

    def __init__(
        self,
        url: str,
        tls: ClientTls | None,
        *,
        clock: Clock,
        faults: LineFaults | None = None,
    ) -> None:
        """``tls`` is None only in tests that speak plain HTTP to a fake."""
        self._clock = clock
        self.clock_ahead_s = 0
        """How far our clock is before the backend's, as of its last word; below zero: behind."""
        options: dict[str, Any] = {
            "limit": CONNECTIONS_MAX,
            "keepalive_timeout": KEEP_ALIVE_S,
        }
        # aiohttp sets TCP_NODELAY on every connection by itself (tcp_helpers.tcp_nodelay).
        connector = (
            FaultyConnector(tls, faults, **options)
            if faults is not None
            else PeerConnector(tls, **options)
        )
        self._base = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Close all connections, within a bound.

        aiohttp breaks TLS off without a goodbye, for which a dead peer would let us wait; a test
        holds it to that. Nothing is lost: an answer's length is known, and nothing more is asked.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._session.close()

    async def post_batch(self, body: bytes) -> list[bytes]:
        """Send a signed batch; the answers, unchecked, item by item."""
        content = await self._ask(
            "POST", "/hub/v1/batches", body=body, timeout_s=BATCH_TIMEOUT_S, limit=ANSWERS_BYTES_MAX
        )
        answers = _decode(content, ANSWERS_BYTES_MAX)
        if not isinstance(answers, list) or not all(isinstance(one, bytes) for one in answers):
            raise OperatingError("backend_unreachable", "answers are not a list of bytes")
        return answers

    async def pushes(self, *, after: int, wait_s: int) -> object:
        """Wait for pushes behind a cursor; the decoded rows, unchecked."""
        content = await self._ask(
            "GET",
            "/hub/v1/pushes",
            query={"after": str(after), "wait_s": str(wait_s)},
            timeout_s=wait_s + POLL_GRACE_S,
            limit=PUSHES_BYTES_MAX,
        )
        return _decode(content, PUSHES_BYTES_MAX)

    async def devices(self, store: str) -> bytes:
        """The signed device table of a store, unchecked."""
        return await self._ask(
            "GET",
            "/hub/v1/devices",
            query={"store": store},
            timeout_s=BATCH_TIMEOUT_S,
            limit=DEVICES_BYTES_MAX,
        )

    async def firmware(self, digest: str, *, offset: int) -> bytes:
        """Some bytes of firmware from an offset on; none at the end."""
        return await self._ask(
            "GET",
            f"/hub/v1/firmware/{digest}",
            query={"offset": str(offset)},
            timeout_s=BATCH_TIMEOUT_S,
            limit=FIRMWARE_PIECE_BYTES_MAX,
        )

    async def report(self, states: dict[str, object]) -> None:
        """Say how the hub and its devices are."""
        await self._ask(
            "POST",
            "/hub/v1/states",
            body=cbor.encode(states),
            timeout_s=BATCH_TIMEOUT_S,
            limit=READ_CHUNK_BYTES,
        )

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        timeout_s: int,
        limit: int,
        body: bytes | None = None,
        query: dict[str, str] | None = None,
    ) -> bytes:
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        asked_at = monotonic()
        try:
            async with self._session.request(
                method,
                self._base + path,
                data=body,
                params=query,
                headers={"content-type": CBOR_TYPE},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                if method == "GET":
                    self._compare_clocks(response, monotonic() - asked_at)
                content = await _read(response, limit)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise OperatingError("backend_unreachable", why(error)) from error
        if response.status in (200, 204):
            return content
        if response.status in _CONTENT_REFUSED:
            raise CallerError("envelope_malformed", f"status {response.status}")
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE and _code(content) == "busy":
            raise OperatingError("busy", "backend")
        raise OperatingError("backend_unreachable", f"status {response.status}")

    def _compare_clocks(self, response: aiohttp.ClientResponse, took_s: float) -> None:
        try:
            told = parsedate_to_datetime(response.headers.get("Date", ""))
        except (ValueError, OverflowError):
            return  # no time, or none that there is
        was_apart = is_apart(self.clock_ahead_s)
        told_s, now_s = timegm(told.utctimetuple()), self._clock.now_ms() / 1000
        self.clock_ahead_s = lead_s(told_s, now_s=now_s, took_s=took_s)
        if is_apart(self.clock_ahead_s) != was_apart:
            log.warning(
                "clock_apart" if not was_apart else "clock_right", ahead_s=self.clock_ahead_s
            )


def lead_s(told_s: int, *, now_s: float, took_s: float) -> int:
    """How far our clock is ahead of the time that an answer's head tells. A server may write it at
    any moment from the question on, which of a long poll lies far back; so none of that counts."""
    earliest, latest = int(now_s - took_s), int(now_s)
    return earliest - told_s if told_s < earliest else min(0, latest - told_s)


def is_apart(ahead_s: int) -> bool:
    """Whether our clock is so wrong that tills with a right one are refused, or soon will be."""
    return abs(ahead_s) * 1000 > CLOCK_SKEW_MS_MAX


def _code(content: bytes) -> object:
    """The code of the backend's own refusal; None for the words of anything between it and us."""
    try:
        error = json.loads(content).get("error")
        return error.get("code") if isinstance(error, dict) else None
    except (ValueError, AttributeError, RecursionError):
        return None


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_chunked(READ_CHUNK_BYTES):
        content += chunk
        if len(content) > limit:
            raise OperatingError("backend_unreachable", "answer too large")
    return bytes(content)


def _decode(content: bytes, limit: int) -> Any:  # noqa: ANN401  # any plain value
    try:
        return cbor.decode(content, bytes_max=limit)
    except CallerError as error:
        raise OperatingError("backend_unreachable", "answer is not CBOR") from error
