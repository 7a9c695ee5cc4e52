"""The ledger's questions to the database, outside commands. Reads only."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from backend.db.limits import STREAM_ROWS_PER_FETCH
from backend.db.tables import Row
from backend.ledger.limits import LEGS_PER_POST_MAX, VERIFY_KEYS_PER_SELECT_MAX
from backend.ledger.tables import (
    LedgerAccount,
    LedgerChain,
    LedgerGroup,
    LedgerHold,
    LedgerTransfer,
)

_ACCOUNT = LedgerAccount.__table__  # type: ignore[attr-defined]
_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_GROUP = LedgerGroup.__table__  # type: ignore[attr-defined]
_HOLD = LedgerHold.__table__  # type: ignore[attr-defined]
_CHAIN = LedgerChain.__table__  # type: ignore[attr-defined]


class LedgerRepository:
    """Reads one snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def transfer_count(self) -> int:
        """How many transfers are stored."""
        count: int = self._connection.execute(select(func.count()).select_from(_TRANSFER)).scalar()  # type: ignore[assignment]
        return count

    def chains(self) -> list[Row]:
        """The end of every chain."""
        return self._all(select(_CHAIN).order_by(_CHAIN.c.chain))

    def groups(self) -> Iterator[Row]:
        """Every group, chain by chain, in order."""
        return self._stream(select(_GROUP).order_by(_GROUP.c.chain, _GROUP.c.seq), fetch=20)

    def accounts(self, prefix: str = "", *, limit: int | None = None) -> Iterator[Row]:
        """The accounts whose id starts so, in order of id."""
        query = select(_ACCOUNT).order_by(_ACCOUNT.c.id).limit(limit)
        if prefix:
            query = query.where(func.substr(_ACCOUNT.c.id, 1, len(prefix)) == prefix)
        return self._stream(query)

    def holds(self) -> Iterator[Row]:
        """Every hold, in order of id."""
        return self._stream(select(_HOLD).order_by(_HOLD.c.id))

    def transfers_by_id(self, ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        """The transfers with these ids, as tuples in column order."""
        found: dict[str, tuple[Any, ...]] = {}
        for start in range(0, len(ids), VERIFY_KEYS_PER_SELECT_MAX):
            chunk = ids[start : start + VERIFY_KEYS_PER_SELECT_MAX]
            query = select(_TRANSFER).where(_TRANSFER.c.id.in_(chunk))
            found.update((row[0], tuple(row)) for row in self._connection.execute(query))
        return found

    def transfers(
        self, *, event_id: str | None = None, account_id: str | None = None, limit: int
    ) -> list[Row]:
        """Transfers of an event (by key) or of an account (by scan), newest group first."""
        query = (
            select(_TRANSFER).order_by(_TRANSFER.c.group_seq.desc(), _TRANSFER.c.id).limit(limit)
        )
        if event_id is not None:
            # By key and not by range: what lies between two texts is the collation's affair.
            legs = range(1, LEGS_PER_POST_MAX + 1)
            query = query.where(_TRANSFER.c.id.in_([f"{event_id}:{leg}" for leg in legs]))
        if account_id is not None:
            query = query.where(
                (_TRANSFER.c.debit == account_id) | (_TRANSFER.c.credit == account_id)
            )
        return self._all(query)

    def _all(self, query: Any) -> list[Row]:  # noqa: ANN401
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def _stream(self, query: Any, *, fetch: int = STREAM_ROWS_PER_FETCH) -> Iterator[Row]:  # noqa: ANN401
        rows = self._connection.execution_options(yield_per=fetch).execute(query)
        return (dict(row) for row in rows.mappings())
