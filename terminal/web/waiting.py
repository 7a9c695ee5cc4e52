"""What a terminal shows while its disk cannot be written: why, and nothing to press. Of the disk
the payer's side says nothing, but whom to ask.
"""

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from faces import policy
from protocol.errors import TillwayError, advice
from terminal.web.customer_words import CUSTOMER_AWAY

_STATUS = 503
_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta http-equiv="refresh" content="{again_s}"><meta name="viewport" content="width=device-width">
<title>{zh}</title><h1>{zh}</h1><h1 lang="en">{en}</h1><p><code>{code}</code></p></html>
"""


def waiting_app(code: str, *, again_s: int) -> FastAPI:
    """Every page says the code's advice and looks again by itself; a program hears the code."""
    app = FastAPI(title="Tillway terminal", docs_url=None, redoc_url=None, openapi_url=None)
    said = advice(code)
    page = _PAGE.format(zh=said.zh, en=said.en, code=code, again_s=again_s)
    payers = _PAGE.format(zh=CUSTOMER_AWAY.zh, en=CUSTOMER_AWAY.en, code="", again_s=again_s)

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def answer(request: Request, path: str) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        response: Response = (
            HTMLResponse(payers if path == "customer" else page, status_code=_STATUS)
            if wants_page and not path.startswith("api/")
            else JSONResponse({"error": TillwayError(code).to_wire()}, status_code=_STATUS)
        )
        policy.protect(response)
        return response

    return app
