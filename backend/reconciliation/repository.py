"""Our side of the comparison: orders and postings of a day, all of them.

A part of a day would give false breaks and hide true ones, so a day is read page by page to its
end, and no more than a page of it is in memory.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_, union_all

from backend.clearing.model import stated_transfers
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.disputes.model import DisputeState
from backend.disputes.tables import Dispute
from backend.instruments.model import BALANCE, HOUSE, KEPT_HERE, OFFLINE
from backend.ledger import chart, model
from backend.ledger.tables import LedgerAccount, LedgerTransfer
from backend.payments.tables import Payment
from backend.reconciliation import breaks
from backend.reconciliation.limits import BREAKS_PER_CHANNEL_DAY_MAX
from backend.reconciliation.match import Known
from backend.reconciliation.sides import Side
from backend.reconciliation.tables import (
    ReconciliationBreak,
    ReconciliationCase,
    ReconciliationCaseEvent,
)
from backend.refunds.tables import Refund
from backend.sagas.model import OPEN_STATES, TAKING, SagaState
from backend.sagas.tables import Saga
from backend.topups.tables import TopUp
from backend.withdrawals.tables import Withdrawal
from protocol.payment import PAID_STATES

_ACCOUNT = LedgerAccount.__table__  # type: ignore[attr-defined]
_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_PAYMENT = Payment.__table__  # type: ignore[attr-defined]
_REFUND = Refund.__table__  # type: ignore[attr-defined]
_SAGA = Saga.__table__  # type: ignore[attr-defined]
_DISPUTE = Dispute.__table__  # type: ignore[attr-defined]
_TOPUP = TopUp.__table__  # type: ignore[attr-defined]
_WITHDRAWAL = Withdrawal.__table__  # type: ignore[attr-defined]
_BREAK = ReconciliationBreak.__table__  # type: ignore[attr-defined]
_CASE = ReconciliationCase.__table__  # type: ignore[attr-defined]
_CASE_EVENT = ReconciliationCaseEvent.__table__  # type: ignore[attr-defined]
_CASE_TOLD = (
    *_CASE.c,
    select(func.count())
    .where(
        _CASE_EVENT.c.break_id == _CASE.c.break_id,
        _CASE_EVENT.c.event == breaks.BreakEvent.KEPT.value,
    )
    .scalar_subquery()
    .label("refusals"),
)
"""A break, and how often its channel has refused to give its money back."""
_SETTLED = (SagaState.SUCCEEDED.value, SagaState.SETTLED.value)
_OPEN = [state.value for state in OPEN_STATES]
_OPEN_CASES = [state.value for state in breaks.OPEN_STATES]
_SIGNED = case(
    (_SAGA.c.kind.in_([kind.value for kind in TAKING]), _SAGA.c.amount_minor),
    else_=-_SAGA.c.amount_minor,
)
_GIVEN = -_DISPUTE.c.amount_minor

_OTHER_FUNDINGS = (BALANCE, OFFLINE, HOUSE, "fund", "advance", "ecny")
"""Those with a posting rule of their own, beside the one that cards have."""


class ReconciliationRepository:
    """Reads one day of our books."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def topup_orders(self, day: str) -> AsyncIterator[list[Side]]:
        """Successful top-up orders of a channel's business day."""
        where = and_(_TOPUP.c.settlement_date == day, _TOPUP.c.state == "succeeded")
        async for some in self._orders(_TOPUP.c.topup_id, _TOPUP.c.amount_minor, where):
            yield some

    async def payment_orders(self, day: str, funding: str = BALANCE) -> AsyncIterator[list[Side]]:
        """Payments of one funding that were captured on a business day."""
        where = and_(
            _PAYMENT.c.business_date == day,
            _PAYMENT.c.funding == funding,
            _PAYMENT.c.state.in_([state.value for state in PAID_STATES]),
        )
        async for some in self._orders(_PAYMENT.c.payment_id, _PAYMENT.c.amount_minor, where):
            yield some

    async def card_orders(self, day: str) -> AsyncIterator[list[Side]]:
        """Payments through a channel that owes us the money (cards, other wallets) that were
        captured on a business day."""
        where = and_(
            _PAYMENT.c.business_date == day,
            _PAYMENT.c.funding.not_in(_OTHER_FUNDINGS),
            _PAYMENT.c.state.in_([state.value for state in PAID_STATES]),
        )
        async for some in self._orders(_PAYMENT.c.payment_id, _PAYMENT.c.amount_minor, where):
            yield some

    async def withdrawal_orders(self, day: str) -> AsyncIterator[list[Side]]:
        """Withdrawals that began on a business day; what is rejected is given back by a posting of
        its own."""
        key, amount = _WITHDRAWAL.c.withdrawal_id, _WITHDRAWAL.c.amount_minor
        async for some in self._orders(key, amount, _WITHDRAWAL.c.business_date == day):
            yield some

    async def refund_orders(self, day: str) -> AsyncIterator[list[Side]]:
        """Refunds to balances that succeeded on a business day."""
        where = and_(
            _REFUND.c.business_date == day,
            _REFUND.c.funding == BALANCE,
            _REFUND.c.state == "succeeded",
        )
        async for some in self._orders(_REFUND.c.refund_id, _REFUND.c.amount_minor, where):
            yield some

    async def channel_refund_orders(self, day: str) -> AsyncIterator[list[Side]]:
        """Refunds through channels that began on a business day and were not refused."""
        where = and_(
            _REFUND.c.business_date == day,
            _REFUND.c.funding.not_in(KEPT_HERE),
            _REFUND.c.state != "failed",
        )
        async for some in self._orders(_REFUND.c.refund_id, _REFUND.c.amount_minor, where):
            yield some

    async def channel_orders(self, channel_id: str, day: str) -> AsyncIterator[list[Side]]:
        """What a channel has told us it moved on one of its days, and what it keeps back there of
        lost disputes, signed."""
        moved, lost = _on(channel_id, [day])
        async for some in self._orders(_SAGA.c.saga_id, _SIGNED.label("amount_minor"), moved):
            yield some
        async for some in self._orders(_DISPUTE.c.dispute_id, _GIVEN.label("amount_minor"), lost):
            yield some

    async def channel_nets(self, channel_id: str, days: Sequence[str]) -> dict[str, int]:
        """The sum of ``channel_orders`` of each day that has any."""
        moved, lost = _on(channel_id, days)
        day, signed = _SAGA.c.settlement_date.label("day"), _SIGNED.label("signed_minor")
        both = union_all(
            select(day, signed).where(moved),
            select(_DISPUTE.c.settlement_date, _GIVEN).where(lost),
        ).subquery()
        query = select(both.c.day, func.sum(both.c.signed_minor).label("net")).group_by(both.c.day)
        return {row["day"]: int(row["net"]) for row in await self._reader.fetch(query)}

    async def known(self, channel_id: str, references: Sequence[str]) -> dict[str, Known]:
        """What our books know of references, whatever their day and state."""
        sagas = select(
            _SAGA.c.saga_id.label("reference"),
            _SIGNED.label("signed_minor"),
            _SAGA.c.currency,
            _SAGA.c.settlement_date,
            _SAGA.c.state,
        ).where(_SAGA.c.channel_id == channel_id, _SAGA.c.saga_id.in_(references))
        disputes = select(
            _DISPUTE.c.dispute_id.label("reference"),
            (-_DISPUTE.c.amount_minor).label("signed_minor"),
            _DISPUTE.c.currency,
            _DISPUTE.c.settlement_date,
            _DISPUTE.c.state,
        ).where(_DISPUTE.c.channel_id == channel_id, _DISPUTE.c.dispute_id.in_(references))
        asked = await self._reader.fetch(sagas)
        disputed = await self._reader.fetch(disputes)
        found = {
            row["reference"]: _known(row, settled=_SETTLED, is_open=row["state"] in _OPEN)
            for row in asked
        }
        lost = DisputeState.LOST.value
        for row in disputed:
            found[row["reference"]] = _known(row, settled=(lost,), is_for_people=True)
        return found

    async def channel_moved(self, channel_id: str, day: str, currency: str) -> int:
        """What stands on a channel's date, by our books, without what was posted for breaks."""
        account = chart.channel(channel_id, day, currency)
        signed = case(
            (_TRANSFER.c.debit == account, _TRANSFER.c.amount_minor),
            else_=-_TRANSFER.c.amount_minor,
        )
        query = select(func.coalesce(func.sum(signed), 0).label("moved")).where(
            or_(_TRANSFER.c.debit == account, _TRANSFER.c.credit == account),
            _TRANSFER.c.kind.in_(["posted", "post"]),
            _TRANSFER.c.id.not_like("brk!_%", escape="!"),
        )
        return int((await self._reader.fetch(query))[0]["moved"])

    async def settled(self, references: Sequence[str]) -> dict[str, int]:
        """What the settlement of each has brought, negative where it took; 0 while neither."""
        of = {each: one for one in references for each in stated_transfers(one)}
        query = select(_TRANSFER.c.id, _TRANSFER.c.debit, _TRANSFER.c.amount_minor)
        found = dict.fromkeys(references, 0)
        for row in await self._reader.fetch(query.where(_TRANSFER.c.id.in_(of))):
            brought = chart.account(row["debit"]).code in {"RESERVE", "OWN"}
            found[of[row["id"]]] += row["amount_minor"] if brought else -row["amount_minor"]
        return found

    async def posted(
        self, rule: str, *, account_prefixes: Sequence[str], day: str
    ) -> AsyncIterator[list[Side]]:
        """What a posting rule moved on accounts on a business day: a row for each leg, under its
        event's id (a refund may come out of several accounts).

        ``account_prefixes`` name the accounts, on the debit or the credit side of a leg.
        """
        side = or_(
            *(
                column.like(f"{prefix}%")
                for prefix in account_prefixes
                for column in (_TRANSFER.c.debit, _TRANSFER.c.credit)
            )
        )
        query = select(_TRANSFER.c.id, _TRANSFER.c.amount_minor, _TRANSFER.c.currency).where(
            _TRANSFER.c.rule == rule,
            _TRANSFER.c.business_date == day,
            _TRANSFER.c.kind.in_(["posted", "post"]),
            side,
        )
        async for page in self._reader.pages(query, _TRANSFER.c.id):
            yield [
                Side(row["id"].rpartition(":")[0], row["amount_minor"], row["currency"])
                for row in page
            ]

    async def reversed_since(self, day: str) -> AsyncIterator[str]:
        """The events that were undone; a reversal is never earlier than what it undoes."""
        query = select(_TRANSFER.c.id, _TRANSFER.c.refers_to).where(
            _TRANSFER.c.rule == "reversed",
            _TRANSFER.c.business_date >= day,
            _TRANSFER.c.refers_to.like("%:1"),
        )
        async for page in self._reader.pages(query, _TRANSFER.c.id):
            for row in page:
                yield row["refers_to"].rpartition(":")[0]

    async def reserve_movements(self, day: str, currency: str) -> AsyncIterator[list[Side]]:
        """What we posted on RESERVE on a bank's booking day, under the statement's reference. An
        event ``<reference>.<step>`` mirrors the entry ``<reference>``."""
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
        async for page in self._reader.pages(query, _TRANSFER.c.id):
            yield [
                Side(row["id"].rpartition(":")[0].split(".")[0], row["amount_minor"], currency)
                for row in page
            ]

    async def reserve_balance(self, currency: str) -> int:
        """Our RESERVE balance now."""
        return await self._balance(chart.client("RESERVE", currency))

    async def cases(self, source: str, references: Sequence[str]) -> list[Row]:
        """The breaks of some references of a source, whatever their state."""
        where = (_CASE.c.source == source, _CASE.c.reference.in_(references))
        return await self._reader.fetch(select(_CASE).where(*where).order_by(_CASE.c.break_id))

    async def taken(self, break_id: str) -> Row:
        """A break without its timeline."""
        [row] = await self._reader.fetch(select(_CASE).where(_CASE.c.break_id == break_id))
        return row

    async def numbers(self, channel_id: str, references: Sequence[str]) -> dict[str, str]:
        """The channel's own numbers of orders of ours, by our ids, as it has told us."""
        query = select(_SAGA.c.saga_id, _SAGA.c.reference).where(
            _SAGA.c.channel_id == channel_id, _SAGA.c.saga_id.in_(references)
        )
        return {row["saga_id"]: row["reference"] for row in await self._reader.fetch(query)}

    async def long_cases(self, before: str) -> list[Row]:
        """What stands in LONG and whose time in the pool would be over, oldest first."""
        query = (
            select(_CASE)
            .where(
                _CASE.c.state == breaks.BreakState.POSTED.value,
                _CASE.c.pool_until <= before,
                _CASE.c.kind.in_([kind.value for kind in breaks.RETURNED_WHEN_AGED]),
            )
            .order_by(_CASE.c.business_date, _CASE.c.break_id)
        )
        return await self._reader.fetch(query.limit(BREAKS_PER_CHANNEL_DAY_MAX))

    async def open_cases(
        self, *, before: str = "", day: str = "", limit: int = BREAKS_PER_CHANNEL_DAY_MAX
    ) -> list[Row]:
        """Breaks that are not over, oldest first: of one business date, or pooled until before
        another."""
        query = select(*_CASE_TOLD).where(_CASE.c.state.in_(_OPEN_CASES))
        if before:
            query = query.where(_CASE.c.state == "pooled", _CASE.c.pool_until <= before)
        if day:
            query = query.where(_CASE.c.business_date == day)
        ordered = query.order_by(_CASE.c.business_date, _CASE.c.break_id)
        return await self._reader.fetch(ordered.limit(limit))

    async def figures(self) -> list[Row]:
        """Breaks that are not over, by state: how many, and since when the oldest."""
        columns = (func.count().label("count"), func.min(_CASE.c.found_at_ms).label("oldest_ms"))
        query = select(_CASE.c.state, *columns).where(_CASE.c.state.in_(_OPEN_CASES))
        return await self._reader.fetch(query.group_by(_CASE.c.state))

    async def open_page(
        self, *, after: tuple[str, str] | None, is_newest_first: bool, limit: int
    ) -> list[Row]:
        """Breaks that are not over, by business date and name; those behind ``after``, which is the
        date and the name of the last one seen."""
        query = select(*_CASE_TOLD).where(_CASE.c.state.in_(_OPEN_CASES))
        key = tuple_(_CASE.c.business_date, _CASE.c.break_id)
        if after is not None:
            query = query.where(key < after if is_newest_first else key > after)
        columns = (_CASE.c.business_date, _CASE.c.break_id)
        order = [one.desc() for one in columns] if is_newest_first else list(columns)
        return await self._reader.fetch(query.order_by(*order).limit(limit))

    async def of_merchant(
        self, merchant_id: str, *, after: tuple[str, str] | None, limit: int
    ) -> list[Row]:
        """Breaks, open or over, that are about a payment or a refund of this merchant's, each with
        its ``payment_id``, the newest first; those behind ``after``, which is the date and the name
        of the last one seen."""
        own = [
            select(*_CASE_TOLD, _PAYMENT.c.payment_id)
            .join(_PAYMENT, _PAYMENT.c.payment_id == _CASE.c.reference)
            .where(_PAYMENT.c.merchant_id == merchant_id),
            select(*_CASE_TOLD, _REFUND.c.payment_id)
            .join(_REFUND, _REFUND.c.refund_id == _CASE.c.reference)
            .where(_REFUND.c.merchant_id == merchant_id),
        ]
        found = union_all(*own).subquery()
        query = select(found)
        key = tuple_(found.c.business_date, found.c.break_id)
        if after is not None:
            query = query.where(key < after)
        ordered = query.order_by(found.c.business_date.desc(), found.c.break_id.desc())
        return await self._reader.fetch(ordered.limit(limit))

    async def case(self, break_id: str) -> Row | None:
        """A break and its timeline."""
        rows = await self._reader.fetch(select(*_CASE_TOLD).where(_CASE.c.break_id == break_id))
        if not rows:
            return None
        events = select(_CASE_EVENT).where(_CASE_EVENT.c.break_id == break_id)
        timeline = await self._reader.fetch(events.order_by(_CASE_EVENT.c.number))
        return {**rows[0], "timeline": timeline}

    async def breaks(self, day: str, run: int) -> list[Row]:
        """What a run found."""
        return await self._reader.fetch(
            select(_BREAK)
            .where(_BREAK.c.business_date == day, _BREAK.c.run == run)
            .order_by(_BREAK.c.number)
        )

    async def _balance(self, account_id: str) -> int:
        rows = await self._reader.fetch(select(_ACCOUNT).where(_ACCOUNT.c.id == account_id))
        return model.balance(rows[0]) if rows else 0

    async def _orders(
        self,
        key: Any,  # noqa: ANN401
        amount: Any,  # noqa: ANN401
        where: ColumnElement[bool],
    ) -> AsyncIterator[list[Side]]:
        currency = key.table.c.currency
        query = select(key, amount, currency).where(where)
        async for page in self._reader.pages(query, key):
            yield [Side(row[key.name], int(row["amount_minor"]), row["currency"]) for row in page]


def _on(channel_id: str, days: Sequence[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What a channel moved on its days, and the disputes lost there."""
    is_settled, is_lost = _SAGA.c.state.in_(_SETTLED), _DISPUTE.c.state == DisputeState.LOST.value
    return (
        and_(_SAGA.c.channel_id == channel_id, _SAGA.c.settlement_date.in_(days), is_settled),
        and_(_DISPUTE.c.channel_id == channel_id, _DISPUTE.c.settlement_date.in_(days), is_lost),
    )


def _known(
    row: Row, *, settled: Sequence[str], is_open: bool = False, is_for_people: bool = False
) -> Known:
    return Known(
        Side(row["reference"], int(row["signed_minor"]), row["currency"]),
        row["settlement_date"],
        is_settled=row["state"] in settled,
        is_open=is_open,
        is_for_people=is_for_people,
    )
