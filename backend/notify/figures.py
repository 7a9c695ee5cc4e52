"""The outbox in numbers, read again and again for the scraper."""

from backend.db.ports import RunRead
from backend.notify.repository import CallbackRepository
from backend.observability.metrics import Metrics
from protocol.clock import Clock


class CallbackFigures:
    """Owns the gauges of the outbox."""

    def __init__(
        self, *, repository: CallbackRepository, run_read: RunRead, clock: Clock, metrics: Metrics
    ) -> None:
        self._repository = repository
        self._run_read = run_read
        self._clock = clock
        self._metrics = metrics

    async def read(self) -> None:
        """Set the gauges to what is committed now."""
        rows = await self._run_read(self._repository.figures)
        now_ms = self._clock.now_ms()
        open_rows = [row for row in rows if row["state"] != "dead"]
        self._metrics.show_callbacks(
            {row["state"]: row["count"] for row in rows},
            oldest_ms=max((now_ms - row["oldest_ms"] for row in open_rows), default=0),
            overdue_ms=max((now_ms - row["due_ms"] for row in open_rows), default=0),
        )
