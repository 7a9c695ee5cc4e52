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
_YEAR = re.compile(r"[0-9]{4}")
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
        raise list_invalid(file, line, "is not UTF-8", "不是 UTF-8 编码") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        first = next(reader, [])
        entries = (
            _plain(reader, first, file) if first[:1] == ["entry_id"] else _sdn(reader, first, file)
        )
        return NameList(name=name, entries=one_each(file, entries, ENTRIES_PER_LIST_MAX))
    except csv.Error as error:
        zh = f"无法解析（{error}）"
        raise list_invalid(file, reader.line_num, str(error), zh) from error


def _sdn(reader: Reader, first: list[str], file: str) -> Entries:
    for row in _rows(reader, first):
        line = reader.line_num
        if row[0].strip() == _SDN_END:
            continue
        if len(row) != _SDN_COLUMNS or not row[0].strip().isdigit():
            raise list_invalid(file, line, *_of_no_form(row))
        cells = [cell.strip() for cell in row]
        kind = _SDN_KINDS.get(cells[2].lower())
        if kind is None:
            word = repr(cells[2][:20])
            raise list_invalid(file, line, f"the type {word} is unknown", f"不认识类型 {word}")
        remarks = cells[11]
        names = [cells[1], *_SDN_ALIAS.findall(remarks)]
        yield line, _listed(file, line, (cells[0], kind, names, _SDN_BORN.findall(remarks)))


def _plain(reader: Reader, head: list[str], file: str) -> Entries:
    unknown = [column for column in head if column not in _PLAIN]
    if unknown or "name" not in head:
        is_head, wanted = ",".join(head)[:80], ",".join(_PLAIN)
        en, zh = f"the head is {is_head}, not {wanted}", f"表头是 {is_head}，应为 {wanted}"
        raise list_invalid(file, 1, en, zh)
    for row in reader:
        line = reader.line_num
        if not row:
            continue
        if len(row) != len(head):
            en = f"{len(row)} columns; the head has {len(head)}"
            raise list_invalid(file, line, en, f"有 {len(row)} 列，表头有 {len(head)} 列")
        cells = dict(zip(head, (cell.strip() for cell in row), strict=True))
        names = [cells["name"], *_several(cells.get("aliases", ""))]
        kind = _kind(file, line, cells.get("kind", ""))
        yield (
            line,
            _listed(file, line, (cells["entry_id"], kind, names, _several(cells.get("born", "")))),
        )


def _of_no_form(row: list[str]) -> tuple[str, str]:
    """What is wrong with a row that is neither of OFAC's file nor below a plain head."""
    begin, found, wanted = repr(row[0][:20]), len(row), _SDN_COLUMNS
    en = (
        f"{found} columns that begin with {begin}; sdn.csv has {wanted} and a number, "
        "a plain list has the head entry_id,name"
    )
    zh = (
        f"有 {found} 列，以 {begin} 开头；sdn.csv 有 {wanted} 列且以数字开头，"
        "普通名单的表头是 entry_id,name"
    )
    return en, zh


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
        en = f"the kind {word[:20]!r} is none of {', '.join(ListedKind)}"
        zh = f"类别 {word[:20]!r} 不是 {'、'.join(ListedKind)} 之一"
        raise list_invalid(file, line, en, zh) from error


def _listed(file: str, line: int, cells: tuple[str, ListedKind, list[str], list[str]]) -> Listed:
    entry_id, kind, names, born = cells
    if not entry_id or not names[0]:
        raise list_invalid(file, line, "the id or the name is missing", "缺少编号或名称")
    strange = [repr(year[:20]) for year in born if not _YEAR.fullmatch(year)]
    if strange:
        en, zh = f"born {strange[0]} is no year", f"出生年份 {strange[0]} 不是年份"
        raise list_invalid(file, line, en, zh)
    return Listed(
        entry_id=entry_id,
        kind=kind,
        names=tuple(dict.fromkeys(names)),
        born=tuple(sorted(map(int, born))),
    )
