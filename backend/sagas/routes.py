"""HTTP about conversations with channels, for operators: which are open or stranded, how each went,
and what becomes of money that is nobody's."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from backend.guard import Guard
from backend.payments.services import Services
from backend.refunds.giving_back import AssignToPayer, TryGiveBackAnew
from backend.sagas.limits import ROWS_PER_LIST_MAX
from backend.sagas.repository import SagaRepository, shown
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX


class Decided(Wanted):
    """What an operator decides about stranded money, and which operator."""

    by: Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/sagas``: those that are open or stranded; ``/{payment_id}``: all about one
    payment; ``/{saga_id}/try-anew`` and ``/assign-to-payer``: what becomes of stranded money."""
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

    _add_commands(routes, services)
    return routes


def _add_commands(routes: APIRouter, services: Services) -> None:
    @routes.post("/{saga_id}/try-anew")
    async def try_anew(saga_id: str, body: Decided) -> dict[str, Any]:
        command = TryGiveBackAnew(saga_id=saga_id, actor=_actor(body), rules=services.rules)
        return {"saga": shown(await services.submit(command))}

    @routes.post("/{saga_id}/assign-to-payer")
    async def assign(saga_id: str, body: Decided) -> dict[str, Any]:
        command = AssignToPayer(saga_id=saga_id, actor=_actor(body), rules=services.rules)
        return {"saga": shown(await services.submit(command))}


def _actor(body: Decided) -> str:
    return f"operator:{body.by}"
