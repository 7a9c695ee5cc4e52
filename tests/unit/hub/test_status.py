"""The hub's own page is for this machine's programs and people, and for no other site's page."""

import base64
import hashlib
import re

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from hub.adapters.faults import LineFaults
from hub.domain.passages import Passages
from hub.shell_limits import STATUS_BODY_BYTES_MAX
from hub.status import build_app
from tests.support.backend import StepClock

OWN = "http://127.0.0.1:8480"
CUT = {"cut": True}


@pytest.fixture
def faults() -> LineFaults:
    return LineFaults()


@pytest.fixture
def http(faults: LineFaults) -> TestClient:
    app = build_app(
        numbers=lambda: {"mode": "online", "devices": 3}, is_ready=lambda: True,
        registry=CollectorRegistry(), faults=faults, passages=Passages(StepClock()),
    )  # fmt: skip
    return TestClient(app, base_url=OWN)


@pytest.mark.parametrize("path", ["/", "/readyz", "/metrics", "/passages/1", "/faults/line"])
def test_a_name_that_was_turned_to_the_loopback_is_told_nothing(
    http: TestClient, path: str
) -> None:
    assert http.get(path).status_code == 200
    assert http.get(path, headers={"host": "localhost:8480"}).status_code == 200
    rebound = http.get(path, headers={"host": "evil.example:8480"})
    assert rebound.status_code == 421
    assert "online" not in rebound.text


def test_another_sites_page_breaks_no_line(http: TestClient, faults: LineFaults) -> None:
    for origin in ("https://evil.example", "http://127.0.0.1:9", "null"):
        refused = http.post("/faults/line", json=CUT, headers={"origin": origin})
        assert refused.status_code == 403
    assert not faults.cut
    assert http.post("/faults/line", json=CUT, headers={"origin": OWN}).status_code == 200
    assert faults.cut


def test_a_body_is_bounded_before_it_is_read(http: TestClient, faults: LineFaults) -> None:
    long = b" " * STATUS_BODY_BYTES_MAX + b'{"cut": true}'
    json_type = {"content-type": "application/json"}
    assert http.post("/faults/line", content=long, headers=json_type).status_code == 413
    pieces = http.post("/faults/line", content=iter([b'{"cut": true}']), headers=json_type)
    assert pieces.status_code == 413
    assert not faults.cut


def test_nobody_frames_the_page_and_its_own_style_is_all_that_it_may_use(http: TestClient) -> None:
    page = http.get("/")
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    style = re.search(r"<style>(.*?)</style>", page.text)
    assert style is not None
    said = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{said}'" in policy
    assert "unsafe" not in policy
