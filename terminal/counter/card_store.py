"""Card sales in the terminal's database. The caller holds the transaction."""

import sqlite3
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from terminal.domain.card_sale import CardKind, CardSale, CardState

_CARD = tuple(field.name for field in fields(CardSale) if field.name != "refunded_minor")
_REFUNDED = (
    "(SELECT COALESCE(SUM(amount_minor), 0) FROM card_sales AS back"
    " WHERE back.refund_of = card_sales.card_id AND back.state NOT IN ('declined', 'failed'))"
    " AS refunded_minor"
)


class CardStore:
    """What the PIN pad was asked, and what it said."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def add(self, sale: CardSale, number: str) -> int:
        """The pad is about to be asked; the row's id. ``number`` is the caller's: a draft's, or a
        refund's own."""
        names = [name for name in _CARD if name != "card_id"]
        marks = ", ".join("?" for _ in (*names, number))
        cursor = self._db.execute(
            f"INSERT INTO card_sales ({', '.join(names)}, draft_id) VALUES ({marks})",  # noqa: S608
            (*(getattr(sale, name) for name in names), number),
        )
        return int(cursor.lastrowid or 0)

    def save(self, sale: CardSale) -> None:
        """What the pad said."""
        self._db.execute(
            "UPDATE card_sales SET state = ?, card = ?, reference = ?, error_code = ?,"
            " ended_at_ms = ? WHERE card_id = ?",
            (sale.state, sale.card, sale.reference, sale.error_code, sale.ended_at_ms,
             sale.card_id),
        )  # fmt: skip

    def one(self, card_id: int) -> CardSale | None:
        """One of them."""
        found = self._cards("WHERE card_id = ?", (card_id,))
        return found[0] if found else None

    def of_number(self, number: str) -> CardSale | None:
        """What the caller's number became."""
        found = self._cards("WHERE draft_id = ?", (number,))
        return found[0] if found else None

    def asking(self) -> CardSale | None:
        """The one that the pad is asked for; there is one pad."""
        found = self._cards("WHERE state = ?", (CardState.ASKING,))
        return found[0] if found else None

    def in_state(self, state: CardState) -> list[CardSale]:
        """All in one state, oldest first."""
        return self._cards("WHERE state = ? ORDER BY card_id", (state,))

    def recent(self, count: int) -> list[CardSale]:
        """The latest, newest first."""
        return self._cards("ORDER BY card_id DESC LIMIT ?", (count,))

    def _cards(self, where: str, values: Iterable[Any]) -> list[CardSale]:
        query = f"SELECT {', '.join(_CARD)}, {_REFUNDED} FROM card_sales {where}"  # noqa: S608
        rows = self._db.execute(query, tuple(values))
        return [
            CardSale(
                **{**dict(row), "kind": CardKind(row["kind"]), "state": CardState(row["state"])}
            )
            for row in rows
        ]
