"""The console's people over JSON, for the bearer of the operator's token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from backend.console.limits import NAME_CHARS_MAX, PASSWORD_CHARS_MAX
from backend.console.model import Rank, Role
from backend.console.staff_desk import By, StaffDesk
from backend.guard import Guard
from backend.operator.auth import origin_of
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX

CREATED = 201


class NewUser(Wanted):
    """``POST /operator/v1/console/users``. Without a password the person is invited."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
    role: Annotated[Role, Field(strict=False)]
    rank: Annotated[Rank, Field(strict=False)] = Rank.OWNER
    merchant_id: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX)] = ""
    password: Annotated[str | None, Field(max_length=PASSWORD_CHARS_MAX, repr=False)] = None


class NewRank(Wanted):
    """``POST /operator/v1/console/users/{name}/rank``."""

    rank: Annotated[Rank, Field(strict=False)]


class NewPassword(Wanted):
    """``POST /operator/v1/console/users/{name}/password``: what its person knows and has."""

    old: Annotated[str, Field(max_length=PASSWORD_CHARS_MAX, repr=False)]
    new: Annotated[str, Field(max_length=PASSWORD_CHARS_MAX, repr=False)]
    code: Annotated[str, Field(min_length=6, max_length=7, repr=False)]


def operator_router(desk: StaffDesk, operator_only: Guard) -> APIRouter:
    """``/operator/v1/console/users``: all people; a new one; ``/{name}/rank``, ``close``, ``open``,
    ``reset``, ``password``, ``sign-out``, ``sessions``, ``sessions/{session_id}/end``."""
    routes = APIRouter(
        prefix="/operator/v1/console/users",
        tags=["operator"],
        dependencies=[Depends(operator_only)],
    )

    @routes.post("", status_code=CREATED)
    async def add(request: Request, wanted: NewUser) -> dict[str, Any]:
        told = wanted.model_dump(exclude={"password"})
        if wanted.password is None:
            return await desk.invite(_by(request), **told)
        return await desk.add(_by(request), **told, password=wanted.password)

    @routes.get("")
    async def listed(request: Request) -> dict[str, Any]:
        return {"users": await desk.listed(_by(request))}

    @routes.post("/{name}/rank")
    async def rank(request: Request, name: str, wanted: NewRank) -> dict[str, Any]:
        await desk.change_rank(_by(request), name, wanted.rank)
        return {"name": name, "rank": wanted.rank.value}

    @routes.post("/{name}/close")
    async def close(request: Request, name: str) -> dict[str, Any]:
        await desk.close(_by(request), name)
        return {"name": name, "is_closed": True}

    @routes.post("/{name}/open")
    async def reopen(request: Request, name: str) -> dict[str, Any]:
        await desk.open(_by(request), name)
        return {"name": name, "is_closed": False}

    @routes.post("/{name}/reset")
    async def reset(request: Request, name: str) -> dict[str, Any]:
        return await desk.reset(_by(request), name)

    @routes.post("/{name}/password")
    async def password(request: Request, name: str, wanted: NewPassword) -> dict[str, Any]:
        code = wanted.code.replace(" ", "")
        await desk.change_password_of(_by(request), name, old=wanted.old, new=wanted.new, code=code)
        return {"name": name, "sessions": 0}

    @routes.post("/{name}/sign-out")
    async def sign_out(request: Request, name: str) -> dict[str, Any]:
        await desk.sign_out(_by(request), name)
        return {"name": name, "sessions": 0}

    @routes.get("/{name}/sessions")
    async def sessions(name: str) -> dict[str, Any]:
        shown = ("id", "began_at_ms", "seen_at_ms", "origin", "browser")
        rows = await desk.sessions(name)
        return {"sessions": [{field: row[field] for field in shown} for row in rows]}

    @routes.post("/{name}/sessions/{session_id}/end")
    async def end(request: Request, name: str, session_id: str) -> dict[str, Any]:
        await desk.end_session_of(_by(request), name, session_id)
        return await sessions(name)

    return routes


def _by(request: Request) -> By:
    return By(actor="operator", origin=origin_of(request), is_forced=True)
