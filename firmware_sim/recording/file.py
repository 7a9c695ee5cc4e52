"""Traces on disk."""

from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import structlog

from firmware_sim.limits import TRACE_LINE_CHARS_MAX, TRACE_LINES_MAX
from firmware_sim.recording.trace import Event, Head, Trace, read_trace, write_line
from protocol.errors import CallerError, OperatingError

log = structlog.get_logger()


class TraceFile:
    """A trace being written. It stops at ``TRACE_LINES_MAX`` lines and says so in the log.

    A disk that takes no more stops the trace, not the devices; ``close`` raises it then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = 0
        self._failure: OSError | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = path.open("w", encoding="utf-8")
        except OSError as error:
            raise OperatingError("file_unwritable", f"{path}: {error.strerror}") from error

    def write(self, line: Head | Event) -> None:
        """Add a line; a reader sees it at once."""
        self._lines += 1
        if self._lines == TRACE_LINES_MAX:
            log.warning("sim_trace_full", path=str(self._path), lines=self._lines)
        text = write_line(line)
        is_room = self._lines <= TRACE_LINES_MAX and len(text) <= TRACE_LINE_CHARS_MAX
        if not is_room or self._failure is not None:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            self._failure = error
            log.warning("sim_trace_broken", path=str(self._path), error=error.strerror)

    def close(self) -> None:
        """No more; raises ``OperatingError("file_unwritable")`` where the trace is not whole."""
        try:
            self._file.close()
        except OSError as error:
            self._failure = self._failure or error
        if self._failure is not None:
            raise OperatingError("file_unwritable", f"{self._path}: {self._failure.strerror}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def load_trace(path: Path) -> Trace:
    """Read a trace from a file; raises ``CallerError("trace_invalid")``, and
    ``OperatingError("file_unusable")`` where there is none to read."""
    try:
        with path.open(encoding="utf-8") as file:
            return read_trace(file, path.name)
    except OSError as error:
        raise OperatingError("file_unusable", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CallerError("trace_invalid", f"{path}: {error}") from error
