"""Looks after the programs of a stack that runs: one that ends is started anew.

Rule 1: one thread looks; each start has a thread of its own, so that a slow one delays nobody.
Rule 2: whoever closes it waits until no start is under way: what has been started is stopped by
        the stack, and nothing is started after that.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from protocol.errors import CallerError, TillwayError
from tillway.limits import LOOK_EVERY_S, STARTS_AT_ONCE_MAX
from tillway.processes import Program, log_tail
from tillway.revival import TRIES_MAX, End, Phase, Revival, why_of

LOG_FILE = "supervisor.log"


class Programs(Protocol):
    """What is looked after."""

    @property
    def programs(self) -> Mapping[str, Program]:
        """All programs, by name, also one that has ended."""
        ...

    def restart(self, name: str, is_wanted: Callable[[], bool]) -> None:
        """Start one again, as it was; raises ``TillwayError`` where it does not get ready, or is
        wanted no more."""
        ...


class Supervisor:
    """Of one stack, for the length of a block."""

    def __init__(self, stack: Programs, say: Callable[[str], object], log_dir: Path) -> None:
        self._stack, self._say, self._log = stack, say, log_dir / LOG_FILE
        self._lock = threading.Lock()
        now_s = time.monotonic()
        self._parts = {name: Revival(name, _since_s=now_s) for name in stack.programs}
        self._is_closed = threading.Event()
        self._starts = ThreadPoolExecutor(STARTS_AT_ONCE_MAX, thread_name_prefix="start")
        self._looking = threading.Thread(target=self._look_after, name="supervisor", daemon=True)

    def told(self) -> dict[str, Revival]:
        """How each part stands."""
        with self._lock:
            return dict(self._parts)

    def start(self, name: str) -> None:
        """A person wants a part that has ended to be started now; raises ``CallerError``."""
        with self._lock:
            if name not in self._parts:
                there = ", ".join(sorted(self._parts))
                raise CallerError(
                    "field_invalid",
                    f"there is no part {name!r}; there are {there}",
                    detail_zh=f"没有部分 {name!r}，有：{there}",
                )
            part = self._parts[name]
            if not part.may_be_asked:
                raise CallerError(
                    "field_invalid", f"{name} is {part.phase}", detail_zh=f"{name} 不需要启动"
                )
            self._parts[name] = part.asked(time.monotonic())
        self._starts.submit(self._start, name)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closed.set()
        self._looking.join()
        self._starts.shutdown(cancel_futures=True)

    def _look_after(self) -> None:
        while not self._is_closed.wait(LOOK_EVERY_S):
            for name, program in self._stack.programs.items():
                self._look_at(name, program)

    def _look_at(self, name: str, program: Program) -> None:
        now_s = time.monotonic()
        with self._lock:
            part = self._parts[name]
            is_due = part.is_due(now_s)
            has_ended = part.phase is Phase.RUNNING and not program.is_running
            if is_due:
                self._parts[name] = part.started(now_s)
        if is_due:
            self._starts.submit(self._start, name)
        elif has_ended:
            self._ended(name, End(program.process.returncode, tail=log_tail(program)))

    def _start(self, name: str) -> None:
        try:
            self._stack.restart(name, lambda: not self._is_closed.is_set())
        except TillwayError as error:
            if not self._is_closed.is_set():
                program = self._stack.programs[name]
                self._ended(name, End(reason=str(error).partition("\n")[0], tail=log_tail(program)))
            return
        with self._lock:
            part = self._parts[name] = self._parts[name].came_up(time.monotonic())
        self._tell(f"{name} runs again; ends so far: {part.ends}")

    def _ended(self, name: str, end: End) -> None:
        with self._lock:
            part = self._parts[name] = self._parts[name].ended(end, time.monotonic())
        what = f"{name} has ended ({why_of(end)})"
        if part.phase is Phase.FAILED:
            self._tell(f"{what}, {TRIES_MAX} times in a row: it stays so until somebody starts it")
        else:
            self._tell(f"{what}; start {part.tries + 1} of {TRIES_MAX} in {part.wait_s} s")
        for line in end.tail:
            self._tell(f"  {name}: {line}")

    def _tell(self, words: str) -> None:
        self._say(words)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {words}\n")
