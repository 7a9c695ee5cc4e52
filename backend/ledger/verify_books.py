"""The books once more, summed from the transfers alone, to be compared with what is stored.

Memory: a few numbers per account and per hold, whatever the number of transfers.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from backend.db.tables import Row
from backend.ledger import chart, model
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.derived_tables import BALANCE
from backend.ledger.fingerprint import Fingerprint
from backend.ledger.leaves import CONTENT, Shape
from backend.ledger.model import BALANCES, Transfer
from backend.ledger.report import Report
from backend.ledger.repository import LedgerRepository
from backend.ledger.tables import ACCOUNT, HOLD
from protocol.errors import CallerError

Totals = dict[tuple[str, str, str], int]
"""(book, currency, code) → debits less credits."""
_ACCOUNT_SHAPE, _HOLD_SHAPE, _BALANCE_SHAPE = Shape(ACCOUNT), Shape(HOLD), Shape(BALANCE)


class _Kept:
    """What the transfers say of one account."""

    __slots__ = ("balances", "first_ms", "sums")

    def __init__(self) -> None:
        self.sums = [0, 0, 0, 0]
        self.first_ms: tuple[int, ...] = ()
        """When it was first moved, by each chain."""
        self.balances = 0
        """The fingerprint of the balances that the follower must have written."""


class Books:
    """Takes the groups in order, chain by chain; then compares."""

    def __init__(self, report: Report, ledger: LedgerRepository, fingerprint: Fingerprint) -> None:
        self._report = report
        self._ledger = ledger
        self._fingerprint = fingerprint
        self._accounts: dict[str, _Kept] = defaultdict(_Kept)
        self._chain = ""
        self._sums: dict[str, list[int]] = {}
        self._held: dict[str, tuple[str, str, int]] = {}
        self._ended: dict[str, tuple[str, int, str]] = {}
        self._early: list[Transfer] = []

    def take(
        self,
        chain: str,
        place: tuple[int, int],
        rows: Sequence[Sequence[Any]],
        *,
        is_followed: bool,
    ) -> None:
        """Add a group's transfers. ``place``: as of when, and its number."""
        if chain != self._chain:
            self._end_chain()
            self._chain = chain
        moved: dict[str, list[str]] = {}
        for row in rows:
            transfer = Transfer(*row[:CONTENT])
            self._take(transfer, row[CONTENT])
            moved.setdefault(transfer.debit, []).append(transfer.id)
            moved.setdefault(transfer.credit, []).append(transfer.id)
        if is_followed:
            for account_id, ids in moved.items():
                values = (account_id, chain, *place, *self._sums[account_id], "\n".join(ids))
                self._accounts[account_id].balances += self._fingerprint.of(values)

    def compare(self, derived: DerivedRepository) -> Totals:
        """Everything against the sums; what each line of the chart comes to."""
        self._end_chain()
        self._compare_holds()
        totals = self._compare_accounts()
        self._compare_balances(derived)
        return totals

    def _take(self, transfer: Transfer, at_ms: int) -> None:
        if not _is_in_one_book(transfer):
            self._report.add("transfer", transfer.id, "crosses books or currencies")
        held = 0
        if transfer.kind == "pending":
            self._held[transfer.id] = (transfer.debit, transfer.credit, transfer.amount_minor)
        elif transfer.kind != "posted":
            held = self._ending(transfer)
        pending, posted = model.effect(transfer.kind, transfer.amount_minor, held)
        for side, account_id in enumerate((transfer.debit, transfer.credit)):
            sums = self._sums.get(account_id)
            if sums is None:
                sums = self._sums[account_id] = [0, 0, 0, 0]
                self._accounts[account_id].first_ms += (at_ms,)
            sums[side] += posted
            sums[side + 2] += pending

    def _end_chain(self) -> None:
        for account_id, sums in self._sums.items():
            kept = self._accounts[account_id]
            kept.sums = [total + own for total, own in zip(kept.sums, sums, strict=True)]
        self._sums = {}

    def _ending(self, transfer: Transfer) -> int:
        """The amount held. What ends a hold of another chain may come before the hold: its state
        is checked at the end."""
        refers_to = transfer.refers_to or ""
        if refers_to in self._held:
            self._end(transfer)
            return self._held[refers_to][2]
        self._early.append(transfer)
        row = self._ledger.transfers_by_id([refers_to]).get(refers_to)
        amount_minor = Transfer.of_row(row).amount_minor if row is not None else 0
        return amount_minor if model.is_amount(amount_minor) else 0

    def _end(self, transfer: Transfer) -> None:
        held = self._held.get(transfer.refers_to or "")
        is_first = transfer.refers_to not in self._ended
        if held is None or not is_first or held[:2] != (transfer.debit, transfer.credit):
            self._report.add("transfer", transfer.id, "ends a hold that is not open")
            return
        assert transfer.refers_to is not None
        posted = transfer.amount_minor if transfer.kind == "post" else 0
        state = {"post": "posted", "void": "voided", "expire": "expired"}[transfer.kind]
        self._ended[transfer.refers_to] = (state, posted, transfer.id)
        if transfer.amount_minor > held[2]:
            self._report.add("transfer", transfer.id, "posts more than was held")

    def _compare_holds(self) -> None:
        for transfer in self._early:
            self._end(transfer)
        seen = set()
        for row in self._ledger.holds():
            self._report.holds += 1
            if not _fits(self._report, "hold", row, _HOLD_SHAPE):
                continue
            seen.add(row["id"])
            state = self._ended.get(row["id"], ("pending", 0, None))
            if (row["state"], row["posted_minor"], row["ended_by"]) != state:
                self._report.add("hold", row["id"], f"says {row['state']}, transfers {state[0]}")
        for missing in self._held.keys() ^ seen:
            self._report.add("hold", missing, "hold without transfer, or transfer without hold")

    def _compare_accounts(self) -> Totals:
        totals: Totals = defaultdict(int)
        missing = set(self._accounts)
        for row in self._ledger.accounts():
            self._report.accounts += 1
            if not _fits(self._report, "account", row, _ACCOUNT_SHAPE):
                continue
            if row["id"] not in missing:
                self._report.add("account", row["id"], "has no transfers")
                continue
            missing.discard(row["id"])
            sums = self._compare_account(row, self._accounts[row["id"]])
            totals[row["book"], row["currency"], row["code"]] += sums[0] - sums[1]
        for one in sorted(missing):
            self._report.add("account", one, "has transfers but no account")
        return totals

    def _compare_account(self, row: Row, kept: _Kept) -> list[int]:
        stored = [row[name] for name in BALANCES]
        if stored != kept.sums:
            self._report.add("account", row["id"], f"says {stored}, transfers {kept.sums}")
        if model.is_below_floor(row):
            self._report.add("account", row["id"], "is below its floor")
        if not _fits_chart(row):
            self._report.add("account", row["id"], "is not what the chart says")
        if row["opened_at_ms"] not in kept.first_ms:
            self._report.add("account", row["id"], "says it was opened at another time")
        return kept.sums

    def _compare_balances(self, derived: DerivedRepository) -> None:
        """One scan, account by account; only an account's fingerprint is kept."""
        stored: dict[str, int] = defaultdict(int)
        for row in derived.balances():
            self._report.balances += 1
            if _fits(self._report, "balance", row, _BALANCE_SHAPE):
                stored[row["account_id"]] += self._fingerprint.of(tuple(row.values()))
        _compare(
            self._report,
            ((one, kept.balances) for one, kept in self._accounts.items()),
            stored,
        )


def _compare(report: Report, made: Iterable[tuple[str, int]], stored: dict[str, int]) -> None:
    for account_id, fingerprint in made:
        if stored.pop(account_id, 0) != fingerprint:
            report.add(
                "balance", account_id, "its followed balances are not those of its transfers"
            )
    for account_id in sorted(stored):
        report.add("balance", account_id, "followed balances of an account without transfers")


def _fits(report: Report, kind: str, row: Row, shape: Shape) -> bool:
    misfit = shape.misfit(tuple(row.values()))
    if misfit is not None:
        first = next(iter(row.values()))
        report.add(kind, f"{first}", f"its {misfit} is of another type")
    return misfit is None


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
