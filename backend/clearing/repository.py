"""Questions of the clearing, outside commands."""

from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from backend.clearing.bill import BillLine
from backend.clearing.limits import MERCHANTS_PER_RUN_MAX, PAYOUTS_PER_RUN_MAX
from backend.clearing.model import OPEN_STATES
from backend.clearing.tables import ClearingDay, Payout, Settlement, Sweep
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger.tables import LedgerAccount, LedgerTransfer
from backend.payments.tables import Payment
from backend.refunds.tables import Refund
from protocol.payment import PAID_STATES

_ACCOUNT = LedgerAccount.__table__  # type: ignore[attr-defined]
_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_PAYMENT = Payment.__table__  # type: ignore[attr-defined]
_REFUND = Refund.__table__  # type: ignore[attr-defined]
_PAYOUT = Payout.__table__  # type: ignore[attr-defined]
_SETTLEMENT = Settlement.__table__  # type: ignore[attr-defined]
_SWEEP = Sweep.__table__  # type: ignore[attr-defined]
_DAY = ClearingDay.__table__  # type: ignore[attr-defined]


class ClearingRepository:
    """Reads the ledger for a day's run, and what earlier runs left."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def unsettled_merchants(self, day: str) -> list[Row]:
        """``{merchant_id, currency, earned_minor}`` of every merchant that a run of this day
        concerns: what postings up to the day left pending, or anything that is available."""
        effects = self._effects(day).subquery()
        earned = func.coalesce(func.sum(effects.c.effect), 0)
        query = (
            select(
                _ACCOUNT.c.owner.label("merchant_id"),
                _ACCOUNT.c.currency,
                earned.label("earned_minor"),
            )
            .select_from(_ACCOUNT.outerjoin(effects, effects.c.account == _ACCOUNT.c.id))
            .where(_ACCOUNT.c.book == "C", _ACCOUNT.c.code == "MPEND")
            .where(~self._is_settled(day))
            .group_by(_ACCOUNT.c.owner, _ACCOUNT.c.currency)
            .order_by(_ACCOUNT.c.owner)
            .limit(MERCHANTS_PER_RUN_MAX)
        )
        rows = await self._reader.fetch(query)
        return [{**row, "earned_minor": int(row["earned_minor"])} for row in rows]

    async def open_payouts(self) -> list[Row]:
        """Payouts whose end we do not know."""
        states = [state.value for state in OPEN_STATES]
        return await self._reader.fetch(
            select(_PAYOUT)
            .where(_PAYOUT.c.state.in_(states))
            .order_by(_PAYOUT.c.payout_id)
            .limit(PAYOUTS_PER_RUN_MAX)
        )

    async def payouts_of(self, day: str) -> list[Row]:
        """The payouts made of one business day."""
        return await self._reader.fetch(
            select(_PAYOUT).where(_PAYOUT.c.business_date == day).order_by(_PAYOUT.c.payout_id)
        )

    async def open_sweeps(self) -> list[Row]:
        """Sweeps whose end we do not know."""
        states = [state.value for state in OPEN_STATES]
        return await self._reader.fetch(select(_SWEEP).where(_SWEEP.c.state.in_(states)))

    async def sweep_of(self, day: str, currency: str) -> Row | None:
        """The sweep of one day."""
        rows = await self._reader.fetch(
            select(_SWEEP).where(_SWEEP.c.business_date == day, _SWEEP.c.currency == currency)
        )
        return rows[0] if rows else None

    async def bill_lines(self, merchant_id: str, day: str) -> list[BillLine]:
        """A merchant's payments and refunds of one business day, in the order of time."""
        paid = await self._reader.fetch(
            select(_PAYMENT).where(
                _PAYMENT.c.merchant_id == merchant_id,
                _PAYMENT.c.business_date == day,
                _PAYMENT.c.state.in_([state.value for state in PAID_STATES]),
            )
        )
        refunds = await self._reader.fetch(
            select(_REFUND).where(
                _REFUND.c.merchant_id == merchant_id,
                _REFUND.c.business_date == day,
                _REFUND.c.state == "succeeded",
            )
        )
        lines = [_paid_line(row) for row in paid] + [_refund_line(row) for row in refunds]
        return sorted(lines, key=lambda line: (line.at_ms, line.payment_id, line.refund_id))

    async def day(self, day: str) -> Row | None:
        """The last run's report of a day."""
        rows = await self._reader.fetch(select(_DAY).where(_DAY.c.business_date == day))
        return rows[0] if rows else None

    def _effects(self, day: str) -> Select[Any]:
        """What each posting up to a day did to a merchant's pending account."""
        amount = _TRANSFER.c.amount_minor
        touched: ColumnElement[str] = case(
            (_TRANSFER.c.credit.like("C:MPEND:%"), _TRANSFER.c.credit), else_=_TRANSFER.c.debit
        )
        return select(
            touched.label("account"),
            case((touched == _TRANSFER.c.credit, amount), else_=-amount).label("effect"),
        ).where(
            _TRANSFER.c.business_date <= day,
            _TRANSFER.c.kind.in_(["posted", "post"]),
            or_(_TRANSFER.c.credit.like("C:MPEND:%"), _TRANSFER.c.debit.like("C:MPEND:%")),
        )

    def _is_settled(self, day: str) -> ColumnElement[bool]:
        return (
            select(_SETTLEMENT.c.merchant_id)
            .where(_SETTLEMENT.c.merchant_id == _ACCOUNT.c.owner)
            .where(_SETTLEMENT.c.business_date == day)
            .exists()
        )


def _paid_line(row: Row) -> BillLine:
    return BillLine(
        at_ms=row["paid_at_ms"],
        kind="付款 payment",
        payment_id=row["payment_id"],
        refund_id="",
        amount_minor=row["amount_minor"],
        fee_minor=row["fee_minor"],
        description=row["description"],
    )


def _refund_line(row: Row) -> BillLine:
    return BillLine(
        at_ms=row["created_at_ms"],
        kind="退款 refund",
        payment_id=row["payment_id"],
        refund_id=row["refund_id"],
        amount_minor=-row["amount_minor"],
        fee_minor=-row["fee_returned_minor"],
        description=row["reason"],
    )
