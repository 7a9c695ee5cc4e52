"""Keeping what a reconciliation found: a run of a day and its breaks, never changed afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.reconciliation.breaks import Break
from backend.reconciliation.limits import BREAKS_KEPT_MAX
from backend.reconciliation.tables import BREAK, DAY, RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRun:
    """Store a run and its breaks; returns the run's number."""

    business_date: str
    booked_on: str
    matched: int
    breaks: tuple[Break, ...]

    def reads(self) -> Iterable[Read]:
        return [(DAY, self.business_date)]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        known = ws.get(DAY, self.business_date)
        number = 1 if known is None else known["runs"] + 1
        if known is None:
            ws.insert(DAY, {"business_date": self.business_date, "runs": 1})
        else:
            ws.update(DAY, self.business_date, runs=number)
        ws.insert(
            RUN,
            {
                "business_date": self.business_date,
                "run": number,
                "booked_on": self.booked_on,
                "matched": self.matched,
                "breaks": len(self.breaks),
                "at_ms": now_ms,
            },
        )
        for index, found in enumerate(self.breaks[:BREAKS_KEPT_MAX], start=1):
            ws.insert(
                BREAK,
                {
                    "business_date": self.business_date,
                    "run": number,
                    "number": index,
                    "kind": found.kind.value,
                    "source": found.source,
                    "reference": found.reference,
                    "ours_minor": found.ours_minor,
                    "theirs_minor": found.theirs_minor,
                },
            )
        return number
