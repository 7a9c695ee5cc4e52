"""``tillway hub``: run the store gateway."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from hub import logs
from hub.bootstrap import load_identity, running_hub
from hub.coap import key_cli
from hub.config import Settings, load
from hub.firmware.store import FIRMWARE_DIRECTORY, kept_files
from hub.ocpp.bootstrap import JOURNAL_NAME
from hub.ocpp.early import shown_end
from hub.ocpp.journal import ChargeJournal, open_journal
from hub.ocpp.limits import TAG_CHARS_MAX
from hub.shell_limits import STOP_TIMEOUT_S
from hub.stopping import limit_stop, note_loop_error
from protocol import ids
from protocol.errors import CallerError
from protocol.identity import Identity
from transport.service_manager import say_ready, watched

app = typer.Typer(help="The store hub.", add_completion=False, no_args_is_help=True)
app.add_typer(key_cli.app, name="coap-key")


@app.callback()
def hub() -> None:
    """The store hub: terminals on one side, the backend on the other, a spool between."""


@app.command()
def run(config: Annotated[Path, typer.Option(help="The hub's TOML file.")]) -> None:
    """Run until SIGTERM. Prints one JSON line with its ports when it is ready."""
    logs.configure()
    settings = load(config)
    identity = load_identity(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, identity))


@app.command()
def tag(
    charger: Annotated[str, typer.Argument(help="The charger's name.")],
    tag: Annotated[str, typer.Argument(help="What the card or the car says.")],
    mandate: Annotated[str, typer.Argument(help="Its mandate; left out: it pays no more.")] = "",
    *,
    config: Annotated[Path, typer.Option(help="The hub's TOML file.")],
) -> None:
    """Let a card pay by a mandate at a charger, from the next tap on."""
    settings = load(config)
    if charger not in {one.name for one in settings.ocpp.chargers}:
        raise CallerError("field_invalid", "no such charger")
    if mandate and not ids.is_id(mandate, prefix=ids.MANDATE):
        raise CallerError("id_invalid", "mandate_id")
    if not 0 < len(tag) <= TAG_CHARS_MAX:
        raise CallerError("field_invalid", "tag")
    with _charges(settings) as journal:
        journal.bind_tag(charger, tag, mandate or None)
    sys.stdout.write(json.dumps({"charger": charger, "mandate_id": mandate or None}) + "\n")


@app.command()
def unread(
    *,
    config: Annotated[Path, typer.Option(help="The hub's TOML file.")],
    forget: Annotated[bool, typer.Option("--forget", help="They are seen: keep none.")] = False,
) -> None:
    """Show what chargers said and nobody could read, oldest first, a JSON line each."""
    with _charges(load(config)) as journal, journal.transaction():
        found = journal.unread()
        if forget:
            journal.forget_unread()
    for one in found:
        sys.stdout.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")


@app.command()
def early_ends(*, config: Annotated[Path, typer.Option(help="The hub's TOML file.")]) -> None:
    """Show the ends of transactions that chargers have said and whose beginning has not come,
    oldest first, a JSON line each: nobody pays for them until it comes or somebody settles them."""
    with _charges(load(config)) as journal:
        for one in journal.early_ends():
            sys.stdout.write(json.dumps(shown_end(one), ensure_ascii=False) + "\n")


@app.command()
def settle_end(
    charger: Annotated[str, typer.Argument(help="The charger's name.")],
    transaction: Annotated[str, typer.Argument(help="What the charger calls it.")],
    *,
    config: Annotated[Path, typer.Option(help="The hub's TOML file.")],
    card: Annotated[str, typer.Option(help="Whose card it was, if the end does not say.")] = "",
    start_wh: Annotated[int | None, typer.Option(help="The meter at the beginning.")] = None,
    end_wh: Annotated[int | None, typer.Option(help="The meter at the end.")] = None,
    waive: Annotated[bool, typer.Option("--waive", help="Nobody pays.")] = False,
) -> None:
    """Say who pays for an end whose beginning stays away, and for how much energy. The running hub
    does it within seconds, once: `GET /charges` shows how it went. A beginning that still comes
    changes nothing any more."""
    settings = load(config)
    with _charges(settings) as journal, journal.transaction():
        early = journal.early_end(charger, transaction)
        if early is None or charger not in {one.name for one in settings.ocpp.chargers}:
            raise CallerError("field_invalid", "no end waits there: see `tillway hub early-ends`")
        if waive:
            settled = early.waived()
        else:
            settled = early.settled(tag=card, start_wh=start_wh, end_wh=end_wh)
            if journal.mandate_of(charger, settled.tag) is None:
                raise CallerError("payer_unknown", "the card pays by no mandate: `tillway hub tag`")
        journal.settle_end(settled)
    sys.stdout.write(json.dumps(shown_end(settled), ensure_ascii=False) + "\n")


@contextmanager
def _charges(settings: Settings) -> Iterator[ChargeJournal]:
    journal = ChargeJournal(open_journal(settings.state_dir / JOURNAL_NAME))
    try:
        yield journal
    finally:
        journal.close()


@app.command()
def firmware(*, config: Annotated[Path, typer.Option(help="The hub's TOML file.")]) -> None:
    """Read every firmware file that is kept and compare it with its digest, a JSON line each; exit
    code 1 if one is damaged. The hub fetches such a file anew when the next device asks."""
    settings = load(config)
    is_whole = True
    for one in kept_files(settings.state_dir / FIRMWARE_DIRECTORY):
        is_whole &= one.is_whole
        sys.stdout.write(json.dumps(asdict(one)) + "\n")
    if not is_whole:
        raise typer.Exit(1)


async def _serve(settings: Settings, identity: Identity) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(note_loop_error)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with watched(), running_hub(settings, identity) as running:
        say_ready({"ports": running.ports})
        await stop.wait()
        limit_stop(STOP_TIMEOUT_S)  # never cancelled: it bounds what follows this function, too
