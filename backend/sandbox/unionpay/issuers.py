"""The issuers of the cards: who pays, who cannot, and the switch's business day."""

from datetime import UTC, date, datetime, timedelta, timezone

from backend.sandbox.institution.books import Books
from protocol.money import Money

CHANNEL = "CUP"
TRANSIT, HELD = "CUP-TRANSIT", "CUP-HELD"
"""What cards have paid and the day's settlement pays on; what pre-authorisations hold."""
_AFTER_CUT_OFF = timezone(timedelta(hours=8 + 1))
"""China's time, and the hour by which the switch's day begins earlier: it ends at 23:00."""


class CardTill:
    """``Till`` over the cards' accounts."""

    channel = CHANNEL

    def __init__(self, books: Books) -> None:
        self._books = books
        books.open_own_account(TRANSIT)
        books.open_own_account(HELD)

    def refusal(self, account: str, amount: Money, *, day: date) -> str:  # noqa: ARG002  # no limit
        """What the issuer says."""
        return self._books.refusal(account, amount)

    def take(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Debit the card."""
        self._books.move(reference, account, TRANSIT, amount, day, "card payment")

    def give(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Credit the card."""
        self._books.move(reference, TRANSIT, account, amount, day, "card refund")


def business_day(at_ms: int) -> date:
    """The switch's business day at a moment."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(_AFTER_CUT_OFF).date()
