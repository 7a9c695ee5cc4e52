"""UnionPay's list of a merchant's day (the ``ZM`` file), as a file transfer delivers it.

Rule 1: the answer is signed whole, so its bytes are the gateway's; still they are read to the end
        before the first row is given out.
Rule 2: Base64, deflate (zlib), ZIP, and in it one ``INN…ZM_…`` of lines in GBK: columns of fixed
        width, counted in bytes, with a space between. There is no trailer.

The widths and the two kinds of transactions are written down from memory of the published examples.
"""

import base64
import binascii
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from backend.channels.acp.limits import ARCHIVE_FILES_MAX, INFLATED_BYTES_MAX
from backend.channels.day_file import DayFile, DayRow, Spool, rejected
from backend.channels.limits import DAY_FILE_ROWS_MAX
from protocol.errors import CallerError
from protocol.money import Money

WIDTHS = (
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21,
    15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
)  # fmt: skip
_KIND, _TIME, _ACCOUNT, _AMOUNT, _QUERY_ID, _ORDER_ID, _FEE, _NET = 0, 4, 5, 6, 9, 11, 15, 16
_PAID, _GIVEN = "S22", "S30"
_LIST = re.compile(r"INN\w{0,32}ZM_\w{1,32}", re.ASCII).fullmatch
_SIGNED = re.compile(r"([CD])(\d{12})", re.ASCII).fullmatch
_CHARSET = "gbk"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZmRow:
    """One line. ``amount_minor`` is negative for what went back."""

    order_id: str
    query_id: str
    amount_minor: int
    fee_minor: int = 0
    payer: str = ""
    sent_at: str = ""
    """``MMDDHHMMSS``."""


def write_zm_file(day: date, mer_id: str, rows: Iterable[ZmRow]) -> str:
    """``fileContent`` of a day."""
    content = "".join(f"{_line(row)}\r\n" for row in rows).encode(_CHARSET)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr(f"INN{day:%y%m%d}88ZM_{mer_id}", content)
    return base64.b64encode(zlib.compress(archive.getvalue())).decode()


def open_zm_file(content: str, day: date, own_id: Callable[[str], str]) -> DayFile:
    """The list of a ``fileContent``; ``own_id`` is our id of an order's number."""
    spool = Spool.of(_unpacked(content))
    try:
        count = sum(1 for _ in _rows(spool))
        if count > DAY_FILE_ROWS_MAX:
            raise CallerError("file_rejected", f"more than {DAY_FILE_ROWS_MAX} rows")
    except BaseException:
        spool.close()
        raise

    def rows(spool: Spool) -> Iterator[DayRow]:
        for row in _rows(spool):
            yield _day_row(row, own_id)

    return DayFile(spool, day=day, count=count, read=rows)


def _unpacked(content: str) -> Iterator[bytes]:
    try:
        inflater = zlib.decompressobj()
        inflated = inflater.decompress(base64.b64decode(content, validate=True), INFLATED_BYTES_MAX)
        if not inflater.eof:
            raise CallerError("file_rejected", "an archive without an end")
        with zipfile.ZipFile(io.BytesIO(inflated)) as archive:
            names = archive.namelist()
            lists = [name for name in names[:ARCHIVE_FILES_MAX] if _LIST(name)]
            if len(names) > ARCHIVE_FILES_MAX or len(lists) != 1:
                raise CallerError("file_rejected", "an archive without one list of the day")
            with archive.open(lists[0]) as found:
                while chunk := found.read(io.DEFAULT_BUFFER_SIZE):
                    yield chunk
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, binascii.Error, NotImplementedError,
        RuntimeError, EOFError, OSError, ValueError,
    ) as error:  # fmt: skip
        raise CallerError("file_rejected", f"no archive: {type(error).__name__}") from None


def _rows(spool: Spool) -> Iterator[ZmRow]:
    for number, line in spool.lines():
        yield _row(number, line)


def _row(number: int, line: bytes) -> ZmRow:
    text, columns, begin = line.rstrip(b"\r\n"), list[str](), 0
    if not line.endswith(b"\n") or len(text) != sum(WIDTHS) + len(WIDTHS) - 1:
        raise rejected(number, f"{len(text)} bytes")
    for width in WIDTHS:
        if text[begin + width : begin + width + 1] not in {b" ", b""}:
            raise rejected(number, f"no blank at byte {begin + width + 1}")
        try:
            columns.append(text[begin : begin + width].decode(_CHARSET).strip())
        except UnicodeDecodeError:
            raise rejected(number, f"not GBK at byte {begin + 1}") from None
        begin += width + 1
    fee, net = _SIGNED(columns[_FEE]), _SIGNED(columns[_NET])
    if fee is None or net is None or not columns[_AMOUNT].isdecimal():
        raise rejected(number, "an amount")
    sign = {_PAID: 1, _GIVEN: -1}.get(columns[_KIND])
    amount = int(columns[_AMOUNT])
    if sign is None or not amount or net[1] != ("C" if sign > 0 else "D") or int(net[2]) != amount:
        raise rejected(number, "kind, amount and side do not fit")
    return ZmRow(
        order_id=columns[_ORDER_ID],
        query_id=columns[_QUERY_ID],
        amount_minor=sign * amount,
        fee_minor=int(fee[2]) * (1 if fee[1] == "D" else -1),
        payer=columns[_ACCOUNT],
        sent_at=columns[_TIME],
    )


def _day_row(row: ZmRow, own_id: Callable[[str], str]) -> DayRow:
    return DayRow(
        "payment" if row.amount_minor > 0 else "refund",
        own_id(row.order_id),
        row.payer,
        Money(abs(row.amount_minor), "CNY"),
        channel_reference=row.query_id,
        fee=Money(row.fee_minor, "CNY"),
    )


def _line(row: ZmRow) -> str:
    said = {
        _KIND: _PAID if row.amount_minor > 0 else _GIVEN,
        _TIME: row.sent_at,
        _ACCOUNT: row.payer,
        _AMOUNT: f"{abs(row.amount_minor):012d}",
        _QUERY_ID: row.query_id,
        _ORDER_ID: row.order_id,
        _FEE: f"{'D' if row.fee_minor >= 0 else 'C'}{abs(row.fee_minor):012d}",
        _NET: f"{'C' if row.amount_minor > 0 else 'D'}{abs(row.amount_minor):012d}",
    }
    return " ".join(f"{said.get(place, ''):<{width}}" for place, width in enumerate(WIDTHS))
