"""The traces of one board's state directory: recorded, handed in, handed out, thrown away.

Rule 1: a trace's name is a plain word, its file stands in the one folder. Rule 2: so many are kept;
one more is refused until somebody throws one away: a tester's evidence is never dropped by itself.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.limits import TRACE_UPLOAD_BYTES_MAX, TRACES_KEPT_MAX
from firmware_sim.recording.file import TraceFile, load_trace
from firmware_sim.recording.recorder import Keep, Recorder
from firmware_sim.recording.trace import Event, Trace
from protocol.errors import CallerError, OperatingError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class Kept:
    """A trace on disk."""

    name: str
    size_bytes: int


class Traces:
    """The folder, and the recording under way, if there is one."""

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self._folder = folder
        self._recorder = recorder
        self._file: TraceFile | None = None
        self._keep: Keep | None = None
        self.recording: str | None = None
        self.events = 0

    def listed(self) -> list[Kept]:
        """All of them, by name."""
        paths = sorted(self._folder.glob(f"*{_SUFFIX}"))
        return [Kept(path.stem, path.stat().st_size) for path in paths]

    def path(self, name: str) -> Path:
        """A trace's file; raises ``CallerError`` that names those there are."""
        path = self._place(name)
        if not path.is_file():
            there = ", ".join(kept.name for kept in self.listed()) or "none"
            raise CallerError(
                "field_invalid",
                f"no trace {name!r}; there are {there}",
                detail_zh=f"没有记录 {name!r}，有：{there}",
            )
        return path

    def load(self, name: str) -> Trace:
        """A trace; raises ``CallerError``."""
        return load_trace(self.path(name))

    def start(self, name: str | None = None) -> str:
        """Begin to record all ports; returns the trace's name. Raises ``CallerError``."""
        if self._file is not None:
            raise CallerError(
                "busy",
                f"the trace {self.recording!r} is being recorded",
                detail_zh=f"正在录制 {self.recording!r}",
            )
        name = name or self._free_name()
        began_ms = self._recorder.passed_ms
        file = TraceFile(self._fresh(name))
        file.write(self._recorder.head)

        def keep(event: Event) -> None:
            self.events += 1
            file.write(event.model_copy(update={"t_ms": max(0, event.t_ms - began_ms)}))

        self._file, self._keep, self.recording, self.events = file, keep, name, 0
        self._recorder.also(keep)
        return name

    def stop(self) -> str:
        """End the recording; returns the trace's name. Raises ``CallerError`` where there is none,
        ``OperatingError("file_unwritable")`` where it is not whole."""
        if self._file is None or self._keep is None or self.recording is None:
            raise CallerError(
                "field_invalid", "nothing is being recorded", detail_zh="现在没有在录制"
            )
        name, file = self.recording, self._file
        self._recorder.settle()
        self._recorder.no_more(self._keep)
        self._file = self._keep = self.recording = None
        file.close()
        return name

    async def take(self, name: str, pieces: AsyncIterator[bytes]) -> Trace:
        """Keep a trace that is handed in, if it can be read; raises ``CallerError``."""
        path = self._fresh(name)
        size = 0
        try:
            with path.open("xb") as file:
                async for piece in pieces:
                    size += len(piece)
                    if size > TRACE_UPLOAD_BYTES_MAX:
                        raise CallerError(
                            "trace_invalid",
                            f"at most {TRACE_UPLOAD_BYTES_MAX} bytes",
                            detail_zh=f"最多 {TRACE_UPLOAD_BYTES_MAX} 字节",
                        )
                    file.write(piece)
            return await asyncio.to_thread(load_trace, path)
        except OSError as error:
            raise OperatingError("file_unwritable", f"{path.name}: {error.strerror}") from error
        except CallerError:
            path.unlink(missing_ok=True)
            raise

    def throw_away(self, name: str) -> None:
        """Remove a trace; raises ``CallerError`` for one that is not there or being recorded."""
        if name == self.recording:
            raise CallerError(
                "busy", f"the trace {name!r} is being recorded", detail_zh=f"正在录制 {name!r}"
            )
        self.path(name).unlink()

    def _fresh(self, name: str) -> Path:
        path = self._place(name)
        if path.exists():
            raise CallerError(
                "field_invalid",
                f"there is a trace {name!r} already",
                detail_zh=f"已有名叫 {name!r} 的记录",
            )
        if len(self.listed()) >= TRACES_KEPT_MAX:
            raise CallerError(
                "busy",
                f"at most {TRACES_KEPT_MAX} traces; throw one away",
                detail_zh=f"最多 {TRACES_KEPT_MAX} 个记录，请先扔掉一个",
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        return path

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise CallerError(
                "field_invalid",
                "a trace's name is letters, digits, - and _",
                detail_zh="记录的名字只能用字母、数字、- 和 _",
            )
        return self._folder / f"{name}{_SUFFIX}"

    def _free_name(self) -> str:
        taken = {kept.name for kept in self.listed()}
        numbers = range(1, len(taken) + 2)
        names = (f"{self._recorder.head.board}-{number:03}" for number in numbers)
        return next(name for name in names if name not in taken)
