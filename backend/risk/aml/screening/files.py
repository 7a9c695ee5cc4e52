"""Lists and names to screen, as files."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from backend.risk.aml.screening.csv_lists import parse_csv_list
from backend.risk.aml.screening.limits import LIST_BYTES_MAX
from backend.risk.aml.screening.model import Hit, ListedKind, NameList, Person, list_invalid
from backend.risk.aml.screening.xml_lists import parse_xml_list
from backend.risk.tables_io import TableColumn, read_table

_COLUMNS = (
    TableColumn(name="id", kind="text"),
    TableColumn(name="name", kind="text"),
    TableColumn(name="kind", kind="text", is_nullable=True, is_optional=True),
    TableColumn(name="born", kind="integer", minimum=1800, is_nullable=True, is_optional=True),
)


def read_list(path: Path) -> NameList:
    """A list by its file, XML or CSV by the suffix; it is called what the file is called."""
    if path.stat().st_size > LIST_BYTES_MAX:
        en, zh = f"more than {LIST_BYTES_MAX} bytes", f"超过 {LIST_BYTES_MAX} 字节"
        raise list_invalid(path.name, 1, en, zh)
    parse = {".xml": parse_xml_list, ".csv": parse_csv_list}.get(path.suffix.lower())
    if parse is None:
        en, zh = "the name must end in .xml or .csv", "文件名须以 .xml 或 .csv 结尾"
        raise list_invalid(path.name, 1, en, zh)
    return parse(path.read_bytes(), file=path.name, name=path.stem)


def read_people(path: Path) -> list[tuple[str, Person]]:
    """Those to screen, with the caller's ids: ``id,name`` and, if known, ``kind,born``."""
    table = read_table(path, _COLUMNS)
    kinds = table["kind"].to_list() if "kind" in table.columns else [None] * len(table)
    born = table["born"].to_list() if "born" in table.columns else [None] * len(table)
    rows = zip(table["id"], table["name"], kinds, born, strict=True)
    return [
        (row_id, Person(name=name, kind=_kind(path, line, kind), born=year))
        for line, (row_id, name, kind, year) in enumerate(rows, start=2)
    ]


def hits_table(found: Iterable[tuple[str, Person, Hit]]) -> pl.DataFrame:
    """What is written of hits: a row each, its reasons parted by ``; ``."""
    rows = [
        (row_id, person.name, hit.list_name, hit.entry_id, hit.listed_name, hit.score,
         "; ".join(hit.reasons))
        for row_id, person, hit in found
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=_HITS, orient="row")


_HITS = {
    "id": pl.String,
    "name": pl.String,
    "list": pl.String,
    "entry_id": pl.String,
    "listed_name": pl.String,
    "score": pl.Float64,
    "reasons": pl.String,
}


def _kind(path: Path, line: int, word: str | None) -> ListedKind:
    try:
        return ListedKind(word or "unknown")
    except ValueError as error:
        en, zh = f"the kind {str(word)[:20]!r} is unknown", f"不认识类别 {str(word)[:20]!r}"
        raise list_invalid(path.name, line, en, zh) from error
