"""The control API: what people do to the devices, over HTTP on the loopback.

Every refusal is the wire form of a ``TillwayError`` with a ``detail`` that names the mistake.
"""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from firmware_sim.board import Board
from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.profiles import ZFM20
from firmware_sim.devices.escpos import EscPosPrinter
from firmware_sim.devices.gm65 import Gm65
from firmware_sim.faults import SLOW_BYTE_MS_MAX, Fault, FaultKind
from firmware_sim.limits import FINGER_NAME_CHARS_MAX, PICTURE_BYTES_MAX
from firmware_sim.metrics import render_metrics
from firmware_sim.rendering.receipt_png import draw_receipt
from protocol.errors import CallerError, TillwayError

Finger = Annotated[str, Field(min_length=1, max_length=FINGER_NAME_CHARS_MAX)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlaceBody(_Body):
    """A finger laid on the glass."""

    finger: Finger


class EnrollBody(_Body):
    """A finger put into the library."""

    finger: Finger
    slot: Annotated[int, Field(ge=0, lt=ZFM20.capacity)]


class PaperBody(_Body):
    """A roll put in; 0 takes the paper out."""

    millimetres: Annotated[int, Field(ge=0, le=300_000)]


class CoverBody(_Body):
    """The cover."""

    open: bool


class FaultBody(_Body):
    """A fault on a device's line; kind ``none`` heals it."""

    device: str
    kind: FaultKind
    at: Annotated[int, Field(ge=0, le=100_000)] = 0
    slow_byte_ms: Annotated[int, Field(ge=0, le=SLOW_BYTE_MS_MAX)] = 50
    repeat: bool = False


def build_control(board: Board) -> FastAPI:
    """The API of one board."""
    app = FastAPI(title="Tillway simulated board", docs_url=None, redoc_url=None)
    app.add_exception_handler(TillwayError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_form)
    app.add_exception_handler(HTTPException, _refuse_request)
    _add_health(app, board)
    _add_scanner(app, board)
    _add_fingerprint(app, board)
    _add_printer(app, board)
    _add_lines(app, board)
    return app


def _add_health(app: FastAPI, board: Board) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, object]:
        return {"ok": True, "board": board.name, "devices": board.paths}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        missing = sorted(set(board.links) - set(board.paths))
        return JSONResponse({"ok": not missing, "unplugged": missing}, 503 if missing else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(render_metrics(board), media_type="text/plain; version=0.0.4")


def _add_scanner(app: FastAPI, board: Board) -> None:
    @app.post("/scanner/present")
    async def present(
        request: Request, keep: Annotated[bool, Query()] = False
    ) -> dict[str, object]:
        png = await _bounded_body(request)
        text = board.present(png, keep=keep)
        return {"presented": True, "has_code": text is not None}

    @app.post("/scanner/take-away")
    async def take_away() -> dict[str, bool]:
        link, scanner = board.device(Gm65)
        link.act(lambda _: scanner.take_away())
        return {"ok": True}

    @app.get("/scanner/status")
    async def scanner_status() -> dict[str, object]:
        _, scanner = board.device(Gm65)
        return {
            "is_reading": scanner.is_reading, "pictures_waiting": scanner.pictures_waiting,
            "codes_read": scanner.codes_read, "baud": scanner.baud,
        }  # fmt: skip


def _add_fingerprint(app: FastAPI, board: Board) -> None:
    @app.post("/fingerprint/place")
    async def place(body: PlaceBody) -> dict[str, str]:
        link, sensor = board.device(Ef01)
        link.act(lambda _: sensor.place(body.finger))
        return {"finger": body.finger}

    @app.post("/fingerprint/remove")
    async def remove() -> dict[str, bool]:
        link, sensor = board.device(Ef01)
        link.act(lambda _: sensor.lift())
        return {"ok": True}

    @app.post("/fingerprint/enroll")
    async def enroll(body: EnrollBody) -> dict[str, object]:
        link, sensor = board.device(Ef01)
        link.act(lambda _: sensor.enrol(body.finger, body.slot))
        return {"finger": body.finger, "slot": body.slot, "slots": sensor.slots}

    @app.get("/fingerprint/status")
    async def fingerprint_status() -> dict[str, object]:
        _, sensor = board.device(Ef01)
        return {"finger": sensor.finger, "slots": sensor.slots, "searches": sensor.searches}


def _add_printer(app: FastAPI, board: Board) -> None:
    @app.get("/printer/receipts")
    async def receipts() -> list[dict[str, object]]:
        files = board.receipt_files()
        kept = board.receipts()[-len(files) :] if files else []
        pairs = zip(kept, files, strict=True)
        return [{**receipt.to_json(), "files": paths} for receipt, paths in pairs]

    @app.get("/printer/receipts/{number}.png")
    async def receipt_png(number: int) -> Response:
        for receipt in board.receipts():
            if receipt.number == number:
                return Response(draw_receipt(receipt), media_type="image/png")
        raise CallerError("field_invalid", f"no receipt {number}")

    @app.get("/printer/status")
    async def printer_status() -> dict[str, object]:
        _, printer = board.device(EscPosPrinter)
        return {
            "online": printer.is_online, "paper": printer.paper, "paper_mm": printer.paper_mm,
            "cover_open": printer.is_cover_open, "drawer_open": printer.is_drawer_open,
            "drawer_kicks": printer.drawer_kicks, "receipts": printer.receipts_cut,
            "operations_waiting": printer.operations_waiting,
        }  # fmt: skip

    @app.post("/printer/paper")
    async def paper(body: PaperBody) -> dict[str, object]:
        link, printer = board.device(EscPosPrinter)
        link.act(lambda now_ms: printer.load_paper(body.millimetres, now_ms))
        return {"paper": printer.paper, "paper_mm": printer.paper_mm}

    @app.post("/printer/cover")
    async def cover(body: CoverBody) -> dict[str, bool]:
        link, printer = board.device(EscPosPrinter)
        link.act(lambda now_ms: printer.set_cover(now_ms, is_open=body.open))
        return {"cover_open": printer.is_cover_open}

    @app.post("/printer/drawer/close")
    async def close_drawer() -> dict[str, bool]:
        link, printer = board.device(EscPosPrinter)
        link.act(printer.close_drawer)
        return {"drawer_open": printer.is_drawer_open}


def _add_lines(app: FastAPI, board: Board) -> None:
    @app.post("/faults")
    async def fault(body: FaultBody) -> dict[str, str]:
        if body.device not in board.links:
            raise CallerError("field_invalid", f"this board has no device {body.device!r}")
        wanted = Fault(body.kind, body.at, body.slow_byte_ms, body.repeat)
        board.links[body.device].set_fault(wanted)
        return {"device": body.device, "kind": body.kind.value}

    @app.post("/devices/{name}/unplug")
    async def unplug(name: str) -> dict[str, dict[str, str]]:
        board.unplug(name)
        return {"devices": board.paths}

    @app.post("/devices/{name}/plug")
    async def plug(name: str) -> dict[str, dict[str, str]]:
        board.plug(name)
        return {"devices": board.paths}


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > PICTURE_BYTES_MAX:
            raise CallerError("field_invalid", f"a picture has at most {PICTURE_BYTES_MAX} bytes")
    return bytes(body)


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TillwayError)
    status = 409 if error.code == "busy" else 400
    return JSONResponse({"error": {**error.to_wire(), "detail": error.detail}}, status)


async def _refuse_form(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    refusal = CallerError("field_invalid", f"{where}: {first['msg']}")
    return JSONResponse({"error": {**refusal.to_wire(), "detail": refusal.detail}}, 422)


async def _refuse_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    refusal = CallerError("field_invalid", str(error.detail))
    wire = {**refusal.to_wire(), "detail": refusal.detail}
    return JSONResponse({"error": wire}, error.status_code)
