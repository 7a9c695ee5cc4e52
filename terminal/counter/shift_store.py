"""Shifts and cash in the terminal's database. The caller holds the transaction."""

import sqlite3
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from protocol.ids import REFUND
from terminal.domain import sale as sales
from terminal.domain.card_sale import CardKind, CardState
from terminal.domain.mark import MarkedAs, is_contradicted
from terminal.domain.refund import RefundState
from terminal.domain.sale import SaleState
from terminal.domain.shift import CashKind, CashMovement, Report, Shift, Tally, tally_of
from terminal.journal.marks import Marks

_SHIFT = ", ".join(field.name for field in fields(Shift))
_MOVEMENT = tuple(field.name for field in fields(CashMovement) if field.name != "refunded_minor")


class ShiftStore:
    """What the drawer remembers."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def open_shift(self) -> Shift | None:
        """The shift that is open."""
        found = self._shifts("WHERE closed_at_ms IS NULL", ())
        return found[0] if found else None

    def latest_closed(self) -> Shift | None:
        """The shift that was closed last."""
        found = self._shifts("WHERE closed_at_ms IS NOT NULL ORDER BY shift_id DESC LIMIT 1", ())
        return found[0] if found else None

    def add_shift(self, *, at_ms: int, by_name: str, float_minor: int) -> Shift:
        """Open one."""
        cursor = self._db.execute(
            "INSERT INTO shifts (opened_at_ms, opened_by, float_minor) VALUES (?, ?, ?)",
            (at_ms, by_name, float_minor),
        )
        return Shift(
            shift_id=int(cursor.lastrowid or 0),
            opened_at_ms=at_ms,
            opened_by=by_name,
            float_minor=float_minor,
        )

    def save_closed(self, shift: Shift) -> None:
        """Close it for good."""
        self._db.execute(
            "UPDATE shifts SET closed_at_ms = ?, closed_by = ?, counted_minor = ?, reason = ?,"
            " approved_by = ? WHERE shift_id = ? AND closed_at_ms IS NULL",
            (shift.closed_at_ms, shift.closed_by, shift.counted_minor, shift.reason,
             shift.approved_by, shift.shift_id),
        )  # fmt: skip

    def add_movement(self, movement: CashMovement, number: str | None) -> int:
        """Cash has moved; the movement's id. ``number`` is the caller's, and taken once."""
        cursor = self._db.execute(
            "INSERT INTO cash_movements (shift_id, kind, amount_minor, tendered_minor, currency,"
            " reason, by_name, approved_by, at_ms, draft_id, refund_of)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (movement.shift_id, movement.kind, movement.amount_minor, movement.tendered_minor,
             movement.currency, movement.reason, movement.by_name, movement.approved_by,
             movement.at_ms, number, movement.refund_of),
        )  # fmt: skip
        return int(cursor.lastrowid or 0)

    def movement(self, movement_id: int) -> CashMovement | None:
        """One movement."""
        found = self._movements("WHERE movement_id = ?", (movement_id,))
        return found[0] if found else None

    def movement_of_number(self, number: str) -> CashMovement | None:
        """What the caller's number became: a draft's, or a refund's own."""
        found = self._movements("WHERE draft_id = ?", (number,))
        return found[0] if found else None

    def recent_sales(self, count: int) -> list[CashMovement]:
        """The latest cash sales, newest first."""
        return self._movements(
            "WHERE kind = ? ORDER BY movement_id DESC LIMIT ?", (CashKind.SALE, count)
        )

    def report(self, shift: Shift, *, now_ms: int, currency: str) -> Report:
        """X of an open shift, Z of a closed one."""
        until_ms = shift.closed_at_ms if shift.closed_at_ms is not None else now_ms
        window = (shift.opened_at_ms, until_ms)
        by_method = self._tallies(
            "SELECT method, COUNT(*), SUM(amount_minor) FROM sales WHERE state = ?"
            " AND settled_at_ms >= ? AND settled_at_ms <= ? GROUP BY method",
            (SaleState.PAID, *window),
        )
        refunds = self._tallies(
            "SELECT '', COUNT(*), SUM(amount_minor) FROM refunds WHERE state = ?"
            " AND created_at_ms >= ? AND created_at_ms <= ?",
            (RefundState.SUCCEEDED, *window),
        )
        cash = self._tallies(
            "SELECT kind, COUNT(*), SUM(amount_minor) FROM cash_movements WHERE shift_id = ?"
            " GROUP BY kind",
            (shift.shift_id,),
        )
        cards = self._tallies(
            "SELECT kind, COUNT(*), SUM(amount_minor) FROM card_sales WHERE shift_id = ?"
            " AND state = ? GROUP BY kind",
            (shift.shift_id, CardState.APPROVED),
        )
        return Report(
            shift=shift,
            at_ms=until_ms,
            currency=currency,
            by_method=by_method,
            refunds=refunds.get("", Tally()),
            cash={kind: cash[kind] for kind in CashKind if kind in cash},
            cards={kind: cards[kind] for kind in CardKind if kind in cards},
            unknown=self._open() if shift.closed_at_ms is None else Tally(),
            marked=self._marked(*window, of_refunds=False),
            marked_refunds=self._marked(*window, of_refunds=True),
            contradicted=self._contradicted(*window),
            offline=self._offline(*window),
        )

    def _marked(self, from_ms: int, until_ms: int, *, of_refunds: bool) -> dict[MarkedAs, Tally]:
        tallies: dict[MarkedAs, Tally] = {}
        for mark in Marks(self._db).between(from_ms, until_ms):
            if mark.subject.startswith(f"{REFUND}_") is not of_refunds:
                continue
            before = tallies.get(mark.marked_as, Tally())
            tallies[mark.marked_as] = tally_of([before, Tally(1, mark.amount_minor)])
        return tallies

    def _contradicted(self, from_ms: int, until_ms: int) -> Tally:
        rows = self._db.execute(
            "SELECT payment_id AS subject, state, amount_minor FROM sales WHERE settled_at_ms >= ?"
            " AND settled_at_ms <= ? AND payment_id IN (SELECT subject FROM marks)"
            " UNION ALL SELECT refund_id, state, amount_minor FROM refunds WHERE settled_at_ms >= ?"
            " AND settled_at_ms <= ? AND refund_id IN (SELECT subject FROM marks)",
            (from_ms, until_ms, from_ms, until_ms),
        ).fetchall()
        marks = Marks(self._db)
        against = [
            Tally(1, row["amount_minor"])
            for row in rows
            if (mark := marks.of(row["subject"])) and is_contradicted(mark, row["state"])
        ]
        return tally_of(against)

    def _offline(self, from_ms: int, until_ms: int) -> Tally:
        return self._tallies(
            "SELECT '', COUNT(*), SUM(amount_minor) FROM sales WHERE state = ?"
            " AND sent_at_ms >= ? AND sent_at_ms <= ?",
            (SaleState.ACCEPTED, from_ms, until_ms),
        ).get("", Tally())

    def _open(self) -> Tally:
        """Open outcomes that nobody has signed for."""
        states = sorted(sales.OPEN_STATES - {SaleState.ACCEPTED})
        marks = ", ".join("?" for _ in states)
        open_sales = self._tallies(
            f"SELECT '', COUNT(*), SUM(amount_minor) FROM sales WHERE state IN ({marks})"  # noqa: S608
            " AND payment_id NOT IN (SELECT subject FROM marks)",
            states,
        ).get("", Tally())
        open_cards = self._tallies(
            "SELECT '', COUNT(*), SUM(amount_minor) FROM card_sales WHERE state IN (?, ?)"
            " AND 'card-' || card_id NOT IN (SELECT subject FROM marks)",
            (CardState.ASKING, CardState.UNKNOWN),
        ).get("", Tally())
        open_refunds = self._tallies(
            "SELECT '', COUNT(*), SUM(amount_minor) FROM refunds WHERE state IN (?, ?)"
            " AND refund_id NOT IN (SELECT subject FROM marks)",
            (RefundState.SENDING, RefundState.UNKNOWN),
        ).get("", Tally())
        return tally_of([open_sales, open_cards, open_refunds])

    def _tallies(self, query: str, values: Iterable[Any]) -> dict[str, Tally]:
        rows = self._db.execute(query, tuple(values))
        return {str(name): Tally(count, minor) for name, count, minor in rows if count}

    def _shifts(self, where: str, values: Iterable[Any]) -> list[Shift]:
        rows = self._db.execute(f"SELECT {_SHIFT} FROM shifts {where}", tuple(values))  # noqa: S608
        return [Shift(**dict(row)) for row in rows]

    def _movements(self, where: str, values: Iterable[Any]) -> list[CashMovement]:
        columns = ", ".join(_MOVEMENT)
        refunded = (
            "(SELECT COALESCE(SUM(amount_minor), 0) FROM cash_movements AS back"
            " WHERE back.refund_of = cash_movements.movement_id) AS refunded_minor"
        )
        query = f"SELECT {columns}, {refunded} FROM cash_movements {where}"  # noqa: S608
        rows = self._db.execute(query, tuple(values))
        return [CashMovement(**{**dict(row), "kind": CashKind(row["kind"])}) for row in rows]
