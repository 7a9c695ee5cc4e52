"""Open breaks in numbers, read again and again for the scraper: somebody is to be alarmed."""

from backend.observability.metrics import Metrics
from backend.reconciliation.repository import ReconciliationRepository
from protocol.clock import Clock


class BreakFigures:
    """Owns the gauges of breaks."""

    def __init__(
        self, *, repository: ReconciliationRepository, clock: Clock, metrics: Metrics
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._metrics = metrics

    async def read(self) -> None:
        """Set the gauges to what is committed now."""
        rows = await self._repository.figures()
        now_ms = self._clock.now_ms()
        self._metrics.show_breaks(
            {row["state"]: row["count"] for row in rows},
            oldest_ms=max((now_ms - row["oldest_ms"] for row in rows), default=0),
        )
