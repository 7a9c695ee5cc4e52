"""HTTP about lists, for the console. Values may be personal, so they stand in bodies and queries
that are not logged, never in paths."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from backend.db.tables import Row
from backend.guard import Guard
from backend.payments.services import Services
from backend.risk.lists.limits import (
    OWNER_CHARS_MAX,
    PERSON_CHARS_MAX,
    REASON_CHARS_MAX,
    VALUE_CHARS_MAX,
)
from backend.risk.lists.model import Entry, ListKind, ListName
from backend.risk.lists.repository import ListRepository
from backend.risk.lists.service import PutOnList, TakeOffList
from backend.wanted import Wanted
from protocol.errors import CallerError

LISTS = "/operator/v1/risk/lists"
KindText = Annotated[ListKind, Field(strict=False)]
ValueText = Annotated[str, Field(min_length=1, max_length=VALUE_CHARS_MAX)]
ReasonText = Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]
PersonText = Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]


class Value(Wanted):
    """A value, whatever list it is on."""

    kind: KindText
    value: ValueText


class NewEntry(Value):
    """``POST …/put``. ``until_ms`` 0: until it is taken off."""

    list_name: Annotated[ListName, Field(strict=False)]
    reason: ReasonText
    owner: Annotated[str, Field(min_length=1, max_length=OWNER_CHARS_MAX)]
    by: PersonText
    until_ms: Annotated[int, Field(ge=0)] = 0


class TakenOff(Value):
    """``POST …/take_off``."""

    reason: ReasonText
    by: PersonText


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/risk/lists``."""
    routes = APIRouter(prefix=LISTS, tags=["risk"], dependencies=[Depends(operator_only)])
    _add_reads(routes, services)
    _add_commands(routes, services)
    return routes


def _add_reads(routes: APIRouter, services: Services) -> None:
    repository = ListRepository(services.reader)

    @routes.get("/{list_name}")
    async def entries(
        list_name: ListName,
        after_kind: Annotated[str, Query(max_length=VALUE_CHARS_MAX)] = "",
        after_value: Annotated[str, Query(max_length=VALUE_CHARS_MAX)] = "",
    ) -> dict[str, Any]:
        """The next page of a list's entries that count."""
        now_ms, after = services.clock.now_ms(), (after_kind, after_value)
        rows = await services.run_read(
            lambda: repository.entries(list_name, now_ms=now_ms, after=after)
        )
        return {"entries": [_shown(row) for row in rows]}

    @routes.post("/look_up")
    async def look_up(body: Value) -> dict[str, Any]:
        """Where a value stands, and what happened to it."""
        row = await services.run_read(lambda: repository.entry(body.kind, body.value))
        if row is None:
            raise CallerError("list_entry_not_found", body.kind)
        events = await services.run_read(lambda: repository.events(body.kind, body.value))
        return _shown(row) | {"events": events}


def _add_commands(routes: APIRouter, services: Services) -> None:
    @routes.post("/put")
    async def put(body: NewEntry) -> dict[str, Any]:
        """Put a value on a list; it leaves the one that it is on."""
        entry = Entry(
            list_name=body.list_name, kind=body.kind, value=body.value,
            reason=body.reason, owner=body.owner, until_ms=body.until_ms,
        )  # fmt: skip
        return _shown(await services.submit(PutOnList(entry=entry, by=body.by)))

    @routes.post("/take_off")
    async def take_off(body: TakenOff) -> dict[str, Any]:
        """Take a value off its list."""
        command = TakeOffList(kind=body.kind, value=body.value, reason=body.reason, by=body.by)
        return _shown(await services.submit(command))


def _shown(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "event_count"}
