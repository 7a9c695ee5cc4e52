"""The audit log as CSV (RFC 4180), page by page: however long, no more than a page is in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime

from backend.audit.limits import ACTS_PER_READ, EXPORT_ACTS_MAX
from backend.db.tables import Row
from backend.spreadsheet import BYTE_ORDER_MARK, csv_lines, safe_cell

_COLUMNS = (
    "number", "at", "kind", "what", "actor", "origin", "subject", "merchant_id", "reason",
    "before", "after", "link",
)  # fmt: skip
ReadActs = Callable[[int | None, int], Awaitable[list[Row]]]


async def acts_csv(read: ReadActs) -> AsyncIterator[bytes]:
    """The file in pieces, the newest act first, UTF-8 with a byte order mark; times are UTC. At
    most ``EXPORT_ACTS_MAX`` acts; if there are more, the last line says so."""
    yield BYTE_ORDER_MARK + csv_lines([_COLUMNS])
    before, count = None, 0
    while count < EXPORT_ACTS_MAX:
        rows = await read(before, ACTS_PER_READ)
        if rows:
            yield csv_lines([_cells(row) for row in rows])
            before, count = rows[-1]["number"], count + len(rows)
        if len(rows) < ACTS_PER_READ:
            return
    yield csv_lines([(f"only the newest {EXPORT_ACTS_MAX} acts; narrow the dates for the others",)])


def _cells(row: Row) -> Sequence[str]:
    at = datetime.fromtimestamp(row["at_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
    texts = [f"{row[name]}" for name in _COLUMNS[2:-1]]
    return [f"{row['number']}", at, *map(safe_cell, texts), row["link"].hex()]
