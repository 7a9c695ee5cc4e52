"""What a stored transfer must look like so that its leaf says it, and how leaves are cut."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from backend.db.tables import TableRef
from backend.ledger import model
from backend.ledger.chain import SEPARATORS
from backend.ledger.model import KINDS, Transfer

CONTENT = len(Transfer._fields)
"""How many of a stored row's columns are the transfer itself."""
_PYTHON = {"text": str, "bigint": int, "bytea": bytes}


class Shape:
    """The types that a table's rows may have. A store that was written to past its database (a file
    whose bytes were changed) may give a value of any type."""

    def __init__(self, table: TableRef) -> None:
        self._columns = table.columns
        kinds = [
            (_PYTHON[kind], type(None)) if table.defaults.get(name, 0) is None else (_PYTHON[kind],)
            for name, kind in zip(table.columns, table.types, strict=True)
        ]
        self._allowed = frozenset(product(*kinds))
        self._kinds = kinds

    def misfit(self, values: Sequence[Any]) -> str | None:
        """The first column whose value is of another type or no Unicode text; None if all fit."""
        if tuple(map(type, values)) not in self._allowed:
            for name, value, kinds in zip(self._columns, values, self._kinds, strict=True):
                if type(value) not in kinds:
                    return name
        for name, value in zip(self._columns, values, strict=True):
            if type(value) is str and not value.isascii() and not is_text(value):
                return name
        return None


def is_sealable(row: Sequence[Any]) -> bool:
    """Whether a row's leaf can stand for no other row: see ``chain.payload``."""
    transfer = Transfer(*row[:CONTENT])
    refers_to, expires = transfer.refers_to, transfer.expires_at_ms
    return (
        transfer.kind in KINDS
        and model.is_amount(transfer.amount_minor)
        and (refers_to is None or ":" in refers_to)
        and (expires is None or type(expires) is int)
        and not any(SEPARATORS & set(value) for value in row if isinstance(value, str))
    )


def linked(rows: Sequence[Sequence[Any]]) -> list[list[Sequence[Any]]]:
    """Rows in posting order, cut into their linked chains (same event, same first leg)."""
    chains: list[list[Sequence[Any]]] = []
    last: tuple[str, int] | None = None
    for row in rows:
        link = (row[0].rpartition(":")[0], row[1])
        if link != last:
            chains.append([])
            last = link
        chains[-1].append(row)
    return chains


def is_text(value: str) -> bool:
    """Whether a value can be encoded: bytes that were no UTF-8 are read as lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
