"""Withdrawals (posting rule 9): taken from the balance at once, paid out by a channel.

Rule 1: the money goes to an account of the payer's own: an instrument that is registered as theirs,
        under the name that the channel gave for it. No other destination can be named, and none
        that is not filed (``destination_not_allowed``).
Rule 2: the order, the postings and the conversation are committed before the channel hears of it.
        It is never given up: the channel is asked, with the same id, until it says yes or no.
Rule 3: the channel's word moves what the channel is owed (CH), never the reserve: that moves when
        the channel's net of the day is settled.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.channels.facts import Offer
from backend.channels.model import ChannelAnswer
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.destinations.model import DestinationKind
from backend.destinations.service import check_destination, destination_read
from backend.instruments.model import InstrumentKind
from backend.instruments.tables import INSTRUMENT
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.payments.by_channel import move_by_answer
from backend.payments.funding import Funding, route, route_reads, token_of
from backend.payments.model import PaymentRules
from backend.sagas.model import SagaKind, SagaStep
from backend.sagas.ports import Word
from backend.sagas.tables import SAGA
from backend.sagas.timeline import note_silence, plan
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from backend.withdrawals.model import WithdrawalState, WithdrawalStep, next_state
from backend.withdrawals.tables import ALLOWANCE, WITHDRAWAL
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.money import Money, positive


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWithdrawal:
    """Take the money and the fee from the balance, and plan to have it paid out. The same id with
    the same content changes nothing. Answers the withdrawal's row."""

    withdrawal_id: str
    payer_id: str
    instrument_id: str
    amount: Money
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [
            (WITHDRAWAL, self.withdrawal_id),
            (PAYER, self.payer_id),
            (ALLOWANCE, self.payer_id),
            (INSTRUMENT, self.instrument_id),
            destination_read(DestinationKind.CUSTOMER, self.instrument_id),
            (SAGA, self.withdrawal_id),
            *route_reads(self.instrument_id, self.rules),
            *ledger.reads(self._transfers(1, ""), is_new=True),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if not is_id(self.withdrawal_id, prefix="wdr"):
            raise CallerError("id_invalid", "withdrawal_id")
        positive(self.amount.amount_minor, self.amount.currency)
        content = {
            "payer_id": self.payer_id,
            "instrument_id": self.instrument_id,
            "amount_minor": self.amount.amount_minor,
            "currency": self.amount.currency,
        }
        known = ws.get(WITHDRAWAL, self.withdrawal_id)
        if known is not None:
            if any(known[name] != value for name, value in content.items()):
                raise CallerError("idempotency_conflict", self.withdrawal_id)
            return known
        payer = payer_row(ws, self.payer_id)
        if payer["status"] != "active":
            raise CallerError("payer_frozen")
        if self.amount.amount_minor > self.rules.withdrawals.amount_minor_max:
            raise CallerError("amount_invalid", "withdrawal")
        channel_id = self._channel(ws, now_ms)
        fee_minor, date = self._charge(ws), self.rules.business_date(now_ms)
        ledger.post(ws, self._transfers(fee_minor, date), now_ms, is_new=True)
        row = {
            **content,
            "withdrawal_id": self.withdrawal_id,
            "channel_id": channel_id,
            "fee_minor": fee_minor,
            "state": WithdrawalState.PROCESSING.value,
            "business_date": date,
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }
        ws.insert(WITHDRAWAL, row)
        plan(
            ws,
            saga_id=self.withdrawal_id,
            kind=SagaKind.PAYOUT,
            payment_id=self.withdrawal_id,
            channel_id=channel_id,
            token=token_of(ws, self.instrument_id, channel_id),
            holder=payer["name"],
            amount_minor=self.amount.amount_minor,
            currency=self.amount.currency,
            planned_date=date,
            now_ms=now_ms,
        )
        found = ws.get(WITHDRAWAL, self.withdrawal_id)
        assert found is not None
        return found

    def _channel(self, ws: WorkingSet, now_ms: int) -> str:
        """The channel that pays the payer's own account; it must be theirs."""
        instrument = ws.get(INSTRUMENT, self.instrument_id)
        if instrument is None or instrument["payer_id"] != self.payer_id:
            raise CallerError("instrument_unknown")
        if instrument["status"] != "active" or instrument["kind"] != InstrumentKind.CARD:
            raise CallerError("instrument_unknown")
        customer = DestinationKind.CUSTOMER
        check_destination(ws, customer, self.instrument_id, self.instrument_id)
        decision = route(
            ws,
            self.rules,
            Funding("card", self.instrument_id),
            amount=self.amount,
            now_ms=now_ms,
            offer=Offer.PAYOUT,
        )
        if decision.channel_id is None:
            raise CallerError(decision.refusal)
        return decision.channel_id

    def _charge(self, ws: WorkingSet) -> int:
        """The fee, by what the payer has taken out before; this one is counted from now on."""
        row = ws.get(ALLOWANCE, self.payer_id)
        before = row["withdrawn_minor"] if row else 0
        _count(ws, self.payer_id, before + self.amount.amount_minor)
        return self.rules.withdrawals.fee(self.amount.amount_minor, withdrawn_minor=before)

    def _transfers(self, fee_minor: int, date: str) -> list[Transfer]:
        return posting.customer_withdrawn(
            posting.Event(self.withdrawal_id, self.amount.currency, date),
            user_id=self.payer_id,
            amount_minor=self.amount.amount_minor,
            fee_minor=fee_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveWithdrawal:
    """Draw the consequence of a channel's word on a payout. Safe to repeat. Answers the
    conversation's row."""

    saga_id: str
    word: Word
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(SAGA, self.saga_id), (WITHDRAWAL, self.saga_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        row, answer = ws.get(WITHDRAWAL, self.saga_id), self.word.answer
        if row is None or answer is None:
            return []
        return [(ALLOWANCE, row["payer_id"]), *ledger.reads(_ended(row, answer, ""))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        saga, row = ws.get(SAGA, self.saga_id), ws.get(WITHDRAWAL, self.saga_id)
        assert saga is not None, "conversations are never removed"
        assert row is not None, "withdrawals are never removed"
        if saga["next_try_ms"] is None:
            return saga
        answer = self.word.answer
        if answer is None:
            _learn(ws, row, WithdrawalStep.LOSE_CONTACT, now_ms)
            return note_silence(ws, saga, error=self.word.error, now_ms=now_ms)
        date = self.rules.business_date(now_ms)
        ledger.post(ws, _ended(row, answer, date), now_ms)
        if answer.state == "succeeded":
            _learn(ws, row, WithdrawalStep.SUCCEED, now_ms, answer)
            return move_by_answer(ws, saga, SagaStep.SUCCEED, answer, now_ms)
        allowance = ws.get(ALLOWANCE, row["payer_id"])
        assert allowance is not None, "allowances are never removed"
        _count(ws, row["payer_id"], allowance["withdrawn_minor"] - row["amount_minor"])
        _learn(ws, row, WithdrawalStep.REJECT, now_ms, answer)
        return move_by_answer(ws, saga, SagaStep.REFUSE, answer, now_ms)


def _ended(row: Row, answer: ChannelAnswer, date: str) -> list[Transfer]:
    event = posting.Event(f"{row['withdrawal_id']}.{answer.state}", row["currency"], date)
    if answer.state == "succeeded":
        return posting.customer_withdrawal_through_channel(
            event,
            channel_id=row["channel_id"],
            settlement_date=answer.settlement_date,
            amount_minor=row["amount_minor"],
        )
    return posting.customer_withdrawal_rejected(
        event,
        user_id=row["payer_id"],
        amount_minor=row["amount_minor"],
        fee_minor=row["fee_minor"],
    )


def _learn(
    ws: WorkingSet,
    row: Row,
    step: WithdrawalStep,
    now_ms: int,
    answer: ChannelAnswer | None = None,
) -> Row:
    return ws.update(
        WITHDRAWAL,
        row["withdrawal_id"],
        state=next_state(WithdrawalState(row["state"]), step).value,
        reason=answer.reason if answer else "",
        settlement_date=answer.settlement_date if answer else "",
        updated_at_ms=now_ms,
    )


def _count(ws: WorkingSet, payer_id: str, withdrawn_minor: int) -> None:
    if ws.get(ALLOWANCE, payer_id) is None:
        ws.insert(ALLOWANCE, {"payer_id": payer_id, "withdrawn_minor": withdrawn_minor})
    else:
        ws.update(ALLOWANCE, payer_id, withdrawn_minor=withdrawn_minor)
