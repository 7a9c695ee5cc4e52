"""The shards' questions to a database, our own or a peer's. Reads only."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Literal, NamedTuple, TypeVar

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import DBAPIError

from backend.db.reading import Reader
from backend.ledger.model import Transfer
from backend.ledger.tables import LedgerTransfer
from backend.shards.limits import VERIFY_CROSSINGS_PER_READ
from backend.shards.model import Crossing, Place, Refusal, ShardMap
from backend.shards.rules import RETURNED
from backend.shards.tables import ShardCrossing, ShardLane, ShardPlace, ShardRefusal
from protocol.errors import OperatingError

_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_PLACE = ShardPlace.__table__  # type: ignore[attr-defined]
_CROSSING = ShardCrossing.__table__  # type: ignore[attr-defined]
_REFUSAL = ShardRefusal.__table__  # type: ignore[attr-defined]
_LANE = ShardLane.__table__  # type: ignore[attr-defined]
_REFUSALS = select(_REFUSAL.c.seq, _REFUSAL.c.event_id, _REFUSAL.c.code).order_by(_REFUSAL.c.seq)

_T = TypeVar("_T")
Stage = Literal["charged", "credited", "returned"]


class Lane(NamedTuple):
    """The cursors between a database's shard and a peer (``tables.ShardLane``)."""

    sent_seq: int = 0
    settled_seq: int = 0
    received_seq: int = 0
    refused_seq: int = 0


_LANES = select(*(_LANE.c[name] for name in Lane._fields)).where(_LANE.c.peer == bindparam("peer"))


class News(NamedTuple):
    """What a peer's database has for us, at one moment."""

    crossings: tuple[Crossing, ...]
    """For us, after those we have."""
    received_seq: int
    """Up to here ours have ended there."""
    refusals: tuple[Refusal, ...]
    """Of these, since we last settled, the refused ones."""


class ShardRepository:
    """Asks by one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def place(self) -> Place | None:
        """Which shard this database is; None before it was founded."""
        row = self._connection.execute(select(_PLACE)).mappings().one_or_none()
        if row is None:
            return None
        found = ShardMap(row["founding"], row["epoch"], row["count"], bytes(row["places"]))
        return Place(found, row["number"])

    def has_transfers(self) -> bool:
        """Whether money ever moved here."""
        return self._connection.execute(select(_TRANSFER.c.id).limit(1)).first() is not None

    def lane(self, peer: int) -> Lane:
        """The cursors of one peer."""
        row = self._connection.execute(_LANES, {"peer": peer}).first()
        return Lane(*row) if row else Lane()

    def news(self, reader: int, *, after_seq: int, settled_seq: int, limit: int) -> News:
        """What shard ``reader`` wants to know of this one: one look-up by key, if it is nothing.

        The lane is read first. What it counts is there then, and never changes: no snapshot needed.
        """
        lane = self.lane(reader)
        crossings: tuple[Crossing, ...] = ()
        refusals: tuple[Refusal, ...] = ()
        if lane.sent_seq > after_seq:
            crossings = tuple(self.crossings(reader, after_seq, limit))
        if lane.refused_seq > settled_seq:
            found = self.refusals(reader, settled_seq)
            refusals = tuple(one for one in found if one.seq <= lane.received_seq)
        return News(crossings, lane.received_seq, refusals)

    def crossings(self, peer: int, after_seq: int, limit: int) -> Iterator[Crossing]:
        """Our crossings to a peer in order of their numbers."""
        query = (
            select(_CROSSING)
            .where(_CROSSING.c.peer == peer, _CROSSING.c.seq > after_seq)
            .order_by(_CROSSING.c.seq)
            .limit(limit)
        )
        return (Crossing(*row) for row in self._connection.execute(query))

    def refusals(self, sender: int, after_seq: int) -> Iterator[Refusal]:
        """What this shard refused of a sender, in order."""
        query = _REFUSALS.where(_REFUSAL.c.sender == sender, _REFUSAL.c.seq > after_seq)
        return (Refusal(*row) for row in self._connection.execute(query))

    def refusal(self, sender: int, seq: int) -> Refusal | None:
        """Why this shard refused a sender's crossing; None if it did not."""
        query = _REFUSALS.where(_REFUSAL.c.sender == sender, _REFUSAL.c.seq == seq)
        row = self._connection.execute(query).first()
        return Refusal(*row) if row else None

    def all_crossings(self, peer: int, up_to: int) -> Iterator[list[Crossing]]:
        """Every crossing to a peer, in pages."""
        after = 0
        while after < up_to:
            page = list(self.crossings(peer, after, min(VERIFY_CROSSINGS_PER_READ, up_to - after)))
            if not page:
                return
            yield page
            after = page[-1].seq

    def transfers(self, ids: Sequence[str]) -> dict[str, Transfer]:
        """The transfers with these ids."""
        columns = [_TRANSFER.c[name] for name in Transfer._fields]
        query = select(*columns).where(_TRANSFER.c.id.in_(ids))
        return {row[0]: Transfer(*row) for row in self._connection.execute(query)}

    def stage(self, event_id: str) -> Stage | None:
        """How far a crossing of ours has come; None if nothing was charged under this id."""
        query = select(_CROSSING.c.peer, _CROSSING.c.seq).where(_CROSSING.c.event_id == event_id)
        row = self._connection.execute(query).first()
        if row is None:
            return None
        peer, seq = row
        if seq > self.lane(peer).settled_seq:
            return "charged"
        return "returned" if self.transfers([f"{event_id}{RETURNED}:1"]) else "credited"


class ShardReader:
    """One database, asked again and again from outside by a connection that it keeps."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept = ExitStack()
        self._repository: ShardRepository | None = None
        self._lock = threading.Lock()

    def place(self) -> Place | None:
        """Which shard it is."""
        return self._ask(lambda shard: shard.place())

    def lane(self, peer: int) -> Lane:
        """The cursors of one peer."""
        return self._ask(lambda shard: shard.lane(peer))

    def news(self, reader: int, *, after_seq: int, settled_seq: int, limit: int) -> News:
        """What it has for shard ``reader``."""
        return self._ask(
            lambda shard: shard.news(
                reader, after_seq=after_seq, settled_seq=settled_seq, limit=limit
            )
        )

    def refusal(self, sender: int, seq: int) -> Refusal | None:
        """Why it refused a sender's crossing."""
        return self._ask(lambda shard: shard.refusal(sender, seq))

    def stage(self, event_id: str) -> Stage | None:
        """How far a crossing of its own has come."""
        return self._ask(lambda shard: shard.stage(event_id))

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._repository = None
            self._kept.close()

    def _ask(self, question: Callable[[ShardRepository], _T]) -> _T:
        with self._lock:
            try:
                if self._repository is None:
                    connection = self._kept.enter_context(self._reader.lasting())
                    self._repository = ShardRepository(connection)
                return question(self._repository)
            except DBAPIError as error:
                self._repository = None
                self._kept.close()
                why = f"shard's database: {error.orig}"
                raise OperatingError("backend_unreachable", why) from None
