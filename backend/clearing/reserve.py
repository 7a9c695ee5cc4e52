"""What moves the reserve besides payouts: the channel's settlement (rule 2), the fee sweep (10)."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.clearing.model import MoveState, Outcome, next_state
from backend.clearing.tables import SWEEP
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmChannelSettlement:
    """The bank's statement shows that a channel has paid a day into the reserve (rule 2).

    ``reference`` is the statement entry's; it is the event's id, so it is posted once.
    """

    reference: str
    channel_id: str
    settlement_date: str
    business_date: str
    currency: str
    amount_minor: int

    def reads(self) -> Iterable[Read]:
        return ledger.reads(self._transfers())

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        return ledger.post(ws, self._transfers(), now_ms)

    def _transfers(self) -> list[Transfer]:
        return rules.channel_settled(
            rules.Event(self.reference, self.currency, self.business_date),
            channel_id=self.channel_id,
            settlement_date=self.settlement_date,
            amount_minor=self.amount_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructSweep:
    """Store, once per day, what leaves the reserve for our own account; None if nothing does.

    ``amount_minor`` negative: more fees were given back than earned, so clients' money is short
    by that and own money goes back into the reserve.
    """

    business_date: str
    currency: str
    sweep_id: str
    execution_date: str
    amount_minor: int

    def reads(self) -> Iterable[Read]:
        return [(SWEEP, (self.business_date, self.currency))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row | None:
        known = ws.get(SWEEP, (self.business_date, self.currency))
        if known is not None:
            return known
        if not self.amount_minor:
            return None
        ws.insert(
            SWEEP,
            {
                "business_date": self.business_date,
                "currency": self.currency,
                "sweep_id": self.sweep_id,
                "amount_minor": self.amount_minor,
                "state": MoveState.INSTRUCTED.value,
                "execution_date": self.execution_date,
                "instructed_at_ms": now_ms,
                "updated_at_ms": now_ms,
            },
        )
        return ws.get(SWEEP, (self.business_date, self.currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveSweep:
    """Record what the bank said of a sweep; confirmed fees leave both books together (rule 10)."""

    business_date: str
    currency: str
    outcome: Outcome
    reason: str
    booked_on: str

    def reads(self) -> Iterable[Read]:
        return [(SWEEP, (self.business_date, self.currency))]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        row = ws.get(SWEEP, (self.business_date, self.currency))
        return [] if row is None else ledger.reads(self._transfers(row))

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        key = (self.business_date, self.currency)
        row = ws.get(SWEEP, key)
        if row is None:
            raise CallerError("payment_not_found", "sweep")
        state = next_state(MoveState(row["state"]), self.outcome)
        if state is MoveState.CONFIRMED:
            ledger.post(ws, self._transfers(row), now_ms)
        return ws.update(SWEEP, key, state=state.value, reason=self.reason, updated_at_ms=now_ms)

    def _transfers(self, row: Row) -> list[Transfer]:
        event = rules.Event(f"{row['sweep_id']}.confirmed", self.currency, self.booked_on)
        return rules.fees_swept(event, amount_minor=row["amount_minor"])
