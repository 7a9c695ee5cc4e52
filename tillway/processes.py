"""Start the programs of the stack as processes of their own, wait until each is ready, stop them.

Every program prints one JSON line on its standard output when it is ready; everything else it
says goes to a log file of its own. A program that ends before it is ready is reported with the
last lines that it wrote to its log itself, never with those of an earlier run. One that is slow is
waited for as long as it gets on with its start: on a busy machine a minute is not much.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import OperatingError, TillwayError, from_code, is_known
from tillway.cli import PARENT_PIPE
from tillway.limits import (
    COMMAND_TIMEOUT_S,
    IDLE_TIMEOUT_S,
    LINE_BYTES_MAX,
    LOG_LINE_CHARS_MAX,
    LOG_TAIL_BYTES_MAX,
    LOG_TAIL_LINES,
    LOOK_S,
    READ_BYTES_MAX,
    READY_TIMEOUT_S,
    REMIND_S,
    STOP_TIMEOUT_S,
)


@dataclass(slots=True)
class Program:
    """One running program and what it said when it was ready."""

    name: str
    process: subprocess.Popen[bytes]
    ready: Mapping[str, Any]
    log: Path
    log_begin: int = 0
    """Where in its log this run of it begins."""

    def port(self, name: str) -> int:
        """The port the program listens on under this name."""
        return int(self.ready["ports"][name])

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self.process.poll() is None


def start(
    name: str,
    words: Sequence[str],
    *,
    log_dir: Path,
    env: Mapping[str, str],
    say: Callable[[str], object] = lambda _: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Program:
    """Run ``tillway WORDS…`` and return when it is ready. It ends when we end, even by SIGKILL.

    ``say`` is told now and then that a slow one is still starting. One that is wanted no more is
    stopped.

    Raises the program's own error where it gave one (``port_taken``, ``config_invalid``), else
    ``OperatingError("internal")`` with the tail of its log.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    log = log_dir / f"{name}.log"
    with log.open("ab") as sink:
        log_begin = os.fstat(sink.fileno()).st_size
        process = subprocess.Popen(
            [sys.executable, "-m", "tillway", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sink,
            env={**os.environ, **env, PARENT_PIPE: "1"},
            start_new_session=True,
        )
    try:
        ready = _wait_until_ready(name, process, log, log_begin, say, is_wanted)
    except BaseException:
        _end(process)
        _close(process)
        raise
    # Whatever it still says there is read and dropped, so that it never waits for a reader.
    threading.Thread(target=_drain, args=(process,), name=f"{name}-stdout", daemon=True).start()
    return Program(name, process, ready, log, log_begin)


def stop(program: Program) -> int:
    """Ask the program to end, wait for it, and return its exit code."""
    return _end(program.process)


def log_tail(program: Program) -> tuple[str, ...]:
    """The last lines that this run of the program wrote to its log."""
    lines = _written_since(program.log, program.log_begin).splitlines()[-LOG_TAIL_LINES:]
    return tuple(line[:LOG_LINE_CHARS_MAX] for line in lines)


def kill(program: Program) -> None:
    """Take the program's power away: no warning, no clean-up."""
    program.process.kill()
    program.process.wait()


def _wait_until_ready(
    name: str,
    process: subprocess.Popen[bytes],
    log: Path,
    log_begin: int,
    say: Callable[[str], object],
    is_wanted: Callable[[], bool],
) -> dict[str, Any]:
    """What the ready line says. Only what is readable is read, so that nothing waits in a buffer
    and half a line does not outlast the deadline."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    begun = busy_at = time.monotonic()
    deadline, remind_at = begun + READY_TIMEOUT_S, begun + REMIND_S
    work = _work_done(process.pid, log)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            is_heard = selector.select(timeout=min(left, LOOK_S))
            now = time.monotonic()
            if not is_wanted():
                raise OperatingError("internal", f"{name} is wanted no more")
            if is_heard or (done := _work_done(process.pid, log)) != work:
                busy_at, work = now, work if is_heard else done
            elif now - busy_at >= IDLE_TIMEOUT_S:
                idle = f"is not ready, and has done nothing for {IDLE_TIMEOUT_S} s"
                raise OperatingError("internal", f"{name} runs, {idle}; see {log}")
            if now >= remind_at:
                say(f"{name} is still starting after {now - begun:.0f} s")
                remind_at += REMIND_S
            if not is_heard:
                continue
            heard = os.read(pipe, READ_BYTES_MAX)
            *lines, rest = (rest + heard).split(b"\n")
            for line in lines:
                if (said := _parse(line)).get("ready"):
                    return said
            if not heard:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=STOP_TIMEOUT_S)
                raise _failure(name, process.returncode, log, log_begin)
            rest = rest[-LINE_BYTES_MAX:]
    raise OperatingError("internal", f"{name} was not ready within {READY_TIMEOUT_S} s; see {log}")


def _work_done(pid: int, log: Path) -> tuple[int, int]:
    """What grows while a program gets on: its log, and the processor time, in ticks, of all that
    runs in its session: the sandbox's institutions are processes of their own. Where the system
    does not tell the latter, time itself, so that only the whole wait is bounded."""
    ticks = [_ticks(stat, pid) for stat in Path("/proc").glob("[0-9]*/stat")]
    return log.stat().st_size, sum(ticks) if ticks else time.monotonic_ns()


def _ticks(stat: Path, session: int) -> int:
    """A process's, and those of its children that ended; 0 outside the session (proc(5))."""
    try:
        fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15])) if int(fields[3]) == session else 0


def _parse(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _failure(name: str, code: int | None, log: Path, log_begin: int) -> TillwayError:
    tail = _written_since(log, log_begin).splitlines()[-LOG_TAIL_LINES:]
    for line in reversed(tail):
        first = line.split(" ", 1)[0].rstrip(":")
        if is_known(first):
            return from_code(first, f"{name}: {line.partition(' ')[2].strip('()')}")
    return OperatingError("internal", f"{name} ended with {code}:\n" + "\n".join(tail))


def _written_since(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(begin, size - LOG_TAIL_BYTES_MAX))
        return file.read(LOG_TAIL_BYTES_MAX).decode("utf-8", errors="replace")


def _drain(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    while os.read(process.stdout.fileno(), READ_BYTES_MAX):
        pass
    _close(process)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _end(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def said_by(*words: str) -> dict[str, Any]:
    """What a command of ours said that says one JSON line and ends."""
    said: dict[str, Any] = json.loads(run_command(*words))
    return said


def run_command(*words: str) -> str:
    """Run a command of ours that ends; what it said. ``OperatingError("internal")`` with its own
    words if it failed."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tillway", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        what = f"tillway {words[0]} did not end within {COMMAND_TIMEOUT_S} s"
        raise OperatingError("internal", what) from error
    if done.returncode:
        raise OperatingError("internal", f"tillway {words[0]}: {done.stderr.strip()}")
    return done.stdout
