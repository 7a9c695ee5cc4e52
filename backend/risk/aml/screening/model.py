"""What a list says and what a name's hit is. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from backend.risk.table_faults import Fault
from protocol.errors import CallerError


class ListedKind(StrEnum):
    """What is listed. ``UNKNOWN`` may be any of them."""

    PERSON = "person"
    ORGANISATION = "organisation"
    VESSEL = "vessel"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One entry of a list. ``names`` holds the main one first, then the others; ``born`` years."""

    entry_id: str
    kind: ListedKind
    names: tuple[str, ...]
    born: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameList:
    """A list as it was published."""

    name: str
    entries: tuple[Listed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is screened. A year and a kind, where they are known, take hits away that they deny."""

    name: str
    kind: ListedKind = ListedKind.UNKNOWN
    born: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An entry that may be the one who was asked for, by the name that is most alike. ``score`` is
    1.0 for the same name; ``reasons`` say how it was found and what speaks against it."""

    list_name: str
    entry_id: str
    listed_name: str
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChange:
    """What a new version of a list changes: the entries to screen the base against, and the ids
    whose hits no longer hold as they were."""

    added: tuple[Listed, ...]
    changed: tuple[Listed, ...]
    dropped: tuple[str, ...]

    @classmethod
    def between(cls, before: NameList, after: NameList) -> "ListChange":
        """From one version to the next."""
        old = {entry.entry_id: entry for entry in before.entries}
        kept = {entry.entry_id for entry in after.entries}
        return cls(
            added=tuple(entry for entry in after.entries if entry.entry_id not in old),
            changed=tuple(
                entry for entry in after.entries if old.get(entry.entry_id, entry) != entry
            ),
            dropped=tuple(entry_id for entry_id in old if entry_id not in kept),
        )


def list_invalid(file: str, line: int, en: str, zh: str) -> CallerError:
    """The refusal of a list, with the place."""
    return Fault(f"line {line}: {en}", f"第 {line} 行：{zh}").refusal(file)


def one_each(
    file: str, found: Iterable[tuple[int, Listed]], entries_max: int
) -> tuple[Listed, ...]:
    """The entries, each id once. Raises ``CallerError`` for the second one and for too many."""
    kept: dict[str, Listed] = {}
    for line, entry in found:
        if entry.entry_id in kept:
            en, zh = f"entry {entry.entry_id} is there twice", f"条目 {entry.entry_id} 出现了两次"
            raise list_invalid(file, line, en, zh)
        if not entry.names:
            en, zh = f"entry {entry.entry_id} has no name", f"条目 {entry.entry_id} 没有名称"
            raise list_invalid(file, line, en, zh)
        if len(kept) >= entries_max:
            en, zh = f"more than {entries_max} entries", f"条目超过 {entries_max} 条"
            raise list_invalid(file, line, en, zh)
        kept[entry.entry_id] = entry
    return tuple(kept.values())
