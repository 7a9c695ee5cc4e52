"""HTTP about callbacks, for operators: what could not be delivered, and sending it again."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends, Request

from backend.notify.deliverer import RunRead, Submit
from backend.notify.repository import CallbackRepository
from backend.notify.service import ReplayCallback

Guard = Callable[[Request], Awaitable[None]]


def operator_router(
    *,
    submit: Submit,
    run_read: RunRead,
    repository: CallbackRepository,
    operator_only: Guard,
    wake: Callable[[], None] = lambda: None,
) -> APIRouter:
    """``/operator/v1/dead-letters``. ``wake`` makes the deliverer look at once."""
    routes = APIRouter(
        prefix="/operator/v1/dead-letters",
        tags=["operator"],
        dependencies=[Depends(operator_only)],
    )

    @routes.get("")
    async def dead_letters() -> dict[str, Any]:
        return {"dead_letters": await run_read(repository.dead_letters)}

    @routes.post("/{callback_id}/replay")
    async def replay(callback_id: str) -> dict[str, Any]:
        state = await submit(ReplayCallback(callback_id=callback_id))
        wake()
        return {"callback_id": callback_id, "state": state}

    return routes
