"""HTTP about callbacks, for operators: what could not be delivered, and sending it again. The list
of all of them is with the other lists (``backend.listing``)."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from backend.guard import Guard
from backend.listing.filters import TypedDeadLetters
from backend.listing.naming import Naming
from backend.listing.schemas import DeadLetterPageQuery
from backend.notify.dead_letters import DeadLetters, replays_of
from backend.notify.repository import CallbackRepository
from backend.notify.schemas import ReplayWanted
from backend.payments.services import Services
from protocol.errors import CallerError

ACTOR = "operator"


def operator_router(
    services: Services,
    operator_only: Guard,
    *,
    repository: CallbackRepository,
    wake: Callable[[], None] = lambda: None,
) -> APIRouter:
    """``/operator/v1/dead-letters``. ``wake`` makes the deliverer look at once."""
    routes = APIRouter(
        prefix="/operator/v1", tags=["operator"], dependencies=[Depends(operator_only)]
    )
    letters, naming = DeadLetters(repository), Naming(services)
    _reading(routes, letters, naming, services)
    _replaying(routes, letters, naming, services, wake)
    return routes


def _replaying(
    routes: APIRouter,
    letters: DeadLetters,
    naming: Naming,
    services: Services,
    wake: Callable[[], None],
) -> None:
    @routes.post("/dead-letters/replay")
    async def replay_matching(wanted: ReplayWanted) -> dict[str, Any]:
        typed = TypedDeadLetters.said(wanted.model_dump(exclude={"all"}))
        which = (await naming.clear(typed, None)).wanted()
        if which.is_all and not wanted.all:
            raise CallerError("field_invalid", "all")
        commands = await services.run_read(lambda: letters.replays(which, actor=ACTOR))
        for command in commands:
            await services.submit(command)
        wake()
        remaining = await services.run_read(lambda: letters.count(which))
        return {"replayed": [one.callback_id for one in commands], "remaining": remaining}

    @routes.post("/dead-letters/{callback_id}/replay")
    async def replay(callback_id: str) -> dict[str, Any]:
        [command] = replays_of([callback_id], actor=ACTOR)
        state = await services.submit(command)
        wake()
        return {"callback_id": callback_id, "state": state}


def _reading(routes: APIRouter, letters: DeadLetters, naming: Naming, services: Services) -> None:
    @routes.get("/dead-letters")
    async def dead_letters(query: Annotated[DeadLetterPageQuery, Query()]) -> dict[str, Any]:
        typed = await naming.clear(TypedDeadLetters.said(query.filter()), None)
        wanted = typed.wanted()
        page = await services.run_read(
            lambda: letters.page(wanted, limit=query.limit, after=query.after)
        )
        return {"dead_letters": page.rows, "after": page.after or None}

    @routes.get("/dead-letters/{callback_id}")
    async def shown(callback_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await services.run_read(lambda: letters.shown(callback_id))
        return found
