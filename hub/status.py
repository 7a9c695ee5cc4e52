"""The hub's own HTTP port, on loopback: health, metrics, a page for people, faults for the demo.

Rule: nobody signs in, so the programs of this machine may ask and another site's pages may not:
      neither from their own origin, nor by a name that somebody's DNS has turned to the loopback.
"""

import base64
import hashlib
import html
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from fastapi import Body, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, ConfigDict

from hub.adapters.faults import LineFaults
from hub.domain.passages import Passages
from hub.shell_limits import STATUS_BODY_BYTES_MAX
from protocol.errors import CallerError
from transport.loopback import is_loopback
from transport.refused import refuse_in_words

Numbers = Callable[[], dict[str, int | str]]


class Chargers(Protocol):
    """What the store's chargers have to show."""

    async def charges(self) -> list[dict[str, Any]]:
        """The newest charges."""
        ...

    async def early_ends(self) -> list[dict[str, Any]]:
        """The ends whose beginning has not come."""
        ...

    async def unread(self) -> list[dict[str, Any]]:
        """What they said and nobody could read."""
        ...


_WORDS: dict[str, tuple[str, str]] = {
    "mode": ("状态", "State"),
    "epoch": ("启动次数", "Starts"),
    "devices": ("设备数", "Devices known"),
    "connected": ("在线设备", "Devices connected"),
    "spool_rows": ("待回复请求", "Requests without an answer"),
    "spool_bytes": ("待回复字节", "Their bytes"),
    "spool_oldest_age_ms": ("最久等待 (毫秒)", "Oldest of them (ms)"),
    "parcels": ("待送达消息", "Messages not delivered yet"),
    "batches_in_flight": ("在途批次", "Batches on the way"),
    "answers": ("后台应答", "Answers of the backend"),
    "refused": ("网关拒绝", "Refused by the hub"),
    "cursor": ("推送游标", "Push cursor"),
    "clock_ahead_s": ("时钟比后台快 (秒)", "Clock ahead of the backend's (s)"),
    "disk": ("磁盘", "Disk"),
    "firmware_damaged": ("损坏的固件文件，请检查磁盘", "Damaged firmware files: look at the disk"),
    "charger_unread": ("充电桩无法读取的消息，请处理", "Unread messages of chargers: look at them"),
}
_MODES = {
    "online": "在线 · online",
    "degraded": "不稳定 · degraded",
    "offline": "后台断开，未知付款请勿重复收款 · offline: do not charge unknown payments again",
}
_DISKS = {
    "writable": "可写入 · writable",
    "full": "已满，暂时无法受理，请清理 · full, nothing new is taken: make room",
}
_VALUES = {"mode": _MODES, "disk": _DISKS}
_STYLE = (
    "body{font:18px/1.5 system-ui,sans-serif;"
    "max-width:40em;margin:2em auto;padding:0 1em;color:#111;background:#fff}"
    "table{border-collapse:collapse;width:100%}th,td{padding:.4em;text-align:left;"
    "border-bottom:1px solid #bbb;vertical-align:top}td{font-variant-numeric:tabular-nums}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


class FaultChange(BaseModel):
    """Which faults to set; what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)
    drop_answers: bool | None = None
    cut: bool | None = None


def build_app(
    *,
    numbers: Numbers,
    is_ready: Callable[[], bool],
    registry: CollectorRegistry,
    faults: LineFaults | None,
    passages: Passages,
    chargers: Chargers | None = None,
) -> FastAPI:
    """The application. ``faults`` is None unless the configuration allows them."""
    app = FastAPI(title="Tillway hub", docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_own_only)

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        ready = is_ready()
        return JSONResponse({"ready": ready, **numbers()}, status_code=200 if ready else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(render(numbers()))

    @app.get("/passages/{trace_id}")
    async def of_trace(trace_id: str) -> dict[str, list[dict[str, Any]]]:
        """When the newest requests of one payment passed through here; none is kept for long."""
        return {"passages": [asdict(one) for one in passages.of_trace(trace_id)]}

    refuse_in_words(app)
    if chargers is not None:
        _add_chargers(app, chargers)
    if faults is not None:
        _add_faults(app, faults)
    return app


async def _own_only(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    length = request.headers.get("content-length", "0")
    is_told = length.isdecimal() and "transfer-encoding" not in request.headers
    if not is_loopback(host):
        answer = _refused(421, "the hub answers to the loopback's names only")
    elif origin is not None and urlsplit(origin).netloc != host:
        answer = _refused(403, "this page belongs to another site")
    elif not is_told or int(length) > STATUS_BODY_BYTES_MAX:
        answer = _refused(413, "the body is too long, or its length is not said")
    else:
        answer = await go_on(request)
    answer.headers["content-security-policy"] = _POLICY
    answer.headers["x-content-type-options"] = "nosniff"
    answer.headers["cache-control"] = "no-store"
    return answer


def _refused(status: int, why: str) -> Response:
    error = CallerError("field_invalid").to_wire() | {"detail": why}
    return JSONResponse({"error": error}, status_code=status)


def _add_chargers(app: FastAPI, chargers: Chargers) -> None:
    @app.get("/charges")
    async def newest() -> dict[str, list[dict[str, Any]]]:
        return {"charges": await chargers.charges()}

    @app.get("/early-ends")
    async def early_ends() -> dict[str, list[dict[str, Any]]]:
        return {"early_ends": await chargers.early_ends()}

    @app.get("/unread")
    async def unread() -> dict[str, list[dict[str, Any]]]:
        return {"unread": await chargers.unread()}


def _add_faults(app: FastAPI, faults: LineFaults) -> None:
    @app.get("/faults/line")
    async def line() -> dict[str, bool | int]:
        return _shown(faults)

    @app.post("/faults/line")
    async def change_line(change: Annotated[FaultChange, Body()]) -> dict[str, bool | int]:
        faults.change(drop_answers=change.drop_answers, cut=change.cut)
        return _shown(faults)


def _shown(faults: LineFaults) -> dict[str, bool | int]:
    return {
        "drop_answers": faults.drop_answers,
        "cut": faults.cut,
        "answers_dropped": faults.answers_dropped,
    }


def render(numbers: dict[str, int | str]) -> str:
    """The status page, in both languages; it renews itself."""
    rows = "".join(
        f"<tr><th scope=row>{zh}<br><small lang=en>{en}</small></th>"
        f"<td>{html.escape(_shown_value(name, numbers[name]))}</td></tr>"
        for name, (zh, en) in _WORDS.items()
        if name in numbers
    )
    return (
        "<!doctype html><html lang=zh><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><meta http-equiv=refresh content=5>"
        f"<title>Tillway 网关 · hub</title><style>{_STYLE}</style>"
        f"<h1>门店网关 <small lang=en>Store hub</small></h1><table>{rows}</table></html>"
    )


def _shown_value(name: str, value: int | str) -> str:
    return _VALUES.get(name, {}).get(str(value), str(value))
