"""Callback queues of both kinds on one shop, and what tests wait for."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from backend.db.tables import Row
from backend.notify.database_queue import DatabaseQueue
from backend.notify.ports import CallbackQueue
from backend.notify.rabbit_queue import RabbitQueue
from backend.notify.repository import CallbackRepository
from backend.observability.metrics import Metrics
from tests.kit.patience import PATIENCE_S
from tests.support.shop import Shop
from tests.support.wallet_http import services_of

GAPS_MS = (300, 300)
"""Three tries."""


async def until(condition: Callable[[], Any]) -> None:
    """Wait for something that another task or the broker brings about."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # what is waited for is not ours
            await asyncio.sleep(0.01)


@dataclass
class Taker:
    """A queue that is kept going, and a deliverer's side of it."""

    queue: CallbackQueue
    task: asyncio.Task[None] | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, being_tried: Mapping[str, int] | None = None) -> list[Row]:
        """The next callbacks; waits for them."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.ready.clear()
                rows = await self.queue.take(Counter(being_tried))
                if rows:
                    return rows
                await self.ready.wait()

    async def take_one(self) -> str:
        [row] = await self.take()
        return str(row["callback_id"])

    async def die(self) -> None:
        """Ends at once, whatever it was doing."""
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task


@dataclass
class Queues:
    """Makes takers of one shop. ``broker_url`` None: of the embedded kind."""

    shop: Shop
    broker_url: str | None
    prefix: str
    gaps_ms: tuple[int, ...] = GAPS_MS
    metrics: Metrics = field(default_factory=Metrics)
    submit: Callable[[Any], Any] | None = None
    """Comes before the writer, where a test wants to stand in its way."""

    def make(self, *, is_embedded: bool | None = None) -> CallbackQueue:
        services = services_of(self.shop)
        parts: dict[str, Any] = {
            "submit": self.submit or services.submit,
            "run_read": services.run_read,
            "repository": CallbackRepository(self.shop.reader),
            "clock": self.shop.clock,
            "gaps_ms": self.gaps_ms,
        }
        if self.broker_url is None or is_embedded:
            return DatabaseQueue(**parts)
        return RabbitQueue(self.broker_url, metrics=self.metrics, prefix=self.prefix, **parts)

    @asynccontextmanager
    async def taker(self, *, is_embedded: bool | None = None) -> AsyncIterator[Taker]:
        taker = Taker(self.make(is_embedded=is_embedded))
        taker.task = asyncio.create_task(taker.queue.run(taker.ready.set))
        try:
            yield taker
        finally:
            await taker.die()

    def states(self) -> list[str]:
        rows = self.shop.rows("SELECT state FROM outbox_callback ORDER BY callback_id")
        return [str(row["state"]) for row in rows]
