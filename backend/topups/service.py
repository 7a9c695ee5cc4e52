"""Top-ups: store the order, plan the conversation, post what the channel says.

Rule 1: the order is committed before the channel hears of it.
Rule 2: money reaches the payer's balance only on the channel's word (posting rule 1), and under the
        channel's business day.
Rule 3: an order whose reversal comes too late is a top-up: the money is here, and the payer's.
Rule 4: the channel is asked for what its facts, its breaker and its net debit cap allow, as for a
        payment; else the order is refused and nothing is stored.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from backend.channels.facts import Offer
from backend.channels.model import NUCC, ChannelAnswer
from backend.db.command import Command, Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.payments.by_channel import move_by_answer
from backend.payments.funding import admit
from backend.payments.model import PaymentRules
from backend.routing.model import Candidate, PassedOver, decide
from backend.routing.service import health_of
from backend.routing.tables import CHANNEL_HEALTH
from backend.sagas.limits import PAY_PATIENCE_MS
from backend.sagas.model import Ask, SagaKind, SagaState, SagaStep
from backend.sagas.ports import Word
from backend.sagas.tables import SAGA
from backend.sagas.timeline import move, note_silence, plan, postpone
from backend.switches.service import channel_stop_read, is_channel_stopped
from backend.topups.model import OPEN_STATES, Outcome, TopUpState, next_state
from backend.topups.repository import TopUpRepository
from backend.topups.tables import TOPUP
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.money import Money, positive

CHANNEL = NUCC
"""The channel that top-ups come through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTopUp:
    """Store an order and plan to ask the channel. The same id with the same content changes
    nothing."""

    topup_id: str
    payer_id: str
    bank_account: str
    amount: Money
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [
            (TOPUP, self.topup_id),
            (PAYER, self.payer_id),
            (SAGA, self.topup_id),
            (CHANNEL_HEALTH, CHANNEL),
            channel_stop_read(CHANNEL),
            *self.rules.room.reads(CHANNEL),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if not is_id(self.topup_id, prefix="top"):
            raise CallerError("id_invalid", "topup_id")
        positive(self.amount.amount_minor, self.amount.currency)
        if ws.get(PAYER, self.payer_id) is None:
            raise CallerError("payer_unknown")
        content = {
            "payer_id": self.payer_id,
            "bank_account": self.bank_account,
            "amount_minor": self.amount.amount_minor,
            "currency": self.amount.currency,
        }
        known = ws.get(TOPUP, self.topup_id)
        if known is not None:
            if any(known[name] != value for name, value in content.items()):
                raise CallerError("idempotency_conflict", self.topup_id)
            return known
        self._check_channel(ws, now_ms)
        admit(ws, CHANNEL, now_ms)
        row = {
            **content,
            "topup_id": self.topup_id,
            "state": TopUpState.PROCESSING.value,
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }
        ws.insert(TOPUP, row)
        plan(
            ws,
            saga_id=self.topup_id,
            kind=SagaKind.TOP_UP,
            payment_id=self.topup_id,
            channel_id=CHANNEL,
            token=self.bank_account,
            amount_minor=self.amount.amount_minor,
            currency=self.amount.currency,
            planned_date=self.rules.business_date(now_ms),
            now_ms=now_ms,
            patience_ms=PAY_PATIENCE_MS,
        )
        found = ws.get(TOPUP, self.topup_id)
        assert found is not None
        return found

    def _check_channel(self, ws: WorkingSet, now_ms: int) -> None:
        """``channel_unavailable`` or ``channel_stopped`` unless the channel can take it now."""
        facts = self.rules.routing.facts.get(CHANNEL)
        if facts is None:
            raise CallerError("channel_unavailable", f"{CHANNEL}: not configured")
        candidate = Candidate(
            facts=facts,
            token=self.bank_account,
            health=health_of(ws, CHANNEL),
            room_minor=self.rules.room.left_minor(ws, CHANNEL, now_ms),
            is_stopped=is_channel_stopped(ws, CHANNEL),
        )
        found = decide(
            self.rules.routing, [candidate], amount=self.amount, offer=Offer.PAY, now_ms=now_ms
        )
        why = found.considered[0].passed_over
        if why is not None:
            refusal = "amount_invalid" if why is PassedOver.AMOUNT else found.refusal
            raise CallerError(refusal, f"{CHANNEL}: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveTopUp:
    """Draw the consequence of a channel's word on a top-up. Safe to repeat. Answers the
    conversation's row."""

    saga_id: str
    word: Word

    def reads(self) -> Iterable[Read]:
        return [(SAGA, self.saga_id), (TOPUP, self.saga_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        row, saga = ws.get(TOPUP, self.saga_id), ws.get(SAGA, self.saga_id)
        if row is None or saga is None or self.word.answer is None:
            return []
        return ledger.reads(_transfers(row, saga, self.word.answer))

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        saga, row = ws.get(SAGA, self.saga_id), ws.get(TOPUP, self.saga_id)
        assert saga is not None, "conversations are never removed"
        assert row is not None, "top-ups are never removed"
        if saga["next_try_ms"] is None:
            return saga
        answer = self.word.answer
        if self.word.ask is Ask.NOTHING:
            return self._never_sent(ws, saga, row, now_ms)
        if answer is None:
            return self._unanswered(ws, saga, row, now_ms)
        is_reversal = self.word.ask is Ask.REVERSE
        if answer.state == "reversed":
            _learn(ws, row, Outcome.FAIL, now_ms, reason="reversed", answer=answer)
            return move_by_answer(ws, saga, SagaStep.CONFIRM_REVERSAL, answer, now_ms)
        if saga["state"] == SagaState.REVERSING and not is_reversal:
            late = SagaStep.SUCCEED if answer.state == "succeeded" else SagaStep.REFUSE
            return move_by_answer(ws, saga, late, answer, now_ms)
        if answer.state == "succeeded" or is_reversal:
            ledger.post(ws, _transfers(row, saga, answer), now_ms)
            _learn(ws, row, Outcome.SUCCEED, now_ms, reason="", answer=answer)
            step = SagaStep.REFUSE_REVERSAL if is_reversal else SagaStep.SUCCEED
            return move_by_answer(ws, saga, step, answer, now_ms)
        _learn(ws, row, Outcome.FAIL, now_ms, reason=answer.reason, answer=answer)
        return move_by_answer(ws, saga, SagaStep.REFUSE, answer, now_ms)

    def _never_sent(self, ws: WorkingSet, saga: Row, row: Row, now_ms: int) -> Row:
        if saga["state"] != SagaState.PLANNED:
            return saga
        _learn(ws, row, Outcome.FAIL, now_ms, reason="channel_unavailable")
        return move(ws, saga, SagaStep.GIVE_UP, now_ms=now_ms, detail={"why": "never sent"})

    def _unanswered(self, ws: WorkingSet, saga: Row, row: Row, now_ms: int) -> Row:
        if self.word.is_unsent and saga["state"] == SagaState.SENT:
            return postpone(ws, saga, error=self.word.error, now_ms=now_ms)
        _learn(ws, row, Outcome.LOSE_CONTACT, now_ms, reason="")
        return note_silence(ws, saga, error=self.word.error, now_ms=now_ms)


class TopUps:
    """The desk: order, and wait for the channel's first word."""

    def __init__(
        self,
        *,
        submit: Callable[[Command], Awaitable[Any]],
        carry_on: Callable[[str], Awaitable[None]],
        repository: TopUpRepository,
        rules: PaymentRules,
    ) -> None:
        self._submit = submit
        self._carry_on = carry_on
        self._repository = repository
        self._rules = rules

    @property
    def bounds(self) -> tuple[int, int]:
        """How little and how much one top-up may be, in minor units: what its channel takes."""
        facts = self._rules.routing.facts.get(CHANNEL)
        return (0, 0) if facts is None else (facts.amount_minor_min, facts.amount_minor_max)

    async def from_card(
        self, *, topup_id: str, payer_id: str, instrument_id: str, amount: Money
    ) -> Row:
        """As ``top_up``, from a card of the payer's own; ``instrument_unknown`` for any other."""
        token = await self._repository.card_token(payer_id, instrument_id, CHANNEL)
        if token is None:
            raise CallerError("instrument_unknown")
        return await self.top_up(
            topup_id=topup_id, payer_id=payer_id, bank_account=token, amount=amount
        )

    async def top_up(
        self, *, topup_id: str, payer_id: str, bank_account: str, amount: Money
    ) -> Row:
        """The top-up's row: succeeded, failed, or still open where the channel has not answered."""
        row: Row = await self._submit(
            OrderTopUp(
                topup_id=topup_id,
                payer_id=payer_id,
                bank_account=bank_account,
                amount=amount,
                rules=self._rules,
            )
        )
        if row["state"] not in OPEN_STATES:
            return row
        await self._carry_on(topup_id)
        found = await self._repository.topup(topup_id)
        assert found is not None, "top-ups are never removed"
        return found


def _learn(
    ws: WorkingSet,
    row: Row,
    outcome: Outcome,
    now_ms: int,
    *,
    reason: str,
    answer: ChannelAnswer | None = None,
) -> Row:
    return ws.update(
        TOPUP,
        row["topup_id"],
        state=next_state(TopUpState(row["state"]), outcome).value,
        reason=reason,
        settlement_date=answer.settlement_date if answer else "",
        updated_at_ms=now_ms,
    )


def _transfers(row: Row, saga: Row, answer: ChannelAnswer) -> list[Transfer]:
    date = answer.settlement_date
    return rules.top_up(
        rules.Event(row["topup_id"], row["currency"], date),
        user_id=row["payer_id"],
        channel_id=saga["channel_id"],
        settlement_date=date,
        amount_minor=row["amount_minor"],
    )
