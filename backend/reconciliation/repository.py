"""Our side of the comparison: orders and postings of a day, all of them.

A part of a day would give false breaks and hide true ones, so a day is read page by page to its
end; one that is larger than ``EVENTS_PER_DAY_MAX`` is refused with ``answer_too_large``.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, or_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.disputes.model import DisputeState
from backend.disputes.tables import Dispute
from backend.instruments.model import BALANCE
from backend.ledger import chart, model
from backend.ledger.tables import LedgerAccount, LedgerTransfer
from backend.payments.tables import Payment
from backend.reconciliation.limits import EVENTS_PER_DAY_MAX
from backend.reconciliation.tables import ReconciliationBreak
from backend.refunds.tables import Refund
from backend.sagas.model import TAKING, SagaState
from backend.sagas.tables import Saga
from backend.topups.tables import TopUp
from protocol.errors import OperatingError
from protocol.payment import PAID_STATES

_ACCOUNT = LedgerAccount.__table__  # type: ignore[attr-defined]
_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_PAYMENT = Payment.__table__  # type: ignore[attr-defined]
_REFUND = Refund.__table__  # type: ignore[attr-defined]
_SAGA = Saga.__table__  # type: ignore[attr-defined]
_DISPUTE = Dispute.__table__  # type: ignore[attr-defined]
_TOPUP = TopUp.__table__  # type: ignore[attr-defined]
_BREAK = ReconciliationBreak.__table__  # type: ignore[attr-defined]


class ReconciliationRepository:
    """Reads one day of our books."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def topup_orders(self, day: str) -> dict[str, int]:
        """Successful top-up orders of a channel's business day: id → amount."""
        return await self._amounts(
            _TOPUP.c.topup_id,
            _TOPUP.c.amount_minor,
            and_(_TOPUP.c.settlement_date == day, _TOPUP.c.state == "succeeded"),
        )

    async def payment_orders(self, day: str, funding: str = BALANCE) -> dict[str, int]:
        """Payments of one funding that were captured on a business day: id → amount."""
        return await self._amounts(
            _PAYMENT.c.payment_id,
            _PAYMENT.c.amount_minor,
            and_(
                _PAYMENT.c.business_date == day,
                _PAYMENT.c.funding == funding,
                _PAYMENT.c.state.in_([state.value for state in PAID_STATES]),
            ),
        )

    async def refund_orders(self, day: str) -> dict[str, int]:
        """Refunds to balances that succeeded on a business day: id → amount."""
        return await self._amounts(
            _REFUND.c.refund_id,
            _REFUND.c.amount_minor,
            and_(
                _REFUND.c.business_date == day,
                _REFUND.c.funding == BALANCE,
                _REFUND.c.state == "succeeded",
            ),
        )

    async def channel_refund_orders(self, day: str) -> dict[str, int]:
        """Refunds through channels that began on a business day and were not refused."""
        return await self._amounts(
            _REFUND.c.refund_id,
            _REFUND.c.amount_minor,
            and_(
                _REFUND.c.business_date == day,
                _REFUND.c.funding != BALANCE,
                _REFUND.c.state != "failed",
            ),
        )

    async def channel_orders(self, channel_id: str, day: str) -> dict[str, int]:
        """What a channel has told us it moved on one of its days, and what it keeps back there of
        lost disputes: id → signed amount."""
        settled = (SagaState.SUCCEEDED.value, SagaState.SETTLED.value)
        taking = [kind.value for kind in TAKING]
        signed = case(
            (_SAGA.c.kind.in_(taking), _SAGA.c.amount_minor),
            else_=-_SAGA.c.amount_minor,
        )
        query = select(_SAGA.c.saga_id, signed.label("signed_minor")).where(
            _SAGA.c.channel_id == channel_id,
            _SAGA.c.settlement_date == day,
            _SAGA.c.state.in_(settled),
        )
        rows = self._whole(query, _SAGA.c.saga_id)
        found = {row["saga_id"]: int(row["signed_minor"]) async for row in rows}
        return found | await self._charged_back(channel_id, day)

    async def channel_balance(self, channel_id: str, day: str, currency: str) -> int:
        """What a channel still owes for one of its days, by our books."""
        return await self._balance(chart.channel(channel_id, day, currency))

    async def posted(
        self, rule: str, *, account_prefixes: Sequence[str], day: str
    ) -> dict[str, int]:
        """What a posting rule moved on accounts on a business day: event id → amount, over all of
        the event's legs (a refund may come out of several accounts).

        ``account_prefixes`` name the accounts, on the debit or the credit side of a leg.
        """
        side = or_(
            *(
                column.like(f"{prefix}%")
                for prefix in account_prefixes
                for column in (_TRANSFER.c.debit, _TRANSFER.c.credit)
            )
        )
        query = select(_TRANSFER.c.id, _TRANSFER.c.amount_minor).where(
            _TRANSFER.c.rule == rule,
            _TRANSFER.c.business_date == day,
            _TRANSFER.c.kind.in_(["posted", "post"]),
            side,
        )
        undone = await self._reversed_since(day)
        found: dict[str, int] = defaultdict(int)
        async for row in self._whole(query, _TRANSFER.c.id):
            event_id = row["id"].rpartition(":")[0]
            if event_id not in undone:
                found[event_id] += row["amount_minor"]
        return found

    async def reserve_movements(self, day: str, currency: str) -> dict[str, int]:
        """What we posted on RESERVE on a bank's booking day: the statement's reference → signed
        amount. An event ``<reference>.<step>`` mirrors the entry ``<reference>``."""
        reserve = chart.client("RESERVE", currency)
        signed = case(
            (_TRANSFER.c.debit == reserve, _TRANSFER.c.amount_minor),
            else_=-_TRANSFER.c.amount_minor,
        )
        query = (
            select(_TRANSFER.c.id, signed.label("amount_minor"))
            .where(_TRANSFER.c.business_date == day)
            .where(or_(_TRANSFER.c.debit == reserve, _TRANSFER.c.credit == reserve))
        )
        found: dict[str, int] = {}
        async for row in self._whole(query, _TRANSFER.c.id):
            reference = row["id"].rpartition(":")[0].split(".")[0]
            found[reference] = found.get(reference, 0) + row["amount_minor"]
        return found

    async def reserve_balance(self, currency: str) -> int:
        """Our RESERVE balance now."""
        return await self._balance(chart.client("RESERVE", currency))

    async def breaks(self, day: str, run: int) -> list[Row]:
        """What a run found."""
        return await self._reader.fetch(
            select(_BREAK)
            .where(_BREAK.c.business_date == day, _BREAK.c.run == run)
            .order_by(_BREAK.c.number)
        )

    async def _charged_back(self, channel_id: str, day: str) -> dict[str, int]:
        """Disputes lost to a channel on one of its days: id → what went back, below zero."""
        return await self._amounts(
            _DISPUTE.c.dispute_id,
            (-_DISPUTE.c.amount_minor).label("amount_minor"),
            and_(
                _DISPUTE.c.state == DisputeState.LOST.value,
                _DISPUTE.c.settlement_date == day,
                _DISPUTE.c.channel_id == channel_id,
            ),
        )

    async def _balance(self, account_id: str) -> int:
        rows = await self._reader.fetch(select(_ACCOUNT).where(_ACCOUNT.c.id == account_id))
        return model.balance(rows[0]) if rows else 0

    async def _amounts(self, key: Any, amount: Any, where: ColumnElement[bool]) -> dict[str, int]:  # noqa: ANN401
        query = select(key, amount).where(where)
        return {row[key.name]: row[amount.name] async for row in self._whole(query, key)}

    async def _reversed_since(self, day: str) -> set[str]:
        """The events that were undone; a reversal is never earlier than what it undoes."""
        query = select(_TRANSFER.c.id, _TRANSFER.c.refers_to).where(
            _TRANSFER.c.rule == "reversed",
            _TRANSFER.c.business_date >= day,
            _TRANSFER.c.refers_to.like("%:1"),
        )
        return {
            row["refers_to"].rpartition(":")[0] async for row in self._whole(query, _TRANSFER.c.id)
        }

    async def _whole(self, query: Select[Any], key: ColumnElement[Any]) -> AsyncIterator[Row]:
        count = 0
        async for page in self._reader.pages(query, key):
            count += len(page)
            if count > EVENTS_PER_DAY_MAX:
                raise OperatingError("answer_too_large", f"more than {EVENTS_PER_DAY_MAX} a day")
            for row in page:
                yield row
