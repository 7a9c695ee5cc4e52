"""The control API's part that records what is said, hands traces out and in, and replays them."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from firmware_sim.control_runs import run_shown
from firmware_sim.limits import REPLAY_LISTENS_S_MAX
from firmware_sim.recording.replay_run import only_device, play_device, play_to
from firmware_sim.recording.trace import Trace
from firmware_sim.recording.traces import Traces
from firmware_sim.reports.report import Case
from firmware_sim.runs.registry import Runs
from firmware_sim.runs.run import Run

Name = Annotated[str, Field(min_length=1, max_length=64)]


class RecordingBody(BaseModel):
    """What the trace is to be called; without a name it gets one."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None


class ReplayBody(BaseModel):
    """Who is played: the recorded ``host``, to a fresh simulated device in virtual time; or the
    recorded ``device``, on a pseudo-terminal, to a driver that somebody starts within
    ``listen_s``."""

    model_config = ConfigDict(extra="forbid")
    trace: Name
    device: Name | None = None
    play: Literal["host", "device"] = "host"
    listen_s: Annotated[int, Field(ge=1, le=REPLAY_LISTENS_S_MAX)] = 60


def trace_routes(traces: Traces, runs: Runs) -> APIRouter:
    """``/recording``, ``/traces`` and ``/replays``."""
    routes = APIRouter()

    @routes.get("/recording")
    async def recording() -> dict[str, object]:
        return {"recording": traces.recording, "events": traces.events}

    @routes.post("/recording/start")
    async def start(body: RecordingBody | None = None) -> dict[str, object]:
        return {"recording": traces.start(body.name if body else None)}

    @routes.post("/recording/stop")
    async def stop() -> dict[str, object]:
        return {"trace": traces.stop(), "events": traces.events}

    @routes.get("/traces")
    async def listed() -> dict[str, object]:
        return {"traces": [asdict(kept) for kept in traces.listed()]}

    @routes.get("/traces/{name}.jsonl")
    async def download(name: str) -> FileResponse:
        path = traces.path(name)
        return FileResponse(path, media_type="application/jsonl", filename=path.name)

    @routes.get("/traces/{name}")
    async def told(name: str) -> dict[str, object]:
        return trace_shown(name, await asyncio.to_thread(traces.load, name))

    @routes.put("/traces/{name}")
    async def take(name: str, request: Request) -> dict[str, object]:
        return trace_shown(name, await traces.take(name, request.stream()))

    @routes.delete("/traces/{name}")
    async def throw_away(name: str) -> dict[str, object]:
        traces.throw_away(name)
        return {"traces": [asdict(kept) for kept in traces.listed()]}

    @routes.post("/replays")
    async def replay(body: ReplayBody) -> dict[str, object]:
        trace = await asyncio.to_thread(traces.load, body.trace)
        device = only_device(trace, body.device)

        def play(run: Run) -> Case:
            if body.play == "host":
                return play_to(trace, device, "memory")
            return play_device(
                trace, device, (), body.listen_s, run.say, should_end=lambda: run.is_stopped
            )

        return run_shown(runs.begin_replay(body.trace, f"{body.trace} · {device}", play).told())

    return routes


def trace_shown(name: str, trace: Trace) -> dict[str, object]:
    """A trace in short: its board, and of each device the kind and the number of frames."""
    devices = {
        device: {"kind": kind, "frames": len(trace.said(device))}
        for device, kind in trace.head.devices.items()
    }
    return {
        "name": name, "board": trace.head.board, "seed": trace.head.seed,
        "events": len(trace.events), "devices": devices,
    }  # fmt: skip
