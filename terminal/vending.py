"""The vending machine: a terminal without a cashier. It pays by itself under a mandate, or takes
the payment of who stands there.

Rule 1: what is captured is given out once, or given back, or shown to the owner: see `item_flow`.
Rule 2: the machine asks the price that we sell at, or nothing is sold.
"""

from dataclasses import replace

from protocol.errors import CallerError
from protocol.messages import ExplainedLine, Explanation
from terminal.inputs import StartSale
from terminal.ports import Selection
from terminal.profile import Item, Profile


def wishes_of(profile: Profile, selection: Selection, now_ms: int) -> list[StartSale]:
    """The sale of what was selected at the machine's own keys, for each way to pay; where it asks
    another price, ``amount_invalid``."""
    wish = select(profile, selection.item, now_ms)
    if wish.amount_minor != selection.amount_minor:
        raise CallerError("amount_invalid", "the machine asks another price")
    return [replace(wish, method=method) for method in profile.methods]


def select(profile: Profile, item: str, now_ms: int) -> StartSale:
    """The sale of one item; ``field_invalid`` for what this machine does not sell."""
    for offered in profile.items:
        if offered.item == item:
            return StartSale(
                amount_minor=offered.amount_minor,
                currency=profile.currency,
                method=profile.methods[0],
                description=f"{offered.zh} {offered.en}",
                item=offered.item,
                explanation=_explained(offered, now_ms),
            )
    raise CallerError("field_invalid", "item")


def _explained(offered: Item, now_ms: int) -> Explanation:
    line = ExplainedLine(
        what=offered.item,
        zh=offered.zh,
        en=offered.en,
        quantity=1,
        unit="piece",
        price_minor=offered.amount_minor,
        per=1,
        amount_minor=offered.amount_minor,
    )
    return Explanation(
        thing="vend",
        reason="selected",
        began_at_ms=now_ms,
        ended_at_ms=now_ms,
        readings=[],
        lines=[line],
    )
