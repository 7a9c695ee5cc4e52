"""``/v3/tillway/payments`` and ``refunds``: the lists of the console, of the caller's merchant.

Rule: the merchant is the caller's own, whatever is asked: nothing of another's is found.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from backend.listing.schemas import OwnPaymentPageQuery, OwnRefundPageQuery
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.lists.desk import OwnLists
from backend.merchant_api.wire.gate import caller_of

_Caller = Annotated[Account, Depends(caller_of)]


def add_routes(routes: APIRouter, desk: OwnLists) -> None:
    """Find payments and refunds, a page at a time."""

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
