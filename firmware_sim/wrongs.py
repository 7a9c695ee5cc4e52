"""What is wrong with the files that people write: all of it at once, each by its line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from firmware_sim.limits import FILE_WRONGS_TOLD_MAX
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with a file, in English and in Chinese: with its line, if it has
    one."""

    name: str
    line: int
    said: str
    said_zh: str


class FileWrongError(CallerError):
    """Files that cannot be taken; of many wrongs the first ``FILE_WRONGS_TOLD_MAX`` are told."""

    def __init__(self, wrongs: Sequence[Wrong]) -> None:
        names = list(dict.fromkeys(one.name for one in wrongs))
        self.wrongs = sorted(wrongs, key=lambda one: (names.index(one.name), one.line))
        shown = self.wrongs[:FILE_WRONGS_TOLD_MAX]
        rows, rows_zh = [one.said for one in shown], [one.said_zh for one in shown]
        if left := len(wrongs) - len(shown):
            rows.append(f"and {left} more")
            rows_zh.append(f"还有 {left} 处")
        super().__init__("config_invalid", "\n".join(rows), detail_zh="\n".join(rows_zh))


class Wrongs:
    """Gathers what is wrong, so that it is told together."""

    def __init__(self) -> None:
        self._found: list[Wrong] = []

    def add(self, error: FileWrongError) -> None:
        """One more thing, or several."""
        self._found += error.wrongs

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """What is refused within is kept, and the reading goes on behind it."""
        try:
            yield
        except FileWrongError as error:
            self.add(error)

    def end(self) -> None:
        """All was read; raises ``FileWrongError`` where something was wrong."""
        if self._found:
            raise FileWrongError(self._found)
