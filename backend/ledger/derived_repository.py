"""Questions about what is derived from the groups. Reads one snapshot; only ``forget`` writes."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, delete, select, tuple_

from backend.db.limits import STREAM_ROWS_PER_FETCH
from backend.db.tables import Row
from backend.ledger.derived_tables import (
    LedgerBalance,
    LedgerCheckpoint,
    LedgerFollower,
    LedgerLogNode,
)
from backend.ledger.limits import (
    CHECKPOINTS_LISTED_MAX,
    FOLLOW_GROUPS_PER_STEP_MAX,
    VERIFY_KEYS_PER_SELECT_MAX,
)
from backend.ledger.tables import LedgerAccount, LedgerGroup, LedgerTransfer

_ACCOUNT = LedgerAccount.__table__  # type: ignore[attr-defined]
_BALANCE = LedgerBalance.__table__  # type: ignore[attr-defined]
_NODE = LedgerLogNode.__table__  # type: ignore[attr-defined]
_FOLLOWER = LedgerFollower.__table__  # type: ignore[attr-defined]
_CHECKPOINT = LedgerCheckpoint.__table__  # type: ignore[attr-defined]
_GROUP = LedgerGroup.__table__  # type: ignore[attr-defined]
_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]

Moment = tuple[int, int]
"""A place in one chain: (as of, group number)."""


def _latest() -> Select[Any]:
    """The last balances over ``wanted_chain`` of the accounts ``wanted``: for each of them one
    search for its last moment and one for that row."""
    chain: BindParameter[str] = bindparam("wanted_chain")
    last = (
        select(_BALANCE.c.as_of_ms, _BALANCE.c.group_seq)
        .where(_BALANCE.c.account_id == _ACCOUNT.c.id, _BALANCE.c.chain == chain)
        .order_by(_BALANCE.c.as_of_ms.desc(), _BALANCE.c.group_seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    row = _BALANCE.alias("row")
    is_last = (
        (row.c.account_id == _ACCOUNT.c.id)
        & (row.c.chain == chain)
        & (tuple_(row.c.as_of_ms, row.c.group_seq) == last)
    )
    is_wanted = _ACCOUNT.c.id.in_(bindparam("wanted", expanding=True))
    return select(row).select_from(_ACCOUNT.join(row, is_last)).where(is_wanted)


# What the follower asks at each step is composed once: that costs more than reading.
_LATEST = _latest()
_FOLLOWERS = select(_FOLLOWER).order_by(_FOLLOWER.c.chain)
_GROUPS_AFTER = (
    select(*(_GROUP.c[name] for name in ("seq", "hash", "count", "at_ms", "transfer_ids")))
    .where(_GROUP.c.chain == bindparam("chain"), _GROUP.c.seq > bindparam("seq"))
    .order_by(_GROUP.c.seq)
    .limit(FOLLOW_GROUPS_PER_STEP_MAX)
)
_HASHES = (
    select(_GROUP.c.hash)
    .where(
        _GROUP.c.chain == bindparam("chain"),
        _GROUP.c.seq >= bindparam("first"),
        _GROUP.c.seq < bindparam("end"),
    )
    .order_by(_GROUP.c.seq)
)
_NODES = select(_NODE.c.place, _NODE.c.hash).where(
    _NODE.c.chain == bindparam("chain"),
    _NODE.c.level == bindparam("level"),
    _NODE.c.place >= bindparam("first"),
    _NODE.c.place < bindparam("end"),
)


def forget(connection: Connection) -> None:
    """Throw away what the follower has made, so that it begins anew. Checkpoints stay."""
    for table in (_BALANCE, _NODE):
        connection.execute(delete(table))
    connection.execute(_FOLLOWER.update().values(seq=0, as_of_ms=0))


class DerivedRepository:
    """Reads one snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def followers(self) -> dict[str, Row]:
        """How far each chain has been followed."""
        return {row["chain"]: row for row in self._all(_FOLLOWERS)}

    def group(self, chain: str, seq: int) -> Row | None:
        """One group."""
        query = select(_GROUP).where(_GROUP.c.chain == chain, _GROUP.c.seq == seq)
        return self._first(query)

    def groups_after(self, chain: str, seq: int) -> list[Row]:
        """A chain's next groups after a number, in order, without their leaves."""
        return self._all(_GROUPS_AFTER, chain=chain, seq=seq)

    def transfers_of(self, account_id: str, ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        """Which of these transfers name the account, as tuples in column order."""
        found: dict[str, tuple[Any, ...]] = {}
        is_named = (_TRANSFER.c.debit == account_id) | (_TRANSFER.c.credit == account_id)
        for chunk in _chunks(ids):
            query = select(_TRANSFER).where(_TRANSFER.c.id.in_(chunk), is_named)
            found.update((row[0], tuple(row)) for row in self._connection.execute(query))
        return found

    def latest_balances(self, chain: str, account_ids: Sequence[str]) -> dict[str, Row]:
        """The last balance of each account over a chain."""
        found: dict[str, Row] = {}
        for chunk in _chunks(account_ids):
            rows = self._all(_LATEST, wanted=chunk, wanted_chain=chain)
            found.update((row["account_id"], row) for row in rows)
        return found

    def balance_before(self, account_id: str, chain: str, moment: Moment) -> Row | None:
        """The account's last balance over a chain before a moment."""
        query = (
            select(_BALANCE)
            .where(
                _BALANCE.c.account_id == account_id,
                _BALANCE.c.chain == chain,
                _at(_BALANCE) < tuple_(*moment),
            )
            .order_by(_BALANCE.c.as_of_ms.desc(), _BALANCE.c.group_seq.desc())
            .limit(1)
        )
        return self._first(query)

    def moves(
        self, account_id: str, chain: str, start: Moment, end: Moment, limit: int
    ) -> list[Row]:
        """The account's balances over a chain from one moment on and before another, in order."""
        query = (
            select(_BALANCE)
            .where(
                _BALANCE.c.account_id == account_id,
                _BALANCE.c.chain == chain,
                _at(_BALANCE) >= tuple_(*start),
                _at(_BALANCE) < tuple_(*end),
            )
            .order_by(_BALANCE.c.as_of_ms, _BALANCE.c.group_seq)
            .limit(limit)
        )
        return self._all(query)

    def balances(self) -> Iterator[Row]:
        """Every balance, account by account."""
        keys = (_BALANCE.c.account_id, _BALANCE.c.chain, _BALANCE.c.as_of_ms, _BALANCE.c.group_seq)
        return self._stream(select(_BALANCE).order_by(*keys))

    def group_hashes(self, chain: str, first_seq: int, count: int) -> list[bytes]:
        """The hashes of consecutive groups; fewer where the chain has a gap or ends."""
        wanted = {"chain": chain, "first": first_seq, "end": first_seq + count}
        return [row[0] for row in self._connection.execute(_HASHES, wanted).all()]

    def nodes(self, chain: str, level: int, first: int, count: int) -> dict[int, bytes]:
        """The stored ones of consecutive nodes of a level, by place."""
        wanted = {"chain": chain, "level": level, "first": first, "end": first + count}
        return {row[0]: row[1] for row in self._connection.execute(_NODES, wanted).all()}

    def all_nodes(self) -> Iterator[Row]:
        """Every stored node, chain by chain and level by level."""
        return self._stream(select(_NODE).order_by(_NODE.c.chain, _NODE.c.level, _NODE.c.place))

    def checkpoint(self, chain: str, size: int) -> Row | None:
        """The checkpoint of exactly this size."""
        query = select(_CHECKPOINT).where(_CHECKPOINT.c.chain == chain, _CHECKPOINT.c.size == size)
        return self._first(query)

    def last_checkpoint(self, chain: str) -> Row | None:
        """The newest checkpoint of a chain."""
        query = select(_CHECKPOINT).where(_CHECKPOINT.c.chain == chain)
        return self._first(query.order_by(_CHECKPOINT.c.size.desc()).limit(1))

    def checkpoints(self, chain: str) -> list[Row]:
        """The newest checkpoints of a chain, newest first."""
        query = select(_CHECKPOINT).where(_CHECKPOINT.c.chain == chain)
        newest = query.order_by(_CHECKPOINT.c.size.desc()).limit(CHECKPOINTS_LISTED_MAX)
        return self._all(newest)

    def all_checkpoints(self) -> Iterator[Row]:
        """Every checkpoint, chain by chain, in order of size."""
        return self._stream(select(_CHECKPOINT).order_by(_CHECKPOINT.c.chain, _CHECKPOINT.c.size))

    def _all(self, query: Any, **values: Any) -> list[Row]:  # noqa: ANN401
        return [dict(row) for row in self._connection.execute(query, values).mappings().all()]

    def _first(self, query: Any) -> Row | None:  # noqa: ANN401
        rows = self._all(query)
        return rows[0] if rows else None

    def _stream(self, query: Any, *, fetch: int = STREAM_ROWS_PER_FETCH) -> Iterator[Row]:  # noqa: ANN401
        rows = self._connection.execution_options(yield_per=fetch).execute(query)
        return (dict(row) for row in rows.mappings())


def _at(table: Any) -> Any:  # noqa: ANN401
    return tuple_(table.c.as_of_ms, table.c.group_seq)


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), VERIFY_KEYS_PER_SELECT_MAX):
        yield keys[start : start + VERIFY_KEYS_PER_SELECT_MAX]
