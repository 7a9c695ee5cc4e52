"""What the front page sees of the stack, however many look and whoever is silent.

Rule 1: nobody is asked again while an earlier question to them has no answer.
Rule 2: who answers late keeps nobody from being seen: what was seen of it before stays.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from protocol.errors import TillwayError
from tillway.front.hops import Way
from tillway.front.limits import ANSWER_S, LOOK_EVERY_MS
from tillway.front.parts import Part, look_at
from tillway.front.shop import Shop
from tillway.front.things import Things

_log = structlog.get_logger()
Seen = TypeVar("Seen")


class Sight(Generic[Seen]):
    """One thing that is looked at, in a thread: what was seen last, and the look under way."""

    def __init__(self, look: Callable[[], Seen], first: Seen) -> None:
        self.seen = first
        self._look = look
        self._looking: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """See it anew, or give up waiting after ``ANSWER_S``."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._see())
        await asyncio.wait({self._looking}, timeout=ANSWER_S)

    async def _see(self) -> None:
        try:
            self.seen = await asyncio.to_thread(self._look)
        except TillwayError as error:  # the parts say who is silent
            _log.debug("not_seen", code=error.code)


class Watch:
    """What was last seen of the stack; asked again when it is older than ``LOOK_EVERY_MS``."""

    def __init__(self, shop: Shop, things: Things) -> None:
        self._lock = asyncio.Lock()
        self._looked_at_s = -1e9
        self._parts = Sight[list[Part]](lambda: look_at(list(shop.places)), [])
        self._way = Sight[Way | None](shop.last_way, None)
        self._day = Sight(shop.backend_day, "")
        self._till_shows = Sight[dict[str, str]](shop.till_shows, {})
        self._card_code = Sight(shop.card_code, "")
        self._charge = Sight(things.look, None)

    @property
    def parts(self) -> list[Part]:
        """How each part is."""
        return self._parts.seen

    @property
    def way(self) -> Way | None:
        """The last payment's."""
        return self._way.seen

    @property
    def day(self) -> str:
        """The backend's business day."""
        return self._day.seen

    @property
    def till_shows(self) -> dict[str, str]:
        """The title of the till's screen, by language."""
        return self._till_shows.seen

    @property
    def card_code(self) -> str:
        """What the bank of the test card has sent."""
        return self._card_code.seen

    async def look(self) -> None:
        """Ask every program, unless that has just been done."""
        async with self._lock:
            if time.monotonic() - self._looked_at_s < LOOK_EVERY_MS / 1000:
                return
            await asyncio.gather(
                self._parts.look(), self._way.look(), self._day.look(),
                self._till_shows.look(), self._card_code.look(), self._charge.look(),
            )  # fmt: skip
            self._looked_at_s = time.monotonic()

    def forget(self) -> None:
        """Something was done: look again at once."""
        self._looked_at_s = -1e9
