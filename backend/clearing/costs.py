"""What channels cost, in parts of a minor unit. Pure.

Rule 1: nothing is rounded per item. A day adds items × price to a carry in micro-yuan; what is
        whole in it is posted, the rest is carried to the next day.
Rule 2: so the carry is below one minor unit, and posted + carried is exactly items × price.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.channels.facts import MICRO_PER_MINOR, ChannelFacts


@dataclass(frozen=True, slots=True)
class Accrual:
    """What a day's items come to: whole minor units, and the micro-yuan that are carried on."""

    whole_minor: int
    carried_micro: int


def item_prices(facts: Mapping[str, ChannelFacts]) -> dict[str, int]:
    """In micro-yuan, of the channels that charge by the item alone, as NetsUnion. What a channel
    charges by the amount it keeps back from its settlement (rule 11): nothing is accrued for it."""
    return {
        name: one.cost.item_micro
        for name, one in facts.items()
        if one.cost.item_micro and not one.cost.rate_ppm
    }


def accrue(*, carried_micro: int, items: int, price_micro: int) -> Accrual:
    """A day's cost, by what was carried into it. Nothing is lost, nothing is made."""
    assert carried_micro >= 0
    assert items >= 0
    whole, carried = divmod(carried_micro + items * price_micro, MICRO_PER_MINOR)
    return Accrual(whole, carried)
