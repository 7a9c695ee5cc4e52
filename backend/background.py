"""What runs beside the requests: expiring codes, callbacks and their figures, channels, statements.

Rule: a task that fails is logged and begun again after a pause; it never takes the backend down,
and it keeps nothing that the database does not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import structlog

from backend.callback_parts import CallbackDelivery
from backend.db.working_set import WorkingSet
from backend.limits import TASK_RESTART_S
from backend.notify.tables import CALLBACK
from backend.observability.figures import keep_reading
from backend.observability.flow_desk import FlowDesk
from backend.observability.metrics import Metrics
from backend.payments.expiry import run_expiry
from backend.payments.services import Services
from backend.reconciliation.figures import BreakFigures
from backend.reconciliation.limits import BREAK_FIGURES_EVERY_S
from backend.reconciliation.repository import ReconciliationRepository
from backend.risk.devices.judge import DeviceJudge
from backend.risk.devices.tables import READING
from backend.risk.judging.model_desk import ModelDesk
from backend.risk.rules.desk import RuleDesk
from backend.risk.rules.tables import RULE_EVENT, RULE_SUPPRESSION
from backend.rollouts.runner import RolloutRunner
from backend.sagas.runner import SagaRunner
from backend.sagas.tables import SAGA
from backend.sharing.sweep import run_sharing

_log = structlog.get_logger()


class Background:
    """Owns the tasks from ``start`` to ``stop``."""

    def __init__(
        self,
        services: Services,
        *,
        callbacks: CallbackDelivery,
        sagas: SagaRunner | None,
        device_judge: DeviceJudge,
        rule_desk: RuleDesk,
        model_desk: ModelDesk,
        rollouts: RolloutRunner,
        metrics: Metrics,
        others: Mapping[str, Callable[[], Awaitable[None]]],
    ) -> None:
        """``others``: loops that no commit wakes, by the name that the log gives them."""
        self._services = services
        self._callbacks = callbacks
        self._sagas = sagas
        self._device_judge = device_judge
        self._rule_desk = rule_desk
        self._model_desk = model_desk
        self._rollouts = rollouts
        self._metrics = metrics
        self._others = others
        self._flows = FlowDesk(services)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin. Fails where the rules that are live cannot be read."""
        services = self._services
        await self._rule_desk.load()
        await self._model_desk.load()
        self._loop = asyncio.get_running_loop()
        breaks = BreakFigures(
            repository=ReconciliationRepository(services.reader),
            clock=services.clock,
            metrics=self._metrics,
        )
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "expiry": partial(run_expiry, services),
            "sharing": partial(run_sharing, services),
            **self._callbacks.start(),
            "break_figures": partial(keep_reading, breaks.read, every_s=BREAK_FIGURES_EVERY_S),
            "device_judge": self._device_judge.run,
            "rule_desk": self._rule_desk.run,
            "rollouts": self._rollouts.run,
            "model_desk": self._model_desk.run,
            "flows": self._flows.run,
            **self._others,
        }
        if self._sagas is not None:
            loops["sagas"] = self._sagas.run
        self._tasks = [asyncio.create_task(_kept(name, work)) for name, work in loops.items()]

    def committed(self, ws: WorkingSet) -> None:
        """Called by the writer's thread after each commit: new callbacks and conversations are
        begun at once, readings judged and rules taken up."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        if ws.inserted(CALLBACK):
            loop.call_soon_threadsafe(self._callbacks.wake)
        if ws.inserted(READING):
            loop.call_soon_threadsafe(self._device_judge.wake)
        if ws.inserted(RULE_EVENT) or ws.inserted(RULE_SUPPRESSION):
            loop.call_soon_threadsafe(self._rule_desk.wake)
        if self._rollouts.concerns(ws):
            loop.call_soon_threadsafe(self._rollouts.wake)
        if self._sagas is not None and ws.inserted(SAGA):
            loop.call_soon_threadsafe(self._sagas.wake)

    async def stop(self) -> None:
        """End the tasks and the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._flows.keep()
        await self._callbacks.close()


async def _kept(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001  # the outermost loop of a task
            _log.exception("task_failed", task=name)
        await asyncio.sleep(TASK_RESTART_S)
