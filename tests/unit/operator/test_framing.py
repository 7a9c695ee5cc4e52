"""Nobody frames a page of the backend's that has no face of its own."""

from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from backend.operator import pages
from backend.pay_page import routes
from backend.pay_page.model import STATIC_PATH
from backend.rate_limit import RateLimit
from faces.routes import add_routes
from protocol.errors import CallerError
from tests.support.backend import NOW_MS, StepClock


class FakeService:
    """A day without payments."""

    async def today(self) -> dict[str, Any]:
        return {
            "now_ms": NOW_MS, "business_date": "2026-11-30", "unknowns": [], "paid": [],
            "by_state": [], "is_balanced": True,
        }  # fmt: skip

    async def devices(self) -> list[Any]:
        return []


class FakeDesk:
    """One code; every other is refused."""

    async def code(self, code_id: str) -> dict[str, Any]:
        if code_id != "known":
            raise CallerError("route_unknown")
        return {"merchant": "晨光便利店"}


async def anybody(_: Request) -> None:
    """Lets everybody in."""


@pytest.mark.parametrize("path", ["/", f"{STATIC_PATH}known", f"{STATIC_PATH}other"])
def test_no_other_site_may_show_a_page_of_ours_in_a_frame(path: str) -> None:
    tries = RateLimit(
        now_ms=StepClock().now_ms, window_ms=60_000, each_max=20, all_max=20, callers_max=10
    )
    app = FastAPI()
    add_routes(app, pages.router(FakeService(), anybody))  # type: ignore[arg-type]
    add_routes(app, routes.router(FakeDesk(), tries))  # type: ignore[arg-type]
    page = TestClient(app).get(path)
    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
