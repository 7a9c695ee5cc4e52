"""The control API: what people do to the devices, over HTTP on the loopback.

It knows devices by their kinds only: every act, state and picture of a kind is here by itself.
Every refusal is the wire form of a ``TillwayError`` with a ``detail`` that names the mistake.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel
from starlette.exceptions import HTTPException

from faces import policy
from faces.routes import add_routes
from firmware_sim.act_form import schema_of
from firmware_sim.bench.app import Lost, add_bench
from firmware_sim.board import Board
from firmware_sim.control_runs import run_routes
from firmware_sim.control_traces import trace_routes
from firmware_sim.control_wire import wire_routes
from firmware_sim.fault_form import FaultForm
from firmware_sim.form_words import said_of
from firmware_sim.limits import (
    CONTROL_BODY_BYTES_MAX,
    CONTROL_BODY_READ_BYTES_MAX,
    FAULTS_OF_A_LINE_MAX,
)
from firmware_sim.metrics import render_metrics
from firmware_sim.workplace import Workplace
from protocol.errors import CallerError, TillwayError
from transport.loopback import is_loopback
from transport.refused import UNDECLARED, field_of

_UNDECLARED_ZH = "内容没有以 content-type application/json 声明"
_REFUSED_ZH = {404: "没有这个地址", 405: "这个地址不能这样用"}


class _ActWords(RootModel[dict[str, JsonValue]]):
    """What an act is told."""


class FaultsBody(BaseModel):
    """All the faults of a device's line; an empty list heals it."""

    model_config = ConfigDict(extra="forbid")
    faults: Annotated[list[FaultForm], Field(max_length=FAULTS_OF_A_LINE_MAX)]


def build_control(place: Workplace) -> FastAPI:
    """The API of one board, and the tester's bench over it."""
    app = FastAPI(title="Tillway simulated board", docs_url=None, redoc_url=None)
    app.middleware("http")(_own_pages_only)
    _add_health(app, place.board)
    _add_devices(app, place.board)
    _add_lines(app, place.board)
    add_routes(app, wire_routes(place.board, place.wire))
    add_routes(app, run_routes(place.shelf, place.runs))
    add_routes(app, trace_routes(place.traces, place.runs))
    _add_refusals(app, add_bench(app, place))
    return app


def _add_health(app: FastAPI, board: Board) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, object]:
        return {"ok": True, "board": board.name, "seed": board.seed, "devices": board.paths}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        missing = sorted(set(board.links) - set(board.paths))
        return JSONResponse({"ok": not missing, "unplugged": missing}, 503 if missing else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(render_metrics(board), media_type="text/plain; version=0.0.4")


def _add_devices(app: FastAPI, board: Board) -> None:
    @app.get("/devices")
    async def devices() -> dict[str, object]:
        return {"devices": {name: shown(board, name) for name in board.links}}

    @app.get("/devices/{name}")
    async def device(name: str) -> Mapping[str, object]:
        return shown(board, name)

    @app.get("/devices/{name}/acts")
    async def acts(name: str) -> dict[str, object]:
        board.link(name)
        told = [
            {"name": act.name, "summary": act.summary, "words": schema_of(act)}
            for act in board.kinds[name].acts
        ]
        return {"acts": told, "hands": [asdict(hand) for hand in board.hands(name)]}

    @app.post("/devices/{name}/acts/{act}")
    async def do(name: str, act: str, request: Request) -> dict[str, object]:
        words = await _words(request)
        return {"state": board.do(name, act, **words)}

    @app.get("/devices/{name}/pictures/{picture}.png")
    async def picture(name: str, picture: str) -> Response:
        return Response(board.picture(name, picture), media_type="image/png")


def _add_lines(app: FastAPI, board: Board) -> None:
    @app.put("/devices/{name}/faults")
    async def faults(name: str, body: FaultsBody) -> Mapping[str, object]:
        board.set_faults(name, [form.to_fault() for form in body.faults])
        return shown(board, name)

    @app.post("/devices/{name}/faults")
    async def add_fault(name: str, form: FaultForm) -> Mapping[str, object]:
        if len(board.link(name).faults) >= FAULTS_OF_A_LINE_MAX:
            raise CallerError(
                "busy",
                f"a line has at most {FAULTS_OF_A_LINE_MAX} faults",
                detail_zh=f"一条线路最多 {FAULTS_OF_A_LINE_MAX} 个故障",
            )
        board.add_fault(name, form.to_fault())
        return shown(board, name)

    @app.delete("/devices/{name}/faults/{place}")
    async def remove_fault(name: str, place: int) -> Mapping[str, object]:
        board.remove_fault(name, place)
        return shown(board, name)

    @app.post("/devices/{name}/unplug")
    async def unplug(name: str) -> Mapping[str, object]:
        board.unplug(name)
        return shown(board, name)

    @app.post("/devices/{name}/plug")
    async def plug(name: str) -> Mapping[str, object]:
        board.plug(name)
        return shown(board, name)

    @app.post("/devices/{name}/power-off")
    async def power_off(name: str) -> Mapping[str, object]:
        board.power(name, on=False)
        return shown(board, name)

    @app.post("/devices/{name}/power-on")
    async def power_on(name: str) -> Mapping[str, object]:
        board.power(name, on=True)
        return shown(board, name)


def shown(board: Board, name: str) -> dict[str, object]:
    """A device as the API shows it."""
    link, kind = board.link(name), board.kinds[name]
    counts = link.counts
    return {
        "name": name,
        "kind": kind.name,
        "summary": kind.summary,
        "path": link.client_path,
        "transport": board.transport(name),
        "is_powered": link.is_powered,
        "state": board.state(name),
        "acts": {act.name: act.summary for act in kind.acts},
        "pictures": sorted(kind.pictures(link.device)),
        "faults": [FaultForm.of(fault).model_dump() for fault in link.faults],
        "struck": [plan.struck for plan in link.fault_plans],
        "line": {
            "to_device_bytes": counts.to_device_bytes, "to_client_bytes": counts.to_client_bytes,
            "garbled_bytes": counts.garbled_bytes, "lost_bytes": counts.lost_bytes,
        },
    }  # fmt: skip


async def _own_pages_only(
    request: Request, go_on: Callable[[Request], Awaitable[Response]]
) -> Response:
    """A browser says whose page asks: another site's page shall not move the devices' hands. Nor
    shall one that gave its own name our address: by its name it asks us."""
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    if not is_loopback(host):
        return _refused("this board answers to the loopback's names only", 421)
    if origin is not None and urlsplit(origin).netloc != host:
        return _refused("this page belongs to another site", 403)
    if not _is_bounded(request):
        return _refused("the body is too long, or its length is not said", 413)
    response = await go_on(request)
    policy.protect(response)
    return response


def _is_bounded(request: Request) -> bool:
    """A trace and an act's words are counted as they come; anything else is read whole, so its
    length is said before."""
    path = request.url.path
    if path.startswith("/traces/") or "/acts/" in path:
        return True
    length = request.headers.get("content-length", "0")
    is_told = length.isdecimal() and "transfer-encoding" not in request.headers
    return is_told and int(length) <= CONTROL_BODY_BYTES_MAX


def _refused(why: str, status: int) -> JSONResponse:
    return _answer(CallerError("field_invalid", why), status)


def _answer(refusal: TillwayError, status: int) -> JSONResponse:
    """What is wrong is told in Chinese too, where that is known."""
    detail = {"detail": refusal.detail, "detail_zh": refusal.detail_zh or refusal.detail}
    return JSONResponse({"error": {**refusal.to_wire(), **detail}}, status)


async def _words(request: Request) -> dict[str, JsonValue]:
    body = await _bounded_body(request)
    try:
        return _ActWords.model_validate_json(body or b"{}").root
    except ValueError as error:
        raise CallerError(
            "field_invalid",
            "the body is a JSON object of words",
            detail_zh="内容须是一个 JSON 对象",
        ) from error


async def _bounded_body(request: Request) -> bytes:
    """A body that is too long is read on for a while, without being kept: a connection that is
    closed with words unread is reset, and its other end may lose our answer."""
    body, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= CONTROL_BODY_BYTES_MAX:
            body += piece
        elif size > CONTROL_BODY_READ_BYTES_MAX:
            break
    if size > CONTROL_BODY_BYTES_MAX:
        raise CallerError(
            "field_invalid",
            f"at most {CONTROL_BODY_BYTES_MAX} bytes",
            detail_zh=f"最多 {CONTROL_BODY_BYTES_MAX} 字节",
        )
    return bytes(body)


def _add_refusals(app: FastAPI, lost: Lost) -> None:
    """To a program the wire form, to a browser at an address of the bench a page."""

    def told(request: Request, refusal: TillwayError, status: int) -> Response:
        return lost(request, refusal, status) or _answer(refusal, status)

    @app.exception_handler(TillwayError)
    async def refuse(request: Request, error: TillwayError) -> Response:
        return told(request, error, 409 if error.code == "busy" else 400)

    @app.exception_handler(RequestValidationError)
    async def refuse_form(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = field_of(request, error)
        if where == UNDECLARED:
            return told(request, CallerError("field_invalid", where, detail_zh=_UNDECLARED_ZH), 422)
        why, why_zh = said_of(first)
        refusal = CallerError("field_invalid", f"{where}: {why}", detail_zh=f"{where}：{why_zh}")
        return told(request, refusal, 422)

    @app.exception_handler(HTTPException)
    async def refuse_request(request: Request, error: HTTPException) -> Response:
        words = _REFUSED_ZH.get(error.status_code, "")
        refusal = CallerError("field_invalid", str(error.detail), detail_zh=words)
        return told(request, refusal, error.status_code)
