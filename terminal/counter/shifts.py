"""Opening and closing a shift, and cash between.

Rule 1: what moved and its slip are written in one transaction; the slip is printed after it.
Rule 2: a cash sale belongs to its draft: the same draft again gives the same sale.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from protocol.errors import CallerError
from protocol.money import AMOUNT_MINOR_MAX, positive
from terminal.counter.shift_slips import card_facts, movement_facts, report_facts
from terminal.counter.shift_store import ShiftStore
from terminal.domain.card_sale import CardSale, CardState
from terminal.domain.shift import CashKind, CashMovement, Report, Shift, check_close
from terminal.journal.store import Journal
from terminal.profile import Profile
from terminal.timing import TerminalClock

Slip = int
"""The number of a stored receipt that waits to be printed."""


class ShiftDesk:
    """The shifts of one terminal (or of its training)."""

    def __init__(
        self, journal: Journal, profile: Callable[[], Profile], clock: TerminalClock
    ) -> None:
        """``profile``: the one in force, which may change."""
        self._journal = journal
        self._profile = profile
        self._clock = clock
        self.store = ShiftStore(journal.database)

    def current(self) -> Shift:
        """The open shift; ``shift_needed`` without one."""
        found = self.store.open_shift()
        if found is None:
            raise CallerError("shift_needed")
        return found

    def open(self, *, by_name: str, float_minor: int) -> Shift:
        """Begin a shift with so much in the drawer."""
        _check_amount(float_minor)
        with self._journal.transaction():
            if self.store.open_shift() is not None:
                raise CallerError("shift_state", "a shift is open")
            return self.store.add_shift(
                at_ms=self._clock.now_ms(), by_name=by_name, float_minor=float_minor
            )

    def report(self) -> Report:
        """X: how the open shift stands."""
        return self._report(self.current())

    def print_x(self) -> Slip:
        """X on paper."""
        with self._journal.transaction():
            return self._slip("x", report_facts(self.report()))

    def close(
        self, *, by_name: str, counted_minor: int, reason: str, approved_by: str | None
    ) -> tuple[Report, Slip]:
        """Z: what was counted against what was expected; the shift is over."""
        _check_amount(counted_minor)
        with self._journal.transaction():
            shift = self.current()
            check_close(
                self._report(shift),
                counted_minor=counted_minor,
                reason=reason,
                is_approved=approved_by is not None,
            )
            closed = replace(
                shift,
                closed_at_ms=self._clock.now_ms(),
                closed_by=by_name,
                counted_minor=counted_minor,
                reason=reason.strip(),
                approved_by=approved_by,
            )
            self.store.save_closed(closed)
            report = self._report(closed)
            return report, self._slip("z", report_facts(report))

    def last_closed(self) -> Report | None:
        """Z of the shift before."""
        found = self.store.latest_closed()
        return None if found is None else self._report(found)

    def move(
        self, kind: CashKind, *, amount_minor: int, reason: str, by_name: str,
        approved_by: str | None,
    ) -> Slip:  # fmt: skip
        """Cash that is put in or taken out."""
        positive(amount_minor, self._profile().currency)
        with self._journal.transaction():
            shift = self.current()
            is_short = amount_minor > self._report(shift).expected_minor
            if kind is CashKind.PAY_OUT and is_short:
                raise CallerError("amount_invalid", "more than lies in the drawer")
            return self._moved(
                shift, kind, amount_minor, by_name, reason=reason, approved_by=approved_by
            )[1]

    def sell(
        self, *, draft_id: str, amount_minor: int, tendered_minor: int, note: str, by_name: str
    ) -> tuple[CashMovement, Slip | None]:
        """A cash sale, once for each draft; without a slip when it was sold before."""
        positive(amount_minor, self._profile().currency)
        _check_amount(tendered_minor)
        if amount_minor > self._profile().amount_minor_max:
            raise CallerError("amount_invalid")
        if tendered_minor < amount_minor:
            raise CallerError("cash_short")
        with self._journal.transaction():
            before = self.store.movement_of_number(draft_id)
            if before is not None:
                if (before.kind, before.amount_minor) != (CashKind.SALE, amount_minor):
                    raise CallerError("idempotency_conflict")
                return before, None
            subject = f"cash-{draft_id}"
            self._journal.spend_draft(draft_id, subject)
            return self._moved(
                self.current(), CashKind.SALE, amount_minor, by_name, reason=note,
                tendered_minor=tendered_minor, number=draft_id,
                items=self._journal.sold_lines(subject),
            )  # fmt: skip

    def give_back(
        self, movement_id: int, *, refund_id: str, amount_minor: int | None, reason: str,
        by_name: str, approved_by: str | None,
    ) -> tuple[CashMovement, Slip | None]:  # fmt: skip
        """Give cash back, never more than is left of the sale, once for each of the caller's
        numbers; without a slip when it was given before."""
        with self._journal.transaction():
            before = self.store.movement_of_number(refund_id)
            if before is not None:
                is_same = amount_minor in (None, before.amount_minor)
                if before.refund_of != movement_id or not is_same:
                    raise CallerError("idempotency_conflict")
                return before, None
            sale = self.cash_sale(movement_id)
            left = sale.amount_minor - sale.refunded_minor
            amount = left if amount_minor is None else amount_minor
            if not 0 < amount <= left:
                raise CallerError("refund_exceeds")
            return self._moved(
                self.current(), CashKind.REFUND, amount, by_name, reason=reason,
                approved_by=approved_by, refund_of=movement_id, number=refund_id,
            )  # fmt: skip

    def cash_sale(self, movement_id: int) -> CashMovement:
        """One cash sale; ``cash_not_found`` else."""
        found = self.store.movement(movement_id)
        if found is None or found.kind is not CashKind.SALE:
            raise CallerError("cash_not_found")
        return found

    def card_slip(self, sale: CardSale) -> Slip:
        """The slip of a card sale that has ended. The caller holds the transaction."""
        kind = "card_unknown" if sale.state is CardState.UNKNOWN else sale.kind.value
        items = self._journal.sold_lines(sale.subject)
        return self._slip(kind, card_facts(sale) | ({"items": items} if items else {}))

    def _report(self, shift: Shift) -> Report:
        return self.store.report(
            shift, now_ms=self._clock.now_ms(), currency=self._profile().currency
        )

    def _moved(
        self, shift: Shift, kind: CashKind, amount_minor: int, by_name: str, *, reason: str,
        approved_by: str | None = None, tendered_minor: int | None = None,
        number: str | None = None, refund_of: int | None = None,
        items: Sequence[Mapping[str, Any]] = (),
    ) -> tuple[CashMovement, Slip]:  # fmt: skip
        movement = CashMovement(
            movement_id=0, shift_id=shift.shift_id, kind=kind, amount_minor=amount_minor,
            currency=self._profile().currency, reason=reason, by_name=by_name,
            at_ms=self._clock.now_ms(), tendered_minor=tendered_minor, approved_by=approved_by,
            refund_of=refund_of,
        )  # fmt: skip
        movement = replace(movement, movement_id=self.store.add_movement(movement, number))
        facts = movement_facts(movement) | ({"items": list(items)} if items else {})
        return movement, self._slip(kind, facts)

    def _slip(self, kind: str, facts: Mapping[str, Any]) -> Slip:
        profile, now_ms = self._profile(), self._clock.now_ms()
        whole = {
            "merchant_zh": profile.merchant_zh,
            "merchant_en": profile.merchant_en,
            "till": profile.till,
            "device": profile.tid,
            **facts,
            "kind": kind,
            "at_ms": now_ms,
        }
        subject = str(facts["subject"])
        return self._journal.add_receipt(subject, kind, whole, now_ms)


def _check_amount(amount_minor: int) -> None:
    if not 0 <= amount_minor <= AMOUNT_MINOR_MAX:
        raise CallerError("amount_invalid")
