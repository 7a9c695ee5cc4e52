"""Tables that risk's commands read and write: CSV or Parquet, by the file's suffix; a CSV that is
read may be packed (``.csv.gz``).

Rule 1: the caller names the columns it needs and what they hold; others are not read.
Rule 2: the first value that is missing, of another kind or beyond its bounds refuses the whole
        file, with the file, the row (1 is the first after the head), the column and the reason.
Rule 3: an amount is a decimal in the file and an integer in hundredths here; a CSV's never passes
        through a float. Digits after the second decimal are rounded, half up.
Rule 4: empty lines at the end of a CSV are no rows. Where a value other than a text may be missing,
        what tools write for that (``NaN``, ``null``) is missing.
"""

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from backend.risk.answer_file import answer_file
from backend.risk.limits import TABLE_BYTES_MAX, TABLE_INTEGER_MAX, TABLE_TEXT_BYTES_MAX
from backend.risk.table_faults import Fault
from protocol.errors import CallerError

Kind = Literal["text", "integer", "seconds_up", "number", "amount_minor", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column by its name in the file. ``minimum`` and ``maximum`` are of the value as it is
    returned; ``is_nullable``: a missing value is a null; ``is_optional``: so is the column;
    ``is_unique``: no value is there twice.

    ``text`` is never empty, an ``integer`` fits 2^53, of ``seconds_up`` the file may have a part
    more, which is rounded up, and where they may be missing, infinite ones are, a ``number`` is
    finite, an ``amount_minor``
    is in hundredths, a ``flag`` is 0 or 1, ``true`` or ``false`` in the file and an integer here.
    """

    name: str
    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
    is_nullable: bool = False
    is_optional: bool = False
    is_unique: bool = False


def read_table(path: Path, columns: Sequence[TableColumn]) -> pl.DataFrame:
    """The columns that are asked for, in that order; text as String, numbers as Float64, the rest
    as Int64. Raises ``CallerError`` ``table_invalid``."""
    raw = _read(path, columns)
    kept = {}
    for column in columns:
        if column.name in raw.columns:
            kept[column.name] = _checked(path, column, raw[column.name])
    return pl.DataFrame(kept)


@contextmanager
def table_file(path: Path, *read: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Gives what writes the answer's table. A name or a place that cannot be is told before the
    work begins: raises ``CallerError`` and ``OSError`` as ``answer_file`` does."""
    is_parquet = _suffix(path, written=True) == ".parquet"
    with answer_file(path, *read) as file:
        yield lambda table: table.write_parquet(file) if is_parquet else table.write_csv(file)


def _suffix(path: Path, *, written: bool = False) -> str:
    name = path.name.lower()
    suffixes = (".csv", ".parquet") if written else (".csv", ".csv.gz", ".parquet")
    for suffix in suffixes:
        if name.endswith(suffix):
            return suffix
    en = f"the name must end in {', '.join(suffixes[:-1])} or {suffixes[-1]}"
    raise Fault(en, f"文件名须以 {'、'.join(suffixes)} 结尾").refusal(path.name)


def _failed(path: Path, error: OSError, what: Fault) -> CallerError:
    why = error.strerror
    return (Fault(why, f"{what.zh}（{why}）") if why else what).refusal(path.name)


def _read(path: Path, columns: Sequence[TableColumn]) -> pl.DataFrame:
    suffix = _suffix(path)
    try:
        if path.stat().st_size > TABLE_BYTES_MAX:
            too_large = Fault(f"more than {TABLE_BYTES_MAX} bytes", f"超过 {TABLE_BYTES_MAX} 字节")
            raise too_large.refusal(path.name)
        # As text first, so that each value is judged here and a bad one is named.
        lazy = (
            pl.scan_parquet(path) if suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
        )
        present = lazy.collect_schema().names()
        lacking = [c.name for c in columns if not c.is_optional and c.name not in present]
        if lacking:
            raise _lacking(lacking, present).refusal(path.name)
        table = lazy.select([c.name for c in columns if c.name in present]).collect()
    except OSError as error:
        raise _failed(path, error, Fault("cannot be read", "无法读取")) from error
    except pl.exceptions.PolarsError as error:
        said = str(error).splitlines()[0]
        broken = None if suffix == ".parquet" else _broken_line(path)
        why = broken or Fault(said, f"无法解析（{said}）")
        raise why.refusal(path.name) from error
    return table if suffix == ".parquet" else _without_empty_end(table, lazy)


def _lacking(columns: Sequence[str], present: Sequence[str]) -> Fault:
    return Fault(
        f"no column {', '.join(columns)}; there are {', '.join(present)}",
        f"缺少列 {'、'.join(columns)}；现有 {'、'.join(present)}",
    )


def _broken_line(path: Path) -> Fault | None:
    """Which row of a CSV is no row of its table; None: none is found."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    row = 0
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            width = len(next(rows, []))
            for row, fields in enumerate(rows, start=1):
                if len(fields) > width:
                    count = len(fields)
                    why = Fault(
                        f"{count} values in {width} columns", f"{width} 列里有 {count} 个值"
                    )
                    return why.in_row(row)
    except UnicodeDecodeError:
        return Fault(f"after row {row}: not UTF-8", f"第 {row} 行之后不是 UTF-8")
    except (OSError, EOFError, csv.Error) as error:
        return Fault(f"after row {row}: {error}", f"第 {row} 行之后：{error}")
    return None


def _without_empty_end(table: pl.DataFrame, file: pl.LazyFrame) -> pl.DataFrame:
    if not len(table) or any(value is not None for value in table.row(-1)):
        return table
    is_empty = file.select(pl.all_horizontal(pl.all().is_null())).collect().to_series().reverse()
    at_end = is_empty.arg_min() if not is_empty.all() else len(table)
    return table.head(len(table) - (at_end or 0))


def _checked(path: Path, column: TableColumn, raw: pl.Series) -> pl.Series:
    if raw.dtype.is_nested():
        raise (
            Fault("holds several values in one", "一格有多个值")
            .at(1, column.name)
            .refusal(path.name)
        )
    if isinstance(raw.dtype, pl.Categorical | pl.Enum):
        raw = raw.cast(pl.String)
    if raw.dtype == pl.Binary:
        raw = _decoded(path, column, raw)
    if raw.dtype == pl.String:
        raw = raw.str.strip_chars()
        raw = raw.set(raw == "", None)
    if column.is_nullable and column.kind != "text":
        raw = _without_unknown(raw, column.kind)
    _refuse(path, column, raw, raw.is_null() if not column.is_nullable else None, _MISSING)
    found = _CASTS[column.kind](raw)
    _refuse(path, column, raw, found.is_null() & raw.is_not_null(), _WANTED[column.kind])
    if column.minimum is not None:
        below = Fault(f"is below {column.minimum}", f"小于 {column.minimum}")
        _refuse(path, column, raw, found < column.minimum, below)
    if column.maximum is not None:
        above = Fault(f"is above {column.maximum}", f"大于 {column.maximum}")
        _refuse(path, column, raw, found > column.maximum, above)
    if column.is_unique:
        _refuse(path, column, raw, ~found.is_first_distinct(), _TWICE)
    return found.alias(column.name)


def _decoded(path: Path, column: TableColumn, raw: pl.Series) -> pl.Series:
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:
        _refuse(path, column, raw, pl.Series([not _is_text(value) for value in raw]), _NO_TEXT)
        raise


def _is_text(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse(
    path: Path, column: TableColumn, raw: pl.Series, bad: pl.Series | None, why: Fault
) -> None:
    """Names the first bad row, if there is one."""
    if bad is None or not bad.any():
        return
    row = bad.fill_null(value=False).arg_max()
    assert row is not None
    value = "" if raw[row] is None else f"{str(raw[row])[:40]!r} "
    raise Fault(f"{value}{why.en}", f"{value}{why.zh}").at(row + 1, column.name).refusal(path.name)


def _text(raw: pl.Series) -> pl.Series:
    """An id that a tool wrote as 12.0 is the 12 of another file."""
    whole = _integer(raw) if raw.dtype.is_float() or raw.dtype.is_decimal() else raw
    text = (raw if whole.null_count() > raw.null_count() else whole).cast(pl.String)
    return text.set(text.str.len_bytes() > TABLE_TEXT_BYTES_MAX, None)


def _integer(raw: pl.Series) -> pl.Series:
    """Whole numbers, also where a tool wrote them as ``12.0``."""
    if raw.dtype.is_decimal():
        raw = raw.cast(pl.Float64)
    if raw.dtype == pl.String:
        plain = raw.str.contains(r"^[+-]?[0-9]{1,16}(\.0*)?$")
        digits = raw.str.replace(r"\.0*$", "").str.replace(r"^\+", "")
        found = digits.set(~plain, None).cast(pl.Int64, strict=False)
    elif raw.dtype.is_float():
        whole = raw.set(~(raw.is_finite() & (raw.floor() == raw)), None)
        found = whole.set(whole.abs() > TABLE_INTEGER_MAX, None).cast(pl.Int64, strict=False)
    elif raw.dtype.is_integer():
        found = raw.cast(pl.Int64, strict=False)
    else:
        return pl.Series(raw.name, [None] * len(raw), dtype=pl.Int64)
    return found.set(found.abs() > TABLE_INTEGER_MAX, None)


def _without_unknown(raw: pl.Series, kind: Kind) -> pl.Series:
    """Rule 4; and a moment that is infinitely late never comes."""
    if raw.dtype == pl.String:
        raw = raw.set(raw.str.contains(r"(?i)^(nan|nat|null|none)$"), None)
        never = raw.str.contains(r"(?i)^\+?inf(inity)?$")
    elif raw.dtype.is_float():
        raw = raw.set(raw.is_nan(), None)
        never = raw == float("inf")
    else:
        return raw
    return raw.set(never, None) if kind == "seconds_up" else raw


def _seconds_up(raw: pl.Series) -> pl.Series:
    if raw.dtype.is_integer():
        return _integer(raw)
    number = _number(raw)
    return _integer(number.ceil())


def _number(raw: pl.Series) -> pl.Series:
    if not (raw.dtype == pl.String or raw.dtype.is_numeric()):
        return pl.Series(raw.name, [None] * len(raw), dtype=pl.Float64)
    found = raw.cast(pl.Float64, strict=False)
    return found.set(~found.is_finite(), None)


def _amount_minor(raw: pl.Series) -> pl.Series:
    if raw.dtype.is_integer():
        raw = raw.cast(pl.String)
    elif raw.dtype.is_float():
        # The file holds floats: the nearest hundredth is what was meant.
        return _integer((raw * 100).round())
    elif raw.dtype.is_decimal():
        raw = raw.cast(pl.String)
    elif raw.dtype != pl.String:
        return pl.Series(raw.name, [None] * len(raw), dtype=pl.Int64)
    parts = raw.str.extract_groups(r"^([+-]?)([0-9]{1,13})(?:\.([0-9]{0,30}))?$").struct.unnest()
    sign, whole, rest = (parts[name] for name in parts.columns)
    digits = rest.fill_null("").str.pad_end(3, "0")
    minor = whole.cast(pl.Int64) * 100 + digits.str.slice(0, 2).cast(pl.Int64)
    minor = minor + (digits.str.slice(2, 1).cast(pl.Int64) >= 5).cast(pl.Int64)
    return minor * (1 - 2 * (sign == "-").cast(pl.Int64))


def _flag(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.Boolean:
        return raw.cast(pl.Int64)
    if raw.dtype == pl.String:
        raw = raw.str.to_lowercase().replace({"true": "1", "false": "0"})
    found = _integer(raw)
    return found.set((found != 0) & (found != 1), None)


_CASTS = {
    "text": _text,
    "integer": _integer,
    "seconds_up": _seconds_up,
    "number": _number,
    "amount_minor": _amount_minor,
    "flag": _flag,
}
_WANTED = {
    "text": Fault(
        f"is longer than {TABLE_TEXT_BYTES_MAX} bytes", f"超过 {TABLE_TEXT_BYTES_MAX} 字节"
    ),
    "integer": Fault("is no whole number", "不是整数"),
    "seconds_up": Fault("is no number of seconds", "不是秒数"),
    "number": Fault("is no finite number", "不是有限的数"),
    "amount_minor": Fault("is no decimal amount", "不是十进制金额"),
    "flag": Fault("is neither 0 nor 1", "不是 0 或 1"),
}
_MISSING, _TWICE = Fault("is missing", "缺失"), Fault("is there twice", "重复出现")
_NO_TEXT = Fault("is not UTF-8", "不是 UTF-8")
