"""One lane per terminal: its messages reach the hub one by one, in their order.

Rule 1: one task per terminal, not per message. It waits for the hub to commit before it takes the
next message, on whatever connection that came.
Rule 2: a message that is already with the hub is finished even if its connection is gone; those
behind it that came on a connection now closed are dropped: nobody acknowledged them, so the
terminal sends them again.
Rule 3: a will comes on no connection, so nothing slows it down; of one terminal at most one waits.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from hub import limits
from hub.mqtt.actions import Deliver
from hub.mqtt.connection import ACCEPTED, BROKEN, Verdict, verdict_for
from hub.mqtt.roster import NOBODY
from hub.ports import OnPublish
from protocol.errors import TillwayError

Decide = Callable[[Deliver, Verdict], None]

_log = structlog.get_logger("hub.mqtt")


class Lane:
    """The messages of one terminal on their way to the hub."""

    def __init__(self, on_publish: OnPublish, decide: Decide, on_room: Callable[[], None]) -> None:
        self._on_publish = on_publish
        self._decide = decide
        self._on_room = on_room
        self._waiting: deque[Deliver] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def is_full(self) -> bool:
        """Whether the terminal's socket should not be read now."""
        return len(self._waiting) >= limits.MQTT_LANE_MESSAGES_MAX

    def put(self, delivery: Deliver) -> None:
        """A message came. A will takes the place of an earlier one that still waits (rule 3)."""
        if delivery.connection_id == NOBODY:
            self.forget(NOBODY)
        self._waiting.append(delivery)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def forget(self, connection_id: int) -> None:
        """A connection is closed: drop what it brought and the hub has not begun on."""
        self._waiting = deque(one for one in self._waiting if one.connection_id != connection_id)

    def drop_waiting(self) -> list[Deliver]:
        """Take back all that the hub has not begun on."""
        dropped, self._waiting = list(self._waiting), deque()
        return dropped

    def stop(self) -> Awaitable[object]:
        """Cancel; what was with the hub stays unacknowledged."""
        self._task.cancel()
        return asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._waiting:
                self._wake = loop.create_future()
                await self._wake
                self._wake = None
                continue
            was_full = self.is_full
            delivery = self._waiting.popleft()
            self._decide(delivery, await self._offer(delivery))
            if was_full and not self.is_full:
                self._on_room()

    async def _offer(self, delivery: Deliver) -> Verdict:
        try:
            await self._on_publish(delivery.message)
        except TillwayError as error:
            return verdict_for(error)
        except Exception:  # noqa: BLE001
            # The outermost loop of a terminal's messages: a bug in the hub must not end the lane.
            _log.exception("publish_failed", tid=delivery.message.tid, kind=delivery.message.kind)
            return BROKEN
        return ACCEPTED
