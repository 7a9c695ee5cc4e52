"""Start the programs of the stack as processes of their own, wait until each is ready, stop them.

Every program prints one JSON line on its standard output when it is ready; everything else it
says goes to a log file of its own. A program that ends before it is ready is reported with the
last lines that it wrote to its log itself, never with those of an earlier run.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import OperatingError, TillwayError, from_code, is_known
from tillway.cli import PARENT_PIPE

READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
COMMAND_TIMEOUT_S = 60
LOG_TAIL_LINES = 12
LOG_TAIL_BYTES_MAX = 64 * 1024
LINE_BYTES_MAX = 64 * 1024
READ_BYTES_MAX = 4096


@dataclass(slots=True)
class Program:
    """One running program and what it said when it was ready."""

    name: str
    process: subprocess.Popen[bytes]
    ready: Mapping[str, Any]
    log: Path

    def port(self, name: str) -> int:
        """The port the program listens on under this name."""
        return int(self.ready["ports"][name])

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self.process.poll() is None


def start(name: str, words: Sequence[str], *, log_dir: Path, env: Mapping[str, str]) -> Program:
    """Run ``tillway WORDS…`` and return when it is ready. It ends when we end, even by SIGKILL.

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
        ready = _wait_until_ready(name, process, log, log_begin)
    except BaseException:
        _end(process)
        _close(process)
        raise
    # Whatever it still says there is read and dropped, so that it never waits for a reader.
    threading.Thread(target=_drain, args=(process,), name=f"{name}-stdout", daemon=True).start()
    return Program(name, process, ready, log)


def stop(program: Program) -> int:
    """Ask the program to end, wait for it, and return its exit code."""
    return _end(program.process)


def kill(program: Program) -> None:
    """Take the program's power away: no warning, no clean-up."""
    program.process.kill()
    program.process.wait()


def _wait_until_ready(
    name: str, process: subprocess.Popen[bytes], log: Path, log_begin: int
) -> dict[str, Any]:
    """What the ready line says. Only what is readable is read, so that nothing waits in a buffer
    and half a line does not outlast the deadline."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    deadline = time.monotonic() + READY_TIMEOUT_S
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(timeout=left):
                break
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
    done = subprocess.run(
        [sys.executable, "-m", "tillway", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_TIMEOUT_S,
    )
    if done.returncode:
        raise OperatingError("internal", f"tillway {words[0]}: {done.stderr.strip()}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said
