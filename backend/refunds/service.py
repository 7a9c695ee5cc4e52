"""Giving money back, once per refund id.

Rule 1: a refused refund is kept as *failed*: a copy of it that is still under way never succeeds
        after the till was told that it failed. Another try is another refund id.
Rule 2: the merchant's pending money is used first, the rest comes from what is available; the fee
        comes back with it, cumulatively exact, by the plan the payment was charged by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart, model
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.tables import ACCOUNT
from backend.merchants.service import pending_owners, plan_of
from backend.merchants.tables import FEE_PLAN, MERCHANT
from backend.notify.outbox import put_callback
from backend.payments.idempotency import first_answer, remember, request_read
from backend.payments.model import (
    REFUND_RESULT,
    Answer,
    DeviceRequest,
    PaymentRules,
    body_hash,
    error_body,
    payment_answer,
)
from backend.payments.paying import owner_of
from backend.payments.service import visible
from backend.payments.tables import PAYMENT
from backend.payments.timeline import step
from backend.refunds.model import Refundable, drawn, refusal
from backend.refunds.tables import REFUND
from protocol.errors import CallerError
from protocol.messages import RefundCreate
from protocol.payment import Command, PaymentState


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRefund:
    """``refund.create``: all or a part of a captured payment, back to its payer."""

    request: DeviceRequest
    body: RefundCreate
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [
            request_read(self.request),
            (REFUND, self.body.refund_id),
            (PAYMENT, self.body.payment_id),
            (MERCHANT, self.request.merchant_id),
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.body.payment_id)
        if payment is None or payment["payer_id"] is None:
            return []
        found: list[Read] = [(FEE_PLAN, (payment["merchant_id"], payment["fee_plan_version"]))]
        event = posting.Event(self.body.refund_id, payment["currency"], "")
        sample = posting.balance_refunded(
            event,
            user_id=payment["payer_id"],
            sources=[(account, 1) for account in _accounts(ws, payment)],
            fee_back_minor=1,
        )
        return found + ledger.reads(sample, is_new=True)

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:
        earlier = first_answer(ws, self.request)
        if earlier is not None:
            return earlier
        known = ws.get(REFUND, self.body.refund_id)
        if known is not None:
            answer = self._again(known)
        else:
            answer = self._new(ws, visible(ws, self.request, self.body.payment_id), now_ms)
        return remember(ws, self.request, answer, now_ms)

    def _again(self, known: Row) -> Answer:
        is_same = known["body_hash"] == body_hash(self.request.device, self.body)
        if known["merchant_id"] != self.request.merchant_id or not is_same:
            raise CallerError("idempotency_conflict", "refund_id")
        return refund_answer(known)

    def _new(self, ws: WorkingSet, payment: Row, now_ms: int) -> Answer:
        body = self.body
        code = refusal(
            _refundable(payment),
            amount_minor=body.amount_minor,
            currency=body.currency,
            now_ms=now_ms,
        )
        if code is not None:
            return refund_answer(self._insert(ws, payment, now_ms, error_code=code))
        plan = plan_of(ws, payment["merchant_id"], payment["fee_plan_version"])
        fee_back = plan.returned(
            amount_minor=payment["amount_minor"],
            before_minor=payment["refunded_minor"],
            refund_minor=body.amount_minor,
        )
        sources = drawn(
            [(account, _available(ws, account)) for account in _accounts(ws, payment)],
            amount_minor=body.amount_minor,
            fee_back_minor=fee_back,
        )
        if not sources:
            failed = self._insert(ws, payment, now_ms, error_code="merchant_balance_short")
            return refund_answer(failed)
        self._post(ws, payment, sources, fee_back, now_ms)
        codes = "+".join(dict.fromkeys(chart.account(account).code for account, _ in sources))
        refund = self._insert(ws, payment, now_ms, fee_back_minor=fee_back, source=codes)
        self._move_payment(ws, payment, refund, now_ms)
        return refund_answer(refund)

    def _post(
        self, ws: WorkingSet, payment: Row, sources: posting.Sources, fee_back: int, now_ms: int
    ) -> None:
        date = self.rules.business_date(now_ms)
        transfers = posting.balance_refunded(
            posting.Event(self.body.refund_id, payment["currency"], date),
            user_id=payment["payer_id"],
            sources=sources,
            fee_back_minor=fee_back,
        )
        ledger.post(ws, transfers, now_ms, is_new=True)

    def _move_payment(self, ws: WorkingSet, payment: Row, refund: Row, now_ms: int) -> None:
        refunded = payment["refunded_minor"] + refund["amount_minor"]
        is_all = refunded == payment["amount_minor"]
        after = step(
            ws,
            payment,
            Command.REFUND_REST if is_all else Command.REFUND_PART,
            actor=f"device:{self.request.device}",
            now_ms=now_ms,
            detail={"refund_id": refund["refund_id"], "amount_minor": refund["amount_minor"]},
            refunded_minor=refunded,
            refund_count=payment["refund_count"] + 1,
            fee_returned_minor=payment["fee_returned_minor"] + refund["fee_returned_minor"],
        )
        merchant = ws.get(MERCHANT, payment["merchant_id"])
        assert merchant is not None
        put_callback(
            ws,
            merchant_id=payment["merchant_id"],
            url=merchant["notify_url"],
            event_type="refund.succeeded",
            subject_id=refund["refund_id"],
            number=1,
            resource={**refund_answer(refund)[1], "payment": payment_answer(after)[1]},
            at_ms=now_ms,
        )

    def _insert(
        self,
        ws: WorkingSet,
        payment: Row,
        now_ms: int,
        *,
        error_code: str | None = None,
        fee_back_minor: int = 0,
        source: str = "",
    ) -> Row:
        request, body = self.request, self.body
        row = {
            "refund_id": body.refund_id,
            "payment_id": body.payment_id,
            "merchant_id": payment["merchant_id"],
            "store": request.store,
            "device": request.device,
            "till": body.till,
            "cashier": body.cashier or "",
            "amount_minor": body.amount_minor,
            "currency": body.currency,
            "reason": body.reason,
            "state": "failed" if error_code else "succeeded",
            "error_code": error_code,
            "fee_returned_minor": fee_back_minor,
            "source": source,
            "created_at_ms": now_ms,
            "business_date": self.rules.business_date(now_ms),
            "body_hash": body_hash(request.device, body),
            "trace_id": request.trace_id,
        }
        ws.insert(REFUND, row)
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRefund:
    """``refund.query``: how a refund stands."""

    request: DeviceRequest
    refund_id: str

    def reads(self) -> Iterable[Read]:
        return [(REFUND, self.refund_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:  # noqa: ARG002  # a query changes nothing
        refund = ws.get(REFUND, self.refund_id)
        if refund is None or refund["merchant_id"] != self.request.merchant_id:
            raise CallerError("refund_not_found", self.refund_id)
        return refund_answer(refund)


def refund_answer(row: Row) -> Answer:
    """How a refund stands, as the wire says it."""
    names = ("refund_id", "payment_id", "state", "amount_minor", "currency")
    body: dict[str, Any] = {name: row[name] for name in names}
    if row["error_code"] is not None:
        body["error"] = error_body(row["error_code"])
    return REFUND_RESULT, body


def _accounts(ws: WorkingSet, payment: Row) -> list[str]:
    """Whose money goes back, in this order: the pending account the payment went to, the
    merchant's others, what is available."""
    merchant = ws.get(MERCHANT, payment["merchant_id"])
    assert merchant is not None, "merchants are never removed"
    currency = payment["currency"]
    owners = dict.fromkeys((owner_of(payment), *pending_owners(merchant)))
    return [
        *(chart.merchant_pending(owner, currency) for owner in owners),
        chart.merchant_available(payment["merchant_id"], currency),
    ]


def _available(ws: WorkingSet, account_id: str) -> int:
    row = ws.get(ACCOUNT, account_id)
    return 0 if row is None else model.available(row)


def _refundable(payment: Row) -> Refundable:
    return Refundable(
        state=PaymentState(payment["state"]),
        amount_minor=payment["amount_minor"],
        currency=payment["currency"],
        refunded_minor=payment["refunded_minor"],
        refund_count=payment["refund_count"],
        paid_at_ms=payment["paid_at_ms"] or 0,
    )
