"""Card payments at the PIN pad: asked once, recorded as the pad says, never sent to the hub.

Rule 1: the ask is in the database before the pad hears of it; what is still asked for when the
        program starts is unknown.
Rule 2: one ask at a time, and each of the caller's numbers (a draft's, a refund's) is asked for
        once: the same again gives the same sale or refund. Nothing is repeated by itself, because
        the pad would move the money again.
Rule 3: an unknown is left by nobody; a supervisor's mark stands beside it (`domain.mark`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import structlog

from protocol.errors import CallerError, OperatingError, TillwayError
from protocol.money import positive
from terminal.counter.card_store import CardStore
from terminal.counter.shifts import ShiftDesk, Slip
from terminal.domain.card_sale import CardKind, CardSale, CardState, CardStep
from terminal.domain.mark import Mark, MarkedAs, check_reason
from terminal.journal.marks import Marks
from terminal.journal.store import Journal
from terminal.limits import CARD_WAIT_S
from terminal.ports import CardPinPad
from terminal.profile import Profile
from terminal.timing import TerminalClock

log = structlog.get_logger("terminal")
_STEPS = {
    "approved": CardStep.APPROVE,
    "declined": CardStep.DECLINE,
    "unknown": CardStep.LOSE_CONTACT,
}
_PRINTED = frozenset({CardState.APPROVED, CardState.UNKNOWN})


class CardDesk:
    """The card sales of one terminal (or of its training)."""

    def __init__(
        self, journal: Journal, profile: Callable[[], Profile], clock: TerminalClock, *,
        shifts: ShiftDesk, pinpad: CardPinPad | None,
        print_slip: Callable[[Slip], Awaitable[object]], show: Callable[[CardSale], None],
    ) -> None:  # fmt: skip
        """``show`` hears of each that is asked for, and of its end."""
        self._journal = journal
        self._profile = profile
        self._clock = clock
        self._shifts = shifts
        self._pinpad = pinpad
        self._print_slip = print_slip
        self._show = show
        self._marks = Marks(journal.database)
        self._asking: asyncio.Task[None] | None = None
        self.store = CardStore(journal.database)

    @property
    def has_pinpad(self) -> bool:
        """Whether cards are taken here."""
        return self._pinpad is not None

    def recover(self) -> None:
        """After a restart: what was being asked is unknown; its slip waits to be printed."""
        with self._journal.transaction():
            for sale in self.store.in_state(CardState.ASKING):
                self._end(sale, CardStep.RESTART, error_code="device_no_reply")

    async def aclose(self) -> None:
        """Let go of the pad; what it has not answered is found by `recover`."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking

    def sell(self, *, draft_id: str, amount_minor: int, note: str, by_name: str) -> CardSale:
        """Ask the pad for a draft's amount; ``busy`` while it is asked for another."""
        positive(amount_minor, self._profile().currency)
        if amount_minor > self._profile().amount_minor_max:
            raise CallerError("amount_invalid")
        before = self.store.of_number(draft_id)
        if before is not None:
            if (before.kind, before.amount_minor) != (CardKind.SALE, amount_minor):
                raise CallerError("idempotency_conflict")
            return before
        pinpad = self._free_pad()
        with self._journal.transaction():
            sale = self._added(
                CardKind.SALE, amount_minor, note=note, by_name=by_name, number=draft_id
            )
            self._journal.spend_draft(draft_id, sale.subject)
        self._ask(sale, pinpad)
        return sale

    def give_back(
        self, card_id: int, *, refund_id: str, amount_minor: int | None, reason: str, by_name: str,
        approved_by: str | None,
    ) -> CardSale:  # fmt: skip
        """Ask the pad to give back, never more than is left of the sale, and once for each of the
        caller's numbers."""
        before = self.store.of_number(refund_id)
        if before is not None:
            if before.refund_of != card_id or amount_minor not in (None, before.amount_minor):
                raise CallerError("idempotency_conflict")
            return before
        pinpad = self._free_pad()
        with self._journal.transaction():
            left = self.one(card_id).left_minor
            amount = left if amount_minor is None else amount_minor
            if not 0 < amount <= left:
                raise CallerError("refund_exceeds")
            back = self._added(
                CardKind.REFUND, amount, note=reason, by_name=by_name, approved_by=approved_by,
                refund_of=card_id, number=refund_id,
            )  # fmt: skip
        self._ask(back, pinpad)
        return back

    def mark(self, card_id: int, marked_as: MarkedAs, *, reason: str, by_name: str) -> CardSale:
        """What a supervisor takes an unknown one for."""
        with self._journal.transaction():
            moved, event = self.one(card_id).move(CardStep.MARK)
            self._marks.add(
                Mark(
                    subject=moved.subject,
                    marked_as=marked_as,
                    reason=check_reason(reason),
                    by_name=by_name,
                    at_ms=self._clock.now_ms(),
                    amount_minor=moved.amount_minor,
                )
            )
        log.info("card_moved", card_id=card_id, what=event, marked_as=marked_as.value)
        return moved

    def mark_of(self, sale: CardSale) -> Mark | None:
        """The latest mark."""
        return self._marks.of(sale.subject)

    def one(self, card_id: int) -> CardSale:
        """One of them; ``card_sale_not_found`` else."""
        found = self.store.one(card_id)
        if found is None:
            raise CallerError("card_sale_not_found")
        return found

    async def ended(self, card_id: int, wait_s: float) -> CardSale:
        """The card sale once the pad has answered, or as it is after ``wait_s``."""
        if self._asking is not None and self.one(card_id).state is CardState.ASKING:
            await asyncio.wait({self._asking}, timeout=wait_s)
        return self.one(card_id)

    def _free_pad(self) -> CardPinPad:
        if self._pinpad is None:
            raise OperatingError("device_disconnected", "no PIN pad")
        if self.store.asking() is not None:
            raise OperatingError("busy", "the PIN pad is asked already")
        return self._pinpad

    def _added(
        self, kind: CardKind, amount_minor: int, *, note: str, by_name: str,
        number: str, approved_by: str | None = None, refund_of: int | None = None,
    ) -> CardSale:  # fmt: skip
        sale = CardSale(
            card_id=0, shift_id=self._shifts.current().shift_id, kind=kind,
            amount_minor=amount_minor, currency=self._profile().currency, note=note,
            by_name=by_name,
            at_ms=self._clock.now_ms(), approved_by=approved_by, refund_of=refund_of,
        )  # fmt: skip
        return replace(sale, card_id=self.store.add(sale, number))

    def _ask(self, sale: CardSale, pinpad: CardPinPad) -> None:
        self._show(sale)
        asking = self._settle(sale, pinpad)
        self._asking = asyncio.get_running_loop().create_task(asking, name="terminal-card")

    async def _settle(self, sale: CardSale, pinpad: CardPinPad) -> None:
        ask = pinpad.pay if sale.kind is CardKind.SALE else pinpad.refund
        try:
            said = await ask(sale.amount_minor, sale.currency, timeout_s=CARD_WAIT_S)
        except TillwayError as failed:
            step, sale = CardStep.FAIL, replace(sale, error_code=failed.code)
        except Exception:  # outermost of its task: the pad may have been asked
            log.exception("card_ask_broken", card_id=sale.card_id)
            step, sale = CardStep.LOSE_CONTACT, replace(sale, error_code="internal")
        else:
            step = _STEPS[said.result]
            sale = replace(
                sale, card=said.card, reference=said.reference, error_code=said.why or None
            )
        with self._journal.transaction():
            slip = self._end(sale, step)
        self._show(self.one(sale.card_id))
        if slip is not None:
            with suppress(OperatingError):  # it stays queued, and is printed at the next start
                await self._print_slip(slip)

    def _end(self, sale: CardSale, step: CardStep, error_code: str | None = None) -> Slip | None:
        moved, event = sale.move(step)
        code = error_code or sale.error_code
        moved = replace(moved, ended_at_ms=self._clock.now_ms(), error_code=code)
        self.store.save(moved)
        log.info("card_moved", card_id=moved.card_id, what=event, state=moved.state, code=code)
        return self._shifts.card_slip(moved) if moved.state in _PRINTED else None
