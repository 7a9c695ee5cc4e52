"""Runs a scenario on a board: in virtual time on lines in memory, or in real time on ptys.

Rule 1: the same file and the same seed give the same run in virtual time, to the millisecond.
Rule 2: a step that does not hold ends the run; the failure names the line, the seed and the last
frames. Rule 3: in real time the scenario is not the host: it can hear the lines, not speak.
"""

import asyncio
import contextlib
import os
import random
import signal
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from faces.words import Words
from firmware_sim.board import Board, Pictures
from firmware_sim.board_file import load_board
from firmware_sim.clock import SteadyClock
from firmware_sim.frames import Side, masked_numbers
from firmware_sim.hosting import in_memory
from firmware_sim.limits import DRIVER_END_S, SCENARIO_FRAMES_KEPT_MAX, STATE_POLL_MS
from firmware_sim.recording.recorder import Keep, Recorder
from firmware_sim.recording.trace import Event, Said
from firmware_sim.reports.seen import row_at
from firmware_sim.reports.steps import StepsSeen
from firmware_sim.scenario.comparing import is_as_said, is_so_masked
from firmware_sim.scenario.form import Scenario
from firmware_sim.scenario.result import Result
from firmware_sim.scenario.steps import (
    Check,
    CutPower,
    Do,
    Expect,
    ExpectSilence,
    FaultStep,
    GivePower,
    Heal,
    PlacedStep,
    Plug,
    Repeat,
    Send,
    Step,
    Unplug,
    Until,
    Wait,
    title_of,
    words_of,
)
from firmware_sim.transports.memory import MemoryLine
from firmware_sim.virtual_time import VirtualLoop
from protocol.errors import OperatingError, TillwayError

BeforeStep = Callable[[int, int], None]
"""Is told the line of a step and the time, in milliseconds, before the step is taken."""


class _StepFailedError(Exception):
    """A step did not hold; why, in English and in Chinese."""

    def __init__(self, why: str, why_zh: str) -> None:
        super().__init__(why)
        self.why_zh = why_zh


@dataclass(frozen=True, slots=True)
class _Failure:
    """Where a run ended before its end, and why."""

    line: int = 0
    why: str = ""
    why_zh: str = ""


def run_scenario(
    scenario: Scenario,
    *,
    seed: int | None = None,
    keep: Callable[[Recorder], Keep] | None = None,
    before_step: BeforeStep | None = None,
    with_pictures: bool = False,
) -> Result:
    """Run it; ``keep`` gets the recorder before the first step and may keep what is said.
    ``before_step`` is told of every step; it may take its time where time is virtual, and ends the
    run by an error of its own. A run that fails has pictures of its devices, any other only if they
    are wanted."""
    chosen = scenario if seed is None else replace(scenario, seed=seed)
    with tempfile.TemporaryDirectory(prefix="tillway-sim-") as folder:
        loop = VirtualLoop() if chosen.is_virtual else asyncio.new_event_loop()
        now_ms = loop.now_ms if isinstance(loop, VirtualLoop) else SteadyClock().now_ms
        try:
            run = _Run(chosen, Path(folder), now_ms, keep, before_step)
            return loop.run_until_complete(run.result(with_pictures=with_pictures))
        finally:
            loop.close()


class _Run:
    """One run under way."""

    def __init__(
        self,
        scenario: Scenario,
        state_dir: Path,
        now_ms: Callable[[], int],
        keep: Callable[[Recorder], Keep] | None,
        before_step: BeforeStep | None,
    ) -> None:
        file = load_board(scenario.board)
        self._scenario = scenario
        self._now_ms = now_ms
        self._before_step = before_step or (lambda _line, _now_ms: None)
        self._board = Board(
            in_memory(file) if scenario.is_virtual else file,
            state_dir=state_dir, now_ms=now_ms, seed=scenario.seed,
        )  # fmt: skip
        self._recorder = Recorder(self._board, now_ms, self._hear)
        self._seen = StepsSeen()
        self._recorder.also(lambda event: self._seen.hear(row_at(event)))
        if keep is not None:
            self._recorder.also(keep(self._recorder))
        self._heard: dict[str, deque[Said]] = defaultdict(
            lambda: deque(maxlen=SCENARIO_FRAMES_KEPT_MAX)
        )
        self._news = asyncio.Event()
        self._chance = random.Random(scenario.seed)  # noqa: S311 - repeatable on purpose
        self._steps = 0

    async def result(self, *, with_pictures: bool) -> Result:
        """Run every step."""
        began_ms = self._now_ms()
        failure = _Failure()
        driver: asyncio.subprocess.Process | None = None
        try:
            await self._board.start()
            driver = await self._start_driver()
            failure = await self._run_all(self._scenario.steps)
            if not failure.why and driver is not None:
                failure = await self._driver_end(driver)
        finally:
            if driver is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(driver.pid, signal.SIGKILL)  # and all it has started
                await driver.wait()
            self._recorder.end()
            pictures = self._pictures() if failure.why or with_pictures else ()
            await self._board.stop()
        return Result(
            self._scenario, self._scenario.seed, not failure.why, self._steps,
            self._now_ms() - began_ms, failure.line, failure.why, failure.why_zh,
            tuple(self._recorder.recent), pictures, self._seen.told(),
        )  # fmt: skip

    async def _run_all(self, steps: Sequence[PlacedStep]) -> _Failure:
        for placed in steps:
            if isinstance(placed.step, Repeat):
                for _ in range(placed.step.repeat):
                    failure = await self._run_all(placed.inner)
                    if failure.why:
                        return failure
                continue
            self._before_step(placed.line, self._now_ms())
            self._seen.begin(_placed(placed))
            try:
                self._steps += 1
                await self._take(placed.step)
            except TillwayError as error:
                return _Failure(placed.line, error.detail, error.detail_zh)
            except _StepFailedError as error:
                return _Failure(placed.line, str(error), error.why_zh)
            except ConnectionError as error:
                return _Failure(placed.line, str(error), "线路已断开")
        return _Failure()

    async def _take(self, step: Step) -> None:
        match step:
            case Wait(wait=(low, high)):
                await asyncio.sleep(self._chance.randint(low, high) / 1000)
            case Send():
                self._line(step.send).client_send(step.data)
            case Expect():
                await self._expect(step)
            case ExpectSilence():
                await self._expect_silence(step)
            case Until():
                await self._until(step)
            case Check():
                self._check(step.check, step.state)
            case _:
                self._touch(step)

    def _touch(self, step: Step) -> None:
        """The steps that take no time."""
        board = self._board
        match step:
            case Do():
                device, _, act = step.do.partition(".")
                board.do(device, act, **words_of(step))
            case FaultStep():
                board.add_fault(step.fault, step.wanted(self._scenario.seed).to_fault())
            case Heal():
                board.set_faults(step.heal, ())
            case CutPower():
                board.power(step.cut_power, on=False)
            case GivePower():
                board.power(step.give_power, on=True)
            case Unplug():
                board.unplug(step.unplug)
            case Plug():
                board.plug(step.plug)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Said):
            self._heard[event.device].append(event)
            self._news.set()

    async def _expect(self, step: Expect) -> None:
        """The next frames of that side, up to one that is so; those before are passed over."""
        passed: list[str] = []
        until_ms = self._now_ms() + step.within
        while True:
            while self._heard[step.expect]:
                frame = self._heard[step.expect].popleft()
                if frame.side is step.side and _is_so(frame, step):
                    return
                if frame.side is step.side:
                    passed.append(_passed(frame, step))
            if not await self._wait_news(until_ms):
                came = f"came {', '.join(passed)}" if passed else "nothing came"
                came_zh = f"来了 {'、'.join(passed)}" if passed else "什么也没来"
                raise _StepFailedError(
                    f"expected of {step.expect}: {_wanted(step)} within {step.within} ms; {came}",
                    f"{step.within} 毫秒内 {step.expect} 该说：{_wanted(step)}；{came_zh}",
                )

    async def _expect_silence(self, step: ExpectSilence) -> None:
        link = self._board.link(step.silence)
        counts = link.counts
        if isinstance(link.line, MemoryLine):
            link.line.client_take()  # or a full line would be silent
        self._heard[step.silence].clear()
        before = counts.to_client_bytes
        await asyncio.sleep(step.during / 1000)
        said = [frame for frame in self._heard[step.silence] if frame.side is Side.DEVICE]
        count = counts.to_client_bytes - before  # also those of no whole frame
        if said or count:
            came = said[0].name if said else f"{count} bytes"
            raise _StepFailedError(
                f"expected silence of {step.silence}; came {came}",
                f"{step.silence} 该安静；来了 {came}",
            )

    async def _until(self, step: Until) -> None:
        until_ms = self._now_ms() + step.within
        while not self._is_state(step.until, step.state):
            if self._now_ms() >= until_ms:
                self._check(step.until, step.state)
            await asyncio.sleep(STATE_POLL_MS / 1000)

    def _check(self, device: str, wanted: dict[str, JsonValue]) -> None:
        state = self._board.state(device)
        for name, said in wanted.items():
            if not is_as_said(state[name], said):
                raise _StepFailedError(
                    f"expected {device}.{name} {said!r}; it is {state[name]!r}",
                    f"{device}.{name} 该是 {said!r}；现在是 {state[name]!r}",
                )

    def _is_state(self, device: str, wanted: dict[str, JsonValue]) -> bool:
        try:
            self._check(device, wanted)
        except _StepFailedError:
            return False
        return True

    async def _wait_news(self, until_ms: int) -> bool:
        left_ms = until_ms - self._now_ms()
        if left_ms <= 0:
            return False
        self._news.clear()
        try:
            async with asyncio.timeout(left_ms / 1000):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _line(self, device: str) -> MemoryLine:
        line = self._board.link(device).line
        if isinstance(line, MemoryLine):
            return line
        raise _StepFailedError(f"{device} is unplugged", f"{device} 已拔下")

    async def _start_driver(self) -> asyncio.subprocess.Process | None:
        if not self._scenario.driver:
            return None
        words = list(self._scenario.driver)
        for name, path in self._board.paths.items():
            words = [word.replace(f"{{{name}}}", path) for word in words]
        try:
            return await asyncio.create_subprocess_exec(*words, start_new_session=True)
        except OSError as error:
            raise OperatingError("driver_unstartable", f"{words[0]}: {error.strerror}") from error

    async def _driver_end(self, driver: asyncio.subprocess.Process) -> _Failure:
        try:
            async with asyncio.timeout(DRIVER_END_S):
                code = await driver.wait()
        except TimeoutError:
            return _Failure(
                why=f"the driver has not ended {DRIVER_END_S} s after the last step",
                why_zh=f"最后一步之后 {DRIVER_END_S} 秒，驱动还没有结束",
            )
        wanted = self._scenario.exit_code
        if code == wanted:
            return _Failure()
        return _Failure(
            why=f"the driver ended with {code}, not {wanted}",
            why_zh=f"驱动以 {code} 结束，该是 {wanted}",
        )

    def _pictures(self) -> Pictures:
        return tuple(one for name in self._board.links for one in self._board.last_pictures(name))


def _placed(placed: PlacedStep) -> Words:
    title = title_of(placed.step)
    return Words(f"第 {placed.line} 行：{title.zh}", f"line {placed.line}: {title.en}")


def _is_so(frame: Said, step: Expect) -> bool:
    if step.frame is not None and frame.name != step.frame:
        return False
    if step.hex is not None and frame.hex != step.hex.hex():
        return False
    return all(
        name in frame.fields and is_so_masked(frame.fields[name], said)
        for name, said in step.fields.items()
    )


def _passed(frame: Said, step: Expect) -> str:
    """One of that name does not say what was expected, so it is told what it says."""
    if frame.name != step.frame:
        return frame.name
    said = [f"{name}={value}" for name, value in frame.fields.items() if name in step.fields]
    return " ".join([frame.name, *said, *([frame.hex] if step.hex is not None else [])])


def _wanted(step: Expect) -> str:
    words = [step.frame or "a frame"]
    words += [f"{name}={masked_numbers(str(said))}" for name, said in step.fields.items()]
    if step.hex is not None:
        words.append(step.hex.hex(" "))
    return " ".join(words)
