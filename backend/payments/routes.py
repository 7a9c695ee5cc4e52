"""HTTP about payments, for operators: a payment with its timeline, attempts and verdict."""

import json
from typing import Any

from fastapi import APIRouter, Depends

from backend.disputes.repository import DisputeRepository
from backend.guard import Guard
from backend.payments.repository import PaymentRepository
from backend.payments.services import Services
from backend.refunds.repository import RefundRepository
from protocol.errors import CallerError

_HIDDEN = frozenset({"body_hash", "risk", "routing"})


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/payments/{payment_id}``."""
    payments, refunds = PaymentRepository(services.reader), RefundRepository(services.reader)
    disputes = DisputeRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/payments", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("/{payment_id}")
    async def payment(payment_id: str) -> dict[str, Any]:
        row = await services.run_read(lambda: payments.payment(payment_id))
        if row is None:
            raise CallerError("payment_not_found", payment_id)
        shown = {name: value for name, value in row.items() if name not in _HIDDEN}
        return shown | {
            "verdict": json.loads(row["risk"]) if row["risk"] else None,
            "routing": json.loads(row["routing"]) if row["routing"] else [],
            "timeline": await services.run_read(lambda: payments.timeline(payment_id)),
            "attempts": await services.run_read(lambda: payments.attempts(payment_id)),
            "refunds": await services.run_read(lambda: refunds.of_payment(payment_id)),
            "disputes": await services.run_read(lambda: disputes.of_payment(payment_id)),
        }

    return routes
