"""What a backend without a reserve bank says where the clearing would be: that it has none, and
what to configure, instead of that there is nothing at the address."""

from typing import NoReturn

from fastapi import APIRouter, Depends

from backend.guard import Guard
from protocol.errors import CallerError

_PATHS = (
    "/clearing",
    "/clearing/{rest:path}",
    "/bills/{rest:path}",
    "/payouts/{rest:path}",
    "/merchants/{merchant_id}/payouts",
    "/merchants/{merchant_id}/settlement",
    "/payers/{payer_id}/topups",
)


def operator_router(operator_only: Guard) -> APIRouter:
    """The operator's addresses of ``clearing.routes`` and ``bills.routes``, each refused."""
    routes = APIRouter(
        prefix="/operator/v1", dependencies=[Depends(operator_only)], include_in_schema=False
    )
    for path in _PATHS:
        routes.add_api_route(path, _refuse, methods=["GET", "POST"])
    return routes


async def _refuse() -> NoReturn:
    raise CallerError("clearing_absent")
