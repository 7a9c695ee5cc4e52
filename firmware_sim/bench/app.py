"""The bench's routes: pages and pieces of pages. What is done goes to the control API itself.

Rule 1: nothing is kept for a page that looks on but its place and what it was told last.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from markupsafe import Markup

from faces.assets import Assets
from faces.locale import language_of, remember
from faces.pages import Pages
from faces.stream import Places, event, last_event_id
from faces.words import Language
from firmware_sim.bench import view
from firmware_sim.bench.words import FAULTS, SHORT_FAULTS, WORDS, act_words
from firmware_sim.board import Board
from firmware_sim.limits import (
    BENCH_FOLLOWERS_MAX,
    BENCH_LOOK_EVERY_MS,
    BENCH_ROWS_MAX,
    BENCH_WORDS_BYTES_MAX,
)
from firmware_sim.recording.trace import Said
from firmware_sim.wire_log import Entry, WireLog
from protocol.errors import CallerError

ROOT = "/bench"
Device = Annotated[str | None, Query(max_length=64)]


class Face:
    """Makes the bench's pages and their pieces."""

    def __init__(self, board: Board, wire: WireLog) -> None:
        self.board, self.wire = board, wire
        self.assets = Assets("bench", "firmware_sim.bench", root=ROOT)
        self._parts: dict[str, tuple[int, view.Part]] = {}
        self._drawn: dict[tuple[str, Language], tuple[view.Part, Markup]] = {}
        board.watch(lambda *_: self._parts.clear())  # what people did is seen at once
        self._pages = Pages("firmware_sim.bench", self.assets, WORDS)

    def piece(self, template: str, language: Language, **context: Any) -> Markup:  # noqa: ANN401
        """A template with what every one of them knows."""
        return self._pages.render(
            f"bench/{template}.html", language, face="bench", mood="plain", token="", root=ROOT,
            board=self.board, short_faults=SHORT_FAULTS, fault_words=FAULTS,
            shown_max=BENCH_WORDS_BYTES_MAX, **context,
        )  # fmt: skip

    def part(self, name: str, language: Language) -> Markup:
        """The drawing of a device as it is now; drawn once for all who look on."""
        part = self._seen(name)
        drawn = self._drawn.get((name, language))
        if drawn is None or drawn[0] != part:
            words = {act.name: act_words(act.summary) for act in self.board.kinds[name].acts}
            drawn = part, self.piece("part", language, part=part, part_words=words)
            self._drawn[name, language] = drawn
        return drawn[1]

    def _seen(self, name: str) -> view.Part:
        """A device as it was a moment ago, or as it is: however many look on, it is looked at a
        few times a second."""
        now_ms = self.board.now_ms()
        at_ms, part = self._parts.get(name, (0, None))
        if part is None or now_ms - at_ms >= BENCH_LOOK_EVERY_MS:
            part = view.part_of(self.board, name)
            self._parts[name] = now_ms, part
        return part

    def status(self, name: str, language: Language) -> Markup:
        """What changes by itself beside the drawing."""
        part = self._seen(name)
        return self.piece(
            "status", language, part=part, rows=list(view.state_rows(part.state)),
            faults=view.fault_rows(self.board, name), counts=self.board.link(name).counts,
        )  # fmt: skip

    def device(self, name: str, language: Language) -> Markup:
        """All of what can be done with a device."""
        return self.piece(
            "device", language, name=name, title=view.title_of(self.board, name),
            acts=view.acts_of(self.board, name), status=self.status(name, language),
        )  # fmt: skip

    def rows(self, entries: list[Entry], language: Language) -> Markup:
        """Lines of the timeline."""
        return self.piece("rows", language, entries=entries)


def add_bench(app: FastAPI, board: Board, wire: WireLog) -> None:
    """Put the bench beside the control API of its board."""
    face = Face(board, wire)
    face.assets.mount(app)
    app.include_router(_pages(face))
    app.include_router(_pieces(face))
    app.include_router(_live(face))


def _pages(face: Face) -> APIRouter:
    pages = APIRouter(prefix=ROOT, include_in_schema=False)

    @pages.get("")
    async def bench(
        request: Request, device: Device = None, sheet: Annotated[int, Query(ge=1)] = 1
    ) -> Response:
        language, drawn = language_of(request), view.sheet_of(face.board, sheet)
        chosen = device or next(iter(face.board.links), None)
        response = HTMLResponse(
            face.piece(
                "board",
                language,
                place="board",
                sheet=drawn,
                chosen=chosen,
                parts_drawn={part.name: face.part(part.name, language) for part in drawn.parts},
                device=face.device(chosen, language) if chosen else "",
                entries=face.wire.after(0)[-BENCH_ROWS_MAX:],
                last=face.wire.last,
            )
        )
        remember(request, response)
        return response

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
        shown, fields = view.bytes_of(entry)
        return HTMLResponse(face.piece("frame", language, entry=entry, shown=shown, fields=fields))

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
                yield event("wire", last, {"html": rows, "spoke": spoke, "count": len(fresh)})
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
