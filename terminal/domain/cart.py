"""What lies in the cart: goods by their barcode, how many, and what they come to.

Rule 1: the amount of a cart is computed here alone, in integers; a page only shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.errors import CallerError
from terminal.limits import CART_LINES_MAX, CART_QUANTITY_MAX
from terminal.profile import Good


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """So many of one thing."""

    code: str
    zh: str
    en: str
    each_minor: int
    quantity: int

    @property
    def amount_minor(self) -> int:
        """All pieces together."""
        return self.each_minor * self.quantity


Cart = tuple[CartLine, ...]


def changed(cart: Cart, good: Good, step: int) -> Cart:
    """The cart with one more (1) or one fewer (-1); a line without pieces goes."""
    lines = {line.code: line for line in cart}
    there = lines.get(good.code)
    quantity = (there.quantity if there is not None else 0) + step
    if not 0 <= quantity <= CART_QUANTITY_MAX:
        raise CallerError("field_invalid", "quantity")
    if there is None and len(lines) >= CART_LINES_MAX:
        raise CallerError("field_invalid", f"{CART_LINES_MAX} lines at most")
    if there is None:
        lines[good.code] = CartLine(
            code=good.code,
            zh=good.zh,
            en=good.en,
            each_minor=good.amount_minor,
            quantity=quantity,
        )
    else:
        lines[good.code] = replace(there, quantity=quantity)
    return tuple(line for line in lines.values() if line.quantity)


def total_minor(cart: Sequence[CartLine]) -> int:
    """What the cart comes to."""
    return sum(line.amount_minor for line in cart)
