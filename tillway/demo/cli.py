"""``tillway demo``: play a shop's day with the whole stack, account for it, keep the pages up."""

import contextlib
import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from protocol.errors import TillwayError
from protocol.identity import TlsProfileName
from tillway.demo.addresses import leave_addresses
from tillway.demo.cast import ACTS, dismiss_cast, gather
from tillway.demo.outcome import Case, Day
from tillway.demo.phone_book import keep_phone
from tillway.demo.ports import Ports
from tillway.demo.progress import steps
from tillway.demo.report import print_day
from tillway.demo.single import alone, signals_raise
from tillway.demo.stack import PAGE_URL, TLS_HELP, Stack
from tillway.demo.story import Play
from tillway.demo.till import copy_receipts
from tillway.demo.up import serve_pages

app = typer.Typer(
    help="Play a shop's day on this machine.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
DIRECTORY = Path("var/demo")
LOG_COLUMNS = 130
INTERRUPTED = 130
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
    tls: Annotated[TlsProfileName, typer.Option(help=TLS_HELP)] = "p256",
    database_url: Annotated[
        str, typer.Option(help="PostgreSQL for the backend; empty is SQLite.")
    ] = "",
    queue_url: Annotated[
        str, typer.Option(help="RabbitMQ for callbacks; empty is the database.")
    ] = "",
    redis_url: Annotated[
        str, typer.Option(help="Redis for what the risk engine remembers; empty is its own memory.")
    ] = "",
    mosquitto: Annotated[
        bool, typer.Option(help="Start Mosquitto between tills and hub; else the hub's endpoint.")
    ] = False,
    backend_port: Annotated[int, typer.Option(help="The backend's pages; 0 is any.")] = 0,
    hub_port: Annotated[int, typer.Option(help="The hub's page; 0 is any.")] = 0,
    till_port: Annotated[int, typer.Option(help="The first till's page; 0 is any.")] = 0,
    front_port: Annotated[int, typer.Option(help="The front page; 0 is any.")] = 0,
) -> None:
    """Start everything, play the day, print the table. Exit code 0 only if all of it held."""
    console = Console() if sys.stdout.isatty() else Console(width=LOG_COLUMNS)
    _log_without_values()
    directory = directory.absolute()
    with alone(directory):
        state = directory / "state"
        shutil.rmtree(state, ignore_errors=True)
        for old in (RECEIPTS, PAPERS):
            shutil.rmtree(directory / old, ignore_errors=True)
        ports = Ports(backend_public=backend_port, hub_http=hub_port, till=till_port)
        stack = Stack(
            state,
            ports,
            console.print,
            suite=suite,
            tls_profile=tls,
            has_charger=True,
            has_mosquitto=mosquitto,
            backend_extra={
                "database_url": database_url,
                "queue_url": queue_url,
                "risk_redis_url": redis_url,
                "page_url": PAGE_URL,
            },
        )
        day = Day()
        with signals_raise():
            try:
                play = _play(console, stack, day, directory / PAPERS)
                _account(console, day, play, directory)
                if play is not None and not once and sys.stdout.isatty():
                    _serve(console, stack, play, front_port)
            finally:
                stack.stop()
    raise typer.Exit(INTERRUPTED if day.is_interrupted else int(not day.ok))


def _log_without_values() -> None:
    """A traceback names places only: local variables hold tokens and keys."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.dev.set_exc_info, renderer]
    )


def _play(console: Console, stack: Stack, day: Day, papers: Path) -> Play | None:
    """Play every act. What goes wrong is a case of its own; the account is given all the same."""
    name, play = "start", None
    with steps(console, total=len(ACTS) + 1, is_watched=sys.stdout.isatty()) as told:
        stack.say = told.say
        try:
            play = gather(stack, day, papers)
            told.advance()
            for name, act in ACTS:
                told.say(name)
                act(play)
                told.advance()
        except KeyboardInterrupt:
            day.is_interrupted = True
        except Exception as error:  # noqa: BLE001  # the outermost boundary of the play
            _log.exception("act_failed", act=name)
            day.cases.append(Case(f"{name}: played to its end", "yes", _said(error)))
        finally:
            stack.say = lambda _words: None
            if play is not None:
                day.receipts += _receipts(play, papers.with_name(RECEIPTS))
    return play


def _receipts(play: Play, folder: Path) -> list[str]:
    """The paper that came out so far."""
    try:
        return [path for till in (play.pos1, play.pos2) for path in copy_receipts(till, folder)]
    except (TillwayError, OSError) as error:
        _log.warning("receipts_not_kept", error=str(error))
        return []
    finally:
        dismiss_cast(play)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, TillwayError) else repr(error)


def _account(console: Console, day: Day, play: Play | None, directory: Path) -> None:
    """Write the summary and print the table."""
    _write(directory / "summary.json", day.summary())
    print_day(console, day)
    kept = "receipts, papers (statements, bills), logs" if play is not None else "logs"
    console.print(f"{kept} and summary.json: {directory}", soft_wrap=True)


def _serve(console: Console, stack: Stack, play: Play, front_port: int) -> None:
    """Keep the pages up, with a phone to pay with."""
    leave_addresses(stack)
    keep_phone(stack.root, play.bob)
    console.print("The demo moved its backend's clock past midnight, to close the day; sales of")
    console.print("that day are paid out, so refunds need a new sale first.")
    with contextlib.suppress(KeyboardInterrupt):
        serve_pages(console, stack, front_port)


def _write(path: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
