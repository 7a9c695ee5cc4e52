"""What the switch does with a transaction or a reversal: codes of field 39 out of the books.

Rule 1: a key (terminal, batch, STAN, local date) with the same content gets the first answer, with
        other content 94.
Rule 2: a reversal that comes before its original leaves a mark: the original is answered 22.
Rule 3: a void or reversal only before the day's settlement; refunds sum to the payment at most.
"""

from datetime import date

from backend.channels.iso8583.dates import resolve_day
from backend.channels.iso8583.messages import OF_AN_ORIGINAL, Kind, Transaction
from backend.channels.model import PayOrder, RefundOrder
from backend.sandbox.institution.faults import Faults
from backend.sandbox.institution.orders import OrderBook
from backend.sandbox.unionpay.holds import Holds
from backend.sandbox.unionpay.traces import Told, Traces
from protocol.errors import CallerError
from protocol.money import Money

APPROVED, DECLINED, INVALID, BAD_CARD = "00", "05", "12", "14"
REVERSED_BEFORE, NO_ORIGINAL, NO_FUNDS = "22", "25", "51"
WRONG_AMOUNT, REPEATED = "64", "94"
_CODES = {
    "": APPROVED,
    "AC01": BAD_CARD,
    "AM04": NO_FUNDS,
    "no such payment": NO_ORIGINAL,
    "above the payment": WRONG_AMOUNT,
}
_CURRENCY = "CNY"


class Desk:
    """Transactions and reversals over the order book and the holds."""

    def __init__(self, book: OrderBook, traces: Traces, holds: Holds, faults: Faults) -> None:
        self._book = book
        self._traces = traces
        self._holds = holds
        self._faults = faults

    def carry_out(self, said: Transaction, *, today: date, day: date) -> Told | str:
        """A transaction's row, or the code of a refusal that leaves no row."""
        local_day = resolve_day(said.trace.date, today)
        if local_day is None:
            return "30"
        trace = said.trace
        known = self._traces.find(trace.tid, trace.batch, trace.stan, local_day)
        if known is not None:
            return known if self._is_same(known, said) else REPEATED
        original = self._original(said, today)
        if said.kind in OF_AN_ORIGINAL and original is None:
            code: str = NO_ORIGINAL
        else:
            code = self._code(said, original, day)
        if code == REPEATED:
            return code
        number = None if original is None else original.rrn
        return self._traces.note(said, local_day, code=code, day=day, original=number)

    def reverse(self, said: Transaction, *, today: date, day: date) -> Told | str:
        """Undo a transaction, or mark it as undone before it comes."""
        local_day = resolve_day(said.trace.date, today)
        if local_day is None:
            return "30"
        trace = said.trace
        known = self._traces.find(trace.tid, trace.batch, trace.stan, local_day)
        if known is None:
            if self._traces.by_own_id(said.own_id) is not None:
                return REPEATED
            # An order without a trace: the switch was killed between the two. It is undone as well.
            if said.kind is Kind.SALE:
                self._book.reverse(said.own_id, day=day)
            told = self._traces.note(said, local_day, code=REVERSED_BEFORE, day=day, original=None)
            self._traces.mark_undone(told.rrn)
            return told
        if (known.own_id, known.amount_minor) != (said.own_id, said.amount_minor):
            return REPEATED
        if known.code != APPROVED or known.is_undone:
            return known
        code = self._undo(known, day)
        if code == APPROVED:
            self._traces.mark_undone(known.rrn)
            return known
        return code

    def _is_same(self, known: Told, said: Transaction) -> bool:
        if known.code == REVERSED_BEFORE:
            return known.own_id == said.own_id
        return (known.kind, known.own_id, known.amount_minor, known.token) == (
            said.kind, said.own_id, said.amount_minor, said.token
        )  # fmt: skip

    def _original(self, said: Transaction, today: date) -> Told | None:
        if said.original is None:
            return None
        local_day = resolve_day(said.original.date, today)
        if local_day is None:
            return None
        original = said.original
        if not original.batch and original.rrn.isdecimal():  # no terminal has sent it
            found = self._traces.by_rrn(int(original.rrn))
        else:
            found = self._traces.find(said.trace.tid, original.batch, original.stan, local_day)
        if found is None or found.code != APPROVED or found.is_undone:
            return None
        return found if original.rrn in {"", found.reference} else None

    def _code(self, said: Transaction, original: Told | None, day: date) -> str:
        match said.kind:
            case Kind.SALE:
                return self._sale(said, day)
            case Kind.PREAUTH:
                return self._holds.hold(said, day)
        assert original is not None
        match said.kind, original.kind:
            case Kind.VOID, Kind.SALE:
                return self._void(said, original, day)
            case Kind.REFUND, Kind.SALE:
                return self._refund(said, original, day)
            case Kind.PREAUTH_VOID, Kind.PREAUTH:
                return self._holds.release(said, original, day)
            case Kind.COMPLETION, Kind.PREAUTH:
                return self._holds.complete(said, original, day)
            case Kind.COMPLETION_VOID, Kind.COMPLETION:
                return self._holds.undo_completion(said, original, day)
        return INVALID

    def _sale(self, said: Transaction, day: date) -> str:
        order = PayOrder(said.own_id, said.token, Money(said.amount_minor, _CURRENCY))
        try:
            answer = self._book.pay(order, day=day, refuse=self._faults.strikes("refuse_order"))
        except CallerError:
            return REPEATED
        if answer.state == "reversed":
            return REVERSED_BEFORE
        if answer.state == "succeeded":
            for order_id in self._book.overcharge(order, self._faults, day=day):
                self._traces.note_stray(said, order_id, day=day)
        return _CODES.get(answer.reason, DECLINED)

    def _refund(self, said: Transaction, original: Told, day: date) -> str:
        amount = Money(said.amount_minor, _CURRENCY)
        asked = RefundOrder(said.own_id, original.own_id, amount)
        refuse = self._faults.strikes("refuse_refund")
        try:
            answer = self._book.refund(asked, day=day, refuse=refuse)
        except CallerError:
            return REPEATED
        return _CODES.get(answer.reason, DECLINED)

    def _void(self, said: Transaction, original: Told, day: date) -> str:
        if said.amount_minor != original.amount_minor:
            return WRONG_AMOUNT
        code = self._undo(original, day)
        if code == APPROVED:
            self._traces.mark_undone(original.rrn)
        return code

    def _undo(self, known: Told, day: date) -> str:
        if known.kind is Kind.SALE:
            answer = self._book.reverse(known.own_id, day=day)
            return APPROVED if answer.state == "reversed" else INVALID
        if known.kind in {Kind.PREAUTH, Kind.COMPLETION}:
            return self._holds.undo(known, day)
        return INVALID  # what gives back is not taken back: it is sent again until it is answered
