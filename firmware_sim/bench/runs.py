"""The bench's page of scenarios, and the piece that shows how a run stands, also of a replay."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from markupsafe import Markup

from faces.locale import language_of
from faces.stream import Places, event
from faces.words import Language
from firmware_sim.bench.face import ROOT, Face
from firmware_sim.limits import BENCH_FOLLOWERS_MAX, BENCH_LOOK_EVERY_MS, BENCH_SOURCE_LINES_MAX
from firmware_sim.runs.model import RunState, RunTold, Sort
from protocol.errors import CallerError

Line = tuple[int, str, str]
"""Number, text, and what is marked at it: ``now``, ``bad`` or nothing."""


def run_pages(face: Face) -> APIRouter:
    """``/bench/scenarios`` and the stream of one run."""
    pages = APIRouter(prefix=ROOT, include_in_schema=False)
    places = Places(BENCH_FOLLOWERS_MAX)

    @pages.get("/scenarios")
    async def scenarios(
        request: Request,
        name: Annotated[str | None, Query(max_length=200)] = None,
        run: Annotated[int | None, Query(ge=1)] = None,
    ) -> Response:
        shelf, language = face.place.shelf, language_of(request)
        listed = await asyncio.to_thread(shelf.listed)
        chosen = name or next((one.name for one in listed), None)
        source = await asyncio.to_thread(shelf.source, chosen) if chosen else ""
        told = _told(face, run)
        return face.page(
            "scenarios",
            request,
            place="scenarios",
            listed=listed,
            chosen=chosen,
            source=source,
            seed=next((one.seed for one in listed if one.name == chosen), 0),
            run=told,
            ran=[one for one in face.place.runs.told() if one.sort is Sort.SCENARIO],
            shown=run_piece(face, told, language, told.source if told else source),
        )

    @pages.get(
        "/runs/{number}/live", dependencies=[Depends(places.enter)],
        response_class=EventSourceResponse,
    )  # fmt: skip
    async def live(
        number: int, lang: Annotated[Literal["zh", "en"], Query()] = "zh"
    ) -> AsyncIterator[ServerSentEvent]:
        seen = -1
        while (told := _told(face, number)) is not None:
            if told.revision != seen:
                seen = told.revision
                piece = run_piece(face, told, lang, told.source)
                ran = ran_piece(face, told, lang)
                yield event("run", seen, {"html": piece, "ran": ran, "ended": told.has_ended})
            if told.has_ended:
                return
            await asyncio.sleep(BENCH_LOOK_EVERY_MS / 1000)

    return pages


def _told(face: Face, number: int | None) -> RunTold | None:
    """A run, if it is (still) there."""
    try:
        return None if number is None else face.place.runs.run(number).told()
    except CallerError:
        return None


def run_piece(face: Face, told: RunTold | None, language: Language, source: str) -> Markup:
    """How a run stands, beside its source; without a run the source alone."""
    return face.piece("run", language, run=told, lines=list(_lines(told, source)))


def ran_piece(face: Face, told: RunTold, language: Language) -> Markup:
    """The list of runs of the same sort, with this one marked."""
    ran = [one for one in face.place.runs.told() if one.sort is told.sort]
    return face.piece("ran", language, ran=ran, run=told)


def _lines(told: RunTold | None, source: str) -> list[Line]:
    at, mark = 0, ""
    if told is not None and told.state is not RunState.PASSED:
        at, mark = told.line, "bad" if told.has_ended else "now"
    texts = source.splitlines()
    first = max(0, min(at - BENCH_SOURCE_LINES_MAX // 2, len(texts) - BENCH_SOURCE_LINES_MAX))
    shown = texts[first : first + BENCH_SOURCE_LINES_MAX]
    return [
        (number, text, mark if number == at else "")
        for number, text in enumerate(shown, start=first + 1)
    ]
