"""The card channel (fast debit): it debits payers' cards, and pays each of its days on the next.

Its business day ends at 23:00 in China: what comes later belongs to the next day.
"""

from datetime import UTC, date, datetime, timedelta, timezone

from backend.channels.model import NUCC
from backend.sandbox.bank import Bank
from protocol.money import Money

CARD_TRANSIT = "CARD-TRANSIT"
_AFTER_CUT_OFF = timezone(timedelta(hours=8 + 1))
"""China's time, and the hour by which a day begins earlier."""


class CardTill:
    """``Till`` over payers' bank accounts."""

    def __init__(self, bank: Bank, channel: str = NUCC) -> None:
        self.channel = channel
        self._bank = bank
        bank.open_own_account(CARD_TRANSIT)

    def refusal(self, account: str, amount: Money, *, day: date) -> str:  # noqa: ARG002  # no limit
        """What the card's bank says."""
        return self._bank.refusal(account, amount)

    def take(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Debit the card."""
        self._bank.move(reference, account, CARD_TRANSIT, amount, day, "card payment")

    def give(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Credit the card."""
        self._bank.move(reference, CARD_TRANSIT, account, amount, day, "card refund")


def card_day(now_ms: int) -> date:
    """The channel's business day at a moment."""
    return datetime.fromtimestamp(now_ms // 1000, UTC).astimezone(_AFTER_CUT_OFF).date()
