"""The runs of one board's control API: begun, looked at, stopped, reported.

Rule 1: so many run at once and so many are kept, the newest; one that runs is never dropped.
Rule 2: a run has a board of its own; the board beside it is not touched.
"""

import threading
from collections.abc import Callable

import structlog

from firmware_sim.limits import RUNS_AT_ONCE_MAX, RUNS_KEPT_MAX
from firmware_sim.recording.recorder import Keep, Recorder
from firmware_sim.reports.report import Case, Report, Verdict
from firmware_sim.runs.model import RunTold, Sort
from firmware_sim.runs.run import Run, RunStoppedError
from firmware_sim.runs.shelf import count_steps
from firmware_sim.scenario.form import Scenario
from firmware_sim.scenario.running import run_scenario
from protocol.errors import CallerError, TillwayError

log = structlog.get_logger()
_SORTS_ZH = {Sort.SCENARIO: "场景", Sort.REPLAY: "回放"}


class Runs:
    """All runs, by number."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}
        self._last = 0

    def told(self) -> list[RunTold]:
        """All of them, the newest first."""
        return [run.told() for run in reversed(list(self._runs.values()))]

    def run(self, number: int) -> Run:
        """A run; raises ``CallerError`` for one that is not there (any more)."""
        if number not in self._runs:
            raise CallerError(
                "field_invalid",
                f"there is no run {number} (any more)",
                detail_zh=f"没有第 {number} 次运行（或已不再保留）",
            )
        return self._runs[number]

    def begin_scenario(
        self, scenario: Scenario, *, name: str, source: str, seed: int | None, is_stepwise: bool
    ) -> Run:
        """Run a scenario; raises ``CallerError("busy")`` while too many run."""
        run = Run(
            self._number(), Sort.SCENARIO, scenario.name, title_zh=scenario.name_zh, name=name,
            source=source,
            seed=scenario.seed if seed is None else seed, steps=count_steps(scenario.steps),
            is_stepwise=is_stepwise,
        )  # fmt: skip

        def keep(_: Recorder) -> Keep:
            return run.hear

        def do() -> None:
            result = run_scenario(
                scenario, seed=run.seed, keep=keep, before_step=run.before_step, with_pictures=True
            )
            case = result.case(name or "scenario", f"{name or 'scenario'}.yaml")
            run.end(case, line=result.line, took_ms=result.took_ms)

        self._start(run, do)
        return run

    def begin_replay(self, trace: str, title: str, play: Callable[[Run], Case]) -> Run:
        """Run a replay of a trace; raises ``CallerError("busy")`` while too many run."""
        run = Run(self._number(), Sort.REPLAY, title, name=trace)

        def do() -> None:
            case = play(run)
            run.end(None if run.is_stopped else case, took_ms=round(case.seconds * 1000))

        self._start(run, do)
        return run

    def report(self, number: int) -> Report:
        """The report of a run that has ended with a verdict; raises ``CallerError``."""
        told = self.run(number).told()
        if told.case is None:
            raise CallerError(
                "field_invalid",
                f"run {number} has no verdict: it {told.state}",
                detail_zh=f"第 {number} 次运行还没有结论：{told.state}",
            )
        facts = {"seed": str(told.seed)} if told.sort is Sort.SCENARIO else {}
        title_zh = f"{_SORTS_ZH[told.sort]} {told.title_zh}"
        return Report(f"{told.sort} {told.title}", (told.case,), facts, title_zh=title_zh)

    def stop_all(self) -> None:
        """The board ends: let every run end before its next step."""
        for run in self._runs.values():
            run.stop()

    def _number(self) -> int:
        """The number of a run that may begin now."""
        if sum(not run.has_ended for run in self._runs.values()) >= RUNS_AT_ONCE_MAX:
            raise CallerError(
                "busy",
                f"at most {RUNS_AT_ONCE_MAX} runs at once",
                detail_zh=f"最多同时运行 {RUNS_AT_ONCE_MAX} 个",
            )
        self._last += 1
        return self._last

    def _start(self, run: Run, do: Callable[[], None]) -> None:
        """In a thread that dies with the program: a run under way keeps no board from ending."""
        self._runs[run.number] = run
        for number in [one.number for one in self._runs.values() if one.has_ended]:
            if len(self._runs) > RUNS_KEPT_MAX:
                del self._runs[number]
        threading.Thread(
            target=_guarded, args=(run, do), name=f"run-{run.number}", daemon=True
        ).start()


def _guarded(run: Run, do: Callable[[], None]) -> None:
    try:
        do()
    except RunStoppedError:
        run.end(None)
    except TillwayError as error:
        run.end(_broken(run, error.detail or error.advice.en, error.detail_zh or error.advice.zh))
    except Exception as error:  # the page must say that it broke, whatever it was
        log.exception("sim_run_broken", run=run.number)
        what = f"{type(error).__name__}: {error}"
        run.end(_broken(run, what, f"程序出错：{what}"))


def _broken(run: Run, why: str, why_zh: str) -> Case:
    title_zh = run.told().title_zh
    return Case(
        f"run-{run.number}", run.title, Verdict.ERROR, why, reason_zh=why_zh, title_zh=title_zh
    )
