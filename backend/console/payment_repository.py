"""A day's figures, unknowns and postings for the console's pages. Only repositories see SQL.

Rule: ``merchant_id`` narrows every question to one merchant's rows; None is for operators alone.
"""

from collections.abc import Collection

from sqlalchemy import func, select, union_all

from backend.console.limits import ROWS_PER_PAGE, TRANSFERS_PER_EVENT_MAX
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger import chart
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.limits import STATEMENT_ENTRIES_MAX
from backend.ledger.repository import LedgerRepository
from backend.ledger.statements import Statements
from backend.ledger.tables import TRANSFER
from backend.payments.list_repository import LISTED, PaymentFilter, narrowed
from backend.payments.tables import Payment
from backend.refunds.tables import Refund
from protocol.clock import HOUR_MS
from protocol.payment import PAID_STATES, PaymentState

_payment = Payment.__table__  # type: ignore[attr-defined]
_refund = Refund.__table__  # type: ignore[attr-defined]
_PAID = [state.value for state in PAID_STATES]
_END_MS = 2**53
"""Behind every time."""


class ConsolePayments:
    """Answers from committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def merchants_of(self, references: Collection[str]) -> dict[str, str]:
        """The merchants of those of these references that are payments or refunds."""
        found = union_all(
            select(_payment.c.payment_id.label("reference"), _payment.c.merchant_id)
            .where(_payment.c.payment_id.in_(references)),
            select(_refund.c.refund_id, _refund.c.merchant_id)
            .where(_refund.c.refund_id.in_(references)),
        )  # fmt: skip
        rows = self._reader.rows(select(found.subquery()))
        return {row["reference"]: row["merchant_id"] for row in rows}

    def named(self, payment_ids: Collection[str]) -> list[Row]:
        """These payments, the newest first, as a list has them."""
        query = select(*(_payment.c[name] for name in LISTED))
        order = (_payment.c.created_at_ms.desc(), _payment.c.payment_id.desc())
        return self._reader.rows(
            query.where(_payment.c.payment_id.in_(payment_ids)).order_by(*order)
        )

    def sums(self, wanted: PaymentFilter) -> list[Row]:
        """Count and amounts of what matches, by state and currency."""
        query = narrowed(
            select(
                _payment.c.state,
                _payment.c.currency,
                func.count().label("count"),
                func.sum(_payment.c.amount_minor).label("amount_minor"),
                func.sum(_payment.c.fee_minor - _payment.c.fee_returned_minor).label("fee_minor"),
            ),
            wanted,
        )
        rows = self._reader.rows(query.group_by(_payment.c.state, _payment.c.currency))
        return [_whole(row, "count", "amount_minor", "fee_minor") for row in rows]

    def hours(self, merchant_id: str | None, *, from_ms: int, until_ms: int) -> list[Row]:
        """What was paid in each hour after ``from_ms``, by currency; hours without are left out."""
        hour = (_payment.c.created_at_ms - from_ms) // HOUR_MS
        wanted = PaymentFilter(merchant_id=merchant_id, from_ms=from_ms, until_ms=until_ms)
        query = narrowed(
            select(
                hour.label("hour"),
                _payment.c.currency,
                func.count().label("count"),
                func.sum(_payment.c.amount_minor).label("amount_minor"),
            ),
            wanted,
        ).where(_payment.c.state.in_(_PAID))
        rows = self._reader.rows(query.group_by(hour, _payment.c.currency))
        return [_whole(row, "hour", "count", "amount_minor") for row in rows]

    def refunds(self, merchant_id: str, *, business_date: str) -> list[Row]:
        """What one merchant gave back on a business date, by state and currency."""
        query = (
            select(
                _refund.c.state,
                _refund.c.currency,
                func.count().label("count"),
                func.sum(_refund.c.amount_minor).label("amount_minor"),
            )
            .where(_refund.c.merchant_id == merchant_id)
            .where(_refund.c.business_date == business_date)
            .group_by(_refund.c.state, _refund.c.currency)
        )
        return [_whole(row, "count", "amount_minor") for row in self._reader.rows(query)]

    def unknowns(self, merchant_id: str) -> list[Row]:
        """One merchant's payments whose outcome nobody knows yet, of any day, oldest first."""
        query = narrowed(
            select(*(_payment.c[name] for name in LISTED)),
            PaymentFilter(merchant_id=merchant_id, state=PaymentState.UNKNOWN.value),
        )
        return self._reader.rows(query.order_by(_payment.c.created_at_ms).limit(ROWS_PER_PAGE))

    def postings(self, events: list[str], payment: Row) -> list[Row]:
        """The ledger's transfers of these events, and of what the payment is shared out of, in the
        order in which they were posted."""
        shared = chart.shared(payment["payment_id"], payment["currency"])
        with self._reader.snapshot() as connection:
            ledger = LedgerRepository(connection)
            found = [
                row
                for event in events
                for row in ledger.transfers(event_id=event, limit=TRANSFERS_PER_EVENT_MAX)
            ]
            if any(shared in (row["debit"], row["credit"]) for row in found):
                found += _of_account(ledger, shared)
        each = {row["id"]: row for row in found}
        return sorted(each.values(), key=lambda row: (row["group_seq"], row["id"]))


def _of_account(ledger: LedgerRepository, account_id: str) -> list[Row]:
    """Whatever moved an account, by its statement: rounds, returns and releases have keys of their
    own."""
    statement = Statements(ledger, DerivedRepository(ledger.connection)).statement(
        account_id, 0, _END_MS, after=None, limit=STATEMENT_ENTRIES_MAX
    )
    rows = ledger.transfers_by_id([one.transfer_id for one in statement.entries])
    return [dict(zip(TRANSFER.columns, row, strict=True)) for row in rows.values()]


def _whole(row: Row, *names: str) -> Row:
    """PostgreSQL's sums of 64-bit integers are decimals."""
    return row | {name: int(row[name] or 0) for name in names}
