"""Money that is nobody's here (rule 21): the channel had settled a payment that was given up.

Rule 1: it goes back to the payer through its channel, by a conversation of its own.
Rule 2: if the channel will not have it, it stays long and *stranded* until an operator has it tried
        again, or assigns it to the payer's balance. Who did it stands on the timeline.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.payments import channel_posting
from backend.payments.by_channel import move_by_answer
from backend.payments.model import PaymentRules
from backend.payments.tables import PAYMENT
from backend.refunds.limits import GIVE_BACK_TRIES_MAX
from backend.sagas.model import SagaKind, SagaState, SagaStep
from backend.sagas.ports import Word
from backend.sagas.tables import SAGA
from backend.sagas.timeline import move, note_silence, plan
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveGiveBack:
    """Draw the consequence of a channel's word on money that is nobody's here: it has left, or it
    is stranded. Safe to repeat. Answers the conversation's row."""

    saga_id: str
    word: Word
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(SAGA, self.saga_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        saga, answer = ws.get(SAGA, self.saga_id), self.word.answer
        if saga is None or answer is None:
            return []
        return ledger.reads(channel_posting.given_back(saga, answer, ""))

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        saga, answer = ws.get(SAGA, self.saga_id), self.word.answer
        assert saga is not None, "conversations are never removed"
        if saga["next_try_ms"] is None:
            return saga
        if answer is None:
            return note_silence(ws, saga, error=self.word.error, now_ms=now_ms)
        if answer.state != "succeeded":
            return move_by_answer(ws, saga, SagaStep.STRAND, answer, now_ms)
        date = self.rules.business_date(now_ms)
        ledger.post(ws, channel_posting.given_back(saga, answer, date), now_ms)
        return move_by_answer(ws, saga, SagaStep.SUCCEED, answer, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class TryGiveBackAnew:
    """Ask the channel once more to take back what is stranded, by a conversation with an id of its
    own: the channel repeats its answer to the old one. Repeated, it answers the same conversation.
    """

    saga_id: str
    actor: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(SAGA, self.saga_id), (SAGA, _next_id(self.saga_id))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        saga, next_id = _known(ws, self.saga_id), _next_id(self.saga_id)
        begun = ws.get(SAGA, next_id)
        if begun is not None:
            return begun
        if _number(self.saga_id) >= GIVE_BACK_TRIES_MAX:
            raise CallerError("payment_state", f"tried {GIVE_BACK_TRIES_MAX} times")
        detail = {"by": self.actor, "saga_id": next_id}
        move(ws, saga, SagaStep.TRY_ANEW, now_ms=now_ms, detail=detail)
        return plan(
            ws,
            saga_id=next_id,
            kind=SagaKind.GIVE_BACK,
            payment_id=saga["payment_id"],
            channel_id=saga["channel_id"],
            amount_minor=saga["amount_minor"],
            currency=saga["currency"],
            planned_date=self.rules.business_date(now_ms),
            now_ms=now_ms,
            trace_id=saga["trace_id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignToPayer:
    """Give what is stranded to its payer's balance instead (rule 21). Repeated, it changes nothing.
    Answers the conversation's row."""

    saga_id: str
    actor: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(SAGA, self.saga_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        saga = ws.get(SAGA, self.saga_id)
        if saga is None:
            return []
        payment = ws.get(PAYMENT, saga["payment_id"])
        if payment is None or payment["payer_id"] is None:
            return []
        return ledger.reads(_assigned(saga, payment, ""), is_new=True)

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        saga = _known(ws, self.saga_id)
        if saga["state"] == SagaState.ASSIGNED:
            return saga
        payment = ws.get(PAYMENT, saga["payment_id"])
        assert payment is not None, "payments are never removed"
        detail = {"by": self.actor, "payer_id": payment["payer_id"]}
        assigned = move(ws, saga, SagaStep.ASSIGN, now_ms=now_ms, detail=detail)
        transfers = _assigned(saga, payment, self.rules.business_date(now_ms))
        ledger.post(ws, transfers, now_ms, is_new=True)
        return assigned


def _known(ws: WorkingSet, saga_id: str) -> Row:
    """The conversation, if it is one about money that is nobody's; else ``payment_not_found``."""
    saga = ws.get(SAGA, saga_id)
    if saga is None or saga["kind"] != SagaKind.GIVE_BACK:
        raise CallerError("payment_not_found", saga_id)
    return saga


def _number(saga_id: str) -> int:
    """Which try a conversation is: ``….back`` the first, ``….back2`` the second."""
    digits = saga_id.rpartition(".back")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else 1


def _next_id(saga_id: str) -> str:
    return f"{saga_id.rpartition('.back')[0]}.back{_number(saga_id) + 1}"


def _assigned(saga: Row, payment: Row, date: str) -> list[Transfer]:
    event = posting.Event(f"{saga['saga_id']}.assigned", saga["currency"], date)
    account = chart.customer(payment["payer_id"], saga["currency"])
    return posting.long_assigned(event, to_account=account, amount_minor=saga["amount_minor"])
