"""What the terminal remembers. Rule: the agent's whole turn is one transaction, so an id and its
bytes are on disk before anything leaves the terminal.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import Any

from protocol import cbor
from protocol.errors import CallerError
from protocol.limits import ENVELOPE_BYTES_MAX
from terminal.domain import refund as refunds
from terminal.domain import sale as sales
from terminal.domain.delivery import Delivery
from terminal.domain.refund import Refund, RefundState
from terminal.domain.sale import Sale, SaleState
from terminal.journal.database import open_database, transaction
from terminal.journal.forgetting import forget_answers
from terminal.journal.rows import ReceiptRow, RequestRow, RequestState

_SALE = tuple(field.name for field in fields(Sale))
_REFUND = tuple(field.name for field in fields(Refund))


class Journal:
    """The journal of one device. One thread uses it."""

    def __init__(self, path: Path | None, *, tid: str, now_ms: int) -> None:
        """Open it and begin a new boot epoch, which lies above every earlier one.

        The epoch is at least the second of the boot, so that a device whose journal was lost still
        goes on above what the hub has seen.
        """
        self._db = open_database(path)
        try:
            with transaction(self._db):
                self.boot_epoch = self._begin_epoch(tid, now_ms)
                self._answers: int = self._db.execute("SELECT count(*) FROM answers").fetchone()[0]
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def database(self) -> sqlite3.Connection:
        """The database, for the other tables that the terminal keeps (`terminal.counter`)."""
        return self._db

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside is committed together, or not at all."""
        return transaction(self._db)

    def next_counter(self) -> int:
        """The number of the next envelope."""
        row = self._db.execute("UPDATE device SET counter = counter + 1 RETURNING counter")
        return int(row.fetchone()[0])

    # Sales

    def save_sale(self, sale: Sale) -> None:
        """Insert a sale or write its present state."""
        self._save("sales", "payment_id", {name: getattr(sale, name) for name in _SALE})

    def sale(self, payment_id: str) -> Sale | None:
        """The sale of a payment."""
        found = self._sales("WHERE payment_id = ?", (payment_id,))
        return found[0] if found else None

    def open_sales(self) -> list[Sale]:
        """Sales whose outcome is still to come, oldest first."""
        states = sorted(sales.OPEN_STATES)
        return self._sales(f"WHERE state IN ({_marks(states)}) ORDER BY payment_id", states)

    def sales_by_delivery(self, delivery: Delivery) -> list[Sale]:
        """Sales whose goods are there, oldest first."""
        return self._sales("WHERE delivery = ? ORDER BY payment_id", (delivery,))

    def unsettled_items(self) -> list[Sale]:
        """Goods that may not have been given, and those that were not though the money stayed."""
        where = "WHERE delivery = ? OR (delivery = ? AND state = ?) ORDER BY payment_id"
        values = (Delivery.UNCERTAIN, Delivery.NOT_GIVEN, SaleState.PAID)
        return self._sales(where, values)

    def recent_sales(self, count: int) -> list[Sale]:
        """The latest sales, newest first."""
        return self._sales("ORDER BY payment_id DESC LIMIT ?", (count,))

    def is_draft_spent(self, draft_id: str) -> bool:
        """Whether a draft of the keypad became a payment or a cash sale."""
        row = self._db.execute(
            "SELECT spent_by FROM draft WHERE draft_id = ?", (draft_id,)
        ).fetchone()
        return row is not None and row["spent_by"] is not None

    def spend_draft(self, draft_id: str, subject: str) -> None:
        """The draft becomes this payment or cash sale; ``idempotency_conflict`` if there is no
        draft."""
        changed = self._db.execute(
            "UPDATE draft SET spent_by = ?, is_cash_due = 0"
            " WHERE draft_id = ? AND spent_by IS NULL",
            (subject, draft_id),
        )
        if changed.rowcount != 1:
            raise CallerError("idempotency_conflict", "another draft is on the keypad")
        self._db.execute(
            "INSERT INTO sold_lines SELECT ?, lines FROM draft WHERE draft_id = ?"
            " AND lines != '[]'",
            (subject, draft_id),
        )

    def sold_lines(self, subject: str) -> list[dict[str, Any]]:
        """The goods of a payment or cash sale: the lines of its cart."""
        row = self._db.execute(
            "SELECT lines FROM sold_lines WHERE subject = ?", (subject,)
        ).fetchone()
        return [] if row is None else list(json.loads(row["lines"]))

    def free_draft(self, subject: str | None = None) -> None:
        """What a draft became was given up before it was stored (None: with the power)."""
        self._db.execute(
            "UPDATE draft SET spent_by = NULL WHERE spent_by = ? OR (? IS NULL AND"
            " spent_by LIKE 'pay_%' AND spent_by NOT IN (SELECT payment_id FROM sales))",
            (subject, subject),
        )
        self._db.execute(
            "DELETE FROM sold_lines WHERE subject = ? OR (? IS NULL AND subject LIKE 'pay_%'"
            " AND subject NOT IN (SELECT payment_id FROM sales))",
            (subject, subject),
        )

    def find_sales(self, text: str, count: int) -> list[Sale]:
        """Sales whose number ends with a text, newest first."""
        ends = text.upper().removeprefix("PAY_").replace("%", "").replace("_", "")
        return self._sales(
            "WHERE payment_id LIKE ? ORDER BY payment_id DESC LIMIT ?", (f"%{ends}", count)
        )

    def _sales(self, where: str, values: Iterable[Any]) -> list[Sale]:
        rows = self._db.execute(f"SELECT * FROM sales {where}", tuple(values))  # noqa: S608
        return [
            Sale(
                **{
                    **dict(row),
                    "state": SaleState(row["state"]),
                    "is_recovered": bool(row["is_recovered"]),
                    "delivery": Delivery(row["delivery"]),
                }
            )
            for row in rows
        ]

    # Refunds

    def save_refund(self, refund: Refund) -> None:
        """Insert a refund or write its present state."""
        self._save("refunds", "refund_id", {name: getattr(refund, name) for name in _REFUND})

    def refund(self, refund_id: str) -> Refund | None:
        """The refund of this id."""
        found = self._refunds("WHERE refund_id = ?", (refund_id,))
        return found[0] if found else None

    def open_refunds(self) -> list[Refund]:
        """Refunds whose outcome is still to come, oldest first."""
        states = sorted(set(RefundState) - refunds.FINAL_STATES)
        return self._refunds(f"WHERE state IN ({_marks(states)}) ORDER BY refund_id", states)

    def refunds_of(self, payment_id: str) -> list[Refund]:
        """The refunds of a payment, oldest first."""
        return self._refunds("WHERE payment_id = ? ORDER BY refund_id", (payment_id,))

    def _refunds(self, where: str, values: Iterable[Any]) -> list[Refund]:
        rows = self._db.execute(f"SELECT * FROM refunds {where}", tuple(values))  # noqa: S608
        return [
            Refund(
                **{
                    **dict(row),
                    "state": RefundState(row["state"]),
                    "is_recovered": bool(row["is_recovered"]),
                }
            )
            for row in rows
        ]

    # Requests

    def add_request(self, row: RequestRow) -> None:
        """Store a request that has not been sent."""
        body = None if row.body is None else cbor.encode(dict(row.body))
        self._db.execute(
            "INSERT INTO requests (request_id, message_type, subject, body, trace_id, state, sends,"
            " refusals, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.request_id,
                row.message_type,
                row.subject,
                body,
                row.trace_id,
                row.state,
                row.sends,
                row.refusals,
                row.created_at_ms,
            ),
        )

    def record_send(self, request_id: str, *, counter: int, sealed: bytes, at_ms: int) -> None:
        """Store the envelope that is about to leave."""
        self._db.execute(
            "UPDATE requests SET sends = sends + 1, counter = ?, sealed = ?, sent_at_ms = ?"
            " WHERE request_id = ?",
            (counter, sealed, at_ms, request_id),
        )

    def record_refusal(self, request_id: str) -> None:
        """One envelope of this request was certainly not accepted."""
        self._db.execute(
            "UPDATE requests SET refusals = MIN(refusals + 1, sends) WHERE request_id = ?",
            (request_id,),
        )

    def record_all_refused(self, request_id: str) -> None:
        """None of the envelopes of this request was accepted."""
        self._db.execute("UPDATE requests SET refusals = sends WHERE request_id = ?", (request_id,))

    def set_request_state(self, request_id: str, state: RequestState) -> None:
        """A request was answered, given up, or is to be sent again."""
        self._db.execute("UPDATE requests SET state = ? WHERE request_id = ?", (state, request_id))

    def forget_bodies(self, subject: str) -> None:
        """The outcome is known: nothing is sent again, and a pay code need not lie about."""
        self._db.execute(
            "UPDATE requests SET state = CASE state WHEN 'open' THEN 'abandoned' ELSE state END,"
            " body = NULL, sealed = NULL WHERE subject = ?"
            " AND (state = 'open' OR body IS NOT NULL OR sealed IS NOT NULL)",
            (subject,),
        )

    def request(self, request_id: str) -> RequestRow | None:
        """The request of this id."""
        found = self._requests("WHERE request_id = ?", (request_id,))
        return found[0] if found else None

    def latest_request(self, subject: str, message_type: str) -> RequestRow | None:
        """The newest request of one type about a payment or refund."""
        found = self._requests(
            "WHERE subject = ? AND message_type = ? ORDER BY rowid DESC LIMIT 1",
            (subject, message_type),
        )
        return found[0] if found else None

    def open_requests(self, subject: str | None = None) -> list[RequestRow]:
        """Requests that wait for their answer, oldest first."""
        if subject is None:
            return self._requests("WHERE state = 'open' ORDER BY rowid", ())
        return self._requests("WHERE state = 'open' AND subject = ? ORDER BY rowid", (subject,))

    def last_envelope(self, request_id: str) -> bytes | None:
        """The bytes of the last envelope of a request, while its outcome is open."""
        row = self._db.execute(
            "SELECT sealed FROM requests WHERE request_id = ?", (request_id,)
        ).fetchone()
        return None if row is None else row["sealed"]

    def _requests(self, where: str, values: Iterable[Any]) -> list[RequestRow]:
        columns = (
            "request_id, message_type, subject, body, trace_id, state, sends, refusals,"
            " created_at_ms, counter, sent_at_ms"
        )
        rows = self._db.execute(f"SELECT {columns} FROM requests {where}", tuple(values))  # noqa: S608
        return [
            RequestRow(
                **{
                    **dict(row),
                    "state": RequestState(row["state"]),
                    "body": _map(row["body"]),
                }
            )
            for row in rows
        ]

    # Answers

    def add_answer(
        self, sealed: bytes, *, request_id: str, subject: str, message_type: str, kid: bytes,
        at_ms: int,
    ) -> bool:  # fmt: skip
        """Keep an authentic answer as evidence; False if these very bytes came before."""
        cursor = self._db.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                hashlib.sha256(sealed).digest(),
                request_id,
                subject,
                message_type,
                kid,
                sealed,
                at_ms,
            ),
        )
        self._answers += cursor.rowcount
        return cursor.rowcount == 1

    def forget_answers(self, *, now_ms: int, kept_ms: int) -> None:
        """Forget a few that nobody can need any more. They are counted since the start; a turn
        that was not committed makes the count wrong by as few."""
        self._answers -= forget_answers(
            self._db, now_ms=now_ms, kept_ms=kept_ms, count=self._answers
        )

    # Receipts

    def add_receipt(self, subject: str, kind: str, facts: Mapping[str, Any], at_ms: int) -> int:
        """Store a receipt to be printed; its number."""
        cursor = self._db.execute(
            "INSERT INTO receipts (subject, kind, facts, state, tries, at_ms)"
            " VALUES (?, ?, ?, 'queued', 0, ?)",
            (subject, kind, cbor.encode(dict(facts)), at_ms),
        )
        return int(cursor.lastrowid or 0)

    def receipt(self, receipt_id: int) -> ReceiptRow | None:
        """The receipt of this number."""
        found = self._receipts("WHERE receipt_id = ?", (receipt_id,))
        return found[0] if found else None

    def receipts_of(self, subject: str) -> list[ReceiptRow]:
        """The receipts of a payment or refund, oldest first."""
        return self._receipts("WHERE subject = ? ORDER BY receipt_id", (subject,))

    def last_receipt(self, subject: str) -> ReceiptRow:
        """The newest receipt of a payment, a refund or a shift; ``payment_not_found`` for none."""
        found = self.receipts_of(subject)
        if not found:
            raise CallerError("payment_not_found")
        return found[-1]

    def queued_receipts(self) -> list[ReceiptRow]:
        """Receipts that were never printed, oldest first."""
        return self._receipts("WHERE state = 'queued' ORDER BY receipt_id", ())

    def set_receipt_state(self, receipt_id: int, state: str, error_code: str | None = None) -> None:
        """Printed or failed; one more try counted."""
        self._db.execute(
            "UPDATE receipts SET state = ?, error_code = ?, tries = tries + 1 WHERE receipt_id = ?",
            (state, error_code, receipt_id),
        )

    def _receipts(self, where: str, values: Iterable[Any]) -> list[ReceiptRow]:
        rows = self._db.execute(f"SELECT * FROM receipts {where}", tuple(values))  # noqa: S608
        return [ReceiptRow(**{**dict(row), "facts": _map(row["facts"])}) for row in rows]

    def _save(self, table: str, key: str, values: Mapping[str, Any]) -> None:
        columns = ", ".join(values)
        changes = ", ".join(f"{name} = excluded.{name}" for name in values if name != key)
        self._db.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({_marks(values)})"  # noqa: S608
            f" ON CONFLICT ({key}) DO UPDATE SET {changes}",
            tuple(values.values()),
        )

    def _begin_epoch(self, tid: str, now_ms: int) -> int:
        row = self._db.execute("SELECT tid, boot_epoch FROM device").fetchone()
        if row is not None and row["tid"] != tid:
            raise CallerError("config_invalid", f"the journal belongs to {row['tid']}")
        epoch = max(now_ms // 1000, (row["boot_epoch"] if row else 0) + 1)
        self._db.execute(
            "INSERT INTO device VALUES (1, ?, ?, 0)"
            " ON CONFLICT (id) DO UPDATE SET boot_epoch = excluded.boot_epoch",
            (tid, epoch),
        )
        return epoch


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)


def _map(data: bytes | None) -> Any:  # noqa: ANN401
    return None if data is None else cbor.decode(data, bytes_max=ENVELOPE_BYTES_MAX)
