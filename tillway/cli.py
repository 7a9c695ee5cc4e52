"""``tillway``: one console script. A sub-command imports its room only when it runs, so that a
terminal needs nothing of the backend's to be installed.
"""

import difflib
import gc
import importlib
import os
import signal
import sys
import threading
from dataclasses import dataclass
from importlib.metadata import version
from typing import NoReturn

import typer

from protocol.errors import CallerError, OperatingError, TillwayError
from tillway import refusals
from tillway.origin import how_to_install


@dataclass(frozen=True, slots=True)
class Room:
    """Where a sub-command lives and what must be installed for it."""

    module: str
    extra: str
    summary: str


PARENT_PIPE = "TILLWAY_PARENT_PIPE"
"""Set by a parent that wants the program to end when it ends itself, however that happens."""

COLLECTIONS_THAT_ARE_FEW = (50_000, 20, 50)
"""A program makes some hundred thousand objects while it starts and hardly one of them is garbage:
looking through them at Python's 700 takes a seventh of the backend's start. Backend and hub tune it
anew once they run."""

ROOMS: dict[str, Room] = {
    "demo": Room("tillway.demo.cli", "backend", "Play a shop's day on this machine."),
    "up": Room("tillway.demo.up", "backend", "Start the whole stack without the story."),
    "day": Room("tillway.demo.day_close", "backend", "Close the day of a running stack."),
    "open": Room("tillway.demo.opening", "backend", "Open the wallet or the console, once."),
    "phone": Room("tillway.demo.phone_book", "backend", "A customer's phone for a running stack."),
    "thing": Room(
        "tillway.demo.thing_cli",
        "backend",
        "Let a car charge or leave a car park, or buy at a machine.",
    ),
    "part": Room("tillway.demo.part_cli", "backend", "See which part runs, start one anew."),
    "backend": Room("backend.cli", "backend", "The payment backend."),
    "ledger": Room("backend.ledger.cli", "backend", "Look at the ledger and prove it."),
    "stamps": Room("backend.stamping.cli", "backend", "What a third party has time-stamped."),
    "shards": Room("backend.shards.cli", "backend", "The ledger over several databases."),
    "clearing": Room("tillway.clearing", "backend", "Close a day: clear, settle, pay out."),
    "merchant": Room("tillway.merchant", "backend", "Let a merchant's program call the backend."),
    "payment": Room("tillway.payment", "backend", "Find payments of all merchants."),
    "refund": Room("tillway.refund", "backend", "Find refunds, give money back."),
    "callback": Room("tillway.callback", "backend", "Find callbacks, send them again."),
    "console": Room("tillway.console", "backend", "Say who may sign in to the console."),
    "switch": Room("tillway.switches", "backend", "Stop new payments, and let them go on."),
    "audit": Room("tillway.audit", "backend", "Who of staff and operators did what."),
    "flows": Room("tillway.flows", "backend", "How often, well and fast the backend answers."),
    "risk": Room("tillway.risk.cli", "backend", "Judge payments, devices and accounts."),
    "sandbox": Room("backend.sandbox.cli", "backend", "The other institutions, simulated."),
    "hub": Room("hub.cli", "hub", "The store hub."),
    "terminal": Room("terminal.cli", "terminal", "A payment terminal or vending machine."),
    "sim": Room("firmware_sim.cli", "sim", "Simulated devices on real serial protocols."),
    "enroll": Room("tillway.enroll", "backend", "Give devices and hubs their identity."),
    "devices": Room("tillway.fleet.devices", "backend", "Find, tag and set devices."),
    "rollout": Room("tillway.fleet.rollout", "backend", "Bring a change to many devices."),
    "firmware": Room("tillway.fleet.firmware", "backend", "Bring firmware, follow devices."),
    "doctor": Room("tillway.doctor", "backend", "Say what this machine can do."),
}


_USAGE = "Usage: tillway COMMAND [ARGS]..."


def usage() -> str:
    """What ``tillway --help`` prints."""
    width = max(len(name) for name in ROOMS)
    rows = "\n".join(f"  {name:<{width}}  {room.summary}" for name, room in ROOMS.items())
    return (
        f"{_USAGE}\n\n"
        "Tillway: an open payment stack for shops and things.\n\n"
        f"Commands:\n{rows}\n\n"
        "  tillway COMMAND --help    what a command takes\n"
        "  tillway --version         the version\n"
    )


def main() -> None:
    """The entry point: an error of ours ends with its sentence in both languages, not a trace."""
    words = sys.argv[1:]
    gc.set_threshold(*COLLECTIONS_THAT_ARE_FEW)
    try:
        refusals.check_text(words)
    except CallerError as error:
        _refuse(refusals.told(error))
    if os.environ.get(PARENT_PIPE):
        threading.Thread(target=_end_with_parent, daemon=True).start()
    match words:
        case [] | ["-h" | "--help", *_]:
            sys.stdout.write(usage())
        case ["--version", *_]:
            sys.stdout.write(f"tillway {version('tillway')}\n")
        case [name, *rest] if name in ROOMS:
            _run(name, rest)
        case [name, *_]:
            near = difflib.get_close_matches(name, ROOMS, n=1)
            hint = f". Did you mean '{near[0]}'?" if near else ""
            unknown = CallerError("command_unknown", f"No such command '{name}'{hint}")
            _refuse(f"{_USAGE}\n{refusals.told(unknown)}")


def _end_with_parent() -> None:
    """Standard input is a pipe whose other end our parent holds: when it is gone, so are we."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _run(name: str, words: list[str]) -> None:
    room = ROOMS[name]
    try:
        app = importlib.import_module(room.module).app
    except ModuleNotFoundError as missing:
        needed = f"{missing.name}: {how_to_install(room.extra)}"
        _refuse(refusals.told(OperatingError("package_missing", needed)))
    # Of rich's own markup a bracket in a sentence would be lost, or end the help with a trace.
    app.rich_markup_mode = "markdown"
    try:
        code = app(args=words, prog_name=f"tillway {name}", standalone_mode=False)
    except TillwayError as error:
        _refuse(refusals.told(error))
    except typer.TyperException as error:
        _refuse(refusals.told_of_usage(error))
    except OSError as error:
        if error.filename is None:
            raise
        named = f"{error.filename}: {error.strerror}"
        _refuse(refusals.told(OperatingError("file_unusable", named)))
    except typer.Abort:
        sys.stderr.write("已中止。Aborted.\n")
        sys.exit(1)
    sys.exit(code or 0)


def _refuse(words: str) -> NoReturn:
    sys.stderr.write(words)
    sys.exit(2)
