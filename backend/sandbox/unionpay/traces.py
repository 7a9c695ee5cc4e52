"""What the switch has been told, by terminal, batch, STAN and local date, with its first answer."""

from dataclasses import dataclass
from datetime import date

from backend.channels.iso8583.management import Totals, UploadRow
from backend.channels.iso8583.messages import Kind, Trace, Transaction
from backend.sandbox.institution.books import Books

_COLUMNS = (
    "rrn, kind, own_id, amount_minor, token, original, code, day, is_undone, tid, batch, stan"
)


@dataclass(frozen=True, slots=True)
class Told:
    """A transaction as the switch has it."""

    rrn: int
    kind: Kind
    own_id: str
    amount_minor: int
    token: str
    original: int | None
    code: str
    day: str
    is_undone: bool
    tid: str
    batch: int
    stan: int

    @property
    def reference(self) -> str:
        """Field 37."""
        return f"{self.rrn:012d}"


class Traces:
    """The table of what was told."""

    def __init__(self, books: Books) -> None:
        self._db = books.db

    def find(self, tid: str, batch: int, stan: int, local_day: date) -> Told | None:
        """The transaction under a key."""
        return self._one(
            "tid = ? AND batch = ? AND stan = ? AND local_day = ?",
            (tid, batch, stan, local_day.isoformat()),
        )

    def by_rrn(self, rrn: int) -> Told | None:
        """The transaction under the switch's own number."""
        return self._one("rrn = ?", (rrn,))

    def by_own_id(self, own_id: str) -> Told | None:
        """The first transaction under the terminal's own id."""
        return self._one("own_id = ? ORDER BY rrn LIMIT 1", (own_id,))

    def note(
        self, said: Transaction, local_day: date, *, code: str, day: date, original: int | None
    ) -> Told:
        """Keep a transaction with its answer."""
        trace = said.trace
        self._db.execute(
            "INSERT INTO cup_trace (tid, batch, stan, local_day, kind, own_id, amount_minor, token,"
            " original, code, day) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (trace.tid, trace.batch, trace.stan, local_day.isoformat(), said.kind.value,
             said.own_id, said.amount_minor, said.token, original, code, day.isoformat()),
        )  # fmt: skip
        found = self.find(trace.tid, trace.batch, trace.stan, local_day)
        assert found is not None
        return found

    def note_stray(self, said: Transaction, own_id: str, *, day: date) -> None:
        """Keep what was taken without a message: in no batch, under the switch's number alone."""
        self._db.execute(
            "INSERT INTO cup_trace (tid, batch, stan, local_day, kind, own_id, amount_minor, token,"
            " original, code, day) SELECT ?1, 0, 1 + count(*), ?2, ?3, ?4, ?5, ?6, NULL, '00', ?2"
            " FROM cup_trace WHERE tid = ?1 AND batch = 0",
            (said.trace.tid, day.isoformat(), said.kind.value, own_id, said.amount_minor,
             said.token),
        )  # fmt: skip

    def mark_undone(self, rrn: int) -> None:
        """It counts no more."""
        self._db.execute("UPDATE cup_trace SET is_undone = true WHERE rrn = ?", (rrn,))

    def sum_of(self, original: int, kind: Kind) -> int:
        """What transactions of a kind about another one have moved."""
        (total,) = self._db.execute(
            "SELECT coalesce(sum(amount_minor), 0) FROM cup_trace"
            " WHERE original = ? AND kind = ? AND code = '00' AND NOT is_undone",
            (original, kind.value),
        ).fetchone()
        return int(total)

    def totals(self, trace: Trace) -> Totals:
        """What the switch counts of a terminal's batch."""
        rows = dict.fromkeys(Kind, (0, 0))
        for kind, minor, count in self._db.execute(
            "SELECT kind, sum(amount_minor), count(*) FROM cup_trace"
            " WHERE tid = ? AND batch = ? AND code = '00' AND NOT is_undone GROUP BY kind",
            (trace.tid, trace.batch),
        ):
            rows[Kind(kind)] = (minor, count)
        debits = (rows[Kind.SALE], rows[Kind.COMPLETION])
        credit = rows[Kind.REFUND]
        return Totals(sum(d[0] for d in debits), sum(d[1] for d in debits), *credit)

    def close_batch(self, trace: Trace, balance: str) -> None:
        """Keep how a batch's totals compared."""
        self._db.execute(
            "INSERT INTO cup_batch (tid, batch, balance) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET balance = excluded.balance",
            (trace.tid, trace.batch, balance),
        )

    def take_upload(self, trace: Trace, rows: tuple[UploadRow, ...]) -> None:
        """Keep some of a batch's transactions as the terminal has them."""
        self._db.executemany(
            "INSERT INTO cup_upload VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(trace.tid, trace.batch, row.stan, row.kind, row.amount_minor) for row in rows],
        )

    def end_upload(self, trace: Trace, count: int) -> bool:
        """Whether as many transactions have come as the terminal says."""
        (found,) = self._db.execute(
            "SELECT count(*) FROM cup_upload WHERE tid = ? AND batch = ?", (trace.tid, trace.batch)
        ).fetchone()
        self._db.execute(
            "UPDATE cup_batch SET uploaded = ? WHERE tid = ? AND batch = ?",
            (found, trace.tid, trace.batch),
        )
        return bool(found == count)

    def batch(self, tid: str, batch: int) -> tuple[str, int] | None:
        """How a batch compared, and how many of its transactions were uploaded."""
        row = self._db.execute(
            "SELECT balance, uploaded FROM cup_batch WHERE tid = ? AND batch = ?", (tid, batch)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def _one(self, condition: str, values: tuple[str | int, ...]) -> Told | None:
        query = f"SELECT {_COLUMNS} FROM cup_trace WHERE {condition}"  # noqa: S608  # our own words
        row = self._db.execute(query, values).fetchone()
        if row is None:
            return None
        columns = dict(zip(_COLUMNS.split(", "), row, strict=True))
        kind, is_undone = Kind(columns.pop("kind")), bool(columns.pop("is_undone"))
        return Told(kind=kind, is_undone=is_undone, **columns)
