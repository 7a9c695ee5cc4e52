"""The line to the backend: mutual TLS, and every way in which it can fail."""

import asyncio
import socket
import threading
from pathlib import Path

import aiohttp
import pytest
import uvloop
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from hub import bootstrap
from hub.adapters.backend import BackendClient
from hub.adapters.limits import BATCH_TIMEOUT_S, CLOSE_TIMEOUT_S
from hub.adapters.system import SystemClock
from hub.bootstrap import load_identity, running_hub
from hub.domain.limits import LINE_RETRY_MS_MAX
from protocol import answers, cbor
from protocol.answers import Answer
from protocol.crypto.keys import generate
from protocol.errors import OperatingError
from protocol.identity import Identity
from protocol.tls import server_context
from tests.kit.hub_world import (
    SLOW_S,
    FakeBackend,
    Installation,
    World,
    now_ms,
    running_world,
    settings_of,
    until,
)
from tests.kit.patience import PATIENCE_S
from tests.kit.stopwatch import Stopwatch
from transport.contexts import ClientTls


async def ask(world: World, tid: str, counter: int) -> Answer:
    """Send by the shell itself; the answer's signer is the backend or the hub."""
    wire = world.shop.envelope(tid, counter, transport="coap", sent_at_ms=now_ms())
    async with asyncio.timeout(PATIENCE_S):
        sealed = answers.unseal(await world.hub.shell.exchange(wire, "test"))
    key = world.shop.hub_key if sealed.kid == world.shop.hub_key.kid else world.shop.backend_key
    return sealed.verify(key.public)


def code_of(answer: Answer) -> str:
    return str(answer.body["error"]["code"]) if answer.message_type == "refusal" else "done"


@pytest.mark.parametrize("mode", ["drop", "503", "garbage", "wrong_signature", "delay"])
@pytest.mark.asyncio
async def test_without_an_answer_to_believe_it_is_unknown_and_then_true(
    tmp_path: Path, mode: str
) -> None:
    async with running_world(tmp_path, "till-1") as world:
        world.backend.mode = mode
        unknown = await ask(world, "till-1", 1)
        assert code_of(unknown) == "backend_unreachable"
        world.backend.mode = "good"
        world.backend.open.set()
        await until(lambda: world.hub.core.forwarding.rows == 0)
        assert world.backend.carried_out == [unknown.request_id]
        assert world.hub.core.delivery.parcels == 1, "the truth waits for its device"


@pytest.mark.asyncio
async def test_a_batch_refused_whole_rests_and_others_pass(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1", "till-2") as world:
        world.backend.mode = "400"
        assert code_of(await ask(world, "till-1", 1)) == "backend_unreachable"
        world.backend.mode = "good"
        assert code_of(await ask(world, "till-2", 1)) == "done"
        assert world.hub.core.forwarding.rows == 1
        assert world.hub.core.line.is_up


@pytest.mark.asyncio
async def test_a_backend_that_is_busy_is_there_and_gets_the_same_later(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1", forward={"unknown_after_ms": 20_000}) as world:
        world.backend.mode = "busy"
        asked = asyncio.create_task(ask(world, "till-1", 1))
        await until(lambda: world.backend.batches >= 3)
        assert world.hub.core.mode() == "online", "no till has a reason to go to another hub"
        world.backend.mode = "good"
        assert code_of(await asked) == "done"
        assert len(world.backend.carried_out) == 1


@pytest.mark.asyncio
async def test_beyond_the_limit_new_business_hears_busy_and_questions_pass(tmp_path: Path) -> None:
    *tids, late = [f"till-{number}" for number in range(31)]
    limits = {"batches_in_flight_max": 1, "unknown_after_ms": 20_000}
    async with running_world(tmp_path, *tids, late, forward=limits) as world:
        world.backend.mode = "delay"

        async def ask_as(tid: str, counter: int, message_type: str) -> str:
            wire = world.shop.envelope(
                tid, counter, transport="coap", sent_at_ms=now_ms(), message_type=message_type
            )
            async with asyncio.timeout(PATIENCE_S):
                heard = answers.unseal(await world.hub.shell.exchange(wire, "test"))
            return code_of(heard.answer)

        rush = [
            asyncio.create_task(ask_as(tid, counter, "payment.create"))
            for counter in range(1, 17)
            for tid in tids
        ]
        await until(lambda: world.hub.core.forwarding.rows == len(rush))
        world.backend.mode = "slow"
        world.backend.open.set()
        await until(lambda: world.backend.batches >= 3)  # two were answered: its speed is known
        with Stopwatch() as watch:
            with capture_logs() as logs:
                assert await ask_as(late, 1, "payment.create") == "busy"
            assert [one for one in logs if one["event"] in {"hub_busy", "hub_refused"}] == [
                {"event": "hub_busy", "items": 1, "log_level": "info"}
            ]
        assert watch.had_s < SLOW_S, "told at once"
        question = asyncio.create_task(ask_as(late, 2, "payment.query"))
        assert set(await asyncio.gather(*rush)) == {"done"}, "what was taken is answered"
        assert await question == "done"
        assert await ask_as(late, 3, "payment.create") == "done", "the rush is over"
        assert len(world.backend.carried_out) == len(rush) + 2


@pytest.mark.asyncio
async def test_the_fault_switch_loses_answers_after_the_commit(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world, aiohttp.ClientSession() as person:
        async with person.post(f"{world.http}/faults/line", json={"drop_answers": True}) as set_:
            assert (await set_.json())["drop_answers"] is True
        world.backend.committed.clear()
        unknown = await ask(world, "till-1", 1)
        assert code_of(unknown) == "backend_unreachable"
        assert world.backend.committed.is_set()
        async with person.get(f"{world.http}/faults/line") as shown:
            assert (await shown.json())["answers_dropped"] >= 1
        async with person.post(f"{world.http}/faults/line", json={"drop_answers": False}):
            pass
        await until(lambda: world.hub.core.forwarding.rows == 0)
        assert world.backend.carried_out == [unknown.request_id], "exactly once"


@pytest.mark.asyncio
async def test_the_fault_switch_cuts_the_line_and_mends_it(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world, aiohttp.ClientSession() as person:
        async with person.post(f"{world.http}/faults/line", json={"cut": True}):
            pass
        batches = world.backend.batches
        assert code_of(await ask(world, "till-1", 1)) == "backend_unreachable"
        assert world.backend.batches == batches, "nothing goes through a cut line"
        async with person.post(f"{world.http}/faults/line", json={"cut": "yes"}) as wrong:
            assert wrong.status == 422
        async with person.post(f"{world.http}/faults/line", json={"cut": False}):
            pass
        await until(lambda: world.hub.core.forwarding.rows == 0)
        assert len(world.backend.carried_out) == 1


@pytest.mark.asyncio
async def test_without_fault_control_there_is_no_switch(tmp_path: Path) -> None:
    async with (
        running_world(tmp_path, "till-1", fault_control=False) as world,
        aiohttp.ClientSession() as person,
        person.post(f"{world.http}/faults/line", json={"cut": True}) as answer,
    ):
        assert answer.status == 404


@pytest.mark.asyncio
async def test_requests_that_arrive_together_travel_together(tmp_path: Path) -> None:
    tids = [f"till-{number}" for number in range(60)]
    async with running_world(tmp_path, *tids, forward={"unknown_after_ms": 20_000}) as world:
        told = await asyncio.gather(*(ask(world, tid, 1) for tid in tids))
        assert {code_of(answer) for answer in told} == {"done"}
        assert sorted(world.backend.carried_out) == sorted(answer.request_id for answer in told)
        assert world.backend.batches < len(tids) // 2


@pytest.mark.asyncio
async def test_a_revoked_device_is_refused_within_a_second(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world:
        assert code_of(await ask(world, "till-1", 1)) == "done"
        row = world.shop.row("till-1", status="revoked", revision=2)
        with Stopwatch() as watch:
            world.backend.push("registry", "till-1", row)
            await until(lambda: not world.hub.core.registry.admits("till-1"))
        assert watch.had_s < 1
        assert code_of(await ask(world, "till-1", 2)) == "device_revoked"


@pytest.mark.asyncio
async def test_the_hub_starts_from_its_own_copy_when_the_backend_is_away(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world:
        port, settings = world.backend.port, world.settings
        installation = world.installation
        await until(lambda: bool(world.backend.reports))
    async with running_hub(settings, load_identity(settings)) as hub:
        backend = FakeBackend(installation.shop, port=port, rows=[installation.shop.row("till-1")])
        world = World(installation, backend, settings, hub)
        assert hub.core.epoch == 2
        unknown = await ask(world, "till-1", 1)
        assert code_of(unknown) == "backend_unreachable"
        async with backend.serving(installation.backend):
            await until(lambda: hub.core.forwarding.rows == 0)
            assert backend.carried_out == [unknown.request_id]
    assert LINE_RETRY_MS_MAX / 1000 < PATIENCE_S


@pytest.mark.asyncio
async def test_a_server_that_is_no_backend_gets_nothing(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    impostor = installation.issue("hub", "hub-2", generate("ES256"), ("127.0.0.1",))
    backend = FakeBackend(installation.shop)
    async with backend.serving(impostor):
        url = f"https://127.0.0.1:{backend.port}"
        line = BackendClient(url, ClientTls(installation.hub.tls), clock=SystemClock())
        with pytest.raises(OperatingError, match="backend_unreachable"):
            await line.post_batch(b"secret")
        await line.close()
    assert backend.batches == 0


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("date", "is_told"),
    [
        ("Mon, 23 Nov 2026 04:00:00 GMT", True),
        ("Mon, 23 Nov 2026 04:00:00 -0000", True),
        ("Thu, 01 Jan 99999 00:00:00 GMT", False),
        ("Thu, 01 Jan 2026 00:00:" + "9" * 400 + " GMT", False),
        ("yesterday", False),
        ("", False),
    ],
)
async def test_a_date_that_is_none_tells_no_time_and_ends_no_poll(
    date: str, *, is_told: bool
) -> None:
    """As of a proxy between that is broken: what it adds must not end the hub's loops."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=cbor.encode([]), headers={"Date": date})

    app = web.Application()
    app.router.add_get("/hub/v1/pushes", answer)
    async with TestServer(app) as server:
        line = BackendClient(str(server.make_url("/")), None, clock=SystemClock())
        assert await line.pushes(after=0, wait_s=0) == []
        assert (line.clock_ahead_s != 0) is is_told
        await line.close()


class WrongClock(SystemClock):
    """This machine's, set wrongly."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


@pytest.mark.asyncio
@pytest.mark.parametrize("ahead_s", [3_600, -3_600])
async def test_a_hub_whose_own_clock_is_wrong_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead_s: int
) -> None:
    monkeypatch.setattr(bootstrap, "SystemClock", WrongClock)
    monkeypatch.setattr(WrongClock, "ahead_ms", ahead_s * 1000)
    with capture_logs() as logs:
        async with running_world(tmp_path, "till-1") as world, aiohttp.ClientSession() as client:
            assert code_of(await ask(world, "till-1", 1)) == "envelope_stale"
            async with client.get(world.http + "/readyz") as found:
                assert abs((await found.json())["clock_ahead_s"] - ahead_s) < PATIENCE_S
            async with client.get(world.http + "/metrics") as found:
                assert "tillway_hub_clock_ahead_s " in await found.text()
            monkeypatch.setattr(WrongClock, "ahead_ms", 0)
            assert code_of(await ask(world, "till-1", 2)) == "done"
            world.backend.push("answer", "till-1", world.shop.push("till-1", 7))
            await until(lambda: any(one["event"] == "clock_right" for one in logs))
    assert [one["event"] for one in logs if one["event"].startswith("clock_")] == [
        "clock_apart",
        "clock_right",
    ]


@pytest.mark.asyncio
async def test_a_backend_of_another_ca_gets_nothing(tmp_path: Path) -> None:
    ours, theirs = Installation(tmp_path / "a"), Installation(tmp_path / "b")
    backend = FakeBackend(theirs.shop)
    async with backend.serving(theirs.backend):
        settings = settings_of(ours, backend.port)
        async with running_hub(settings, load_identity(settings)):
            pass
    assert backend.batches == 0


@pytest.mark.asyncio
async def test_health_metrics_and_the_page_in_both_languages(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world, aiohttp.ClientSession() as person:
        await ask(world, "till-1", 1)
        await ask(world, "till-9", 1)
        async with person.get(f"{world.http}/healthz") as healthy:
            assert healthy.status == 200
        async with person.get(f"{world.http}/readyz") as ready:
            assert (await ready.json())["ready"] is True
        async with person.get(f"{world.http}/metrics") as metrics:
            text = await metrics.text()
        assert 'tillway_hub_refused_total{code="device_unknown"} 1.0' in text
        assert "tillway_hub_line_up 1.0" in text
        assert "tillway_hub_answers_total 1.0" in text
        assert "tillway_hub_spool_oldest_age_ms 0.0" in text
        async with person.get(world.http) as page:
            shown = await page.text()
        assert "门店网关" in shown
        assert "Store hub" in shown


def test_a_dropped_answer_is_noticed_at_once_on_the_loop_of_production(tmp_path: Path) -> None:
    async def play() -> float:
        async with running_world(tmp_path, "till-1") as world, aiohttp.ClientSession() as person:
            async with person.post(f"{world.http}/faults/line", json={"drop_answers": True}):
                pass
            with Stopwatch() as watch:
                assert code_of(await ask(world, "till-1", 1)) == "backend_unreachable"
                async with person.post(f"{world.http}/faults/line", json={"drop_answers": False}):
                    pass
                await until(lambda: world.hub.core.forwarding.rows == 0)
            assert len(world.backend.carried_out) == 1
            return watch.had_s

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(play()) < BATCH_TIMEOUT_S


class Mute:
    """A TLS server that answers one request with no answers, and then never reads again."""

    def __init__(self, identity: Identity) -> None:
        self._tls = server_context(identity.tls)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        sock, _ = self._listening.accept()
        with self._tls.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False) as line:
            line.recv(65_536)
            line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n\x80")
            self._over.wait(PATIENCE_S)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE_S)
        self._listening.close()


def test_closing_does_not_wait_for_the_goodbye_of_a_backend_that_hangs(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    mute, errors = Mute(installation.backend), []

    async def play() -> float:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(context))
        line = BackendClient(
            f"https://127.0.0.1:{mute.port}", ClientTls(installation.hub.tls), clock=SystemClock()
        )
        assert await line.post_batch(b"x") == []
        with Stopwatch() as watch:
            await line.close()
        return watch.had_s

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        took_s = runner.run(play())
    mute.stop()
    assert took_s < CLOSE_TIMEOUT_S / 2
    assert not errors
