"""A channel's file of a business day: one row a movement, and a trailer that proves it whole.

UTF-8 CSV, LF line ends: ``HEADER,3,<day>``, rows ``<kind>,<id>,<account>,<amount>,<currency>``, and
``TRAILER,<count>,<sum>,<sha256 of all lines before>``; refunds, chargebacks and
payouts count against the sum. Wrong anywhere: refused whole. A chargeback's id is our dispute's.
"""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from backend.channels.iso20022 import parse_amount
from protocol.errors import CallerError
from protocol.money import Money

VERSION = "3"
RowKind = Literal["topup", "payment", "refund", "chargeback", "payout"]
_TAKEN_BACK = ("refund", "chargeback", "payout")


@dataclass(frozen=True, slots=True)
class DayRow:
    """One movement that succeeded, as the channel has it."""

    kind: RowKind
    reference: str
    account: str
    amount: Money

    @property
    def signed_minor(self) -> int:
        """What it adds to the channel's debt to us."""
        amount_minor = self.amount.amount_minor
        return -amount_minor if self.kind in _TAKEN_BACK else amount_minor


@dataclass(frozen=True, slots=True)
class DayFile:
    """All that succeeded on one business day."""

    day: date
    rows: tuple[DayRow, ...]


def write_day_file(file: DayFile) -> bytes:
    """The file's bytes."""
    lines = [["HEADER", VERSION, file.day.isoformat()]]
    lines += [
        [row.kind, row.reference, row.account, row.amount.decimal(), row.amount.currency]
        for row in file.rows
    ]
    body = _lines(lines)
    total = sum(row.signed_minor for row in file.rows)
    trailer = ["TRAILER", str(len(file.rows)), str(total), hashlib.sha256(body).hexdigest()]
    return body + _lines([trailer])


def read_day_file(data: bytes) -> DayFile:
    """The file, every line and the trailer checked; ``file_rejected`` names line and reason."""
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except UnicodeDecodeError:
        raise CallerError("file_rejected", "not UTF-8") from None
    except csv.Error as error:
        raise CallerError("file_rejected", f"not CSV: {error}") from None
    match lines:
        case [["HEADER", version, day], *rows, ["TRAILER", count, total, digest]]:
            parsed = tuple(_row(number, row) for number, row in enumerate(rows, start=2))
        case _:
            raise CallerError("file_rejected", "header or trailer")
    body = data[: data.rindex(b"TRAILER,")]
    if version != VERSION or hashlib.sha256(body).hexdigest() != digest:
        raise CallerError("file_rejected", "version or checksum")
    summed = sum(row.signed_minor for row in parsed)
    if count != str(len(parsed)) or total != str(summed):
        raise CallerError("file_rejected", "the trailer's count or sum")
    try:
        return DayFile(date.fromisoformat(day), parsed)
    except ValueError:
        raise CallerError("file_rejected", "the header's day") from None


def _row(number: int, row: list[str]) -> DayRow:
    match row:
        case [
            ("topup" | "payment" | "refund" | "chargeback" | "payout") as kind,
            str(reference),
            account,
            amount,
            currency,
        ]:
            if reference and account:
                money = parse_amount(amount, currency, place=f"line {number}")
                return DayRow(kind, reference, account, money)
    raise CallerError("file_rejected", f"line {number}: columns")


def _lines(rows: Iterable[list[str]]) -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator="\n").writerows(rows)
    return sink.getvalue().encode()
