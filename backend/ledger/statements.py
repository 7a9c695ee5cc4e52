"""Balances at any time and account statements, read in one snapshot.

Rule 1: *at time T* means after the last group of each chain that is as of T or before. A group is
        as of the latest time of itself and of all groups before it in its chain, so a clock that
        went back does not reorder what happened.
Rule 2: groups that the follower has not reached are read themselves: an answer is never behind.
Rule 3: a statement covers ``from`` (included) to ``to`` (not included), and ties out:
        opening + sum of its entries = closing, for the balance and for what is available.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from backend.ledger import chart, model
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.leaves import CONTENT
from backend.ledger.limits import TAIL_TRANSFERS_MAX
from backend.ledger.model import BALANCES, Account, Transfer
from backend.ledger.projection import held_minor, rows_named
from backend.ledger.repository import LedgerRepository
from protocol.errors import CallerError, OperatingError


class Place(NamedTuple):
    """A place in the order of an account's groups; ``n`` entries of the group lie before it."""

    as_of_ms: int
    chain: str
    group_seq: int
    n: int = 0

    def to_text(self) -> str:
        """The place as text, for a caller to send with its next question."""
        return f"{self.as_of_ms}.{self.group_seq}.{self.n}.{self.chain}"

    @classmethod
    def from_text(cls, text: str) -> "Place":
        """Read ``to_text``; ``CallerError("field_invalid")`` for anything else."""
        words = text.split(".", 3)
        if len(words) != len(cls._fields) or not all(
            word.isascii() and word.isdigit() and len(word) < len(str(2**63)) for word in words[:3]
        ):
            raise CallerError("field_invalid", "after")
        return cls(int(words[0]), words[3], int(words[1]), int(words[2]))


class Balance(NamedTuple):
    """What an account holds on its own side, and what of it is not held for something."""

    balance_minor: int
    available_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer as this account sees it. Amounts are signed: what they add to the account."""

    transfer_id: str
    at_ms: int
    business_date: str
    rule: str
    kind: str
    counter_account: str
    refers_to: str | None
    amount_minor: int
    available_change_minor: int
    balance_minor: int
    available_minor: int
    chain: str
    group_seq: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of a statement; opening and closing are the whole statement's."""

    account_id: str
    currency: str
    from_ms: int
    to_ms: int
    opening: Balance
    entries: Sequence[Entry]
    closing: Balance
    next_after: str | None


class _Move(NamedTuple):
    """A group that moved the account."""

    place: Place
    transfer_ids: list[str]


class Statements:
    """Answers from one snapshot."""

    def __init__(self, ledger: LedgerRepository, derived: DerivedRepository) -> None:
        self._ledger = ledger
        self._derived = derived
        self._chains = [row["chain"] for row in ledger.chains()]

    def balance(self, account_id: str, at_ms: int) -> Balance:
        """The account at a time; zero before it was opened. ``account_unknown`` outside the
        chart."""
        account = chart.account(account_id)
        sums = self._sums_before(account, self._tail(account), Place(at_ms + 1, "", 0))
        return _balance(account, sums)

    def statement(
        self, account_id: str, from_ms: int, to_ms: int, *, after: Place | None, limit: int
    ) -> Statement:
        """One page; ``after`` is where the page before has ended."""
        account = chart.account(account_id)
        tail = self._tail(account)
        start, end = Place(from_ms, "", 0), Place(to_ms, "", 0)
        begin = start if after is None else max(after, start)
        moves = self._moves(account, tail, begin, end, limit + 1)
        entries, following = self._entries(account, tail, begin, moves, limit)
        return Statement(
            account_id=account_id,
            currency=account.currency,
            from_ms=from_ms,
            to_ms=to_ms,
            opening=_balance(account, self._sums_before(account, tail, start)),
            entries=entries,
            closing=_balance(account, self._sums_before(account, tail, end)),
            next_after=following.to_text() if following else None,
        )

    def _entries(
        self, account: Account, tail: Sequence[_Move], begin: Place, moves: Iterable[_Move],
        limit: int,
    ) -> tuple[list[Entry], Place | None]:  # fmt: skip
        """The page's entries and where the next one begins, if there is more."""
        wanted: list[tuple[Place, str]] = []
        skipped = 0
        for place, ids in moves:
            shown = begin.n if place == begin._replace(n=0) else 0
            skipped += shown
            wanted += [(place._replace(n=n), one) for n, one in enumerate(ids)]
            if len(wanted) - skipped > limit:
                break
        wanted, more = wanted[: limit + skipped], wanted[limit + skipped :]
        rows = rows_named(self._ledger, [one for _, one in wanted])
        posted = {one: Transfer.of_row(row) for one, row in rows.items()}
        held = held_minor(self._ledger, posted.values())
        sums = self._sums_before(account, tail, begin._replace(n=0))
        entries = []
        for place, one in wanted:
            before = _balance(account, sums)
            _add(sums, account.id, posted[one], held)
            after = _balance(account, sums)
            entries.append(_entry(account.id, rows[one], place, before, after))
        return entries[skipped:], more[0][0] if more else None

    def _moves(
        self, account: Account, tail: Sequence[_Move], begin: Place, end: Place, limit: int
    ) -> Iterable[_Move]:
        """The account's groups from one place to another, in order; of each chain at most so
        many."""
        streams = [
            [
                _Move(
                    Place(row["as_of_ms"], chain, row["group_seq"]), row["transfer_ids"].split("\n")
                )
                for row in self._derived.moves(
                    account.id, chain, _bound(begin, chain), _bound(end, chain), limit
                )
            ]
            for chain in self._chains
        ]
        late = [move for move in tail if begin._replace(n=0) <= move.place < end]
        return heapq.merge(*streams, late)

    def _sums_before(self, account: Account, tail: Sequence[_Move], place: Place) -> list[int]:
        """The account's sums over all chains before a place."""
        sums = [0] * len(BALANCES)
        for chain in self._chains:
            row = self._derived.balance_before(account.id, chain, _bound(place, chain))
            if row is not None:
                sums = [total + row[name] for total, name in zip(sums, BALANCES, strict=True)]
        ids = [one for move in tail if move.place < place for one in move.transfer_ids]
        rows = rows_named(self._ledger, ids)
        posted = [Transfer.of_row(rows[one]) for one in ids]
        held = held_minor(self._ledger, posted)
        for transfer in posted:
            _add(sums, account.id, transfer, held)
        return sums

    def _tail(self, account: Account) -> list[_Move]:
        """The account's groups that the follower has not reached; ``busy`` if it is far behind."""
        followed = self._derived.followers()
        moves = []
        count = 0
        for chain in self._chains:
            at = followed.get(chain, {"seq": 0, "as_of_ms": 0})
            seq, as_of_ms = at["seq"], at["as_of_ms"]
            while groups := self._derived.groups_after(chain, seq):
                count += sum(group["count"] for group in groups)
                if count > TAIL_TRANSFERS_MAX:
                    raise OperatingError("busy", "statements follow; run tillway ledger follow")
                for group in groups:
                    as_of_ms = max(as_of_ms, group["at_ms"])
                    ids = group["transfer_ids"].split("\n")
                    mine = self._derived.transfers_of(account.id, ids)
                    if mine:
                        place = Place(as_of_ms, chain, group["seq"])
                        moves.append(_Move(place, [one for one in ids if one in mine]))
                seq = groups[-1]["seq"]
        return sorted(moves)


def _bound(place: Place, chain: str) -> tuple[int, int]:
    """What a place means within one chain."""
    if chain < place.chain:
        return place.as_of_ms + 1, 0
    return place.as_of_ms, place.group_seq if chain == place.chain else 0


def _add(sums: list[int], account_id: str, transfer: Transfer, held: Mapping[str, int]) -> None:
    """Add a transfer to the account's sums."""
    pending, posted = model.effect(
        transfer.kind, transfer.amount_minor, held.get(transfer.refers_to or "", 0)
    )
    side = 0 if transfer.debit == account_id else 1
    sums[side] += posted
    sums[side + 2] += pending


def _balance(account: Account, sums: Sequence[int]) -> Balance:
    row = {"side": account.side, **dict(zip(BALANCES, sums, strict=True))}
    return Balance(model.balance(row), model.available(row))


def _entry(
    account_id: str, row: Sequence[Any], place: Place, before: Balance, after: Balance
) -> Entry:
    transfer = Transfer.of_row(row)
    is_debit = transfer.debit == account_id
    return Entry(
        transfer_id=transfer.id,
        at_ms=row[CONTENT],
        business_date=transfer.business_date,
        rule=transfer.rule,
        kind=transfer.kind,
        counter_account=transfer.credit if is_debit else transfer.debit,
        refers_to=transfer.refers_to,
        amount_minor=after.balance_minor - before.balance_minor,
        available_change_minor=after.available_minor - before.available_minor,
        balance_minor=after.balance_minor,
        available_minor=after.available_minor,
        chain=place.chain,
        group_seq=place.group_seq,
    )
