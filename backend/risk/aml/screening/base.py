"""The base of customers against the lists, and again when a list changes."""

from collections.abc import Iterable, Iterator

from backend.risk.aml.screening.index import NameIndex
from backend.risk.aml.screening.model import Hit, ListChange, NameList, Person


def screen_base(
    index: NameIndex, people: Iterable[tuple[str, Person]], *, hit_from: float
) -> Iterator[tuple[str, Person, Hit]]:
    """Every hit of every person, in the order of the base."""
    for row_id, person in people:
        for hit in index.screen(person, hit_from=hit_from):
            yield row_id, person, hit


def index_of_change(before: NameList, after: NameList) -> tuple[NameIndex, ListChange]:
    """What the base is screened against when a list changes: the entries that are new or no longer
    what they were. The whole base, because each of it may be one of them."""
    change = ListChange.between(before, after)
    news = NameList(name=after.name, entries=(*change.added, *change.changed))
    return NameIndex([news]), change
