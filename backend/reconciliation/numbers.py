"""The channel's own numbers of what only it has: read from its file again, for the few rows that
found no order.

Rule 1: of several rows under one order of ours the one with the number that the channel told us is
        the true one, wherever it stands in the file. The others are the channel's mistake.
Rule 2: where that number is in none of several rows, nobody knows which is true: none is named.
Rule 3: a number counts only beside the very amount of the break.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from backend.channels.day_file import DayRow
from backend.reconciliation.breaks import RETURNED_WHEN_AGED, Break


def strays(breaks: Iterable[Break]) -> list[str]:
    """The references whose rows are wanted."""
    return sorted({one.reference for one in breaks if one.kind in RETURNED_WHEN_AGED})


def rows_of(rows: Iterable[DayRow], references: Sequence[str]) -> dict[str, list[DayRow]]:
    """A file's rows under some references, in the file's order."""
    found: dict[str, list[DayRow]] = {reference: [] for reference in references}
    for row in rows:
        if row.reference in found:
            found[row.reference].append(row)
    return found


def numbered(
    breaks: Iterable[Break], rows: Mapping[str, Sequence[DayRow]], ours: Mapping[str, str]
) -> tuple[Break, ...]:
    """The breaks, each stray with its number and account. ``ours``: of orders of ours the number
    that the channel has told us, empty where it has not."""
    return tuple(_numbered(one, rows.get(one.reference, ()), ours) for one in breaks)


def _without_true(rows: Sequence[DayRow], told: str | None) -> Sequence[DayRow]:
    """The rows but for the true order's; none where it cannot be told which is."""
    if told is None or (len(rows) == 1 and told):
        return rows
    for index, row in enumerate(rows):
        if told == row.channel_reference:
            return [*rows[:index], *rows[index + 1 :]]
    return ()


def _numbered(found: Break, rows: Sequence[DayRow], ours: Mapping[str, str]) -> Break:
    if found.kind not in RETURNED_WHEN_AGED:
        return found
    told = ours.get(found.reference)
    left, index = _without_true(rows, told), found.number - (1 if told is None else 2)
    if not 0 <= index < len(left) or left[index].signed_minor != found.theirs_minor:
        return found
    row = left[index]
    if told is not None and row.channel_reference == told:
        return found  # the file repeats the true row
    return replace(found, channel_reference=row.channel_reference, account=row.account)
