"""Giving money back, once per refund id.

Rule 1: a refused refund is kept as *failed*: a copy of it that is still under way never succeeds
        after the till was told that it failed. Another try is another refund id.
Rule 2: what of it is still frozen for sharing is used first, then the merchant's pending money,
        the rest comes from what is available; the fee comes back with it, cumulatively exact, by
        the plan the payment was charged by.
Rule 3: what a coupon had paid of it goes back to whose it was, us or the merchant; the payer gets
        the rest. What the house had borne of an offline payment goes back to the house.
Rule 4: money that came through a channel goes back through it. The merchant gives it at once and
        has it again if the channel refuses; until the channel has answered the refund is
        *processing*.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.model import BALANCE, HOUSE, KEPT_HERE, OFFLINE
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.merchants.service import pending_owners, plan_of
from backend.merchants.tables import FEE_PLAN, MERCHANT
from backend.payments.entries import owner_of
from backend.payments.idempotency import first_answer, remember, request_read
from backend.payments.model import (
    Answer,
    DeviceRequest,
    PaymentRules,
    body_hash,
)
from backend.payments.service import visible
from backend.payments.tables import PAYMENT
from backend.refunds.by_channel import submit_refund
from backend.refunds.model import Refundable, RefundState, RefundStep, drawn, next_state, refusal
from backend.refunds.outcome import record_refund, refund_answer
from backend.refunds.tables import REFUND
from protocol.errors import CallerError
from protocol.messages import RefundCreate
from protocol.payment import PaymentState

_FUNDINGS = {OFFLINE: BALANCE}
"""Where money goes back to, where that is not whence it came: what was set aside is spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRefund:
    """``refund.create``: all or a part of a captured payment, back to its payer."""

    request: DeviceRequest
    body: RefundCreate
    rules: PaymentRules
    notify_url: str | None = None
    """Where news of it goes, in ``notify_form``; None: to the merchant's own address, in ours."""
    notify_form: str = ""
    to_balance: bool = False
    """To the payer's balance, though a channel had brought the money: its bank takes none back."""

    def reads(self) -> Iterable[Read]:
        return [
            request_read(self.request),
            (REFUND, self.body.refund_id),
            (PAYMENT, self.body.payment_id),
            (MERCHANT, self.request.merchant_id),
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.body.payment_id)
        if payment is None or (payment["payer_id"] is None and self._is_balance(payment)):
            return []  # nobody has paid it, or no payer of ours
        found: list[Read] = [(FEE_PLAN, (payment["merchant_id"], payment["fee_plan_version"]))]
        coupon_back = 1 if payment["coupon_minor"] else 0
        sources = [(one, 1) for one in _accounts(ws, payment)]
        sample = self._transfers(payment, sources, 1, coupon_back, "")
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
        refundable = _refundable(payment)
        code = refusal(
            refundable,
            amount_minor=body.amount_minor,
            currency=body.currency,
            now_ms=now_ms,
        )
        coupon_back = refundable.coupon_back(body.amount_minor)
        is_asked = not self._is_balance(payment) and coupon_back < body.amount_minor
        if code is None and is_asked and payment["channel_id"] not in self.rules.channels:
            code = "channel_unavailable"
        if code is not None:
            failed = self._insert(ws, payment, RefundStep.FAIL, now_ms, error_code=code)
            return refund_answer(failed)
        fee_back = self._fee_back(ws, payment)
        sources = drawn(
            [(account, ledger.available(ws, account)) for account in _accounts(ws, payment)],
            amount_minor=body.amount_minor,
            fee_back_minor=fee_back,
        )
        if not sources:
            code = "merchant_balance_short"
            failed = self._insert(ws, payment, RefundStep.FAIL, now_ms, error_code=code)
            return refund_answer(failed)
        date = self.rules.business_date(now_ms)
        transfers = self._transfers(payment, sources, fee_back, coupon_back, date)
        ledger.post(ws, transfers, now_ms, is_new=True)
        codes = "+".join(dict.fromkeys(chart.account(account).code for account, _ in sources))
        money = {
            "fee_returned_minor": fee_back,
            "coupon_returned_minor": coupon_back,
            "source": codes,
        }
        if is_asked:
            refund = self._insert(ws, payment, RefundStep.SUBMIT, now_ms, **money)
            submit_refund(ws, payment, refund, now_ms)
            return refund_answer(refund)
        refund = self._insert(ws, payment, RefundStep.SUCCEED, now_ms, **money)
        settled = payment | {
            "refund_count": payment["refund_count"] + 1,
            "fee_returned_minor": payment["fee_returned_minor"] + fee_back,
            "coupon_returned_minor": payment["coupon_returned_minor"] + coupon_back,
        }
        record_refund(ws, settled, refund, actor=f"device:{self.request.device}", now_ms=now_ms)
        return refund_answer(refund)

    def _is_balance(self, payment: Row) -> bool:
        """Whether the money goes to a balance."""
        return self.to_balance or payment["funding"] in KEPT_HERE

    def _fee_back(self, ws: WorkingSet, payment: Row) -> int:
        """What brings the returned fee to what it must be after this refund. Counted from what was
        returned so far, so that it stays exact when a channel refuses one of several refunds."""
        plan = plan_of(ws, payment["merchant_id"], payment["fee_plan_version"])
        after = payment["refunded_minor"] + payment["refunding_minor"] + self.body.amount_minor
        due = plan.returned(
            amount_minor=payment["amount_minor"], before_minor=0, refund_minor=after
        )
        returned: int = payment["fee_returned_minor"]
        return max(due - returned, 0)

    def _transfers(
        self,
        payment: Row,
        sources: posting.Sources,
        fee_back: int,
        coupon_back: int,
        date: str,
    ) -> list[Transfer]:
        event = posting.Event(self.body.refund_id, payment["currency"], date)
        if payment["funding"] == HOUSE:
            return posting.offline_cover_returned(event, sources=sources, fee_back_minor=fee_back)
        if not self._is_balance(payment):
            begun = posting.channel_refund_started(
                event, sources=sources, fee_back_minor=fee_back, coupon_back_minor=coupon_back
            )
        else:
            begun = posting.balance_refunded(
                event,
                user_id=payment["payer_id"],
                sources=sources,
                fee_back_minor=fee_back,
                coupon_back_minor=coupon_back,
            )
        if payment["coupon_stock_id"] is None:
            return begun
        due = chart.client("OWN_DUE", payment["currency"])
        taken = [(one.debit, one.amount_minor) for one in begun if one.credit == due]
        return begun + posting.stock_refunded(event, to_accounts=taken, first_leg=len(begun) + 1)

    def _insert(
        self,
        ws: WorkingSet,
        payment: Row,
        refund_step: RefundStep,
        now_ms: int,
        **columns: Any,  # noqa: ANN401  # column values
    ) -> Row:
        request, body, funding = self.request, self.body, payment["funding"]
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
            "state": next_state(RefundState.ASKED, refund_step).value,
            "created_at_ms": now_ms,
            "business_date": self.rules.business_date(now_ms),
            "body_hash": body_hash(request.device, body),
            "trace_id": request.trace_id,
            "funding": BALANCE if self.to_balance else _FUNDINGS.get(funding, funding),
            "notify_url": self.notify_url,
            "notify_form": self.notify_form,
            **columns,
        }
        ws.insert(REFUND, row)
        found = ws.get(REFUND, body.refund_id)
        assert found is not None
        return found


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


def _accounts(ws: WorkingSet, payment: Row) -> list[str]:
    """Whose money goes back, in this order: what of the payment is frozen, the pending account that
    it went to, the merchant's others, what is available."""
    merchant = ws.get(MERCHANT, payment["merchant_id"])
    assert merchant is not None, "merchants are never removed"
    currency = payment["currency"]
    owners = dict.fromkeys((owner_of(payment), *pending_owners(merchant)))
    frozen = [chart.shared(payment["payment_id"], currency)] if payment["is_shared"] else []
    return [
        *frozen,
        *(chart.merchant_pending(owner, currency) for owner in owners),
        chart.merchant_available(payment["merchant_id"], currency),
    ]


def _refundable(payment: Row) -> Refundable:
    return Refundable(
        state=PaymentState(payment["state"]),
        amount_minor=payment["amount_minor"],
        currency=payment["currency"],
        refunded_minor=payment["refunded_minor"],
        refunding_minor=payment["refunding_minor"],
        disputed_minor=payment["disputed_minor"],
        coupon_minor=payment["coupon_minor"],
        coupon_returned_minor=payment["coupon_returned_minor"],
        refund_count=payment["refund_count"],
        paid_at_ms=payment["paid_at_ms"] or 0,
    )
