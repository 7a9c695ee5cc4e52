"""The follower's work: from a chain's groups to balances and log nodes, outside payments' commits.

Rule 1: a step is computed from committed groups, which never change, and from what was followed
        before; so the same step gives the same rows whoever takes it.
Rule 2: the step's command writes them only if the chain has been followed exactly so far. A second
        follower, or the same one after a crash, does no harm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import model
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.derived_tables import BALANCE, FOLLOWER, LOG_NODE
from backend.ledger.limits import FOLLOW_TRANSFERS_PER_STEP_MAX
from backend.ledger.log import NODE_LEVELS, LogNodes
from backend.ledger.model import BALANCES, Transfer
from backend.ledger.repository import LedgerRepository
from protocol.crypto.hashes import sm3
from protocol.errors import CallerError
from protocol.merkle import Frontier, leaf_hash

_UNFOLLOWED = {"seq": 0, "as_of_ms": 0, "checkpoint_size": 0}


@dataclass(frozen=True, slots=True)
class FollowChain:
    """Write what the next groups of a chain come to. False if somebody else has been here."""

    chain: str
    after_seq: int
    seq: int
    as_of_ms: int
    balances: Sequence[Row]
    nodes: Sequence[Row]
    left: int
    """How many groups, of all chains, were there and are not in this step."""

    def reads(self) -> list[Read]:
        return [(FOLLOWER, self.chain)]

    @property
    def groups(self) -> int:
        """How many groups it follows."""
        return self.seq - self.after_seq

    def decide(self, ws: WorkingSet, _now_ms: int) -> bool:
        """Move the follower by this step."""
        found = ws.get(FOLLOWER, self.chain)
        if found is None:
            found = {"chain": self.chain, **_UNFOLLOWED}
            ws.insert(FOLLOWER, found)
        if found["seq"] != self.after_seq:
            return False
        for row in self.balances:
            ws.insert(BALANCE, row)
        for row in self.nodes:
            ws.insert(LOG_NODE, row)
        ws.update(FOLLOWER, self.chain, seq=self.seq, as_of_ms=self.as_of_ms)
        return True


class Sums:
    """Running sums per account, group after group of one chain."""

    def __init__(self) -> None:
        self._sums: dict[str, list[int]] = {}

    def missing(self, account_ids: Iterable[str]) -> list[str]:
        """Accounts whose sums are not known yet."""
        return [one for one in dict.fromkeys(account_ids) if one not in self._sums]

    def start(self, account_id: str, row: Row | None) -> None:
        """An account's sums before the first group."""
        self._sums[account_id] = [row[name] if row else 0 for name in BALANCES]

    def take(self, transfers: Sequence[Transfer], held: dict[str, int]) -> dict[str, list[str]]:
        """Add a group; which of its transfers moved which account."""
        moved: dict[str, list[str]] = {}
        for transfer in transfers:
            held_minor = held.get(transfer.refers_to or "", 0)
            pending, posted = model.effect(transfer.kind, transfer.amount_minor, held_minor)
            for side, account_id in enumerate((transfer.debit, transfer.credit)):
                sums = self._sums[account_id]
                sums[side] += posted
                sums[side + 2] += pending
                moved.setdefault(account_id, []).append(transfer.id)
        return moved

    def of(self, account_id: str) -> tuple[int, ...]:
        """The account's sums now."""
        return tuple(self._sums[account_id])


def next_step(ledger: LedgerRepository, derived: DerivedRepository) -> FollowChain | None:
    """What to write next for the chain that is furthest behind; None if all are followed."""
    behind = groups_behind(ledger, derived)
    if not behind:
        return None
    chain = max(behind, key=behind.__getitem__)
    at = derived.followers().get(chain, _UNFOLLOWED)
    return _step(ledger, derived, chain, at, behind=sum(behind.values()))


def groups_behind(ledger: LedgerRepository, derived: DerivedRepository) -> dict[str, int]:
    """How many groups of each chain have not been followed, where there are any."""
    followed = derived.followers()
    found = {
        end["chain"]: end["seq"] - followed.get(end["chain"], _UNFOLLOWED)["seq"]
        for end in ledger.chains()
    }
    return {chain: count for chain, count in found.items() if count > 0}


def _step(
    ledger: LedgerRepository, derived: DerivedRepository, chain: str, at: Row, *, behind: int
) -> FollowChain | None:
    groups = _next_groups(derived, chain, at["seq"])
    if not groups:
        return None
    ids = [one for group in groups for one in group["transfer_ids"].split("\n")]
    transfers = {one: Transfer.of_row(row) for one, row in rows_named(ledger, ids).items()}
    held = held_minor(ledger, transfers.values())
    sums = Sums()
    sides = (side for one in transfers.values() for side in (one.debit, one.credit))
    unknown = sums.missing(sides)
    latest = derived.latest_balances(chain, unknown)
    for account_id in unknown:
        sums.start(account_id, latest.get(account_id))
    as_of_ms, balances = at["as_of_ms"], []
    for group in groups:
        as_of_ms = max(as_of_ms, group["at_ms"])
        posted = [transfers[one] for one in group["transfer_ids"].split("\n")]
        for account_id, moving in sums.take(posted, held).items():
            keys = (account_id, chain, as_of_ms, group["seq"])
            values = (*keys, *sums.of(account_id), "\n".join(moving))
            balances.append(dict(zip(BALANCE.columns, values, strict=True)))
    nodes = _nodes(derived, chain, at["seq"], groups)
    left = behind - len(groups)
    return FollowChain(chain, at["seq"], groups[-1]["seq"], as_of_ms, balances, nodes, left)


def rows_named(ledger: LedgerRepository, ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """The rows of these transfers; ``log_inconsistent`` if one that is named is not there."""
    found = ledger.transfers_by_id(ids)
    for one in ids:
        if one not in found:
            raise CallerError("log_inconsistent", f"transfer {one} is missing")
    return found


def held_minor(ledger: LedgerRepository, transfers: Iterable[Transfer]) -> dict[str, int]:
    """The amounts of the holds that these transfers end."""
    wanted = [
        one.refers_to
        for one in transfers
        if one.refers_to is not None and one.kind in {"post", "void", "expire"}
    ]
    found = rows_named(ledger, list(dict.fromkeys(wanted)))
    return {one: Transfer.of_row(row).amount_minor for one, row in found.items()}


def _next_groups(derived: DerivedRepository, chain: str, seq: int) -> list[Row]:
    groups: list[Row] = []
    count = 0
    for group in derived.groups_after(chain, seq):
        count += group["count"]
        if groups and count > FOLLOW_TRANSFERS_PER_STEP_MAX:
            break
        groups.append(group)
    return groups


def _nodes(derived: DerivedRepository, chain: str, seq: int, groups: Sequence[Row]) -> list[Row]:
    frontier = Frontier.resumed(seq, LogNodes(derived, chain), sm3)
    return [
        {"chain": chain, "level": level, "place": position, "hash": node}
        for group in groups
        for level, position, node in frontier.append(leaf_hash(group["hash"], sm3))
        if level and level % NODE_LEVELS == 0
    ]
