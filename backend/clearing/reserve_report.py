"""The regulator's report of the reserve on one day, as CSV. Pure.

UTF-8 with a BOM, CRLF, amounts in yuan with two decimals. Columns:

    项目 item      what the line is: opening, movement, closing, liability, in_transit, short, test
    类别 kind      of a movement the posting rule, of a liability the account's code in the chart
    收入 in        what came into the reserve account
    支出 out       what left it
    余额 balance   of the line; of a movement empty

Rule: opening and closing are the reserve bank's own; movements, liabilities and what is in transit
      are our books' at the end of that day. ``opening + Σ in − Σ out = closing``, or ``test`` says
      failed. The last line is the day's signed test: ``passed``, ``failed`` or ``none``.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.money import Money

COLUMNS = ("项目 item", "类别 kind", "收入 in", "支出 out", "余额 balance")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved the reserve by one rule."""

    rule: str
    in_minor: int
    out_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveDay:
    """What the report says of a day."""

    currency: str
    opening_minor: int
    movements: Sequence[Movement]
    closing_minor: int
    liabilities_minor: Mapping[str, int]
    in_transit_minor: int
    short_minor: int
    verdict: str
    """Of the day's newest signed test; ``none`` before there is one."""

    @property
    def is_whole(self) -> bool:
        """Whether our movements lead from the bank's opening balance to its closing balance."""
        moved = sum(one.in_minor - one.out_minor for one in self.movements)
        return self.opening_minor + moved == self.closing_minor


def write_reserve_report(day: ReserveDay) -> bytes:
    """The report's bytes."""

    def yuan(minor: int) -> str:
        return Money(minor, day.currency).decimal()

    sink = io.StringIO(newline="")
    out = csv.writer(sink, lineterminator="\r\n")
    out.writerow(COLUMNS)
    out.writerow(("opening", "", "", "", yuan(day.opening_minor)))
    for one in day.movements:
        out.writerow(("movement", one.rule, yuan(one.in_minor), yuan(one.out_minor), ""))
    out.writerow(("closing", "", "", "", yuan(day.closing_minor)))
    for code, minor in sorted(day.liabilities_minor.items()):
        out.writerow(("liability", code, "", "", yuan(minor)))
    total = sum(day.liabilities_minor.values())
    out.writerow(("liability", "合计 total", "", "", yuan(total)))
    out.writerow(("in_transit", "", "", "", yuan(day.in_transit_minor)))
    out.writerow(("short", "", "", "", yuan(day.short_minor)))
    out.writerow(("test", day.verdict if day.is_whole else "failed", "", "", ""))
    return (_BOM + sink.getvalue()).encode()
