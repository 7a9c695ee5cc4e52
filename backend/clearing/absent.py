"""What a backend without a reserve bank says where the clearing would be: that it has none, and
what to configure, instead of that there is nothing at the address."""

from fastapi import APIRouter, Depends

from backend.guard import Guard
from protocol.errors import CallerError

_LOOKED_AT = (
    "/clearing",
    "/clearing/{rest:path}",
    "/bills/{rest:path}",
    "/payouts/{payout_id}",
    "/merchants/{merchant_id}/payouts",
    "/merchants/{merchant_id}/settlement",
)
_DONE = (
    "/clearing/within-day/run",
    "/clearing/{day}/run",
    "/payouts/{payout_id}/release",
    "/payouts/{payout_id}/recall",
    "/payers/{payer_id}/topups",
)


def operator_router(operator_only: Guard) -> APIRouter:
    """The operator's addresses of ``clearing.routes`` and ``bills.routes``, each refused."""
    routes = APIRouter(
        prefix="/operator/v1", dependencies=[Depends(operator_only)], include_in_schema=False
    )
    for method, paths in (("GET", _LOOKED_AT), ("POST", _DONE)):
        for path in paths:
            routes.add_api_route(path, _refuse, methods=[method])
    return routes


async def _refuse() -> None:
    raise CallerError("clearing_absent")
