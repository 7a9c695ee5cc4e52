"""A money-market fund and the bank that advances its quick redemptions (T+0).

The fund redeems the investor's units; the bank pays the reserve the same day, at its cut-off, and
the fund repays the bank on the next. Without such a bank (the channel ``FUND``) the fund pays our
own account on the next day. One investor redeems quickly up to a daily limit only.
"""

from datetime import date, timedelta

from backend.channels.model import ADVANCING_BANK
from backend.sandbox.bank import Bank
from backend.sandbox.institution.orders import CURRENCY, OrderBook
from protocol.money import Money

FUND_COMPANY, ADVANCER = "FUND-COMPANY", "ADVANCING-BANK"
QUICK_MINOR_PER_DAY_MAX = 1_000_000
"""10,000 yuan an investor, fund and day."""


class FundTill:
    """``Till`` over investors' units, at one yuan a unit."""

    def __init__(self, bank: Bank, channel: str = ADVANCING_BANK) -> None:
        self.channel = channel
        self._bank = bank
        for account in (FUND_COMPANY, ADVANCER):
            bank.open_own_account(account)

    def refusal(self, account: str, amount: Money, *, day: date) -> str:
        """Whether the investor has the units, and has not redeemed too much today."""
        (redeemed,) = self._bank.db.execute(
            "SELECT coalesce(sum(iif(debit = ?1, amount_minor, -amount_minor)), 0) FROM movement"
            " WHERE (debit = ?1 AND credit = ?2 OR debit = ?2 AND credit = ?1) AND day = ?3",
            (account, FUND_COMPANY, day.isoformat()),
        ).fetchone()
        if redeemed + amount.amount_minor > QUICK_MINOR_PER_DAY_MAX:
            return "above the daily limit"
        return self._bank.refusal(account, amount)

    def take(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Redeem."""
        self._bank.move(reference, account, FUND_COMPANY, amount, day, "redemption")

    def give(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Buy back."""
        self._bank.move(reference, FUND_COMPANY, account, amount, day, "redemption undone")


def close_fund_days(bank: Bank, book: OrderBook, *, reserve: str, today: date) -> None:
    """What happened at the cut-offs that have passed: the bank advanced each day's redemptions on
    that very day, and the fund repaid it on the next."""
    for day in book.open_days(today):
        net = book.settle(reserve, ADVANCER, day=day, booked_on=day)
        if not net:
            continue
        debit, credit = (FUND_COMPANY, ADVANCER) if net > 0 else (ADVANCER, FUND_COMPANY)
        reference, repaid_on = f"REPAY-{day:%Y%m%d}", day + timedelta(days=1)
        with bank.transaction():
            bank.move(reference, debit, credit, Money(abs(net), CURRENCY), repaid_on, "repaid")
