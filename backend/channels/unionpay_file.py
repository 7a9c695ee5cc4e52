"""UnionPay's day file in a fixed format of ours, in the manner of its COM file for acquirers.

ASCII, LF line ends, columns of fixed width split by one space, text filled with spaces on the
right, numbers with zeros on the left:

    HDR 1 <yyyymmdd> <institution, 11>
    <TRN|RFD|CHB> <TID, 8> <batch, 6> <STAN, 6> <RRN, 12> <C|D> <amount, 12> <fee, 12>
        <our id, 64> <the card's token, or the order that is given back, 64>
    TRL <rows, 9> <C|D> <sum, 15> <fees, 15> <SHA-256 of all bytes before, in hexadecimal>

C is what the switch owes us, D what it is owed. Wrong anywhere: refused whole, with the line.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from backend.channels.day_file import DayFile, DayRow, RowKind, Spool, rejected
from backend.channels.limits import DAY_FILE_ROWS_MAX
from protocol.money import Money

INSTITUTION = "00010000000"
_CURRENCY = "CNY"
_KINDS: dict[str, RowKind] = {"TRN": "payment", "RFD": "refund", "CHB": "chargeback"}
_TAGS = {kind: tag for tag, kind in _KINDS.items()}
_TEXT = r"[\x21-\x7e]+"
_HEADER = re.compile(r"HDR 1 ([0-9]{8}) ([0-9]{11})").fullmatch
_ROW = re.compile(
    r"(TRN|RFD|CHB) ([0-9A-Za-z]{8}|-{8}) ([0-9]{6}) ([0-9]{6}) ([0-9]{12}|-{12}) ([CD])"
    rf" ([0-9]{{12}}) ([0-9]{{12}}) (?=.{{64}} .{{64}}$)({_TEXT}) +({_TEXT}) *"
).fullmatch
_TRAILER = "TRL "


@dataclass(frozen=True, slots=True)
class ComRow:
    """One line of the file. A chargeback has no numbers of a terminal."""

    kind: RowKind
    own_id: str
    account: str
    amount_minor: int
    fee_minor: int = 0
    tid: str = "--------"
    batch: int = 0
    stan: int = 0
    rrn: str = "------------"

    @property
    def signed_minor(self) -> int:
        """What it adds to the switch's debt to us."""
        return self.amount_minor if self.kind == "payment" else -self.amount_minor

    def as_day_row(self) -> DayRow:
        """The row as reconciliation sees it."""
        return DayRow(
            self.kind,
            self.own_id,
            self.account,
            Money(self.amount_minor, _CURRENCY),
            channel_reference=self.rrn.strip("-"),
            fee=Money(self.fee_minor, _CURRENCY),
        )


def write_com_file(day: date, rows: Iterable[ComRow]) -> Iterator[bytes]:
    """The file's lines, one after the other."""
    digest, count, total, fees = hashlib.sha256(), 0, 0, 0
    header = f"HDR 1 {day:%Y%m%d} {INSTITUTION}\n".encode("ascii")
    digest.update(header)
    yield header
    for row in rows:
        line = _line(row).encode("ascii")
        assert _ROW(line[:-1].decode("ascii")), "a column holds what it cannot"
        digest.update(line)
        count, total, fees = count + 1, total + row.signed_minor, fees + row.fee_minor
        yield line
    yield f"{_totals(count, total, fees)} {digest.hexdigest()}\n".encode("ascii")


def open_com_file(spool: Spool) -> DayFile:
    """``DayFileReader`` of this format."""
    try:
        day, count = _verify(spool)
    except BaseException:
        spool.close()
        raise
    return DayFile(spool, day=day, count=count, read=_day_rows)


def _verify(spool: Spool) -> tuple[date, int]:
    lines = spool.lines()
    number, header = next(lines, (1, b""))
    day, digest = _day_of(header), hashlib.sha256(header)
    count, total, fees = 0, 0, 0
    for number, line in lines:
        text = _text(number, line)
        if text.startswith(_TRAILER):
            _check_trailer(number, text, f"{_totals(count, total, fees)} {digest.hexdigest()}")
            if next(lines, None) is not None:
                raise rejected(number + 1, "something follows the trailer")
            return day, count
        row = _row(number, text)
        digest.update(line)
        count, total, fees = count + 1, total + row.signed_minor, fees + row.fee_minor
        if count > DAY_FILE_ROWS_MAX:
            raise rejected(number, f"more than {DAY_FILE_ROWS_MAX} rows")
    raise rejected(number + 1, "the file ends without a trailer")


def _day_rows(spool: Spool) -> Iterator[DayRow]:
    for number, line in spool.lines():
        text = _text(number, line)
        if number > 1 and not text.startswith(_TRAILER):
            yield _row(number, text).as_day_row()


def _day_of(header: bytes) -> date:
    found = _HEADER(_text(1, header)) if header else None
    if found is None:
        raise rejected(1, "not a header of version 1")
    try:
        return datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007  # a day has no zone
    except ValueError:
        raise rejected(1, f"date {found[1]}") from None


def _check_trailer(number: int, text: str, expected: str) -> None:
    if text == expected:
        return
    said, found = text.split(" "), expected.split(" ")
    names = ("tag", "count", "side", "sum", "fees", "checksum")
    for name, one, other in zip(names, said, found, strict=False):
        if one != other:
            raise rejected(number, f"the trailer's {name}: {one[:64]}, and not {other}")
    raise rejected(number, "the trailer's columns")


def _row(number: int, text: str) -> ComRow:
    found = _ROW(text)
    if found is None:
        raise rejected(number, "columns")
    tag, tid, batch, stan, rrn, side, amount, fee, own_id, account = found.groups()
    row = ComRow(
        _KINDS[tag], own_id, account, int(amount), int(fee), tid, int(batch), int(stan), rrn
    )
    if row.amount_minor == 0 or side != _side(row.signed_minor):
        raise rejected(number, "amount or side")
    return row


def _text(number: int, line: bytes) -> str:
    if line[-1:] != b"\n":
        raise rejected(number, "the file ends within a line")
    try:
        return line[:-1].decode("ascii")
    except UnicodeDecodeError as error:
        raise rejected(number, f"not ASCII at byte {error.start + 1}") from None


def _line(row: ComRow) -> str:
    return (
        f"{_TAGS[row.kind]} {row.tid} {row.batch:06d} {row.stan:06d} {row.rrn}"
        f" {_side(row.signed_minor)} {row.amount_minor:012d} {row.fee_minor:012d}"
        f" {row.own_id:<64} {row.account:<64}\n"
    )


def _totals(count: int, total: int, fees: int) -> str:
    return f"{_TRAILER}{count:09d} {_side(total)} {abs(total):015d} {fees:015d}"


def _side(signed_minor: int) -> str:
    return "C" if signed_minor >= 0 else "D"
