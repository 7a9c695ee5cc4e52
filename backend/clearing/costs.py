"""What channels cost, in parts of a minor unit. Pure.

Rule 1: nothing is rounded per item. A day adds items × price to a carry in micro-yuan; what is
        whole in it is posted, the rest is carried to the next day.
Rule 2: so the carry is below one minor unit, and posted + carried is exactly items × price.
"""

import re
from dataclasses import dataclass

from backend.clearing.limits import MICRO_PER_MINOR, PRICE_MICRO_MAX
from protocol.errors import CallerError

_YUAN = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,6}))?").fullmatch
_MICRO_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Accrual:
    """What a day's items come to: whole minor units, and the micro-yuan that are carried on."""

    whole_minor: int
    carried_micro: int


def price_micro(text: str) -> int:
    """Read a price per item in yuan, as ``0.0003``; ``config_invalid`` for anything else. A price
    finer than a micro-yuan would have to be rounded, and is refused."""
    found = _YUAN(text)
    micro = int(found[1]) * 10**_MICRO_DIGITS if found else -1
    if found is not None and found[2]:
        micro += int(found[2].ljust(_MICRO_DIGITS, "0"))
    if not 0 <= micro <= PRICE_MICRO_MAX:
        raise CallerError("config_invalid", f"channel price {text[:20]!r}: yuan as 0.0003")
    return micro


def accrue(*, carried_micro: int, items: int, price_micro: int) -> Accrual:
    """A day's cost, by what was carried into it. Nothing is lost, nothing is made."""
    assert carried_micro >= 0
    assert items >= 0
    whole, carried = divmod(carried_micro + items * price_micro, MICRO_PER_MINOR)
    return Accrual(whole, carried)


CHANNEL_PRICES_MICRO = {"NUCC": price_micro("0.0003")}
"""Per item, of channels that charge by the item: NetsUnion. UnionPay keeps its costs back from its
settlement (rule 11), so nothing is accrued for it here."""
