"""A driver under test, as a program of its own.

Rule 1: it ends within its limit, with all that it has started. Rule 2: what it prints is kept up to
a limit, the last of it, however much it prints. Rule 3: it is asked nothing: its input is empty.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from firmware_sim.limits import DRIVER_OUTPUT_CHARS_MAX
from protocol.errors import CallerError, OperatingError

_PIECE_BYTES = 65_536
_KEPT_BYTES = 4 * DRIVER_OUTPUT_CHARS_MAX
_LEAVE_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: the code is ``None`` where it had to be killed. Nothing is ``found`` (printed)
    and ``said`` (on the error output) of one whose output is not kept."""

    exit_code: int | None
    found: str = ""
    said: str = ""


def words_of(command: str) -> list[str]:
    """A command's words, as a shell splits them; raises ``CallerError``."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise CallerError("field_invalid", f"{command!r}: {error}") from error


def run_driver(words: Sequence[str], limit_s: float, *, keep: bool) -> Ended:
    """Run it to its end; raises ``OperatingError("driver_unstartable")``.

    Where its output is not kept, it goes where ours goes.
    """
    pipe = subprocess.PIPE if keep else None
    try:
        program = subprocess.Popen(  # noqa: S603 - the tester's own command
            words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    except OSError as error:
        raise OperatingError("driver_unstartable", f"{words[0]}: {error.strerror}") from error
    with program:
        found, said = _Tail(program.stdout), _Tail(program.stderr)
        code: int | None = None
        try:
            code = program.wait(limit_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        return Ended(code, found.text(), said.text())


class _Tail:
    """Reads a pipe to its end and keeps the last of it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        self._kept = bytearray()
        self._thread: threading.Thread | None = None
        if pipe is not None:
            self._thread = threading.Thread(target=self._read, args=(pipe.fileno(),), daemon=True)
            self._thread.start()

    def _read(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(descriptor, _PIECE_BYTES):
                self._kept += piece
                del self._kept[:-_KEPT_BYTES]

    def text(self) -> str:
        """What was kept, once the program has ended."""
        if self._thread is not None:
            self._thread.join(_LEAVE_WAIT_S)
        return self._kept.decode(errors="replace")[-DRIVER_OUTPUT_CHARS_MAX:]
