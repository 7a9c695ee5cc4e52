"""Who lives on which shard, and what crosses between shards. Pure.

Rule 1: an owner's shard depends on the owner's name and the stored map alone: SHA-256 of the name
        in UTF-8, its first two bytes as a number, modulo ``BUCKETS``, is the bucket; the map says
        where the bucket lies. The same in any language: nothing of Python's ``hash``.
Rule 2: accounts of payers and merchants lie on their owner's shard; a hot merchant's sub-accounts
        (``<id>#<n>``) are owners of their own. All other accounts (reserve, channels, fees, the own
        book) exist on every shard; a figure of theirs is the sum over the shards. What is put aside
        for a case, a contract, a payment or a stock has no home by its own name: it comes out of
        an account of the merchant or payer whose it is and so, by rule 3, lies where they do.
Rule 3: no transfer touches two databases. What crosses is two transfers with one name, each in its
        own shard's books, and between them the account of the other shard.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from backend.shards.limits import BUCKETS, SHARDS_MAX
from protocol.errors import CallerError

PLACED_CODES = frozenset({"CUST", "MPEND", "MAVAIL", "MERCH_RECV"})
_OWNERS_CACHED = 65_536


@lru_cache(maxsize=_OWNERS_CACHED)
def bucket_of(owner: str) -> int:
    """The bucket of a payer, a merchant or a merchant's sub-account."""
    return int.from_bytes(hashlib.sha256(owner.encode()).digest()[:2], "big") % BUCKETS


@dataclass(frozen=True, slots=True)
class ShardMap:
    """Where every bucket lies. Every database keeps a copy, and all copies must be equal."""

    founding: str
    """Names the set of databases that were founded together."""
    epoch: int
    """Rises by one whenever a bucket moves."""
    count: int
    places: bytes
    """Bucket → shard, one byte each."""

    @classmethod
    def founded(cls, founding: str, count: int) -> "ShardMap":
        """The first map: buckets dealt out evenly."""
        if not 1 <= count <= SHARDS_MAX:
            raise CallerError("config_invalid", f"1 to {SHARDS_MAX} shards, not {count}")
        return cls(founding, 1, count, bytes(bucket % count for bucket in range(BUCKETS)))

    def shard_of(self, owner: str) -> int:
        """The number of the shard where this owner's accounts are."""
        return self.places[bucket_of(owner)] if self.count > 1 else 0

    def shard_of_account(self, account_id: str) -> int | None:
        """The shard of an account; None if the account exists on every shard."""
        parts = account_id.split(":")
        if len(parts) != 4 or parts[1] not in PLACED_CODES:
            return None
        return self.shard_of(parts[2])


@dataclass(frozen=True, slots=True)
class Place:
    """One shard among all: the map, and our number on it."""

    map: ShardMap
    number: int

    @property
    def peers(self) -> tuple[int, ...]:
        """The other shards."""
        return tuple(shard for shard in range(self.map.count) if shard != self.number)


@dataclass(frozen=True, slots=True)
class Order:
    """A payment from a balance on this shard to a merchant on another."""

    event_id: str
    user_id: str
    owner: str
    """The owner of the merchant's pending account: the merchant, or one of its sub-accounts."""
    amount_minor: int
    fee_minor: int
    currency: str
    business_date: str
    details: str
    """What the payer's side tells the payee's; the shards do not read it."""


class Crossing(NamedTuple):
    """An order that was charged, on its way. A tuple, because it is also the row."""

    event_id: str
    peer: int
    seq: int
    """Numbers the crossings to one peer without a gap, in commit order."""
    user_id: str
    owner: str
    amount_minor: int
    fee_minor: int
    currency: str
    business_date: str
    details: str
    at_ms: int

    @property
    def order(self) -> Order:
        """What was ordered."""
        return Order(
            self.event_id, self.user_id, self.owner, self.amount_minor, self.fee_minor,
            self.currency, self.business_date, self.details,
        )  # fmt: skip


class Refusal(NamedTuple):
    """A crossing that the payee's shard would not credit, and why: an error's code."""

    seq: int
    event_id: str
    code: str
