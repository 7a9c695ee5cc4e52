"""Machines that pay by themselves, or are paid at: a vending machine, an EV charger, an exit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from tillway.demo.at_work import CARD, STAYED_MINUTES, Car, Charger
from tillway.demo.phone import Phone
from tillway.demo.ports import HOST
from tillway.demo.stack import CHARGER, HUB, MERCHANT, PASSWORD, Stack
from tillway.demo.till import Till
from tillway.private_files import passphrase_in
from tillway.processes import said_by

VENDING, EXIT = "vend-1", "exit-1"


class Goods(StrEnum):
    """What the vending machine sells."""

    TEA = "tea"
    COFFEE = "coffee"
    GUM = "gum"
    BOX = "box"


ITEMS: list[dict[str, Any]] = [
    {"item": Goods.TEA, "zh": "茶", "en": "Tea", "amount_minor": 350},
    {"item": Goods.COFFEE, "zh": "咖啡", "en": "Coffee", "amount_minor": 900},
    {"item": Goods.GUM, "zh": "口香糖", "en": "Gum", "amount_minor": 100},
    {"item": Goods.BOX, "zh": "礼盒", "en": "Gift box", "amount_minor": 5_000},
]
COLUMNS = {str(item["item"]): number for number, item in enumerate(ITEMS, 1)}
"""Where each hangs in the machine."""
CHARGER_POWER_W = 300_000


PARKING = {"per_minute_minor": 10, "free_minutes": 15, "day_minor_max": 6_000}


def start_vending(
    stack: Stack, owner: Phone, *, hub_port: int, methods: Sequence[str] = ("mandate",)
) -> Till:
    """A vending machine that pays by itself over CoAP; its goods hang on the vending bus."""
    stack.enrol(VENDING, "thing")
    mandate_id = _mandate(stack, owner, VENDING, payment_minor=1_000, day_minor=2_000)
    prices = {COLUMNS[str(item["item"])]: {"price_minor": item["amount_minor"]} for item in ITEMS}
    machine = f"{VENDING}-machine"
    stack.start_machine(machine, {"mdb": {"kind": "qibixx", "machine": {"columns": prices}}})
    settings = {
        "profile": "vending",
        "hub": {"transport": "coap", "host": HOST, "port": hub_port},
        "devices": {"mdb": str(stack.root / machine / "dev" / "mdb")},
        "vending": {
            "mandate_id": mandate_id,
            "methods": list(methods),
            "items": [item | {"column": COLUMNS[str(item["item"])]} for item in ITEMS],
        },
    }
    stack.start_terminal(VENDING, settings)
    return vending_of(stack)


def vending_of(stack: Stack) -> Till:
    """The terminal in the vending machine, whose keys are known."""
    return replace(stack.till(VENDING), columns=COLUMNS)


def start_exit(
    stack: Stack, owner: Phone, cars: Mapping[Car, int] = MappingProxyType(STAYED_MINUTES)
) -> Till:
    """A car park's exit and the terminal behind it; the owner's car has a mandate. ``cars`` are in
    since so many minutes."""
    stack.enrol(EXIT, "thing")
    mandate_id = _mandate(stack, owner, EXIT, payment_minor=5_000, day_minor=10_000)
    machine = f"{EXIT}-machine"
    clock = datetime.fromtimestamp(stack.now_ms() // 1000, UTC).isoformat()
    gate = {"kind": "gate", "clock": clock, "cars": dict(cars)}
    stack.start_machine(machine, {"gate": gate})
    settings: dict[str, Any] = {
        "profile": "parking",
        "hub": stack.mqtt,
        "devices": {"gate": str(stack.root / machine / "dev" / "gate")},
        "parking": {**PARKING, "mandates": {str(Car.WITH_MANDATE.value): mandate_id}},
    }
    stack.start_terminal(EXIT, settings)
    return stack.till(EXIT)


def start_charger(stack: Stack, owner: Phone) -> Charger:
    """A simulated charger that has dialled the hub, and its owner's card; its acts."""
    mandate_id = _mandate(stack, owner, CHARGER, payment_minor=5_000, day_minor=10_000)
    said_by("hub", "tag", CHARGER, CARD, mandate_id, "--config", str(stack.root / f"{HUB}.toml"))
    password = passphrase_in(stack.charger_home / PASSWORD).decode("ascii")
    port = stack.programs[HUB].port("ocpp")
    charger = {
        "kind": "ocpp16",
        "transport": f"ws://{CHARGER}:{password}@{HOST}:{port}/ocpp/{CHARGER}",
        "power_w": CHARGER_POWER_W,
        "model": "DC300",
    }
    acts = stack.start_machine(f"{CHARGER}-machine", {"charger": charger})
    return Charger(acts, stack.hub_control)


def _mandate(stack: Stack, owner: Phone, device: str, *, payment_minor: int, day_minor: int) -> str:
    """The device's mandate: the one that stands, or a new one."""
    return owner.mandate_of(device) or owner.allow_device(
        merchant_id=MERCHANT,
        device=device,
        payment_minor=payment_minor,
        day_minor=day_minor,
        now_ms=stack.now_ms(),
    )
