"""The operators' page of flows: how often, how well, how fast; what is unknown, what waits, and
whether the books hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from backend.console.limits import RESERVE_TESTS_SHOWN
from backend.console.operations_desk import OperationsDesk
from backend.console.operator_pages import operator
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.console.session import ROOT
from backend.db.tables import Row
from backend.observability.flow_desk import FlowDesk
from backend.observability.flows import FlowFigures
from backend.payments.services import Services
from protocol.errors import CallerError

SPANS: dict[str, tuple[int, int]] = {
    "15m": (15, 15),
    "1h": (60, 30),
    "6h": (360, 36),
    "24h": (1_440, 48),
}
"""Minutes of a span, and how many bars it is drawn in."""
_HEIGHT, _WIDTH, _GAP = 36, 6, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A flow's bars in the picture's own units: requests, and in front what failed."""

    bars: tuple[tuple[int, int, int], ...]
    """``(x, height, failed height)``."""
    width: int
    height: int = _HEIGHT
    bar_width: int = _WIDTH


def spark(flow: FlowFigures) -> Spark:
    """The highest bar fills the height; one with anything at all is seen, and so is a failure."""
    most = max((*flow.counts, 1))
    bars = tuple(
        (place * (_WIDTH + _GAP), _high(count, most), _high(failed, most))
        for place, (count, failed) in enumerate(zip(flow.counts, flow.failures, strict=True))
    )
    return Spark(bars=bars, width=len(bars) * (_WIDTH + _GAP) - _GAP)


def _high(count: int, most: int) -> int:
    return max(count * _HEIGHT // most, 3) if count else 0


def by_channel(unknowns: Iterable[Row], now_ms: int) -> list[dict[str, Any]]:
    """How many payments of each channel are unknown, and for how long the oldest is; the oldest
    first. The channel is empty for what went through none."""
    found: dict[str, dict[str, Any]] = {}
    for row in unknowns:
        channel = row["channel_id"] or ""
        one = found.setdefault(channel, {"channel_id": channel, "count": 0, "oldest_ms": 0})
        one["count"] += 1
        one["oldest_ms"] = max(one["oldest_ms"], now_ms - row["created_at_ms"])
    return sorted(found.values(), key=lambda one: (-one["oldest_ms"], one["channel_id"]))


def waiting(devices: Iterable[Row]) -> list[Row]:
    """Hubs, and whatever device holds something back; the fullest first."""
    told = [row for row in devices if row["kind"] == "hub" or row["spool_depth"]]
    return sorted(told, key=lambda row: (-(row["spool_depth"] or 0), row["tid"]))


def add_pages(
    pages: APIRouter, parts: ConsoleParts, services: Services, desk: OperationsDesk
) -> None:
    """``/console/flows``."""
    face, measured = parts.face, FlowDesk(services)

    @pages.get(ROOT + "/flows")
    async def flows(request: Request) -> Response:
        person = await operator(parts, request)
        span = request.query_params.get("span", "1h")
        if span not in SPANS:
            raise CallerError("field_invalid", "span")
        minutes, drawn = SPANS[span]
        now_ms = services.clock.now_ms()
        figures = await measured.figures(minutes=minutes, parts=drawn)
        today, holding = await desk.today(), waiting(await desk.devices())
        return face.page(
            request, "flows", person, tab="flows", span=span, spans=list(SPANS), minutes=minutes,
            flows=[(one, spark(one)) for one in figures], books=today["books"],
            unknowns=today["unknowns"], channels=by_channel(today["unknowns"], now_ms),
            waiting=holding, places=await names_of(services, [*holding, *today["unknowns"]]),
            tests=await desk.reserve_tests(RESERVE_TESTS_SHOWN),
        )  # fmt: skip
