"""Asking about a payment, giving it up, undoing it, letting it expire.

Rule 1: a merchant's devices see and touch that merchant's payments only; any other id is not found.
Rule 2: an answer always tells the payment's state. Where the state does not allow what was asked,
        it tells that, too (``error``), and nothing has changed.
Rule 3: only the device that made a payment gives it up or undoes it; and a paid one is undone on
        its own business date, before it is settled. Any other way back is a refund.
Rule 4: a payment that its channel may have charged is undone for the till at once; the channel is
        told until it confirms, whatever its late answer to the payment says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.model import KEPT_HERE
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.posted import posted_reads, posted_transfers
from backend.ledger.tables import ACCOUNT, HOLD
from backend.merchants.service import pending_owners
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import push_reads
from backend.payments.by_channel import release_hold, undo_uses, undo_uses_reads
from backend.payments.idempotency import first_answer, remember, request_read
from backend.payments.model import (
    UNKNOWN_METHOD,
    Answer,
    DeviceRequest,
    PaymentRules,
    payment_answer,
)
from backend.payments.offline import pass_on_undone, undone_reads
from backend.payments.tables import PAYMENT
from backend.payments.telling import push_payment, tell_merchant
from backend.payments.timeline import step
from backend.sagas.model import SagaState, SagaStep
from backend.sagas.tables import SAGA
from backend.sagas.timeline import move
from backend.sharing.freezing import frozen_event
from protocol.errors import CallerError
from protocol.payment import PAID_STATES, WAITING_STATES, Command, PaymentState

_NOTHING_TO_UNDO = frozenset(
    {PaymentState.DECLINED, PaymentState.CLOSED, PaymentState.EXPIRED, PaymentState.REVERSED}
)
_TOOK_MONEY = WAITING_STATES | {PaymentState.CAPTURED}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPayment:
    """``payment.query``. Never remembered: every query tells the present state."""

    request: DeviceRequest
    payment_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYMENT, self.payment_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:
        payment = visible(ws, self.request, self.payment_id)
        return payment_answer(expired_if_due(ws, payment, now_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePayment:
    """``payment.close``: give up a payment that nobody has paid. Safe to repeat."""

    request: DeviceRequest
    payment_id: str

    def reads(self) -> Iterable[Read]:
        return [request_read(self.request), (PAYMENT, self.payment_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:
        earlier = first_answer(ws, self.request)
        if earlier is not None:
            return earlier
        payment = expired_if_due(ws, visible(ws, self.request, self.payment_id), now_ms)
        if PaymentState(payment["state"]) in _NOTHING_TO_UNDO:
            answer = payment_answer(payment)
        elif PaymentState(payment["state"]) in PAID_STATES | WAITING_STATES:
            answer = payment_answer(payment, error_code="payment_state")
        elif payment["device"] != self.request.device:
            answer = payment_answer(payment, error_code="payment_other_device")
        else:
            actor = f"device:{self.request.device}"
            payment = step(ws, payment, Command.CLOSE, actor=actor, now_ms=now_ms)
            answer = payment_answer(payment)
        return remember(ws, self.request, answer, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversePayment:
    """``payment.reverse``: undo a payment whose outcome is unknown or unwanted. Safe to repeat.

    If the payment never arrived, its id is taken as *reversed*, so that a copy of the request that
    is still under way can never charge the payer.
    """

    request: DeviceRequest
    payment_id: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [
            request_read(self.request),
            (PAYMENT, self.payment_id),
            (MERCHANT, self.request.merchant_id),
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None or PaymentState(payment["state"]) not in _TOOK_MONEY:
            return []
        found = posted_reads(ws, _paid_event(payment))
        if payment["is_shared"]:
            found += posted_reads(ws, frozen_event(self.payment_id))
        if payment["funding"] not in KEPT_HERE:
            found += [(SAGA, self.payment_id), (HOLD, f"{self.payment_id}:1")]
        if payment["pending_owner"]:
            found += [(ACCOUNT, account) for _, account in _sub_accounts(ws, payment)]
        return found + undone_reads(ws, payment) + undo_uses_reads(ws, payment)

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:
        earlier = first_answer(ws, self.request)
        if earlier is not None:
            return earlier
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None:
            answer = payment_answer(self._never_arrived(ws, now_ms))
        else:
            answer = self._reverse(ws, visible(ws, self.request, self.payment_id), now_ms)
        return remember(ws, self.request, answer, now_ms)

    def _reverse(self, ws: WorkingSet, payment: Row, now_ms: int) -> Answer:
        state = PaymentState(payment["state"])
        if state in _NOTHING_TO_UNDO:
            return payment_answer(payment)
        refusal = self._refusal(payment, state, now_ms)
        if refusal is not None:
            return payment_answer(payment, error_code=refusal)
        if state is PaymentState.CAPTURED:
            try:
                _give_back(ws, payment, self.rules, now_ms)
            except CallerError as error:
                return payment_answer(payment, error_code=error.code)
        if state is PaymentState.CAPTURED or state in WAITING_STATES:
            undo_uses(ws, payment, actor=f"device:{self.request.device}", now_ms=now_ms)
            _stop_channel(ws, payment, self.rules, now_ms)
        actor = f"device:{self.request.device}"
        reversed_row = step(ws, payment, Command.REVERSE, actor=actor, now_ms=now_ms)
        if state is PaymentState.CAPTURED:
            merchant = ws.get(MERCHANT, payment["merchant_id"])
            tell_merchant(ws, reversed_row, merchant, "payment.reversed", now_ms)
        return payment_answer(reversed_row)

    def _refusal(self, payment: Row, state: PaymentState, now_ms: int) -> str | None:
        """Why this payment is not undone for this device now."""
        if payment["device"] != self.request.device:
            return "payment_other_device"
        if payment["refunding_minor"]:
            return "payment_state"
        if payment["disputed_minor"]:
            return "payment_disputed"
        if state is PaymentState.CAPTURED:
            # The row's date is the day the money moved.
            is_same_day = payment["business_date"] == self.rules.business_date(now_ms)
            return None if is_same_day else "reverse_too_late"
        return "payment_state" if state in PAID_STATES else None

    def _never_arrived(self, ws: WorkingSet, now_ms: int) -> Row:
        request = self.request
        merchant = ws.get(MERCHANT, request.merchant_id)
        if merchant is None:
            raise CallerError("merchant_unknown")
        ws.insert(
            PAYMENT,
            {
                "payment_id": self.payment_id,
                "merchant_id": request.merchant_id,
                "store": request.store,
                "device": request.device,
                "method": UNKNOWN_METHOD,
                "state": "created",
                "amount_minor": 0,
                "currency": merchant["currency"],
                "created_at_ms": now_ms,
                "updated_at_ms": now_ms,
                "business_date": self.rules.business_date(now_ms),
                "body_hash": b"",
                "trace_id": request.trace_id,
            },
        )
        row = ws.get(PAYMENT, self.payment_id)
        assert row is not None
        detail = {"why": "never arrived"}
        actor = f"device:{request.device}"
        return step(ws, row, Command.REVERSE, actor=actor, now_ms=now_ms, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpirePayment:
    """The clock's command: a shown code's time has passed. Answers whether it expired now."""

    payment_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYMENT, self.payment_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        return push_reads(payment["store"]) if payment else []

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None:
            return False
        after = expired_if_due(ws, payment, now_ms)
        if after is payment:
            return False
        push_payment(ws, after, now_ms)
        return True


def visible(ws: WorkingSet, request: DeviceRequest, payment_id: str) -> Row:
    """The payment, if it is this device's merchant's; else ``payment_not_found``."""
    payment = ws.get(PAYMENT, payment_id)
    if payment is None or payment["merchant_id"] != request.merchant_id:
        raise CallerError("payment_not_found", payment_id)
    return payment


def expired_if_due(ws: WorkingSet, payment: Row, now_ms: int) -> Row:
    """The payment, moved to *expired* if its code's time has passed."""
    is_waiting = payment["state"] == PaymentState.AWAITING_PAYER
    if not is_waiting or now_ms < payment["code_expires_at_ms"]:
        return payment
    return step(ws, payment, Command.EXPIRE, actor="clock", now_ms=now_ms)


def _give_back(ws: WorkingSet, payment: Row, rules: PaymentRules, now_ms: int) -> None:
    """The exact contra of what was posted. ``merchant_balance_short`` once it is settled."""
    date = rules.business_date(now_ms)
    event = posting.Event(f"{payment['payment_id']}.reversed", payment["currency"], date)
    paid = posted_transfers(ws, _paid_event(payment))
    if payment["is_shared"]:
        paid += posted_transfers(ws, frozen_event(payment["payment_id"]))
    undoing = posting.reversed_transfers(event, paid)
    mark = ws.mark()
    try:
        if payment["pending_owner"]:
            _gather(ws, payment, undoing, date, now_ms)
        ledger.post(ws, undoing, now_ms, is_new=True)
        pass_on_undone(ws, payment, date, now_ms)
    except CallerError:
        ws.undo(mark)
        raise


def _gather(
    ws: WorkingSet, payment: Row, undoing: Sequence[Transfer], date: str, now_ms: int
) -> None:
    """A hot merchant's money is one: what other refunds have drawn from the sub-account that this
    payment went to comes from the merchant's others."""
    own = chart.merchant_pending(payment["pending_owner"], payment["currency"])
    taken = sum(one.amount_minor for one in undoing if one.debit == own)
    given = sum(one.amount_minor for one in undoing if one.credit == own)
    short, parts = taken - given - ledger.available(ws, own), []
    for owner, account in _sub_accounts(ws, payment):
        part = min(short, ledger.available(ws, account)) if account != own else 0
        if part > 0:
            parts.append((owner, part))
            short -= part
    if parts:
        event = posting.Event(f"{payment['payment_id']}.gathered", payment["currency"], date)
        gathered = posting.pending_gathered(
            event, merchant_id=payment["pending_owner"], parts_minor=parts
        )
        ledger.post(ws, gathered, now_ms, is_new=True)


def _sub_accounts(ws: WorkingSet, payment: Row) -> list[tuple[str, str]]:
    """A hot merchant's pending accounts, each with its owner."""
    merchant = ws.get(MERCHANT, payment["merchant_id"])
    assert merchant is not None, "merchants are never removed"
    currency = payment["currency"]
    return [(owner, chart.merchant_pending(owner, currency)) for owner in pending_owners(merchant)]


def _paid_event(payment: Row) -> str:
    """The event that posted the payment's money: the payment, or its channel's word."""
    payment_id: str = payment["payment_id"]
    return payment_id if payment["funding"] in KEPT_HERE else f"{payment_id}.captured"


def _stop_channel(ws: WorkingSet, payment: Row, rules: PaymentRules, now_ms: int) -> None:
    """Have the payment undone at its channel, too. What was never sent ends here."""
    saga = ws.get(SAGA, payment["payment_id"])
    if saga is None or SagaState(saga["state"]) is SagaState.REVERSING:
        return
    move(ws, saga, SagaStep.GIVE_UP, now_ms=now_ms, detail={"why": "reversed by the till"})
    if saga["state"] == SagaState.PLANNED:
        release_hold(ws, payment, saga, rules, now_ms)
