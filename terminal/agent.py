"""The terminal's core: inputs in, effects out. No socket, thread or task; the clock is a port.

Rule 1: one turn is one transaction of the journal. Its effects are carried out after the commit,
        so an id and its bytes are on disk before they leave the terminal.
Rule 2: whoever drives the agent carries out every effect and ticks it when `due_ms` has come.
"""

from collections.abc import Collection
from typing import Any

from protocol.clock import Entropy
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.trust import Trust
from terminal.answer_flow import AnswerFlow
from terminal.collect_flow import CollectFlow
from terminal.courier import RESEND
from terminal.desk import UNDOING, Desk
from terminal.domain.mark import Mark
from terminal.domain.refund import Refund
from terminal.domain.sale import COLLECTING_STATES, DONE_STATES, LEAVABLE_STATES, Sale, SaleState
from terminal.domain.screen import Screen, Surroundings, screen_of
from terminal.effects import Effect, PrintReceipt
from terminal.fingerprint_flow import LOOK, FingerprintFlow
from terminal.inputs import (
    AnswerArrived,
    BoardStep,
    Cancel,
    ChooseMethod,
    CodeScanned,
    ConfirmItem,
    Dismiss,
    FingerMatched,
    FingerRefused,
    HubStateArrived,
    Input,
    ItemFailed,
    ItemGiven,
    ItselfRead,
    LinkDown,
    LinkRefused,
    LinkUp,
    MarkOutcome,
    MarkRefund,
    PrintStored,
    Query,
    ReceiptFailed,
    ReceiptPrinted,
    Reprint,
    Reverse,
    ScanFailed,
    SettingsTried,
    StartRefund,
    StartSale,
    Tick,
    TypeCode,
    Undelivered,
)
from terminal.journal.store import Journal
from terminal.mark_flow import MarkFlow
from terminal.offline_flow import OfflineFlow
from terminal.profile import Profile
from terminal.refund_flow import REFUND_LOST, REFUND_QUERY, RefundFlow
from terminal.sale_flow import SaleFlow
from terminal.timing import TerminalClock
from terminal.upkeep import UPKEEP, Upkeep

_SENT_ONCE = ("payment.create", "device.")


class Agent:
    """One terminal. Feed it inputs; carry out the effects it returns, in order."""

    def __init__(
        self,
        *,
        profile: Profile,
        key: SigningKey | VerifyKey,
        trust: Trust,
        journal: Journal,
        clock: TerminalClock,
        entropy: Entropy,
        has_reader: bool = False,
        has_board: bool = False,
    ) -> None:
        """``has_reader``: whoever drives it can carry out ``ReadItself``. With a ``VerifyKey``
        whoever drives it signs what it transmits."""
        self._desk = Desk(profile=profile, key=key, journal=journal, clock=clock, entropy=entropy)
        self._journal = journal
        self._sales = SaleFlow(self._desk)
        self._offline = OfflineFlow(self._desk, trust)
        self._collect = CollectFlow(self._desk, self._sales, self._offline)
        self._refunds = RefundFlow(self._desk)
        self._marks = MarkFlow(self._desk)
        self._upkeep = Upkeep(self._desk, has_board=has_board)
        self._answers = AnswerFlow(
            self._desk, trust, self._sales, self._refunds, self._upkeep, self._offline
        )
        self._itself = FingerprintFlow(self._desk) if has_reader else None
        self.printer_error: str | None = None
        self.refused_answers = self._answers.refused
        self.settled = self._desk.settled

    @property
    def profile(self) -> Profile:
        """Who this terminal is."""
        return self._desk.profile

    @property
    def boot_epoch(self) -> int:
        """The number of this start; every later one has a higher."""
        return self._journal.boot_epoch

    @property
    def is_link_up(self) -> bool:
        """Whether requests can leave this terminal."""
        return self._desk.courier.is_link_up

    @property
    def clock_ahead_ms(self) -> int | None:
        """How far our clock is before the backend's; None until an answer told."""
        return self._desk.clock_ahead_ms

    @property
    def is_hub_online(self) -> bool:
        """What the hub last said of its own line to the backend."""
        return self._desk.is_hub_online

    def due_ms(self) -> int | None:
        """When to feed the next `Tick`, on the clock's ticks."""
        return self._desk.timers.next_ms()

    def start(self) -> list[Effect]:
        """Recover from the journal: open sales become unknown, unprinted receipts are printed."""
        with self._journal.transaction():
            self._upkeep.recover()
            queued = self._journal.queued_receipts()
            self._journal.free_draft()
            self._sales.recover()
            self._sales.items.recover()
            self._refunds.recover()
            for row in queued:
                facts = {**row.facts, "is_recovered": True}
                self._desk.effects.append(PrintReceipt(row.receipt_id, facts))
        return self._desk.take_effects()

    def feed(self, event: Input) -> list[Effect]:
        """One turn. ``CallerError`` for a cashier's command that is not possible now."""
        try:
            with self._journal.transaction():
                self._dispatch(event)
        except BaseException:
            self._desk.take_effects()
            raise
        return self._desk.take_effects()

    def current(self) -> Sale | Refund | None:
        """What is on the screen."""
        subject = self._desk.current
        if subject is None:
            return None
        held = self._collect.sale
        if held is not None and held.payment_id == subject:
            return held
        return self._journal.sale(subject) or self._journal.refund(subject)

    def screen(self) -> Screen:
        """What stands on the screen now."""
        shown = self.current()
        subject = self._desk.current
        return screen_of(
            shown,
            Surroundings(
                currency=self.profile.currency,
                methods=self._offline.methods(),
                is_link_up=self.is_link_up,
                link_trouble=self._desk.link_trouble,
                is_hub_online=self._desk.is_hub_online,
                is_sent=subject is not None and self.is_sent(subject),
                undo_waits_for=self._desk.undo_waits_for(shown),
                printer_error=self.printer_error,
                open_sales=tuple(self._journal.open_sales()),
                items_unsettled=len(self._journal.unsettled_items()),
            ),
        )

    def is_sent(self, subject: str) -> bool:
        """Whether any envelope about this payment or refund may have been accepted."""
        return any(
            row is not None and row.is_in_doubt
            for row in (
                self._journal.latest_request(subject, "payment.create"),
                self._journal.latest_request(subject, "refund.create"),
            )
        )

    def recent(self, count: int) -> list[Sale]:
        """The latest sales of the journal, newest first."""
        return self._journal.recent_sales(count)

    def sale(self, payment_id: str) -> Sale | None:
        """One sale of the journal, or the one that is being collected."""
        held = self._collect.sale
        if held is not None and held.payment_id == payment_id:
            return held
        return self._journal.sale(payment_id)

    def find(self, text: str, count: int) -> list[Sale]:
        """Sales whose number ends with a text, newest first."""
        return self._journal.find_sales(text, count)

    def goods_of(self, payment_id: str) -> list[dict[str, Any]]:
        """What was in the cart of a payment."""
        return self._journal.sold_lines(payment_id)

    def refunds_of(self, payment_id: str) -> list[Refund]:
        """The refunds of a payment, oldest first."""
        return self._journal.refunds_of(payment_id)

    def refund_left_minor(self, sale: Sale) -> int:
        """How much of a sale may still be refunded."""
        return self._refunds.left_minor(sale) if sale.state is SaleState.PAID else 0

    def refund(self, refund_id: str) -> Refund | None:
        """One refund of the journal."""
        return self._journal.refund(refund_id)

    def last_receipt_id(self, subject: str) -> int:
        """The last one of a payment, a refund or a shift; ``payment_not_found`` for none."""
        return self._journal.last_receipt(subject).receipt_id

    def mark_of(self, subject: str) -> Mark | None:
        """What a supervisor took the outcome of a payment or refund for."""
        return self._marks.of(subject)

    def unsettled_items(self) -> list[Sale]:
        """Sales whose goods the owner must look after (`item_flow`), oldest first."""
        return self._journal.unsettled_items()

    def unknown_sales(self) -> list[Sale]:
        """Sales whose outcome is still to come, oldest first."""
        return self._journal.open_sales()

    def _dispatch(self, event: Input) -> None:  # noqa: C901  # one row per input
        match event:
            case StartSale():
                self._start_sale(event)
            case ChooseMethod(method):
                self._collect.choose(method)
            case Cancel():
                self._cancel()
            case Query(payment_id):
                self._query(payment_id)
            case Reverse(payment_id):
                self._sales.reverse(self._sale_of(payment_id))
            case ConfirmItem(payment_id):
                self._sales.items.confirm(self._sale_of(payment_id))
            case MarkOutcome():
                self._marks.mark(event)
            case MarkRefund():
                self._marks.mark_refund(event)
            case StartRefund():
                self._leave(DONE_STATES)
                self._refunds.start(event)
            case Dismiss():
                is_put_off = self._desk.undo_waits_for(self.current()) is not None
                self._leave(LEAVABLE_STATES.union(UNDOING if is_put_off else ()))
            case Reprint(subject):
                self._reprint(subject)
            case PrintStored(receipt_id):
                self._print_stored(receipt_id)
            case TypeCode(code):
                self._collect.code_typed(code)
            case AnswerArrived(data):
                self._answers.take(data)
            case Tick():
                self._tick()
            case LinkUp():
                self._link_up()
            case LinkDown():
                self._desk.courier.is_link_up = False
            case LinkRefused(code):
                self._desk.link_trouble = code
            case HubStateArrived(data):
                self._answers.take_hub_state(data)
            case Undelivered(request_id):
                self._undelivered(request_id)
            case _:
                self._device(event)

    def _device(self, event: Input) -> None:
        match event:
            case CodeScanned(payment_id, code):
                self._collect.code_scanned(payment_id, code)
            case ScanFailed(payment_id, code):
                self._collect.scan_failed(payment_id, code)
            case FingerMatched(payment_id, score, slot):
                self._collect.finger_matched(payment_id, score, slot)
            case FingerRefused(payment_id, code):
                self._collect.finger_refused(payment_id, code)
            case ItemGiven(payment_id):
                self._sales.items.on_word(payment_id, None)
            case ItemFailed(payment_id, code):
                self._sales.items.on_word(payment_id, code)
            case ItselfRead(attrs):
                if self._itself is not None:
                    self._itself.take(attrs)
            case SettingsTried() | BoardStep():
                self._upkeep.take(event)
            case ReceiptPrinted(receipt_id):
                self.printer_error = None
                self._journal.set_receipt_state(receipt_id, "printed")
            case ReceiptFailed(receipt_id, code):
                self.printer_error = code
                self._journal.set_receipt_state(receipt_id, "failed", code)

    # The cashier

    def _sale_of(self, payment_id: str | None) -> Sale:
        found = self.current() if payment_id is None else self._journal.sale(payment_id)
        if not isinstance(found, Sale):
            raise CallerError("payment_not_found")
        return found

    def _cancel(self) -> None:
        sale = self._sale_of(None)
        if sale.state in COLLECTING_STATES:
            self._collect.cancel()
        else:
            self._sales.cancel(sale)

    def _query(self, payment_id: str | None) -> None:
        shown = self.current() if payment_id is None else self._journal.sale(payment_id)
        if isinstance(shown, Refund):
            self._refunds.query_now(shown)
        else:
            self._sales.query_now(self._sale_of(payment_id))

    def _start_sale(self, wish: StartSale) -> None:
        if wish.draft_id is not None and self._journal.is_draft_spent(wish.draft_id):
            return
        self._leave(DONE_STATES)
        if not self._sales.items.goes_on_with(wish.item):
            self._collect.start(wish)

    def _leave(self, states: Collection[SaleState]) -> None:
        """Take the sale off the screen; its state must be one of these."""
        shown = self.current()
        if isinstance(shown, Sale) and shown.state not in states:
            raise CallerError("payment_state", f"{shown.state} is on the screen")
        self._desk.current = None

    def _reprint(self, subject: str) -> None:
        last = self._journal.last_receipt(subject)
        self._desk.effects.append(PrintReceipt(last.receipt_id, {**last.facts, "is_copy": True}))

    def _print_stored(self, receipt_id: int) -> None:
        stored = self._journal.receipt(receipt_id)
        if stored is not None and stored.state == "queued":
            self._desk.effects.append(PrintReceipt(stored.receipt_id, stored.facts))

    # Time and the link

    def _tick(self) -> None:
        for kind, subject in self._desk.timers.take_due(self._desk.clock.ticks_ms()):
            if kind == RESEND:
                self._resend(subject)
            elif kind == LOOK:
                self._look()
            elif kind in UPKEEP:
                self._upkeep.on_timer(kind)
            elif kind in {REFUND_LOST, REFUND_QUERY}:
                self._refunds.on_timer(kind, subject)
            else:
                self._sales.on_timer(kind, subject)

    def _resend(self, request_id: str) -> None:
        row = self._journal.request(request_id)
        if row is not None and row.message_type.startswith("payment."):
            self._sales.resend(row)
        elif row is not None:
            self._refunds.resend(row)

    def _undelivered(self, request_id: str) -> None:
        """The link lost an envelope. It may still have arrived: the request goes again by its
        own timers, and an unanswered create is queried."""
        row = self._journal.request(request_id)
        if row is not None and not row.message_type.startswith(_SENT_ONCE):
            self._desk.courier.resend_later(row)

    def _look(self) -> None:
        if self._itself is not None:
            self._itself.look()

    def _link_up(self) -> None:
        self._desk.link_came_up()
        self._upkeep.on_link_up()
        self._look()
        self._sales.on_link_up()
        self._refunds.on_link_up()
