"""How far the play is: a bar for a person at a screen, a line a step for a log."""

import contextlib
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Steps(Protocol):
    """What the play tells of itself."""

    def say(self, words: str) -> None:
        """What happens now."""
        ...

    def advance(self) -> None:
        """One of the steps is done."""
        ...


class _Bar:
    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("preparing", total=total)

    def say(self, words: str) -> None:
        self._bar.update(self._task, description=words)

    def advance(self) -> None:
        self._bar.advance(self._task)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, words: str) -> None:
        self._console.print(f"· {words}")

    def advance(self) -> None:
        """A log needs no count."""


@contextlib.contextmanager
def steps(console: Console, *, total: int, is_watched: bool) -> Iterator[Steps]:
    """A bar while the block lasts, or lines."""
    if not is_watched:
        yield _Lines(console)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description:<42}"), BarColumn(),
               TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar, total)
