"""UnionPay's day file: what is written is what is read, and a bad file is refused whole."""

import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels.day_file import DayFile, Spool
from backend.channels.unionpay_file import ComRow, open_com_file, write_com_file
from protocol.errors import CallerError

DAY = date(2026, 11, 23)
ROWS = (
    ComRow("payment", "pay_1", "tok_1", 1_000, 4, "10000001", 1, 7, "000000000001"),
    ComRow("refund", "rfd_1", "pay_1", 400, 0, "10000001", 1, 8, "000000000002"),
    ComRow("chargeback", "dsp_1", "pay_1", 700),
)


def written(rows: tuple[ComRow, ...] = ROWS) -> bytes:
    return b"".join(write_com_file(DAY, rows))


def opened(data: bytes) -> DayFile:
    return open_com_file(Spool.of([data]))


def test_rows_come_out_as_they_went_in() -> None:
    with opened(written()) as file:
        assert (file.day, file.count) == (DAY, 3)
        assert tuple(file.rows()) == tuple(row.as_day_row() for row in ROWS)
        assert sum(row.signed_minor for row in file.rows()) == -100


def test_a_day_without_a_row_is_a_file_too() -> None:
    with opened(written(())) as file:
        assert list(file.rows()) == []


_words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)


@given(
    st.lists(
        st.builds(
            ComRow,
            st.sampled_from(["payment", "refund", "chargeback"]),
            _words,
            _words,
            st.integers(1, 10**12 - 1),
            st.integers(0, 10**12 - 1),
        ),
        max_size=8,
    )
)
def test_any_rows_come_out_as_they_went_in(rows: list[ComRow]) -> None:
    with opened(written(tuple(rows))) as file:
        assert list(file.rows()) == [row.as_day_row() for row in rows]


def _resealed(data: bytes) -> bytes:
    """The file with a true checksum again."""
    body, _, trailer = data.rpartition(b"TRL ")
    totals = trailer.rsplit(b" ", 1)[0]
    return body + b"TRL " + totals + b" " + hashlib.sha256(body).hexdigest().encode() + b"\n"


GOOD = written()
LINES = GOOD.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "line 1"),
        (GOOD[:-1], "line 5: the file ends within a line"),
        (b"".join(LINES[:-1]), "line 5: the file ends without a trailer"),
        (GOOD[: len(GOOD) // 2], "the file ends within a line"),
        (b"".join(LINES[1:]), "line 1: not a header"),
        (GOOD.replace(b"20261123", b"20261323"), "line 1: date"),
        (GOOD + b"\n", "line 6: something follows"),
        (_resealed(b"".join([*LINES[:2], *LINES[1:]])), "line 6: the trailer's count"),
        (_resealed(b"".join([*LINES[:2], *LINES[3:]])), "line 4: the trailer's count"),
        (_resealed(GOOD.replace(b"0001000 ", b"0001001 ")), "line 5: the trailer's sum"),
        (_resealed(GOOD.replace(b"000000000004 ", b"000000000005 ", 1)), "the trailer's fees"),
        (GOOD.replace(b"tok_1 ", b"tok_2 "), "line 5: the trailer's checksum"),
        (GOOD.replace(b" C 0", b" D 0", 1), "line 2: amount or side"),
        (GOOD.replace(b"TRN", b"XXX"), "line 2: columns"),
        (GOOD.replace(b"tok_1", "卡".encode()[:3] + b"12"), "line 2: not ASCII at byte"),
        (GOOD.decode().encode("utf-16"), "line 1: not ASCII at byte 1"),
        (GOOD.replace(b"\n", b"\r\n"), "line 1: not a header"),
    ],
)
def test_a_bad_file_is_refused_whole_with_line_and_reason(data: bytes, reason: str) -> None:
    with pytest.raises(CallerError, match=reason) as refused:
        opened(data)
    assert refused.value.code == "file_rejected"
