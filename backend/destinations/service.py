"""Filing accounts, withdrawing them, and the question that every payout asks before it begins."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.destinations.model import DestinationKind, FilingEvent, key_of
from backend.destinations.tables import DESTINATION, FILING
from backend.merchants.limits import ACCOUNT_CHARS_MAX, NAME_CHARS_MAX
from protocol.errors import CallerError


def destination_read(kind: DestinationKind, holder_id: str) -> Read:
    """What ``check_destination`` and ``file_destination`` must have read."""
    return (DESTINATION, key_of(kind, holder_id))


def check_destination(
    ws: WorkingSet, kind: DestinationKind, holder_id: str, account_no: str
) -> None:
    """``destination_not_allowed`` unless this very account is filed for its holder now."""
    row = ws.get(DESTINATION, key_of(kind, holder_id))
    is_filed = row is not None and row["withdrawn_at_ms"] is None
    if row is None or not is_filed or row["account_no"] != account_no:
        raise CallerError("destination_not_allowed", f"{kind} {holder_id}")


def file_destination(
    ws: WorkingSet,
    kind: DestinationKind,
    holder_id: str,
    *,
    account_no: str,
    account_name: str,
    actor: str,
    now_ms: int,
) -> Row:
    """File a holder's account, in place of the one before. The same again changes nothing."""
    if not 0 < len(account_no) <= ACCOUNT_CHARS_MAX or not 0 < len(account_name) <= NAME_CHARS_MAX:
        raise CallerError("field_invalid", "destination")
    key = key_of(kind, holder_id)
    known = ws.get(DESTINATION, key)
    wanted = {"account_no": account_no, "account_name": account_name, "withdrawn_at_ms": None}
    if known is not None and all(known[name] == value for name, value in wanted.items()):
        return known
    number = 1 if known is None else known["filings"] + 1
    if known is None:
        row = {"kind": kind.value, "holder_id": holder_id, **wanted}
        ws.insert(DESTINATION, {**row, "filed_at_ms": now_ms, "filings": number})
    else:
        ws.update(DESTINATION, key, **wanted, filed_at_ms=now_ms, filings=number)
    row = _existing(ws, kind, holder_id)
    _note(ws, row, FilingEvent.FILED, actor, now_ms)
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDestination:
    """An operator files the account of a customer, or our own."""

    kind: DestinationKind
    holder_id: str
    account_no: str
    account_name: str
    actor: str

    def reads(self) -> Iterable[Read]:
        return [destination_read(self.kind, self.holder_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if self.kind is DestinationKind.MERCHANT:
            raise CallerError("field_invalid", "a merchant's account is changed with the merchant")
        return file_destination(
            ws, self.kind, self.holder_id, account_no=self.account_no,
            account_name=self.account_name, actor=self.actor, now_ms=now_ms,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawDestination:
    """Withdraw a holder's account: nothing is paid to the holder until one is filed again."""

    kind: DestinationKind
    holder_id: str
    actor: str

    def reads(self) -> Iterable[Read]:
        return [destination_read(self.kind, self.holder_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = _existing(ws, self.kind, self.holder_id)
        if row["withdrawn_at_ms"] is not None:
            return row
        changed = ws.update(
            DESTINATION,
            key_of(self.kind, self.holder_id),
            withdrawn_at_ms=now_ms,
            filings=row["filings"] + 1,
        )
        _note(ws, changed, FilingEvent.WITHDRAWN, self.actor, now_ms)
        return changed


def _existing(ws: WorkingSet, kind: DestinationKind, holder_id: str) -> Row:
    row = ws.get(DESTINATION, key_of(kind, holder_id))
    if row is None:
        raise CallerError("destination_not_allowed", f"{kind} {holder_id}")
    return row


def _note(ws: WorkingSet, row: Row, event: FilingEvent, actor: str, now_ms: int) -> None:
    names = ("kind", "holder_id", "account_no", "account_name")
    ws.insert(
        FILING,
        {
            **{name: row[name] for name in names},
            "number": row["filings"],
            "event": event.value,
            "actor": actor,
            "at_ms": now_ms,
        },
    )
