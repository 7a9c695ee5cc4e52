"""What the journal knows of payments that were accepted offline."""

import sqlite3
from dataclasses import dataclass

from terminal.domain.offline import Held
from terminal.domain.sale import SaleState


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRow:
    """A token that this till has accepted."""

    payment_id: str
    voucher_id: str
    number: int
    amount_minor: int
    accepted_at_ms: int


class OfflineJournal:
    """The rows of one device. Each method runs in the caller's transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def add(self, row: AcceptedRow) -> None:
        """Keep an accepted token; a second one of the same number is a bug of the caller."""
        self._db.execute(
            "INSERT INTO offline_sales VALUES (?, ?, ?, ?, ?)",
            (row.payment_id, row.voucher_id, row.number, row.amount_minor, row.accepted_at_ms),
        )

    def held(self, voucher_id: str, *, since_ms: int) -> Held:
        """What has not come back, and what was ever accepted of a voucher."""
        count, amount, since = self._db.execute(
            "SELECT COUNT(*), COALESCE(SUM(o.amount_minor), 0), COALESCE(SUM("
            " CASE WHEN o.accepted_at_ms >= ? THEN o.amount_minor ELSE 0 END), 0)"
            " FROM offline_sales o JOIN sales s USING (payment_id) WHERE s.state = ?",
            (since_ms, SaleState.ACCEPTED),
        ).fetchone()
        spent = self._db.execute(
            "SELECT number, amount_minor FROM offline_sales WHERE voucher_id = ?", (voucher_id,)
        ).fetchall()
        return Held(
            count=count,
            amount_minor=amount,
            since_floor_minor=since,
            numbers=frozenset(row["number"] for row in spent),
            voucher_minor=sum(row["amount_minor"] for row in spent),
        )

    def keep_word(self, sealed: bytes) -> None:
        """The hub's latest word."""
        self._db.execute(
            "INSERT INTO hub_word VALUES (1, ?) ON CONFLICT (id) DO UPDATE"
            " SET sealed = excluded.sealed",
            (sealed,),
        )

    def word(self) -> bytes | None:
        """The hub's latest word; None before the first."""
        row = self._db.execute("SELECT sealed FROM hub_word").fetchone()
        return None if row is None else bytes(row["sealed"])
