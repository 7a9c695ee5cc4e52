"""HTTP about labels, for the console: what is known of a payment, and a person's word about it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from backend.guard import Guard
from backend.payments.services import Services
from backend.risk.labels.limits import PERSON_CHARS_MAX, REASON_CHARS_MAX
from backend.risk.labels.repository import LabelRepository
from backend.risk.labels.service import LabelPayment
from backend.wanted import Wanted
from protocol.messages.base import LabelIdText, PaymentIdText

CREATED = 201


class NewLabel(Wanted):
    """``POST /operator/v1/risk/labels``. Who gives it mints ``label_id``: repeating is harmless."""

    label_id: LabelIdText
    payment_id: PaymentIdText
    is_fraud: bool
    by: Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/risk/labels``."""
    routes = APIRouter(
        prefix="/operator/v1/risk/labels", tags=["risk"], dependencies=[Depends(operator_only)]
    )
    repository = LabelRepository(services.reader)

    @routes.get("/{payment_id}")
    async def of_payment(payment_id: str) -> dict[str, Any]:
        """What was said of a payment, the latest first: that one holds."""
        return {"labels": await services.run_read(lambda: repository.of_payment(payment_id))}

    @routes.post("", status_code=CREATED)
    async def give(body: NewLabel) -> dict[str, Any]:
        """Say of a payment that it was a fraud, or that it was not."""
        command = LabelPayment(
            label_id=body.label_id, payment_id=body.payment_id, is_fraud=body.is_fraud,
            by=body.by, reason=body.reason,
        )  # fmt: skip
        label: dict[str, Any] = await services.submit(command)
        return label

    return routes
