"""The vending machine: a terminal without a cashier that pays by itself under a mandate.

Rule 1: what is captured is given out once, or given back, or shown to the owner: see `item_flow`.
"""

from protocol.errors import CallerError
from terminal.inputs import StartSale
from terminal.profile import Profile


def select(profile: Profile, item: str) -> StartSale:
    """The sale of one item; ``field_invalid`` for what this machine does not sell."""
    for offered in profile.items:
        if offered.item == item:
            return StartSale(
                amount_minor=offered.amount_minor,
                currency=profile.currency,
                method="mandate",
                description=offered.en,
                item=offered.item,
            )
    raise CallerError("field_invalid", "item")
