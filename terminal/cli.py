"""``tillway terminal``: run a till or a vending machine."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from protocol.errors import OperatingError, TillwayError
from protocol.identity import Identity
from terminal import logs
from terminal.bootstrap import load_identity, running_terminal
from terminal.config import Settings, load
from terminal.fingers import Wish, tend_fingers
from terminal.probes import Found, Probe, probe_named

app = typer.Typer(
    help="A payment terminal or vending machine.", add_completion=False, no_args_is_help=True
)


@app.callback()
def terminal() -> None:
    """A payment terminal: scanner, printer, sensor on one side, the store's hub on the other."""


@app.command()
def run(config: Annotated[Path, typer.Option(help="The terminal's TOML file.")]) -> None:
    """Run until SIGTERM. Prints one JSON line with its ports when it is ready."""
    logs.configure()
    settings = load(config)
    asyncio.run(_serve(settings, load_identity(settings)))


@app.command()
def probe(
    kind: Annotated[str, typer.Argument(help="gm65, escpos, ef01, …")],
    port: Annotated[str, typer.Argument(help="The serial port, such as /dev/ttyUSB0.")],
    limit: Annotated[float, typer.Option(min=0.1, max=120, help="Seconds to wait.")] = 5.0,
) -> None:
    """Ask one peripheral through its driver; prints what it said as one JSON line.

    Exits 1 with a code and its advice where the peripheral does not answer as it should.
    """
    ask = probe_named(kind)
    try:
        found = asyncio.run(_asked(ask, port, limit))
    except OperatingError as error:
        sys.stdout.write(json.dumps({"error": error.to_wire(), "detail": error.detail}) + "\n")
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


@app.command()
def fingers(
    port: Annotated[str, typer.Argument(help="The sensor's port, such as /dev/ttyUSB0.")],
    enrol: Annotated[bool, typer.Option("--enrol", help="Enrol a finger by two touches.")] = False,
    slot: Annotated[int | None, typer.Option(help="Its slot; else the lowest free one.")] = None,
    delete: Annotated[int | None, typer.Option(help="Free this slot first.")] = None,
    password: Annotated[
        int, typer.Option(help="The sensor's own.", envvar="TILLWAY_SENSOR_PASSWORD")
    ] = 0,
    limit: Annotated[float, typer.Option(min=0.1, max=120, help="Seconds for a touch.")] = 15.0,
) -> None:
    """List the fingers on an EF01 sensor, enrol one, delete one; prints one JSON line.

    What to do with the finger is said on the error output. Exits 1 with a code and its advice
    where it does not work.
    """
    logs.configure()
    wish = Wish(enrols=enrol, slot=slot, deletes=delete)
    try:
        found = asyncio.run(tend_fingers(port, wish, password=password, limit_s=limit))
    except TillwayError as error:
        sys.stdout.write(json.dumps({"error": error.to_wire(), "detail": error.detail}) + "\n")
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(found) + "\n")


async def _asked(ask: Probe, port: str, limit_s: float) -> Found:
    return await ask(port, limit_s)


async def _serve(settings: Settings, identity: Identity) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_terminal(settings, identity) as running:
        ready = {
            "ready": True,
            "ports": running.ports,
            "token_file": running.token_file,
            "device": identity.name,
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        stopped = loop.create_task(stop.wait())
        await asyncio.wait({stopped, running.failed}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if running.failed.done():
            await running.failed
