"""The fund's days. What happened at the cut-offs that have passed is done when anybody looks.

Rule 1: the bank advances each day's redemptions on that very day, at its cut-off, over the reserve
        bank (``STL-ADVBANK-<day>``); the fund repays the bank on T+1.
Rule 2: where the payment institution advances its own money (channel ``FUND``) the fund pays that
        institution's own account on T+1 (``STL-FUND-<day>``).
Rule 3: T+1 is the next business day of banks; a price is of trading days.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from backend.channels.model import ADVANCING_BANK, FUND
from backend.sandbox.fund.dates import income_days, is_trading_day, next_bank_day
from backend.sandbox.fund.limits import CUT_OFF_HOUR, INCOME_PER_10K_E4
from backend.sandbox.fund.net_value import Published
from backend.sandbox.fund.units import FUND_COMPANY, UnitTill
from backend.sandbox.institution.house import House
from backend.sandbox.institution.orders import CURRENCY, OrderBook
from backend.sandbox.institution.own_clock import china_day
from backend.sandbox.institution.settling import (
    SettlementAgent,
    SettlementOrder,
    SettlementOutbox,
)
from protocol.clock import HOUR_MS
from protocol.money import Money

ADVANCER, PAID_OUT = "ADVANCING-BANK", "PAID-OUT"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Accounts:
    """At the reserve bank: the advancing bank's own and the payment institution's reserve. At a
    commercial bank: the fund company's and the payment institution's own."""

    advancer: str
    reserve: str
    company: str
    own: str


class FundCompany:
    """The order books of both channels over the same units, and what is due at the cut-offs."""

    def __init__(
        self,
        house: House,
        *,
        accounts: Accounts,
        agent: SettlementAgent,
        cut_off_hour: int = CUT_OFF_HOUR,
    ) -> None:
        self.house = house
        self.cut_off_hour = cut_off_hour
        self.till = UnitTill(house.books, ADVANCING_BANK)
        self.advanced = OrderBook(house.books, self.till)
        self.unadvanced = OrderBook(house.books, UnitTill(house.books, FUND))
        self.outbox = SettlementOutbox(house.books)
        self._accounts = accounts
        self._agent = agent
        for account in (ADVANCER, PAID_OUT):
            house.books.open_own_account(account)
        house.time_passes = self.time_passes

    def day(self) -> date:
        """The fund's present day, which ends at the cut-off."""
        return self.day_of(self.house.clock.now_ms())

    def day_of(self, at_ms: int) -> date:
        """The fund's day at a moment."""
        return china_day(at_ms + (24 - self.cut_off_hour) * HOUR_MS)

    async def time_passes(self) -> None:
        """Do what is due, and tell the banks what they have not answered."""
        self.close_days()
        await self.outbox.tell(self._agent)

    def close_days(self) -> None:
        """Advance, repay and publish for the days that are over."""
        today = self.day()
        for day in self.advanced.open_days(today):
            self._advance(day)
        self._repay()
        for day in self.unadvanced.open_days(today):
            if next_bank_day(day) <= self.house.clock.today():
                self._pay_own(day)
        self._publish(today)

    def _advance(self, day: date) -> None:
        def pay(net: int) -> None:
            reference = f"STL-{ADVANCING_BANK}-{day:%Y%m%d}"
            self._tell(reference, self._accounts.advancer, self._accounts.reserve, net, day)
            self._move(f"ADV-{day:%Y%m%d}", ADVANCER, PAID_OUT, net, day, "advance")

        self.advanced.close_day(day, pay)

    def _repay(self) -> None:
        """T+1 of each day that was advanced."""
        due = self.house.books.db.execute(
            "SELECT day, net_minor FROM channel_settlement WHERE channel = ? AND net_minor <> 0"
            " AND 'REPAY-' || replace(day, '-', '') NOT IN (SELECT reference FROM movement"
            " WHERE info = 'repaid') ORDER BY day",
            (ADVANCING_BANK,),
        ).fetchall()
        for text, net in due:
            day = date.fromisoformat(text)
            repaid_on = next_bank_day(day)
            if repaid_on <= self.house.clock.today():
                with self.house.books.transaction():
                    reference = f"REPAY-{day:%Y%m%d}"
                    self._move(reference, FUND_COMPANY, ADVANCER, net, repaid_on, "repaid")

    def _pay_own(self, day: date) -> None:
        def pay(net: int) -> None:
            reference, paid_on = f"STL-{FUND}-{day:%Y%m%d}", next_bank_day(day)
            self._tell(reference, self._accounts.company, self._accounts.own, net, paid_on)
            self._move(f"OWN-{day:%Y%m%d}", FUND_COMPANY, PAID_OUT, net, paid_on, "settlement")

        self.unadvanced.close_day(day, pay)

    def _publish(self, today: date) -> None:
        last = self.till.last_published()
        day = today - _DAY if last is None else last + _DAY
        while day < today:
            if is_trading_day(day):
                self.till.publish(Published(day, INCOME_PER_10K_E4, income_days(day)))
            day += _DAY

    def _tell(self, reference: str, payer: str, payee: str, net: int, on: date) -> None:
        debtor, creditor = (payer, payee) if net > 0 else (payee, payer)
        amount = Money(abs(net), CURRENCY)
        self.outbox.add(SettlementOrder(reference, debtor, creditor, amount, on))

    def _move(self, reference: str, debit: str, credit: str, net: int, on: date, info: str) -> None:
        taken, put = (debit, credit) if net > 0 else (credit, debit)
        self.house.books.move(reference, taken, put, Money(abs(net), CURRENCY), on, info)
