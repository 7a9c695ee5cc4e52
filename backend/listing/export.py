"""Payments and refunds as CSV (RFC 4180), page by page: however long, no more than a page is in
memory.

Rule 1: a cell that a spreadsheet would take for a formula begins with an apostrophe. Amounts are
        plain decimal numbers, so that they can be added up.
Rule 2: a new column comes last: programs have counted the others.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from backend.db.tables import Row
from backend.listing.filters import Place
from backend.listing.limits import EXPORT_ROWS_MAX, EXPORT_ROWS_PER_READ
from backend.shop_time import shown_time
from backend.spreadsheet import BYTE_ORDER_MARK, csv_lines, safe_cell
from protocol.money import Money

ReadPage = Callable[[Place | None, int], Awaitable[list[Row]]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file has in its columns. ``key`` names the column that pages go on by."""

    key: str
    columns: tuple[str, ...]
    cells: Callable[[Row], Sequence[str]]

    def place(self, row: Row) -> Place:
        """The row's place in the list, to go on after it."""
        return Place(row["created_at_ms"], row[self.key])


def csv_part(sheet: Sheet, rows: Sequence[Row], *, is_first: bool) -> bytes:
    """Some rows of the file; the first part has the columns' names before them."""
    head = BYTE_ORDER_MARK + csv_lines([sheet.columns]) if is_first else b""
    return head + (csv_lines([sheet.cells(row) for row in rows]) if rows else b"")


async def csv_pages(sheet: Sheet, read: ReadPage) -> AsyncIterator[bytes]:
    """The file in pieces, UTF-8 with a byte order mark, as spreadsheets want it; the newest first,
    at most ``EXPORT_ROWS_MAX`` rows. If there are more, the last line says so."""
    yield csv_part(sheet, (), is_first=True)
    place, count = None, 0
    while count < EXPORT_ROWS_MAX:
        rows = await read(place, EXPORT_ROWS_PER_READ)
        if not rows:
            return
        yield csv_part(sheet, rows, is_first=False)
        place, count = sheet.place(rows[-1]), count + len(rows)
        if len(rows) < EXPORT_ROWS_PER_READ:
            return
    yield csv_lines([(f"only the newest {EXPORT_ROWS_MAX} rows; narrow the dates for the others",)])


def _payment(row: Row) -> Sequence[str]:
    is_paid = row["paid_at_ms"] is not None  # else no fee is due, whatever was reckoned
    money = [_money(row, name) for name in ("amount_minor", "refunded_minor")]
    money.append(Money(row["fee_minor"] * is_paid, row["currency"]).decimal())
    paid = shown_time(row["paid_at_ms"]) if is_paid else ""
    texts = [row["payment_id"], shown_time(row["created_at_ms"]), paid, row["state"], row["method"],
             row["store"], row["device"]]  # fmt: skip
    tail = [row["currency"], row["payer_masked"] or "", row["description"], row["merchant_id"]]
    return [*map(safe_cell, texts), *money, *map(safe_cell, tail)]


def _refund(row: Row) -> Sequence[str]:
    money = [_money(row, name) for name in ("amount_minor", "fee_returned_minor")]
    texts = [row["refund_id"], row["payment_id"], shown_time(row["created_at_ms"]), row["state"],
             row["business_date"], row["store"], row["cashier"] or row["device"]]  # fmt: skip
    tail = [row["currency"], row["error_code"] or "", row["reason"], row["merchant_id"]]
    return [*map(safe_cell, texts), *money, *map(safe_cell, tail)]


def _money(row: Row, name: str) -> str:
    return Money(row[name], row["currency"]).decimal()


PAYMENTS = Sheet(
    "payment_id",
    (
        "payment_id", "created", "paid", "state", "method", "store", "device", "amount", "refunded",
        "fee", "currency", "payer", "description", "merchant",
    ),
    _payment,
)  # fmt: skip
REFUNDS = Sheet(
    "refund_id",
    (
        "refund_id", "payment_id", "created", "state", "business_date", "store", "by", "amount",
        "fee_returned", "currency", "error", "reason", "merchant",
    ),
    _refund,
)  # fmt: skip
