"""``tillway phone``: a customer's phone on the command line, for a stack that is running.

The stack leaves here (mode 0600) what the phone must know; a real wallet keeps it in the phone.
"""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from faces.tables import list_lines
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError
from tillway.demo.addresses import stack_in
from tillway.demo.phone import Phone, draw_qr, read_qr
from tillway.demo.purse import Purse, keep_purse, next_token
from tillway.demo.sandbox import NETSUNION
from tillway.demo.till import Till
from tillway.json_api import JsonApi
from tillway.private_files import write_files

app = typer.Typer(
    help="A customer's phone for a running stack.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
PHONE_FILE = "phone.json"
Directory = Annotated[Path, typer.Option(help="Where the stack's state is.")]
DIRECTORY = Path("var/up")
CLOCK_SLACK_MS = 60_000
_LEADS_TO = {
    "scanning": "扫顾客码 Scan the payer's code",
    "qr": "出示收款码 Show our QR code",
    "offline_scan": "离线付款 Pay offline",
}
"""The button that leads to a till's screen."""


@app.command()
def show(directory: Directory = DIRECTORY, till: str = "pos-1") -> None:
    """Show a pay code to a till's scanner (press 扫顾客码 Scan the payer's code there first)."""
    shown = _asking(_till(directory, till), "scanning")
    shown.present(phone_of(directory).pay_code_picture())
    typer.echo(_outcome(shown.wait_screen("paid", "declined", "unknown", "verifying")))


@app.command()
def scan(directory: Directory = DIRECTORY, till: str = "pos-1") -> None:
    """Scan the code that a till shows (press 出示收款码 Show our QR code there first), and pay."""
    shown = _asking(_till(directory, till), "qr")
    phone_of(directory).pay_merchant_code(shown.qr_picture(), now_ms=_now_ms())
    typer.echo(_outcome(shown.wait_screen("paid", "declined", "unknown")))


@app.command("take-along")
def take_along(amount_minor: int, directory: Directory = DIRECTORY) -> None:
    """Set money aside (in minor units) for a day without a line; the PIN is given."""
    phone = phone_of(directory)
    voucher_id = phone.take_along(amount_minor, now_ms=_now_ms())
    voucher = phone.vouchers[-1]
    keep_purse(directory, Purse(voucher))
    typer.echo(voucher_id)
    if voucher["valid_from_ms"] > _now_ms() + CLOCK_SLACK_MS:
        typer.echo("by the tills' clocks it is not valid yet: the backend's is ahead", err=True)


@app.command("pay-offline")
def pay_offline(directory: Directory = DIRECTORY, till: str = "pos-1") -> None:
    """Pay at a till without a line (press 离线付款 Pay offline there first) by what was taken
    along: its picture is read, signed for, and shown to its scanner. Nobody is asked."""
    shown = _asking(_till(directory, till), "offline_scan")
    phone, wish = phone_of(directory), read_qr(shown.qr_picture())
    voucher, number = next_token(directory)
    shown.present(draw_qr(phone.sign_token(voucher, wish, number=number, now_ms=_now_ms())))
    typer.echo(_outcome(shown.wait_screen("accepted_offline", "declined", "choosing")))


@app.command()
def pay(content: str, directory: Directory = DIRECTORY) -> None:
    """Pay what a merchant's program asks for: the text of its code, or its page's or app's link."""
    typer.echo(_paid(phone_of(directory).pay_content(content, now_ms=_now_ms())))


@app.command()
def code(directory: Directory = DIRECTORY) -> None:
    """Print the digits of a pay code, for a merchant's program to take."""
    typer.echo(phone_of(directory).pay_code())


@app.command()
def confirm(payment_id: str, directory: Directory = DIRECTORY) -> None:
    """Give the PIN for a payment by code that waits for it (asked lists them)."""
    typer.echo(_paid(phone_of(directory).confirm_asked(payment_id, now_ms=_now_ms())))


@app.command()
def asked(directory: Directory = DIRECTORY) -> None:
    """The payments by code that wait for the PIN: which, and how much, in minor units."""
    asked = phone_of(directory).asked()
    list_lines(f"{one['payment_id']} {one['amount_minor']}" for one in asked)


@app.command()
def sign(
    proposal_id: str,
    directory: Directory = DIRECTORY,
    *,
    is_service: Annotated[bool, typer.Option("--service", help="It is an order_id.")] = False,
) -> None:
    """Agree to a contract (its pre_entrustweb_id), or to a service that is paid when it is done."""
    place = f"services/{proposal_id}/confirm" if is_service else f"contracts/{proposal_id}/sign"
    answer = phone_of(directory).agree(f"/wallet/v1/{place}")
    typer.echo(json.dumps(answer, ensure_ascii=False))


@app.command()
def wallet(
    path: str,
    body: Annotated[str, typer.Argument()] = "",
    directory: Directory = DIRECTORY,
) -> None:
    """Ask the wallet's interface, as /wallet/v1/openid: a GET, or a POST of this JSON text."""
    api = phone_of(directory).api
    answer = api.post(path, json.loads(body)) if body else api.get(path)
    typer.echo(json.dumps(answer, ensure_ascii=False))


@app.command()
def card(directory: Directory = DIRECTORY) -> None:
    """The bank card that the wallet may add: its number, and the newest code that its simulated
    bank has sent."""
    number = phone_of(directory).card_number()
    bank = JsonApi(stack_in(directory)["institutions"][NETSUNION])
    code = bank.get(f"/control/texts/{number}")["code"]
    typer.echo(f"{number} {code or '-'}")


@app.command()
def balance(directory: Directory = DIRECTORY) -> None:
    """What the wallet has, in minor units."""
    typer.echo(phone_of(directory).balance_minor())


def keep_phone(directory: Path, phone: Phone) -> None:
    """Leave a phone's secrets for the commands above."""
    content = {
        "payer_id": phone.payer_id,
        "name": phone.name,
        "token": phone.api.token,
        "pin": phone.pin,
        "key": phone.key.private_bytes().hex(),
        "suite": phone.key.suite.name,
        "code_secret": phone.code_secret.hex(),
        "code_route": phone.code_route,
    }
    write_files(directory, {PHONE_FILE: json.dumps(content).encode()})


def kept_phone(directory: Path) -> dict[str, Any] | None:
    """The phone that was left in this directory, if any."""
    path = directory / PHONE_FILE
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def phone_of(directory: Path) -> Phone:
    kept, stack = kept_phone(directory), stack_in(directory)
    if kept is None:
        raise CallerError("config_invalid", f"no phone in {directory}; run: tillway up")
    return Phone(
        payer_id=kept["payer_id"],
        name=kept["name"],
        api=JsonApi(stack["public_url"], Path(stack["ca"]), kept["token"]),
        key=SigningKey.from_private(kept["suite"], bytes.fromhex(kept["key"])),
        pin=kept["pin"],
        code_secret=bytes.fromhex(kept["code_secret"]),
        code_route=int(kept["code_route"]),
    )


def _till(directory: Path, name: str) -> Till:
    tills = stack_in(directory)["tills"]
    if name not in tills:
        raise CallerError("config_invalid", f"no till {name}; there are: {', '.join(tills)}")
    token = (directory / name / "control.token").read_text("ascii").strip()
    found = tills[name]
    return Till(name, JsonApi(found["url"], token=token), JsonApi(found["board_url"]))


def _asking(till: Till, kind: str) -> Till:
    """The till, if it waits for just this; else a sentence that says what it shows, and what leads
    there."""
    screen = till.screen()
    if screen["kind"] != kind:
        first = f"key in an amount there and press {_LEADS_TO[kind]}"
        raise CallerError("payment_state", f"{till.name} shows: {screen['title']['en']}; {first}")
    return till


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _paid(answer: dict[str, Any]) -> str:
    error = answer.get("error") or {}
    words = [error[name] for name in ("zh", "en") if name in error]
    return " · ".join([f"{answer['payment_id']} {answer['state']}", *words])


def _outcome(screen: dict[str, Any]) -> str:
    error = screen["error"] or {"words": {}}
    words = [screen["title"]["zh"], screen["title"]["en"], *error["words"].values()]
    return " · ".join(words)
