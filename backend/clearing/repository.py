"""Questions of the clearing, outside commands. A list is always the whole of it, read in pages."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from backend.clearing.bill import BillLine
from backend.clearing.model import OPEN_STATES
from backend.clearing.tables import ClearingDay, Payout, Settlement, Sweep
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger import chart, model
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
                _ACCOUNT.c.id,
                _ACCOUNT.c.owner.label("merchant_id"),
                _ACCOUNT.c.currency,
                earned.label("earned_minor"),
            )
            .select_from(_ACCOUNT.outerjoin(effects, effects.c.account == _ACCOUNT.c.id))
            .where(_ACCOUNT.c.book == "C", _ACCOUNT.c.code == "MPEND")
            .where(~self._is_settled(day))
            .group_by(_ACCOUNT.c.id, _ACCOUNT.c.owner, _ACCOUNT.c.currency)
        )
        rows = await self._whole(query, _ACCOUNT.c.id)
        return [{**row, "earned_minor": int(row["earned_minor"])} for row in rows]

    async def open_payouts(self) -> list[Row]:
        """Payouts whose end we do not know."""
        states = [state.value for state in OPEN_STATES]
        query = select(_PAYOUT).where(_PAYOUT.c.state.in_(states))
        return await self._whole(query, _PAYOUT.c.payout_id)

    async def payouts_of(self, day: str) -> list[Row]:
        """The payouts made of one business day."""
        query = select(_PAYOUT).where(_PAYOUT.c.business_date == day)
        return await self._whole(query, _PAYOUT.c.payout_id)

    async def open_sweeps(self) -> list[Row]:
        """Sweeps whose end we do not know."""
        states = [state.value for state in OPEN_STATES]
        query = select(_SWEEP).where(_SWEEP.c.state.in_(states))
        return await self._whole(query, _SWEEP.c.sweep_id)

    async def sweep_of(self, day: str, currency: str) -> Row | None:
        """The sweep of one day."""
        rows = await self._reader.fetch(
            select(_SWEEP).where(_SWEEP.c.business_date == day, _SWEEP.c.currency == currency)
        )
        return rows[0] if rows else None

    async def sweepable(self, day: str, currency: str) -> int:
        """The fees that may leave the reserve after a day: earned up to it, less all that was
        given back or swept until now. Fees of later days stay, because refunds may want them.
        Negative when the account itself is: then own money must come back."""
        unswept = chart.client("UNSWEPT", currency)
        credit, debit = _TRANSFER.c.credit == unswept, _TRANSFER.c.debit == unswept
        amount = _TRANSFER.c.amount_minor
        earned = case((and_(credit, _TRANSFER.c.business_date <= day), amount), else_=0)
        rows = await self._reader.fetch(
            select(
                func.coalesce(func.sum(earned), 0).label("earned"),
                func.coalesce(func.sum(case((debit, amount), else_=0)), 0).label("gone"),
                func.coalesce(func.sum(case((credit, amount), else_=-amount)), 0).label("left"),
            ).where(or_(credit, debit))
        )
        sums = {name: int(value) for name, value in rows[0].items()}
        return max(sums["earned"] - sums["gone"], 0) if sums["left"] >= 0 else sums["left"]

    async def channel_settled(self, reference: str) -> int:
        """What a channel's settlement has brought into the reserve; 0 while it has not."""
        query = select(_TRANSFER.c.amount_minor).where(_TRANSFER.c.id == f"{reference}:1")
        rows = await self._reader.fetch(query)
        return int(rows[0]["amount_minor"]) if rows else 0

    async def clients_short(self, currency: str) -> int:
        """By how much clients' money is more than what is there for it: UNSWEPT below zero."""
        unswept = chart.client("UNSWEPT", currency)
        rows = await self._reader.fetch(select(_ACCOUNT).where(_ACCOUNT.c.id == unswept))
        return max(-model.balance(rows[0]), 0) if rows else 0

    async def earliest_open_day(self, before: str) -> str | None:
        """The first business day with payments that no run has closed, earlier than ``before``."""
        is_closed = (
            select(_DAY.c.business_date)
            .where(_DAY.c.business_date == _PAYMENT.c.business_date, _DAY.c.state == "closed")
            .exists()
        )
        rows = await self._reader.fetch(
            select(func.min(_PAYMENT.c.business_date).label("day"))
            .where(_PAYMENT.c.business_date < before, ~is_closed)
            .where(_PAYMENT.c.state.in_([state.value for state in PAID_STATES]))
        )
        found: str | None = rows[0]["day"]
        return found

    async def bill_lines(self, merchant_id: str, day: str) -> list[BillLine]:
        """A merchant's payments and refunds of one business day, in the order of time."""
        paid = select(_PAYMENT).where(
            _PAYMENT.c.merchant_id == merchant_id,
            _PAYMENT.c.business_date == day,
            _PAYMENT.c.state.in_([state.value for state in PAID_STATES]),
        )
        refunds = select(_REFUND).where(
            _REFUND.c.merchant_id == merchant_id,
            _REFUND.c.business_date == day,
            _REFUND.c.state == "succeeded",
        )
        lines = [_paid_line(row) for row in await self._whole(paid, _PAYMENT.c.payment_id)]
        given_back = await self._whole(refunds, _REFUND.c.refund_id)
        lines += [_refund_line(row) for row in given_back]
        return sorted(lines, key=lambda line: (line.at_ms, line.payment_id, line.refund_id))

    async def day(self, day: str) -> Row | None:
        """The last run's report of a day."""
        rows = await self._reader.fetch(select(_DAY).where(_DAY.c.business_date == day))
        return rows[0] if rows else None

    async def _whole(self, query: Select[Any], key: ColumnElement[Any]) -> list[Row]:
        return [row async for page in self._reader.pages(query, key) for row in page]

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
