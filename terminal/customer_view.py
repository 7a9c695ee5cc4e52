"""What the payer is shown, made from the cashier's screen: a greeting, the amount, the result.

Rule: nothing of the payer stands here, and no result that the cashier's screen does not say.
"""

from terminal.domain.screen import Screen
from terminal.ports import CustomerView, Lamp

COLUMNS = 20
_GREETING = "Welcome"
_WORDS = {
    "scanning": "Show your code", "verifying": "Press your finger", "sending": "One moment",
    "offline": "One moment", "qr": "Scan to pay", "waiting": "Please confirm",
    "offline_scan": "Scan, then show", "accepted_offline": "Accepted - thank you",
    "unknown": "Please wait", "closing": "Please wait", "reversing": "Please wait",
    "paid": "Paid - thank you", "declined": "Declined", "closed": "Not charged",
    "expired": "Not charged", "reversed": "Money goes back", "refund_sending": "Refunding",
    "refund_unknown": "Please wait", "refund_done": "Refunded",
    "refund_failed": "Refund declined",
    "cash_due": "To pay", "cash_taken": "Paid - thank you", "cash_returned": "Refunded",
    "card_asking": "Card at the PIN pad", "card_approved": "Paid - thank you",
    "card_declined": "Declined", "card_failed": "Not charged", "card_unknown": "Please wait",
    "card_refund_asking": "Refund: your card", "card_refund_approved": "Refunded",
    "card_refund_declined": "Refund declined", "card_refund_failed": "Not refunded",
    "card_refund_unknown": "Please wait",
}  # fmt: skip
_LAMPS: dict[str, Lamp] = {
    "paid": "received", "refund_done": "change", "cash_taken": "received",
    "cash_returned": "change", "card_approved": "received", "card_refund_approved": "change",
}  # fmt: skip
_WITHOUT_DIGITS = frozenset(
    ("declined", "closed", "expired", "reversed", "refund_sending", "refund_unknown",
     "refund_failed", "card_declined", "card_failed", "card_refund_asking",
     "card_refund_declined", "card_refund_failed", "card_refund_unknown")
)  # fmt: skip
"""Where a digit display, which has no words, would tell the payer to pay."""


def customer_view(screen: Screen, *, name: str) -> CustomerView:
    """The view that goes with a screen; ``name`` is the shop's."""
    at = screen.at_counter
    if at is not None and at.change is not None:
        return CustomerView(_WORDS[at.kind], _right(f"Change {at.change}"), at.change, "change")
    shown = at or screen
    if shown.amount is None or shown.kind not in _WORDS:
        return CustomerView(name[:COLUMNS], _GREETING)
    lower = _right(f"{shown.currency} {shown.amount}")
    if shown.kind in _WITHOUT_DIGITS:
        return CustomerView(_WORDS[shown.kind], lower)
    lamp = _LAMPS.get(shown.kind, "total")
    return CustomerView(_WORDS[shown.kind], lower, shown.amount, lamp)


def _right(text: str) -> str:
    return text[-COLUMNS:].rjust(COLUMNS)
