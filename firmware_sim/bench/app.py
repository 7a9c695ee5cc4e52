"""The bench's routes: pages and pieces of pages. What is done goes to the control API itself.

Rule 1: nothing is kept for a page that looks on but its place and what it was told last.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from markupsafe import Markup

from faces.locale import language_of
from faces.routes import add_routes
from faces.stream import Places, event, last_event_id
from faces.words import Words
from firmware_sim.bench import view
from firmware_sim.bench.face import ROOT, Face
from firmware_sim.bench.runs import run_pages
from firmware_sim.bench.traces import trace_pages
from firmware_sim.limits import (
    BENCH_FOLLOWERS_MAX,
    BENCH_LOOK_EVERY_MS,
    BENCH_ROWS_MAX,
)
from firmware_sim.recording.trace import Said
from firmware_sim.wire_pictures import Entry, rows_of
from firmware_sim.workplace import Workplace
from protocol.errors import CallerError, TillwayError

Device = Annotated[str | None, Query(max_length=64)]


Lost = Callable[[Request, TillwayError, int], Response | None]
"""A page that says what is wrong with an address of the bench; ``None`` to what is no browser."""


def add_bench(app: FastAPI, place: Workplace) -> Lost:
    """Put the bench beside the control API of its board."""
    face = Face(place)
    face.assets.mount(app)

    @app.get("/", include_in_schema=False)
    async def begin() -> Response:
        return RedirectResponse(ROOT)

    add_routes(app, _pages(face))
    add_routes(app, _pieces(face))
    add_routes(app, _live(face))
    add_routes(app, run_pages(face))
    add_routes(app, trace_pages(face))
    return partial(_lost, face)


def _lost(face: Face, request: Request, refusal: TillwayError, status: int) -> Response | None:
    is_page = request.method == "GET" and f"{request.url.path}/".startswith(f"{ROOT}/")
    if not is_page or "text/html" not in request.headers.get("accept", ""):
        return None
    why = Words(refusal.detail_zh or refusal.detail, refusal.detail)
    response = face.page("lost", request, place="lost", why=why)
    response.status_code = status
    return response


def _pages(face: Face) -> APIRouter:
    pages = APIRouter(prefix=ROOT, include_in_schema=False)

    @pages.get("")
    async def bench(
        request: Request, device: Device = None, sheet: Annotated[int, Query(ge=1)] = 1
    ) -> Response:
        language, drawn = language_of(request), view.sheet_of(face.board, sheet)
        chosen = device or next(iter(face.board.links), None)
        return face.page(
            "board",
            request,
            place="board",
            sheet=drawn,
            chosen=chosen,
            parts_drawn={part.name: face.part(part.name, language) for part in drawn.parts},
            device=face.device(chosen, language) if chosen else "",
            rows=rows_of(face.wire.after(0)[-BENCH_ROWS_MAX:]),
            last=face.wire.last,
        )

    return pages


def _pieces(face: Face) -> APIRouter:
    pieces = APIRouter(prefix=f"{ROOT}/pieces", include_in_schema=False)

    @pieces.get("/device/{name}")
    async def device(name: str, request: Request) -> Response:
        return HTMLResponse(face.device(name, language_of(request)))

    @pieces.get("/wire")
    async def rows(request: Request, device: Device = None) -> Response:
        entries = face.wire.after(0, device)[-BENCH_ROWS_MAX:]
        return HTMLResponse(face.rows(entries, language_of(request)))

    @pieces.get("/wire/{number}")
    async def frame(number: int, request: Request) -> Response:
        language = language_of(request)
        try:
            entry = face.wire.entry(number)
        except CallerError:
            return HTMLResponse(face.piece("gone", language))
        if not isinstance(entry.event, Said):
            return HTMLResponse(face.piece("deed", language, entry=entry))
        picture = entry.picture
        if picture is None or picture.entries[0].number != number:
            frame = view.frame_of(entry)
            return HTMLResponse(face.piece("frame", language, entry=entry, frame=frame))
        frames = [view.frame_of(one, f"{at}-") for at, one in enumerate(picture.entries)]
        return HTMLResponse(face.piece("picture", language, picture=picture, frames=frames))

    return pieces


def _live(face: Face) -> APIRouter:
    live, places = APIRouter(prefix=ROOT), Places(BENCH_FOLLOWERS_MAX)

    @live.get(
        "/live", dependencies=[Depends(places.enter)], response_class=EventSourceResponse,
        include_in_schema=False,
    )  # fmt: skip
    async def follow(
        request: Request,
        lang: Annotated[Literal["zh", "en"], Query()] = "zh",
        after: Annotated[int, Query(ge=0)] = 0,
        device: Device = None,
        only: Device = None,
        sheet: Annotated[int, Query(ge=1)] = 1,
    ) -> AsyncIterator[ServerSentEvent]:
        seen = min(max(after, last_event_id(request)), face.wire.last)
        told: dict[str, Markup] = {}
        while True:
            fresh, last = face.wire.after(seen, only), face.wire.last
            if fresh:
                spoke = sorted({f"{one.event.device} {_side(one)}" for one in fresh})
                rows = face.rows(fresh, lang)
                told_now = {"html": rows, "spoke": spoke, "count": len(fresh), "last": last}
                yield event("wire", last, told_now)
            seen = last
            for name in (part.name for part in view.sheet_of(face.board, sheet).parts):
                drawn = face.part(name, lang)
                if told.get(name) != drawn:
                    told[name] = drawn
                    yield event("part", last, {"device": name, "html": drawn})
            if device in face.board.links:
                status = face.status(device, lang)
                if told.get("") != status:
                    told[""] = status
                    yield event("status", last, {"device": device, "html": status})
            await asyncio.sleep(BENCH_LOOK_EVERY_MS / 1000)
            await face.wire.wait(seen, BENCH_LOOK_EVERY_MS / 1000)

    return live


def _side(entry: Entry) -> str:
    return entry.event.side.value if isinstance(entry.event, Said) else ""
