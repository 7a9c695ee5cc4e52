"""What field 39 means to an order: done, refused, undone, or that nobody knows.

A code that is not in this table has told us nothing: the outcome stays unknown.
"""

from typing import Literal

Outcome = Literal["done", "refused", "reversed"]
BAD_MAC, NO_SESSION = "A0", "97"
# What ISO 20022 has a code for bears it, as every channel's reason does.
_REFUSALS = {
    "03": "the merchant is not known",
    "05": "declined by the issuer",
    "12": "not possible",
    "13": "the amount is not valid",
    "14": "AC01",
    "25": "the original is not known",
    "41": "the card was lost",
    "43": "the card was stolen",
    "51": "AM04",
    "54": "the card has expired",
    "55": "wrong PIN",
    "57": "not permitted to the card",
    "58": "not permitted to the terminal",
    "61": "above the card's limit",
    "64": "above the original's amount",
    "65": "too many times",
    "75": "too many wrong PINs",
}


def outcome(code: str) -> Outcome | None:
    """What became of the order; None: unknown."""
    if code == "00":
        return "done"
    if code == "22":
        return "reversed"
    return "refused" if code in _REFUSALS else None


def reason(code: str) -> str:
    """Why it was refused, as everybody here reads it; empty if it was not."""
    return _REFUSALS.get(code, "")
