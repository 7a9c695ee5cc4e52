"""The bills' desk: writes a paper whole before anybody gets the first byte of it.

Rule 1: there is no bill of a day that is not closed: ``bill_not_ready``. After that it never
        changes (but what the settlement statement says of today).
Rule 2: a paper is written line by line to a spool, hashed on the way, and read from there: what it
        takes in memory does not depend on its length.
Rule 3: it is read from one snapshot of the books; whoever names its lines (``Naming``) reads the
        same one.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from backend.bills.fund_flow import write_fund_flow
from backend.bills.limits import BILL_BYTES_IN_MEMORY_MAX, BILL_BYTES_PER_CHUNK
from backend.bills.repository import BillRepository, Naming
from backend.bills.settlement import (
    SettlementDay,
    SettlementStatement,
    settlement_days,
    write_statement,
)
from backend.bills.trade import BillType, TradeTotals, write_trade_bill
from backend.db.reading import Reader
from backend.db.tables import Row
from protocol.clock import DAY_MS
from protocol.errors import CallerError

_EPOCH = date(1970, 1, 1)
Standing = Callable[[str], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledPaper:
    """A paper that was written whole. Read it once; that closes it."""

    spool: IO[bytes]
    size_bytes: int
    line_count: int
    sha1: str
    sha256: str

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, a part at a time."""
        with self.spool as spool:
            spool.seek(0)
            while chunk := spool.read(BILL_BYTES_PER_CHUNK):
                yield chunk


class BillDesk:
    """Bills of merchants' closed days."""

    def __init__(self, *, reader: Reader, day_offset_ms: int) -> None:
        self._reader = reader
        self._offset_ms = day_offset_ms

    async def trade_bill(
        self, merchant_id: str, day: date, bill_type: BillType, naming: Naming | None = None
    ) -> SpooledPaper:
        """The trade bill of a type."""

        def lines(books: BillRepository, merchant: Row) -> Iterator[str]:
            found = books.trade_lines(merchant_id, f"{day}", self._end_ms(day), bill_type)
            if naming is not None:
                found = naming.trade(books.connection, found)
            return write_trade_bill(
                found, bill_type, currency=merchant["currency"], offset_ms=self._offset_ms
            )

        return await asyncio.to_thread(self._spooled, merchant_id, day, lines)

    async def fund_flow(
        self, merchant_id: str, day: date, naming: Naming | None = None
    ) -> SpooledPaper:
        """The fund-flow bill."""

        def lines(books: BillRepository, merchant: Row) -> Iterator[str]:
            end_ms = self._end_ms(day)
            opening, moves = books.basic_account(merchant, end_ms - DAY_MS, end_ms)
            if naming is not None:
                moves = naming.moves(books.connection, moves)
            return write_fund_flow(
                moves,
                merchant_id=merchant_id,
                currency=merchant["currency"],
                opening_minor=opening,
                offset_ms=self._offset_ms,
            )

        return await asyncio.to_thread(self._spooled, merchant_id, day, lines)

    def _spooled(
        self, merchant_id: str, day: date, lines: Callable[[BillRepository, Row], Iterator[str]]
    ) -> SpooledPaper:
        with self._reader.snapshot() as connection:
            books = BillRepository(connection)
            return _spooled(lines(books, _ready(books, merchant_id, day)))

    def _end_ms(self, day: date) -> int:
        """The midnight with which a business date is over."""
        return ((day - _EPOCH).days + 1) * DAY_MS - self._offset_ms


class PaperDesk(BillDesk):
    """Bills, and the settlement statement."""

    def __init__(self, *, reader: Reader, day_offset_ms: int, standing: Standing) -> None:
        """``standing`` is what a merchant has with us now."""
        super().__init__(reader=reader, day_offset_ms=day_offset_ms)
        self.standing = standing

    async def settlement(self, merchant_id: str, day: date) -> SettlementStatement:
        """The settlement statement."""
        return await asyncio.to_thread(
            self._settlement, merchant_id, day, await self.standing(merchant_id)
        )

    async def days(self, merchant_id: str, since: date, until: date) -> list[SettlementDay]:
        """A merchant's business dates from one to another that anything happened on, the latest
        first; their amounts are those that the bills add up to."""
        standing = await self.standing(merchant_id)
        return await asyncio.to_thread(self._days, merchant_id, f"{since}", f"{until}", standing)

    async def settlement_paper(self, merchant_id: str, day: date) -> SpooledPaper:
        """The settlement statement as a file."""
        return _spooled(write_statement(await self.settlement(merchant_id, day)))

    def _settlement(
        self, merchant_id: str, day: date, standing: dict[str, Any]
    ) -> SettlementStatement:
        sales = TradeTotals()
        with self._reader.snapshot() as connection:
            books = BillRepository(connection)
            merchant = _ready(books, merchant_id, day)
            for one in books.trade_lines(merchant_id, f"{day}", self._end_ms(day), BillType.ALL):
                sales.add(one)
            return SettlementStatement(
                merchant_id=merchant_id,
                business_date=f"{day}",
                currency=merchant["currency"],
                sales=sales,
                settled=books.settled(merchant_id, f"{day}", f"{day}"),
                payouts=books.payouts(merchant_id, f"{day}", f"{day}"),
                came_back=books.came_back(merchant_id, f"{day}"),
                standing=standing,
            )

    def _days(
        self, merchant_id: str, since: str, until: str, standing: dict[str, Any]
    ) -> list[SettlementDay]:
        with self._reader.snapshot() as connection:
            books = BillRepository(connection)
            totals = books.day_totals(
                merchant_id, since, until, lambda day: self._end_ms(date.fromisoformat(day))
            )
            return settlement_days(
                totals,
                closed=books.closed_days(since, until),
                settled_through=books.settled_through(merchant_id),
                settles_on={one["business_date"]: one["settles_on"] for one in standing["waiting"]},
                settled=books.settled(merchant_id, since, until),
                payouts=books.payouts(merchant_id, since, until),
            )


def _ready(books: BillRepository, merchant_id: str, day: date) -> Row:
    """The merchant, if there are bills of this day."""
    merchant = books.merchant(merchant_id)
    if merchant is None:
        raise CallerError("merchant_unknown", merchant_id)
    if not books.is_closed(f"{day}"):
        raise CallerError("bill_not_ready", f"{day}")
    return merchant


def _spooled(lines: Iterable[str]) -> SpooledPaper:
    spool = tempfile.SpooledTemporaryFile(max_size=BILL_BYTES_IN_MEMORY_MAX)  # noqa: SIM115  # its reader closes it
    sha1, sha256 = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
    line_count = 0
    try:
        for one in lines:
            line_count += 1
            content = one.encode()
            sha1.update(content)
            sha256.update(content)
            spool.write(content)
    except BaseException:
        spool.close()
        raise
    return SpooledPaper(
        spool=spool,
        size_bytes=spool.tell(),
        line_count=line_count,
        sha1=sha1.hexdigest(),
        sha256=sha256.hexdigest(),
    )
