"""What the bills ask of the books, on one snapshot. Long answers are streams: few rows at a time
are in memory, however long the day was."""

import heapq
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from backend.bills.fund_flow import Movement
from backend.bills.limits import PAYOUTS_PER_STATEMENT_MAX
from backend.bills.settlement import CameBack, PaidOut, SettledPart
from backend.bills.trade import BillType, LineState, TradeLine, TradeTotals
from backend.clearing.model import RETURN_PREFIX
from backend.clearing.tables import ClearingDay, Payout, Settlement
from backend.db.limits import STREAM_ROWS_PER_FETCH
from backend.db.tables import Row
from backend.ledger import chart
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.limits import LEGS_PER_POST_MAX, STATEMENT_ENTRIES_MAX
from backend.ledger.repository import LedgerRepository
from backend.ledger.statements import Place, Statements
from backend.ledger.tables import LedgerTransfer
from backend.merchants.model import masked_account
from backend.merchants.service import pending_owners
from backend.merchants.tables import FeePlanRow, Merchant
from backend.payments.tables import Payment, PaymentEvent
from backend.refunds.tables import Refund
from protocol.errors import OperatingError
from protocol.payment import Event, PaymentState

_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_PAYMENT = Payment.__table__  # type: ignore[attr-defined]
_EVENT = PaymentEvent.__table__  # type: ignore[attr-defined]
_REFUND = Refund.__table__  # type: ignore[attr-defined]
_PAYOUT = Payout.__table__  # type: ignore[attr-defined]
_SETTLEMENT = Settlement.__table__  # type: ignore[attr-defined]
_MERCHANT = Merchant.__table__  # type: ignore[attr-defined]
_PLAN = FeePlanRow.__table__  # type: ignore[attr-defined]
_DAY = ClearingDay.__table__  # type: ignore[attr-defined]
_SUMMED = ("amount_minor", "coupon_minor", "fee_minor")
_ACCEPTED, _REFUSED = _TRANSFER.alias("accepted"), _TRANSFER.alias("refused")


class Naming(Protocol):
    """Puts the numbers that a merchant's program knows on the lines of its bills. It changes no
    amount, keeps their order, and may leave out those that are not the asker's. ``connection`` is
    the bill's snapshot."""

    def trade(self, connection: Connection, lines: Iterator[TradeLine]) -> Iterator[TradeLine]:
        """A trade bill's lines, named."""
        ...

    def moves(self, connection: Connection, moves: Iterator[Movement]) -> Iterator[Movement]:
        """A fund-flow bill's movements, named."""
        ...


class BillRepository:
    """One moment of the books."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def is_closed(self, day: str) -> bool:
        """Whether the day's run has come to its end."""
        query = select(_DAY.c.state).where(_DAY.c.business_date == day)
        return self.connection.execute(query).scalar() == "closed"

    def merchant(self, merchant_id: str) -> Row | None:
        """A merchant's row."""
        query = select(_MERCHANT).where(_MERCHANT.c.merchant_id == merchant_id)
        found = self.connection.execute(query).mappings().first()
        return None if found is None else dict(found)

    def trade_lines(
        self, merchant_id: str, day: str, day_end_ms: int, bill_type: BillType
    ) -> Iterator[TradeLine]:
        """The day's payments and returns in the order of time, as they stood at its end."""
        streams: list[Iterator[TradeLine]] = []
        if bill_type is not BillType.REFUND:
            streams.append(_paid(row) for row in self._stream(_payments(merchant_id, day)))
        if bill_type is not BillType.SUCCESS:
            streams.append(_undone(row) for row in self._stream(_reversals(merchant_id, day)))
            refunds = self._refunds(merchant_id, day, day, lambda _: day_end_ms)
            streams.append(one for _, one in refunds)
        return heapq.merge(*streams, key=lambda one: (one.at_ms, one.payment_id, one.return_id))

    def day_totals(
        self, merchant_id: str, since: str, until: str, end_ms: Callable[[str], int]
    ) -> dict[str, TradeTotals]:
        """The trade bills' totals of each business date, from one to another, that has any: as
        their lines would add up to."""
        totals = {
            row["business_date"]: _totals(row)
            for row in self._few(_payment_sums(merchant_id, since, until))
        }
        for day, one in self._refunds(merchant_id, since, until, end_ms):
            totals.setdefault(day, TradeTotals()).add(one)
        return totals

    def _refunds(
        self, merchant_id: str, since: str, until: str, end_ms: Callable[[str], int]
    ) -> Iterator[tuple[str, TradeLine]]:
        for row in self._stream(_refunds(merchant_id, since, until)):
            day, refused_at = row["business_date"], row["refused_at_ms"]
            if refused_at is None:
                yield day, _refunded(row, end_ms(day))
            elif refused_at >= end_ms(day):
                yield day, _refunded({**row, **self._begun_with(row["refund_id"])}, end_ms(day))

    def _begun_with(self, refund_id: str) -> Row:
        """The fee and the coupon's part that a refund gave back when it was begun. The channel has
        refused it since, and its row does not tell them any more; the ledger does."""
        ids = [f"{refund_id}:{leg}" for leg in range(1, LEGS_PER_POST_MAX + 1)]
        columns = (_TRANSFER.c.debit, _TRANSFER.c.credit, _TRANSFER.c.amount_minor)
        found = {"fee_returned_minor": 0, "coupon_returned_minor": 0}
        for debit, credit, amount_minor in self.connection.execute(
            select(*columns).where(_TRANSFER.c.id.in_(ids))
        ):
            if chart.account(debit).code == "UNSWEPT":
                found["fee_returned_minor"] += amount_minor
            if chart.account(credit).code == "OWN_DUE":
                found["coupon_returned_minor"] += amount_minor
        return found

    def basic_account(
        self, merchant: Row, from_ms: int, to_ms: int
    ) -> tuple[int, Iterator[Movement]]:
        """What all of a merchant's accounts held at a time, and what moved them until another."""
        accounts = _accounts(merchant)
        books = Statements(LedgerRepository(self.connection), DerivedRepository(self.connection))
        opening = sum(books.balance(account, from_ms - 1).balance_minor for account in accounts)
        streams = [_moves(books, account, accounts, from_ms, to_ms) for account in accounts]
        return opening, heapq.merge(*streams, key=lambda one: one.at_ms)

    def closed_days(self, since: str, until: str) -> set[str]:
        """Which days, from one to another, are closed."""
        query = select(_DAY.c.business_date).where(
            _DAY.c.business_date.between(since, until), _DAY.c.state == "closed"
        )
        return set(self.connection.execute(query).scalars())

    def settled_through(self, merchant_id: str) -> str:
        """The latest business date of a merchant that a run has settled; empty: none."""
        query = select(func.max(_SETTLEMENT.c.business_date)).where(
            _SETTLEMENT.c.merchant_id == merchant_id
        )
        return self.connection.execute(query).scalar() or ""

    def settled(self, merchant_id: str, since: str, until: str) -> tuple[SettledPart, ...]:
        """What became available of everything due up to each day, from one to another."""
        query = select(_SETTLEMENT).where(
            _SETTLEMENT.c.merchant_id == merchant_id,
            _SETTLEMENT.c.business_date.between(since, until),
        )
        return tuple(
            SettledPart(
                business_date=row["business_date"],
                number=row["number"],
                amount_minor=row["amount_minor"],
            )
            for row in self._few(query.order_by(_SETTLEMENT.c.business_date, _SETTLEMENT.c.number))
        )

    def payouts(self, merchant_id: str, since: str, until: str) -> tuple[PaidOut, ...]:
        """The payouts of the runs of each day, from one to another, and those that the merchant
        asked for on it."""
        query = select(_PAYOUT).where(
            _PAYOUT.c.merchant_id == merchant_id, _PAYOUT.c.business_date.between(since, until)
        )
        return tuple(
            PaidOut(
                payout_id=row["payout_id"],
                business_date=row["business_date"],
                amount_minor=row["amount_minor"],
                execution_date=row["execution_date"],
                state=row["state"],
                reason=row["reason"],
                account=masked_account(row["account_no"]),
            )
            for row in self._few(query.order_by(_PAYOUT.c.payout_id))
        )

    def came_back(self, merchant_id: str, day: str) -> tuple[CameBack, ...]:
        """The payouts of whatever day that the bank refused or sent back on this one."""
        rejected = _PAYOUT.c.payout_id + ".rejected:1"
        returned = RETURN_PREFIX + _PAYOUT.c.payout_id + ":1"
        query = (
            select(_PAYOUT.c.payout_id, _PAYOUT.c.amount_minor, _TRANSFER.c.rule)
            .join(_TRANSFER, or_(_TRANSFER.c.id == rejected, _TRANSFER.c.id == returned))
            .where(_PAYOUT.c.merchant_id == merchant_id, _TRANSFER.c.business_date == day)
        )
        return tuple(
            CameBack(
                payout_id=row["payout_id"],
                amount_minor=row["amount_minor"],
                why=row["rule"].removeprefix("payout_"),
            )
            for row in self._few(query.order_by(_PAYOUT.c.payout_id))
        )

    def _stream(self, query: Select[Any]) -> Iterator[Row]:
        found = self.connection.execute(query.execution_options(yield_per=STREAM_ROWS_PER_FETCH))
        for row in found.mappings():
            yield dict(row)

    def _few(self, query: Select[Any]) -> list[Row]:
        found = self.connection.execute(query).mappings().fetchmany(PAYOUTS_PER_STATEMENT_MAX + 1)
        if len(found) > PAYOUTS_PER_STATEMENT_MAX:
            raise OperatingError("answer_too_large", f"more than {PAYOUTS_PER_STATEMENT_MAX} rows")
        return [dict(row) for row in found]


_OF_PAYMENT = (
    _PAYMENT.c.payment_id, _PAYMENT.c.merchant_id, _PAYMENT.c.method, _PAYMENT.c.payer_masked,
    _PAYMENT.c.paid_at_ms, func.coalesce(_PLAN.c.rate_bps, 0).label("rate_bps"),
)  # fmt: skip
_PLANNED = and_(
    _PLAN.c.merchant_id == _PAYMENT.c.merchant_id, _PLAN.c.version == _PAYMENT.c.fee_plan_version
)


def _payments(merchant_id: str, day: str) -> Select[Any]:
    return (
        select(
            *_OF_PAYMENT, _PAYMENT.c.device, _PAYMENT.c.store, _PAYMENT.c.funding,
            _PAYMENT.c.amount_minor, _PAYMENT.c.coupon_minor, _PAYMENT.c.fee_minor,
            _PAYMENT.c.description,
        )
        .outerjoin(_PLAN, _PLANNED)
        .where(
            _PAYMENT.c.merchant_id == merchant_id,
            _PAYMENT.c.business_date == day,
            _PAYMENT.c.paid_at_ms.is_not(None),
        )
        .order_by(_PAYMENT.c.paid_at_ms, _PAYMENT.c.payment_id)
    )  # fmt: skip


def _reversals(merchant_id: str, day: str) -> Select[Any]:
    """A paid payment is undone on its own day or never."""
    return (
        _payments(merchant_id, day)
        .add_columns(_EVENT.c.at_ms.label("undone_at_ms"))
        .join(
            _EVENT,
            and_(
                _EVENT.c.payment_id == _PAYMENT.c.payment_id,
                _EVENT.c.event == Event.REVERSED.value,
            ),
        )
        .order_by(None)
        .order_by(_EVENT.c.at_ms, _PAYMENT.c.payment_id)
    )


def _payment_sums(merchant_id: str, since: str, until: str) -> Select[Any]:
    """Added up by the database, so that a list of days costs no more than its lines."""
    undone = _PAYMENT.c.state == PaymentState.REVERSED.value
    sums = [func.sum(_PAYMENT.c[name]).label(name) for name in _SUMMED]
    sums += [
        func.sum(case((undone, _PAYMENT.c[name]), else_=0)).label(f"undone_{name}")
        for name in _SUMMED
    ]
    sums += [func.count().label("count"), func.sum(case((undone, 1), else_=0)).label("undone")]
    return (
        select(_PAYMENT.c.business_date, *sums)
        .where(
            _PAYMENT.c.merchant_id == merchant_id,
            _PAYMENT.c.business_date.between(since, until),
            _PAYMENT.c.paid_at_ms.is_not(None),
        )
        .group_by(_PAYMENT.c.business_date)
    )


def _refunds(merchant_id: str, since: str, until: str) -> Select[Any]:
    """All that were begun; not those that were refused before anything moved."""
    return (
        select(
            *_OF_PAYMENT, _REFUND.c.refund_id, _REFUND.c.business_date, _REFUND.c.device,
            _REFUND.c.store, _REFUND.c.funding, _REFUND.c.amount_minor,
            _REFUND.c.coupon_returned_minor, _REFUND.c.fee_returned_minor, _REFUND.c.reason,
            _REFUND.c.created_at_ms, _REFUND.c.state, _ACCEPTED.c.at_ms.label("accepted_at_ms"),
            _REFUSED.c.at_ms.label("refused_at_ms"),
        )
        .select_from(_REFUND)
        .join(_PAYMENT, _PAYMENT.c.payment_id == _REFUND.c.payment_id)
        .outerjoin(_PLAN, _PLANNED)
        .outerjoin(_ACCEPTED, _ACCEPTED.c.id == _REFUND.c.refund_id + ".accepted:1")
        .outerjoin(_REFUSED, _REFUSED.c.id == _REFUND.c.refund_id + ".refused:1")
        .where(
            _REFUND.c.merchant_id == merchant_id,
            _REFUND.c.business_date.between(since, until),
            or_(_REFUND.c.state != "failed", _REFUSED.c.id.is_not(None)),
        )
        .order_by(_REFUND.c.created_at_ms, _PAYMENT.c.payment_id, _REFUND.c.refund_id)
    )  # fmt: skip


def _line(row: Row, **changes: Any) -> TradeLine:  # noqa: ANN401  # the line's own fields
    return TradeLine(
        paid_at_ms=row["paid_at_ms"],
        merchant_id=row["merchant_id"],
        device=row["device"],
        payment_id=row["payment_id"],
        payer=row["payer_masked"] or "",
        method=row["method"],
        funding=row["funding"],
        amount_minor=row["amount_minor"],
        rate_bps=row["rate_bps"],
        attached=row["store"],
        **changes,
    )


def _totals(row: Row) -> TradeTotals:
    """PostgreSQL's sums of 64-bit integers are decimals."""
    sums = {name: int(value) for name, value in row.items() if name != "business_date"}
    return TradeTotals(
        count=sums["count"] + sums["undone"],
        returned_count=sums["undone"],
        paid_minor=sums["amount_minor"],
        coupon_minor=sums["coupon_minor"],
        fee_minor=sums["fee_minor"],
        returned_minor=sums["undone_amount_minor"],
        coupon_returned_minor=sums["undone_coupon_minor"],
        fee_returned_minor=sums["undone_fee_minor"],
    )


def _paid(row: Row) -> TradeLine:
    return _line(
        row,
        state=LineState.SUCCESS,
        at_ms=row["paid_at_ms"],
        coupon_minor=row["coupon_minor"],
        fee_minor=row["fee_minor"],
        description=row["description"],
    )


def _undone(row: Row) -> TradeLine:
    return _line(
        row,
        state=LineState.REVOKED,
        at_ms=row["undone_at_ms"],
        ended_at_ms=row["undone_at_ms"],
        coupon_minor=row["coupon_minor"],
        fee_minor=row["fee_minor"],
        return_id=row["payment_id"],
        description=row["description"],
    )


def _refunded(row: Row, day_end_ms: int) -> TradeLine:
    ended = row["accepted_at_ms"]
    if ended is None and row["state"] == "succeeded":
        ended = row["created_at_ms"]
    return _line(
        row,
        state=LineState.REFUND,
        at_ms=row["created_at_ms"],
        ended_at_ms=ended if ended is not None and ended < day_end_ms else None,
        coupon_minor=row["coupon_returned_minor"],
        fee_minor=row["fee_returned_minor"],
        return_id=row["refund_id"],
        description=row["reason"],
    )


def _accounts(merchant: Row) -> list[str]:
    currency = merchant["currency"]
    return [
        *(chart.merchant_pending(owner, currency) for owner in pending_owners(merchant)),
        chart.merchant_available(merchant["merchant_id"], currency),
    ]


def _moves(
    books: Statements, account: str, accounts: list[str], from_ms: int, to_ms: int
) -> Iterator[Movement]:
    """What moved one account; not what only went to or came from another of the same merchant."""
    after: Place | None = None
    while True:
        page = books.statement(account, from_ms, to_ms, after=after, limit=STATEMENT_ENTRIES_MAX)
        for entry in page.entries:
            if entry.amount_minor and entry.counter_account not in accounts:
                yield Movement(
                    at_ms=entry.at_ms,
                    transfer_id=entry.transfer_id,
                    rule=entry.rule,
                    counter_account=entry.counter_account,
                    amount_minor=entry.amount_minor,
                )
        if page.next_after is None:
            return
        after = Place.from_text(page.next_after)
