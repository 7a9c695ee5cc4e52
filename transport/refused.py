"""How a program's HTTP port refuses what it refuses by a status alone: in the wire form of every
other refusal, so that whoever asks is told what is wrong and what to do.
"""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from protocol.errors import CallerError, OperatingError, TillwayError

UNDECLARED = "body: content-type is not application/json"
"""Such a body is read as no field at all."""


def refuse_in_words(app: FastAPI) -> None:
    """Answer unknown addresses, strangers and full places of an application so."""
    app.add_exception_handler(HTTPException, _refused)


def field_of(request: Request, error: RequestValidationError) -> str:
    """The first field that is wrong, or that the body is not declared as JSON."""
    field = ".".join(str(part) for part in error.errors()[0]["loc"])
    is_json = "json" in request.headers.get("content-type", "")
    return field if field != "body" or is_json else UNDECLARED


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    told = _meant(error.status_code, request.url.path)
    wire = {**told.to_wire(), "detail": told.detail}
    return JSONResponse({"error": wire}, error.status_code, error.headers)


def _meant(status: int, path: str) -> TillwayError:
    match status:
        case 401 | 403:
            return CallerError("not_authorized")
        case 404 | 405:
            return CallerError("route_unknown", path)
        case 421:
            return CallerError("host_unknown")
        case 503:
            return OperatingError("busy")
        case _:
            return CallerError("field_invalid")
