"""``tillway sandbox``: run the other institutions, each a process of its own, and steer them."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from backend.channels.address import Address
from backend.channels.signed_http import key_text
from backend.sandbox.config import Settings, load
from backend.sandbox.fleet import Institution, first_end, forked, ready
from backend.sandbox.institution import program
from backend.sandbox.institution.state_files import Neighbours, own_key
from backend.sandbox.registry import INSTITUTIONS, find
from backend.sandbox.remote import control, duration_ms
from protocol.errors import CallerError, OperatingError
from transport import logs
from transport.service_manager import say_ready

app = typer.Typer(
    help="The other institutions, simulated.", add_completion=False, no_args_is_help=True
)
Config = Annotated[Path | None, typer.Option(help="A TOML file.")]
Names = Annotated[list[str] | None, typer.Argument(help="Institutions; none: all of them.")]


@app.callback()
def sandbox() -> None:
    """The other institutions, simulated."""


@app.command()
def init(config: Config = None) -> None:
    """Make every institution's key, so that configurations can name them before anything runs."""
    settings = load(config)
    said = {name: key_text(own_key(settings.state_dir / name).public) for name in INSTITUTIONS}
    _say({"institutions": said})


@app.command()
def run(names: Names = None, config: Config = None) -> None:
    """Run one institution in this process, or several as children of it, until SIGTERM."""
    logs.configure()
    settings = load(config)
    wanted = {name: (find(name).build(), settings.place(name)) for name in names or INSTITUTIONS}
    match list(wanted.values()):
        case [(build, place)]:
            asyncio.run(program.run(build, place))
        case _:
            for name in wanted:
                own_key(settings.state_dir / name)
            with forked(wanted) as children:
                asyncio.run(_watch(children))


@app.command()
def status(config: Config = None) -> None:
    """Say of each institution whether it runs, where, at what time of its own, with what faults."""
    settings = load(config)
    rows: dict[str, object] = {}
    for name in INSTITUTIONS:
        try:
            address = Neighbours(settings.state_dir).find(name)
            armed = {key: n for key, n in control(address, "/control/faults").items() if n}
            own = control(address, "/control/clock")
        except OperatingError as error:
            rows[name] = {"runs": False, "why": error.detail}
        else:
            rows[name] = {"runs": True, "ports": dict(address.ports), "faults": armed, **own}
    _say(rows)


@app.command()
def faults(
    name: Annotated[str, typer.Argument(help="An institution.")],
    switches: Annotated[
        list[str] | None, typer.Argument(help="switch=count …; none: look.")
    ] = None,
    config: Config = None,
) -> None:
    """Arm fault switches: how many of the coming requests each shall strike."""
    address = _address(load(config), name)
    counts = dict(_switch(text) for text in switches or [])
    _say(control(address, "/control/faults", counts or None))


@app.command()
def clock(
    names: Names = None,
    advance: Annotated[str, typer.Option(help="How far: 90s, 15m, 2h, 1d, 1d2h.")] = "0s",
    config: Config = None,
) -> None:
    """Put the institutions' own clocks forward, one after the other, and say what they show."""
    settings = load(config)
    body = {"advance_ms": duration_ms(advance)}
    addresses = [_address(settings, name) for name in names or INSTITUTIONS]
    _say({address.name: control(address, "/control/clock", body) for address in addresses})


async def _watch(children: Mapping[str, Institution]) -> None:
    """Say when all are ready; they go on until we are told to stop or one of them ends."""
    say_ready({"institutions": await ready(children)})
    told, ended = (
        asyncio.ensure_future(program.told_to_stop()),
        asyncio.ensure_future(first_end(children)),
    )
    await asyncio.wait([told, ended], return_when=asyncio.FIRST_COMPLETED)
    if ended.done() and not told.done():
        raise await ended


def _address(settings: Settings, name: str) -> Address:
    find(name)
    return Neighbours(settings.state_dir).find(name)


def _switch(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if not count.isdecimal():
        raise CallerError("field_invalid", f"{text[:60]}: switch=count")
    return name, int(count)


def _say(said: object) -> None:
    sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
