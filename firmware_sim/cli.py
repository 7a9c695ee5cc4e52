"""``tillway sim``: simulated boards."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

app = typer.Typer(
    help="Simulated boards: scanner, printer, fingerprint sensor.", no_args_is_help=True
)


@app.callback()
def _group() -> None:
    """Keeps ``run`` a sub-command."""


@app.command()
def run(
    config: Annotated[Path | None, typer.Option(help="TOML file with the settings.")] = None,
    board: Annotated[str | None, typer.Option(help="Built-in board or a board file.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where receipts are written.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Control API; 0 is any free port.")] = None,
) -> None:
    """Open a board's ports, print the ready line, serve until SIGTERM."""
    from firmware_sim.bootstrap import serve
    from firmware_sim.config import load_settings

    _log_to_stderr()
    settings = load_settings(config, board=board, state_dir=state_dir, http_port=http_port)
    asyncio.run(serve(settings))


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
