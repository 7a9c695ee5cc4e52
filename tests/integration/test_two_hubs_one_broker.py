"""Two hubs of one store behind the real Mosquitto, as processes: one takes the requests, the other
takes over when that one is cut off or killed, and no payment is made twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from protocol.crypto.keys import generate
from tests.integration.test_hub_process import Process, running
from tests.integration.test_terminal_process import Books, Till, running_in_here
from tests.kit.hub_shop import HUB
from tests.kit.hub_world import FakeBackend, Installation, until
from tests.kit.mosquitto import Mosquitto, certified, running_mosquitto
from tests.kit.patience import PATIENCE_S

pytestmark = [pytest.mark.asyncio, pytest.mark.mosquitto]
OTHER, TILL = "hub-2", "pos-1"


@dataclass
class Store:
    """A broker, two hubs, a till, and one backend."""

    installation: Installation
    backend: FakeBackend
    broker: Mosquitto
    stack: AsyncExitStack
    hubs: dict[str, Process] = field(default_factory=dict)

    @property
    def shop(self) -> Any:
        return self.installation.shop

    async def start_hub(self, name: str) -> None:
        file = self.installation.root / f"{name}.toml"
        file.write_text(
            f'state_dir = "{self.installation.root / name}"\nfault_control = true\n'
            f'[backend]\nurl = "https://127.0.0.1:{self.backend.port}"\n'
            f'[mqtt]\nmode = "external"\nport = {self.broker.port}\n'
            "[coap]\nenabled = false\n[http]\nport = 0\n[forward]\nunknown_after_ms = 300\n"
        )
        self.hubs[name] = await self.stack.enter_async_context(running(file))

    async def start_till(self) -> Till:
        root = self.installation.root
        self.installation.issue("terminal", TILL, self.shop.key_of(TILL))
        file = root / f"{TILL}.toml"
        file.write_text(
            f'state_dir = "{root / TILL}"\n[hub]\nport = {self.broker.port}\n'
            '[http]\nport = 0\n[reading]\nsource = "off"\n'
            '[merchant]\nid = "m-1"\nzh = "小店"\nen = "Corner Shop"\n'
        )
        return await self.stack.enter_async_context(running_in_here(file))

    async def cut(self, name: str, *, is_cut: bool) -> None:
        """Cut a hub's line to the backend, or mend it."""
        url = f"http://127.0.0.1:{self.hubs[name].ports['http']}/faults/line"
        async with (
            aiohttp.ClientSession() as person,
            person.post(url, json={"cut": is_cut}) as answer,
        ):
            assert answer.status == 200


@asynccontextmanager
async def running_store(root: Path) -> AsyncIterator[Store]:
    installation = Installation(root)
    shop = installation.shop
    shop.other_hubs[OTHER] = generate("ES256")
    installation.issue("hub", OTHER, shop.other_hubs[OTHER], ("127.0.0.1",))
    backend = FakeBackend(shop, rows=[shop.row(TILL)])
    async with (
        running_mosquitto(root / "broker", certified(root / "broker", installation.ca)) as broker,
        backend.serving(installation.backend),
        AsyncExitStack() as stack,
    ):
        lines = broker.acl.read_text()
        broker.acl.write_text(f"user {OTHER}\ntopic readwrite tw1/store-1/#\n\n{lines}")
        await broker.end(signal.SIGTERM)
        await broker.start()
        yield Store(installation, backend, broker, stack)


async def sell(till: Till, amount_minor: int) -> str:
    told = await till.post("sales", amount_minor=amount_minor, method="merchant_qr")
    return str(told["subject"])


async def is_shown(till: Till, *, is_online: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await till.get("screen"))["is_hub_online"] is not is_online:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_the_other_hub_takes_over_and_nothing_is_paid_twice(tmp_path: Path) -> None:
    async with running_store(tmp_path) as store:
        books = Books(store)
        for name in (HUB, OTHER):
            await store.start_hub(name)
        till = await store.start_till()
        sold: list[str] = []

        async def sale_is_paid(amount_minor: int) -> None:
            sold.append(await sell(till, amount_minor))
            assert (await till.screen("paid"))["subject"] == sold[-1]
            await till.post("sales/current/dismiss")

        await sale_is_paid(100)
        heard = store.backend.by_hub

        def heard_by_both() -> set[str]:
            return set(heard.get(HUB, ())) & set(heard.get(OTHER, ()))

        assert not heard_by_both(), "one takes the requests"

        store.backend.refuses |= {HUB, OTHER}
        sold.append(await sell(till, 250))
        await until(lambda: bool(store.backend.refused))
        on_duty, _ = store.backend.refused[
            0
        ]  # it has the sale in its spool, whoever had the last one
        standby = ({HUB, OTHER} - {on_duty}).pop()
        await store.cut(on_duty, is_cut=True)
        store.backend.refuses.clear()  # the other makes the payment
        assert (await till.screen("paid"))["subject"] == sold[-1]
        await till.post("sales/current/dismiss")
        await is_shown(till, is_online=True)
        assert books.created == sold
        await store.cut(on_duty, is_cut=False)
        await until(lambda: bool(heard_by_both()))
        assert books.created == sold, "what the first kept came late, and counts once"

        for name in (on_duty, standby):  # one after the other is killed, whoever is on duty
            await store.hubs[name].stop(signal.SIGKILL)
            await is_shown(till, is_online=True)
            await sale_is_paid(300)
            await store.start_hub(name)
        await sale_is_paid(400)
        assert books.created == sold, "each of them once"
        for payment_id in sold:
            assert (await till.get(f"payments/{payment_id}"))["state"] == "paid"
