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
}  # fmt: skip
_LAMPS: dict[str, Lamp] = {"paid": "received", "refund_done": "change"}
_WITHOUT_DIGITS = frozenset(
    ("declined", "closed", "expired", "reversed", "refund_sending", "refund_unknown",
     "refund_failed")
)  # fmt: skip
"""Where a digit display, which has no words, would tell the payer to pay."""


def customer_view(screen: Screen, *, name: str) -> CustomerView:
    """The view that goes with a screen; ``name`` is the shop's."""
    if screen.amount is None or screen.kind not in _WORDS:
        return CustomerView(name[:COLUMNS], _GREETING)
    lower = f"{screen.currency} {screen.amount}"[-COLUMNS:].rjust(COLUMNS)
    if screen.kind in _WITHOUT_DIGITS:
        return CustomerView(_WORDS[screen.kind], lower)
    lamp = _LAMPS.get(screen.kind, "total")
    return CustomerView(_WORDS[screen.kind], lower, screen.amount, lamp)
