"""One terminal: the real agent on its journal, dummy devices, and the power that may go."""

import random
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from protocol import envelope
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError, OperatingError
from protocol.messages.offline import OFFLINE_TOKEN
from protocol.trust import Trust
from terminal.adapters.dummy import DummyFingerprintSensor, DummyPrinter, DummyScanner
from terminal.agent import Agent
from terminal.domain.delivery import Delivery
from terminal.domain.sale import Sale, SaleState
from terminal.effects import (
    DispenseItem,
    Effect,
    PrintReceipt,
    ReadFinger,
    ScanCode,
    StopDevices,
    Transmit,
    TryOtherHub,
    TrySettings,
)
from terminal.inputs import (
    AnswerArrived,
    CodeScanned,
    ConfirmItem,
    FingerMatched,
    FingerRefused,
    Input,
    ItemFailed,
    ItemGiven,
    ReceiptFailed,
    ReceiptPrinted,
    Reverse,
    ScanFailed,
    SettingsTried,
    Tick,
)
from terminal.journal.store import Journal
from terminal.profile import Profile
from terminal.slip import receipt_bytes
from tests.simulation.auditor import Auditor, Broken
from tests.simulation.cables import Cables
from tests.simulation.events import DriftingClock, Fuse, PowerCut, Schedule, SeededEntropy, Trace
from tests.simulation.faults import Faults

FINGER = "a customer"
PATIENCE_MS = 125_000
"""Two minutes, and a moment for the motor: after that nobody stands before the terminal."""
_NOTE_CHANGES = """
CREATE TEMP TABLE changed_sales (payment_id TEXT);
INSERT INTO changed_sales SELECT payment_id FROM sales;
CREATE TEMP TRIGGER note_new_sale AFTER INSERT ON main.sales BEGIN
  INSERT INTO changed_sales VALUES (new.payment_id);
END;
CREATE TEMP TRIGGER note_changed_sale AFTER UPDATE ON main.sales BEGIN
  INSERT INTO changed_sales VALUES (new.payment_id);
END;
"""


class TillRoom:
    """A terminal that may die between any two of its effects."""

    def __init__(
        self,
        directory: Path,
        *,
        profile: Profile,
        key: SigningKey,
        trust: Trust,
        schedule: Schedule,
        trace: Trace,
        clock: DriftingClock,
        dice: random.Random,
        faults: Faults,
        cables: Cables,
        auditor: Auditor,
        run: Callable[[Coroutine[Any, Any, Any]], Any],
        next_code: Callable[[], str | None],
        next_token: Callable[[str], str | None],
    ) -> None:
        self.profile, self.key, self.clock = profile, key, clock
        self.tid = profile.tid
        self.path = directory / f"{self.tid}.db"
        self.refused: Counter[str] = Counter()
        self.dispensed: Counter[str] = Counter()
        self._trust, self._schedule, self._trace = trust, schedule, trace
        self._dice, self._faults, self._cables, self._auditor = dice, faults, cables, auditor
        self._run, self._next_code, self._next_token = run, next_code, next_token
        self._asked: dict[str, tuple[int, int]] = {}
        self._entropy = SeededEntropy(dice)
        self._fuse = Fuse(self.tid, dice)
        self._armed_ms: int | None = None
        self._life = 0
        self._reading = 0
        self.is_alive = False
        self.printer = DummyPrinter()

    def boot(self) -> None:
        """Start on what is in the journal."""
        self._life += 1
        self._armed_ms = None
        self._trace.add(self.tid, "boots")
        self._journal = Journal(self.path, tid=self.tid, now_ms=self.clock.now_ms())
        self._journal._db.execute("PRAGMA synchronous = OFF")
        self._journal._db.executescript(_NOTE_CHANGES)
        self.scanner = DummyScanner()
        self.sensor = DummyFingerprintSensor({FINGER: 7})
        self.agent = Agent(
            profile=self.profile,
            key=self.key,
            trust=self._trust,
            journal=self._journal,
            clock=self.clock,
            entropy=self._entropy,
        )
        self.is_alive = True
        self._turn(self.agent.start)

    def close(self) -> None:
        """The end of the simulation."""
        self._life += 1
        if self.is_alive:
            self.is_alive = False
            self._journal.close()

    def feed(self, event: Input) -> None:
        """One turn of the agent and what follows from it."""
        if not self.is_alive:
            return
        payload = event.data if isinstance(event, AnswerArrived) else b""
        self._trace.add(self.tid, f"takes {type(event).__name__}{_subject(event)}", payload)
        self._turn(lambda: self.agent.feed(event))
        if isinstance(event, AnswerArrived):
            self._auditor.delivered(self.tid, payload)

    def _turn(self, work: Callable[[], list[Effect]]) -> None:
        try:
            effects = work()
        except CallerError as refused:
            self.refused[refused.code] += 1
            self._trace.add(self.tid, f"refuses: {refused.code} {refused.detail}")
            return
        self._look()
        self._fuse.light(self._faults.terminal_dies)
        try:
            for effect in effects:
                self._fuse.burn()
                self._carry_out(effect)
        except PowerCut:
            self._die()
            return
        self._arm()

    def _look(self) -> None:
        """Shows the auditor the screen, and the sales that changed since the last look."""
        rows = self._journal._db.execute(
            "SELECT DISTINCT payment_id, state, amount_minor"
            " FROM changed_sales JOIN sales USING (payment_id)"
            " WHERE state IN ('paid', 'declined', 'cancelled')"
        )
        self._auditor.looks_at(self.tid, self.agent, [tuple(row) for row in rows])
        self._journal._db.execute("DELETE FROM changed_sales")

    def _die(self) -> None:
        self._trace.add(self.tid, "dies")
        self.is_alive = False
        self._life += 1
        self._journal.close()

        def again() -> None:
            self.boot()
            self._cables.rebooted(self.tid)

        self._schedule.after(self._dice.randint(300, 20_000), again)

    # --- effects

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Transmit():
                if effect.message_type == "payment.create":
                    self._asks_money(effect.sealed)
                self._trace.add(self.tid, "sends", effect.sealed)
                self._cables.up(self.tid, effect)
            case TryOtherHub():
                self._cables.leave(self.tid)
            case ScanCode(payment_id, _):
                self._reading += 1
                self._soon(lambda: self._scan(payment_id), while_reading=True)
            case ReadFinger(payment_id, _):
                self._reading += 1
                self._soon(lambda: self._identify(payment_id), while_reading=True)
            case StopDevices():
                self._reading += 1
            case PrintReceipt():
                self._soon(lambda: self._print(effect))
            case DispenseItem(payment_id, _):
                self._soon(lambda: self._turn_motor(payment_id))
            case TrySettings(version, _):
                self._soon(lambda: self.feed(SettingsTried(version, None)))

    def _scan(self, payment_id: str) -> None:
        screen = self.agent.screen()
        token_of = screen.code_url if screen.kind == "offline_scan" else None
        code = self._next_code() if token_of is None else self._next_token(token_of)
        if code is None:
            self.feed(ScanFailed(payment_id, "scan_timeout"))
            return
        self.scanner.show(code)
        if token_of is None:
            self._auditor.shown(payment_id, code)
        self.feed(CodeScanned(payment_id, self._run(self.scanner.scan(1))))

    def _identify(self, payment_id: str) -> None:
        self.sensor.place(FINGER if self._dice.random() < 0.8 else "a stranger")
        match = self._run(self.sensor.identify(1))
        if match is None:
            self.feed(FingerRefused(payment_id, "biometric_mismatch"))
        else:
            self.feed(FingerMatched(payment_id, score=match.score, slot=match.slot))

    def _print(self, effect: PrintReceipt) -> None:
        self.printer.paper = "end" if self._dice.random() < self._faults.printer else "adequate"
        try:
            self._run(self.printer.print(receipt_bytes(effect.facts)))
        except OperatingError as failed:
            self.feed(ReceiptFailed(effect.receipt_id, failed.code))
        else:
            self.feed(ReceiptPrinted(effect.receipt_id))

    def _turn_motor(self, payment_id: str) -> None:
        """The item falls or does not; the machine says so a moment later, if it still can."""
        life, asked_at_ms = self._asked[payment_id]
        if life != self._life or self._schedule.now_ms - asked_at_ms > PATIENCE_MS:
            raise Broken(f"{self.tid} gives out what {payment_id} paid: nobody stands there")
        word: Input = ItemGiven(payment_id)
        does_fall = True
        if self._dice.random() < self._faults.motor:
            does_fall, word = False, ItemFailed(payment_id, "item_not_given")
        elif self._dice.random() < self._faults.motor:
            does_fall = self._dice.random() < 0.5
            word = ItemFailed(payment_id, "device_no_reply")
        if does_fall:
            self.dispensed[payment_id] += 1
            self._trace.add(self.tid, f"drops the item of {payment_id}")
        if self._dice.random() < 4 * self._faults.terminal_dies:
            self._die()
        else:
            self._soon(lambda: self.feed(word))

    def _asks_money(self, sealed: bytes) -> None:
        """Too late for anybody but who has signed a token, and has what was bought."""
        body = envelope.unseal(sealed).envelope.body
        if body["method"] == OFFLINE_TOKEN:
            return
        payment_id = body["payment_id"]
        _, asked_at_ms = self._asked.setdefault(payment_id, (self._life, self._schedule.now_ms))
        if self._schedule.now_ms - asked_at_ms > PATIENCE_MS:
            raise Broken(f"{self.tid} asks for the money of {payment_id}: the payer has gone")

    def methods(self) -> tuple[str, ...]:
        """The ways to pay that can be begun now."""
        return self.agent._offline.methods()

    def accepted_sales(self) -> list[Sale]:
        """What was taken offline, and nobody has said yet what became of it."""
        return [one for one in self._journal.open_sales() if one.state is SaleState.ACCEPTED]

    def owner_looks(self) -> None:
        """The owner, who knows what fell, settles what is uncertain."""
        for sale in self.agent.unsettled_items() if self.is_alive else ():
            if sale.delivery is Delivery.UNCERTAIN and self.is_alive:
                fell = self.dispensed[sale.payment_id]
                self.feed(ConfirmItem(sale.payment_id) if fell else Reverse(sale.payment_id))

    # --- time

    def _arm(self) -> None:
        due_ms = self.agent.due_ms()
        if due_ms is None or (self._armed_ms is not None and self._armed_ms <= due_ms):
            return
        at_ms = self._armed_ms = max(due_ms, self._schedule.now_ms + 1)
        life = self._life

        def tick() -> None:
            if life != self._life or self._armed_ms != at_ms:
                return
            self._armed_ms = None
            due_ms = self.agent.due_ms()
            if due_ms is not None and due_ms <= self._schedule.now_ms:
                self.feed(Tick())
            else:
                self._arm()

        self._schedule.after(at_ms - self._schedule.now_ms, tick)

    def _soon(self, work: Callable[[], None], *, while_reading: bool = False) -> None:
        life, reading = self._life, self._reading

        def later() -> None:
            if life == self._life and (not while_reading or reading == self._reading):
                work()

        self._schedule.after(self._dice.randint(50, 3_000), later)


def _subject(event: Input) -> str:
    subject = getattr(event, "payment_id", None) or getattr(event, "request_id", None)
    amount = getattr(event, "amount_minor", None)
    method = getattr(event, "method", None)
    return "".join(f" {part}" for part in (subject, method, amount) if part is not None)
