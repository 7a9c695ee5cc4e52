"""Closing the day from the page: one close at a time, seen by all who look.

Rule 1: it does what ``tillway day close`` does, by the same words to the same programs.
Rule 2: what came of it, the day's own report says.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import OperatingError
from protocol.money import Money
from tillway.demo.day_close import Clocks, Report, close_day

_CURRENCY = "CNY"


@dataclass(frozen=True, slots=True)
class Closed:
    """What came of one day, for people."""

    day: str
    is_closed: bool
    paid_out: str
    fees: str
    matched: int
    breaks: int
    reserve_passed: bool


@dataclass(slots=True)
class Evening:
    """Where a close is, and what came of the last one."""

    clocks: Clocks
    at: dict[str, Any] | None = None
    """The backend's progress, while a close runs."""
    closed: tuple[Closed, ...] = ()
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """Let the night pass and close what is open; ``busy`` while somebody else does."""
        if not self._turn.acquire(blocking=False):
            raise OperatingError("busy", "a day is being closed")
        try:
            self.closed = tuple(closed_of(report) for report in close_day(self.clocks, self._note))
        finally:
            self.at = None
            self._turn.release()

    def _note(self, found: dict[str, Any]) -> None:
        self.at = found


def closed_of(report: Report) -> Closed:
    """A day's report in a line."""
    paid = [row["amount_minor"] for row in report["payouts"] if row["state"] == "confirmed"]
    return Closed(
        day=report["day"],
        is_closed=report["state"] == "closed",
        paid_out=Money(sum(paid), _CURRENCY).decimal(),
        fees=Money(report["swept_minor"], _CURRENCY).decimal(),
        matched=report["reconciliation"]["matched"],
        breaks=report["reconciliation"]["breaks"],
        reserve_passed=report["reserve_test"]["passed"],
    )
