"""To which of a channel's days a payment belongs: one pure function, for plans and for checks.

Rule 1: the settlement date follows from when the channel accepted, where its day ends, its rule and
        the calendar, and from nothing else: no clock, no queue and no order of arrival has a say.
Rule 2: what a channel says goes. A date that is not the function's is kept and marked, so that the
        reconciliation tells it from money that is missing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from backend.channels.days import channel_day
from backend.channels.model import ADVANCING_BANK, ALIPAY, CUP, CUP_QR, ECNY, FUND, NUCC
from backend.clearing.calendar import Calendar
from backend.clearing.limits import DAY_MINUTES
from backend.merchants.model import Cycle
from protocol.errors import CallerError

_SAME_DAY = "D+0"
_TEXT = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])(?: ([DT]\+[0-9]{1,2}))?").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """Where a channel's day ends, in minutes of China's day (1440: at midnight), and how long after
    its day it settles: ``D+n`` calendar days or ``T+n`` business days."""

    at_minutes: int = DAY_MINUTES
    rule: str = _SAME_DAY

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read ``23:00``, ``24:00`` or ``15:00 T+1``; ``config_invalid`` for anything else."""
        found = _TEXT(text)
        minutes = int(found[1]) * 60 + int(found[2]) if found else 0
        if found is None or not 0 < minutes <= DAY_MINUTES:
            raise CallerError("config_invalid", f"cut-off {text[:20]!r}: as 23:00 or 15:00 T+1")
        rule = found[3] or _SAME_DAY
        Cycle.from_text(rule)
        return cls(at_minutes=minutes, rule=rule)


CUT_OFFS = {
    CUP: CutOff(at_minutes=23 * 60),
    NUCC: CutOff(),
    ADVANCING_BANK: CutOff(at_minutes=17 * 60),
    FUND: CutOff(at_minutes=17 * 60),
    ECNY: CutOff(),
    ALIPAY: CutOff(),
    CUP_QR: CutOff(at_minutes=23 * 60),
}
"""Of the channels as we know them: UnionPay's day switches at 23:00, a fund and the bank that
advances for it end theirs at 17:00. The operator's ``cut_offs`` go above."""


def settlement_date(accepted_at_ms: int, cut_off: CutOff, calendar: Calendar) -> date:
    """The settlement date of what a channel accepted at a moment; the cut-off's own minute is the
    next day's. ``calendar_horizon`` where the rule counts days that nobody knows."""
    return calendar.settles_on(channel_day(accepted_at_ms, cut_off.at_minutes), cut_off.rule)


@dataclass(frozen=True, slots=True)
class SettlementDates:
    """The channels' cut-offs over one calendar."""

    calendar: Calendar
    cut_offs: dict[str, CutOff]

    def planned(self, channel_id: str, accepted_at_ms: int) -> str:
        """The date that a channel should give to what it accepts at a moment."""
        cut_off = self.cut_offs.get(channel_id, CutOff())
        return settlement_date(accepted_at_ms, cut_off, self.calendar).isoformat()


def settlement_dates(calendar: Calendar, configured: Mapping[str, str]) -> SettlementDates:
    """The known channels' cut-offs with the operator's above them."""
    texts = {name: CutOff.from_text(text) for name, text in configured.items()}
    return SettlementDates(calendar, CUT_OFFS | texts)
