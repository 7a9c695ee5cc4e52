"""What a channel took for a payment that failed here goes back to its payer.

Rule 1: only what stands in LONG, for a payment of ours that took nothing: the books know its payer
        by the channel's own order.
Rule 2: one conversation a payment, ``<payment>.back``, whoever began it: money goes back once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.reconciliation.breaks import BreakClass, BreakState, BreakStep
from backend.reconciliation.cases import SYSTEM, move_case
from backend.reconciliation.tables import CASE
from backend.sagas.model import SagaKind
from backend.sagas.tables import SAGA
from backend.sagas.timeline import plan


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBackLong:
    """Begin the conversation, in one transaction with the break's step; returns the break's row.
    Where the rules do not fit, the money stays in LONG for a person."""

    follows: Row
    booked_on: str
    actor: str = SYSTEM
    words: str = ""

    def reads(self) -> Iterable[Read]:
        payment_id = self.follows["reference"]
        return [(CASE, self.follows["break_id"]), (SAGA, payment_id), (SAGA, f"{payment_id}.back")]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(CASE, self.follows["break_id"])
        assert row is not None, "breaks are never removed"
        order = ws.get(SAGA, row["reference"])
        back_id = f"{row['reference']}.back"
        if order is None or not _fits(row, order) or ws.get(SAGA, back_id) is not None:
            return row
        plan(
            ws,
            saga_id=back_id,
            kind=SagaKind.GIVE_BACK,
            payment_id=row["reference"],
            channel_id=order["channel_id"],
            amount_minor=row["theirs_minor"],
            currency=row["currency"],
            planned_date=self.booked_on,
            now_ms=now_ms,
            trace_id=order["trace_id"],
        )
        return move_case(
            ws, row, BreakStep.GIVE_BACK, now_ms=now_ms, actor=self.actor, words=self.words
        )


def _fits(row: Row, order: Row) -> bool:
    return (
        (row["kind"], row["state"]) == (BreakClass.LONG_STATUS, BreakState.POSTED)
        and row["source"] == f"channel {order['channel_id']}"
        and order["kind"] == SagaKind.PAY
        and row["theirs_minor"] == order["amount_minor"]
    )
