"""Founding a set of databases as shards, and knowing our own again at every start.

Rule 1: the order of the addresses is the numbering, fixed at the founding; every database keeps its
        number and the whole map. Addresses in another order, too few or too many, or a database of
        another founding are refused.
Rule 2: only ``found`` writes a map. A database in which money has moved before is the only shard
        there is, or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.migrate import upgrade
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.db.working_set import WorkingSet
from backend.shards.limits import SHARDS_MAX
from backend.shards.model import Place, ShardMap
from backend.shards.repository import ShardRepository
from backend.shards.tables import HERE, PLACE
from protocol.clock import Clock
from protocol.errors import CallerError


def check_addresses(urls: Sequence[str]) -> None:
    """``CallerError("config_invalid")`` unless these can be the shards' databases. Addresses hold
    passwords: the error names their numbers only."""
    if not 1 <= len(urls) <= SHARDS_MAX:
        raise CallerError("config_invalid", f"1 to {SHARDS_MAX} shards, not {len(urls)}")
    for number, url in enumerate(urls):
        if not url.startswith(("postgresql", "sqlite:///")):
            raise CallerError("config_invalid", f"shard {number}: not a PostgreSQL address")
        if url in urls[:number]:
            raise CallerError("config_invalid", f"shard {number} is named twice")


def found(urls: Sequence[str], *, founding: str, clock: Clock) -> tuple[Place, ...]:
    """Make these databases, in this order, the shards of one ledger. Again, or after a founding
    that was interrupted, it does what is left to do."""
    check_addresses(urls)
    for url in urls:
        upgrade(url)
    stored = [_stored(url) for url in urls]
    known = next((place.map for place, _ in stored if place is not None), None)
    places = tuple(
        Place(known or ShardMap.founded(founding, len(urls)), number) for number in range(len(urls))
    )
    for place, (present, is_used) in zip(places, stored, strict=True):
        if present is None and is_used and len(urls) > 1:
            raise CallerError("config_invalid", f"shard {place.number}: money moved there before")
        if present is not None:
            _check(present, place, len(urls))
    for url, place, (present, _) in zip(urls, places, stored, strict=True):
        if present is None:
            _write(url, place, clock)
    return places


def own_place(url: str, urls: Sequence[str]) -> Place:
    """Which shard this database is, at the start of its backend."""
    check_addresses(urls)
    if url not in urls:
        raise CallerError("config_invalid", "our own database is not among the shards")
    present, _ = _stored(url)
    if present is None:
        raise CallerError("config_invalid", "no shard yet: tillway shards found")
    _check(present, Place(present.map, urls.index(url)), len(urls))
    return present


def check_alone(reader: Reader) -> None:
    """``CallerError("config_invalid")`` for one of several databases whose backend was told of
    none: nothing would keep it from posting to the others' accounts."""
    with reader.snapshot() as connection:
        present = ShardRepository(connection).place()
    if present is not None and present.map.count > 1:
        why = f"shard {present.number} of {present.map.count}: name them all in ledger_shards"
        raise CallerError("config_invalid", f"our own database is {why}")


def _check(present: Place, wanted: Place, count: int) -> None:
    if present.map.count != count:
        why = f"founded as one of {present.map.count} shards, not of {count}"
    elif present.map != wanted.map:
        why = "belongs to another founding or has another map"
    elif present.number != wanted.number:
        why = f"is shard {present.number}: the addresses are in another order"
    else:
        return
    raise CallerError("config_invalid", f"shard {wanted.number}: {why}")


def _stored(url: str) -> tuple[Place | None, bool]:
    """The place that a database keeps, and whether money ever moved in it."""
    with Reader.opened(url) as reader, reader.snapshot() as connection:
        repository = ShardRepository(connection)
        return repository.place(), repository.has_transfers()


def _write(url: str, place: Place, clock: Clock) -> None:
    engine = open_engine(url)
    writer = GroupCommitWriter(open_store(engine), clock=clock)
    try:
        writer.apply([_Found(place)])[0].value()
    finally:
        writer.close()
        engine.dispose()


@dataclass(frozen=True, slots=True)
class _Found:
    """Keep a place in an empty database."""

    place: Place

    def reads(self) -> list[Read]:
        """The only row."""
        return [(PLACE, HERE)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # the protocol's shape
        """Refuses if somebody else was faster."""
        if ws.get(PLACE, HERE) is not None:
            raise CallerError("config_invalid", "founded by somebody else meanwhile")
        kept = self.place.map
        ws.insert(
            PLACE,
            {
                "id": HERE,
                "number": self.place.number,
                "founding": kept.founding,
                "epoch": kept.epoch,
                "count": kept.count,
                "places": kept.places,
            },
        )
