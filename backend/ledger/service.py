"""Posting transfers inside a command, and sealing what a group has posted.

Rule 1: ``post`` is all or nothing and happens once per transfer id.
Rule 2: an account opens when money first touches it; the chart decides what it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart, model
from backend.ledger.chain import GENESIS, group_hash, group_tree
from backend.ledger.limits import LEGS_PER_POST_MAX
from backend.ledger.model import Effect, Transfer, is_amount
from backend.ledger.tables import ACCOUNT, CHAIN, GROUP, HOLD, TRANSFER
from protocol.errors import CallerError
from protocol.merkle import Tree

_SHORT_CODES = {
    "CUST": "insufficient_balance",
    "MPEND": "merchant_balance_short",
    "MAVAIL": "merchant_balance_short",
    "SHARE": "merchant_balance_short",
}
_Move = tuple[Row, Row, int, int]
"""(debit, credit, pending, posted)."""
_CONTENT_COLUMNS = 10  # of a transfer row: up to, and without, the business date


def reads(transfers: Iterable[Transfer], *, is_new: bool = False) -> list[Read]:
    """What ``post`` of these transfers will read, for a command's ``reads`` or ``follow``."""
    found: list[Read] = []
    for transfer in transfers:
        found.append((ACCOUNT, transfer.debit))
        found.append((ACCOUNT, transfer.credit))
        if not is_new:
            found.append((TRANSFER, transfer.id))
        if transfer.kind in {"post", "void", "expire"} and transfer.refers_to is not None:
            found.append((TRANSFER, transfer.refers_to))
            found.append((HOLD, transfer.refers_to))
    return found


def post(
    ws: WorkingSet, transfers: Sequence[Transfer], now_ms: int, *, is_new: bool = False
) -> bool:
    """Post linked transfers of one event. True if posted now, False if they were posted before.

    ``is_new``: the caller inserts the event's own row in this same command, so the transfers cannot
    exist; no look-up is made, and the primary key stands guard.

    Raises ``CallerError``: ``insufficient_balance`` or ``merchant_balance_short`` (other accounts:
    ``account_short``) if a floor would be broken, ``transfer_conflict`` if an id was used with
    other content or the event with more or fewer transfers, ``transfer_state`` if a hold cannot be
    ended so, ``account_unknown``, ``currency_mismatch``, ``amount_invalid``. Then nothing has been
    changed, and the command may go on (to record a declined payment).
    """
    assert 0 < len(transfers) <= LEGS_PER_POST_MAX
    if not is_new and _was_posted(ws, transfers):
        return False
    mark = ws.mark()
    try:
        _post(ws, transfers, now_ms)
    except CallerError:
        ws.undo(mark)
        raise
    return True


def available(ws: WorkingSet, account_id: str) -> int:
    """What an account has, less what holds may take; an account that was never used has nothing."""
    row = ws.get(ACCOUNT, account_id)
    return 0 if row is None else model.available(row)


def _post(ws: WorkingSet, transfers: Sequence[Transfer], now_ms: int) -> None:
    accounts = ws.sums(ACCOUNT)
    moves: list[_Move] = []
    lowered: list[Row] = []
    phased: list[Transfer] = []
    for transfer in transfers:
        transfer_id, _, debit_id, credit_id, amount, currency, _, kind, _, _, _ = transfer
        if not is_amount(amount):
            raise CallerError("amount_invalid", transfer_id)
        debit = accounts[debit_id] or _open(ws, debit_id, now_ms)
        credit = accounts[credit_id] or _open(ws, credit_id, now_ms)
        if debit["currency"] != currency or credit["currency"] != currency:
            raise CallerError("currency_mismatch", transfer_id)
        assert debit_id != credit_id, "a transfer moves between two accounts"
        assert debit["book"] == credit["book"], "a transfer stays in its book"
        if kind == "posted":
            moves.append((debit, credit, 0, amount))
        else:
            moves.append((debit, credit, *_phase(ws, transfer, now_ms)))
            phased.append(transfer)
        if debit["side"] == "credit":
            lowered.append(debit)
        if credit["side"] == "debit":
            lowered.append(credit)
    _add(moves)
    ws.on_undo(partial(_take_back, accounts, transfers, moves))
    _check_floors(lowered)
    ws.append(TRANSFER, tuple(transfers))
    for transfer in phased:
        _move_hold(ws, transfer)


def _add(moves: Iterable[_Move]) -> None:
    for debit, credit, pending, posted in moves:
        debit["debits_posted"] += posted
        credit["credits_posted"] += posted
        if pending:
            debit["debits_pending"] += pending
            credit["credits_pending"] += pending


def _take_back(
    accounts: Mapping[Any, Row | None], transfers: Sequence[Transfer], moves: Sequence[_Move]
) -> None:
    """The rows may be other copies by now: they are looked up again."""
    for transfer, (_, _, pending, posted) in zip(transfers, moves, strict=True):
        debit, credit = accounts[transfer.debit], accounts[transfer.credit]
        assert debit is not None
        assert credit is not None
        _add([(debit, credit, -pending, -posted)])


def _check_floors(lowered: Iterable[Row]) -> None:
    """The accounts on the side that takes from them, when the whole chain has been applied. What a
    hold's end gives back to the other side raises it."""
    for row in lowered:
        floor = row["floor_minor"]
        if floor is not None and model.available(row) < floor:
            raise CallerError(_SHORT_CODES.get(row["code"], "account_short"), row["id"])


def _phase(ws: WorkingSet, transfer: Transfer, now_ms: int) -> Effect:
    """What a hold or the end of one adds to the balances."""
    held = 0 if transfer.kind == "pending" else _held(ws, transfer, now_ms)
    return model.effect(transfer.kind, transfer.amount_minor, held)


def _open(ws: WorkingSet, account_id: str, now_ms: int) -> Row:
    found = chart.account(account_id)
    row: Row = {
        "id": account_id,
        "book": found.book,
        "code": found.code,
        "owner": found.owner,
        "currency": found.currency,
        "side": found.side,
        "floor_minor": found.floor_minor,
        "opened_at_ms": now_ms,
    }
    ws.insert(ACCOUNT, row)
    opened = ws.sums(ACCOUNT)[account_id]
    assert opened is not None
    return opened


def _was_posted(ws: WorkingSet, transfers: Sequence[Transfer]) -> bool:
    found = [ws.find(TRANSFER, transfer.id) for transfer in transfers]
    if not any(found):
        return False
    for transfer, row in zip(transfers, found, strict=True):
        if row is None or row[:_CONTENT_COLUMNS] != transfer[:_CONTENT_COLUMNS]:
            raise CallerError("transfer_conflict", transfer.id)
    _check_no_more_were_posted(ws, transfers)
    return True


def _check_no_more_were_posted(ws: WorkingSet, transfers: Sequence[Transfer]) -> None:
    """An event's legs are numbered without a gap: one more in the same chain is other content."""
    ids = {transfer.id for transfer in transfers}
    for transfer in transfers:
        following = f"{transfer.event_id}:{transfer.leg + 1}"
        if following not in ids:
            row = ws.find(TRANSFER, following)
            if row is not None and row[1] == transfer.link:
                raise CallerError("transfer_conflict", following)


def _held(ws: WorkingSet, transfer: Transfer, now_ms: int) -> int:
    """The amount of the hold that this transfer ends; refuses what cannot end it."""
    assert transfer.refers_to is not None
    row, hold = ws.find(TRANSFER, transfer.refers_to), ws.get(HOLD, transfer.refers_to)
    if row is None or hold is None or hold["state"] != "pending":
        raise CallerError("transfer_state", transfer.id)
    pending = Transfer.of_row(row)
    held, expires_at_ms = pending.amount_minor, pending.expires_at_ms
    is_over = expires_at_ms is not None and now_ms >= expires_at_ms
    fits = {
        "post": transfer.amount_minor <= held and not is_over,
        "void": transfer.amount_minor == held,
        "expire": transfer.amount_minor == held and is_over,
    }[transfer.kind]
    if not fits or (pending.debit, pending.credit) != (transfer.debit, transfer.credit):
        raise CallerError("transfer_state", transfer.id)
    return held


def _move_hold(ws: WorkingSet, transfer: Transfer) -> None:
    if transfer.kind == "pending":
        ws.insert(HOLD, {"id": transfer.id, "state": "pending"})
        return
    assert transfer.refers_to is not None
    state = {"post": "posted", "void": "voided", "expire": "expired"}[transfer.kind]
    posted_minor = transfer.amount_minor if transfer.kind == "post" else 0
    ws.update(
        HOLD, transfer.refers_to, state=state, posted_minor=posted_minor, ended_by=transfer.id
    )


class LedgerSeal:
    """Chains each group that posted something. Implements ``Seal``.

    Several backends may share a chain: its end is locked from here to the commit. A chain of its
    own for each backend (another name) avoids even that.
    """

    def __init__(self, chain: str = "main") -> None:
        self._chain = chain

    def prepare(self, ws: WorkingSet, now_ms: int) -> Callable[[], None] | None:
        """Hash what was posted."""
        posted = ws.batches(TRANSFER)
        if not posted:
            return None
        leaves = group_tree(posted, now_ms)
        ids = [row[0] for batch in posted for row in batch]
        return partial(self._seal, ws, now_ms, leaves, ids)

    def _seal(self, ws: WorkingSet, now_ms: int, leaves: Tree, ids: Sequence[str]) -> None:
        """Write the group's row and move the chain's end."""
        end = ws.get(CHAIN, self._chain)
        if end is None:
            end = {"chain": self._chain, "seq": 0, "hash": GENESIS}
            ws.insert(CHAIN, end)
        seq, previous = end["seq"] + 1, end["hash"]
        sealed = group_hash(
            chain=self._chain, seq=seq, previous=previous,
            root=leaves.root, count=len(ids), at_ms=now_ms,
        )  # fmt: skip
        ws.complete(TRANSFER, (now_ms, self._chain, seq))
        ws.insert(
            GROUP,
            {
                "chain": self._chain,
                "seq": seq,
                "previous_hash": previous,
                "root": leaves.root,
                "hash": sealed,
                "count": len(ids),
                "at_ms": now_ms,
                "transfer_ids": "\n".join(ids),
                "leaves": b"".join(leaves.leaves),
            },
        )
        ws.update(CHAIN, self._chain, seq=seq, hash=sealed)
