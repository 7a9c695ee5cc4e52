"""One run: the thread that does it tells how far it is, everybody else looks on and may stop it.

Rule 1: every field is read and written under the one lock. Rule 2: a run that waits for a person
waits a named time at most, and a run lasts a named time at most.
"""

import threading
import time
from collections import deque

from firmware_sim.limits import (
    RUN_EVENTS_KEPT_MAX,
    RUN_LASTS_S_MAX,
    RUN_WAITS_S_MAX,
)
from firmware_sim.recording.trace import Event
from firmware_sim.reports.report import Case, Verdict
from firmware_sim.runs.model import ENDED, TRANSITIONS, RunState, RunTold, Sort, Turn
from protocol.errors import CallerError


class RunStoppedError(Exception):
    """Somebody has stopped the run, or nobody came."""


class Run:
    """The state of one run."""

    def __init__(
        self,
        number: int,
        sort: Sort,
        title: str,
        *,
        title_zh: str = "",
        name: str = "",
        seed: int = 0,
        source: str = "",
        steps: int = 0,
        is_stepwise: bool = False,
    ) -> None:
        self.number, self.sort, self.title, self.seed = number, sort, title, seed
        self._title_zh, self._name = title_zh or title, name
        self._source, self._steps = source, steps
        self._changed = threading.Condition()
        self._state, self._revision = RunState.RUNNING, 0
        self._is_stepwise, self._allowed = is_stepwise, 0
        self._is_stopped = False
        self._line = self._done = self._now_ms = 0
        self._said = self._said_zh = ""
        self._events: deque[Event] = deque(maxlen=RUN_EVENTS_KEPT_MAX)
        self._case: Case | None = None
        self._until_s = time.monotonic() + RUN_LASTS_S_MAX

    def told(self) -> RunTold:
        """How it stands."""
        with self._changed:
            return RunTold(
                self.number, self.sort, self._name, self.title, self._title_zh, self.seed,
                self._state, self._revision,
                self._is_stepwise, self._source, self._line, self._done, self._steps,
                self._now_ms, self._said, self._said_zh, tuple(self._events), self._case,
            )  # fmt: skip

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will change."""
        return self.told().has_ended

    @property
    def is_stopped(self) -> bool:
        """Whether somebody wants it to end."""
        with self._changed:
            return self._is_stopped or time.monotonic() > self._until_s

    def step(self, count: int) -> None:
        """Let so many more steps happen; raises ``CallerError`` where it does not wait for them."""
        with self._changed:
            if not self._is_stepwise or self._state in ENDED:
                raise CallerError(
                    "field_invalid",
                    "this run does not wait for steps",
                    detail_zh="这次运行不等下一步",
                )
            self._allowed += count
            self._changed.notify_all()

    def go_on(self) -> None:
        """Let all the steps that are left happen."""
        with self._changed:
            self._is_stepwise = False
            self._changed.notify_all()

    def stop(self) -> None:
        """Let it end before its next step."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def before_step(self, line: int, now_ms: int) -> None:
        """The thread is about to take a step: it waits here for a person if the run is stepwise.
        Raises ``RunStoppedError``."""
        with self._changed:
            self._line, self._now_ms = line, now_ms
            self._tell()
            if self._is_stepwise and not self._allowed:
                self._move(Turn.HELD)
                self._wait()
                if not self._is_stopped:
                    self._move(Turn.LET_GO)
            if self._is_stopped or time.monotonic() > self._until_s:
                raise RunStoppedError
            self._allowed = max(0, self._allowed - 1)
            self._done += 1

    def hear(self, event: Event) -> None:
        """Something was said or done."""
        with self._changed:
            self._events.append(event)
            self._tell()

    def say(self, words: str, words_zh: str) -> None:
        """Tell those who look on, such as which port is played."""
        with self._changed:
            self._said, self._said_zh = words, words_zh
            self._tell()

    def end(self, case: Case | None, *, line: int = 0, took_ms: int | None = None) -> None:
        """It is over; without a case somebody has stopped it."""
        with self._changed:
            self._case, self._line = case, line or self._line
            self._now_ms = self._now_ms if took_ms is None else took_ms
            self._move(Turn.STOPPED if case is None else _ENDS[case.verdict])

    def _wait(self) -> None:
        until_s = time.monotonic() + RUN_WAITS_S_MAX
        while self._is_stepwise and not self._allowed and not self._is_stopped:
            if not self._changed.wait(max(0.0, until_s - time.monotonic())):
                self._is_stopped = True

    def _move(self, turn: Turn) -> None:
        self._state = TRANSITIONS[self._state, turn]
        self._tell()

    def _tell(self) -> None:
        self._revision += 1


_ENDS = {
    Verdict.PASSED: Turn.HAS_HELD,
    Verdict.FAILED: Turn.HAS_NOT_HELD,
    Verdict.ERROR: Turn.BROKE,
}
