"""A merchant's bill of one business day: what was paid, given back and charged, line by line.

UTF-8 CSV with a BOM (so that spreadsheets read the Chinese), amounts in yuan with two decimals, a
summary in the last line. The net of the summary is what the day's settlement makes available.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from protocol.money import Money

COLUMNS = ("时间 time", "类型 type", "付款单号 payment", "退款单号 refund", "金额 amount",
           "手续费 fee", "净额 net", "说明 description")  # fmt: skip
CHINA = timezone(timedelta(hours=8))
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One payment (positive amount) or refund (negative); the fee has the amount's sign."""

    at_ms: int
    kind: str
    payment_id: str
    refund_id: str
    amount_minor: int
    fee_minor: int
    description: str = ""

    @property
    def net_minor(self) -> int:
        """What the merchant keeps of it."""
        return self.amount_minor - self.fee_minor


def net_of(lines: Iterable[BillLine]) -> int:
    """What the merchant keeps of the day, in minor units."""
    return sum(line.net_minor for line in lines)


def write_bill(lines: Sequence[BillLine], *, currency: str) -> bytes:
    """The bill's bytes."""

    def yuan(minor: int) -> str:
        return Money(minor, currency).decimal()

    sink = io.StringIO(newline="")
    out = csv.writer(sink, lineterminator="\r\n")
    out.writerow(COLUMNS)
    for line in lines:
        amounts = (yuan(line.amount_minor), yuan(line.fee_minor), yuan(line.net_minor))
        out.writerow(
            (_time(line.at_ms), line.kind, line.payment_id, line.refund_id, *amounts,
             _text(line.description))
        )  # fmt: skip
    amount, fee = sum(line.amount_minor for line in lines), sum(line.fee_minor for line in lines)
    total = f"合计 total {len(lines)}"
    out.writerow((total, "", "", "", yuan(amount), yuan(fee), yuan(net_of(lines)), ""))
    return (_BOM + sink.getvalue()).encode()


def _time(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(CHINA)
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _text(text: str) -> str:
    """A description cannot become a formula in somebody's spreadsheet."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
