"""The flows of all backend processes over the last day: what each has measured, added up.

Rule: measuring touches memory alone. Once a minute, beside the requests, what was measured is added
      to the database's sums, so that it outlives the process; a process that is killed loses a
      minute at most, one that is stopped nothing.
"""

import asyncio

import structlog

from backend.observability.flow_repository import FlowRepository
from backend.observability.flow_service import KeepFlows
from backend.observability.flows import FlowFigures, Span, figures
from backend.observability.limits import FLOWS_KEPT_EVERY_S
from backend.payments.services import Services
from protocol.errors import OperatingError

_log = structlog.get_logger()


class FlowDesk:
    """One per process, on the event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._repository = FlowRepository(services.reader)

    async def figures(self, *, minutes: int, parts: int) -> list[FlowFigures]:
        """Every flow over the last minutes, in so many equal parts: this process as it stands,
        others as they stood a minute ago at most."""
        services = self._services
        span = Span.until(services.clock.now_ms(), minutes=minutes, parts=parts)
        async with services.flows.moving:
            kept = await services.run_read(lambda: self._repository.sums(span))
            return figures([*kept, *services.flows.sums(span)], parts=parts)

    async def keep(self) -> None:
        """Add what this process has measured since the last time."""
        meter = self._services.flows
        async with meter.moving:
            taken = meter.take()
            if not taken:
                return
            try:
                await self._services.submit(KeepFlows(taken))
            except OperatingError as error:
                _log.warning("flows_not_kept", code=error.code)
                meter.put_back(taken)

    async def run(self) -> None:
        """Keep them until cancelled."""
        while True:
            await asyncio.sleep(FLOWS_KEPT_EVERY_S)
            await self.keep()
