"""Money that the counter takes itself, without the hub: cash, and cards at the PIN pad.

For the payer's side alone, which says what is due, what was given and what comes back. It is not
kept: the drawer and the pad have their own records.

Rule: no result that the cashier's page does not say.
"""

from dataclasses import dataclass

from protocol.money import Money
from terminal.domain.card_sale import CardKind, CardSale, CardState
from terminal.domain.shift import CashKind, CashMovement

CASH_DUE = "cash_due"
"""The cashier is taking notes."""
_CARD_MOODS = {
    CardState.APPROVED: "paid",
    CardState.DECLINED: "error",
    CardState.FAILED: "error",
    CardState.UNKNOWN: "warn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCounter:
    """One of them, as it stands. ``given`` and ``change`` only of cash that was changed."""

    kind: str
    """``cash_due``, ``cash_taken``, ``cash_returned``, or ``card_`` (of a refund ``card_refund_``)
    with the state of `CardState`."""
    amount_minor: int
    amount: str
    currency: str
    mood: str = "plain"
    given: str | None = None
    change: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether the payer may go."""
        return self.mood in {"paid", "error"}

    @property
    def is_card_asked(self) -> bool:
        """Whether the pad has still to say how it went."""
        return self.mood == "plain" and self.kind != CASH_DUE


def cash_due(amount_minor: int, currency: str) -> AtCounter:
    """An amount that is to be paid in cash."""
    return AtCounter(
        kind=CASH_DUE,
        amount_minor=amount_minor,
        amount=Money(amount_minor, currency).decimal(),
        currency=currency,
    )


def of_cash(movement: CashMovement) -> AtCounter:
    """Cash that was taken, or given back."""
    currency = movement.currency
    is_sale = movement.kind is CashKind.SALE
    is_changed = is_sale and movement.change_minor > 0
    tendered = movement.tendered_minor or movement.amount_minor
    return AtCounter(
        kind="cash_taken" if is_sale else "cash_returned",
        amount_minor=movement.amount_minor,
        amount=Money(movement.amount_minor, currency).decimal(),
        currency=currency,
        mood="paid",
        given=Money(tendered, currency).decimal() if is_changed else None,
        change=Money(movement.change_minor, currency).decimal() if is_changed else None,
    )


def of_card(sale: CardSale) -> AtCounter:
    """What the PIN pad is asked for, or has said."""
    of_refund = "refund_" if sale.kind is CardKind.REFUND else ""
    return AtCounter(
        kind=f"card_{of_refund}{sale.state.value}",
        amount_minor=sale.amount_minor,
        amount=Money(sale.amount_minor, sale.currency).decimal(),
        currency=sale.currency,
        mood=_CARD_MOODS.get(sale.state, "plain"),
    )
