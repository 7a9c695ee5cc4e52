"""A channel's day file: read as it was written, or refused whole with the line and the reason."""

import hashlib
import os
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels import day_file
from backend.channels.day_file import DayRow, Spool, open_day_file, write_day_file
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.day_files import read_rows

DAY = date(2026, 9, 30)
ROWS = [
    DayRow("payment", "p1", "C1", Money(500, "CNY"), "R1", Money(3, "CNY"), date(2026, 9, 29)),
    DayRow("refund", "r1", "C1", Money(200, "CNY"), "R2", Money(-1, "CNY")),
    DayRow("topup", "t1", "C2", Money(900, "JPY")),
]


def written(rows: list[DayRow] = ROWS) -> bytes:
    return b"".join(write_day_file(DAY, rows))


def sealed(*lines: bytes, count: int, total: int) -> bytes:
    """A file whose trailer is right about whatever stands before it."""
    body = b"".join(lines)
    digest = hashlib.sha256(body).hexdigest()
    return body + f"TRAILER,{count},{total},{digest}\n".encode()


def refusal(data: bytes) -> str:
    with pytest.raises(CallerError) as caught:
        open_day_file(Spool.of([data]))
    assert caught.value.code == "file_rejected"
    return str(caught.value.detail)


ids = st.from_regex(r"[a-z0-9_.-]{1,30}", fullmatch=True)
fees = st.none() | st.integers(-(10**6), 10**6).map(lambda minor: Money(minor, "CNY"))
any_rows = st.builds(
    DayRow,
    kind=st.sampled_from(["topup", "payment", "refund", "chargeback", "payout"]),
    reference=ids,
    account=st.text(st.characters(exclude_characters=","), min_size=1, max_size=20).filter(
        str.isprintable
    ),
    amount=st.integers(0, 10**10).map(lambda minor: Money(minor, "CNY")),
    channel_reference=st.just("") | ids,
    fee=fees,
    settlement_date=st.none() | st.dates(),
)


@given(st.lists(any_rows, max_size=6))
def test_a_day_file_arrives_as_it_was_written(rows: list[DayRow]) -> None:
    assert read_rows(written(rows)) == rows


def test_an_empty_day_is_a_file_too_and_rows_are_given_as_often_as_wanted() -> None:
    assert read_rows(written([])) == []
    with open_day_file(Spool.of([written()])) as file:
        assert (file.day, file.count) == (DAY, 3)
        assert list(file.rows()) == list(file.rows()) == ROWS


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_with_a_line(data: bytes) -> None:
    assert refusal(data).startswith("line ")


@given(st.data())
def test_a_flipped_bit_anywhere_is_refused(data: st.DataObject) -> None:
    content = bytearray(written())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    assert refusal(bytes(content)).startswith("line ")


@given(st.data())
def test_a_file_cut_short_anywhere_is_refused(data: st.DataObject) -> None:
    content = written()
    assert refusal(content[: data.draw(st.integers(0, len(content) - 1))]).startswith("line ")


@given(st.data())
def test_a_line_left_out_or_twice_or_moved_is_refused(data: st.DataObject) -> None:
    lines = written().splitlines(keepends=True)
    changed = data.draw(st.lists(st.sampled_from(lines), min_size=0, max_size=7))
    if changed != lines:
        refusal(b"".join(changed))


HEAD, ROW = b"HEADER,4,2026-09-30\n", b"payment,p1,,C1,5.00,CNY,,\n"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "line 1: the file ends within a line"),
        (written() * 2, "line 6: something follows the trailer"),
        (written() + written().splitlines(keepends=True)[-1], "line 6: something follows"),
        (b"\xef\xbb\xbf" + written(), "line 1: not a header of version 4"),
        (written().decode().encode("utf-16"), "line 1: not UTF-8"),
        (written().replace(b"\n", b"\r\n"), "line 1: a control character"),
        (sealed(HEAD.replace(b"4", b"3", 1), count=0, total=0), "line 1: not a header of version"),
        (sealed(HEAD.replace(b"-30", b"-31"), count=0, total=0), "line 1: date '2026-09-31'"),
        (sealed(HEAD, ROW, count=2, total=500), "line 3: the trailer's count: 2, and not 1"),
        (sealed(HEAD, ROW, count=1, total=501), "line 3: the trailer's sum: 501, and not 500"),
        (sealed(HEAD, b"payment,p1,C1,5.00,CNY\n", count=1, total=500), "line 2: columns"),
        (sealed(HEAD, ROW.replace(b"p1", b""), count=1, total=500), "line 2: columns"),
        (sealed(HEAD, ROW.replace(b"payment", b"gift"), count=1, total=0), "line 2: kind 'gift'"),
        (sealed(HEAD, ROW.replace(b"CNY", b"XXX"), count=1, total=0), "line 2: currency 'XXX'"),
        (sealed(HEAD, ROW.replace(b"5.00", b"5.0"), count=1, total=0), "line 2: amount '5.0'"),
        (sealed(HEAD, ROW.replace(b"5.00", b"-5.00"), count=1, total=0), "line 2: amount '-5.00'"),
        (sealed(HEAD, ROW, "付款".encode("gbk"), count=1, total=0), "line 3: not UTF-8 at byte 1"),
        (sealed(HEAD, ROW.replace(b"C1", "卡".encode("gbk")), count=1, total=0), "line 2: not UTF"),
        (sealed(HEAD, ROW.replace(b"C1", b"C" * 4097), count=1, total=0), "line 2: too long"),
        (written().removesuffix(b"\n"), "line 5: the file ends within a line"),
        (HEAD + ROW, "line 3: the file ends without a trailer"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(data: bytes, detail: str) -> None:
    assert refusal(data).startswith(detail)


def test_more_rows_or_bytes_than_bounded_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_file, "DAY_FILE_ROWS_MAX", 2)
    assert refusal(written()) == "line 4: more than 2 rows"
    monkeypatch.setattr(day_file, "DAY_FILE_BYTES_MAX", 99)
    with pytest.raises(CallerError, match="longer than 99 bytes"):
        Spool.of([b"x" * 100])


def test_a_large_file_stands_in_a_private_file_that_is_gone_when_closed() -> None:
    rows = [DayRow("payment", f"p{n}", "C1", Money(n, "CNY")) for n in range(40_000)]
    with open_day_file(Spool.of(write_day_file(DAY, rows))) as file:
        spooled = file._spool._file
        status = os.fstat(spooled.fileno())
        assert status.st_size > 1024 * 1024
        assert (status.st_nlink, status.st_mode & 0o077) == (0, 0)
        assert sum(1 for _ in file.rows()) == 40_000
    assert spooled.closed


def test_a_column_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(CallerError):
        written([DayRow("payment", "a,b", "C1", Money(1, "CNY"))])
