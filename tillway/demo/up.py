"""``tillway up``: the whole stack without the story; it keeps its state and serves until Ctrl-C."""

import contextlib
import secrets
import shlex
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from protocol.identity import TlsProfileName
from tillway.demo.addresses import PLACE_FILE, leave_addresses, leave_front
from tillway.demo.machines import start_charger, start_exit, start_vending
from tillway.demo.payers import card_of, new_phone
from tillway.demo.phone import Phone
from tillway.demo.phone_book import PHONE_FILE, keep_phone, kept_phone, phone_of
from tillway.demo.ports import HOST, Ports
from tillway.demo.single import alone, signals_raise
from tillway.demo.stack import HUB, MERCHANT, OPERATOR_TOKEN, TLS_HELP, Say, Stack
from tillway.demo.till_staff import staff_of
from tillway.front.limits import TOKEN_BYTES
from tillway.front.server import front_page
from tillway.front.shop import shop_of, wallet_url
from tillway.supervisor import Supervisor

app = typer.Typer(
    help="Start the whole stack without the story.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
DIRECTORY = Path("var/up")
FIRST_BALANCE_MINOR = 300_000
_SELLS_BY = ("mandate", "merchant_qr")
"""How the vending machine is paid: by its owner's mandate, and beyond its limits by a code."""
CARD_OPENING_MINOR = 1_000_000
"""On the bank card that the wallet may add by its number."""


@app.callback(invoke_without_command=True)
def up(
    *,
    directory: Annotated[Path, typer.Option(help="Where its state is kept.")] = DIRECTORY,
    backend_port: Annotated[int, typer.Option(help="The backend's pages; 0 is any.")] = 8443,
    hub_port: Annotated[int, typer.Option(help="The hub's page; 0 is any.")] = 8480,
    till_port: Annotated[int, typer.Option(help="The till's page; 0 is any.")] = 8580,
    front_port: Annotated[int, typer.Option(help="The front page; 0 is any.")] = 8400,
    tls: Annotated[TlsProfileName, typer.Option(help=TLS_HELP)] = "p256",
) -> None:
    """Institutions, backend, hub and one till with simulated devices, until Ctrl-C."""
    console = Console()
    directory = directory.absolute()
    ports = Ports(backend_public=backend_port, hub_http=hub_port, till=till_port)
    with (
        alone(directory),
        signals_raise(),
        contextlib.suppress(KeyboardInterrupt),
        running_stack(directory, ports, console.print, tls) as stack,
    ):
        serve_pages(console, stack, front_port)


@contextlib.contextmanager
def running_stack(
    directory: Path, ports: Ports, say: Say, tls_profile: TlsProfileName = "p256"
) -> Iterator[Stack]:
    """The whole stack with one till, an EV charger, a car park's exit, a vending machine, and a
    phone that has money, for the length of the block."""
    stack = Stack(directory, ports, say, tls_profile=tls_profile, has_charger=True)
    try:
        stack.start_core()
        leave_addresses(stack)
        if kept_phone(directory) is None:
            keep_phone(directory, _payer(stack))
        owner = phone_of(directory)
        stack.sandbox.open_card(owner.card_number(), owner.name, CARD_OPENING_MINOR)
        coap = stack.programs[HUB].port("coap")
        with ThreadPoolExecutor() as pool:
            started = (
                pool.submit(stack.start_till, "pos-1"),
                pool.submit(start_exit, stack, owner, {}),
                pool.submit(start_charger, stack, owner),
                pool.submit(start_vending, stack, owner, hub_port=coap, methods=_SELLS_BY),
            )
        for each in started:
            each.result()
        leave_addresses(stack)
        yield stack
    finally:
        stack.stop()


def _payer(stack: Stack) -> Phone:
    """A payer with money, and the card that it came from: for more, and to take some out."""
    phone = new_phone(stack, "张三", FIRST_BALANCE_MINOR)
    token = f"agr_{secrets.token_hex(5)}"
    stack.sandbox.agree(card_of(phone), token=token)
    phone.add_instrument("card", token, now_ms=stack.now_ms())
    return phone


def serve_pages(console: Console, stack: Stack, front_port: int) -> None:
    """Serve the front page and say where everything is, until a signal comes."""
    say: Say = partial(console.print, soft_wrap=True, markup=False, highlight=False)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with (
        Supervisor(stack, say, stack.root / "logs") as supervisor,
        front_page(shop_of(stack, supervisor), front_port, token) as url,
    ):
        leave_front(stack.root, url, token)
        say("The pages stay up until Ctrl-C; a part that ends is started anew. Begin here:")
        say(f"  front     {url}     what runs, and a first payment in five steps")
        _show_pages(say, stack)
        signal.pause()


def _show_pages(say: Say, stack: Stack) -> None:
    """Where to look, and how to pay."""
    till = f"http://{HOST}:{stack.programs['pos-1'].port('http')}"
    say(f"  till      {till}/        the customer's side {till}/customer")
    people = staff_of(stack.root, "pos-1")
    pins = ", ".join(f"{name} {pin}" for name, pin in people.items())
    say(f"            its staff sign in with these PINs: {pins}")
    say(f"  hub       http://{HOST}:{stack.programs[HUB].port('http')}/")
    say(f"  backend   {stack.public_url}/     (any name; password: the text in")
    say(f"            {stack.root / OPERATOR_TOKEN})")
    command = Path(sys.executable).with_name("tillway")
    _show_doors(say, stack, command)
    say("Key in an amount on the till, then pay as a customer's phone would, from here:")
    say(f"  {command} phone show --directory {stack.root}")
    say("    (after 扫顾客码 Scan the payer's code), or")
    say(f"  {command} phone scan --directory {stack.root}")
    say("    (after 出示收款码 Show our QR code)")
    say("Settlements, bills and the reserve's test come when the day is closed:")
    say(f"  {command} day close --directory {stack.root}")


def _show_doors(say: Say, stack: Stack, command: Path) -> None:
    """The pages that ask who is there, and what to tell them."""
    bench = stack.programs["pos-1-board"].port("http")
    say(f"  bench     http://{HOST}:{bench}/bench     the simulated devices")
    say(f"  wallet    {wallet_url(stack)}     (its token and PIN: in")
    say(f"            {stack.root / PHONE_FILE})")
    say(f"  console   {stack.public_url}/console")
    say("            The front page opens both by one press, and so does a link, once:")
    say(f"            {command} open wallet --directory {stack.root}")
    say(f"            {command} open operator --directory {stack.root}     (or: merchant)")
    say("            A bank card for the wallet, and the newest code of its bank:")
    say(f"            {command} phone card --directory {stack.root}")
    say("            More people for the console, from a shell:")
    say(f"            . {shlex.quote(str(stack.root / PLACE_FILE))}")
    say(f"            {command} console user add NAME --role operator")
    say(f"            or with --role merchant --merchant {MERCHANT};")
    say("            the first line tells every operator's command where the backend is")
