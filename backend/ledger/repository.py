"""The ledger's questions to the database, outside commands. Reads only."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.exc import DBAPIError

from backend.db.limits import STREAM_ROWS_PER_FETCH
from backend.db.tables import Row
from backend.ledger.leaves import is_text
from backend.ledger.limits import (
    LEGS_PER_POST_MAX,
    VERIFY_BREAKS_MAX,
    VERIFY_KEYS_PER_SELECT_MAX,
)
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

# What the follower asks at each step is composed once: that costs more than reading.
_CHAINS = select(_CHAIN).order_by(_CHAIN.c.chain)
_BY_ID = select(_TRANSFER).where(_TRANSFER.c.id.in_(bindparam("ids", expanding=True)))

_NOT_TEXT = "Could not decode to UTF-8"


class UnreadableError(Exception):
    """The database cannot give its rows: it is damaged, or gone."""


class UndecodableError(Exception):
    """A text column holds bytes that are no text."""


class LedgerRepository:
    """Reads one snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> Connection:
        """The snapshot, for other repositories of this room."""
        return self._connection

    @contextmanager
    def reading_plainly(self) -> Iterator[None]:
        """What the database cannot read is ``UnreadableError`` or ``UndecodableError``."""
        try:
            yield
        except DBAPIError as error:
            reason = f"{error.orig}".partition("\n")[0]
            if reason.startswith(_NOT_TEXT):
                raise UndecodableError(reason) from None
            raise UnreadableError(reason) from None

    @contextmanager
    def reading_any_bytes(self) -> Iterator[None]:
        """On SQLite: bytes that are no text come as lone surrogates and not as an error."""
        driver: Any = self._connection.connection.driver_connection
        before, driver.text_factory = driver.text_factory, _text_of
        try:
            yield
        finally:
            driver.text_factory = before

    def transfer_count(self) -> int:
        """How many transfers are stored."""
        count: int = self._connection.execute(select(func.count()).select_from(_TRANSFER)).scalar()  # type: ignore[assignment]
        return count

    def chains(self) -> list[Row]:
        """The end of every chain."""
        return self._all(_CHAINS)

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
        wanted = [one for one in ids if is_text(one)]
        for start in range(0, len(wanted), VERIFY_KEYS_PER_SELECT_MAX):
            chunk = wanted[start : start + VERIFY_KEYS_PER_SELECT_MAX]
            rows = self._connection.execute(_BY_ID, {"ids": chunk}).all()
            found.update((row[0], tuple(row)) for row in rows)
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

    def strays(self) -> Iterator[tuple[str, str]]:
        """Transfers that no group lists, and the group that they name. Counts all transfers group
        by group, then looks at the groups whose count differs."""
        named = (_TRANSFER.c.chain, _TRANSFER.c.group_seq)
        same = (_GROUP.c.chain == named[0]) & (_GROUP.c.seq == named[1])
        counted = (
            select(*named, _GROUP.c.transfer_ids)
            .select_from(_TRANSFER.outerjoin(_GROUP, same))
            .group_by(*named, _GROUP.c.transfer_ids, _GROUP.c.count)
            .having((_GROUP.c.count.is_(None)) | (func.count() != _GROUP.c.count))
            .order_by(*named)
            .limit(VERIFY_BREAKS_MAX)
        )
        for chain, seq, listed in self._connection.execute(counted).all():
            query = select(_TRANSFER.c.id).where(named[0] == chain, named[1] == seq)
            known = set((listed or "").split("\n"))
            for row in self._connection.execute(query.order_by(_TRANSFER.c.id)):
                if row[0] not in known:
                    yield row[0], f"{chain}/{seq}"

    def _all(self, query: Any) -> list[Row]:  # noqa: ANN401
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def _stream(self, query: Any, *, fetch: int = STREAM_ROWS_PER_FETCH) -> Iterator[Row]:  # noqa: ANN401
        rows = self._connection.execution_options(yield_per=fetch).execute(query)
        return (dict(row) for row in rows.mappings())


def _text_of(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
