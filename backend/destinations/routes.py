"""HTTP about filed accounts, for operators."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from backend.db.tables import Row
from backend.destinations.model import DestinationKind
from backend.destinations.repository import DestinationRepository
from backend.destinations.service import FileDestination, WithdrawDestination
from backend.guard import Guard
from backend.merchants.limits import ACCOUNT_CHARS_MAX, NAME_CHARS_MAX
from backend.merchants.model import masked_account
from backend.payments.services import Services
from backend.wanted import Wanted
from protocol.errors import CallerError

ACTOR = "operator"


class FiledAccount(Wanted):
    """``PUT /operator/v1/destinations/{kind}/{holder_id}``."""

    account_no: Annotated[str, Field(min_length=1, max_length=ACCOUNT_CHARS_MAX)]
    account_name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/destinations``: look at a filed account, file another, withdraw it."""
    repository = DestinationRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/destinations",
        tags=["clearing"],
        dependencies=[Depends(operator_only)],
    )

    @routes.get("/{kind}/{holder_id}")
    async def destination(kind: DestinationKind, holder_id: str) -> dict[str, Any]:
        row = await repository.destination(kind, holder_id)
        if row is None:
            raise CallerError("destination_not_allowed", f"{kind} {holder_id}")
        filings = await repository.filings(kind, holder_id)
        return {**_shown(row), "history": [_shown(one) for one in filings]}

    @routes.put("/{kind}/{holder_id}")
    async def file(kind: DestinationKind, holder_id: str, body: FiledAccount) -> dict[str, Any]:
        command = FileDestination(kind=kind, holder_id=holder_id, actor=ACTOR, **body.model_dump())
        return _shown(await services.submit(command))

    @routes.post("/{kind}/{holder_id}/withdraw")
    async def withdraw(kind: DestinationKind, holder_id: str) -> dict[str, Any]:
        command = WithdrawDestination(kind=kind, holder_id=holder_id, actor=ACTOR)
        return _shown(await services.submit(command))

    return routes


def _shown(row: Row) -> Row:
    return {**row, "account_no": masked_account(row["account_no"])}
