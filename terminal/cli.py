"""``tillway terminal``: run a till or a vending machine."""

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from protocol import emvco
from protocol.errors import CallerError, TillwayError, advice
from protocol.framing.limits import MCUBOOT_IMAGE_BYTES_MAX
from protocol.identity import Identity
from terminal import logs
from terminal.adapters.smp_board import SmpSerialBoard
from terminal.adapters.telium_pinpad import TeliumPinPad
from terminal.board_update import BoardUpdate, Updated
from terminal.bootstrap import RunningTerminal, load_identity
from terminal.config import ScanSection, Settings, load
from terminal.counter.tending import StaffWish, tend_staff
from terminal.fingers import Wish, tend_fingers
from terminal.ports import CardOutcome
from terminal.probes import Found, Probe, probe_named
from terminal.serving import serve
from transport.service_manager import say_ready, watched

_CARD_EXITS = {"approved": 0, "declined": 1, "unknown": 3}
app = typer.Typer(
    help="A payment terminal or vending machine.", add_completion=False, no_args_is_help=True
)


@app.callback()
def terminal() -> None:
    """A payment terminal: scanner, printer, sensor on one side, the store's hub on the other."""
    logs.configure()


@app.command()
def run(config: Annotated[Path, typer.Option(help="The terminal's TOML file.")]) -> None:
    """Run until SIGTERM. Prints one JSON line with its ports when it is ready."""
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
    except TillwayError as error:
        said = {"error": error.to_wire(), "detail": error.detail}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


@app.command("read-code")
def read_code(
    text: Annotated[str, typer.Argument(help="What a scanner read.")],
    config: Annotated[Path | None, typer.Option(help="The terminal's TOML file.")] = None,
) -> None:
    """Say what a till makes of a scanned text; prints one JSON line, without the text.

    Exits 1 with the cashier's sentence where it is no pay code that is taken here.
    """
    scan = ScanSection() if config is None else load(config).scan
    found = scan.table().find(text)
    said: dict[str, object] = {"wallet": found.wallet, "use": found.use}
    if found.use == "emvco_merchant_code":
        said["merchant"] = asdict(emvco.parse(found.text))
    if found.error_code is not None:
        sentence = advice(found.error_code)
        said["error"] = {"code": sentence.code, "zh": sentence.zh, "en": sentence.en}
    sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    raise typer.Exit(0 if found.error_code is None else 1)


@app.command("merchant-code")
def merchant_code(
    name: Annotated[str, typer.Option(help="The merchant's name, 25 characters at most.")],
    city: Annotated[str, typer.Option(help="Its city, 15 characters at most.")],
    scheme: Annotated[str, typer.Option(help="Whose account it is: a reversed domain.")],
    account: Annotated[str, typer.Option(help="The account at that scheme.")],
    category: Annotated[str, typer.Option(help="The merchant's category, four digits.")] = "5411",
    amount: Annotated[
        str | None, typer.Option(help="Yuan, such as 12.80; else the payer's.")
    ] = None,
) -> None:
    """Print the text of an EMVCo merchant-presented code in yuan, for a QR code on the counter."""
    code = emvco.MerchantCode(
        accounts=((26, emvco.write_objects([(0, scheme), (1, account)])),),
        category=category,
        currency="156",
        country="CN",
        name=name,
        city=city,
        amount=amount,
        is_dynamic=amount is not None,
    )
    sys.stdout.write(emvco.make(code) + "\n")


@app.command()
def staff(
    config: Annotated[Path, typer.Option(help="The terminal's TOML file.")],
    hire: Annotated[str | None, typer.Option(help="The name of a new member of staff.")] = None,
    supervisor: Annotated[bool, typer.Option("--supervisor", help="Who may also sign.")] = False,
    new_pin: Annotated[str | None, typer.Option(help="Whose PIN is to be another one.")] = None,
    leave: Annotated[str | None, typer.Option(help="Who works here no longer.")] = None,
    own: Annotated[bool, typer.Option("--own", help="That person types the PIN.")] = False,
    acts: Annotated[bool, typer.Option("--acts", help="What was done, and by whom.")] = False,
) -> None:
    """List the till's staff, hire somebody, renew a PIN, or let somebody go.

    A PIN is asked for, or read as one line from a pipe; it is never an argument, which other
    people's programs could see. Prints one JSON line. May be used while the till runs, and needs
    no supervisor's PIN: it is the way back in where the last supervisor has forgotten one. Who has
    a PIN that was not typed with --own chooses another at the next sign-in.
    """
    wish = StaffWish(
        hires=hire, is_supervisor=supervisor, renews=new_pin, leaves=leave, is_own_pin=own,
        looks_back=acts,
    )  # fmt: skip
    found = tend_staff(load(config).state_dir, wish, ask_pin)
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


def ask_pin() -> str:
    """From a person, twice, or from a pipe, once."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    pin: str = typer.prompt("PIN", hide_input=True, confirmation_prompt=True)
    return pin


@app.command()
def fingers(
    port: Annotated[str, typer.Argument(help="The sensor's port, such as /dev/ttyUSB0.")],
    enrol: Annotated[bool, typer.Option("--enrol", help="Enrol a finger by two touches.")] = False,
    slot: Annotated[int | None, typer.Option(help="Its slot; else the lowest free one.")] = None,
    delete: Annotated[int | None, typer.Option(help="Free this slot first.")] = None,
    password: Annotated[
        int,
        typer.Option(
            min=0, max=0xFFFF_FFFF, help="The sensor's own.", envvar="TILLWAY_SENSOR_PASSWORD"
        ),
    ] = 0,
    limit: Annotated[float, typer.Option(min=0.1, max=120, help="Seconds for a touch.")] = 15.0,
) -> None:
    """List the fingers on an EF01 sensor, enrol one, delete one; prints one JSON line.

    What to do with the finger is said on the error output. Exits 1 with a code and its advice
    where it does not work.
    """
    wish = Wish(enrols=enrol, slot=slot, deletes=delete)
    try:
        found = asyncio.run(tend_fingers(port, wish, password=password, limit_s=limit))
    except TillwayError as error:
        said = {"error": error.to_wire(), "detail": error.detail}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(found) + "\n")


@app.command()
def card(
    port: Annotated[str, typer.Argument(help="The PIN pad's port, such as /dev/ttyACM0.")],
    amount_minor: Annotated[int, typer.Argument(min=1, help="1280 is 12.80.")],
    currency: Annotated[str, typer.Option(help="CNY, EUR, …")] = "CNY",
    refund: Annotated[bool, typer.Option(help="Give back instead of taking.")] = False,
    limit: Annotated[float, typer.Option(min=1, max=300, help="Seconds for the payer.")] = 120,
) -> None:
    """Let a card pay at a PIN pad on Protocol E; prints the outcome as one JSON line.

    Exits 0 if approved, 1 if nothing was paid, 3 if nobody can tell.
    """
    try:
        outcome = asyncio.run(_carded(port, amount_minor, currency, refund=refund, limit_s=limit))
    except TillwayError as error:
        sys.stdout.write(json.dumps({"error": error.to_wire(), "detail": error.detail}) + "\n")
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
    raise typer.Exit(_CARD_EXITS[outcome.result])


@app.command()
def firmware(
    port: Annotated[str, typer.Argument(help="The board's port, such as /dev/ttyACM0.")],
    image: Annotated[Path, typer.Argument(help="The signed MCUboot image.")],
) -> None:
    """Renew a controller board's firmware: upload, try out, and confirm once it answers.

    Prints one JSON line. Say the same again after a power cut: it goes on where it was. Exits 1
    with a code where the board refuses or goes back to its old firmware.
    """
    try:
        updated = asyncio.run(_updated(port, image))
    except TillwayError as error:
        said = {"error": error.to_wire(), "detail": error.detail}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(asdict(updated)) + "\n")


async def _updated(port: str, image: Path) -> Updated:
    try:
        with image.open("rb") as file:
            data = file.read(MCUBOOT_IMAGE_BYTES_MAX)
    except OSError as error:
        raise CallerError("firmware_file_invalid", f"{image}: {error.strerror}") from None
    board = SmpSerialBoard(port)
    try:
        return await BoardUpdate(board, data, asyncio.sleep).run()
    finally:
        await board.aclose()


async def _carded(
    port: str, amount_minor: int, currency: str, *, refund: bool, limit_s: float
) -> CardOutcome:
    pinpad = TeliumPinPad(port)
    try:
        act = pinpad.refund if refund else pinpad.pay
        return await act(amount_minor, currency, timeout_s=limit_s)
    finally:
        await pinpad.aclose()


async def _asked(ask: Probe, port: str, limit_s: float) -> Found:
    return await ask(port, limit_s)


async def _serve(settings: Settings, identity: Identity) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with watched():
        await serve(settings, identity, stop, _say_ready)


def _say_ready(running: RunningTerminal) -> None:
    say_ready(
        {
            "ports": running.ports,
            "token_file": running.token_file,
            "device": running.agent.profile.tid,
        }
    )
