"""The time stamper over HTTP: a TimeStampReq in, a TimeStampResp out (RFC 3161 §3.4).

A stamp signs itself and anybody may ask for one, so the line has no signatures of its own; the
fault ``bad_signature`` is a reply that is signed well, for another digest.
"""

from functools import partial

from fastapi import FastAPI, Request, Response

from backend.channels.timestamping import query_digest
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.house import Answer, House
from backend.sandbox.institution.program import Place, Running
from backend.sandbox.institution.signed import new_app, read_body, strike
from backend.sandbox.timestamps.limits import QUERY_BYTES_MAX
from backend.sandbox.timestamps.stamper import Stamper
from protocol.errors import CallerError

QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"
_UNKNOWN_STATUS = bytes.fromhex("30053003020109")
"""A PKIStatusInfo whose status RFC 3161 §2.4.2 does not know."""


def build_app(house: House, stamper: Stamper) -> FastAPI:
    """The HTTP face of the time stamper."""
    app = new_app("Tillway sandbox: time stamps")

    @app.post("/")
    async def stamp(request: Request) -> Response:
        if house.faults.strikes("be_down"):
            return Response(status_code=503)
        if request.headers.get("content-type") != QUERY_TYPE:
            return Response(status_code=415)
        query = await read_body(request)
        if len(query) > QUERY_BYTES_MAX:
            return Response(status_code=413)
        answer = await strike(house, partial(_reply, house, stamper, query), is_writing=True)
        if answer is None:
            return Response(status_code=504)
        status, content, media_type = answer
        return Response(content, status, media_type=media_type)

    @app.get("/authority")
    async def authority() -> Response:
        return Response(stamper.authority_file.read_bytes(), media_type="application/x-pem-file")

    add_control(app, house)
    return app


async def _reply(house: House, stamper: Stamper, query: bytes) -> Answer:
    if house.faults.strikes("unknown_status"):
        return 200, _UNKNOWN_STATUS, REPLY_TYPE
    if house.faults.strikes("bad_signature"):
        query = _of_another_digest(query)
    return 200, await stamper.reply(query), REPLY_TYPE


def _of_another_digest(query: bytes) -> bytes:
    try:
        digest = query_digest(query)
    except CallerError:
        return query
    other = bytes([digest[0] ^ 1]) + digest[1:]
    return query.replace(digest, other, 1)


async def build(place: Place) -> Running:
    """The time stamper as an institution of its own."""
    house = place.furnish()
    stamper = Stamper(place.directory)
    await stamper.open()
    return Running(house, build_app(house, stamper))
