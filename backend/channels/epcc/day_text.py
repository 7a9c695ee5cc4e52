"""The clearing house's list of a member's day: UTF-8 text, LF line ends, columns split by ``|``.

    H|1|<member>|<yyyymmdd>
    D|<kind>|<our id>|<TrxId>|<agreement, account or order>|CNY1.00|CNY0.00|<yyyymmdd>
    T|<rows>|<sum received>|<sum paid>|<SHA-256 of all bytes before, in hexadecimal>
    {S:<the clearing house's signature over the trailer's line, without its end>}

Columns of a row: amount, the clearing house's fee on it, its settlement date. The trailer proves
the rows and the signature the trailer, so that neither end holds more than a line. Wrong anywhere:
refused whole, with the line. A case's id is its dispute's (`ids.dispute_id`).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast, get_args

from backend.channels.epcc import codec, frame, ids
from backend.channels.epcc.limits import DAY_LINE_BYTES_MAX
from protocol.clock import CHINA
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.money import Money

VERSION = "1"
Kind = Literal["payment", "topup", "refund", "chargeback", "payout"]
RECEIVED: frozenset[str] = frozenset({"payment", "topup"})
_KINDS = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """One movement that succeeded."""

    kind: Kind
    own_id: str
    trx_id: str
    account: str
    amount: Money
    fee: Money
    settlement_day: date


def write(day: date, issuer: str, rows: Iterable[DayLine], *, key: SigningKey) -> Iterator[bytes]:
    """The text's lines, one after the other."""
    digest, tally = hashlib.sha256(), _Tally()
    header = f"H|{VERSION}|{issuer}|{day:%Y%m%d}\n".encode()
    digest.update(header)
    yield header
    for row in rows:
        line = _line(row)
        digest.update(line)
        tally.add(row)
        yield line
    trailer = tally.trailer(digest.hexdigest())
    yield trailer + b"\n"
    yield frame.signature_line(key, trailer) + b"\n"


def check(lines: Iterable[bytes], *, day: date, issuer: str, key: VerifyKey) -> int:
    """Verify a text whole, and say how many rows it has."""
    numbered = enumerate(lines, start=1)
    number, header = next(numbered, (1, b""))
    if header != f"H|{VERSION}|{issuer}|{day:%Y%m%d}\n".encode():
        raise rejected(1, "another version, member or day")
    digest, tally = hashlib.sha256(header), _Tally()
    for number, line in numbered:
        if not line.startswith(b"T|"):
            tally.add(_row(number, line))
            digest.update(line)
            continue
        trailer = tally.trailer(digest.hexdigest())
        if line != trailer + b"\n":
            raise rejected(number, "the trailer's count, sums or checksum")
        _, signature = next(numbered, (0, b""))
        if not signature.startswith(b"{S:") or not signature.endswith(b"}\n"):
            raise rejected(number + 1, "no signature")
        frame.check_line(key, signature[:-1], trailer)
        if next(numbered, None) is not None:
            raise rejected(number + 2, "something follows the signature")
        return tally.count
    raise rejected(number + 1, "the file ends without a trailer")


def rows(lines: Iterable[bytes]) -> Iterator[DayLine]:
    """The rows of a text that was checked."""
    for number, line in enumerate(lines, start=1):
        if line.startswith(b"D|"):
            yield _row(number, line)


def rejected(line: int, reason: str) -> CallerError:
    """Why a text is refused, and where."""
    return CallerError("file_rejected", f"line {line}: {reason}")


@dataclass(slots=True)
class _Tally:
    count: int = 0
    received_minor: int = 0
    paid_minor: int = 0

    def add(self, row: DayLine) -> None:
        self.count += 1
        if row.kind in RECEIVED:
            self.received_minor += row.amount.amount_minor
        else:
            self.paid_minor += row.amount.amount_minor

    def trailer(self, digest: str) -> bytes:
        return f"T|{self.count}|{self.received_minor}|{self.paid_minor}|{digest}".encode()


def _line(row: DayLine) -> bytes:
    columns = (
        "D", row.kind, row.own_id, row.trx_id, row.account, codec.write_amount(row.amount),
        codec.write_amount(row.fee), f"{row.settlement_day:%Y%m%d}",
    )  # fmt: skip
    assert not any("|" in column or not column.isprintable() for column in columns)
    return "|".join(columns).encode() + b"\n"


def _row(number: int, line: bytes) -> DayLine:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise rejected(number, "not UTF-8") from None
    if len(line) > DAY_LINE_BYTES_MAX or not text.endswith("\n") or not text[:-1].isprintable():
        raise rejected(number, "too long, no line end, or a control character")
    match text[:-1].split("|"):
        case ["D", kind, str(own_id), trx_id, str(account), amount, fee, day] if (
            kind in _KINDS and own_id and account
        ):
            where = f"line {number}"
            return DayLine(
                kind=cast(Kind, kind),
                own_id=own_id,
                trx_id=_trx_id(number, trx_id),
                account=account,
                amount=_positive(number, codec.read_amount(amount, where)),
                fee=codec.read_amount(fee, where),
                settlement_day=_day(number, day),
            )
    raise rejected(number, "columns")


def _trx_id(number: int, text: str) -> str:
    try:
        return ids.check_trx_id(text)
    except CallerError:
        raise rejected(number, "TrxId") from None


def _positive(number: int, amount: Money) -> Money:
    if amount.amount_minor <= 0:
        raise rejected(number, "an amount that is not above zero")
    return amount


def _day(number: int, text: str) -> date:
    try:
        found = datetime.strptime(text, "%Y%m%d").replace(tzinfo=CHINA).date()
    except ValueError:
        raise rejected(number, "a date") from None
    if f"{found:%Y%m%d}" != text:
        raise rejected(number, "a date")
    return found
