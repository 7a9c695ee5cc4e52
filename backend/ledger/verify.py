"""Proving the ledger from its rows alone, at one moment, while the writer goes on.

What is proved: the database's guards stand; every transfer is in exactly one group; each group's
rows give its leaves, root and hash, which chain to the genesis; balances equal the sum of
transfers; holds equal what is pending; what the follower has derived is what the transfers give;
checkpoints are signed and are of these groups; each book sums to zero per currency; the reserve
equation; the mirrored pairs; every floor. No value in the ledger's tables can change unseen.
What is not: that nobody replaced the whole chain and its checkpoints with ones signed by a key of
his own. For that, give the key that is trusted, or a checkpoint kept elsewhere.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

from backend.db.tables import Row
from backend.ledger import chart
from backend.ledger.chain import GENESIS, HASH_BYTES, group_hash, tree
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.fingerprint import Fingerprint
from backend.ledger.guard_repository import GuardRepository
from backend.ledger.leaves import CONTENT, Shape, is_sealable, linked
from backend.ledger.report import Break, Report
from backend.ledger.repository import LedgerRepository, UndecodableError, UnreadableError
from backend.ledger.tables import CHAIN, GROUP, TRANSFER
from backend.ledger.verify_books import Books
from backend.ledger.verify_log import Logs
from protocol.crypto.keys import VerifyKey

__all__ = ["Break", "Report", "check_equations", "verify"]

_AT, _CHAIN, _SEQ = CONTENT, CONTENT + 1, CONTENT + 2
_TRANSFER_SHAPE, _GROUP_SHAPE, _CHAIN_SHAPE = Shape(TRANSFER), Shape(GROUP), Shape(CHAIN)

Progress = Callable[[int], None]


def verify(
    ledger: LedgerRepository,
    progress: Progress = lambda _count: None,
    *,
    trusted: Collection[VerifyKey] = (),
) -> Report:
    """Read everything once. ``progress`` is told how many more transfers have been checked;
    ``trusted`` are the keys that checkpoints may be signed by (none given: any).

    A store that cannot be read to its end is a break, too.
    """
    try:
        return _Verification(ledger, progress, trusted).run()
    except UndecodableError:
        # Bytes that are no text: once more, reading them as they are, to name the row.
        with ledger.reading_any_bytes():
            return _Verification(ledger, progress, trusted).run()


class _Verification:
    """One pass over everything."""

    def __init__(
        self, ledger: LedgerRepository, progress: Progress, trusted: Collection[VerifyKey]
    ) -> None:
        self._ledger = ledger
        self._progress = progress
        self._trusted = trusted
        self._report = Report()
        self._found = 0

    def run(self) -> Report:
        """The report."""
        try:
            with self._ledger.reading_plainly():
                self._check()
        except UnreadableError as error:
            self._report.add("store", "database", f"cannot be read: {error}")
        return self._report

    def _check(self) -> None:
        report, ledger = self._report, self._ledger
        guards = GuardRepository(ledger.connection)
        for where, why in (*guards.missing(), *guards.damage()):
            report.add("store", where, why)
        derived = DerivedRepository(ledger.connection)
        fingerprint = Fingerprint()
        self._books = Books(report, ledger, fingerprint)
        self._logs = Logs(report, derived, fingerprint, self._trusted)
        self._check_chains()
        if ledger.transfer_count() != self._found:
            self._name_strays()
        self._logs.compare()
        check_equations(self._books.compare(derived), report)

    def _check_chains(self) -> None:
        report = self._report
        chain, seq, previous = "", 0, GENESIS
        for group in self._ledger.groups():
            where = f"{group['chain']}/{group['seq']}"
            misfit = _GROUP_SHAPE.misfit(tuple(group.values()))
            if misfit is not None:
                report.add("group", where, f"its {misfit} is of another type")
                continue
            if group["chain"] != chain:
                chain, seq, previous = group["chain"], 0, GENESIS
            if group["seq"] != seq + 1:
                report.add("group", where, f"group {seq + 1} is missing before it")
            if group["previous_hash"] != previous:
                report.add("group", where, "does not follow the group before it")
            seq, previous = group["seq"], group["hash"]
            is_first, since = report.first_bad_transfer is None, len(report.breaks)
            self._check_group(group, where)
            if is_first:
                report.put_first(group["transfer_ids"].split("\n"), since=since)
            report.groups += 1
            report.transfers += group["count"]
            report.ends[chain] = (seq, previous.hex())
            self._progress(group["count"])
        self._check_ends()

    def _check_ends(self) -> None:
        ends: dict[str, tuple[int, str]] = {}
        for row in self._ledger.chains():
            misfit = _CHAIN_SHAPE.misfit(tuple(row.values()))
            if misfit is not None:
                self._report.add("chain", f"{row['chain']}", f"its {misfit} is of another type")
            else:
                ends[row["chain"]] = (row["seq"], row["hash"].hex())
        for name in sorted(ends.keys() | self._report.ends.keys()):
            if ends.get(name) != self._report.ends.get(name):
                self._report.add("chain", name, "its end is not its last group")

    def _check_group(self, group: Row, where: str) -> None:
        rows = self._rows_of(group, where)
        as_of_ms = self._logs.take(group["chain"], group["seq"], group["hash"], group["at_ms"])
        is_followed = self._logs.is_followed(group["chain"], group["seq"])
        place = (as_of_ms, group["seq"])
        self._books.take(group["chain"], place, rows, is_followed=is_followed)
        if rows:
            self._check_leaves(group, rows, where)
        else:
            self._report.add("group", where, "has no transfers")
        sealed = group_hash(
            chain=group["chain"], seq=group["seq"], previous=group["previous_hash"],
            root=group["root"], count=group["count"], at_ms=group["at_ms"],
        )  # fmt: skip
        if sealed != group["hash"]:
            self._report.add("group", where, "its hash is not that of its content")

    def _rows_of(self, group: Row, where: str) -> list[Sequence[Any]]:
        """The group's transfers that are there and are transfers."""
        ids = group["transfer_ids"].split("\n")
        if len(ids) != group["count"] or len(set(ids)) != len(ids):
            self._report.add("group", where, "its list of transfers does not fit its count")
        found = self._ledger.transfers_by_id(ids)
        self._found += len(found)
        rows: list[Sequence[Any]] = []
        for transfer_id in ids:
            row = found.get(transfer_id)
            if row is None:
                self._report.add("transfer", transfer_id, f"listed in group {where} but missing")
            elif self._check_transfer(row, group):
                rows.append(row)
        return rows

    def _check_transfer(self, row: Sequence[Any], group: Row) -> bool:
        misfit = _TRANSFER_SHAPE.misfit(row)
        if misfit is not None:
            self._report.add("transfer", f"{row[0]}", f"its {misfit} is of another type")
            return False
        if not is_sealable(row):
            self._report.add("transfer", row[0], "is not a transfer")
            return False
        if row[_AT] != group["at_ms"]:
            self._report.add("transfer", row[0], "has another time than its group")
        if (row[_CHAIN], row[_SEQ]) != (group["chain"], group["seq"]):
            why = f"says group {row[_CHAIN]}/{row[_SEQ]}, is in another"
            self._report.add("transfer", row[0], why)
        return True

    def _check_leaves(self, group: Row, rows: list[Sequence[Any]], where: str) -> None:
        """Where the root differs, the first leaf that does names the transfer that was changed."""
        chains = linked(rows)
        leaves = tree([[row[: _AT + 1] for row in one] for one in chains])
        stored = group["leaves"]
        if leaves.root == group["root"]:
            if stored != b"".join(leaves.leaves):
                self._report.add("group", where, "its leaves are not those of its transfers")
            return
        for index, leaf in enumerate(leaves.leaves):
            if stored[index * HASH_BYTES : (index + 1) * HASH_BYTES] != leaf:
                self._report.add("transfer", chains[index][0][0], _changed(chains[index], where))
                return
        self._report.add("group", where, "its root is not that of its transfers")

    def _name_strays(self) -> None:
        """Transfers that are in no group's list. Only looked for when the count says so."""
        stored = self._ledger.transfer_count()
        self._report.add("count", "transfers", f"{stored} stored, {self._found} in groups")
        for transfer_id, where in self._ledger.strays():
            self._report.add("transfer", transfer_id, f"is not in group {where}, which it names")


def _changed(chain: Sequence[Sequence[Any]], where: str) -> str:
    """Transfers that were posted together have one hash, which does not say which of them it is."""
    also = ", ".join(f":{row[0].rpartition(':')[2]}" for row in chain[1:])
    which = f"this or {also}, posted with it, " if also else ""
    return f"{which}changed after group {where} was sealed"


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
