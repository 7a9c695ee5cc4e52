"""The control API's part that looks at the wire: what was said and done, newest last."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import JsonValue

from firmware_sim.board import Board
from firmware_sim.recording.trace import Said
from firmware_sim.wire_log import WireLog
from firmware_sim.wire_pictures import Entry


def wire_routes(board: Board, wire: WireLog) -> APIRouter:
    """``/wire``: the log; a looker says which number it saw last, and may name a device."""
    routes = APIRouter()

    @routes.get("/wire")
    async def events(
        after: Annotated[int, Query(ge=0)] = 0, device: str | None = None
    ) -> dict[str, object]:
        if device is not None:
            board.link(device)
        told = [entry_shown(entry) for entry in wire.after(after, device)]
        return {"last": wire.last, "events": told}

    @routes.get("/wire/{number}")
    async def event(number: int) -> dict[str, JsonValue]:
        return entry_shown(wire.entry(number))

    return routes


def entry_shown(entry: Entry) -> dict[str, JsonValue]:
    """An event as the API shows it: a trace's line with its number, its frame's whole size and
    the places of its fields in the bytes."""
    shown: dict[str, JsonValue] = {"number": entry.number, **entry.event.model_dump(mode="json")}
    if isinstance(entry.event, Said):
        shown["size_bytes"] = entry.size_bytes
        shown["places"] = {name: list(place) for name, place in entry.event.places.items()}
    return shown
