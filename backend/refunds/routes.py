"""HTTP about refunds, for operators: giving money back. The lists are the listing room's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from backend.audit.model import Act, ActKind
from backend.db.tables import Row
from backend.guard import Guard
from backend.operator.auth import origin_of
from backend.payments.repository import PaymentRepository
from backend.payments.services import Services
from backend.refunds.by_hand import give_back
from backend.wanted import Wanted
from protocol.errors import CallerError
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages import RefundCreate
from protocol.messages.base import CurrencyText, PaymentIdText, PositiveMinor, RefundIdText, Text

REFUNDS = "/operator/v1/refunds"
ACTOR = "operator"


class NewRefund(Wanted):
    """``POST /operator/v1/refunds``. Who gives it mints ``refund_id``: repeating is harmless."""

    refund_id: RefundIdText
    payment_id: PaymentIdText
    amount_minor: PositiveMinor
    currency: CurrencyText
    reason: Text = ""
    by: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX)] = ""


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``POST /operator/v1/refunds``."""
    payments = PaymentRepository(services.reader)
    routes = APIRouter(prefix=REFUNDS, tags=["operator"], dependencies=[Depends(operator_only)])

    @routes.post("", status_code=201)
    async def refund(request: Request, wanted: NewRefund) -> Row:
        payment = await services.run_read(lambda: payments.payment(wanted.payment_id))
        if payment is None:
            raise CallerError("payment_not_found", wanted.payment_id)
        body = RefundCreate(
            **wanted.model_dump(exclude={"by"}), till=ACTOR, cashier=wanted.by or None
        )
        act = Act(
            kind=ActKind.REFUND,
            what="refund",
            actor=f"{ACTOR}:{wanted.by}" if wanted.by else ACTOR,
            origin=origin_of(request),
            subject=f"payment {wanted.payment_id}",
            merchant_id=payment["merchant_id"],
            reason=wanted.reason,
        )
        return await give_back(services, body, merchant_id=payment["merchant_id"], act=act)

    return routes
