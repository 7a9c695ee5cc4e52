"""Top-ups: store the order, ask the channel, post what it says. Unknown is asked again.

Rule 1: the order is committed before the channel hears of it.
Rule 2: money reaches the payer's balance only on the channel's signed word (posting rule 1).
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog

from backend.channels.model import TOPUPS, TopUpAnswer, TopUpOrder
from backend.channels.ports import TopUpPort
from backend.db.command import Command, Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.topups.model import Outcome, TopUpState, next_state
from backend.topups.repository import TopUpRepository
from backend.topups.tables import TOPUP
from backend.wallet.tables import PAYER
from protocol.errors import CallerError, OperatingError
from protocol.ids import is_id
from protocol.money import Money, positive

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTopUp:
    """Store an order. The same id with the same content changes nothing."""

    topup_id: str
    payer_id: str
    bank_account: str
    amount: Money

    def reads(self) -> Iterable[Read]:
        return [(TOPUP, self.topup_id), (PAYER, self.payer_id)]

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
        row = {
            **content,
            "topup_id": self.topup_id,
            "state": TopUpState.PROCESSING.value,
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }
        ws.insert(TOPUP, row)
        found = ws.get(TOPUP, self.topup_id)
        assert found is not None
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveTopUp:
    """Record what the channel said; on success the payer's balance rises (posting rule 1)."""

    answer: TopUpAnswer

    def reads(self) -> Iterable[Read]:
        return [(TOPUP, self.answer.topup_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        row = ws.get(TOPUP, self.answer.topup_id)
        return [] if row is None else ledger.reads(self._transfers(row))

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = _existing(ws, self.answer.topup_id)
        if row["state"] == self.answer.state:
            return row
        outcome = Outcome.SUCCEED if self.answer.state == "succeeded" else Outcome.FAIL
        state = next_state(TopUpState(row["state"]), outcome)
        if state is TopUpState.SUCCEEDED:
            ledger.post(ws, self._transfers(row), now_ms)
        return ws.update(
            TOPUP,
            row["topup_id"],
            state=state.value,
            reason=self.answer.reason,
            settlement_date=self.answer.settlement_date,
            updated_at_ms=now_ms,
        )

    def _transfers(self, row: Row) -> list[Transfer]:
        date = self.answer.settlement_date
        return rules.top_up(
            rules.Event(row["topup_id"], row["currency"], date),
            user_id=row["payer_id"],
            channel_id=TOPUPS,
            settlement_date=date,
            amount_minor=row["amount_minor"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseContact:
    """The channel did not answer: the top-up's outcome is unknown."""

    topup_id: str

    def reads(self) -> Iterable[Read]:
        return [(TOPUP, self.topup_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = _existing(ws, self.topup_id)
        state = next_state(TopUpState(row["state"]), Outcome.LOSE_CONTACT)
        return ws.update(TOPUP, self.topup_id, state=state.value, updated_at_ms=now_ms)


class TopUps:
    """The saga: order, ask, resolve."""

    def __init__(
        self,
        *,
        submit: Callable[[Command], Awaitable[Any]],
        channel: TopUpPort,
        repository: TopUpRepository,
    ) -> None:
        self._submit = submit
        self._channel = channel
        self._repository = repository

    async def top_up(self, order: OrderTopUp) -> Row:
        """The top-up's row: succeeded, failed, or unknown where the channel did not answer."""
        row: Row = await self._submit(order)
        if row["state"] not in {TopUpState.PROCESSING, TopUpState.UNKNOWN}:
            return row
        return await self._ask(row)

    async def resolve_open(self) -> int:
        """Ask about every top-up that has no answer yet; returns how many are still open."""
        still_open = 0
        for row in await self._repository.open_topups():
            resolved = await self._ask(row)
            still_open += resolved["state"] in {TopUpState.PROCESSING, TopUpState.UNKNOWN}
        return still_open

    async def _ask(self, row: Row) -> Row:
        """Sending the same order again is the query: the channel gives its first answer."""
        amount = Money(row["amount_minor"], row["currency"])
        order = TopUpOrder(row["topup_id"], row["bank_account"], amount)
        try:
            answer = await self._channel.top_up(order)
        except OperatingError as error:
            _log.warning("topup_unknown", topup_id=row["topup_id"], code=error.code)
            unknown: Row = await self._submit(LoseContact(topup_id=row["topup_id"]))
            return unknown
        resolved: Row = await self._submit(ResolveTopUp(answer=answer))
        return resolved


def _existing(ws: WorkingSet, topup_id: str) -> Row:
    row = ws.get(TOPUP, topup_id)
    if row is None:
        raise CallerError("payment_not_found", topup_id)
    return row
