"""``tillway sim``: simulated boards."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.commands.conform import conform
from firmware_sim.commands.scenario import scenario
from firmware_sim.commands.torture import torture
from firmware_sim.commands.trace import record, replay, trace_app
from transport import logs

app = typer.Typer(
    help="Simulated devices on real protocols, and tests of real ones.",
    add_completion=False,
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """What is logged goes to the standard error: the standard output is for results."""
    logs.configure()


app.command()(conform)
app.command()(torture)
app.command()(scenario)
app.command()(record)
app.command()(replay)
app.add_typer(trace_app, name="trace")


@app.command()
def run(
    config: Annotated[Path | None, typer.Option(help="TOML file with the settings.")] = None,
    board: Annotated[str | None, typer.Option(help="Built-in board or a board file.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where receipts are written.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Control API; 0 is any free port.")] = None,
    trace: Annotated[
        Path | None, typer.Option("--record", help="Write all that is said to this trace.")
    ] = None,
    scenarios: Annotated[
        Path | None, typer.Option(help="Your folder of scenarios, for the bench and its API.")
    ] = None,
) -> None:
    """Open a board's ports, print the ready line, serve until SIGTERM."""
    from firmware_sim.bootstrap import serve
    from firmware_sim.config import load_settings

    settings = load_settings(
        config, board=board, state_dir=state_dir, http_port=http_port, record=trace,
        scenarios=scenarios,
    )  # fmt: skip
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
