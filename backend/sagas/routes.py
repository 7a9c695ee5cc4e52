"""HTTP about conversations with channels, for operators: which are open, and how each went."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from backend.payments.services import Services
from backend.sagas.limits import ROWS_PER_LIST_MAX
from backend.sagas.repository import SagaRepository

Guard = Callable[[Request], Awaitable[None]]


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/sagas``: those that are open; ``/{payment_id}``: all about one payment."""
    repository = SagaRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/sagas", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("")
    async def unfinished(
        limit: Annotated[int, Query(ge=1, le=ROWS_PER_LIST_MAX)] = 50,
    ) -> dict[str, Any]:
        return {"sagas": await services.run_read(lambda: repository.unfinished(limit))}

    @routes.get("/{payment_id}")
    async def of_payment(payment_id: str) -> dict[str, Any]:
        return {"sagas": await services.run_read(lambda: repository.of_payment(payment_id))}

    return routes
