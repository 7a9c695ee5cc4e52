"""Start the programs of the stack as processes of their own, wait until each is ready, stop them.

Every program prints one JSON line on its standard output when it is ready; everything else it
says goes to a log file of its own. A program that ends before it is ready is reported with the
last lines of its log.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import OperatingError, TillwayError, from_code, is_known

READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
LOG_TAIL_LINES = 12


@dataclass(slots=True)
class Program:
    """One running program and what it said when it was ready."""

    name: str
    process: subprocess.Popen[str]
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
    """Run ``tillway WORDS…`` and return when it is ready.

    Raises the program's own error where it gave one (``port_taken``, ``config_invalid``), else
    ``OperatingError("internal")`` with the tail of its log.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    log = log_dir / f"{name}.log"
    with log.open("a", encoding="utf-8") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "tillway", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sink,
            text=True,
            env={**os.environ, **env},
            start_new_session=True,
        )
    try:
        ready = _wait_until_ready(name, process, log)
    except BaseException:
        _end(process)
        raise
    return Program(name, process, ready, log)


def stop(program: Program) -> int:
    """Ask the program to end, wait for it, and return its exit code."""
    return _end(program.process)


def kill(program: Program) -> None:
    """Take the program's power away: no warning, no clean-up."""
    program.process.kill()
    program.process.wait()
    if program.process.stdout is not None:
        program.process.stdout.close()


def _wait_until_ready(name: str, process: subprocess.Popen[str], log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    deadline = time.monotonic() + READY_TIMEOUT_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(timeout=left):
                break
            line = process.stdout.readline()
            if not line:
                process.wait(timeout=STOP_TIMEOUT_S)
                raise _failure(name, process.returncode, log)
            said = _parse(line)
            if said.get("ready"):
                return said
    raise OperatingError("internal", f"{name} was not ready within {READY_TIMEOUT_S} s; see {log}")


def _parse(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _failure(name: str, code: int, log: Path) -> TillwayError:
    tail = log.read_text(encoding="utf-8").splitlines()[-LOG_TAIL_LINES:]
    for line in reversed(tail):
        first = line.split(" ", 1)[0].rstrip(":")
        if is_known(first):
            return from_code(first, f"{name}: {line.partition(' ')[2].strip('()')}")
    return OperatingError("internal", f"{name} ended with {code}:\n" + "\n".join(tail))


def _end(process: subprocess.Popen[str]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
    return process.returncode
