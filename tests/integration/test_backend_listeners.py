"""The backend on real sockets: who gets in by which certificate, and what garbage is answered."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.devices.model import DeviceCommand, DeviceKind
from backend.identity.ca import CertificateAuthority
from protocol import cbor, cose
from protocol.errors import is_known
from protocol.limits import BATCH_BYTES_MAX
from tests.kit.patience import PATIENCE_S
from tests.kit.stopwatch import Stopwatch
from tests.support.backend import (
    HUB,
    STORE,
    TILL,
    Machine,
    Served,
    StepClock,
    answers_in,
    change,
    clock_ms,
    code_of,
    enrol,
    mint,
    served,
)

HELLO = {"software": "1.0", "profile": "test", "started_at_ms": 1}
BATCHES = "/hub/v1/batches"


class Shop:
    """A served backend with two hubs and a till."""

    def __init__(self, server: Served, token: str) -> None:
        self.server = server
        self.backend = server.backend
        self.token = token
        clock = StepClock(clock_ms())
        self.hub = Machine(HUB, kind=DeviceKind.HUB, clock=clock)
        self.other_hub = Machine("hub-2", store="store-2", kind=DeviceKind.HUB, clock=clock)
        self.till = Machine(TILL, clock=clock)

    async def hub_call(
        self, method: str, path: str, *, kind: str = "hub", name: str = HUB, **said: Any
    ) -> tuple[int, bytes]:
        tls = self.server.client(kind, name)
        return await self.call(method, self.server.url("hub", path), tls, **said)

    async def operator(self, method: str, path: str, **said: Any) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.token}"}
        url = self.server.url("public", path)
        status, content = await self.call(
            method, url, self.server.anonymous(), headers=headers, **said
        )
        return status, json.loads(content)

    async def call(
        self, method: str, url: str, tls: ssl.SSLContext, **said: Any
    ) -> tuple[int, bytes]:
        async with (
            asyncio.timeout(PATIENCE_S),
            aiohttp.ClientSession() as session,
            session.request(method, url, ssl=tls, **said) as answer,
        ):
            return answer.status, await answer.read()


@pytest_asyncio.fixture
async def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    monkeypatch.setattr("backend.operator.limits.JOINS_ALL_PER_MINUTE_MAX", 10_000)
    async with served(tmp_path, clock_control=True, joins_per_minute_max=600) as (server, token):
        found = Shop(server, token)
        await enrol(server.backend, found.hub, found.other_hub, found.till)
        yield found


def error_code(content: bytes) -> str:
    code = json.loads(content)["error"]["code"]
    assert is_known(code)
    return str(code)


@pytest.mark.asyncio
async def test_a_hub_posts_a_batch_over_mutual_tls(shop: Shop) -> None:
    batch = shop.hub.batch([shop.till.envelope("device.hello", HELLO)])
    status, content = await shop.hub_call("POST", BATCHES, data=batch)
    assert status == 200
    assert [answer.message_type for answer in answers_in(shop.backend, content)] == ["pong"]


@pytest.mark.asyncio
async def test_a_backend_without_a_reserve_bank_says_so_where_the_clearing_would_be(
    shop: Shop,
) -> None:
    for method, path in (
        ("GET", "clearing"),
        ("POST", "clearing/2026-11-29/run"),
        ("GET", "bills/merchant-1/2026-11-29/trade"),
        ("GET", "merchants/merchant-1/settlement"),
        ("POST", "payers/pyr_1/topups"),
    ):
        status, answer = await shop.operator(method, f"/operator/v1/{path}")
        assert (status, answer["error"]["code"]) == (400, "clearing_absent")
    stranger = shop.server.url("public", "/operator/v1/clearing")
    status, _ = await shop.call("GET", stranger, shop.server.anonymous())
    assert status == 401


@pytest.mark.asyncio
async def test_without_a_certificate_there_is_no_hub_interface(shop: Shop) -> None:
    with pytest.raises(aiohttp.ClientError):
        await shop.call("GET", shop.server.url("hub", "/hub/v1/time"), shop.server.anonymous())


@pytest.mark.asyncio
async def test_a_certificate_of_another_ca_is_not_let_in(shop: Shop) -> None:
    foreign = CertificateAuthority.create("Other CA", now_ms=clock_ms())
    tls = shop.server.client_of(foreign, "hub", HUB)
    with pytest.raises(aiohttp.ClientError):
        await shop.call("GET", shop.server.url("hub", "/hub/v1/time"), tls)


@pytest.mark.asyncio
async def test_a_tills_certificate_cannot_act_as_a_hub(shop: Shop) -> None:
    batch = shop.hub.batch([shop.till.envelope("device.hello", HELLO)])
    for kind, name in (("terminal", TILL), ("terminal", HUB), ("hub", TILL)):
        status, content = await shop.hub_call("POST", BATCHES, kind=kind, name=name, data=batch)
        assert (status, error_code(content)) == (403, "identity_mismatch")


@pytest.mark.asyncio
async def test_one_hub_cannot_speak_for_another(shop: Shop) -> None:
    batch = shop.hub.batch([shop.till.envelope("device.hello", HELLO)])
    status, content = await shop.hub_call("POST", BATCHES, name="hub-2", data=batch)
    assert (status, error_code(content)) == (403, "identity_mismatch")
    path = f"/hub/v1/devices?store={STORE}"
    status, content = await shop.hub_call("GET", path, name="hub-2")
    assert (status, error_code(content)) == (403, "identity_mismatch")


@pytest.mark.asyncio
async def test_a_hub_nobody_enrolled_is_unknown(shop: Shop) -> None:
    status, content = await shop.hub_call("GET", "/hub/v1/pushes?wait_s=0", name="hub-9")
    assert (status, error_code(content)) == (403, "device_unknown")


@pytest.mark.asyncio
async def test_an_oversized_batch_is_refused(shop: Shop) -> None:
    status, content = await shop.hub_call("POST", BATCHES, data=BytesIO(bytes(BATCH_BYTES_MAX + 1)))
    assert (status, error_code(content)) == (413, "envelope_too_large")


@pytest.mark.asyncio
async def test_the_registry_snapshot_is_signed_by_the_backend(shop: Shop) -> None:
    status, content = await shop.hub_call("GET", f"/hub/v1/devices?store={STORE}")
    assert status == 200
    signed = cose.parse1(content, bytes_max=2**20)
    assert cose.verify1(signed, shop.backend.state.identity.signing_key.public)
    snapshot = cbor.decode(signed.payload, bytes_max=2**20)
    assert [row["tid"] for row in snapshot["devices"]] == [HUB, TILL]
    assert snapshot["devices"][1]["public"] == shop.till.key.public.public


@pytest.mark.asyncio
async def test_a_waiting_poll_is_woken_by_a_change_of_status(shop: Shop) -> None:
    _, content = await shop.hub_call("GET", "/hub/v1/pushes?after=0&wait_s=0")
    rows = cbor.decode(content, bytes_max=2**20)
    assert [(row[0], row[1], row[2]) for row in rows] == [
        (1, "registry", HUB),
        (2, "registry", TILL),
    ]
    asked = asyncio.create_task(shop.hub_call("GET", "/hub/v1/pushes?after=2&wait_s=25"))
    while b"tillway_hub_polls_open 1.0" not in shop.backend.metrics.render():  # noqa: ASYNC110  # a gauge is no event
        await asyncio.sleep(0)
    with Stopwatch() as watch:
        await change(shop.backend, TILL, DeviceCommand.SUSPEND)
        _, content = await asked
    [[cursor, kind, device, row]] = cbor.decode(content, bytes_max=2**20)
    assert (cursor, kind, device, row["status"]) == (3, "registry", TILL, "suspended")
    assert watch.had_s < 2


@pytest.mark.asyncio
async def test_a_poll_with_nothing_new_ends_empty(shop: Shop) -> None:
    status, content = await shop.hub_call("GET", "/hub/v1/pushes?after=2&wait_s=0")
    assert (status, cbor.decode(content, bytes_max=64)) == (200, [])


@pytest.mark.asyncio
async def test_what_a_hub_reports_is_seen_by_the_operator(shop: Shop) -> None:
    report = {
        "at_ms": clock_ms(),
        "spool_depth": 7,
        "devices": [{"tid": TILL, "online": True, "boot_epoch": 3}],
    }
    status, _ = await shop.hub_call("POST", "/hub/v1/states", data=cbor.encode(report))
    assert status == 204
    _, devices = await shop.operator("GET", "/operator/v1/devices")
    seen = {row["tid"]: (row["is_online"], row["spool_depth"]) for row in devices}
    assert seen == {HUB: (1, 7), TILL: (1, 0), "hub-2": (None, None)}


@pytest.mark.asyncio
async def test_a_hub_cannot_report_a_device_of_another_store(shop: Shop) -> None:
    report = {"at_ms": 1, "spool_depth": 0, "devices": [{"tid": TILL, "online": False}]}
    status, content = await shop.hub_call(
        "POST", "/hub/v1/states", name="hub-2", data=cbor.encode(report)
    )
    assert (status, error_code(content)) == (403, "device_unknown")


@pytest.mark.asyncio
async def test_the_operator_needs_the_token(shop: Shop) -> None:
    url = shop.server.url("public", "/operator/v1/today")
    for headers in ({}, {"authorization": "Bearer guess"}, {"authorization": "Basic ####"}):
        status, content = await shop.call("GET", url, shop.server.anonymous(), headers=headers)
        assert (status, error_code(content)) == (401, "not_authorized")


@pytest.mark.asyncio
async def test_the_page_shows_in_both_languages_to_a_browser_with_the_token(shop: Shop) -> None:
    said = base64.b64encode(f"operator:{shop.token}".encode()).decode()
    headers = {"authorization": f"Basic {said}"}
    for lang, words in (("zh", "借贷平衡"), ("en", "Debits and credits are equal")):
        url = shop.server.url("public", f"/?lang={lang}")
        status, content = await shop.call("GET", url, shop.server.anonymous(), headers=headers)
        assert status == 200
        assert words in content.decode()
        assert TILL in content.decode()


@pytest.mark.asyncio
async def test_a_browsers_password_opens_pages_and_nothing_that_acts(shop: Shop) -> None:
    said = base64.b64encode(f"operator:{shop.token}".encode()).decode()
    headers = {"authorization": f"Basic {said}", "origin": "https://evil.example"}
    actions = (
        ("POST", "/operator/v1/payers/pyr_1/tokens"),
        ("POST", "/operator/v1/dead-letters/cb_1/replay"),
        ("POST", "/"),
        ("GET", "/operator/v1/today"),
        ("GET", "/metrics"),
    )
    for method, path in actions:
        url = shop.server.url("public", path)
        status, _ = await shop.call(method, url, shop.server.anonymous(), headers=headers)
        assert status in {401, 405}, path


@pytest.mark.asyncio
async def test_only_the_page_makes_a_browser_ask_for_a_password(shop: Shop) -> None:
    async with aiohttp.ClientSession() as session:
        for path, scheme in (("/", "Basic"), ("/operator/v1/today", "Bearer")):
            url = shop.server.url("public", path)
            async with session.get(url, ssl=shop.server.anonymous()) as answer:
                assert answer.headers["www-authenticate"].startswith(f"{scheme} realm="), path


@pytest.mark.asyncio
async def test_health_needs_no_account_and_metrics_the_operators_token(shop: Shop) -> None:
    tls = shop.server.anonymous()
    for path in ("/healthz", "/readyz"):
        status, _ = await shop.call("GET", shop.server.url("public", path), tls)
        assert status == 200
    url = shop.server.url("public", "/metrics")
    status, content = await shop.call("GET", url, tls)
    assert (status, error_code(content)) == (401, "not_authorized")
    headers = {"authorization": f"Bearer {shop.token}"}
    status, content = await shop.call("GET", url, tls, headers=headers)
    assert (status, b"tillway_hub_batches_open" in content) == (200, True)


@pytest.mark.asyncio
async def test_metrics_may_be_opened_to_all_by_a_setting(tmp_path: Path) -> None:
    async with served(tmp_path, metrics_open=True) as (server, _):
        shop = Shop(server, "")
        status, _ = await shop.call("GET", server.url("public", "/metrics"), server.anonymous())
        assert status == 200


@pytest.mark.asyncio
async def test_the_operator_can_put_the_clock_forward(shop: Shop) -> None:
    _, before = await shop.operator("GET", "/operator/v1/clock")
    status, after = await shop.operator(
        "POST", "/operator/v1/clock", json={"advance_ms": 86_400_000}
    )
    assert status == 200
    assert after["now_ms"] - before["now_ms"] == 86_400_000
    status, _ = await shop.operator("POST", "/operator/v1/clock", json={"advance_ms": -1})
    assert status == 400


@pytest.mark.asyncio
async def test_the_ledger_is_proven_on_request(shop: Shop) -> None:
    status, report = await shop.operator("GET", "/operator/v1/ledger/verify")
    assert (status, report["is_whole"], report["breaks"]) == (200, True, [])


ROUTES = [
    ("POST", "hub", BATCHES),
    ("POST", "hub", "/hub/v1/states"),
    ("POST", "public", "/enroll/v1/join"),
    ("POST", "public", "/enroll/v1/rotate"),
    ("POST", "public", "/operator/v1/merchants"),
    ("POST", "public", "/operator/v1/stores"),
    ("POST", "public", "/operator/v1/enrolment-codes"),
    ("POST", "public", "/operator/v1/clock"),
    ("POST", "public", f"/operator/v1/devices/{TILL}/suspend"),
    ("POST", "public", "/nowhere"),
    ("DELETE", "public", "/healthz"),
]


@pytest.mark.asyncio
async def test_garbage_on_every_route_gets_a_known_refusal(shop: Shop) -> None:
    """Hypothesis makes the bytes; one event loop and one backend serve all examples."""
    samples: list[bytes] = []

    @settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=300))
    def gather(data: bytes) -> None:
        samples.append(data)

    gather()
    samples += [
        b'{"x": 1}',
        b"[]",
        b"null",
        b'{"tid": 1}',
        b"\xa0",
        b"\xd2\x84",
        b'"\\ud800"',
        b"\x80",
    ]
    tls = {"hub": shop.server.client("hub", HUB), "public": shop.server.anonymous()}
    headers = {"authorization": f"Bearer {shop.token}", "content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for method, listener, path in ROUTES:
            for data in samples:
                async with session.request(
                    method, shop.server.url(listener, path), data=data, ssl=tls[listener]
                ) as answer:
                    content = await answer.read()
                    assert 400 <= answer.status < 500, (path, data)
                    assert error_code(content) != "busy"


@pytest.mark.asyncio
async def test_odd_queries_get_a_known_refusal(shop: Shop) -> None:
    for query in ("after=-1", "after=x", "wait_s=99", f"after={2**70}", "wait_s=%00"):
        status, content = await shop.hub_call("GET", f"/hub/v1/pushes?{query}")
        assert (status, error_code(content)) == (400, "field_invalid")


@pytest.mark.asyncio
async def test_code_of_an_unknown_device_is_told_item_by_item(shop: Shop) -> None:
    stranger = Machine("till-9", clock=shop.till.clock)
    batch = shop.hub.batch(
        [
            shop.till.envelope("payment.query", {"payment_id": mint("pay", 1)}),
            stranger.envelope("device.hello", HELLO),
        ]
    )
    _, content = await shop.hub_call("POST", BATCHES, data=batch)
    codes = [code_of(answer) for answer in answers_in(shop.backend, content)]
    assert codes == ["payment_not_found", "device_unknown"]
