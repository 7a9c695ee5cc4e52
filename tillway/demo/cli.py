"""``tillway demo``: play a shop's day with the whole stack, account for it, keep the pages up."""

import contextlib
import fcntl
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from protocol.errors import CallerError, TillwayError
from tillway.demo.cast import ACTS, dismiss_cast, gather
from tillway.demo.outcome import Case, Day
from tillway.demo.report import print_day
from tillway.demo.stack import HOST, HUB, Ports, Stack
from tillway.demo.story import Play
from tillway.demo.till import copy_receipts
from tillway.private_files import make_directory

app = typer.Typer(help="Play a shop's day on this machine.", add_completion=False)
DIRECTORY = Path("var/demo")


@app.callback(invoke_without_command=True)
def demo(
    *,
    once: Annotated[
        bool, typer.Option(help="End when the day is over; else keep serving the pages.")
    ] = False,
    directory: Annotated[Path, typer.Option(help="Where everything is kept.")] = DIRECTORY,
    suite: Annotated[str, typer.Option(help="SM2-SM3, ES256 or Ed25519.")] = "SM2-SM3",
    backend_port: Annotated[int, typer.Option(help="The backend's pages; 0 is any.")] = 0,
    hub_port: Annotated[int, typer.Option(help="The hub's page; 0 is any.")] = 0,
    till_port: Annotated[int, typer.Option(help="The first till's page; 0 is any.")] = 0,
) -> None:
    """Start everything, play the day, print the table. Exit code 0 only if all of it held."""
    console = Console()
    make_directory(directory)
    directory = directory.absolute()
    with _alone(directory):
        state = directory / "state"
        shutil.rmtree(state, ignore_errors=True)
        shutil.rmtree(directory / "receipts", ignore_errors=True)
        ports = Ports(backend_public=backend_port, hub_http=hub_port, till=till_port)
        day = Day()
        with _progress(console) as bar, _signals_raise():
            task = bar.add_task("preparing", total=len(ACTS) + 1)
            stack = Stack(
                state, ports, lambda words: bar.update(task, description=words), suite=suite
            )
            play: Play | None = None
            try:
                play = _play(stack, day, bar, task)
            finally:
                _finish(console, stack, day, play, directory, bar, once=once)
    raise typer.Exit(0 if day.ok else 1)


def _play(stack: Stack, day: Day, bar: Progress, task: object) -> Play | None:
    """Play every act. What goes wrong is a case of its own; the account is printed all the same."""
    name = "start"
    try:
        play = gather(stack, day)
        bar.advance(task)  # type: ignore[arg-type]  # rich's TaskID
        for name, act in ACTS:
            bar.update(task, description=name)  # type: ignore[arg-type]
            act(play)
            bar.advance(task)  # type: ignore[arg-type]
    except TillwayError as error:
        day.cases.append(Case(f"{name}: played to its end", "yes", str(error)))
        return None
    return play


def _finish(
    console: Console,
    stack: Stack,
    day: Day,
    play: Play | None,
    directory: Path,
    bar: Progress,
    *,
    once: bool,
) -> None:
    """Keep receipts, statements and the summary, print the table, serve on if asked, stop."""
    try:
        if play is not None:
            for till in (play.pos1, play.pos2):
                day.receipts += copy_receipts(till, directory / "receipts")
        _write(directory / "summary.json", day.summary())
        bar.stop()
        print_day(console, day)
        console.print(f"receipts, statements, logs and summary.json: {directory}")
        if play is not None and not once and sys.stdout.isatty():
            _serve(console, stack)
    finally:
        stack.say = lambda _words: None
        if play is not None:
            dismiss_cast(play)
        stack.stop()


def _serve(console: Console, stack: Stack) -> None:
    console.print("The pages stay up until Ctrl-C:")
    console.print(f"  till      http://{HOST}:{stack.programs['pos-1'].port('http')}/")
    console.print(f"  hub       http://{HOST}:{stack.programs[HUB].port('http')}/")
    console.print(f"  backend   {stack.public_url}/  (any name, the operator's token: "
                  f"{stack.root / 'operator.token'})")  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def _write(path: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description:<42}"), BarColumn(),
               TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())  # fmt: skip
    return Progress(*columns, console=console, transient=True)


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One demo per directory: a second one is told so."""
    with (directory / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CallerError(
                "config_invalid", f"a demo is running in {directory}; give --directory another"
            ) from None
        yield


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: every program is stopped."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
