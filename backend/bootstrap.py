"""The backend, built by hand from top to bottom. Only this file names the concrete parts.

backend = build(settings, state=…, clock=…, entropy=…, metrics=…)
await backend.start(); … await backend.ingest_batch("hub-1", data) …; await backend.stop()
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from backend.clock import OffsetClock
from backend.config import Settings
from backend.db.command import Command
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.migrate import upgrade_engine
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.devices.directory import Directory
from backend.devices.repository import DeviceRepository
from backend.hub_api.batches import BatchDesk
from backend.hub_api.guard import Hello
from backend.hub_api.ingest import Dispatcher
from backend.hub_api.push_repository import PushRepository
from backend.hub_api.pushes import PushFeed
from backend.hub_api.service import HubService
from backend.identity.registry import SqlRegistry
from backend.identity.service import EnrolmentService
from backend.ledger.service import LedgerSeal
from backend.observability.metrics import Metrics
from backend.operator.service import MerchantDefaults, OperatorService
from backend.payments.model import DeviceRequest, PaymentRules
from backend.payments.requests import REQUEST_COMMANDS, command_of
from backend.state import State
from protocol.clock import Clock, Entropy

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What ``build`` cannot make itself."""

    state: State
    clock: Clock
    entropy: Entropy
    metrics: Metrics


class ReadPool:
    """Runs blocking reads on a few threads."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")

    async def run(self, read: Callable[[], Any]) -> Any:  # noqa: ANN401
        """The read's result."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, read)

    def close(self) -> None:
        """Wait for the reads that run."""
        self._pool.shutdown(wait=True)


class Backend:
    """The running backend without its sockets."""

    def __init__(
        self, settings: Settings, parts: Parts, dispatcher: Dispatcher | None = None
    ) -> None:
        self.settings = settings
        self.state = parts.state
        self.rules = PaymentRules(code_master_key=parts.state.code_master_key)
        self.metrics = parts.metrics
        self.clock: Clock = OffsetClock(parts.clock) if settings.clock_control else parts.clock
        self._write_engine = open_engine(settings.url)
        upgrade_engine(self._write_engine)
        self.reader = Reader.open(settings.url)
        self._verifiers = ThreadPoolExecutor(settings.verify_threads, thread_name_prefix="verifier")
        self.reads = ReadPool(settings.read_threads)
        self.devices = DeviceRepository(self.reader)
        signing_key = parts.state.identity.signing_key
        self.feed = PushFeed(
            source=PushRepository(self.reader),
            run_read=self.reads.run,
            signing_key=signing_key,
            clock=self.clock,
            executor=self._verifiers,
            metrics=parts.metrics,
        )
        self.writer = GroupCommitWriter(
            open_store(self._write_engine),
            clock=self.clock,
            seals=(LedgerSeal(),),
            observers=(self.feed.committed,),
            commands_per_group_max=settings.commands_per_group_max,
            commands_waiting_max=settings.commands_waiting_max,
        )
        self.hub = HubService(
            desk=self._desk(payment_dispatcher(self.rules) if dispatcher is None else dispatcher),
            feed=self.feed,
            repository=self.devices,
            run_read=self.reads.run,
            submit=self.writer.submit,
            signing_key=signing_key,
            clock=self.clock,
        )
        registry = SqlRegistry(
            submit=self.writer.submit, repository=self.devices, run_read=self.reads.run
        )
        enrolment = EnrolmentService(
            codes=registry,
            devices=registry,
            ca=parts.state.ca,
            backend_keys=parts.state.identity.facts.backend_keys,
            entropy=parts.entropy,
        )
        self.enrolment = enrolment
        self.operator = OperatorService(
            submit=self.writer.submit,
            run_read=self.reads.run,
            reader=self.reader,
            devices=self.devices,
            enrolment=enrolment,
            clock=self.clock,
            defaults=MerchantDefaults(
                fee_rate_bps=settings.fee_rate_bps,
                biometric_above_minor=settings.biometric_above_minor,
            ),
            business_date=self.rules.business_date,
        )

    def _desk(self, dispatcher: Dispatcher) -> BatchDesk:
        return BatchDesk(
            directory=Directory(self.devices, self.reads.run),
            submit=self.writer.submit,
            dispatcher={"device.hello": lambda _request: Hello(), **dispatcher},
            signing_key=self.state.identity.signing_key,
            clock=self.clock,
            executor=self._verifiers,
            verify_threads=self.settings.verify_threads,
            metrics=self.metrics,
        )

    async def start(self) -> None:
        """Start the writer."""
        self.feed.bind(asyncio.get_running_loop())
        self.writer.start()

    async def ingest_batch(self, hub: str, data: bytes) -> bytes:
        """The signed answers to a hub's batch; the hub is known by its connection."""
        return await self.hub.answer_batch(hub, data)

    async def is_ready(self) -> bool:
        """Whether a payment could be taken now."""
        try:
            return bool(await self.reads.run(self.devices.is_reachable))
        except Exception:  # noqa: BLE001  # a probe's outermost boundary
            _log.exception("not_ready")
            return False

    async def stop(self) -> None:
        """Finish what was accepted, then close the database."""
        self.feed.close()
        await self.writer.stop()
        self.reads.close()
        self._verifiers.shutdown(wait=True)
        self.reader.close()
        self._write_engine.dispose()


def build(settings: Settings, parts: Parts, *, dispatcher: Dispatcher | None = None) -> Backend:
    """The backend on a migrated database. ``dispatcher`` is only given by tests."""
    return Backend(settings, parts, dispatcher)


def payment_dispatcher(rules: PaymentRules) -> Dispatcher:
    """What devices may ask of payments, refunds and mandates."""
    return {name: partial(_command, rules) for name in REQUEST_COMMANDS}


def _command(rules: PaymentRules, request: DeviceRequest) -> Command:
    return command_of(request, rules)
