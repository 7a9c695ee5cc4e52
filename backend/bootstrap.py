"""The backend, built by hand from top to bottom. Only this file names the concrete parts.

backend = build(settings, Parts(state=…, clock=…, entropy=…, metrics=…))
await backend.start(); … await backend.ingest_batch("hub-1", data) …; await backend.stop()
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from backend.background import Background
from backend.callback_parts import CallbackDelivery
from backend.clearing.caps import NetDebitCaps
from backend.clearing_parts import Clearing, build_clearing, build_dates, build_papers
from backend.clock import OffsetClock
from backend.config import Settings
from backend.db.command import Command, Seal
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.migrate import upgrade_engine
from backend.db.open_store import open_store
from backend.db.postgres_bell import bell_of
from backend.db.reading import Reader
from backend.db.working_set import WorkingSet
from backend.devices.directory import Directory
from backend.devices.repository import DeviceRepository
from backend.fleet_parts import build_firmware, build_rollouts, requests_about_itself
from backend.hub_api.batches import BatchDesk
from backend.hub_api.ingest import Dispatcher
from backend.hub_api.known_hubs import KnownHubs
from backend.hub_api.push_repository import PushRepository
from backend.hub_api.pushes import PUSH_CHANNEL, PushFeed
from backend.hub_api.service import HubService
from backend.identity.registry import SqlRegistry
from backend.identity.service import EnrolmentService
from backend.institution_parts import configured_channels
from backend.ledger.checkpoints import CheckpointMaker
from backend.ledger.follower import Follower
from backend.ledger.routes import LedgerDesk
from backend.ledger.service import LedgerSeal
from backend.merchant_api.parts import MerchantApi, build_merchant_api
from backend.notify.repository import CallbackRepository
from backend.observability.metrics import Metrics
from backend.operator.service import MerchantDefaults, OperatorService
from backend.payments.model import DAY_OFFSET_MS, DeviceRequest, PaymentRules
from backend.payments.requests import REQUEST_COMMANDS, command_of
from backend.payments.services import Services
from backend.risk.cases.model import CaseClock
from backend.risk.devices.judge import DeviceJudge
from backend.risk.devices.pseudonyms import pseudonym_key
from backend.risk.devices.repository import ReadingRepository
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.memory import remember_committed
from backend.risk.judging.model_desk import ModelDesk
from backend.risk.judging.scoring import Scoring
from backend.risk.model import RiskRules
from backend.risk.models.lifecycle import Role
from backend.risk.models.repository import ModelRepository
from backend.risk.rules.desk import RuleDesk
from backend.risk.rules.repository import RuleRepository
from backend.risk_parts import build_memory
from backend.shards.founding import check_alone, own_place
from backend.shards.service import seals_of
from backend.stamping_parts import build_stamps
from backend.state import State, clock_ahead_ms, keep_clock_ahead
from backend.workers import Workers
from protocol.clock import Clock, Entropy

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What ``build`` cannot make itself."""

    state: State
    clock: Clock
    entropy: Entropy
    metrics: Metrics


class Backend:
    """The running backend without its sockets."""

    def __init__(
        self, settings: Settings, parts: Parts, dispatcher: Dispatcher | None = None
    ) -> None:
        self.settings = settings
        self.state = parts.state
        self.metrics = parts.metrics
        self.clock = _clock(settings, parts.clock)
        self._entropy = parts.entropy
        self._signing_key = parts.state.identity.signing_key
        self._write_engine = open_engine(settings.url)
        upgrade_engine(self._write_engine)
        self._verifiers = Workers(settings.verify_threads, name="verifier")
        self._reads = Workers(settings.read_threads, name="reader")
        self._reader = Reader.open(settings.url)
        self._devices = DeviceRepository(self._reader)
        self.writer = GroupCommitWriter(
            open_store(self._write_engine),
            clock=self.clock,
            seals=_seals(settings, self._reader),
            observers=(self._committed,),
            commands_per_group_max=settings.commands_per_group_max,
            commands_waiting_max=settings.commands_waiting_max,
        )
        self.case_clock = CaseClock(build_dates(settings).calendar.is_business_day, DAY_OFFSET_MS)
        self.risk = self._engine()
        self.services = Services(
            submit=self.writer.submit,
            run_read=self._reads.run,
            reader=self._reader,
            clock=self.clock,
            entropy=parts.entropy,
            rules=_rules(settings, parts.state, self.clock, self.risk),
            fee_bounds=settings.fee_bounds,
            flows=self.metrics.flows,
            signing_key=self._signing_key,
        )
        self.device_judge = self._device_judge()
        self.rule_desk = self._rule_desk()
        self._pseudonyms = pseudonym_key(parts.state.code_master_key)
        self.firmware = build_firmware(settings, self.services)
        self.feed = self._feed()
        if dispatcher is None:
            dispatcher = payment_dispatcher(self.services.rules)
        self.known_hubs = KnownHubs(self._devices, self._reads.run)
        self.hub = self._hub(dispatcher)
        self.enrolment = self._enrolment()
        self.operator = self._operator()
        self.callbacks = CallbackRepository(self._reader)
        self.stamps = build_stamps(settings, services=self.services)
        self.clearing = self._clearing()
        self.papers = build_papers(self.services, build_dates(settings).calendar)
        self.ledger = self._ledger()
        self.merchant_api = self._merchant_api(parts.clock)
        self.delivery = CallbackDelivery(
            self.services,
            settings,
            repository=self.callbacks,
            metrics=self.metrics,
            signing_key=self._signing_key,
            forms=self.merchant_api.forms,
        )
        self.background = self._background()

    async def start(self) -> None:
        """Start the writer, and what runs beside the requests."""
        self.feed.bind(asyncio.get_running_loop())
        self.writer.start()
        await self.background.start()

    async def ingest_batch(self, hub: str, data: bytes) -> bytes:
        """The signed answers to a hub's batch; the hub is known by its connection."""
        return await self.hub.answer_batch(hub, data)

    async def is_ready(self) -> bool:
        """Whether a payment could be taken now: the database answers, the writer is not full."""
        if self.writer.waiting() >= self.settings.commands_waiting_max:
            return False
        try:
            return bool(await self._reads.run(self._devices.is_reachable))
        except Exception:  # noqa: BLE001  # a probe's outermost boundary
            _log.exception("not_ready")
            return False

    async def stop(self) -> None:
        """Finish what was accepted, then close the database."""
        self.feed.close()
        await self.background.stop()
        if self.clearing is not None:
            await self.clearing.institutions.close()
        if self.stamps is not None:
            await self.stamps.stamper.close()
        await self.writer.stop()
        await self.feed.stop()
        self._reads.close()
        self._verifiers.close()
        self._reader.close()
        self._write_engine.dispose()

    def _engine(self) -> Engine:
        """The risk engine, which has been told again what is stored."""
        memory, self._risk_joiner = build_memory(
            self.settings, reader=self._reader, clock=self.clock, run_read=self._reads.run
        )
        desk = RiskDesk(
            self.settings.risk_live_rules,
            scoring=Scoring(watch=self.metrics),
            challenger=Scoring(watch=self.metrics, name="challenger"),
            memory=memory,
        )
        return Engine(desk, self.case_clock)

    def _background(self) -> Background:
        return Background(
            self.services,
            callbacks=self.delivery,
            sagas=None if self.clearing is None else self.clearing.sagas,
            device_judge=self.device_judge,
            rule_desk=self.rule_desk,
            model_desk=self._model_desk(),
            rollouts=build_rollouts(self.services),
            metrics=self.metrics,
            others=self._other_loops(),
        )

    def _other_loops(self) -> dict[str, Callable[[], Awaitable[None]]]:
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "ledger_follower": self.ledger.follower.run
        }
        if self._risk_joiner is not None:
            loops["risk_joiner"] = self._risk_joiner.run
        if self.stamps is not None:
            loops["stamping"] = self.stamps.stamping.run
        return loops

    def _committed(self, ws: WorkingSet) -> None:
        remember_committed(self.risk.desk, ws)
        self.known_hubs.committed(ws)
        self.feed.committed(ws)
        self.background.committed(ws)

    def _feed(self) -> PushFeed:
        return PushFeed(
            source=PushRepository(self._reader),
            run_read=self._reads.run,
            signing_key=self._signing_key,
            clock=self.clock,
            aside=self._verifiers.run,
            metrics=self.metrics,
            bell=bell_of(self.settings.url, PUSH_CHANNEL),
        )

    def _hub(self, dispatcher: Dispatcher) -> HubService:
        desk = BatchDesk(
            directory=Directory(self._devices, self._reads.run),
            submit_all=self.writer.submit_all,
            dispatcher={**requests_about_itself(self._pseudonyms), **dispatcher},
            signing_key=self._signing_key,
            clock=self.clock,
            aside=self._verifiers.run,
            verify_threads=self.settings.verify_threads,
            metrics=self.metrics,
        )
        return HubService(
            desk=desk,
            hubs=self.known_hubs,
            feed=self.feed,
            repository=self._devices,
            run_read=self._reads.run,
            submit=self.writer.submit,
            signing_key=self._signing_key,
            clock=self.clock,
        )

    def _rule_desk(self) -> RuleDesk:
        return RuleDesk(
            run_read=self._reads.run,
            repository=RuleRepository(self._reader),
            clock=self.clock,
            shipped_live=self.risk.desk.live,
            use=self.risk.desk.use,
        )

    def _model_desk(self) -> ModelDesk:
        risk = self.risk.desk
        in_use = {Role.CHAMPION: risk.scoring, Role.CHALLENGER: risk.challenger}
        models = ModelRepository(self._reader)
        return ModelDesk(run_read=self._reads.run, repository=models, in_use=in_use)

    def _device_judge(self) -> DeviceJudge:
        return DeviceJudge(
            submit=self.writer.submit,
            run_read=self._reads.run,
            repository=ReadingRepository(self._reader),
            case_clock=self.case_clock,
            clock=self.clock,
            entropy=self._entropy,
        )

    def _enrolment(self) -> EnrolmentService:
        registry = SqlRegistry(
            submit=self.writer.submit, repository=self._devices, run_read=self._reads.run
        )
        return EnrolmentService(
            codes=registry,
            devices=registry,
            ca=self.state.ca,
            sm_ca=self.state.sm_ca,
            backend_keys=self.state.identity.facts.backend_keys,
            entropy=self._entropy,
            signing_key=self._signing_key,
        )

    def _clearing(self) -> Clearing | None:
        return build_clearing(
            self.settings,
            services=self.services,
            name=self.state.identity.name,
            key=self._signing_key,
            stamper=None if self.stamps is None else self.stamps.stamper,
        )

    def _ledger(self) -> LedgerDesk:
        maker = CheckpointMaker(self.state.identity.name, self._signing_key)
        follower = Follower(
            submit=self.writer.submit,
            run_read=self._reads.run,
            reader=self._reader,
            maker=maker,
            business_date=self.services.rules.business_date,
            clock=self.clock,
        )
        return LedgerDesk(
            reader=self._reader, run_read=self._reads.run, follower=follower, maker=maker
        )

    def _merchant_api(self, machine_clock: Clock) -> MerchantApi:
        master_key = self.state.code_master_key
        return build_merchant_api(
            self.services,
            master_key=master_key,
            clock=machine_clock,
            settings=self.settings.merchant_api,
            authority=self.state.ca,
        )

    def _operator(self) -> OperatorService:
        return OperatorService(
            submit=self.writer.submit,
            run_read=self._reads.run,
            reader=self._reader,
            devices=self._devices,
            enrolment=self.enrolment,
            clock=self.clock,
            defaults=MerchantDefaults(
                fee_rate_bps=self.settings.fee_rate_bps,
                fee_bounds=self.settings.fee_bounds,
                biometric_above_minor=self.settings.biometric_above_minor,
            ),
            business_date=self.services.rules.business_date,
            ledger_keys=self.state.identity.facts.backend_keys,
        )


def build(settings: Settings, parts: Parts, *, dispatcher: Dispatcher | None = None) -> Backend:
    """The backend on a migrated database. ``dispatcher`` is only given by tests."""
    return Backend(settings, parts, dispatcher)


def payment_dispatcher(rules: PaymentRules) -> Dispatcher:
    """What devices may ask of payments, refunds and mandates."""
    return {name: partial(_command, rules) for name in REQUEST_COMMANDS}


def _clock(settings: Settings, machine: Clock) -> Clock:
    """The machine's; where the settings allow it, one that stays as far ahead as it was put."""
    if not settings.clock_control:
        return machine
    keep = partial(keep_clock_ahead, settings)
    return OffsetClock(machine, ahead_ms=clock_ahead_ms(settings), keep=keep)


def _seals(settings: Settings, reader: Reader) -> tuple[Seal, ...]:
    """A database that is one of several must be the one that its place says."""
    if not settings.ledger_shards:
        check_alone(reader)
        return (LedgerSeal(),)
    return seals_of(own_place(settings.url, settings.ledger_shards))


def _command(rules: PaymentRules, request: DeviceRequest) -> Command:
    return command_of(request, rules)


def _rules(settings: Settings, state: State, clock: Clock, engine: Engine) -> PaymentRules:
    return PaymentRules(
        code_master_key=state.code_master_key,
        risk=RiskRules(
            amount_minor_max=settings.risk_amount_minor_max,
            velocity_count_max=settings.risk_velocity_count_max,
            velocity_window_ms=settings.risk_velocity_window_ms,
        ),
        engine=engine,
        page_url=settings.page_url,
        code_life_ms=settings.code_life_ms,
        has_own_advance=settings.fund_own_advance,
        routing=settings.routing.routing(configured_channels(settings)),
        room=NetDebitCaps(caps_minor=settings.net_debit_caps, now_ms=clock.now_ms),
        wallet=settings.wallet.rules(),
        withdrawals=settings.withdrawals.rules(),
        offline=settings.offline.rules(),
        settlement_date=build_dates(settings).planned if configured_channels(settings) else None,
    )
