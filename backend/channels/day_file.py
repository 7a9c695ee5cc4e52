"""A channel's file of a business day: one row a movement, and a trailer that proves it whole.

Rule 1: a file is spooled first and verified whole (encoding, columns, count, sum, checksum) before
        the first row is given out. Wrong anywhere: ``file_rejected`` with line and reason, and
        nothing of it is used.
Rule 2: nothing here holds more than a line. A large file stands in a temporary file that has no
        name, so that nobody else can open it and the end of the program removes it.
Rule 3: a channel with a format of its own has a reader of its own, from a ``Spool`` to a
        ``DayFile``; whoever reconciles sees no difference.

Our own format, for channels without one: UTF-8, LF line ends, columns split by commas and never
quoted. ``HEADER,4,<day>``; rows ``<kind>,<reference>,<channel reference>,<account>,<amount>,
<currency>,<fee>,<settlement date>`` (the last two may be empty); ``TRAILER,<count>,<sum>,<sha256 of
all bytes before>``. What a channel takes back counts against the sum. A chargeback's reference is
our dispute's.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Literal, Self

from backend.channels.limits import (
    DAY_FILE_BYTES_MAX,
    DAY_FILE_LINE_BYTES_MAX,
    DAY_FILE_ROWS_MAX,
    SPOOLED_IN_MEMORY_BYTES_MAX,
)
from protocol.errors import CallerError
from protocol.money import MINOR_DIGITS, Money

VERSION = "4"
RowKind = Literal["topup", "payment", "refund", "chargeback", "payout"]
_SIGNS: dict[str, int] = {"topup": 1, "payment": 1, "refund": -1, "chargeback": -1, "payout": -1}
_FIELD = re.compile(r"[^,\x00-\x1f\x7f]*").fullmatch
_DECIMAL = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,4}))?").fullmatch


@dataclass(frozen=True, slots=True)
class DayRow:
    """One movement that succeeded, as the channel has it."""

    kind: RowKind
    reference: str
    """Ours: the id under which we asked for the movement."""
    account: str
    amount: Money
    channel_reference: str = ""
    fee: Money | None = None
    """What the channel keeps for it; None: the file does not say."""
    settlement_date: date | None = None
    """The channel's date of this movement; None: the file's day."""

    @property
    def signed_minor(self) -> int:
        """What it adds to the channel's debt to us."""
        return _SIGNS[self.kind] * self.amount.amount_minor


class Spool:
    """A file's bytes on their way in: in memory while they are few, else on disk. Close it."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=SPOOLED_IN_MEMORY_BYTES_MAX)  # noqa: SIM115
        self._bytes = 0

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Self:
        """All of a file that is at hand."""
        spool = cls()
        try:
            for chunk in chunks:
                spool.write(chunk)
        except BaseException:
            spool.close()
            raise
        return spool

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; ``file_rejected`` for a file without end."""
        self._bytes += len(chunk)
        if self._bytes > DAY_FILE_BYTES_MAX:
            raise CallerError("file_rejected", f"longer than {DAY_FILE_BYTES_MAX} bytes")
        self._file.write(chunk)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Every line with its end, numbered from 1, from the beginning."""
        self._file.seek(0)
        read = partial(self._file.readline, DAY_FILE_LINE_BYTES_MAX + 1)
        for number, line in enumerate(iter(read, b""), start=1):
            if len(line) > DAY_FILE_LINE_BYTES_MAX:
                raise rejected(number, "too long")
            yield number, line

    @property
    def file(self) -> IO[bytes]:
        """The bytes, for a format that is no text."""
        return self._file

    def close(self) -> None:
        """Remove it."""
        self._file.close()


class DayFile:
    """All that succeeded on one business day: a spool that was verified whole. Close it."""

    def __init__(
        self, spool: Spool, *, day: date, count: int, read: Callable[[Spool], Iterator[DayRow]]
    ) -> None:
        self.day = day
        self.count = count
        self._spool = spool
        self._read = read

    def rows(self) -> Iterator[DayRow]:
        """The rows from the first to the last; one reading at a time."""
        return self._read(self._spool)

    def close(self) -> None:
        """Remove the spool."""
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


DayFileReader = Callable[[Spool], DayFile]
"""Verifies a spool whole; it belongs to the file afterwards. One that is refused is closed."""


def rejected(line: int, reason: str) -> CallerError:
    """Why a file is refused, and where."""
    return CallerError("file_rejected", f"line {line}: {reason}")


def write_day_file(day: date, rows: Iterable[DayRow]) -> Iterator[bytes]:
    """The file's lines, one after the other."""
    digest, count, total = hashlib.sha256(), 0, 0
    header = f"HEADER,{VERSION},{day.isoformat()}\n".encode()
    digest.update(header)
    yield header
    for row in rows:
        line = _line(row)
        digest.update(line)
        count += 1
        total += row.signed_minor
        yield line
    yield f"TRAILER,{count},{total},{digest.hexdigest()}\n".encode()


def open_day_file(spool: Spool) -> DayFile:
    """``DayFileReader`` of our own format."""
    try:
        day, count = _verify(spool)
    except BaseException:
        spool.close()
        raise
    return DayFile(spool, day=day, count=count, read=_rows)


def _verify(spool: Spool) -> tuple[date, int]:
    lines = spool.lines()
    number, header = next(lines, (1, b""))
    day = _day_of(header)
    digest, total = hashlib.sha256(header), 0
    for count, (number, line) in enumerate(lines):
        if line.startswith(b"TRAILER,"):
            expected = f"TRAILER,{count},{total},{digest.hexdigest()}\n"
            _check_trailer(number, line, expected.encode())
            if next(lines, None) is not None:
                raise rejected(number + 1, "something follows the trailer")
            return day, count
        total += _row(number, line).signed_minor
        if count == DAY_FILE_ROWS_MAX:
            raise rejected(number, f"more than {DAY_FILE_ROWS_MAX} rows")
        digest.update(line)
    raise rejected(number + 1, "the file ends without a trailer")


def _rows(spool: Spool) -> Iterator[DayRow]:
    for number, line in spool.lines():
        if number > 1 and not line.startswith(b"TRAILER,"):
            yield _row(number, line)


def _day_of(header: bytes) -> date:
    match _columns(1, header):
        case ["HEADER", version, day] if version == VERSION:
            return _date(1, day)
    raise rejected(1, f"not a header of version {VERSION}")


def _check_trailer(number: int, line: bytes, expected: bytes) -> None:
    if line == expected:
        return
    says = _columns(number, line)
    for name, said, found in zip(
        ("columns", "count", "sum", "checksum"),
        [len(says), *says[1:4]],
        [4, *expected.decode().rstrip("\n").split(",")[1:]],
        strict=False,
    ):
        if said != found:
            raise rejected(number, f"the trailer's {name}: {said}, and not {found}")
    raise rejected(number, "trailer")


def _row(number: int, line: bytes) -> DayRow:
    columns = _columns(number, line)
    if len(columns) != 8 or not columns[1] or not columns[3]:
        raise rejected(number, "columns")
    kind, reference, theirs, account, amount, currency, fee, day = columns
    match kind:
        case "topup" | "payment" | "refund" | "chargeback" | "payout":
            return DayRow(
                kind,
                reference,
                account,
                _money(number, amount, currency),
                theirs,
                _money(number, fee, currency, may_be_negative=True) if fee else None,
                _date(number, day) if day else None,
            )
    raise rejected(number, f"kind {kind[:20]!r}")


def _columns(number: int, line: bytes) -> list[str]:
    """A line's columns; the line must be whole."""
    if line[-1:] != b"\n":
        raise rejected(number, "the file ends within a line")
    try:
        text = line[:-1].decode("utf-8")
    except UnicodeDecodeError as error:
        raise rejected(number, f"not UTF-8 at byte {error.start + 1}") from None
    columns = text.split(",")
    if not text.isprintable() and not all(map(_FIELD, columns)):
        raise rejected(number, "a control character")
    return columns


def _money(number: int, text: str, currency: str, *, may_be_negative: bool = False) -> Money:
    """Decimal text with exactly its currency's number of decimals."""
    digits, found = MINOR_DIGITS.get(currency), _DECIMAL(text)
    if digits is None:
        raise rejected(number, f"currency {currency[:8]!r}")
    if found is None or len(found[3] or "") != digits or (found[1] and not may_be_negative):
        raise rejected(number, f"amount {text[:24]!r}")
    return Money(int(found[1] + found[2] + (found[3] or "")), currency)


def _date(number: int, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise rejected(number, f"date {text[:12]!r}")
    return day


def _line(row: DayRow) -> bytes:
    columns = (
        row.kind,
        row.reference,
        row.channel_reference,
        row.account,
        row.amount.decimal(),
        row.amount.currency,
        row.fee.decimal() if row.fee else "",
        row.settlement_date.isoformat() if row.settlement_date else "",
    )
    assert row.reference, "a row has a reference"
    assert row.account, "a row has an account"
    assert row.fee is None or row.fee.currency == row.amount.currency
    if not all(map(_FIELD, columns)):
        raise CallerError("field_invalid", "a day file's column holds a comma or a line's end")
    line = ",".join(columns).encode() + b"\n"
    assert len(line) <= DAY_FILE_LINE_BYTES_MAX
    return line
