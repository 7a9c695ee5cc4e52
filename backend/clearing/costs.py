"""What channels cost, in parts of a minor unit. Pure.

Rule 1: nothing is rounded per item. A day adds what its items cost to a carry in micro-yuan; what
        is whole in it is posted, the rest is carried to the next day.
Rule 2: so the carry is below one minor unit, and posted + carried is exactly what all items cost.
Rule 3: a part of the amount is charged for payments and top-ups only; an item is an item.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.channels.facts import MICRO_PER_MINOR, CostTerms


@dataclass(frozen=True, slots=True)
class Accrual:
    """What a day's items come to: whole minor units, and the micro-yuan that are carried on."""

    whole_minor: int
    carried_micro: int


@dataclass(frozen=True, slots=True)
class Items:
    """A number of transactions of one day that cost the same each."""

    is_taken: bool
    """Money that came through the channel: charged by the amount, too."""
    amount_minor: int
    count: int


def cost_micro(terms: CostTerms, items: Iterable[Items]) -> int:
    """What a day's items cost by a channel's terms."""
    return sum(
        one.count * (terms.cost_micro(one.amount_minor) if one.is_taken else terms.item_micro)
        for one in items
    )


def accrue(*, carried_micro: int, cost_micro: int) -> Accrual:
    """A day's cost, with what was carried into it. Nothing is lost, nothing is made."""
    assert carried_micro >= 0
    assert cost_micro >= 0
    whole, carried = divmod(carried_micro + cost_micro, MICRO_PER_MINOR)
    return Accrual(whole, carried)
