"""A whole hub and a till on the real Mosquitto, as a store would run them: as processes in the
first test and wherever one of them is killed, in this process where that is not the subject.

Certificates come from our CA, the configuration and the ACL are those that we ship.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from hub import limits
from hub.bootstrap import RunningHub, load_identity, running_hub
from hub.mqtt.broker_line import BrokerLine
from tests.integration.test_hub_process import Process
from tests.integration.test_hub_process import running as running_hub_process
from tests.integration.test_terminal_process import Books, Till, config
from tests.integration.test_terminal_process import running as running_till_process
from tests.integration.test_terminal_process import running_in_here as running_till
from tests.kit.hub_shop import HUB, Shop
from tests.kit.hub_world import FakeBackend, Installation, settings_of, until
from tests.kit.mosquitto import Mosquitto, certified, running_mosquitto
from tests.kit.patience import PATIENCE_S

pytestmark = [pytest.mark.asyncio, pytest.mark.mosquitto]
TILL = "pos-1"


@dataclass
class Store:
    """A broker, a hub that may be killed and started again, and a backend."""

    installation: Installation
    backend: FakeBackend
    broker: Mosquitto
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    hub: Process | RunningHub = field(init=False)

    @property
    def shop(self) -> Shop:
        return self.installation.shop

    def write_config(self) -> Path:
        file = self.installation.root / "hub.toml"
        file.write_text(
            f'state_dir = "{self.installation.root / HUB}"\n'
            f'[backend]\nurl = "https://127.0.0.1:{self.backend.port}"\n'
            f'[mqtt]\nmode = "external"\nport = {self.broker.port}\n'
            "[coap]\nenabled = false\n[http]\nport = 0\n[forward]\nunknown_after_ms = 300\n"
        )
        return file

    async def start_hub(self) -> None:
        self.hub = await self.stack.enter_async_context(running_hub_process(self.write_config()))

    @property
    def hub_process(self) -> Process:
        """Where the hub is apart."""
        assert isinstance(self.hub, Process)
        return self.hub

    async def kill_hub(self) -> None:
        assert await self.hub_process.stop(signal.SIGKILL) == -signal.SIGKILL

    async def hub_readiness(self) -> int:
        url = f"http://127.0.0.1:{self.hub.ports['http']}/readyz"
        async with aiohttp.ClientSession() as person, person.get(url) as answer:
            return answer.status

    @asynccontextmanager
    async def hub_in_here(self) -> AsyncIterator[RunningHub]:
        """The same hub in the test's own process, to look inside."""
        mqtt = {"mode": "external", "port": self.broker.port}
        settings = settings_of(self.installation, self.backend.port, mqtt=mqtt)
        async with running_hub(settings, load_identity(settings)) as hub:
            self.hub = hub
            yield hub

    async def host_hub(self) -> None:
        """As ``hub_in_here``, to the end of the test."""
        await self.stack.enter_async_context(self.hub_in_here())

    async def kill_broker(self) -> None:
        await self.broker.end(signal.SIGKILL)


@asynccontextmanager
async def running_store(root: Path, *, is_hub_apart: bool = True) -> AsyncIterator[Store]:
    installation = Installation(root)
    backend = FakeBackend(installation.shop, rows=[installation.shop.row(TILL)])
    async with (
        running_mosquitto(root / "broker", certified(root / "broker", installation.ca)) as broker,
        backend.serving(installation.backend),
        AsyncExitStack() as stack,
    ):
        store = Store(installation, backend, broker, stack)
        if is_hub_apart:
            await store.start_hub()
        yield store


def sale_request() -> dict[str, Any]:
    return {"amount_minor": 1280, "method": "merchant_qr"}


async def hub_is_shown(till: Till, *, is_online: bool) -> None:
    """Wait until the till's page says so."""
    async with asyncio.timeout(PATIENCE_S):
        while (await till.get("screen"))["is_hub_online"] is not is_online:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


REQ = f"t/{TILL}/req"


async def test_a_sale_ends_paid_over_mosquitto(tmp_path: Path) -> None:
    async with running_store(tmp_path) as store:
        books = Books(store)
        async with running_till_process(config(store, TILL, "terminal", "mqtt")) as till:
            await till.post("sales", **sale_request())
            paid = await till.screen("paid")
            assert books.created == [paid["subject"]]
        assert till.process.returncode == 0
        assert await store.hub_process.stop() == 0
        assert store.broker.said("Sending PUBACK to " + HUB) > 0, "the hub came as itself"


async def test_a_broker_killed_while_the_backend_works_costs_nothing(tmp_path: Path) -> None:
    async with running_store(tmp_path, is_hub_apart=False) as store:
        await store.host_hub()
        books = Books(store)
        async with running_till(config(store, TILL, "terminal", "mqtt")) as till:
            store.backend.delays = "payment.create"
            await till.post("sales", **sale_request())
            async with asyncio.timeout(PATIENCE_S):
                await store.backend.held.wait()
            await store.kill_broker()
            store.backend.open.set()
            await until(lambda: len(books.created) == 1)
            await store.broker.start()
            paid = await till.screen("paid")
            assert books.created == [paid["subject"]]


async def test_what_the_broker_took_and_lost_is_sent_again_by_the_till(tmp_path: Path) -> None:
    async with running_store(tmp_path) as store:
        books = Books(store)
        async with running_till(config(store, TILL, "terminal", "mqtt")) as till:
            await store.broker.heard("Sending PUBACK to " + TILL)
            await store.kill_hub()
            acknowledged = store.broker.said("Sending PUBACK to " + TILL)
            await till.post("sales", **sale_request())
            await store.broker.heard("Sending PUBACK to " + TILL, above=acknowledged)
            await store.kill_broker()
            assert books.created == []
            await store.broker.start()
            await store.start_hub()
            paid = await till.screen("paid")
            assert books.created == [paid["subject"]]


async def test_a_hub_killed_before_it_acknowledges_gets_the_request_again(tmp_path: Path) -> None:
    async with running_store(tmp_path) as store:
        books = Books(store)
        async with running_till(config(store, TILL, "terminal", "mqtt")) as till:
            await store.broker.heard("Received PUBLISH from " + TILL, "/state")
            store.hub_process.process.send_signal(signal.SIGSTOP)
            offered = store.broker.said("Sending PUBLISH to " + HUB, REQ)
            await till.post("sales", **sale_request())
            await store.broker.heard("Sending PUBLISH to " + HUB, REQ, above=offered)
            await store.kill_hub()
            assert books.created == []
            await store.start_hub()
            await store.broker.heard("Sending PUBLISH to " + HUB, "(d1,", REQ)
            paid = await till.screen("paid")
            assert books.created == [paid["subject"]]


async def test_a_request_committed_but_not_acknowledged_is_answered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_store(tmp_path, is_hub_apart=False) as store:
        books = Books(store)
        with monkeypatch.context() as patch:
            patch.setattr(BrokerLine, "acknowledge", lambda *_: None)
            async with store.hub_in_here():
                file = config(store, TILL, "terminal", "mqtt")
                async with running_till(file) as till:
                    await till.post("sales", **sale_request())
                    await till.screen("paid")
        async with store.hub_in_here() as hub:
            await until(lambda: hub.core.uplink.refused["envelope_replayed"] > 0)
            await until(lambda: store.broker.said("Received PUBACK from " + HUB) > 0)
            async with running_till(file) as till:
                [paid] = await till.get("payments")
                assert (books.created, paid["state"]) == ([paid["payment_id"]], "paid")
        assert len(store.backend.carried_out) == len(set(store.backend.carried_out))


async def test_a_hub_that_starts_before_its_broker_is_not_ready_and_links_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_store(tmp_path, is_hub_apart=False) as store:
        books = Books(store)
        await store.kill_broker()
        with capture_logs() as logs, monkeypatch.context() as hurried:
            hurried.setattr(limits, "BROKER_CONNECT_TIMEOUT_S", 0.3)
            async with store.hub_in_here():
                assert await store.hub_readiness() == 503
                await until(lambda: sum(row["event"] == "broker_away" for row in logs) >= 2)
                hurried.undo()  # the broker that is there may take its time
                await store.broker.start()
                await until(lambda: any(row["event"] == "broker_linked" for row in logs))
                async with running_till(config(store, TILL, "terminal", "mqtt")) as till:
                    await till.post("sales", **sale_request())
                    paid = await till.screen("paid")
                    assert books.created == [paid["subject"]]
                assert await store.hub_readiness() == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_tills_are_told_when_their_hub_is_gone_and_back(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with (
        running_store(tmp_path) as store,
        running_till(config(store, TILL, "terminal", "mqtt")) as till,
    ):
        await hub_is_shown(till, is_online=True)
        await store.hub_process.stop(number)
        await hub_is_shown(till, is_online=False)
        await store.start_hub()
        await hub_is_shown(till, is_online=True)


async def test_a_revoked_till_gets_no_answers(tmp_path: Path) -> None:
    async with running_store(tmp_path, is_hub_apart=False) as store:
        await store.host_hub()
        books = Books(store)
        async with running_till(config(store, TILL, "terminal", "mqtt")) as till:
            await till.post("sales", **sale_request())
            await till.screen("paid")
            row = store.shop.row(TILL, status="revoked", revision=2)
            store.backend.push("registry", TILL, row)
            # The hub takes the configuration of a till that it cuts off from the broker.
            await store.broker.heard("Received PUBLISH from " + HUB, f"t/{TILL}/cfg")
            told = store.broker.said("Sending PUBLISH to " + TILL, "/res")
            taken = store.broker.said("Received PUBACK from " + HUB)
            await till.post("sales", **sale_request())
            await till.screen("unknown")
            await store.broker.heard("Received PUBACK from " + HUB, above=taken)
            assert store.broker.said("Sending PUBLISH to " + TILL, "/res") == told
            assert len(books.created) == 1


async def test_a_till_that_the_acl_denies_is_not_heard_at_all(tmp_path: Path) -> None:
    async with running_store(tmp_path, is_hub_apart=False) as store:
        await store.host_hub()
        books = Books(store)
        async with running_till(config(store, TILL, "terminal", "mqtt")) as till:
            await till.post("sales", **sale_request())
            await till.screen("paid")
            with store.broker.acl.open("a") as acl:
                acl.write(f"\nuser {TILL}\ntopic deny tw1/#\n")
            store.broker.reload()
            await store.broker.heard("Reloading config")
            passed = store.broker.said("Sending PUBLISH to " + HUB, REQ)
            await till.post("sales", **sale_request())
            await store.broker.heard("Denied PUBLISH from " + TILL, REQ)
            await till.screen("unknown")
            assert store.broker.said("Sending PUBLISH to " + HUB, REQ) == passed
            assert len(books.created) == 1
