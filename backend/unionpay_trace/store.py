"""``TraceStore`` over the backend's database: every step is a command."""

from dataclasses import replace

from backend.channels.iso8583.management import KIND_CREDIT, KIND_DEBIT, Totals, UploadRow
from backend.channels.iso8583.messages import Kind, Trace
from backend.channels.unionpay_ports import KeptTrace, TraceWish, TraceWord
from backend.db.ports import RunRead, Submit
from backend.db.tables import Row
from backend.unionpay_trace.limits import BATCHES_PER_SETTLEMENT_MAX
from backend.unionpay_trace.repository import TraceRepository
from backend.unionpay_trace.service import CloseBatch, NoteWord, TakeNumber, TakeTrace, batch_after


class SqlTraces:
    """The numbers of one terminal."""

    def __init__(
        self,
        *,
        submit: Submit,
        run_read: RunRead,
        repository: TraceRepository,
        tid: str,
        mid: str,
    ) -> None:
        self._submit = submit
        self._run_read = run_read
        self._repository = repository
        self._tid = tid
        self._mid = mid

    async def take(self, wish: TraceWish) -> KeptTrace:
        """``TraceStore.take``."""
        row, is_new = await self._submit(TakeTrace(self._tid, self._mid, wish))
        return replace(_kept(row), is_new=is_new)

    async def find(self, own_id: str) -> KeptTrace | None:
        """``TraceStore.find``."""
        row = await self._run_read(lambda: self._repository.trace(own_id))
        return None if row is None else _kept(row)

    async def note(self, word: TraceWord) -> None:
        """``TraceStore.note``."""
        await self._submit(NoteWord(word))

    async def next_number(self) -> Trace:
        """``TraceStore.next_number``."""
        batch, stan = await self._submit(TakeNumber(self._tid))
        return Trace(self._tid, self._mid, batch, stan, "", "")

    async def open_batches(self) -> list[int]:
        """``TraceStore.open_batches``."""
        row = await self._run_read(lambda: self._repository.terminal(self._tid))
        found: list[int] = []
        if row is None:
            return found
        number: int = row["settled_batch"]
        while number != row["batch"] and len(found) < BATCHES_PER_SETTLEMENT_MAX:
            number = batch_after(number)
            found.append(number)
        return found

    async def batch(self, number: int) -> tuple[Totals, list[UploadRow]]:
        """``TraceStore.batch``."""
        rows = await self._run_read(lambda: self._repository.counting(self._tid, number))
        given = [row["amount_minor"] for row in rows if row["kind"] == Kind.REFUND]
        taken = [row["amount_minor"] for row in rows if row["kind"] != Kind.REFUND]
        totals = Totals(sum(taken), len(taken), sum(given), len(given))
        return totals, [_upload_row(row) for row in rows]

    async def close_batch(self, number: int) -> None:
        """``TraceStore.close_batch``."""
        await self._submit(CloseBatch(self._tid, number))


def _upload_row(row: Row) -> UploadRow:
    kind = KIND_CREDIT if row["kind"] == Kind.REFUND else KIND_DEBIT
    return UploadRow(kind, row["stan"], row["amount_minor"])


def _kept(row: Row) -> KeptTrace:
    return KeptTrace(
        own_id=row["own_id"],
        kind=Kind(row["kind"]),
        amount_minor=row["amount_minor"],
        token=row["token"],
        trace=Trace(
            row["tid"], row["mid"], row["batch"], row["stan"], row["local_date"], row["local_time"]
        ),
        rrn=row["rrn"],
    )
