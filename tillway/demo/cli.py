"""``tillway demo``: play a shop's day with the whole stack, account for it, keep the pages up."""

import contextlib
import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from protocol.errors import TillwayError
from tillway.demo.cast import ACTS, dismiss_cast, gather
from tillway.demo.outcome import Case, Day
from tillway.demo.phone_book import keep_phone
from tillway.demo.report import print_day
from tillway.demo.single import alone, signals_raise
from tillway.demo.stack import Ports, Stack
from tillway.demo.story import Play
from tillway.demo.till import copy_receipts
from tillway.demo.up import show_pages
from tillway.private_files import make_directory

app = typer.Typer(
    help="Play a shop's day on this machine.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
DIRECTORY = Path("var/demo")
LOG_COLUMNS = 130
_log = structlog.get_logger()
RECEIPTS, PAPERS = "receipts", "papers"


@app.callback(invoke_without_command=True)
def demo(
    *,
    once: Annotated[
        bool, typer.Option(help="End when the day is over; else keep serving the pages.")
    ] = False,
    directory: Annotated[Path, typer.Option(help="Where everything is kept.")] = DIRECTORY,
    suite: Annotated[str, typer.Option(help="SM2-SM3, ES256 or Ed25519.")] = "SM2-SM3",
    database_url: Annotated[
        str, typer.Option(help="PostgreSQL for the backend; empty is SQLite.")
    ] = "",
    backend_port: Annotated[int, typer.Option(help="The backend's pages; 0 is any.")] = 0,
    hub_port: Annotated[int, typer.Option(help="The hub's page; 0 is any.")] = 0,
    till_port: Annotated[int, typer.Option(help="The first till's page; 0 is any.")] = 0,
) -> None:
    """Start everything, play the day, print the table. Exit code 0 only if all of it held."""
    console = Console() if sys.stdout.isatty() else Console(width=LOG_COLUMNS)
    make_directory(directory)
    directory = directory.absolute()
    with alone(directory):
        state = directory / "state"
        shutil.rmtree(state, ignore_errors=True)
        for old in (RECEIPTS, PAPERS):
            shutil.rmtree(directory / old, ignore_errors=True)
        ports = Ports(backend_public=backend_port, hub_http=hub_port, till=till_port)
        day = Day()
        with _progress(console) as bar, signals_raise():
            task = bar.add_task("preparing", total=len(ACTS) + 1)
            stack = Stack(
                state,
                ports,
                lambda words: bar.update(task, description=words),
                suite=suite,
                backend_extra={"database_url": database_url},
            )
            play: Play | None = None
            try:
                play = _play(stack, day, directory / PAPERS, bar, task)
            finally:
                _finish(console, stack, day, play, directory, bar, once=once)
    raise typer.Exit(0 if day.ok else 1)


def _play(stack: Stack, day: Day, papers: Path, bar: Progress, task: object) -> Play | None:
    """Play every act. What goes wrong is a case of its own; the account is printed all the same."""
    name = "start"
    try:
        play = gather(stack, day, papers)
        bar.advance(task)  # type: ignore[arg-type]  # rich's TaskID
        for name, act in ACTS:
            bar.update(task, description=name)  # type: ignore[arg-type]
            act(play)
            bar.advance(task)  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001  # the outermost boundary of the play
        _log.exception("act_failed", act=name)
        day.cases.append(Case(f"{name}: played to its end", "yes", _said(error)))
        return None
    return play


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, TillwayError) else repr(error)


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
                day.receipts += copy_receipts(till, directory / RECEIPTS)
        _write(directory / "summary.json", day.summary())
        bar.stop()
        print_day(console, day)
        console.print(f"receipts, papers (statements, bill), logs, summary.json: {directory}")
        if play is not None and not once and sys.stdout.isatty():
            _serve(console, stack, play)
    finally:
        stack.say = lambda _words: None
        if play is not None:
            dismiss_cast(play)
        stack.stop()


def _serve(console: Console, stack: Stack, play: Play) -> None:
    """Keep the pages up, with a phone to pay with."""
    stack.leave_addresses()
    keep_phone(stack.root, play.bob)
    show_pages(console, stack)
    console.print("The demo moved its backend's clock past midnight, to close the day; sales of")
    console.print("that day are paid out, so refunds need a new sale first.")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def _write(path: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description:<42}"), BarColumn(),
               TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())  # fmt: skip
    return Progress(*columns, console=console, transient=True)
