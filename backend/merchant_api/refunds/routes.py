"""``/v3/refund/domestic/refunds``: giving orders' money back."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import OUT_REFUND_NO_CHARS_MAX
from backend.merchant_api.refunds.desk import RefundDesk
from backend.merchant_api.refunds.schemas import NewRefund
from backend.merchant_api.wire.asked import NUMBER_IN_PATH
from backend.merchant_api.wire.gate import caller_of

_Number = Annotated[
    str, Path(pattern=NUMBER_IN_PATH, min_length=1, max_length=OUT_REFUND_NO_CHARS_MAX)
]
_Caller = Annotated[Account, Depends(caller_of)]


def add_routes(routes: APIRouter, desk: RefundDesk) -> None:
    """Ask for a refund, and how it stands."""

    @routes.post("/refund/domestic/refunds")
    async def create(caller: _Caller, body: NewRefund) -> dict[str, Any]:
        return await desk.create(caller, body)

    @routes.get("/refund/domestic/refunds/{out_refund_no}")
    async def by_number(caller: _Caller, out_refund_no: _Number) -> dict[str, Any]:
        return await desk.by_number(caller, out_refund_no)
