"""Reading the ledger's movements of customers' money for reports of their size."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import or_, select

from backend.db.limits import READ_PAGE_ROWS
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger.tables import LedgerTransfer
from backend.risk.aml.ledger_transfers import CUSTOMERS

_transfer = LedgerTransfer.__table__  # type: ignore[attr-defined]
_COLUMNS = ("id", "debit", "credit", "amount_minor", "business_date", "at_ms")


class LedgerMovements:
    """Committed transfers. Blocking."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_days(self, first: date, last: date, *, currency: str) -> Iterator[Row]:
        """What was posted on the business days from ``first`` to ``last`` to or from a customer's
        account, in the order of its ids. Holds count when they are posted, never while pending."""
        touched = [
            column.like(f"C:{code}:%")
            for code in CUSTOMERS
            for column in (_transfer.c.debit, _transfer.c.credit)
        ]
        query = (
            select(*(_transfer.c[name] for name in _COLUMNS))
            .where(
                _transfer.c.business_date >= first.isoformat(),
                _transfer.c.business_date <= last.isoformat(),
                _transfer.c.currency == currency,
                _transfer.c.kind.in_(("posted", "post")),
                or_(*touched),
            )
            .order_by(_transfer.c.id)
            .limit(READ_PAGE_ROWS)
        )
        after = ""
        while True:
            rows = self._reader.rows(query.where(_transfer.c.id > after))
            yield from rows
            if len(rows) < READ_PAGE_ROWS:
                return
            after = rows[-1]["id"]
