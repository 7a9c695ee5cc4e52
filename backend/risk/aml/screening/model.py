"""What a list says and what a name's hit is. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

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


def list_invalid(file: str, line: int, why: str) -> CallerError:
    """The refusal of a list, with the place."""
    return CallerError("table_invalid", f"{file}: line {line}: {why}")


def one_each(
    file: str, found: Iterable[tuple[int, Listed]], entries_max: int
) -> tuple[Listed, ...]:
    """The entries, each id once. Raises ``CallerError`` for the second one and for too many."""
    kept: dict[str, Listed] = {}
    for line, entry in found:
        if entry.entry_id in kept:
            raise list_invalid(file, line, f"entry {entry.entry_id} is there twice")
        if not entry.names:
            raise list_invalid(file, line, f"entry {entry.entry_id} has no name")
        if len(kept) >= entries_max:
            raise list_invalid(file, line, f"more than {entries_max} entries")
        kept[entry.entry_id] = entry
    return tuple(kept.values())
