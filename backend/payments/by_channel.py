"""What a channel's word does to a payment: one command, one transaction.

Rule 1: the books follow the channel: money is posted on its word and under its settlement date.
Rule 2: whatever happens to the payment meanwhile (a till that gives it up), the conversation goes
        on until the channel's state and ours are the same.
Rule 3: where the channel certainly has not taken it, another one may (``rerouting``).
Rule 4: what the channel has settled although the payment was given up is nobody's here: it is
        booked as long (rule 21) and goes back by a refund of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.channels.model import ChannelAnswer
from backend.coupons.using import return_coupon, return_reads, stock_news_reads, tell_use
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.tables import HOLD
from backend.mandates.using import undo_reads, undo_use
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import push_reads
from backend.payments import channel_posting
from backend.payments.entries import held_transfer
from backend.payments.model import PaymentRules
from backend.payments.rerouting import rerouting_reads, went_elsewhere
from backend.payments.tables import PAYMENT
from backend.payments.telling import push_payment, tell_decline, tell_merchant
from backend.payments.timeline import step
from backend.sagas.model import Ask, SagaKind, SagaState, SagaStep
from backend.sagas.ports import Word
from backend.sagas.tables import SAGA
from backend.sagas.timeline import move, note_silence, note_waiting, plan, postpone
from backend.sharing.freezing import freeze, freeze_reads
from protocol.payment import WAITING_STATES, Command, PaymentState

_DECLINES = {
    "AM04": "insufficient_balance",
    "LIMIT_PAYMENT": "payer_limit_payment",
    "LIMIT_DAY": "payer_limit_day",
    "LIMIT_YEAR": "payer_limit_year",
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": "insufficient_balance",
    "ACQ.PAYMENT_AUTH_CODE_INVALID": "pay_code_expired",
    "ACP.61": "pay_code_expired",
    "TRADE_CLOSED": "payer_not_confirmed",
}
"""Channels' reasons that tell the till more than that the bank said no: ISO 20022 codes, and the
limits of a fund's quick redemption and of e-CNY wallets, other wallets' codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePayment:
    """Draw the consequence of a channel's word on a payment's order. Safe to repeat; a word that
    comes too late changes nothing. Answers the conversation's row."""

    saga_id: str
    word: Word
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(SAGA, self.saga_id), (PAYMENT, self.saga_id), (HOLD, f"{self.saga_id}:1")]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment, saga = ws.get(PAYMENT, self.saga_id), ws.get(SAGA, self.saga_id)
        if payment is None or saga is None:
            return []
        found: list[Read] = [(MERCHANT, payment["merchant_id"]), *push_reads(payment["store"])]
        found += undo_uses_reads(ws, payment)
        found += stock_news_reads(payment)
        if payment["is_shared"]:
            found += freeze_reads(self.saga_id, payment["currency"])
        found += rerouting_reads(payment, saga, self.rules)
        if self.word.answer is not None and self.word.answer.state == "succeeded":
            paid = channel_posting.paid(payment, saga, self.word.answer, saga["planned_date"])
            found += ledger.reads(paid)
        return found + ledger.reads(_released(payment, saga, saga["planned_date"]))

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        saga, payment = ws.get(SAGA, self.saga_id), ws.get(PAYMENT, self.saga_id)
        assert saga is not None, "conversations are never removed"
        assert payment is not None, "payments are never removed"
        is_elsewhere = self.word.channel_id not in {"", saga["channel_id"]}
        if saga["next_try_ms"] is None or is_elsewhere:
            return saga
        answer = self.word.answer
        if self.word.ask is Ask.NOTHING:
            return self._never_sent(ws, payment, saga, now_ms)
        if answer is None:
            return self._unanswered(ws, payment, saga, now_ms)
        assert answer.state != "waiting", "the runner makes it no answer"
        if saga["state"] == SagaState.REVERSING:
            return self._while_reversing(ws, payment, saga, answer, now_ms)
        match answer.state:
            case "succeeded":
                return self._captured(ws, payment, saga, answer, now_ms)
            case "refused":
                return self._declined(ws, payment, saga, answer, now_ms)
            case "reversed":
                return self._reversed(ws, payment, saga, answer, now_ms)

    def _captured(
        self, ws: WorkingSet, payment: Row, saga: Row, answer: ChannelAnswer, now_ms: int
    ) -> Row:
        date = self.rules.business_date(now_ms)
        ledger.post(ws, channel_posting.paid(payment, saga, answer, date), now_ms)
        captured = step(
            ws,
            payment,
            Command.CAPTURE,
            actor=_actor(saga),
            now_ms=now_ms,
            detail={"reference": answer.reference, "settlement_date": answer.settlement_date},
            paid_at_ms=now_ms,
            business_date=date,
            payer_masked=_payer(payment, answer),
        )
        freeze(ws, captured, now_ms)
        tell_use(ws, captured, now_ms)
        merchant = ws.get(MERCHANT, payment["merchant_id"])
        tell_merchant(ws, captured, merchant, "payment.captured", now_ms)
        push_payment(ws, captured, now_ms)
        return move_by_answer(ws, saga, SagaStep.SUCCEED, answer, now_ms)

    def _declined(
        self, ws: WorkingSet, payment: Row, saga: Row, answer: ChannelAnswer, now_ms: int
    ) -> Row:
        code = _DECLINES.get(answer.reason, "channel_declined")
        release_hold(ws, payment, saga, self.rules, now_ms)
        self._decline(ws, payment, saga, code, now_ms)
        return move_by_answer(ws, saga, SagaStep.REFUSE, answer, now_ms)

    def _never_sent(self, ws: WorkingSet, payment: Row, saga: Row, now_ms: int) -> Row:
        """End a conversation that waited too long for a runner: no channel has heard of it."""
        if saga["state"] != SagaState.PLANNED:
            return saga
        release_hold(ws, payment, saga, self.rules, now_ms)
        self._decline(ws, payment, saga, "channel_unavailable", now_ms)
        return move(ws, saga, SagaStep.GIVE_UP, now_ms=now_ms, detail={"why": "never sent"})

    def _unanswered(self, ws: WorkingSet, payment: Row, saga: Row, now_ms: int) -> Row:
        if self.word.is_unsent and saga["state"] == SagaState.SENT:
            return self._unsent(ws, payment, saga, now_ms)
        if self.word.is_waiting and saga["state"] != SagaState.REVERSING:
            # Nothing of it is unknown: the payment goes on *processing*.
            return note_waiting(ws, saga, shown_code=self.word.shown_code, now_ms=now_ms)
        if payment["state"] == PaymentState.PROCESSING:
            detail = {"error": self.word.error[:80]}
            lost = step(
                ws,
                payment,
                Command.LOSE_CONTACT,
                actor=_actor(saga),
                now_ms=now_ms,
                detail=detail,
            )
            push_payment(ws, lost, now_ms)
        return note_silence(ws, saga, error=self.word.error, now_ms=now_ms)

    def _unsent(self, ws: WorkingSet, payment: Row, saga: Row, now_ms: int) -> Row:
        gone = went_elsewhere(ws, payment, saga, self.rules, why=self.word.error, now_ms=now_ms)
        return gone or postpone(ws, saga, error=self.word.error, now_ms=now_ms)

    def _while_reversing(
        self, ws: WorkingSet, payment: Row, saga: Row, answer: ChannelAnswer, now_ms: int
    ) -> Row:
        if answer.state == "reversed":
            why = saga["error"] or "reversed"
            gone = went_elsewhere(ws, payment, saga, self.rules, why=why, now_ms=now_ms)
            return gone or self._reversed(ws, payment, saga, answer, now_ms)
        if self.word.ask is Ask.REVERSE and answer.state == "refused":
            return self._settled(ws, payment, saga, answer, now_ms)
        late = SagaStep.SUCCEED if answer.state == "succeeded" else SagaStep.REFUSE
        return move_by_answer(ws, saga, late, answer, now_ms)

    def _reversed(
        self, ws: WorkingSet, payment: Row, saga: Row, answer: ChannelAnswer, now_ms: int
    ) -> Row:
        release_hold(ws, payment, saga, self.rules, now_ms)
        self._give_up(ws, payment, saga, now_ms)
        return move_by_answer(ws, saga, SagaStep.CONFIRM_REVERSAL, answer, now_ms)

    def _settled(
        self, ws: WorkingSet, payment: Row, saga: Row, answer: ChannelAnswer, now_ms: int
    ) -> Row:
        """The channel keeps it: the money is long, and a refund conversation begins."""
        release_hold(ws, payment, saga, self.rules, now_ms)
        self._give_up(ws, payment, saga, now_ms)
        date = self.rules.business_date(now_ms)
        ledger.post(ws, channel_posting.kept(saga, answer, date), now_ms)
        plan(
            ws,
            saga_id=f"{self.saga_id}.back",
            kind=SagaKind.GIVE_BACK,
            payment_id=self.saga_id,
            channel_id=saga["channel_id"],
            amount_minor=saga["amount_minor"],
            currency=saga["currency"],
            planned_date=date,
            now_ms=now_ms,
            trace_id=saga["trace_id"],
        )
        return move_by_answer(ws, saga, SagaStep.REFUSE_REVERSAL, answer, now_ms)

    def _give_up(self, ws: WorkingSet, payment: Row, saga: Row, now_ms: int) -> None:
        """The payment is undone, unless the till has undone it already."""
        if PaymentState(payment["state"]) not in WAITING_STATES:
            return
        detail = {"why": saga["error"] or "reversed by the channel"}
        undone = step(
            ws, payment, Command.REVERSE, actor=_actor(saga), now_ms=now_ms, detail=detail
        )
        undo_uses(ws, payment, actor=_actor(saga), now_ms=now_ms)
        push_payment(ws, undone, now_ms)

    def _decline(self, ws: WorkingSet, payment: Row, saga: Row, code: str, now_ms: int) -> None:
        declined = step(
            ws,
            payment,
            Command.DECLINE,
            actor=_actor(saga),
            now_ms=now_ms,
            detail={"code": code},
            error_code=code,
        )
        undo_uses(ws, payment, actor=_actor(saga), now_ms=now_ms)
        tell_decline(ws, declined, ws.get(MERCHANT, payment["merchant_id"]), now_ms)
        push_payment(ws, declined, now_ms)


def _payer(payment: Row, answer: ChannelAnswer) -> str | None:
    """Who has paid, for the till: another wallet's channel tells its own payer, masked."""
    known: str | None = payment["payer_masked"]
    return f"{known} {answer.payer}" if answer.payer else known


def release_hold(ws: WorkingSet, payment: Row, saga: Row, rules: PaymentRules, now_ms: int) -> None:
    """Void the hold, unless the money was posted once (and undone by the till since)."""
    hold = ws.get(HOLD, f"{payment['payment_id']}:1")
    if hold is not None and hold["state"] == "pending":
        ledger.post(ws, _released(payment, saga, rules.business_date(now_ms)), now_ms)


def undo_uses_reads(ws: WorkingSet, payment: Row) -> list[Read]:
    """What ``undo_uses`` reads, as far as it is known by now."""
    found = return_reads(payment)
    if payment["mandate_id"] is not None:
        found += undo_reads(ws, payment["mandate_id"], payment["payment_id"])
    return found


def undo_uses(ws: WorkingSet, payment: Row, *, actor: str, now_ms: int) -> None:
    """A payment that took nothing in the end does not count against its mandate, and gives its
    coupon back."""
    if payment["mandate_id"] is not None:
        undo_use(ws, payment["payment_id"], now_ms)
    return_coupon(ws, payment, actor=actor, now_ms=now_ms)


def _released(payment: Row, saga: Row, date: str) -> list[Transfer]:
    event = posting.Event(f"{payment['payment_id']}.released", payment["currency"], date)
    return posting.hold_voided(event, held_transfer(payment, saga))


def move_by_answer(
    ws: WorkingSet, saga: Row, saga_step: SagaStep, answer: ChannelAnswer, now_ms: int
) -> Row:
    """Take the edge and keep what the channel said."""
    said = {"reference": answer.reference, "settlement_date": answer.settlement_date}
    kept = {name: value for name, value in said.items() if value}
    detail = kept | ({"reason": answer.reason[:80]} if answer.reason else {})
    return move(ws, saga, saga_step, now_ms=now_ms, detail=detail, error=answer.reason[:80], **kept)


def _actor(saga: Row) -> str:
    return f"channel:{saga['channel_id']}"
