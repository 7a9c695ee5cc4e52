"""The lists' commands, and what they say of a payment inside its transaction.

Rule: repeating a command changes nothing and gives the entry as it stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.risk.lists.limits import PERSON_CHARS_MAX, REASON_CHARS_MAX
from backend.risk.lists.model import Entry, ListKind, ListName, counts_at, list_key
from backend.risk.lists.tables import LIST_ENTRY, LIST_EVENT
from protocol.errors import CallerError

Subjects = Mapping[ListKind, str]
"""Whom a payment is about; empty or missing: unknown."""

_TOLD = ("payer", "card", "device", "merchant", "store")
LIST_FACTS: tuple[tuple[str, ListName, ListKind], ...] = tuple(
    (f"list.{list_name.value}_{kind.value}", list_name, kind)
    for list_name, kinds in (
        (ListName.BLOCK, (*_TOLD, "address")),
        (ListName.GREY, _TOLD),
        (ListName.ALLOW, _TOLD),
    )
    for kind in map(ListKind, kinds)
)
"""The facts that rules read, by their name. No entry can be of an address yet; rules that ship and
sets of before read the fact."""
_ON_NO_LIST = dict.fromkeys([fact for fact, _, _ in LIST_FACTS], False)


def list_reads(subjects: Subjects) -> list[Read]:
    """What ``list_facts`` reads."""
    return [(LIST_ENTRY, list_key(kind, value)) for kind, value in subjects.items() if value]


def list_facts(ws: WorkingSet, subjects: Subjects, now_ms: int) -> dict[str, bool]:
    """What the lists say: every fact, false for what is on no list or unknown."""
    standing = {
        kind: found
        for kind, value in subjects.items()
        if value and (found := _standing(ws.get(LIST_ENTRY, list_key(kind, value)), now_ms))
    }
    if not standing:  # as nearly always
        return _ON_NO_LIST.copy()
    return {fact: standing.get(kind) == list_name for fact, list_name, kind in LIST_FACTS}


def _standing(row: Row | None, now_ms: int) -> str:
    if row is None or not counts_at(row["until_ms"], now_ms):
        return ""
    return str(row["list_name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOnList:
    """Put a value on a list, or move or renew it there."""

    entry: Entry
    by: str

    def reads(self) -> Iterable[Read]:
        return [(LIST_ENTRY, list_key(self.entry.kind, self.entry.value))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        entry = self.entry
        kind, value = list_key(entry.kind, entry.value)
        wanted = {
            "list_name": entry.list_name.value,
            "reason": entry.reason,
            "owner": entry.owner,
            "until_ms": entry.until_ms,
        }
        row = ws.get(LIST_ENTRY, (kind, value))
        if row is not None and all(row[name] == told for name, told in wanted.items()):
            return row
        entry.check(now_ms)
        before = row["list_name"] if row else ""
        if row is None:
            ws.insert(LIST_ENTRY, {"kind": kind, "value": value, **wanted, "updated_at_ms": now_ms})
        return _record(ws, (kind, value), before, by=self.by, now_ms=now_ms, **wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOffList:
    """Take a value off the list that it is on. ``list_entry_not_found`` if it is on none."""

    kind: ListKind
    value: str
    reason: str
    by: str

    def reads(self) -> Iterable[Read]:
        return [(LIST_ENTRY, list_key(self.kind, self.value))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        key = list_key(self.kind, self.value)
        row = ws.get(LIST_ENTRY, key)
        if row is None:
            raise CallerError("list_entry_not_found", self.kind)
        if not row["list_name"]:
            return row
        if not 0 < len(self.reason.strip()) <= len(self.reason) <= REASON_CHARS_MAX:
            raise CallerError("field_invalid", "reason")
        return _record(
            ws, key, row["list_name"], by=self.by, now_ms=now_ms,
            list_name="", reason=self.reason, owner=row["owner"], until_ms=0,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBlock:
    """Put a payer on the block list, or take one off it; whether the payer is on it now.
    ``until_ms`` 0: until taken off. One who is on another list or on none is not touched by
    taking off."""

    payer_id: str
    is_on: bool
    reason: str
    until_ms: int = 0
    by: str = "operator"

    def reads(self) -> Iterable[Read]:
        return [(LIST_ENTRY, list_key(ListKind.PAYER, self.payer_id))]

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        if self.is_on:
            entry = Entry(
                list_name=ListName.BLOCK, kind=ListKind.PAYER, value=self.payer_id,
                reason=self.reason, owner=self.by, until_ms=self.until_ms,
            )  # fmt: skip
            PutOnList(entry=entry, by=self.by).decide(ws, now_ms)
            return True
        row = ws.get(LIST_ENTRY, list_key(ListKind.PAYER, self.payer_id))
        if row is not None and row["list_name"] == ListName.BLOCK:
            TakeOffList(
                kind=ListKind.PAYER, value=self.payer_id, reason=self.reason, by=self.by
            ).decide(ws, now_ms)
        return False


def _record(
    ws: WorkingSet,
    key: tuple[str, str],
    before: str,
    *,
    by: str,
    now_ms: int,
    **told: str | int,
) -> Row:
    """Write the step and where the value now stands; the new row."""
    actor = " ".join(by.split())
    if not 0 < len(actor) <= PERSON_CHARS_MAX:
        raise CallerError("field_invalid", "by")
    row = ws.get(LIST_ENTRY, key)
    assert row is not None
    number = row["event_count"] + 1
    step = {name: value for name, value in told.items() if name != "list_name"}
    ws.insert(
        LIST_EVENT,
        {
            "kind": key[0],
            "value": key[1],
            "number": number,
            "list_before": before,
            "list_after": told["list_name"],
            **step,
            "actor": actor,
            "at_ms": now_ms,
        },
    )
    return ws.update(LIST_ENTRY, key, **told, updated_at_ms=now_ms, event_count=number)
