"""``/operator/v1``: what devices are set to, for the operator."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from backend.db.tables import Row
from backend.devices.limits import SELECTED_DEVICES_MAX
from backend.devices.repository import DeviceRepository
from backend.devices.schemas import Chosen
from backend.devices.selection import Selection
from backend.guard import Guard
from backend.payments.services import Services
from backend.twins.limits import PERSON_CHARS_MAX, REASON_CHARS_MAX
from backend.twins.model import Standing, drift_of, merged, standing_of
from backend.twins.repository import TwinRepository
from backend.twins.service import ChangeSettings, ChangeStoreSettings
from backend.wanted import Wanted
from protocol.errors import CallerError, TillwayError
from protocol.limits import SETTINGS_PER_DEVICE_MAX
from protocol.settings import SCHEMA_VERSION, SETTINGS

_Changes = Annotated[dict[str, Any], Field(min_length=1, max_length=SETTINGS_PER_DEVICE_MAX)]


class SettingsChange(Wanted):
    """``PUT …/settings``: values by name; null takes one back to the machine's own."""

    values: _Changes
    by: Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]
    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX)] = ""


class GroupChange(SettingsChange):
    """``PUT /operator/v1/settings``: the same for a group of devices."""

    devices: Chosen


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/settings`` and the settings of a device."""
    twins, devices = TwinRepository(services.reader), DeviceRepository(services.reader)
    routes = APIRouter(prefix="/operator/v1", tags=["fleet"], dependencies=[Depends(operator_only)])

    @routes.get("/settings")
    async def get_schema() -> dict[str, Any]:
        """What may be set."""
        return {
            "schema_version": SCHEMA_VERSION,
            "settings": [
                {"name": one.name, "kind": one.kind, "takes": one.bounds(), "meaning": one.meaning}
                for one in SETTINGS.values()
            ],
        }

    @routes.get("/devices/{tid}/settings")
    async def get_settings(tid: str) -> dict[str, Any]:
        """Both sides of a device's settings, what drifts, and what happened."""
        row = await services.run_read(lambda: twins.twin(tid))
        if row is None:
            if await services.run_read(lambda: devices.device(tid)) is None:
                raise CallerError("device_unknown", tid)
            return {"tid": tid, "standing": Standing.UNREPORTED.value, "history": []}
        history = await services.run_read(lambda: twins.history(tid))
        return {**shown_twin(row), "history": [_step(one) for one in history]}

    @routes.put("/devices/{tid}/settings")
    async def put_settings(tid: str, wanted: SettingsChange) -> dict[str, Any]:
        """Change some of a device's settings."""
        return shown_twin(await services.submit(_change(tid, wanted)))

    @routes.put("/settings")
    async def put_group(wanted: GroupChange) -> dict[str, Any]:
        """Change some settings of every device of a group; how each stands then, or why not. A
        group that is a whole store counts also for the devices that it will have."""
        merged({}, wanted.values)
        selection = wanted.devices.selection()
        if selection == Selection(store=selection.store):
            await services.submit(
                ChangeStoreSettings(store=selection.store, changes=wanted.values, by=wanted.by)
            )
        rows = await services.run_read(lambda: devices.chosen(selection))
        if len(rows) > SELECTED_DEVICES_MAX:
            raise CallerError("field_invalid", f"more than {SELECTED_DEVICES_MAX} devices")
        told = await asyncio.gather(
            *[services.submit(_change(row["tid"], wanted)) for row in rows], return_exceptions=True
        )
        return {"devices": [_told(row["tid"], one) for row, one in zip(rows, told, strict=True)]}

    @routes.get("/stores/{store}/settings")
    async def get_store(store: str) -> dict[str, Any]:
        """What a store's devices are set to when they are heard for the first time."""
        row = await services.run_read(lambda: twins.of_store(store))
        return {"store": store, "wanted": json.loads(row["wanted"]) if row is not None else {}}

    @routes.post("/settings/drift")
    async def post_drift(chosen: Chosen) -> dict[str, Any]:
        """The devices of a group that are not as they are wanted."""
        selection = chosen.selection()
        rows = await services.run_read(lambda: devices.chosen(selection))
        tids = [row["tid"] for row in rows[:SELECTED_DEVICES_MAX]]
        found = [shown_twin(row) for row in await services.run_read(lambda: twins.twins(tids))]
        return {"devices": [one for one in found if one["drift"] or one["standing"] != "in_force"]}

    return routes


def _change(tid: str, wanted: SettingsChange) -> ChangeSettings:
    return ChangeSettings(tid=tid, changes=wanted.values, by=wanted.by, reason=wanted.reason)


def _told(tid: str, outcome: Row | BaseException) -> dict[str, Any]:
    if isinstance(outcome, TillwayError):
        return {"tid": tid, "error": outcome.to_wire()}
    if isinstance(outcome, BaseException):
        raise outcome
    return shown_twin(outcome)


def shown_twin(row: Row) -> dict[str, Any]:
    """Both sides of a device's settings."""
    kept = ("tid", "store", "wanted_version", "wanted_by", "wanted_at_ms", "schema_version",
            "version", "looked_at_version", "code", "detail", "reported_at_ms")  # fmt: skip
    return {
        **{name: row[name] for name in kept},
        "standing": standing_of(row).value,
        "wanted": json.loads(row["wanted"]),
        "actual": json.loads(row["actual"]),
        "drift": drift_of(row) if row["reported_number"] else {},
    }


def _step(row: Row) -> dict[str, Any]:
    return {**row, "content": json.loads(row["content"])}
