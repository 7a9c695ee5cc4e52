"""Money is an integer number of minor units and a currency.

Rule 1: no float and no Decimal enters or leaves this module.
Rule 2: two currencies never meet in one sum.
Rule 3: what cannot be split evenly is given away by a stated rule, never lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.errors import CallerError

# ISO 4217 minor-unit exponents of the currencies this stack accepts.
MINOR_DIGITS: dict[str, int] = {
    "AUD": 2, "CAD": 2, "CHF": 2, "CNY": 2, "EUR": 2, "GBP": 2, "HKD": 2, "ISK": 0,
    "JPY": 0, "KRW": 0, "MOP": 2, "MYR": 2, "NZD": 2, "SGD": 2, "THB": 2, "USD": 2,
}  # fmt: skip

AMOUNT_MINOR_MAX = 10**15
FEE_BPS_SCALE = 10_000


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """A signed amount: ``Money(1280, "CNY")`` is 12.80 yuan."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int or abs(self.amount_minor) > AMOUNT_MINOR_MAX:
            raise CallerError("amount_invalid")
        if self.currency not in MINOR_DIGITS:
            raise CallerError("currency_unsupported")

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"

    def decimal(self) -> str:
        """The amount as a person writes it, without the currency: ``12.80``."""
        digits = MINOR_DIGITS[self.currency]
        sign = "-" if self.amount_minor < 0 else ""
        whole, part = divmod(abs(self.amount_minor), 10**digits)
        return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CallerError("currency_mismatch")


def positive(amount_minor: int, currency: str) -> Money:
    """Money that somebody asks to move: refuses zero, negative and absurd amounts."""
    money = Money(amount_minor, currency)
    if money.amount_minor <= 0:
        raise CallerError("amount_invalid")
    return money


def fee_half_up(amount_minor: int, fee_bps: int) -> int:
    """The fee in minor units for an amount at a rate in basis points, rounded half up to one unit.

    0.6 % (60 bp) of 83 fen is 0, of 84 fen is 1.
    """
    return (amount_minor * fee_bps * 2 + FEE_BPS_SCALE) // (2 * FEE_BPS_SCALE)


def fee_returned(*, refunded_before_minor: int, refund_minor: int, fee_bps: int) -> int:
    """The fee given back with one refund, computed cumulatively so that nothing leaks by rounding.

    Fifty refunds of 2 yuan give back the fee of 100 yuan exactly.
    """
    before = fee_half_up(refunded_before_minor, fee_bps)
    return fee_half_up(refunded_before_minor + refund_minor, fee_bps) - before


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Share an amount by integer weights; the left-over units go to the first shares, one each."""
    total = sum(weights)
    if amount_minor < 0 or total <= 0 or any(weight < 0 for weight in weights):
        raise CallerError("amount_invalid")
    shares = [amount_minor * weight // total for weight in weights]
    takers = [index for index, weight in enumerate(weights) if weight]
    for step in range(amount_minor - sum(shares)):
        shares[takers[step % len(takers)]] += 1
    return shares
