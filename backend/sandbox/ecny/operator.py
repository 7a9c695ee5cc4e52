"""The operator's days: at midnight in China each day's net is changed into the institution's
reserve, over the reserve bank; then it is told and booked once."""

from dataclasses import dataclass
from datetime import date

from backend.channels.wallet_statement import WalletStatement
from backend.sandbox.ecny.limits import LimitTable
from backend.sandbox.ecny.wallets import EXCHANGED, INSTITUTION_WALLET, WalletTill
from backend.sandbox.institution.house import House
from backend.sandbox.institution.orders import CURRENCY, OrderBook
from backend.sandbox.institution.settling import (
    SettlementAgent,
    SettlementOrder,
    SettlementOutbox,
)
from protocol.money import Money


@dataclass(frozen=True, slots=True)
class Accounts:
    """At the reserve bank: the operator's own, and the payment institution's reserve."""

    settlement: str
    reserve: str


class EcnyOperator:
    """The wallets, the orders and the daily change."""

    def __init__(
        self, house: House, *, limits: LimitTable, accounts: Accounts, agent: SettlementAgent
    ) -> None:
        self.house = house
        self.till = WalletTill(house.books, limits)
        self.book = OrderBook(house.books, self.till, is_final=True)
        self.outbox = SettlementOutbox(house.books)
        self._accounts = accounts
        self._agent = agent
        house.time_passes = self.time_passes

    async def time_passes(self) -> None:
        """Close what is over and tell the reserve bank what it has not answered."""
        self.close_days()
        await self.outbox.tell(self._agent)

    def close_days(self) -> None:
        """Change the net of each day that is over into the reserve, once."""
        today = self.house.clock.today()
        for day in self.book.open_days(today):
            self.book.close_day(day, lambda net, day=day: self._change(day, net, today))  # type: ignore[misc]

    def statement(self, day: date) -> WalletStatement:
        """The institution's wallet on a day, as sums."""
        page = self.house.books.account_day(INSTITUTION_WALLET, day)
        sums = dict.fromkeys(("payment", "refund", "exchange"), 0)
        for movement in page.movements:
            sums[movement.info] += movement.amount.amount_minor
        return WalletStatement(
            day=day,
            opening_minor=page.opening.amount_minor,
            paid_minor=sums["payment"],
            refunded_minor=-sums["refund"],
            exchanged_minor=-sums["exchange"],
            closing_minor=page.closing.amount_minor,
        )

    def _change(self, day: date, net: int, today: date) -> None:
        reference, amount = f"STL-{self.till.channel}-{day:%Y%m%d}", Money(abs(net), CURRENCY)
        ours, theirs = self._accounts.settlement, self._accounts.reserve
        debtor, creditor = (ours, theirs) if net > 0 else (theirs, ours)
        self.outbox.add(SettlementOrder(reference, debtor, creditor, amount, today))
        taken, put = (INSTITUTION_WALLET, EXCHANGED) if net > 0 else (EXCHANGED, INSTITUTION_WALLET)
        self.house.books.move(reference, taken, put, amount, today, "exchange")
