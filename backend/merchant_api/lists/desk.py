"""What a merchant's program finds, and by which numbers it knows it. Without HTTP."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from backend.db.tables import Row
from backend.listing.filters import Place, TypedPayments, TypedRefunds
from backend.listing.naming import Naming
from backend.listing.paged import payment_list, refund_list
from backend.listing.schemas import (
    OwnPaymentFileQuery,
    OwnPaymentPageQuery,
    OwnRefundFileQuery,
    OwnRefundPageQuery,
)
from backend.merchant_api.faults import wrong_field
from backend.merchant_api.lists.repository import NumberRepository
from backend.payments.services import Services
from protocol.errors import CallerError

_Numbers = Callable[[Collection[str]], dict[str, Row]]


class OwnLists:
    """One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._naming = Naming(services)
        self._payments, self._refunds = payment_list(services), refund_list(services)
        self._numbers = NumberRepository(services.reader)

    async def payments(self, merchant_id: str, query: OwnPaymentPageQuery) -> dict[str, Any]:
        """A page of a merchant's payments; with the first what all of them come to."""
        with _refused_by_field():
            typed = await self._naming.clear(TypedPayments.said(query.filter()), merchant_id)
            found = await self._payments.answer(
                typed.wanted(merchant_id), query.after, rows_max=query.limit
            )
        rows = await self._numbered(found.pop("rows"), "payment_id", self._numbers.of_payments)
        return {"payments": rows, **found}

    async def refunds(self, merchant_id: str, query: OwnRefundPageQuery) -> dict[str, Any]:
        """The same of refunds."""
        with _refused_by_field():
            typed = await self._naming.clear(TypedRefunds.said(query.filter()), merchant_id)
            found = await self._refunds.answer(
                typed.wanted(merchant_id), query.after, rows_max=query.limit
            )
        rows = await self._numbered(found.pop("rows"), "refund_id", self._numbers.of_refunds)
        return {"refunds": rows, **found}

    async def payment_file(
        self, merchant_id: str, query: OwnPaymentFileQuery
    ) -> tuple[bytes, Place | None]:
        """A part of a merchant's payments as CSV, and where the next one begins."""
        with _refused_by_field():
            typed = await self._naming.clear(TypedPayments.said(query.filter()), merchant_id)
            return await self._payments.csv_page(
                typed.wanted(merchant_id), query.after, rows_max=query.limit
            )

    async def refund_file(
        self, merchant_id: str, query: OwnRefundFileQuery
    ) -> tuple[bytes, Place | None]:
        """The same of refunds."""
        with _refused_by_field():
            typed = await self._naming.clear(TypedRefunds.said(query.filter()), merchant_id)
            return await self._refunds.csv_page(
                typed.wanted(merchant_id), query.after, rows_max=query.limit
            )

    async def _numbered(self, rows: list[Row], key: str, numbers: _Numbers) -> list[Row]:
        """``v3``: the numbers that API v3 and v2 know it by; None for what no program has made."""
        keys = [row[key] for row in rows]
        known: dict[str, Row] = await self._services.run_read(lambda: numbers(keys))
        return [{**row, "v3": known.get(row[key])} for row in rows]


@contextmanager
def _refused_by_field() -> Iterator[None]:
    """A field that cannot be read is refused by its name, as every other of a call."""
    try:
        yield
    except CallerError as refusal:
        name, _, more = refusal.detail.partition(": ")
        raise wrong_field(f"/{name}", more or refusal.advice.zh, location="query") from None
