"""The bench's page of traces: record, hand out and in, replay."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from faces.locale import language_of
from faces.stream import Places, event
from firmware_sim.bench.face import ROOT, Face
from firmware_sim.bench.runs import run_piece
from firmware_sim.control_traces import trace_shown
from firmware_sim.limits import BENCH_FOLLOWERS_MAX, BENCH_LOOK_EVERY_MS, BENCH_TRACE_EVENTS_MAX
from firmware_sim.runs.model import Sort


def trace_pages(face: Face) -> APIRouter:
    """``/bench/traces`` and the stream of the recording under way."""
    pages = APIRouter(prefix=ROOT, include_in_schema=False)
    places, traces = Places(BENCH_FOLLOWERS_MAX), face.place.traces

    @pages.get("/traces")
    async def page(
        request: Request,
        name: Annotated[str | None, Query(max_length=64)] = None,
        run: Annotated[int | None, Query(ge=1)] = None,
    ) -> Response:
        language, kept = language_of(request), traces.listed()
        names = [one.name for one in kept if one.name != traces.recording]
        chosen = name if name in names else next(iter(names), None)
        trace = await asyncio.to_thread(traces.load, chosen) if chosen else None
        ran = [one for one in face.place.runs.told() if one.sort is Sort.REPLAY]
        told = next((one for one in ran if one.number == run), None)
        return face.page(
            "traces",
            request,
            place="traces",
            kept=kept,
            chosen=chosen,
            content=trace.events[:BENCH_TRACE_EVENTS_MAX] if trace else (),
            trace=trace_shown(chosen, trace) if trace and chosen else None,
            run=told,
            ran=ran,
            recording=traces.recording,
            events=traces.events,
            shown=run_piece(face, told, language, "") if told else "",
        )

    @pages.get(
        "/recording/live", dependencies=[Depends(places.enter)],
        response_class=EventSourceResponse,
    )  # fmt: skip
    async def live(
        lang: Annotated[Literal["zh", "en"], Query()] = "zh",
    ) -> AsyncIterator[ServerSentEvent]:
        seen: tuple[str | None, int] | None = None
        for revision in range(1, 2**53):
            now = traces.recording, traces.events
            if now != seen:
                seen = now
                piece = face.piece("recording", lang, recording=now[0], events=now[1])
                yield event("recording", revision, piece)
            await asyncio.sleep(BENCH_LOOK_EVERY_MS / 1000)

    return pages
