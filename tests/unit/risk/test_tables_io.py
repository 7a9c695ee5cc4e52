"""Tables in files: what is read, and what is refused with its place and reason."""

import gzip
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.risk.tables_io import TableColumn, read_table, table_file
from protocol.errors import CallerError

COLUMNS = (
    TableColumn(name="tx_id", kind="text"),
    TableColumn(name="t_sec", kind="integer", minimum=0),
    TableColumn(name="amount", kind="amount_minor", minimum=0, maximum=10_000_000),
    TableColumn(name="fraud", kind="flag", is_nullable=True),
    TableColumn(name="weight", kind="number", is_optional=True),
)


def _csv(folder: Path, text: str) -> Path:
    path = folder / "tx.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _write(path: Path, table: pl.DataFrame) -> None:
    with table_file(path) as write:
        write(table)


def test_a_csv_is_read_by_name_and_other_columns_are_left(tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        "amount,more,t_sec,tx_id,fraud\n12.34,x,5,a,1\n0.1,y,7.0,b,\n3,z,9,c,False\n",
    )
    table = read_table(path, COLUMNS)
    assert table.columns == ["tx_id", "t_sec", "amount", "fraud"]
    assert table.rows() == [("a", 5, 1234, 1), ("b", 7, 10, None), ("c", 9, 300, 0)]


def test_parquet_gives_the_same_table_whatever_its_types(tmp_path: Path) -> None:
    path = tmp_path / "tx.parquet"
    pl.DataFrame(
        {
            "tx_id": [1, 2],
            "t_sec": [5.0, 7.0],
            "amount": [57.16, 0.29],
            "fraud": [True, None],
            "weight": [1, 2],
        }
    ).write_parquet(path)
    rows = read_table(path, COLUMNS).rows()
    assert rows == [("1", 5, 5716, 1, 1.0), ("2", 7, 29, None, 2.0)]


@pytest.mark.parametrize(
    ("ids", "read"), [([12.0, 3.0], ["12", "3"]), ([12.0, 3.5], ["12.0", "3.5"])]
)
def test_a_whole_id_is_the_same_whatever_type_wrote_it(
    tmp_path: Path, ids: list[float], read: list[str]
) -> None:
    path = tmp_path / "tx.parquet"
    pl.DataFrame({"tx_id": ids}).write_parquet(path)
    assert read_table(path, COLUMNS[:1])["tx_id"].to_list() == read


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (",5,1.00,0", "row 2, column tx_id: is missing"),
        ("b,,1.00,0", "row 2, column t_sec: is missing"),
        ("b,5.5,1.00,0", "row 2, column t_sec: '5.5' is no whole number"),
        ("b,-1,1.00,0", "row 2, column t_sec: '-1' is below 0"),
        ("b,99999999999999999,1,0", "row 2, column t_sec: '99999999999999999' is no whole number"),
        ("b,5,nan,0", "row 2, column amount: 'nan' is no decimal amount"),
        ("b,5,1e9,0", "row 2, column amount: '1e9' is no decimal amount"),
        ("b,5,-0.01,0", "row 2, column amount: '-0.01' is below 0"),
        ("b,5,100000.01,0", "row 2, column amount: '100000.01' is above 10000000"),
        ("b,5,١,0", "row 2, column amount: '١' is no decimal amount"),
        ("b,５,1,0", "row 2, column t_sec: '５' is no whole number"),
        ("b,5,1,2", "row 2, column fraud: '2' is neither 0 nor 1"),
        (f"{'b' * 201},5,1,0", "is longer than 200 bytes"),
    ],
)
def test_a_bad_value_is_refused_with_its_row_and_column(
    tmp_path: Path, line: str, place: str
) -> None:
    path = _csv(tmp_path, f"tx_id,t_sec,amount,fraud\na,1,1.00,0\n{line}\n{line}\n")
    with pytest.raises(CallerError) as refused:
        read_table(path, COLUMNS)
    assert refused.value.code == "table_invalid"
    assert place in refused.value.detail
    assert refused.value.detail.startswith("tx.csv: ")
    assert re.match(r"tx\.csv：第 2 行 \w+ 列：.*[\u4e00-\u9fff]", refused.value.detail_zh)


@pytest.mark.parametrize(
    ("types", "fraud"),
    [
        ({"tx_id": pl.Int32, "t_sec": pl.UInt16, "amount": pl.Decimal(18, 2)}, pl.Int8),
        ({"tx_id": pl.Decimal(38, 0), "t_sec": pl.Decimal(20, 0)}, pl.Decimal(1, 0)),
        ({"tx_id": pl.Categorical, "t_sec": pl.Categorical, "amount": pl.Categorical}, pl.Float32),
        ({"tx_id": pl.Enum(["7", "12"]), "t_sec": pl.Float32}, pl.Null),
    ],
)
def test_a_parquet_s_types_make_no_other_table(
    tmp_path: Path, types: dict[str, Any], fraud: Any
) -> None:
    text = {"tx_id": ["7", "12"], "t_sec": ["3", "40"], "amount": ["1.20", "0.05"]}
    plain = pl.DataFrame({name: pl.Series(column) for name, column in text.items()})
    path = tmp_path / "tx.parquet"
    unknown = fraud == pl.Null
    told = pl.Series("fraud", [None, None] if unknown else [1, 0]).cast(fraud)
    plain.with_columns(
        *(pl.col(name).cast(dtype) for name, dtype in types.items()), told
    ).write_parquet(path)
    read = read_table(path, COLUMNS)
    assert read["tx_id"].to_list() == ["7", "12"]
    assert read["t_sec"].to_list() == [3, 40]
    assert read["amount"].to_list() == [120, 5]
    assert read["fraud"].to_list() == ([None, None] if unknown else [1, 0])


def test_a_parquet_s_bytes_are_text_or_are_refused_with_their_row(tmp_path: Path) -> None:
    path = tmp_path / "tx.parquet"
    pl.DataFrame({"tx_id": [b"a", "茶".encode()]}).write_parquet(path)
    assert read_table(path, COLUMNS[:1])["tx_id"].to_list() == ["a", "茶"]
    pl.DataFrame({"tx_id": [b"a", b"\xff\xfe"]}).write_parquet(path)
    with pytest.raises(CallerError, match=r"row 2, column tx_id: .* is not UTF-8"):
        read_table(path, COLUMNS[:1])


def test_a_list_is_no_id(tmp_path: Path) -> None:
    path = tmp_path / "tx.parquet"
    pl.DataFrame({"tx_id": [["a"]]}).write_parquet(path)
    with pytest.raises(CallerError, match="row 1, column tx_id: holds several values"):
        read_table(path, COLUMNS[:1])


def test_a_parquet_of_other_types_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tx.parquet"
    frame = {"tx_id": ["a"], "t_sec": [1], "amount": [[1]], "fraud": [0]}
    pl.DataFrame(frame).write_parquet(path)
    with pytest.raises(CallerError, match="column amount"):
        read_table(path, COLUMNS)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("tx.csv", b"tx_id,amount\na,1\n", "no column t_sec, fraud"),
        ("tx.csv", b"", "tx.csv: "),
        (
            "tx.csv",
            b"tx_id,t_sec,amount,fraud\na,1,1,0\nb,1,1,0,9\n",
            "row 2: 5 values in 4 columns",
        ),
        ("tx.csv", b"tx_id,t_sec,amount,fraud\na,1,1,0\nb\xe9,1,1,0\n", "not UTF-8"),
        (
            "tx.csv.gz",
            gzip.compress(b"tx_id,t_sec,amount,fraud\na,1,1,0\n" * 99, mtime=0)[:-20],
            "tx.csv.gz: ",
        ),
        ("tx.parquet", b"PAR1 no", "tx.parquet: "),
        ("tx.txt", b"a", "must end in .csv, .csv.gz or .parquet"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CallerError) as refused:
        read_table(tmp_path / name, COLUMNS)
    assert why in refused.value.detail


def test_a_packed_csv_and_one_with_empty_lines_at_its_end_are_read(tmp_path: Path) -> None:
    text = "tx_id,t_sec,amount,fraud\na,5,12.34,1\n\n\r\n"
    (tmp_path / "tx.csv.gz").write_bytes(gzip.compress(text.encode()))
    for path in (tmp_path / "tx.csv.gz", _csv(tmp_path, text)):
        assert read_table(path, COLUMNS).rows() == [("a", 5, 1234, 1)]
    with pytest.raises(CallerError, match="row 2, column tx_id: is missing"):
        read_table(_csv(tmp_path, text + "b,6,1,0\n"), COLUMNS)
    with pytest.raises(CallerError, match=r"must end in \.csv or \.parquet"):
        _write(tmp_path / "out.csv.gz", pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("word", ["", "NaN", "inf", "Infinity", "NaT", "null"])
def test_a_moment_that_never_comes_is_none(tmp_path: Path, word: str) -> None:
    never = TableColumn(name="at", kind="seconds_up", is_nullable=True)
    assert read_table(_csv(tmp_path, f"x,at\n1,{word}\n1,7.5\n"), (never,))["at"].to_list() == [
        None,
        8,
    ]
    if word in {"NaN", "inf"}:
        path = tmp_path / "tx.parquet"
        pl.DataFrame({"at": [float(word), 7.5]}).write_parquet(path)
        assert read_table(path, (never,))["at"].to_list() == [None, 8]
    always = TableColumn(name="at", kind="seconds_up")
    with pytest.raises(CallerError, match="row 1, column at"):
        read_table(_csv(tmp_path, f"x,at\n1,{word}\n"), (always,))


def test_a_flag_that_a_tool_wrote_as_no_number_is_missing_where_it_may_be(tmp_path: Path) -> None:
    may_lack = TableColumn(name="fraud", kind="flag", is_nullable=True)
    path = tmp_path / "tx.parquet"
    pl.DataFrame({"fraud": [1.0, float("nan"), 0.0]}).write_parquet(path)
    for file in (path, _csv(tmp_path, "x,fraud\na,1.0\nb,NaN\nc,0.0\n")):
        assert read_table(file, (may_lack,))["fraud"].to_list() == [1, None, 0]
        with pytest.raises(CallerError, match=r"row 2, column fraud: '(nan|NaN)' is neither"):
            read_table(file, (TableColumn(name="fraud", kind="flag"),))
    with pytest.raises(CallerError, match="row 1, column fraud: 'inf' is neither"):
        read_table(_csv(tmp_path, "x,fraud\na,inf\n"), (may_lack,))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"none\.csv: No such file"):
        read_table(tmp_path / "none.csv", COLUMNS)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(0, 10**9, places=4, allow_nan=False), min_size=1, max_size=20))
def test_amounts_are_rounded_as_decimals_are(tmp_path: Path, amounts: list[Decimal]) -> None:
    path = _csv(tmp_path, "amount\n" + "".join(f"{amount:f}\n" for amount in amounts))
    column = TableColumn(name="amount", kind="amount_minor")
    hundredth = Decimal("0.01")
    expected = [int(a.quantize(hundredth, rounding=ROUND_HALF_UP) * 100) for a in amounts]
    assert read_table(path, (column,))["amount"].to_list() == expected


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    table = pl.DataFrame({"tx_id": ["a", "b"], "weight": [0.1, 1 / 3]})
    _write(tmp_path / name, table)
    columns = (TableColumn(name="tx_id", kind="text"), TableColumn(name="weight", kind="number"))
    assert read_table(tmp_path / name, columns).equals(table)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_cannot_be_written_is_told_before_the_work_and_leaves_all_as_it_was(
    tmp_path: Path,
) -> None:
    read, out = _csv(tmp_path, "a\n1\n"), tmp_path / "out.csv"
    out.write_text("before")
    (tmp_path / "folder.csv").mkdir()
    for place, why, told in (
        (tmp_path / "no" / "out.csv", OSError, "No such file"),
        (tmp_path / "folder.csv", OSError, "directory"),
        (read, CallerError, "over itself"),
    ):
        with pytest.raises(why, match=told), table_file(place, read):
            pytest.fail("the work began")
    with pytest.raises(AttributeError):
        _write(out, None)  # type: ignore[arg-type]
    assert {path.name for path in tmp_path.iterdir()} == {read.name, "out.csv", "folder.csv"}
    assert (out.read_text(), read.read_text()) == ("before", "a\n1\n")
