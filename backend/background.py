"""What runs beside the requests: expiring codes, callbacks and their figures, channels, statements.

Rule: a task that fails is logged and begun again after a pause; it never takes the backend down,
and it keeps nothing that the database does not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import structlog

from backend.db.working_set import WorkingSet
from backend.ledger.follower import Follower
from backend.limits import TASK_RESTART_S
from backend.notify.database_queue import DatabaseQueue
from backend.notify.deliverer import CallbackDeliverer
from backend.notify.figures import CallbackFigures
from backend.notify.http_sender import HttpSender
from backend.notify.limits import CALLBACK_FIGURES_EVERY_S
from backend.notify.ports import CallbackForm, CallbackQueue
from backend.notify.repository import CallbackRepository
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
from backend.risk.judging.shared_memory import SharedJoiner
from backend.risk.rules.desk import RuleDesk
from backend.risk.rules.tables import RULE_EVENT, RULE_SUPPRESSION
from backend.rollouts.runner import RolloutRunner
from backend.sagas.runner import SagaRunner
from backend.sagas.tables import SAGA
from backend.sharing.sweep import run_sharing
from backend.stamping.service import Stamping
from protocol.crypto.keys import SigningKey

_log = structlog.get_logger()


class Background:
    """Owns the tasks from ``start`` to ``stop``."""

    def __init__(
        self,
        services: Services,
        *,
        callbacks: CallbackRepository,
        sagas: SagaRunner | None,
        follower: Follower,
        stamping: Stamping | None,
        device_judge: DeviceJudge,
        rule_desk: RuleDesk,
        rollouts: RolloutRunner,
        model_desk: ModelDesk,
        risk_joiner: SharedJoiner | None,
        metrics: Metrics,
        signing_key: SigningKey,
        allows_private_addresses: bool,
        queue_url: str,
        forms: Mapping[str, CallbackForm],
    ) -> None:
        self._services = services
        self._callbacks = callbacks
        self._sagas = sagas
        self._follower = follower
        self._stamping = stamping
        self._device_judge = device_judge
        self._rule_desk = rule_desk
        self._rollouts = rollouts
        self._model_desk = model_desk
        self._risk_joiner = risk_joiner
        self._metrics = metrics
        self._signing_key = signing_key
        self._allows_private = allows_private_addresses
        self._queue_url = queue_url
        self._forms = forms
        self._flows = FlowDesk(services)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sender: HttpSender | None = None
        self._deliverer: CallbackDeliverer | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin. Fails where the rules that are live cannot be read."""
        services = self._services
        await self._rule_desk.load()
        await self._model_desk.load()
        self._loop = asyncio.get_running_loop()
        self._sender = HttpSender(allows_private_addresses=self._allows_private)
        self._deliverer = CallbackDeliverer(
            queue=self._queue(),
            sender=self._sender,
            signing_key=self._signing_key,
            clock=services.clock,
            entropy=services.entropy,
            metrics=self._metrics,
            forms=self._forms,
        )
        figures = CallbackFigures(
            repository=self._callbacks,
            run_read=services.run_read,
            clock=services.clock,
            metrics=self._metrics,
        )
        breaks = BreakFigures(
            repository=ReconciliationRepository(services.reader),
            clock=services.clock,
            metrics=self._metrics,
        )
        self._tasks = [
            asyncio.create_task(_kept("expiry", lambda: run_expiry(services))),
            asyncio.create_task(_kept("sharing", lambda: run_sharing(services))),
            asyncio.create_task(_kept("callbacks", self._deliverer.run)),
            asyncio.create_task(
                _kept(
                    "callback_figures",
                    partial(keep_reading, figures.read, every_s=CALLBACK_FIGURES_EVERY_S),
                )
            ),
            asyncio.create_task(
                _kept(
                    "break_figures",
                    partial(keep_reading, breaks.read, every_s=BREAK_FIGURES_EVERY_S),
                )
            ),
            asyncio.create_task(_kept("ledger_follower", self._follower.run)),
            asyncio.create_task(_kept("device_judge", self._device_judge.run)),
            asyncio.create_task(_kept("rule_desk", self._rule_desk.run)),
            asyncio.create_task(_kept("rollouts", self._rollouts.run)),
            asyncio.create_task(_kept("model_desk", self._model_desk.run)),
            asyncio.create_task(_kept("flows", self._flows.run)),
        ]
        if self._risk_joiner is not None:
            joiner = self._risk_joiner
            self._tasks.append(asyncio.create_task(_kept("risk_joiner", joiner.run)))
        if self._sagas is not None:
            self._tasks.append(asyncio.create_task(_kept("sagas", self._sagas.run)))
        if self._stamping is not None:
            self._tasks.append(asyncio.create_task(_kept("stamping", self._stamping.run)))

    def _queue(self) -> CallbackQueue:
        services = self._services
        if not self._queue_url:
            return DatabaseQueue(
                submit=services.submit,
                run_read=services.run_read,
                repository=self._callbacks,
                clock=services.clock,
            )
        # Imported here, because a backend without a broker needs no client.
        from backend.notify.rabbit_queue import RabbitQueue

        return RabbitQueue(
            self._queue_url,
            submit=services.submit,
            run_read=services.run_read,
            repository=self._callbacks,
            clock=services.clock,
            metrics=self._metrics,
        )

    def committed(self, ws: WorkingSet) -> None:
        """Called by the writer's thread after each commit: new callbacks and conversations are
        begun at once, readings judged and rules taken up."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        if ws.inserted(CALLBACK):
            loop.call_soon_threadsafe(self.wake)
        if ws.inserted(READING):
            loop.call_soon_threadsafe(self._device_judge.wake)
        if ws.inserted(RULE_EVENT) or ws.inserted(RULE_SUPPRESSION):
            loop.call_soon_threadsafe(self._rule_desk.wake)
        if self._rollouts.concerns(ws):
            loop.call_soon_threadsafe(self._rollouts.wake)
        if self._sagas is not None and ws.inserted(SAGA):
            loop.call_soon_threadsafe(self._sagas.wake)

    def wake(self) -> None:
        """Make the deliverer look. On the loop."""
        if self._deliverer is not None:
            self._deliverer.wake()

    async def stop(self) -> None:
        """End the tasks and the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._flows.keep()
        if self._sender is not None:
            await self._sender.close()


async def _kept(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001  # the outermost loop of a task
            _log.exception("task_failed", task=name)
        await asyncio.sleep(TASK_RESTART_S)
