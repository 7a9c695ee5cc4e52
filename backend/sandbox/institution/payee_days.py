"""The days of a gateway that pays out to merchants: what stands in the file of each, and what is
settled for it.

Rule 1: a day that is over is settled once, gross of fees: those are billed apart.
Rule 2: only the payee that is named is paid by the reserve bank; another's money stays here.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from backend.sandbox.institution.books import Books
from backend.sandbox.institution.faults import Faults, spoil
from backend.sandbox.institution.settling import SettlementOutbox
from protocol.money import Money

PAID_OUT = "PAID-OUT"
"""The own account that a payee's days are paid out to."""


class Moved(Protocol):
    """A row of a day's file, a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def amount_minor(self) -> int:
        """What the merchant got; negative for what went back."""
        ...


Row = TypeVar("Row", bound=Moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """The merchant whose days the reserve bank pays, and between which accounts there."""

    number: str = ""
    settlement: str
    reserve: str = "RESERVE-TILLWAY"


class PayeeDays(ABC, Generic[Row]):
    """Every merchant's days, in the gateway's books. A gateway completes it."""

    TABLE: ClassVar[str]
    """Of the days that were settled: day and net."""
    REFERENCE: ClassVar[str]
    """How the references of its settlements begin."""

    def __init__(self, books: Books, payee: Payee) -> None:
        self._books = books
        self._payee = payee
        self.outbox = SettlementOutbox(books)
        books.open_own_account(PAID_OUT)

    @abstractmethod
    def account(self, number: str) -> str:
        """A merchant's account in the books."""

    @abstractmethod
    def _rows(self, number: str, day: date) -> Sequence[Row]:
        """What moved on a merchant's day; what went back is negative."""

    @abstractmethod
    def _first_after(self, number: str, day: str) -> str | None:
        """A merchant's first day after one (ISO, or empty) on which anything moved."""

    def rows(self, number: str, day: date, faults: Faults) -> list[Row]:
        """What moved on a merchant's day, with the faults of files that are due."""
        return spoil(faults, self._rows(number, day), _one_more)

    def close(self, before: date) -> None:
        """Settle the payee's days that are over, each once."""
        query = f"SELECT max(day) FROM {self.TABLE}"  # noqa: S608  # our own word
        last = self._books.db.execute(query).fetchone()[0]
        first = self._first_after(self._payee.number, last or "")
        day = date.fromisoformat(first) if first else before
        while day < before:
            self._settle(day, before)
            day += timedelta(days=1)

    def _settle(self, day: date, booked_on: date) -> None:
        payee = self._payee
        with self._books.transaction():
            net = sum(row.amount_minor for row in self._rows(payee.number, day))
            insert = f"INSERT INTO {self.TABLE} VALUES (?, ?)"  # noqa: S608  # our own word
            self._books.db.execute(insert, (day.isoformat(), net))
            self.outbox.pay_out(
                f"{self.REFERENCE}-{day:%Y%m%d}",
                Money(net, "CNY"),
                here=(self.account(payee.number), PAID_OUT),
                there=(payee.settlement, payee.reserve),
                on=booked_on,
            )


def _one_more(row: Row) -> Row:
    more = 1 if row.amount_minor > 0 else -1
    return replace(row, amount_minor=row.amount_minor + more)
