"""What is seen in each step of a run, for its report: the first and the last steps, within each the
first and the last rows."""

from collections import deque

from faces.words import Words
from firmware_sim.frames import Side
from firmware_sim.limits import REPORT_STEP_FRAMES_MAX, REPORT_STEPS_MAX
from firmware_sim.reports.seen import Row, Seen

_STEPS_ENDS, _FRAMES_ENDS = REPORT_STEPS_MAX // 2, REPORT_STEP_FRAMES_MAX // 2


class _Step:
    """One step under way."""

    def __init__(self, title: Words) -> None:
        self._title, self._count = title, 0
        self._first: list[Row] = []
        self._last: deque[Row] = deque(maxlen=_FRAMES_ENDS)

    def hear(self, row: Row) -> None:
        self._count += 1
        rows = self._first if len(self._first) < _FRAMES_ENDS else self._last
        rows.append(row)

    def told(self) -> Seen:
        rows = (*self._first, *self._last)
        return Seen(rows, self._count - len(rows), len(self._first), self._title.en, self._title.zh)


class StepsSeen:
    """All steps of one run, as they come."""

    def __init__(self) -> None:
        self._first: list[_Step] = []
        self._last: deque[_Step] = deque(maxlen=_STEPS_ENDS)
        self._now: _Step | None = None
        self._count = 0

    def begin(self, title: Words) -> None:
        """A step begins."""
        self._count += 1
        self._now = _Step(title)
        steps = self._first if len(self._first) < _STEPS_ENDS else self._last
        steps.append(self._now)

    def hear(self, row: Row) -> None:
        """Something is said or done; before the first step it belongs to none."""
        if self._now is not None:
            self._now.hear(row)

    def told(self) -> tuple[Seen, ...]:
        """The steps that are kept, in their order."""
        left_out = self._count - len(self._first) - len(self._last)
        more, more_zh = f"{left_out} more steps", f"中间还有 {left_out} 步"
        gap = (Seen((), title=more, title_zh=more_zh),) if left_out else ()
        first, last = (tuple(step.told() for step in one) for one in (self._first, self._last))
        return (*first, *gap, *last)


class TurnsSeen:
    """All that is said and done on one line, as it comes: each word of the host begins a step."""

    def __init__(self) -> None:
        self._steps = StepsSeen()
        self._steps.begin(Words("主机开口之前", "before the host speaks"))

    def hear(self, row: Row) -> None:
        """Something is said or done."""
        if row.side == Side.HOST:
            self._steps.begin(Words(f"主机说 {row.name}", f"host says {row.name}"))
        self._steps.hear(row)

    def told(self) -> tuple[Seen, ...]:
        """The steps that are kept, in their order; not the first if nothing was in it."""
        steps = self._steps.told()
        return steps if steps[0].rows else steps[1:]
