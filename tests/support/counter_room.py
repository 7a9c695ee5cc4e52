"""A till's counter without a program around it: staff, drawer, keypad."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import CallerError
from terminal.counter.drafts import Drafts
from terminal.counter.people import People
from terminal.counter.shifts import ShiftDesk
from terminal.counter.sign_in import SignIn
from terminal.counter.staffing import Staffing
from terminal.limits import IDLE_LOCK_MS
from tests.support.tills import hire_both
from tests.unit.terminal.fakes import Bench


class Room:
    """A bench with staff and a drawer."""

    def __init__(self, path: Path | None = None) -> None:
        self.bench = Bench(path)
        people = People(self.bench.journal.database, self.bench.clock)
        hire_both(people)
        self.staffing = Staffing(people, self.bench.entropy)
        self.sign_in = SignIn(people, self.staffing, self.bench.clock, lambda: IDLE_LOCK_MS)
        self.shifts = ShiftDesk(self.bench.journal, lambda: self.bench.profile, self.bench.clock)
        self.drafts = Drafts(self.bench.journal, self.bench.entropy)


def refused(work: Any) -> str:
    """The code with which this work, or what comes of awaiting it, is refused."""
    with pytest.raises(CallerError) as error:
        asyncio.run(work) if asyncio.iscoroutine(work) else work()
    return error.value.code


def cash_sale(room: Room, amount_minor: int, tendered_minor: int) -> int:
    """What is on the keypad is paid in cash, asked for twice; its number."""
    draft = room.drafts.current()
    sale, _ = room.shifts.sell(
        draft_id=draft.draft_id, amount_minor=amount_minor, tendered_minor=tendered_minor,
        note="", by_name="小李",
    )  # fmt: skip
    again, slip = room.shifts.sell(
        draft_id=draft.draft_id, amount_minor=amount_minor, tendered_minor=tendered_minor,
        note="", by_name="小李",
    )  # fmt: skip
    assert (again, slip) == (sale, None)
    return sale.movement_id
