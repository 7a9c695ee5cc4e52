"""HTTP about decisions, for the console: why a payment was let through or not."""

from typing import Any

from fastapi import APIRouter, Depends

from backend.payments.services import Services
from backend.risk.cases.routes import Guard
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.records import explanation
from backend.risk.judging.repository import DecisionRepository
from protocol.errors import CallerError


def operator_router(services: Services, operator_only: Guard, desk: RiskDesk) -> APIRouter:
    """``/operator/v1/risk/decisions``."""
    routes = APIRouter(
        prefix="/operator/v1/risk/decisions", tags=["risk"], dependencies=[Depends(operator_only)]
    )
    repository = DecisionRepository(services.reader)

    @routes.get("/{payment_id}")
    async def explain(payment_id: str) -> dict[str, Any]:
        """What each attempt of a payment was judged by, and whether it is judged the same again."""
        rows = await services.run_read(lambda: repository.of_payment(payment_id))
        if not rows:
            raise CallerError("payment_not_found", payment_id)
        return {"decisions": [explanation(row, desk) for row in rows]}

    return routes
