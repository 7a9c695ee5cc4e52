"""Investors' units: redeemed for payments, bought back by refunds, more by income. No clock.

Rule 1: what an investor redeemed on a day counts against the day's limit even if a refund buys it
        back; only what was reversed does not.
"""

from datetime import date

from backend.sandbox.fund.limits import INVESTORS_PER_INCOME_MAX, QUICK_MINOR_PER_DAY_MAX
from backend.sandbox.fund.net_value import Published, income_minor
from backend.sandbox.institution.books import Books
from protocol.errors import OperatingError
from protocol.money import Money

FUND_COMPANY = "FUND-COMPANY"
"""What was redeemed and not paid for yet."""
EARNINGS = "FUND-EARNINGS"
"""Where income comes from."""


class UnitTill:
    """``Till`` over investors' units. The same investors, whichever channel asks."""

    def __init__(self, books: Books, channel: str) -> None:
        self.channel = channel
        self._books = books
        books.add_tables("backend.sandbox.fund", "schema.sql")
        for account in (FUND_COMPANY, EARNINGS):
            books.open_own_account(account)

    def open_investor(self, number: str, holder: str, units: Money, *, day: date) -> None:
        """Open an account with units in it; repeating it changes nothing."""
        self._books.open_account(number, holder, units, day=day)
        self._books.db.execute(
            "INSERT INTO fund_investor VALUES (?) ON CONFLICT DO NOTHING", (number,)
        )

    def refusal(self, account: str, amount: Money, *, day: date) -> str:
        """Whether the investor has the units, and has not redeemed too much today."""
        redeemed, undone = self._books.db.execute(
            "SELECT coalesce(sum(iif(debit = ?1, amount_minor, 0)), 0),"
            " coalesce(sum(iif(credit = ?1, amount_minor, 0)), 0) FROM movement"
            " WHERE day = ?3 AND (debit = ?1 AND credit = ?2"
            " OR debit = ?2 AND credit = ?1 AND reference LIKE '%-R')",
            (account, FUND_COMPANY, day.isoformat()),
        ).fetchone()
        if redeemed - undone + amount.amount_minor > QUICK_MINOR_PER_DAY_MAX:
            return "LIMIT_DAY"
        return self._books.refusal(account, amount)

    def take(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Redeem."""
        self._books.move(reference, account, FUND_COMPANY, amount, day, "redemption")

    def give(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Buy back."""
        self._books.move(reference, FUND_COMPANY, account, amount, day, "bought back")

    def publish(self, published: Published) -> None:
        """Give every investor a trading day's income, once."""
        with self._books.transaction():
            day = published.day.isoformat()
            row = (day, published.per_10k_e4, published.days)
            done = self._books.db.execute(
                "INSERT INTO fund_published VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row
            )
            if not done.rowcount:
                return
            for number in self._investors():
                units = self._books.balance(number, until=published.day)
                income = income_minor(units.amount_minor, published)
                if income:
                    amount = Money(income, units.currency)
                    self._books.move(
                        f"INC-{day}-{number}", EARNINGS, number, amount, published.day, "income"
                    )

    def published(self, day: date) -> Published | None:
        """What was published for a trading day."""
        row = self._books.db.execute(
            "SELECT per_10k_e4, days FROM fund_published WHERE day = ?", (day.isoformat(),)
        ).fetchone()
        return None if row is None else Published(day, row[0], row[1])

    def last_published(self) -> date | None:
        """The newest day with a price."""
        (day,) = self._books.db.execute("SELECT max(day) FROM fund_published").fetchone()
        return None if day is None else date.fromisoformat(day)

    def _investors(self) -> list[str]:
        rows = self._books.db.execute(
            "SELECT number FROM fund_investor ORDER BY number LIMIT ?",
            (INVESTORS_PER_INCOME_MAX + 1,),
        ).fetchall()
        if len(rows) > INVESTORS_PER_INCOME_MAX:
            raise OperatingError("busy", "more investors than income can be given to")
        return [number for (number,) in rows]
