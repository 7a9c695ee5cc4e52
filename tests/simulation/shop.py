"""A whole shop from a seed: build it, let it trade, stop the faults, drain it, judge it."""

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from backend.devices.model import DeviceCommand
from backend.devices.service import ChangeDevice
from backend.payments.model import PaymentRules
from backend.risk.model import RiskRules
from backend.twins.model import ENDED, Standing, drift_of, standing_of
from backend.twins.repository import TwinRepository
from backend.twins.service import ChangeSettings
from protocol.crypto.keys import generate
from protocol.trust import Trust
from tests.simulation.auditor import Auditor, Broken
from tests.simulation.backend_room import BackendRoom
from tests.simulation.cables import Cables
from tests.simulation.devices import (
    MERCHANT,
    STORE,
    VENDING,
    profile_of,
)
from tests.simulation.enrolment import Enrolment
from tests.simulation.events import (
    MINUTE_MS,
    START_MS,
    DriftingClock,
    PowerCut,
    Schedule,
    SeededEntropy,
    Trace,
)
from tests.simulation.faults import Faults, draw_faults
from tests.simulation.hub_room import HUBS, HubRoom
from tests.simulation.offline_payers import OfflinePayers
from tests.simulation.people import BackendDown, Cashier, Crowd, Payer
from tests.simulation.till_room import TillRoom

TILLS = ("till-1", "till-2", "till-3", VENDING)
BALANCES = (2_000_000, 2_000_000, 400_000, 4_000)
OFFLINE_BALANCES = (30_000, 12_000, 9_000)
"""Of the payers with vouchers; who spends twice is soon out of money."""
_ALL_BALANCES = (*BALANCES, *OFFLINE_BALANCES)
VERIFY_MINUTES, VERIFIES_MAX = 5, 50
SWEEP_MS = 15_000
DRAIN_MS_MAX = 3 * 60 * MINUTE_MS


@dataclass(frozen=True)
class Outcome:
    """What one run was like."""

    seed: int
    digest: str
    virtual_ms: int
    tally: Counter[str]
    faults: Faults


class Shop:
    """Everything there is, and the one heap that moves it."""

    def __init__(
        self, seed: int, directory: Path, template: Path, *, suite: str = "ES256", days: int = 1
    ) -> None:
        """Payers top up as often as there are ``days``: a channel takes no sum for a week."""
        self.seed, self._days = seed, days
        self.schedule = Schedule()
        self.trace = Trace(self.schedule)
        self.dice = random.Random(f"{seed}/shop")
        self._fleet = random.Random(f"{seed}/fleet")
        self._owner = random.Random(f"{seed}/owner")
        self.faults = Faults()
        self.worst = draw_faults(random.Random(f"{seed}/faults"))
        self.start_ms = START_MS + self.dice.choice((0, 11 * 60 + 45)) * MINUTE_MS
        self.clocks: list[DriftingClock] = []
        self._suite = suite
        self._directory = directory
        self._master_key = random.Random(f"{seed}/key").randbytes(32)
        self.backend = self._backend(template)
        self.backend_down = BackendDown(
            self.backend, self.schedule, self.trace, self._stream("power")
        )
        self.auditor = Auditor(self.backend.path, self.trace)
        count = random.Random(f"{seed}/hubs").choice((1, 2, 2))
        self.hub_keys = {name: generate(suite) for name in HUBS[:count]}
        self.keys = {tid: generate(suite) for tid in TILLS}
        self.revoked: set[str] = set()
        self.enrolled = self._enrol()
        self.crowd = self._crowd()
        self.offline = self._offline()
        self.cables = Cables(
            schedule=self.schedule,
            trace=self.trace,
            dice=self._stream("cables"),
            faults=self.faults,
        )
        self.hubs = [self._hub(name) for name in self.hub_keys]
        self.cables.hubs += self.hubs
        self.tills = {tid: self._till(tid) for tid in TILLS}
        for till in self.tills.values():
            till.boot()
            self.cables.add(till)
        self.cashiers = [
            Cashier(till, self.crowd, self.schedule, self._stream(f"cashier {till.tid}"))
            for till in self.tills.values()
        ]

    # --- the day

    def run(self, minutes: int) -> Outcome:
        """Trade, drain, judge. Raises ``Broken``."""
        self._begin_faults()
        self._sweep()
        # The longer the ledger, the longer a look at all of it: a week's gets as many as a day's.
        every = max(VERIFY_MINUTES, minutes // VERIFIES_MAX)
        for minute in range(1, minutes + 1):
            self.schedule.run_until(minute * MINUTE_MS)
            if self.backend.is_alive and minute % every == 0:
                self._verify()
            self._each_minute(minute)
        self._stop_faults()
        self._drain()
        self._judge()
        return Outcome(
            self.seed, self.trace.digest, self.schedule.now_ms, self.auditor.tally, self.worst
        )

    def close(self) -> None:
        """Close every file."""
        for till in self.tills.values():
            till.close()
        for hub in self.hubs:
            hub.close()
        self.backend.close()

    def _each_minute(self, minute: int) -> None:
        dice = self.dice
        self._break_lines(random.Random(f"{self.seed}/lines/{minute}"))
        self._fill_backend(random.Random(f"{self.seed}/busy/{minute}"))
        if dice.random() < 3 * self.worst.cut:
            self.cables.pull(dice.choice(TILLS))
        if dice.random() < self.worst.terminal_dies:
            dice.choice(self.hubs).die()
        if dice.random() < 0.15:
            self._wrong_clock(dice.choice(self.clocks))
        if dice.random() < 0.08:
            self.crowd.toggle_mandate(*self.enrolled.mandate)
        if dice.random() < 0.05:
            self._suspend(dice.choice(TILLS))
        if self._fleet.random() < 0.3:
            self._set(self._fleet.choice(TILLS))
        if self._owner.random() < 0.2:
            self.tills[VENDING].owner_looks()
        if minute > 5 and not self.revoked and dice.random() < 0.02:
            self._revoke(dice.choice(TILLS))

    def _sweep(self) -> None:
        """The backend's own task: codes whose time has passed expire."""
        if self.backend.is_alive:
            try:
                self.backend.expire()
            except PowerCut:
                self.backend_down()
        self.schedule.after(SWEEP_MS, self._sweep)

    def _break_lines(self, dice: random.Random) -> None:
        """A hub's line to the backend is cut for a while, or those of all hubs together."""
        if dice.random() < self.worst.outage:
            for hub in self.hubs if dice.random() < 0.5 else [dice.choice(self.hubs)]:
                self._cut_line(hub, dice.randint(1_000, 120_000))

    def _cut_line(self, hub: HubRoom, ms: int) -> None:
        def mend() -> None:
            self.trace.add(hub.name, "has its line mended")
            hub.line_is_cut = False

        if not hub.line_is_cut:
            self.trace.add(hub.name, "has its line cut")
            hub.line_is_cut = True
            self.schedule.after(ms, mend)

    def _fill_backend(self, dice: random.Random) -> None:
        """The backend has no room for a while."""

        def empty() -> None:
            self.backend.is_full = False

        if dice.random() < self.worst.busy and not self.backend.is_full:
            self.trace.add("backend", "is full")
            self.backend.is_full = True
            self.schedule.after(dice.randint(500, 30_000), empty)

    def _wrong_clock(self, clock: DriftingClock) -> None:
        clock.offset_ms = self.dice.randint(-self.worst.clock_ms_max, self.worst.clock_ms_max)

    def _suspend(self, tid: str) -> None:
        if tid not in self.revoked:
            back_ms = self.dice.randint(5_000, 60_000)
            self._change(tid, DeviceCommand.SUSPEND)
            self.schedule.after(back_ms, lambda: self._change(tid, DeviceCommand.RESUME))

    def _revoke(self, tid: str) -> None:
        self.revoked.add(tid)
        self._change(tid, DeviceCommand.REVOKE)

    def _change(self, tid: str, command: DeviceCommand) -> None:
        self.crowd.insist(ChangeDevice(tid=tid, command=command, actor="operator"))

    def _set(self, tid: str) -> None:
        if tid not in self.revoked:
            changes = {"idle_lock_s": self._fleet.randint(30, 3_600)}
            self.crowd.insist(ChangeSettings(tid=tid, changes=changes, by="operator"))

    def _begin_faults(self) -> None:
        for name in self.worst.__dataclass_fields__:
            setattr(self.faults, name, getattr(self.worst, name))
        for clock in self.clocks:
            self._wrong_clock(clock)

    def _stop_faults(self) -> None:
        self.trace.add("shop", "faults are over")
        self.faults.stop()
        self.offline.is_over = True
        for cashier in self.cashiers:
            cashier.is_at_work = False

    def _drain(self) -> None:
        end_ms = self.schedule.now_ms + DRAIN_MS_MAX
        while self.schedule.now_ms < end_ms:
            self.schedule.run_until(self.schedule.now_ms + MINUTE_MS // 2)
            if self.backend.is_alive and self._is_quiet():
                return
            # What one hub holds for a terminal waits there until that comes by.
            self.cables.cut_all()
        raise Broken(f"not drained: {self._open()}")

    def _is_quiet(self) -> bool:
        return not self._open() and all(_is_still(hub) for hub in self.hubs)

    def _open(self) -> list[str]:
        found = [f"{hub.name} is off" for hub in self.hubs if not hub.is_alive]
        found += [f"{hub.name} has {rows} rows" for hub in self.hubs if (rows := hub.rows_left())]
        for tid, till in self.tills.items():
            if tid in self.revoked:
                continue
            if not till.is_alive:
                found.append(f"{tid} is off")
                continue
            found += [f"{tid}: {one.payment_id} {one.state}" for one in till.agent.unknown_sales()]
            found += [f"{tid}: {one.payment_id} {one.state}" for one in till.accepted_sales()]
            found += [f"{tid}: {one.refund_id} {one.state}" for one in till._journal.open_refunds()]
            found += self._unsettled_settings(tid)
            found += [f"{tid}: receipt {one.kind}" for one in till._journal.queued_receipts()]
        return found

    def _unsettled_settings(self, tid: str) -> list[str]:
        """Every wish reaches its terminal in the end, and the backend hears what became of it."""
        row = TwinRepository(self.backend.reader).twin(tid)
        standing = Standing.UNREPORTED if row is None else standing_of(row)
        is_settled = standing in ENDED
        is_right = standing is not Standing.IN_FORCE or row is None or not drift_of(row)
        return [] if is_settled and is_right else [f"{tid}: settings {standing}"]

    def _judge(self) -> None:
        self._verify()
        self.auditor.judge(
            payers={
                payer_id: balance_minor * self._days
                for payer_id, balance_minor in zip(self.enrolled.routes, _ALL_BALANCES, strict=True)
            },
            merchant_id=MERCHANT,
            tills={tid: till.path for tid, till in self.tills.items()},
            lost=self.revoked,
            overflow=sum(hub.overflow() for hub in self.hubs),
        )
        for tid, till in self.tills.items():
            self.auditor.judge_goods(tid, till.path, till.dispensed, is_lost=tid in self.revoked)

    def _verify(self) -> None:
        report = self.backend.verify()
        if not report.is_whole:
            raise Broken(f"the ledger is broken: {report.breaks}")

    # --- below: the building

    def _stream(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}/{name}")

    def _clock(self) -> DriftingClock:
        clock = DriftingClock(self.schedule, self.start_ms)
        self.clocks.append(clock)
        return clock

    def _backend(self, template: Path) -> BackendRoom:
        return BackendRoom(
            self._directory,
            template=template,
            clock=self._clock(),
            key=generate(self._suite),
            rules=PaymentRules(
                code_master_key=self._master_key, risk=RiskRules(velocity_count_max=20)
            ),
            dice=self._stream("backend"),
            faults=self.faults,
        )

    def _enrol(self) -> Enrolment:
        enrolled = Enrolment(self.backend, SeededEntropy(self._stream("ids")), self.start_ms)
        enrolled.devices(self.hub_keys, self.keys)
        enrolled.payers(_ALL_BALANCES, top_ups=self._days)
        return enrolled

    def _crowd(self) -> Crowd:
        payers = [
            Payer(payer_id, route, self._master_key, DriftingClock(self.schedule, self.start_ms))
            for payer_id, route in list(self.enrolled.routes.items())[: len(BALANCES)]
        ]
        return Crowd(
            payers,
            schedule=self.schedule,
            trace=self.trace,
            dice=self._stream("crowd"),
            backend=self.backend,
            backend_down=self.backend_down,
        )

    def _offline(self) -> OfflinePayers:
        names = list(self.enrolled.routes)[len(BALANCES) :]
        return OfflinePayers(
            {payer_id: self.enrolled.keys[payer_id] for payer_id in names},
            backend=self.backend,
            backend_down=self.backend_down,
            schedule=self.schedule,
            trace=self.trace,
            clock=DriftingClock(self.schedule, self.start_ms),
            dice=self._stream("offline"),
        )

    def _hub(self, name: str) -> HubRoom:
        return HubRoom(
            self._directory,
            name=name,
            store=STORE,
            schedule=self.schedule,
            trace=self.trace,
            clock=self._clock(),
            dice=self._stream(name),
            faults=self.faults,
            key=self.hub_keys[name],
            backend=self.backend,
            backend_down=self.backend_down,
            terminals=self.cables,
            auditor=self.auditor,
        )

    def _till(self, tid: str) -> TillRoom:
        return TillRoom(
            self._directory,
            profile=profile_of(tid, self.enrolled.mandate[1], hub_count=len(self.hub_keys)),
            key=self.keys[tid],
            trust=Trust(
                tid=tid,
                store=STORE,
                backend=[self.backend.key.public],
                hubs=[key.public for key in self.hub_keys.values()],
            ),
            schedule=self.schedule,
            trace=self.trace,
            clock=self._clock(),
            dice=self._stream(tid),
            faults=self.faults,
            cables=self.cables,
            auditor=self.auditor,
            run=self.backend.run,
            next_code=self.crowd.next_code,
            next_token=self.offline.next_token,
        )


def _is_still(hub: HubRoom) -> bool:
    core = hub.hub.core
    is_empty = core.forwarding.rows == 0 and core.delivery.parcels == 0
    return hub.is_alive and is_empty and hub.rows_left() == 0
