"""Proving the ledger from its rows alone, at one moment, while the writer goes on.

What is proved: every transfer is in exactly one group; each group's rows give its leaves, root and
hash, which chain to the genesis; balances equal the sum of transfers; holds equal what is pending;
each book sums to zero per currency; the reserve equation; the mirrored pairs; every floor.
What is not: that nobody replaced the whole chain. For that, compare the chain's end with a
checkpoint kept elsewhere.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.db.tables import Row
from backend.ledger import chart, model
from backend.ledger.chain import GENESIS, HASH_BYTES, SEPARATORS, group_hash, tree
from backend.ledger.limits import VERIFY_BREAKS_MAX
from backend.ledger.model import BALANCES, KINDS, Transfer
from backend.ledger.repository import LedgerRepository
from protocol.errors import CallerError

_CONTENT = len(Transfer._fields)
_AT, _CHAIN, _SEQ = _CONTENT, _CONTENT + 1, _CONTENT + 2
_DEBITS_POSTED, _CREDITS_POSTED, _DEBITS_PENDING, _CREDITS_PENDING = range(4)

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that does not hold: its kind, where, and why."""

    kind: str
    where: str
    why: str


@dataclass(slots=True)
class Report:
    """What was read and what is broken."""

    groups: int = 0
    transfers: int = 0
    accounts: int = 0
    holds: int = 0
    breaks: list[Break] = field(default_factory=list)
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Per chain: the last group's number and hash. Keep it: it is a checkpoint."""

    @property
    def is_whole(self) -> bool:
        """Whether everything holds."""
        return not self.breaks

    def add(self, kind: str, where: str, why: str) -> None:
        """Note a break; after ``VERIFY_BREAKS_MAX`` the rest are not listed."""
        if len(self.breaks) < VERIFY_BREAKS_MAX:
            self.breaks.append(Break(kind, where, why))


def verify(repository: LedgerRepository, progress: Progress = lambda _count: None) -> Report:
    """Read everything once. ``progress`` is told how many more transfers have been checked."""
    report = Report()
    books = _Books(report)
    _check_chains(repository, report, books, progress)
    stored = repository.transfer_count()
    if stored != report.transfers:
        report.add("transfer", "count", f"{stored} stored, {report.transfers} in groups")
    books.compare_holds(repository)
    books.compare_accounts(repository)
    return report


def _check_chains(
    repository: LedgerRepository, report: Report, books: "_Books", progress: Progress
) -> None:
    chain, seq, previous = "", 0, GENESIS
    for group in repository.groups():
        if group["chain"] != chain:
            chain, seq, previous = group["chain"], 0, GENESIS
        where = f"{chain}/{group['seq']}"
        if group["seq"] != seq + 1:
            report.add("group", where, f"group {seq + 1} is missing before it")
        if group["previous_hash"] != previous:
            report.add("group", where, "does not follow the group before it")
        seq, previous = group["seq"], group["hash"]
        _check_group(repository, report, books, group, where)
        report.groups += 1
        report.transfers += group["count"]
        report.ends[chain] = (seq, previous.hex())
        progress(group["count"])
    ends = {row["chain"]: (row["seq"], row["hash"].hex()) for row in repository.chains()}
    for name in ends.keys() | report.ends.keys():
        if ends.get(name) != report.ends.get(name):
            report.add("chain", name, "its end is not its last group")


def _check_group(
    repository: LedgerRepository, report: Report, books: "_Books", group: Row, where: str
) -> None:
    ids = group["transfer_ids"].split("\n")
    found = repository.transfers_by_id(ids)
    if len(ids) != group["count"] or len(set(ids)) != len(ids):
        report.add("group", where, "its list of transfers does not fit its count")
    rows = []
    for transfer_id in ids:
        row = found.get(transfer_id)
        if row is None:
            report.add("transfer", transfer_id, f"listed in group {where} but missing")
        else:
            rows.append(row)
            _check_transfer(report, row, group)
            books.take(row)
    if not rows:
        report.add("group", where, "has no transfers")
        return
    linked = _linked(rows)
    leaves = tree([[row[: _AT + 1] for row in chain] for chain in linked])
    stored = group["leaves"]
    for index, leaf in enumerate(leaves.leaves):
        if stored[index * HASH_BYTES : (index + 1) * HASH_BYTES] != leaf:
            report.add("transfer", linked[index][0][0], f"changed after group {where} was sealed")
            break
    if len(stored) != HASH_BYTES * len(leaves):
        report.add("group", where, "its leaves do not fit its transfers")
    if leaves.root != group["root"]:
        report.add("group", where, "its root is not that of its transfers")
    sealed = group_hash(
        chain=group["chain"], seq=group["seq"], previous=group["previous_hash"],
        root=group["root"], count=group["count"], at_ms=group["at_ms"],
    )  # fmt: skip
    if sealed != group["hash"]:
        report.add("group", where, "its hash is not that of its content")


def _check_transfer(report: Report, row: Sequence[Any], group: Row) -> None:
    transfer = Transfer(*row[:_CONTENT])
    refers_to, expires = transfer.refers_to, transfer.expires_at_ms
    is_well_formed = (
        transfer.kind in KINDS
        and model.is_amount(transfer.amount_minor)
        and (refers_to is None or ":" in refers_to)
        and (expires is None or type(expires) is int)
        and not any(SEPARATORS & set(value) for value in row if isinstance(value, str))
    )
    if not is_well_formed:
        report.add("transfer", transfer.id, "is not a transfer")
    if row[_AT] != group["at_ms"]:
        report.add("transfer", transfer.id, "has another time than its group")
    if (row[_CHAIN], row[_SEQ]) != (group["chain"], group["seq"]):
        report.add("transfer", transfer.id, f"says group {row[_CHAIN]}/{row[_SEQ]}, is in another")


def _linked(rows: Sequence[Sequence[Any]]) -> list[list[Sequence[Any]]]:
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


class _Books:
    """The sums of all transfers, to be compared with what the accounts say."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self._held: dict[str, tuple[str, str, int]] = {}
        self._ended: dict[str, tuple[str, int, str]] = {}
        self._early: list[Transfer] = []

    def take(self, row: Sequence[Any]) -> None:
        """Add one transfer. What ends a hold of another chain may come before it."""
        transfer = Transfer(*row[:_CONTENT])
        if not _is_in_one_book(transfer):
            self._report.add("transfer", transfer.id, "crosses books or currencies")
        ends_hold = transfer.kind not in {"posted", "pending"}
        if ends_hold and transfer.refers_to not in self._held:
            self._early.append(transfer)
        else:
            self._add(transfer)

    def _add(self, transfer: Transfer) -> None:
        held = 0
        if transfer.kind == "pending":
            self._held[transfer.id] = (transfer.debit, transfer.credit, transfer.amount_minor)
        elif transfer.kind != "posted":
            held = self._end(transfer)
        pending, posted = model.effect(transfer.kind, transfer.amount_minor, held)
        debit, credit = self._sums[transfer.debit], self._sums[transfer.credit]
        debit[_DEBITS_POSTED] += posted
        debit[_DEBITS_PENDING] += pending
        credit[_CREDITS_POSTED] += posted
        credit[_CREDITS_PENDING] += pending

    def _end(self, transfer: Transfer) -> int:
        held = self._held.get(transfer.refers_to or "")
        is_first = transfer.refers_to not in self._ended
        if held is None or not is_first or held[:2] != (transfer.debit, transfer.credit):
            self._report.add("transfer", transfer.id, "ends a hold that is not open")
            return 0
        assert transfer.refers_to is not None
        posted = transfer.amount_minor if transfer.kind == "post" else 0
        state = {"post": "posted", "void": "voided", "expire": "expired"}[transfer.kind]
        self._ended[transfer.refers_to] = (state, posted, transfer.id)
        if transfer.amount_minor > held[2]:
            self._report.add("transfer", transfer.id, "posts more than was held")
        return held[2]

    def compare_holds(self, repository: LedgerRepository) -> None:
        """The holds' states against the transfers. Call after the last ``take``."""
        for transfer in self._early:
            self._add(transfer)
        seen = set()
        for row in repository.holds():
            self._report.holds += 1
            seen.add(row["id"])
            state = self._ended.get(row["id"], ("pending", 0, None))
            if (row["state"], row["posted_minor"], row["ended_by"]) != state:
                self._report.add("hold", row["id"], f"says {row['state']}, transfers {state[0]}")
        for missing in self._held.keys() ^ seen:
            self._report.add("hold", missing, "hold without transfer, or transfer without hold")

    def compare_accounts(self, repository: LedgerRepository) -> None:
        """The accounts' balances against the sums, their floors, and the equations."""
        totals: dict[tuple[str, str, str], int] = defaultdict(int)
        for row in repository.accounts():
            self._report.accounts += 1
            sums = self._sums.pop(row["id"], [0, 0, 0, 0])
            stored = [row[name] for name in BALANCES]
            if stored != sums:
                self._report.add("account", row["id"], f"says {stored}, transfers {sums}")
            if model.is_below_floor(row):
                self._report.add("account", row["id"], "is below its floor")
            if not _fits_chart(row):
                self._report.add("account", row["id"], "is not what the chart says")
            totals[row["book"], row["currency"], row["code"]] += sums[0] - sums[1]
        for missing in self._sums:
            self._report.add("account", missing, "has transfers but no account")
        check_equations(totals, self._report)


def check_equations(debits: dict[tuple[str, str, str], int], report: Report) -> None:
    """The equations over (book, currency, code) → debits less credits."""
    per_book: dict[tuple[str, str], int] = defaultdict(int)
    for (book, currency, _), net in debits.items():
        per_book[book, currency] += net
    for (book, currency), net in sorted(per_book.items()):
        if net:
            report.add("book", f"{book}:{currency}", f"sums to {net}, not to zero")
    for currency in sorted({currency for _, currency, _ in debits}):
        assets = sum(debits.get(("C", currency, code), 0) for code in chart.CLIENT_ASSETS)
        owed = -sum(debits.get(("C", currency, code), 0) for code in chart.CLIENT_LIABILITIES)
        if assets != owed:
            report.add("reserve", currency, f"client assets {assets}, client liabilities {owed}")
        for clients, ours in chart.MIRRORS:
            mirrored = _own_side(debits, "C", currency, clients)
            mirror = _own_side(debits, "O", currency, ours)
            if mirrored != mirror:
                report.add("reserve", currency, f"{clients} {mirrored}, {ours} {mirror}")


def _own_side(debits: dict[tuple[str, str, str], int], book: str, currency: str, code: str) -> int:
    net = debits.get((book, currency, code), 0)
    return net if chart.HEADINGS[book, code].side == "debit" else -net


def _is_in_one_book(transfer: Transfer) -> bool:
    try:
        debit, credit = chart.account(transfer.debit), chart.account(transfer.credit)
    except CallerError:
        return False
    return debit.book == credit.book and debit.currency == credit.currency == transfer.currency


def _fits_chart(row: Row) -> bool:
    try:
        found = chart.account(row["id"])
    except CallerError:
        return False
    return all(
        row[name] == getattr(found, name)
        for name in ("book", "code", "owner", "currency", "side", "floor_minor")
    )
