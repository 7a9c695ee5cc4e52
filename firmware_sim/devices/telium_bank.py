"""The cards that people hold before a PIN pad, and the bank behind it. Test card numbers only.

The bank keeps its books whatever happens to the pin pad's power: a payment that it has agreed to
is agreed to, also when no cash register ever hears of it.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from protocol.errors import CallerError
from protocol.framing.telium import Ask, Kind, Result

PIN_TRIES_MAX = 3


@dataclass(frozen=True, slots=True)
class Card:
    """A card: its number, its PIN and what is on the account behind it."""

    number: str
    pin: str
    funds_minor: int


TEST_CARDS = {
    "visa": Card("4111111111111111", "1234", 1_000_000),
    "mastercard": Card("5555555555554444", "4321", 1_000_000),
    "unionpay": Card("6200000000000005", "123456", 1_000_000),
    "poor": Card("4000000000009995", "1234", 0),
}
"""What a pin pad that is told of no cards knows."""


class BankLine(StrEnum):
    """How the bank can be reached. ``SILENT``: it hears the request and its answer is lost."""

    UP = "up"
    DOWN = "down"
    SILENT = "silent"


@dataclass(slots=True)
class Bank:
    """Funds, PIN tries and what was agreed to, by card."""

    cards: dict[str, Card]
    line: BankLine = BankLine.UP
    agreed: int = 0
    _funds: dict[str, int] = field(default_factory=dict)
    _wrong_pins: dict[str, int] = field(default_factory=dict)

    def card(self, name: str) -> Card:
        """The card of a name; ``field_invalid`` where nobody has it."""
        if name not in self.cards:
            known = ", ".join(sorted(self.cards))
            raise CallerError(
                "field_invalid",
                f"no card {name!r}; there are {known}",
                detail_zh=f"没有卡 {name!r}，有：{known}",
            )
        return self.cards[name]

    def funds_minor(self, name: str) -> int:
        """What is on a card's account."""
        return self._funds.get(name, self.card(name).funds_minor)

    def tries_left(self, name: str) -> int:
        """How many more wrong PINs a card bears."""
        return PIN_TRIES_MAX - self._wrong_pins.get(name, 0)

    def is_pin_right(self, name: str, pin: str) -> bool:
        """Check a PIN and count the tries; a card that has none left refuses the right one, too."""
        if not self.tries_left(name):
            return False
        is_right = pin == self.card(name).pin
        self._wrong_pins[name] = 0 if is_right else self._wrong_pins.get(name, 0) + 1
        return is_right

    def judge(self, name: str, ask: Ask, *, may_alone: bool) -> Result:
        """Decide a payment or a refund. ``may_alone``: below the floor the pin pad may say yes."""
        if self.line is BankLine.DOWN:
            return self._book(name, ask) if may_alone else Result.REFUSED
        result = self._book(name, ask)
        return Result.UNVERIFIED if self.line is BankLine.SILENT else result

    def _book(self, name: str, ask: Ask) -> Result:
        funds = self.funds_minor(name)
        change = ask.amount_minor if ask.kind in (Kind.CREDIT, Kind.REFUND) else -ask.amount_minor
        if not self.tries_left(name) or funds + change < 0:
            return Result.REFUSED
        self._funds[name] = funds + change
        self.agreed += 1
        return Result.APPROVED
