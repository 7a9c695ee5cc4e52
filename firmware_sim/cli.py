"""``tillway sim``: simulated boards."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

app = typer.Typer(
    help="Simulated devices on real protocols, and tests of real ones.", no_args_is_help=True
)


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


@app.command()
def kinds() -> None:
    """List the kinds of devices, what a board file may say of each, and what people do to it."""
    from firmware_sim.kinds.registry import KINDS

    for kind in KINDS.values():
        typer.echo(f"{kind.name}: {kind.summary}")
        for name, field in kind.entry.model_fields.items():
            if name != "kind":
                typer.echo(f"    {name}: {field.get_default(call_default_factory=True)!r}")
        for act in kind.acts:
            words = ", ".join(act.body.model_fields)
            typer.echo(f"    act {act.name}({words}): {act.summary}")


@app.command()
def conform(
    kind: Annotated[str, typer.Argument(help="The kind of device: gm65, escpos, …")],
    device: Annotated[
        str,
        typer.Option(help="pty (a simulated one), serial:/dev/…, tcp:HOST:PORT, rfc2217:HOST:PORT"),
    ] = "pty",
    baud: Annotated[int | None, typer.Option(help="The line's rate, if not the usual.")] = None,
    attended: Annotated[
        bool, typer.Option(help="Ask the person here to act on a real device.")
    ] = False,
) -> None:
    """Test a simulated or a real device against its maker's documents; exits 0 if all held.

    Exits 1 where a check failed, 2 where the device cannot be reached or there is no such kind.
    """
    from firmware_sim.conformance.registry import checks_of
    from firmware_sim.conformance.running import bench_of, run_checks

    checks = checks_of(kind)
    ask = _ask_person if attended else (lambda _: False)
    with bench_of(kind, device, baud=baud, ask=ask) as bench:
        typer.echo(f"{bench.what}: {len(checks)} checks")
        outcomes = []
        for outcome in run_checks(bench, checks):
            outcomes.append(outcome)
            typer.echo(f"  {outcome.verdict:7} {outcome.check.id:28} {outcome.check.title}")
            if outcome.reason:
                typer.echo(f"          {outcome.reason} ({outcome.check.clause})")
            if outcome.verdict in {"failed", "error"}:
                for frame in outcome.frames:
                    typer.echo(f"          {frame.describe()}")
    bad = sum(outcome.verdict in {"failed", "error"} for outcome in outcomes)
    skipped = sum(outcome.verdict == "skipped" for outcome in outcomes)
    held = len(outcomes) - bad - skipped
    typer.echo(f"{held} held, {bad} failed, {skipped} skipped")
    raise typer.Exit(1 if bad else 0)


def _ask_person(words: str) -> bool:
    return typer.confirm(f"Please: {words}. Done?", default=True, err=True)


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
