"""Server-sent events (WHATWG HTML §9.2): places for followers, and where one left off.

Rule 1: whoever follows holds one of a named number of places; more are turned away with 503.
Rule 2: an event's id is the revision of what it shows, so that a page that comes back is told only
        what it has not seen.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import HTTPException, Request
from fastapi.sse import ServerSentEvent

from faces.limits import EVENT_ID_DIGITS_MAX, FOLLOW_AGAIN_MS


class Places:
    """How many pages may follow at once."""

    def __init__(self, count: int) -> None:
        self._open = asyncio.Semaphore(count)

    async def enter(self) -> AsyncIterator[None]:
        """A dependency: hold a place for the length of a request."""
        if self._open.locked():
            raise HTTPException(503)
        async with self._open:
            yield


def last_event_id(request: Request) -> int:
    """The last event that a page saw before it reconnected; 0 for a new page."""
    text = request.headers.get("last-event-id", "")
    return int(text) if text.isdecimal() and len(text) <= EVENT_ID_DIGITS_MAX else 0


def event(name: str, revision: int, data: Any) -> ServerSentEvent:  # noqa: ANN401  # JSON
    """One event of a stream."""
    return ServerSentEvent(data=data, event=name, id=str(revision), retry=FOLLOW_AGAIN_MS)
