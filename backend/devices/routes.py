"""``/operator/v1``: finding devices, and the tags by which they are chosen."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from backend.devices.limits import FLEET_PAGE_ROWS, TAGS_PER_DEVICE_MAX
from backend.devices.repository import DeviceRepository
from backend.devices.selection import Selection
from backend.devices.tags import TagDevice
from backend.guard import Guard
from backend.payments.services import Services
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX

_Word = Annotated[str, Query(max_length=IDENTIFIER_CHARS_MAX)]
_Tags = Annotated[list[str], Field(max_length=TAGS_PER_DEVICE_MAX)]
_By = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]


class TagChange(Wanted):
    """``PUT /operator/v1/devices/{tid}/tags``."""

    add: _Tags = Field(default_factory=list)
    remove: _Tags = Field(default_factory=list)
    by: _By = "operator"


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/fleet`` and the tags of a device."""
    repository = DeviceRepository(services.reader)
    routes = APIRouter(prefix="/operator/v1", tags=["fleet"], dependencies=[Depends(operator_only)])

    @routes.get("/fleet")
    async def get_fleet(
        store: _Word = "",
        kind: _Word = "",
        status: _Word = "",
        tag: _Word = "",
        text: _Word = "",
        after: _Word = "",
    ) -> dict[str, Any]:
        """A page of devices by name; ``next`` is the ``after`` of the next one, or none."""
        selection = Selection(store=store, kind=kind, status=status, tag=tag, text=text)
        selection.check()
        found = await services.run_read(lambda: repository.fleet(selection, after=after))
        is_full = len(found) == FLEET_PAGE_ROWS
        return {"devices": found, "next": found[-1]["tid"] if is_full else None}

    @routes.get("/merchants/{merchant_id}/stores")
    async def get_stores(merchant_id: str) -> dict[str, Any]:
        """A merchant's stores, with how many devices each has and how many of them are here."""
        stores = await services.run_read(lambda: repository.stores(merchant_id))
        return {"stores": stores}

    @routes.put("/devices/{tid}/tags")
    async def put_tags(tid: str, wanted: TagChange) -> dict[str, Any]:
        """Put tags on and take tags off; all that it has then."""
        await services.submit(
            TagDevice(tid=tid, add=tuple(wanted.add), remove=tuple(wanted.remove), by=wanted.by)
        )
        tags: dict[str, list[str]] = await services.run_read(lambda: repository.tags([tid]))
        return {"tid": tid, "tags": tags.get(tid, [])}

    return routes
