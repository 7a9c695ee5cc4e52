"""The lists over JSON and as CSV, for the bearer of the operator's token."""

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from backend.guard import Guard
from backend.listing.filters import (
    TypedCallbacks,
    TypedPayments,
    TypedRefunds,
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
        typed = await naming.clear(TypedPayments.said(query.filter()), None)
        found = await payments.answer(typed.wanted(None), query.after, rows_max=query.limit)
        return {"payments": found.pop("rows"), **found}

    @routes.get("/payments/csv")
    async def as_csv(query: Annotated[PaymentQuery, Query()]) -> StreamingResponse:
        typed = await naming.clear(TypedPayments.said(query.model_dump()), None)
        return _csv(payments, typed.wanted(None))


def _refunds(routes: APIRouter, naming: Naming, refunds: PagedList[RefundFilter]) -> None:
    @routes.get("/refunds")
    async def listed(query: Annotated[RefundPageQuery, Query()]) -> dict[str, Any]:
        typed = await naming.clear(TypedRefunds.said(query.filter()), None)
        found = await refunds.answer(typed.wanted(None), query.after, rows_max=query.limit)
        return {"refunds": found.pop("rows"), **found}

    @routes.get("/refunds/csv")
    async def as_csv(query: Annotated[RefundQuery, Query()]) -> StreamingResponse:
        typed = await naming.clear(TypedRefunds.said(query.model_dump()), None)
        return _csv(refunds, typed.wanted(None))


def _callbacks(routes: APIRouter, naming: Naming, services: Services) -> None:
    repository = CallbackRepository(services.reader)

    @routes.get("/callbacks")
    async def listed(query: Annotated[CallbackPageQuery, Query()]) -> dict[str, Any]:
        typed = await naming.clear(TypedCallbacks.said(query.filter()), None)
        wanted, limit = typed.wanted(None), query.limit
        place = Place.read(query.after) if query.after else None
        rows = await services.run_read(
            lambda: repository.listed(wanted, limit=limit + 1, after=place)
        )
        shown = rows[:limit]
        after = f"{Place.of(shown[-1])}" if rows[limit:] else None
        return {"callbacks": shown, "after": after}


def _csv(found: PagedList[F], wanted: F) -> StreamingResponse:
    return StreamingResponse(found.csv(wanted), media_type="text/csv; charset=utf-8")
