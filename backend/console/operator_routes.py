"""The console's people over JSON, for the bearer of the operator's token: made, closed, listed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from backend.console.desk import PeopleDesk
from backend.console.limits import NAME_CHARS_MAX, PASSWORD_CHARS_MAX
from backend.console.model import Role
from backend.operator.auth import Guard
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX

CREATED = 201


class NewUser(Wanted):
    """``POST /operator/v1/console/users``."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
    role: Annotated[Role, Field(strict=False)]
    merchant_id: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX)] = ""
    password: Annotated[str, Field(max_length=PASSWORD_CHARS_MAX, repr=False)]


def operator_router(people: PeopleDesk, operator_only: Guard) -> APIRouter:
    """``/operator/v1/console/users``."""
    routes = APIRouter(
        prefix="/operator/v1/console/users",
        tags=["operator"],
        dependencies=[Depends(operator_only)],
    )

    @routes.post("", status_code=CREATED)
    async def add(wanted: NewUser) -> dict[str, Any]:
        return await people.add(
            name=wanted.name,
            role=wanted.role,
            merchant_id=wanted.merchant_id,
            password=wanted.password,
        )

    @routes.get("")
    async def listed() -> dict[str, Any]:
        return {"users": await people.listed()}

    @routes.post("/{name}/close")
    async def close(name: str) -> dict[str, Any]:
        return await people.close(name)

    return routes
