"""``/v3/tillway/payments`` and ``refunds``: the lists of the console, of the caller's merchant.

Rule: the merchant is the caller's own, whatever is asked: nothing of another's is found.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from backend.listing.filters import Place
from backend.listing.schemas import (
    OwnPaymentFileQuery,
    OwnPaymentPageQuery,
    OwnRefundFileQuery,
    OwnRefundPageQuery,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.lists.desk import OwnLists
from backend.merchant_api.wire.gate import caller_of

AFTER = "Tillway-After"
"""Where a file's next part begins; an answer without it is the last."""
_Caller = Annotated[Account, Depends(caller_of)]


def add_routes(routes: APIRouter, desk: OwnLists) -> None:
    """Find payments and refunds, a page at a time, as JSON or as CSV."""

    @routes.get("/tillway/payments")
    async def payments(
        caller: _Caller, query: Annotated[OwnPaymentPageQuery, Query()]
    ) -> dict[str, Any]:
        return await desk.payments(caller.merchant_id, query)

    @routes.get("/tillway/refunds")
    async def refunds(
        caller: _Caller, query: Annotated[OwnRefundPageQuery, Query()]
    ) -> dict[str, Any]:
        return await desk.refunds(caller.merchant_id, query)

    @routes.get("/tillway/payments/csv", response_class=Response)
    async def payment_file(
        caller: _Caller, query: Annotated[OwnPaymentFileQuery, Query()]
    ) -> Response:
        return _file(*await desk.payment_file(caller.merchant_id, query))

    @routes.get("/tillway/refunds/csv", response_class=Response)
    async def refund_file(
        caller: _Caller, query: Annotated[OwnRefundFileQuery, Query()]
    ) -> Response:
        return _file(*await desk.refund_file(caller.merchant_id, query))


def _file(part: bytes, after: Place | None) -> Response:
    headers = {AFTER: after.told} if after else {}
    return Response(part, media_type="text/csv; charset=utf-8", headers=headers)
