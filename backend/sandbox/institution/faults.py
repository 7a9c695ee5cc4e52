"""The switches that make an institution misbehave, each for a number of coming requests.

The switches of ``COMMON`` mean the same at every institution; each may have more of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from backend.channels.day_file import DayRow
from backend.sandbox.institution.limits import FAULTS_PER_SWITCH_MAX
from protocol.errors import CallerError
from protocol.money import Money

_Row = TypeVar("_Row")
COMMON = (
    "drop_answer_after_commit",
    "duplicate",
    "arrive_late",
    "delay_past_cutoff",
    "amount_off_by_one",
    "row_missing",
    "row_twice",
    "bad_signature",
    "unknown_status",
    "be_slow",
    "be_down",
)


class Faults:
    """How often each fault is still due."""

    def __init__(self, own: Iterable[str] = ()) -> None:
        self._left = dict.fromkeys((*COMMON, *own), 0)

    def arm(self, counts: Mapping[str, int]) -> None:
        """Set the named switches, all or none of them; the others stay as they are."""
        for name, count in counts.items():
            if name not in self._left or not 0 <= count <= FAULTS_PER_SWITCH_MAX:
                raise CallerError("field_invalid", f"fault {name[:40]}")
        self._left.update(counts)

    def strikes(self, name: str) -> bool:
        """Whether the fault is due now; counts down if so."""
        left = self._left[name]
        if left:
            self._left[name] = left - 1
        return left > 0

    def as_dict(self) -> dict[str, int]:
        """The counts, by name."""
        return dict(self._left)


def spoil(faults: Faults, rows: Sequence[_Row], one_more: Callable[[_Row], _Row]) -> list[_Row]:
    """A day's rows with the faults of files that are due; an empty day waits for a fuller one.
    ``one_more`` is a row whose amount is off by one."""
    spoilt = list(rows)
    if spoilt and faults.strikes("amount_off_by_one"):
        spoilt[0] = one_more(spoilt[0])
    if spoilt and faults.strikes("row_missing"):
        del spoilt[-1]
    if spoilt and faults.strikes("row_twice"):
        spoilt.append(spoilt[0])
    return spoilt


def spoil_rows(faults: Faults, rows: Sequence[DayRow]) -> list[DayRow]:
    """``spoil`` for the rows of our own format."""
    return spoil(faults, rows, _one_more)


def _one_more(row: DayRow) -> DayRow:
    return replace(row, amount=Money(row.amount.amount_minor + 1, row.amount.currency))
