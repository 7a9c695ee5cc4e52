"""Cashiers and payers: what people do, drawn from the seed."""

import random
from dataclasses import dataclass, field
from functools import partial

from backend.db.command import Command
from backend.mandates.model import MandateCommand, Side
from backend.mandates.service import ChangeMandate
from backend.payments.confirm import ConfirmByPayer, ScanPayment
from protocol.errors import CallerError, OperatingError
from protocol.ids import mint
from protocol.paycode import COUNTERS_PER_STEP, STEP_MS, make_code, wallet_secret
from terminal.domain.sale import SaleState
from terminal.inputs import (
    Cancel,
    CashierInput,
    ChooseMethod,
    Dismiss,
    Query,
    Reprint,
    Reverse,
    StartRefund,
    StartSale,
)
from tests.simulation.backend_room import BackendRoom
from tests.simulation.events import DriftingClock, PowerCut, Schedule, SeededEntropy, Trace
from tests.simulation.till_room import TillRoom

CURRENCY = "CNY"
PHONE_TRIES_MAX = 40
DAY_MS, OPEN_MS = 24 * 3_600_000, 10 * 3_600_000
"""A shop is open for the first ten hours of each day of a run; what is under way still ends."""
NIGHT_LOOK_MS = 60_000


@dataclass
class Payer:
    """A person with a phone."""

    payer_id: str
    route: int
    master_key: bytes = field(repr=False)
    clock: DriftingClock
    codes: dict[int, int] = field(default_factory=dict)
    last_code: str | None = None

    def code(self) -> str | None:
        """The next pay code; None when this half minute's four were shown."""
        at_ms = self.clock.now_ms()
        counter = self.codes.get(at_ms // STEP_MS, 0)
        if counter >= COUNTERS_PER_STEP:
            return None
        self.codes[at_ms // STEP_MS] = counter + 1
        secret = wallet_secret(self.master_key, self.route)
        self.last_code = make_code(secret, route=self.route, at_ms=at_ms, counter=counter)
        return self.last_code


class Crowd:
    """All payers: they hold codes before scanners, and scan the tills' codes."""

    def __init__(
        self,
        payers: list[Payer],
        *,
        schedule: Schedule,
        trace: Trace,
        dice: random.Random,
        backend: BackendRoom,
        backend_down: "BackendDown",
    ) -> None:
        self.payers = payers
        self._schedule, self._trace, self._dice = schedule, trace, dice
        self._backend, self._backend_down = backend, backend_down
        self._entropy = SeededEntropy(dice)
        self._scanned: set[str] = set()

    def next_code(self) -> str | None:
        """What somebody holds before a scanner: mostly a fresh code."""
        payer = self._dice.choice(self.payers)
        chance = self._dice.random()
        if chance < 0.04:
            return None
        if chance < 0.08:
            return "1" + str(self._dice.randrange(10**17)).zfill(17)
        if chance < 0.14 and payer.last_code is not None:
            return payer.last_code
        return payer.code()

    def sees(self, payment_id: str) -> None:
        """A till shows a code. Somebody may pay it, or several may try."""
        if payment_id in self._scanned:
            return
        self._scanned.add(payment_id)
        for _ in range(self._dice.choice((0, 1, 1, 1, 1, 2))):
            payer = self._dice.choice(self.payers)
            attempt_id = mint(
                "att", time_ms=payer.clock.now_ms(), random_bytes=self._entropy.token_bytes(10)
            )
            wait_ms = self._dice.randint(500, 40_000)
            self._pay_later(payer, payment_id, attempt_id, wait_ms, PHONE_TRIES_MAX)

    def _pay_later(
        self, payer: Payer, payment_id: str, attempt_id: str, wait_ms: int, tries: int
    ) -> None:
        def pay() -> None:
            if not self._pay(payer, payment_id, attempt_id) and tries > 1:
                again_ms = self._dice.randint(500, 5_000)
                self._pay_later(payer, payment_id, attempt_id, again_ms, tries - 1)

        self._schedule.after(wait_ms, pay)

    def _pay(self, payer: Payer, payment_id: str, attempt_id: str) -> bool:
        """Whether the phone got its answer. If not, it tries again with the same attempt."""
        rules = self._backend.rules
        if not self._backend.is_alive:
            return False
        try:
            self._backend.do(
                ScanPayment(payment_id=payment_id, payer_id=payer.payer_id, rules=rules)
            )
            confirm = ConfirmByPayer(
                payment_id=payment_id,
                attempt_id=attempt_id,
                payer_id=payer.payer_id,
                is_pin_verified=True,
                rules=rules,
            )
            _, body = self._backend.do(confirm)
        except CallerError as refused:
            self._trace.add(payer.payer_id, f"cannot pay {payment_id}: {refused.code}")
            return True
        except OperatingError:
            return False
        except PowerCut:
            self._backend_down()
            return False
        self._trace.add(payer.payer_id, f"confirms {payment_id}: {body['state']}")
        return self._dice.random() > 0.1

    def toggle_mandate(self, payer_id: str, mandate_id: str) -> None:
        """The payer suspends a mandate for a while."""
        for after_ms, command in ((0, MandateCommand.SUSPEND), (60_000, MandateCommand.RESUME)):
            change = ChangeMandate(
                side=Side.PAYER, party_id=payer_id, mandate_id=mandate_id, command=command
            )
            self._schedule.after(after_ms, partial(self.insist, change))

    def insist(self, command: Command) -> None:
        """Somebody's command, said again until the backend has answered."""
        if self._backend.is_alive:
            try:
                self._backend.do(command)
            except PowerCut:
                self._backend_down()
            except CallerError as refused:
                self._trace.add("operator", f"is refused: {refused.code}")
                return
            else:
                self._trace.add("operator", f"did {command}"[:160])
                return
        self._schedule.after(1_000, lambda: self.insist(command))


class BackendDown:
    """Kills the backend and has it start again."""

    def __init__(
        self, backend: BackendRoom, schedule: Schedule, trace: Trace, dice: random.Random
    ) -> None:
        self._backend, self._schedule, self._trace, self._dice = backend, schedule, trace, dice

    def __call__(self) -> None:
        self._trace.add("backend", "dies")
        self._backend.kill()
        self._schedule.after(self._dice.randint(100, 10_000), self._boot)

    def _boot(self) -> None:
        self._trace.add("backend", "boots")
        self._backend.boot()


class Cashier:
    """Looks at the screen and presses something, sometimes the wrong thing."""

    def __init__(
        self, till: TillRoom, crowd: Crowd, schedule: Schedule, dice: random.Random
    ) -> None:
        self._till, self._crowd, self._schedule, self._dice = till, crowd, schedule, dice
        self.is_at_work = True
        self._later()

    def _later(self) -> None:
        self._schedule.after(self._dice.randint(500, 12_000), self._look)

    def _look(self) -> None:
        if not self.is_at_work:
            return
        is_open = self._schedule.now_ms % DAY_MS < OPEN_MS
        wish = self._wish() if self._till.is_alive else None
        if wish is not None and (is_open or not isinstance(wish, StartSale | StartRefund)):
            self._till.feed(wish)
        if is_open:
            self._later()
        else:
            self._schedule.after(NIGHT_LOOK_MS, self._look)

    def _wish(self) -> CashierInput | None:
        screen = self._till.agent.screen()
        dice = self._dice.random()
        match screen.kind:
            case "keypad" | "offline" if screen.subject is None:
                return self._refund() if dice < 0.2 else self._sale()
            case "choosing":
                method = self._method()
                return ChooseMethod(method) if dice < 0.7 else Cancel()
            case "qr":
                if screen.subject is not None:
                    self._crowd.sees(screen.subject)
                return Cancel() if dice < 0.06 else None
            case "sending" | "waiting" | "scanning" | "verifying" | "offline" | "offline_scan":
                return Cancel() if dice < 0.06 else None
            case "unknown" | "reversing" | "closing":
                return self._of_unknown(dice)
            case "refund_sending" | "refund_unknown":
                return Query() if dice < 0.2 else Dismiss() if dice < 0.6 else None
            case _:
                return self._of_outcome(screen.subject, dice)

    def _of_unknown(self, dice: float) -> CashierInput | None:
        if dice < 0.15:
            return Query()
        if dice < 0.35:
            return Reverse()
        return Dismiss() if dice < 0.7 else None

    def _of_outcome(self, subject: str | None, dice: float) -> CashierInput:
        if dice < 0.05 and subject is not None:
            return Reprint(subject)
        if dice < 0.3:
            return self._sale()
        return Dismiss()

    def _sale(self) -> StartSale:
        profile = self._till.profile
        amount = self._dice.choice((1, 99, 250, 1_280, 3_999, 26_000, 150_000))
        method = self._method()
        if method == "mandate":
            amount = min(amount, 1_280)
        elif method == "offline_token":
            amount = min(amount, 3_999)
        item = profile.items[0].item if profile.items else None
        return StartSale(
            amount_minor=amount + self._dice.randrange(50),
            currency=CURRENCY,
            method=method,
            cashier="amy",
            item=item,
        )

    def _method(self) -> str:
        """Mostly one that can be begun now."""
        possible = self._till.methods()
        return self._dice.choice(possible if self._dice.random() < 0.9 else self._methods)

    @property
    def _methods(self) -> tuple[str, ...]:
        return self._till.profile.methods

    def _refund(self) -> CashierInput | None:
        paid = [sale for sale in self._till.agent.recent(20) if sale.state is SaleState.PAID]
        if not paid:
            return None
        sale = self._dice.choice(paid)
        amount = self._dice.choice(
            (None, 1, sale.amount_minor // 3 + 1, sale.amount_minor, sale.amount_minor + 1)
        )
        return StartRefund(payment_id=sale.payment_id, amount_minor=amount)
