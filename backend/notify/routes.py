"""HTTP about callbacks, for operators: what could not be delivered, and sending it again. The list
of all of them is with the other lists (``backend.listing``)."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from backend.db.ports import RunRead, Submit
from backend.guard import Guard
from backend.notify.dead_letters import DeadLetters, replays_of
from backend.notify.limits import DEAD_LETTERS_PER_LIST_MAX
from backend.notify.model import DeadLetterFilter
from backend.notify.repository import CallbackRepository
from backend.notify.schemas import FilterText, FilterTime, ReplayWanted
from protocol.errors import CallerError

ACTOR = "operator"


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
        prefix="/operator/v1", tags=["operator"], dependencies=[Depends(operator_only)]
    )
    letters = DeadLetters(repository)
    _reading(routes, letters, run_read)

    @routes.post("/dead-letters/replay")
    async def replay_matching(wanted: ReplayWanted) -> dict[str, Any]:
        which = DeadLetterFilter(**wanted.model_dump(exclude={"all"}))
        if which.is_all and not wanted.all:
            raise CallerError("field_invalid", "all")
        commands = await run_read(lambda: letters.replays(which, actor=ACTOR))
        for command in commands:
            await submit(command)
        wake()
        remaining = await run_read(lambda: letters.count(which))
        return {"replayed": [one.callback_id for one in commands], "remaining": remaining}

    @routes.post("/dead-letters/{callback_id}/replay")
    async def replay(callback_id: str) -> dict[str, Any]:
        [command] = replays_of([callback_id], actor=ACTOR)
        state = await submit(command)
        wake()
        return {"callback_id": callback_id, "state": state}

    return routes


def _reading(routes: APIRouter, letters: DeadLetters, run_read: RunRead) -> None:
    @routes.get("/dead-letters")
    async def dead_letters(
        merchant_id: FilterText = None,
        event_type: FilterText = None,
        since_ms: FilterTime = None,
        limit: Annotated[int, Query(ge=1, le=DEAD_LETTERS_PER_LIST_MAX)] = 50,
        after: str = "",
    ) -> dict[str, Any]:
        wanted = DeadLetterFilter(merchant_id=merchant_id, event_type=event_type, since_ms=since_ms)
        page = await run_read(lambda: letters.page(wanted, limit=limit, after=after))
        return {"dead_letters": page.rows, "after": page.after}

    @routes.get("/dead-letters/{callback_id}")
    async def shown(callback_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await run_read(lambda: letters.shown(callback_id))
        return found
