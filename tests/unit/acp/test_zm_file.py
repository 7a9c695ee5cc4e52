"""UnionPay's list of a day: what is written is read back; nothing of a wrong one is used."""

import base64
import io
import zipfile
import zlib
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels.acp.adapter import number_of, own_id
from backend.channels.acp.day_file import WIDTHS, ZmRow, open_zm_file, write_zm_file
from protocol.errors import CallerError
from protocol.ids import PAYMENT, REFUND, mint

DAY, MER_ID = date(2026, 11, 28), "777290058110048"
PAID, GIVEN = (mint(kind, time_ms=1, random_bytes=b"0123456789") for kind in (PAYMENT, REFUND))
ROWS = (
    ZmRow(order_id=number_of(PAID), query_id="2" * 21, amount_minor=1_280, fee_minor=5),
    ZmRow(order_id=number_of(GIVEN), query_id="3" * 21, amount_minor=-280, payer="hanmeimei"),
    ZmRow(order_id=number_of(f"{PAID}.back2"), query_id="4" * 21, amount_minor=-1_000),
)


def packed(content: bytes, name: str = f"INN26112888ZM_{MER_ID}") -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr(name, content)
    return base64.b64encode(zlib.compress(archive.getvalue())).decode()


def content_of(text: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(zlib.decompress(base64.b64decode(text)))) as files:
        return files.read(files.namelist()[0])


WHOLE = write_zm_file(DAY, MER_ID, ROWS)


def test_a_written_list_is_read_back_with_our_ids() -> None:
    with open_zm_file(WHOLE, DAY, own_id) as file:
        found = [(row.kind, row.reference, row.signed_minor) for row in file.rows()]
        fees = [row.fee.amount_minor for row in file.rows() if row.fee is not None]
    assert found == [
        ("payment", PAID, 1_280),
        ("refund", GIVEN, -280),
        ("refund", f"{PAID}.back2", -1_000),
    ]
    assert (file.day, file.count, fees) == (DAY, 3, [5, 0, 0])


def test_a_day_of_nothing_is_a_list_of_no_rows() -> None:
    with open_zm_file(write_zm_file(DAY, MER_ID, []), DAY, own_id) as file:
        assert list(file.rows()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line[:-3] + line[-2:],
        lambda line: line[:3] + b"x" + line[4:],
        lambda line: b"S99" + line[3:],
        lambda line: line.replace(b"C000000001280", b"C000000001281"),
        lambda line: line.replace(b"C000000001280", b"D000000001280"),
        lambda line: line.replace(b"D000000000005", b"X000000000005"),
        lambda line: line.rstrip(b"\r\n"),
        lambda line: line.replace(b"S22", b"S30"),
    ],
)
def test_a_line_that_is_wrong_refuses_the_whole_list(change: Callable[[bytes], bytes]) -> None:
    lines = content_of(WHOLE).splitlines(keepends=True)
    lines[0] = change(lines[0])
    if not lines[0].endswith(b"\n"):
        del lines[1:]
    with pytest.raises(CallerError, match="file_rejected"):
        open_zm_file(packed(b"".join(lines)), DAY, own_id)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no base64!",
        base64.b64encode(b"no deflate").decode(),
        base64.b64encode(zlib.compress(b"no archive")).decode(),
        base64.b64encode(zlib.compress(b"PK" * 100)[:-5]).decode(),
        packed(b"", "another.txt"),
    ],
    ids=["empty", "base64", "deflate", "archive", "cut", "name"],
)
def test_what_is_no_archive_with_one_list_is_refused(content: str) -> None:
    with pytest.raises(CallerError, match="file_rejected"):
        open_zm_file(content, DAY, own_id)


def test_every_line_is_as_wide_as_its_columns() -> None:
    for line in content_of(WHOLE).splitlines():
        assert len(line) == sum(WIDTHS) + len(WIDTHS) - 1


@given(
    kind=st.sampled_from([PAYMENT, REFUND]),
    at_ms=st.integers(0, 2**47),
    luck=st.binary(min_size=10, max_size=10),
    more=st.sampled_from(["", ".back", ".back2", ".back12"]),
)
def test_an_ids_number_is_that_ids_alone(kind: str, at_ms: int, luck: bytes, more: str) -> None:
    made = mint(kind, time_ms=at_ms, random_bytes=luck) + more
    assert own_id(number_of(made)) == made
    assert number_of(made).isalnum()
