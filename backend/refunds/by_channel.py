"""Refunds through a channel: begun with the merchant's money, ended by the channel's word.

Rule 1: what is on its way counts as given back for every other refund, until it is refused.
Rule 2: a refused refund undoes all that it began, the returned fee, too.
Rule 3: the channel gives back the payer's part; a coupon's part is ours at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.channels.model import ChannelAnswer
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.posted import posted_reads, posted_transfers
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import push_reads, put_push
from backend.payments import channel_posting
from backend.payments.by_channel import move_by_answer
from backend.payments.model import PaymentRules
from backend.payments.tables import PAYMENT
from backend.refunds.model import RefundState, RefundStep, next_state
from backend.refunds.outcome import record_refund, refund_answer, tell_of_refund
from backend.refunds.tables import REFUND
from backend.sagas.model import SagaKind, SagaStep
from backend.sagas.ports import Word
from backend.sagas.tables import SAGA
from backend.sagas.timeline import note_silence, plan


def submit_refund(ws: WorkingSet, payment: Row, refund: Row, now_ms: int) -> None:
    """Reserve it on the payment, and plan to ask the channel."""
    ws.update(
        PAYMENT,
        payment["payment_id"],
        refunding_minor=payment["refunding_minor"] + refund["amount_minor"],
        refund_count=payment["refund_count"] + 1,
        fee_returned_minor=payment["fee_returned_minor"] + refund["fee_returned_minor"],
        coupon_returned_minor=payment["coupon_returned_minor"] + refund["coupon_returned_minor"],
        updated_at_ms=now_ms,
    )
    plan(
        ws,
        saga_id=refund["refund_id"],
        kind=SagaKind.REFUND,
        payment_id=payment["payment_id"],
        channel_id=payment["channel_id"],
        amount_minor=refund["amount_minor"] - refund["coupon_returned_minor"],
        currency=refund["currency"],
        planned_date=refund["business_date"],
        now_ms=now_ms,
        trace_id=refund["trace_id"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveRefund:
    """Draw the consequence of a channel's word on a refund. Safe to repeat. Answers the
    conversation's row."""

    saga_id: str
    word: Word
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(SAGA, self.saga_id), (REFUND, self.saga_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        refund, saga = ws.get(REFUND, self.saga_id), ws.get(SAGA, self.saga_id)
        if refund is None or saga is None or self.word.answer is None:
            return []
        found: list[Read] = [
            (PAYMENT, refund["payment_id"]),
            (MERCHANT, refund["merchant_id"]),
            *push_reads(refund["store"]),
        ]
        if self.word.answer.state == "succeeded":
            return found + ledger.reads(channel_posting.refunded(saga, self.word.answer, ""))
        return found + posted_reads(ws, self.saga_id)

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        saga, refund = ws.get(SAGA, self.saga_id), ws.get(REFUND, self.saga_id)
        assert saga is not None, "conversations are never removed"
        assert refund is not None, "refunds are never removed"
        if saga["next_try_ms"] is None:
            return saga
        answer = self.word.answer
        if answer is None:
            return note_silence(ws, saga, error=self.word.error, now_ms=now_ms)
        payment = ws.get(PAYMENT, refund["payment_id"])
        assert payment is not None, "payments are never removed"
        settled = payment | {"refunding_minor": payment["refunding_minor"] - refund["amount_minor"]}
        if answer.state == "succeeded":
            return self._succeeded(ws, saga, settled, refund, answer, now_ms)
        return self._refused(ws, saga, settled, refund, answer, now_ms)

    def _succeeded(
        self,
        ws: WorkingSet,
        saga: Row,
        payment: Row,
        refund: Row,
        answer: ChannelAnswer,
        now_ms: int,
    ) -> Row:
        date = self.rules.business_date(now_ms)
        ledger.post(ws, channel_posting.refunded(saga, answer, date), now_ms)
        refund = self._end(ws, refund, RefundStep.SUCCEED, now_ms)
        record_refund(ws, payment, refund, actor=f"channel:{saga['channel_id']}", now_ms=now_ms)
        return move_by_answer(ws, saga, SagaStep.SUCCEED, answer, now_ms)

    def _refused(
        self,
        ws: WorkingSet,
        saga: Row,
        payment: Row,
        refund: Row,
        answer: ChannelAnswer,
        now_ms: int,
    ) -> Row:
        date = self.rules.business_date(now_ms)
        event = posting.Event(f"{self.saga_id}.refused", saga["currency"], date)
        begun = posted_transfers(ws, self.saga_id)
        ledger.post(ws, posting.reversed_transfers(event, begun), now_ms, is_new=True)
        after = ws.update(
            PAYMENT,
            payment["payment_id"],
            refunding_minor=payment["refunding_minor"],
            refund_count=payment["refund_count"] - 1,
            fee_returned_minor=payment["fee_returned_minor"] - refund["fee_returned_minor"],
            coupon_returned_minor=(
                payment["coupon_returned_minor"] - refund["coupon_returned_minor"]
            ),
            updated_at_ms=now_ms,
        )
        changes: Row = {
            "fee_returned_minor": 0,
            "coupon_returned_minor": 0,
            "error_code": "channel_refund_refused",
        }
        refund = self._end(ws, refund, RefundStep.FAIL, now_ms, **changes)
        tell_of_refund(ws, after, refund, "refund.failed", now_ms)
        return move_by_answer(ws, saga, SagaStep.REFUSE, answer, now_ms)

    def _end(
        self,
        ws: WorkingSet,
        refund: Row,
        refund_step: RefundStep,
        now_ms: int,
        **changes: Any,  # noqa: ANN401  # column values
    ) -> Row:
        state = next_state(RefundState(refund["state"]), refund_step)
        ended = ws.update(REFUND, self.saga_id, state=state.value, **changes)
        if not refund["store"]:  # asked for at a desk or by a merchant's program: there is no till
            return ended
        message_type, body = refund_answer(ended)
        put_push(
            ws,
            store=refund["store"],
            device=refund["device"],
            message_type=message_type,
            body=body,
            at_ms=now_ms,
            trace_id=refund["trace_id"],
        )
        return ended
