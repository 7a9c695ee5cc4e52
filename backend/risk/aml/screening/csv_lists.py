"""Lists as CSV: OFAC's ``sdn.csv``, which has no head, and our own plain form, whose head is
``entry_id,name`` and may go on with ``kind``, ``aliases`` and ``born``, several parted by ``;``.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Protocol

from backend.risk.aml.screening.limits import ENTRIES_PER_LIST_MAX
from backend.risk.aml.screening.model import Listed, ListedKind, NameList, list_invalid, one_each

_SDN_COLUMNS = 12
_SDN_NOTHING = "-0-"
_SDN_END = "\x1a"
"""The file ends with the end-of-file sign of old systems, as a row of its own."""
_SDN_KINDS = {
    "individual": ListedKind.PERSON,
    "vessel": ListedKind.VESSEL,
    "aircraft": ListedKind.UNKNOWN,
    _SDN_NOTHING: ListedKind.ORGANISATION,
}
_SDN_ALIAS = re.compile(r"""[afn]\.k\.a\.\s+['"]?([^'";,]+(?:, [^'";,]+)?)['"]?\s*(?:[;.]|$)""")
_SDN_BORN = re.compile(r"\bDOB [^;]*?(1[89]\d\d|20\d\d)")
_PLAIN = ("entry_id", "name", "kind", "aliases", "born")
Entries = Iterator[tuple[int, Listed]]


class Reader(Protocol):
    """A reader of CSV, which knows its line."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


def parse_csv_list(content: bytes, *, file: str, name: str) -> NameList:
    """A list by its bytes. Raises ``CallerError`` ``table_invalid`` with the line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise list_invalid(file, line, "is not UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        first = next(reader, [])
        entries = (
            _plain(reader, first, file) if first[:1] == ["entry_id"] else _sdn(reader, first, file)
        )
        return NameList(name=name, entries=one_each(file, entries, ENTRIES_PER_LIST_MAX))
    except csv.Error as error:
        raise list_invalid(file, reader.line_num, str(error)) from error


def _sdn(reader: Reader, first: list[str], file: str) -> Entries:
    for row in _rows(reader, first):
        line = reader.line_num
        if row[0].strip() == _SDN_END:
            continue
        if len(row) != _SDN_COLUMNS or not row[0].strip().isdigit():
            why = f"{len(row)} columns that begin with {row[0][:20]!r}; sdn.csv has 12 and a number"
            raise list_invalid(file, line, f"{why}, a plain list has the head entry_id,name")
        cells = [cell.strip() for cell in row]
        kind = _SDN_KINDS.get(cells[2].lower())
        if kind is None:
            raise list_invalid(file, line, f"the type {cells[2][:20]!r} is unknown")
        remarks = cells[11]
        names = [cells[1], *_SDN_ALIAS.findall(remarks)]
        yield line, _listed(file, line, (cells[0], kind, names, _SDN_BORN.findall(remarks)))


def _plain(reader: Reader, head: list[str], file: str) -> Entries:
    unknown = [column for column in head if column not in _PLAIN]
    if unknown or "name" not in head:
        raise list_invalid(file, 1, f"the head is {','.join(head)[:80]}, not {','.join(_PLAIN)}")
    for row in reader:
        line = reader.line_num
        if not row:
            continue
        if len(row) != len(head):
            raise list_invalid(file, line, f"{len(row)} columns; the head has {len(head)}")
        cells = dict(zip(head, (cell.strip() for cell in row), strict=True))
        names = [cells["name"], *_several(cells.get("aliases", ""))]
        kind = _kind(file, line, cells.get("kind", ""))
        yield (
            line,
            _listed(file, line, (cells["entry_id"], kind, names, _several(cells.get("born", "")))),
        )


def _rows(reader: Reader, first: list[str]) -> Iterator[list[str]]:
    if first:
        yield first
    yield from (row for row in reader if row)


def _several(cell: str) -> list[str]:
    return [one.strip() for one in cell.split(";") if one.strip()]


def _kind(file: str, line: int, word: str) -> ListedKind:
    try:
        return ListedKind(word or "unknown")
    except ValueError as error:
        raise list_invalid(file, line, f"the kind {word[:20]!r} is none of {_kinds()}") from error


def _kinds() -> str:
    return ", ".join(ListedKind)


def _listed(file: str, line: int, cells: tuple[str, ListedKind, list[str], list[str]]) -> Listed:
    entry_id, kind, names, born = cells
    if not entry_id or not names[0]:
        raise list_invalid(file, line, "the id or the name is missing")
    if not all(year.isdigit() for year in born):
        raise list_invalid(file, line, f"born {born[0][:20]!r} is no year")
    return Listed(
        entry_id=entry_id,
        kind=kind,
        names=tuple(dict.fromkeys(names)),
        born=tuple(sorted(map(int, born))),
    )
