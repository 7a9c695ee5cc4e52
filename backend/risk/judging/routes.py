"""HTTP about decisions: why a payment was let through or not."""

from typing import Any

from fastapi import APIRouter, Depends

from backend.guard import Guard
from backend.risk.judging.explaining import Explainer
from protocol.errors import CallerError


def operator_router(explainer: Explainer, operator_only: Guard) -> APIRouter:
    """``/operator/v1/risk/decisions``."""
    routes = APIRouter(
        prefix="/operator/v1/risk/decisions", tags=["risk"], dependencies=[Depends(operator_only)]
    )

    @routes.get("/{payment_id}")
    async def explain(payment_id: str) -> dict[str, Any]:
        """What each attempt of a payment was judged by, and whether it is judged the same again."""
        found = await explainer.explained(payment_id)
        if not found:
            raise CallerError("payment_not_found", payment_id)
        return {"decisions": found}

    return routes
