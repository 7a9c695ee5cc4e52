"""The Telium card PIN pad on a board. Card numbers are test numbers and leave it masked."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from firmware_sim.devices.telium import Entry, PinPadProfile, TeliumPinPad
from firmware_sim.devices.telium_bank import TEST_CARDS, Bank, BankLine, Card
from firmware_sim.frames import JUNK, Frame, Side, broken_off
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Hand, Kind, State
from protocol.errors import OperatingError
from protocol.framing import telium
from protocol.framing.telium import Control, Damaged, Item, Message

_REPORT_AT = 13
_DIGITS_SHOWN_FIRST, _DIGITS_SHOWN_LAST = 6, 4
CardName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Pin = Annotated[str, Field(pattern=r"^[0-9]{4,12}$")]
Currency = Literal[
    "AUD", "CAD", "CHF", "CNY", "EUR", "GBP", "HKD", "MOP", "MYR", "NZD", "SGD", "THB", "USD"
]
Minor = Annotated[int, Field(ge=0, le=telium.AMOUNT_MINOR_MAX)]


class CardEntry(BaseModel):
    """A card that people may hold before the pin pad. Test numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: Annotated[str, Field(pattern=r"^[0-9]{13,19}$")]
    pin: Pin
    funds_minor: Annotated[int, Field(ge=0, le=10**12)] = 1_000_000


class PinPadEntry(DeviceEntry):
    """A card PIN pad. Without ``cards`` it knows visa, mastercard, unionpay and poor."""

    kind: Literal["telium"]
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    currencies: Annotated[tuple[Currency, ...], Field(min_length=1)] = ("CNY", "EUR", "USD")
    contactless_minor_max: Minor = 5_000
    floor_minor: Minor = 0
    cards: Annotated[dict[CardName, CardEntry], Field(default_factory=dict, max_length=100)]


class PresentBody(ActBody):
    """A card held to the pin pad, put in or drawn through."""

    card: CardName
    by: Entry = Entry.CONTACTLESS


class PinBody(ActBody):
    """A PIN typed in."""

    pin: Pin


class BankBody(ActBody):
    """How the bank can be reached from now on."""

    line: BankLine


class MessageDecoder:
    """Messages of both sides, card numbers masked."""

    def __init__(self) -> None:
        self._parsers = {side: telium.LineParser() for side in Side}

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        return [_frame(side, item) for item in self._parsers[side].feed(data)]

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        return broken_off(side, self._parsers[side], 0 if side is Side.DEVICE else None)


def _frame(side: Side, item: Item) -> Frame:
    if isinstance(item, Control):
        return Frame(side, bytes([item]), item.name.lower())
    if isinstance(item, Damaged):
        # What a pin pad says in pieces may be pieces of a card number.
        secrets = ((0, len(item.raw)),) if side is Side.DEVICE else ()
        return Frame(side, item.raw, JUNK, {"why": item.why}, is_valid=False, secrets=secrets)
    try:
        return _ask(item) if side is Side.HOST else _answer(item)
    except OperatingError:
        return Frame(side, telium.encode(item.text), "message", {"chars": len(item.text)})


def _ask(message: Message) -> Frame:
    ask = telium.parse_ask(message.text)
    fields: dict[str, str | int] = {
        "pos": ask.pos,
        "amount_minor": ask.amount_minor,
        "currency": ask.currency_number,
        "kind": ask.kind.name.lower(),
        "answer": "full" if ask.is_full else "short",
        "delay": ask.delay.name.lower(),
    }
    return Frame(Side.HOST, telium.encode(message.text), "ask", fields)


def _answer(message: Message) -> Frame:
    answer = telium.parse_answer(message.text)
    shown = telium.masked_report(answer.report or "")
    fields: dict[str, str | int] = {
        "pos": answer.pos,
        "result": answer.result.name.lower(),
        "amount_minor": answer.amount_minor,
        "currency": answer.currency_number,
        "card": shown,
        "private": answer.private.strip(),
    }
    first = _REPORT_AT + _DIGITS_SHOWN_FIRST
    secrets = ((first, _REPORT_AT + len(shown) - _DIGITS_SHOWN_LAST),) if shown else ()
    return Frame(Side.DEVICE, telium.encode(message.text), "answer", fields, secrets=secrets)


def _build(entry: PinPadEntry, _: bytes) -> TeliumPinPad:
    profile = PinPadProfile(
        currencies=frozenset(telium.CURRENCY_NUMBERS[code] for code in entry.currencies),
        contactless_minor_max=entry.contactless_minor_max,
        floor_minor=entry.floor_minor,
        baud=entry.baud,
    )
    cards = {name: Card(**card.model_dump()) for name, card in entry.cards.items()}
    return TeliumPinPad(profile, Bank(cards or dict(TEST_CARDS)))


def _state(pinpad: TeliumPinPad) -> State:
    ask, last = pinpad.ask, pinpad.last_result
    return {
        "phase": pinpad.phase.value,
        "display": pinpad.display,
        "amount_minor": ask.amount_minor if ask else None,
        "last_result": last.name.lower() if last is not None else None,
        "bank": pinpad.bank.line.value,
        "agreed": pinpad.bank.agreed,
        "answers_lost": pinpad.answers_lost,
    }


KIND = Kind(
    name="telium",
    summary="card PIN pad on Ingenico's Protocol E",
    entry=PinPadEntry,
    build=_build,
    state=_state,
    decoder=MessageDecoder,
    counters=("agreed", "answers_lost"),
    hands=lambda _, pinpad: tuple(
        Hand(name, "hold", {"card": name, "by": Entry.CONTACTLESS.value})
        for name in pinpad.bank.cards
    ),
    acts=(
        Act(
            "present",
            "hold a card to the pin pad",
            lambda pinpad, body, now_ms: pinpad.present(body.card, body.by, now_ms),
            PresentBody,
        ),
        Act(
            "hold",
            "stand there with a card until it is asked for",
            lambda pinpad, body, _: pinpad.hold(body.card, body.by),
            PresentBody,
        ),
        Act(
            "enter_pin",
            "type a PIN and press the green key",
            lambda pinpad, body, now_ms: pinpad.enter_pin(body.pin, now_ms),
            PinBody,
            secret=frozenset({"pin"}),
        ),
        Act(
            "take_card",
            "draw the card out",
            lambda pinpad, _, now_ms: pinpad.take_card(now_ms),
        ),
        Act("cancel", "press the red key", lambda pinpad, _, now_ms: pinpad.cancel(now_ms)),
        Act(
            "bank",
            "let the bank be reached, not be reached, or fall silent",
            lambda pinpad, body, _: pinpad.set_bank(body.line),
            BankBody,
        ),
    ),
)
