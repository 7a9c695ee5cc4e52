"""A merchant's money for its pages, without HTTP: what it has, its days, its bills, what it takes
out.

Rule 1: nothing is added up here that a bill adds up: the days come from the bills' room.
Rule 2: a bill has one maker. Who has a merchant number gets the bytes that its program gets, and
        who has none those that operators get.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from backend.audit.model import ActKind
from backend.audit.service import Audited, Watch
from backend.bills.service import SpooledPaper
from backend.bills.settlement import CameBack, DayState, SettlementDay
from backend.bills.trade import BillType
from backend.clearing.payouts import PayOut, Withdraw
from backend.clearing.payouts_repository import PayoutsRepository
from backend.clearing.tables import PAYOUT
from backend.console.chart import Chart, days_chart
from backend.console.limits import DAYS_PER_PAGE, ROWS_PER_PAGE
from backend.console.merchant_desks import MerchantDesks
from backend.console.model import Person
from backend.db.tables import Row
from backend.merchant_api.faults import NO_STATEMENT_EXIST, STATEMENT_CREATING, ApiError
from backend.merchant_api.keys.desk import Account
from backend.payments.services import Services
from protocol import ids
from protocol.errors import CallerError


class Paper(StrEnum):
    """What can be downloaded of a closed day."""

    TRADE = "trade"
    FUND_FLOW = "fund-flow"
    SETTLEMENT = "settlement"


class MoneyDesk:
    """One per process."""

    def __init__(self, services: Services, desks: MerchantDesks) -> None:
        self._services = services
        self._desks = desks
        self._payouts = PayoutsRepository(services.reader)

    def today(self) -> date:
        """The shop's date."""
        return date.fromisoformat(self._services.rules.business_date(self._services.clock.now_ms()))

    async def standing(self, merchant_id: str) -> dict[str, Any]:
        """What the merchant has with us now."""
        return await self._desks.papers.standing(merchant_id)

    async def days(self, merchant_id: str, until: date) -> list[SettlementDay]:
        """The business dates of the month that ends with a date, the latest first."""
        since = until - timedelta(days=DAYS_PER_PAGE - 1)
        return await self._desks.papers.days(merchant_id, since, until)

    async def chart(self, merchant_id: str, until: date) -> Chart:
        """What was sold on each day of the same month."""
        sold = {
            one.business_date: one.sales.paid_minor for one in await self.days(merchant_id, until)
        }
        dates = [until - timedelta(days=back) for back in reversed(range(DAYS_PER_PAGE))]
        return days_chart({f"{one}": sold.get(f"{one}", 0) for one in dates})

    async def day(self, merchant_id: str, on: date) -> tuple[SettlementDay, tuple[CameBack, ...]]:
        """One business date, and the payouts that came back on it; ``bill_not_ready`` for one on
        which nothing has happened."""
        found = await self._desks.papers.days(merchant_id, on, on)
        if not found:
            raise CallerError("bill_not_ready", f"{on}")
        if found[0].state is DayState.RUNNING:
            return found[0], ()
        return found[0], (await self._desks.papers.settlement(merchant_id, on)).came_back

    async def numbers(self, merchant_id: str) -> list[str]:
        """The merchant numbers whose programs have bills of their own."""
        return [one.mchid for one in await self._desks.accounts.accounts(merchant_id)]

    async def bill(
        self, merchant_id: str, on: date, paper: Paper, *, bill_type: BillType, number: str
    ) -> SpooledPaper:
        """The bytes of a paper. ``bill_not_ready`` until the day is closed, ``bill_empty`` where it
        would have no line."""
        papers, bills = self._desks.papers, self._desks.bills
        account = await self._account(merchant_id, number)
        try:
            if paper is Paper.SETTLEMENT:
                return await papers.settlement_paper(merchant_id, on)
            if paper is Paper.FUND_FLOW:
                if account is None:
                    return await papers.fund_flow(merchant_id, on)
                return await bills.fund_flow(account, on, "BASIC")
            if account is None:
                return await papers.trade_bill(merchant_id, on, bill_type)
            return await bills.trade(account, on, bill_type)
        except ApiError as error:
            raise _in_our_words(error, on) from None

    async def _account(self, merchant_id: str, number: str) -> Account | None:
        """The merchant's own number, the first if none is named; None if it has none."""
        known = await self._desks.accounts.accounts(merchant_id)
        if not number:
            return known[0] if known else None
        for one in known:
            if one.mchid == number:
                return one
        raise CallerError("merchant_unknown", number)

    async def payouts(self, merchant_id: str, after: tuple[int, str] | None) -> list[Row]:
        """The merchant's payouts, the newest first; one more than a page has."""
        return await self._payouts.of_merchant(merchant_id, limit=ROWS_PER_PAGE + 1, after=after)

    def new_payout_id(self) -> str:
        """The id of a withdrawal that a form is about to ask for."""
        services = self._services
        luck = services.entropy.token_bytes(ids.RANDOM_BYTES)
        return ids.mint(ids.PAYOUT, time_ms=services.clock.now_ms(), random_bytes=luck)

    async def withdraw(
        self, person: Person, *, payout_id: str, amount_minor: int, currency: str
    ) -> Row:
        """Pay settled money out to the merchant's filed account."""
        today = f"{self.today()}"
        payout = PayOut(
            payout_id=payout_id,
            merchant_id=person.merchant_id,
            amount_minor=amount_minor,
            currency=currency,
            run_day=today,
            execution_date=today,
        )
        command = Withdraw(payout=payout)
        act = person.act(ActKind.WITHDRAWAL, "withdraw", f"payout {payout_id}")
        watch = Watch(PAYOUT, payout_id, ("amount_minor", "currency", "state"))
        row: Row = await self._services.submit(Audited(command=command, act=act, watch=watch))
        return row


def _in_our_words(error: ApiError, on: date) -> CallerError:
    words = {NO_STATEMENT_EXIST: "bill_empty", STATEMENT_CREATING: "bill_not_ready"}
    code = words.get(error.fault)
    return error if code is None else CallerError(code, f"{on}")
