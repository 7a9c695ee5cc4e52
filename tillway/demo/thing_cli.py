"""``tillway thing``: let a car charge or leave the car park, or press a key of the vending machine,
at a stack that is running. The front page's stories do the same, and so do the acts on the pages of
the simulated devices.
"""

import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.errors import CallerError
from protocol.money import Money
from tillway.demo.addresses import stack_in
from tillway.demo.at_work import Car, CarPark, Charger, VendingMachine
from tillway.demo.machines import COLUMNS, EXIT, VENDING, Goods
from tillway.demo.phone_book import DIRECTORY, Directory, phone_of
from tillway.demo.stack import CHARGER
from tillway.demo.till import ENDED, Till
from tillway.json_api import JsonApi

app = typer.Typer(
    help="Let a car charge or leave the car park, or buy at the machine, at a running stack.",
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
)  # fmt: skip
CHARGE_S_MAX = 3_600


class Stay(StrEnum):
    """Whose car leaves."""

    MANDATE = "mandate"
    CODE = "code"
    FREE = "free"


_CARS = {Stay.MANDATE: Car.WITH_MANDATE, Stay.CODE: Car.WITHOUT, Stay.FREE: Car.JUST_IN}


@app.command()
def charge(
    seconds: Annotated[int, typer.Option(min=1, max=CHARGE_S_MAX, help="How long.")] = 15,
    directory: Directory = DIRECTORY,
) -> None:
    """Plug in, tap the card, watch the cost, pull the cable out: paid under the mandate."""
    charger = _charger(directory)
    until, told = time.monotonic() + seconds, ""
    charger.plug_in()
    try:
        while (left_s := until - time.monotonic()) > 0:
            if (line := _metered(charger.newest())) != told:
                typer.echo(told := line)
            time.sleep(min(left_s, 1))
    finally:
        ended = charger.pull_out()
    typer.echo(_metered(ended))


@app.command()
def park(
    stay: Annotated[Stay, typer.Argument(help="How it pays.")] = Stay.MANDATE,
    directory: Directory = DIRECTORY,
) -> None:
    """Let a car drive in a while ago, come to the exit, pay, and drive out."""
    car_park, car = _car_park(directory), _CARS[stay]
    exit_ = car_park.exit
    car_park.turn_back()
    car_park.drive_in(car)
    if stay is Stay.FREE:
        car_park.drive_up(car)
    else:
        payment_id = exit_.next_sale(lambda: car_park.drive_up(car), "a car that pays")
        if stay is Stay.CODE:
            exit_.wait_sale(payment_id, "showing_qr", *ENDED)
            now_ms = time.time_ns() // 1_000_000
            phone_of(directory).pay_merchant_code(exit_.qr_picture(), now_ms=now_ms)
        sale = exit_.wait_sale(payment_id, *ENDED)
        typer.echo(f"{payment_id} {sale['state']} {sale['amount']}")
    typer.echo(f"arm {car_park.arm_up()}")
    car_park.drive_out()


@app.command()
def vend(
    item: Annotated[Goods, typer.Argument(help="What is bought.")] = Goods.TEA,
    directory: Directory = DIRECTORY,
) -> None:
    """Press a key of the vending machine: paid by the mandate, or by its code; the goods fall."""
    machine = VendingMachine(replace(_terminal(directory, VENDING), columns=COLUMNS))
    count = machine.given() + 1
    sale = machine.press(item)
    if sale["state"] == "showing_qr":
        now_ms = time.time_ns() // 1_000_000
        phone_of(directory).pay_merchant_code(machine.terminal.qr_picture(), now_ms=now_ms)
        sale = machine.terminal.wait_sale(sale["payment_id"], *ENDED)
    typer.echo(f"{sale['payment_id']} {sale['method']} {sale['state']} {sale['amount']}")
    if sale["state"] == "paid":
        machine.wait_given(count)
        typer.echo(f"{item} given")


def _charger(directory: Path) -> Charger:
    return Charger(JsonApi(_thing(directory, CHARGER)), JsonApi(stack_in(directory)["hub_url"]))


def _car_park(directory: Path) -> CarPark:
    return CarPark(_terminal(directory, EXIT))


def _terminal(directory: Path, name: str) -> Till:
    machine = JsonApi(_thing(directory, name))
    token = (directory / name / "control.token").read_text("ascii").strip()
    terminal = JsonApi(stack_in(directory)["terminals"][name], token=token)
    return Till(name, terminal, None, machine)


def _thing(directory: Path, name: str) -> str:
    things: dict[str, str] = stack_in(directory).get("things", {})
    if name not in things:
        raise CallerError("config_invalid", f"no {name} in {directory}; run: tillway up")
    return things[name]


def _metered(charge: dict[str, Any]) -> str:
    """A charge in a line."""
    cost = Money(int(charge["cost_minor"]), "CNY").decimal()
    return f"{charge['payment_id']} {charge['state']} {charge['energy_wh']} Wh {cost}"
