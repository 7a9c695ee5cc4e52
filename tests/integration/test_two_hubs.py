"""Two hubs of one store as their own processes: one is killed in mid-sale and comes back."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from protocol import answers
from protocol.crypto.keys import generate
from terminal.adapters import hub_turns
from tests.integration.test_hub_process import Process, post, running
from tests.integration.test_terminal_process import Books, Till, running_in_here
from tests.kit.hub_shop import HUB, STORE
from tests.kit.hub_world import FakeBackend, Installation, now_ms, until
from tests.kit.patience import PATIENCE_S
from tillway.demo.ports import lasting_port

pytestmark = pytest.mark.asyncio
OTHER, TILLS = "hub-2", ("pos-1", "pos-2", "pos-3")


@dataclass
class Store:
    """Two hubs, three tills that know both, and one backend."""

    installation: Installation
    backend: FakeBackend
    stack: AsyncExitStack
    ports: dict[str, dict[str, int]]
    hubs: dict[str, Process] = field(default_factory=dict)
    tills: dict[str, Till] = field(default_factory=dict)

    @property
    def shop(self) -> Any:
        return self.installation.shop

    async def start_hub(self, name: str) -> None:
        """Start it, at the ports that it has for good."""
        ports = self.ports[name]
        file = self.installation.root / f"{name}.toml"
        sections = "".join(f"[{part}]\nport = {port}\n" for part, port in ports.items())
        file.write_text(
            f'state_dir = "{self.installation.root / name}"\nfault_control = true\n'
            f'[backend]\nurl = "https://127.0.0.1:{self.backend.port}"\n{sections}'
            "[forward]\nunknown_after_ms = 300\n"
        )
        self.hubs[name] = await self.stack.enter_async_context(running(file))

    async def start_till(self, tid: str) -> None:
        root = self.installation.root
        self.installation.issue("terminal", tid, self.shop.key_of(tid))
        file = root / f"{tid}.toml"
        file.write_text(
            f'state_dir = "{root / tid}"\n[hub]\nport = {self.ports[HUB]["mqtt"]}\n'
            f"[[hub.others]]\nport = {self.ports[OTHER]['mqtt']}\n[http]\nport = 0\n"
            '[reading]\nsource = "off"\n'
            '[merchant]\nid = "m-1"\nzh = "小店"\nen = "Corner Shop"\n'
        )
        self.tills[tid] = await self.stack.enter_async_context(running_in_here(file))

    async def cut(self, name: str, *, is_cut: bool) -> None:
        """Cut a hub's line to the backend, or mend it."""
        url = f"http://127.0.0.1:{self.ports[name]['http']}/faults/line"
        async with (
            aiohttp.ClientSession() as person,
            person.post(url, json={"cut": is_cut}) as answer,
        ):
            assert answer.status == 200

    async def terminals_at(self, name: str, count: int) -> None:
        """Wait until so many terminals have a line to this hub."""
        await self.told(name, lambda said: said["connected"] == count)

    async def told(self, name: str, is_so: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until a hub says so of itself."""
        url = f"http://127.0.0.1:{self.ports[name]['http']}/readyz"
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as person:
            while True:
                async with person.get(url) as answer:
                    if is_so(await answer.json()):
                        return
                await asyncio.sleep(0.05)

    async def refusal(self, hub: str, tid: str) -> str | None:
        """What a hub answers to a device's signed word."""
        wire = self.shop.envelope(
            tid, 1, transport="coap", sent_at_ms=now_ms(), epoch=now_ms() // 1_000 + 999
        )
        said = (await post(self.ports[hub]["coap"], wire)).answer
        return said.body["error"]["code"] if said.message_type == "refusal" else None


@asynccontextmanager
async def running_store(root: Path) -> AsyncIterator[Store]:
    installation = Installation(root)
    shop = installation.shop
    shop.other_hubs[OTHER] = generate("ES256")
    installation.issue("hub", OTHER, shop.other_hubs[OTHER], ("127.0.0.1",))
    backend = FakeBackend(shop, rows=[shop.row(tid) for tid in TILLS])
    async with backend.serving(installation.backend), AsyncExitStack() as stack:
        ports = {
            hub: {door: lasting_port() for door in ("mqtt", "coap", "http")} for hub in (HUB, OTHER)
        }
        store = Store(installation, backend, stack, ports)
        for hub in (HUB, OTHER):
            await store.start_hub(hub)
        for tid in TILLS:
            await store.start_till(tid)
        yield store


async def sell(till: Till, amount_minor: int) -> str:
    told = await till.post("sales", amount_minor=amount_minor, method="merchant_qr")
    return str(told["subject"])


async def test_a_hub_that_dies_in_mid_sale_loses_none_and_doubles_none(tmp_path: Path) -> None:
    async with running_store(tmp_path) as store:
        books = Books(store)
        first = {tid: await sell(till, 100) for tid, till in store.tills.items()}
        for till in store.tills.values():
            await till.screen("paid")
            await till.post("sales/current/dismiss")
        assert set(store.backend.by_hub) == {HUB}

        # What it accepts now stays in its spool, and it waits: it has no reason to send tills away.
        store.backend.holds.add(HUB)
        held = {tid: await sell(till, 250) for tid, till in store.tills.items()}
        await store.told(HUB, lambda said: said["spool_rows"] >= len(held))
        await store.tills["pos-1"].screen("unknown")
        await store.terminals_at(HUB, len(TILLS))
        assert set(books.created) == set(first.values())
        await store.hubs[HUB].stop(signal.SIGKILL)

        for tid, till in store.tills.items():
            assert (await till.screen("paid"))["subject"] == held[tid]
            await till.post("sales/current/dismiss")
        everything = [*first.values(), *held.values()]
        assert sorted(books.created) == sorted(everything), "each of them once"

        store.backend.holds.clear()
        heard = len(store.backend.by_hub[HUB])
        await store.start_hub(HUB)
        await until(lambda: len(store.backend.by_hub[HUB]) >= heard + len(held))
        late = set(store.backend.by_hub[HUB][heard:])
        doubled = late & set(store.backend.by_hub[OTHER])
        assert len(doubled) >= len(held), "each of the sales came by both, under its id"
        assert sorted(books.created) == sorted(everything), "and still once"
        for tid, till in store.tills.items():
            sale = await till.get(f"payments/{held[tid]}")
            assert sale["state"] == "paid"

        await _a_push_reaches_a_till_by_the_hub_that_holds_it(store, books)
        await _a_suspension_counts_at_both(store)


async def test_a_hub_that_loses_the_backend_is_left_for_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_turns, "HUB_USELESS_S", 1)
    async with running_store(tmp_path) as store:
        books = Books(store)
        till = store.tills["pos-1"]

        await store.cut(HUB, is_cut=True)  # in a quiet store: nobody sells
        await store.terminals_at(OTHER, len(TILLS))
        sold = [await sell(till, 100)]
        assert (await till.screen("paid"))["subject"] == sold[-1]
        await till.post("sales/current/dismiss")

        await store.cut(OTHER, is_cut=True)  # now nobody has a backend, and nobody is left for ever
        sold.append(await sell(till, 250))
        await till.screen("unknown")
        await store.cut(HUB, is_cut=False)
        await store.cut(OTHER, is_cut=False)
        assert (await till.screen("paid"))["subject"] == sold[-1]
        await till.post("sales/current/dismiss")

        before = {hub: len(brought) for hub, brought in store.backend.by_hub.items()}
        store.backend.refuses |= {HUB, OTHER}  # in the middle of a sale
        sold.append(await sell(till, 300))
        # Whether the till has come back to the one or stays with the other says this alone.
        await until(lambda: "pos-1" in {tid for _, tid in store.backend.refused})
        [left, *_] = [hub for hub, tid in store.backend.refused if tid == "pos-1"]
        store.backend.refuses &= {left}
        assert (await till.screen("paid"))["subject"] == sold[-1]
        store.backend.refuses.clear()
        # What the one kept comes after the other has brought it, and counts once.
        await until(
            lambda: bool(
                set.intersection(
                    *(set(store.backend.by_hub[hub][before[hub] :]) for hub in (HUB, OTHER))
                )
            )
        )
        assert books.created == sold


async def _a_push_reaches_a_till_by_the_hub_that_holds_it(store: Store, books: Books) -> None:
    books.state = "awaiting_payer"
    till = store.tills["pos-2"]
    payment_id = await sell(till, 700)
    await till.screen("qr")
    books.states[payment_id] = "captured"
    paid = answers.Answer(
        message_type="payment.result", request_id="", device="pos-2", store=STORE,
        answered_at_ms=now_ms(), trace_id="",
        body={"payment_id": payment_id, "state": "captured", **books.money[payment_id]},
    )  # fmt: skip
    store.backend.push("answer", "pos-2", store.shop.seal([paid])[0])
    assert (await till.screen("paid"))["subject"] == payment_id


async def _a_suspension_counts_at_both(store: Store) -> None:
    for hub in (HUB, OTHER):
        assert await store.refusal(hub, "pos-3") is None
    row = store.shop.row("pos-3", status="suspended", revision=2)
    store.backend.push("registry", "pos-3", row)
    async with asyncio.timeout(PATIENCE_S):
        for hub in (HUB, OTHER):
            while await store.refusal(hub, "pos-3") != "device_suspended":  # noqa: ASYNC110  # of another process
                await asyncio.sleep(0.05)
