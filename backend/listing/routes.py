"""The lists over JSON and as CSV, for the bearer of the operator's token."""

from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from backend.guard import Guard
from backend.listing.filters import (
    TypedCallbacks,
    TypedFilter,
    TypedPayments,
    TypedRefunds,
    place_said,
)
from backend.listing.naming import Naming
from backend.listing.paged import PagedList, payment_list, refund_list
from backend.listing.schemas import (
    CallbackPageQuery,
    PaymentPageQuery,
    PaymentQuery,
    RefundPageQuery,
    RefundQuery,
)
from backend.notify.model import Place
from backend.notify.repository import CallbackRepository
from backend.payments.list_repository import PaymentFilter
from backend.payments.services import Services
from backend.refunds.repository import RefundFilter

F = TypeVar("F")
T = TypeVar("T", bound=TypedFilter)


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/payments``, ``refunds`` and ``callbacks``: of all merchants, the newest first;
    ``/csv`` of the first two: as a file."""
    routes = APIRouter(
        prefix="/operator/v1", tags=["operator"], dependencies=[Depends(operator_only)]
    )
    naming = Naming(services)
    _payments(routes, naming, payment_list(services))
    _refunds(routes, naming, refund_list(services))
    _callbacks(routes, naming, services)
    return routes


def _payments(routes: APIRouter, naming: Naming, payments: PagedList[PaymentFilter]) -> None:
    @routes.get("/payments")
    async def listed(query: Annotated[PaymentPageQuery, Query()]) -> dict[str, Any]:
        typed = await _meant(naming, TypedPayments.said(query.model_dump(exclude=_PAGE)))
        found = await _answer(payments, typed.wanted(None), query.after, query.limit)
        return {"payments": found.pop("rows"), **found}

    @routes.get("/payments/csv")
    async def as_csv(query: Annotated[PaymentQuery, Query()]) -> StreamingResponse:
        typed = await _meant(naming, TypedPayments.said(query.model_dump()))
        return _csv(payments, typed.wanted(None))


def _refunds(routes: APIRouter, naming: Naming, refunds: PagedList[RefundFilter]) -> None:
    @routes.get("/refunds")
    async def listed(query: Annotated[RefundPageQuery, Query()]) -> dict[str, Any]:
        typed = await _meant(naming, TypedRefunds.said(query.model_dump(exclude=_PAGE)))
        found = await _answer(refunds, typed.wanted(None), query.after, query.limit)
        return {"refunds": found.pop("rows"), **found}

    @routes.get("/refunds/csv")
    async def as_csv(query: Annotated[RefundQuery, Query()]) -> StreamingResponse:
        typed = await _meant(naming, TypedRefunds.said(query.model_dump()))
        return _csv(refunds, typed.wanted(None))


def _callbacks(routes: APIRouter, naming: Naming, services: Services) -> None:
    repository = CallbackRepository(services.reader)

    @routes.get("/callbacks")
    async def listed(query: Annotated[CallbackPageQuery, Query()]) -> dict[str, Any]:
        typed = await _meant(naming, TypedCallbacks.said(query.model_dump(exclude=_PAGE)))
        wanted, limit = typed.wanted(None), query.limit
        place = Place.read(query.after) if query.after else None
        rows = await services.run_read(
            lambda: repository.listed(wanted, limit=limit + 1, after=place)
        )
        shown = rows[:limit]
        after = f"{Place.of(shown[-1])}" if rows[limit:] else None
        return {"callbacks": shown, "after": after}


_PAGE = {"after", "limit"}


async def _meant(naming: Naming, typed: T) -> T:
    """The filter with ids in place of names; a refusal names the first field that is wrong."""
    typed.check()
    return (await naming.asked(typed, None)).clear()


async def _answer(found: PagedList[F], wanted: F, after: str, rows_max: int) -> dict[str, Any]:
    """A page; the first one with what all rows come to."""
    place = place_said(after)
    page = await found.page(wanted, place, rows_max=rows_max)
    return {
        "rows": page.rows,
        "after": page.after and page.after.told,
        "sums": asdict(await found.sums(wanted)) if place is None else None,
    }


def _csv(found: PagedList[F], wanted: F) -> StreamingResponse:
    return StreamingResponse(found.csv(wanted), media_type="text/csv; charset=utf-8")
