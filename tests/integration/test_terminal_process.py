"""Tills and a vending machine as their own processes, before a whole hub: sale, kill −9, stop."""

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import kind_named
from protocol.answers import Answer
from protocol.envelope import Envelope
from protocol.errors import advice
from protocol.messages import ErrorBody, Refusal
from terminal.bootstrap import load_identity, running_terminal
from terminal.config import load
from tests.kit.hub_shop import Shop
from tests.kit.hub_world import Installation, now_ms, running_world, until
from tests.kit.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio
ROOT = Path(__file__).resolve().parents[2]
MANDATE = "mdt_" + "0" * 26
TAPPED, SCANNED = "134567890123456789", "134567890123456797"


class WithShop(Protocol):
    """What has the keys and the words of a shop."""

    @property
    def shop(self) -> Shop: ...


class WithPorts(Protocol):
    """A hub, in this process or in its own."""

    @property
    def ports(self) -> dict[str, int]: ...


class Place(WithShop, Protocol):
    """Where a terminal may be set up."""

    @property
    def installation(self) -> Installation: ...

    @property
    def hub(self) -> WithPorts: ...


class Books:
    """The payments of a backend that fits in a page; ``pay`` decides what becomes of them."""

    def __init__(self, world: WithShop) -> None:
        self.created: list[str] = []
        self.states: dict[str, str] = {}
        self.money: dict[str, dict[str, Any]] = {}
        self.codes: list[str | None] = []
        self.state = "captured"
        self._pong = world.shop.pong
        world.shop.pong = self.answer  # type: ignore[method-assign]

    def answer(self, asked: Envelope, **_: Any) -> Answer:
        if not asked.message_type.startswith("payment."):
            return self._pong(asked)
        payment_id = asked.body["payment_id"]
        if asked.message_type == "payment.create" and payment_id not in self.states:
            self.created.append(payment_id)
            self.codes.append(asked.body.get("pay_code"))
            self.states[payment_id] = self.state
            fields = ("amount_minor", "currency", "method")
            self.money[payment_id] = {name: asked.body[name] for name in fields}
        message_type = "payment.result"
        if payment_id in self.states:
            state = self.states[payment_id]
            body = {"payment_id": payment_id, "state": state, **self.money[payment_id]}
            if state == "awaiting_payer":
                body["code_url"] = "tillway://p/1"
        else:
            found = advice("payment_not_found")
            error = ErrorBody(code=found.code, retry=found.retry, zh=found.zh, en=found.en)
            message_type, body = "refusal", Refusal(error=error).to_map()
        return Answer(
            message_type=message_type,
            request_id=asked.request_id,
            device=asked.device,
            store=asked.store,
            answered_at_ms=now_ms(),
            body=body,
            trace_id=asked.trace_id,
        )


def config(world: Place, tid: str, kind: str, transport: str) -> Path:
    world.installation.issue(kind, tid, world.shop.key_of(tid))
    state = world.installation.root / tid
    profile = "till" if kind == "terminal" else "vending"
    file = world.installation.root / f"{tid}.toml"
    file.write_text(
        f'profile = "{profile}"\nstate_dir = "{state}"\n'
        f'[hub]\ntransport = "{transport}"\nport = {world.hub.ports[transport]}\n'
        "[http]\nport = 0\n"
        # Tests count what a terminal sends; what it is made of is said and tried elsewhere.
        '[reading]\nsource = "off"\n'
        '[merchant]\nid = "m-1"\nzh = "小店"\nen = "Corner Shop"\n'
        + (
            f'[vending]\nmandate_id = "{MANDATE}"\n'
            '[[vending.items]]\nitem = "cola"\nzh = "可乐"\nen = "Cola"\namount_minor = 300\n'
            if profile == "vending"
            else ""
        )
    )
    return file


@dataclass
class Till:
    """A running terminal's page."""

    base: str
    client: aiohttp.ClientSession
    headers: dict[str, str]

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        url = f"{self.base}/api/{path}"
        async with self.client.post(url, json=body, headers=self.headers) as answer:
            told = await answer.json()
            assert answer.status == 200, told
            return dict(told)

    async def get(self, path: str) -> Any:
        async with self.client.get(f"{self.base}/api/{path}", headers=self.headers) as answer:
            assert answer.status == 200
            return await answer.json()

    async def is_serving(self) -> bool:
        try:
            async with self.client.get(f"{self.base}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def screen(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            url = f"{self.base}/api/events"
            async with self.client.get(url, headers=self.headers) as answer:
                async for line in answer.content:
                    if line.startswith(b"data: ") and json.loads(line[6:])["kind"] == kind:
                        return dict(json.loads(line[6:]))
        raise AssertionError(kind)


@dataclass
class Running(Till):
    """A terminal that is a process."""

    process: asyncio.subprocess.Process
    ready: dict[str, Any]


@asynccontextmanager
async def page_of(port: int, token_file: str) -> AsyncIterator[Till]:
    token = await asyncio.to_thread(Path(token_file).read_text)
    async with aiohttp.ClientSession() as client:
        headers = {"authorization": f"Bearer {token}"}
        yield Till(f"http://127.0.0.1:{port}", client, headers)


@asynccontextmanager
async def running_in_here(file: Path) -> AsyncIterator[Till]:
    """The same terminal in the test's own process, where nobody kills it."""
    settings = load(file)
    async with (
        running_terminal(settings, load_identity(settings)) as terminal,
        page_of(terminal.ports["http"], terminal.token_file) as page,
    ):
        yield page


async def launch(file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from terminal.cli import app; app()", "run", "--config", str(file),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


@asynccontextmanager
async def running(file: Path) -> AsyncIterator[Running]:
    process = await launch(file)
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = await process.stdout.readline()
        assert line, (await errors).decode()
        ready = json.loads(line)
        async with page_of(ready["ports"]["http"], ready["token_file"]) as page:
            yield Running(page.base, page.client, page.headers, process, ready)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
        await errors


async def test_a_till_sells_over_mqtt_and_stops_cleanly(tmp_path: Path) -> None:
    async with running_world(tmp_path, "pos-1") as world:
        books = Books(world)
        async with running(config(world, "pos-1", "terminal", "mqtt")) as till:
            assert till.ready["ready"] is True
            await till.post("sales", amount_minor=1280, method="merchant_qr")
            paid = await till.screen("paid")
            assert books.created == [paid["subject"]]
        assert till.process.returncode == 0


async def test_a_vending_machine_pays_over_coap_and_gives_out_once(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world:
        books = Books(world)
        async with running(config(world, "vend-1", "thing", "coap")) as machine:
            await machine.post("vend", item="cola")
            paid = await machine.screen("paid")
            assert books.money[paid["subject"]]["method"] == "mandate"
            while paid["delivery"] != "given":
                paid = await machine.screen("paid")
            sale = await machine.get(f"payments/{paid['subject']}")
            assert sale["is_dispensed"] is True
            assert await machine.get("items/unsettled") == []


async def test_a_till_killed_while_waiting_learns_the_truth_after_its_restart(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, "pos-1") as world:
        books = Books(world)
        file = config(world, "pos-1", "terminal", "mqtt")
        world.backend.mode = "drop"  # commits, and the line breaks before the answer
        async with running(file) as till:
            await till.post("sales", amount_minor=700, method="merchant_qr")
            unknown = await till.screen("unknown")
            till.process.kill()
            await till.process.wait()
        world.backend.mode = "good"
        async with running(file) as till:
            paid = await till.screen("paid")
            assert paid["subject"] == unknown["subject"]
            assert paid["is_recovered"] is True
        assert books.created == [unknown["subject"]]


async def test_a_till_whose_disk_is_full_says_so_and_goes_on_by_itself(tmp_path: Path) -> None:
    async with running_world(tmp_path, "pos-1") as world:
        books = Books(world)
        async with running(config(world, "pos-1", "terminal", "mqtt")) as till:
            await till.post("sales", amount_minor=700, method="merchant_qr")
            first = await till.screen("paid")
            await till.post("sales/current/dismiss")
            pid = till.process.pid
            usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, usual[1]))
            words = {"amount_minor": 800, "method": "merchant_qr"}
            for _ in range(2):  # by the turn that failed, then by what waits in its place
                async with till.client.post(
                    f"{till.base}/api/sales", json=words, headers=till.headers
                ) as refused:
                    assert refused.status == 503
                    assert (await refused.json())["error"]["code"] == "journal_unwritable"
                await asyncio.sleep(1)
            html = {"accept": "text/html"}
            async with till.client.get(f"{till.base}/", headers=html) as page:
                assert "The till's disk is full" in await page.text()
            async with till.client.get(f"{till.base}/customer", headers=html) as side:
                told = await side.text()
                assert "请询问店员" in told
                assert "ask the staff" in told
                assert "disk" not in told, "which is not the payer's to know"
            resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
            async with asyncio.timeout(PATIENCE_S):
                while not await till.is_serving():  # noqa: ASYNC110  (another process)
                    await asyncio.sleep(0.2)
            kept = await till.get(f"payments/{first['subject']}")
            assert kept["state"] == "paid"
            await till.post("sales", **words)
            second = await till.screen("paid")
        assert books.created == [first["subject"], second["subject"]]
        assert till.process.returncode == 0


async def test_a_state_directory_serves_one_process_and_a_taken_port_is_named(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, "pos-1") as world:
        file = config(world, "pos-1", "terminal", "mqtt")
        async with running(file) as till:
            second = await launch(file)
            _, errors = await second.communicate()
            assert second.returncode != 0
            assert b"in use" in errors
            port = till.ready["ports"]["http"]
            taken = file.with_name("taken.toml")
            taken.write_text(file.read_text().replace("[http]\nport = 0", f"[http]\nport = {port}"))
            third = await launch(taken)
            _, errors = await third.communicate()
            assert third.returncode != 0
            assert f"127.0.0.1:{port}".encode() in errors
            await until(lambda: till.process.returncode is None)


def counter(path: Path) -> HostedBoard:
    """A scanner, a contactless reader and the payer's display."""
    kinds = {"scanner": "gm65", "reader": "pn532", "display": "cd5220"}
    devices = {
        name: BoardDevice(kind_named(kind), kind_named(kind).entry.model_validate({"kind": kind}))
        for name, kind in kinds.items()
    }
    return HostedBoard(BoardFile("counter", devices), state_dir=path)


async def test_a_tap_pays_and_a_scan_too_and_the_payer_sees_the_amount(tmp_path: Path) -> None:
    async with running_world(tmp_path / "world", "pos-1") as world:
        books = Books(world)
        file = config(world, "pos-1", "terminal", "mqtt")
        with counter(tmp_path / "board") as board:
            paths = board.paths
            file.write_text(
                f'{file.read_text()}[devices]\nscanner = "{paths["scanner"]}"\n'
                f'reader = "{paths["reader"]}"\n'
                f'[customer_display]\nport = "{paths["display"]}"\nkind = "cd5220"\n'
            )

            async def shown(upper: str, lower: str) -> None:
                async with asyncio.timeout(PATIENCE_S):
                    while True:
                        state = await asyncio.to_thread(board.state, "display")
                        rows = str(state["upper"]).strip(), str(state["lower"]).strip()
                        if rows == (upper, lower):
                            return
                        await asyncio.sleep(0.05)

            async with running(file) as till:
                await till.post("sales", amount_minor=1280, method="pay_code")
                await shown("Show your code", "CNY 12.80")
                await asyncio.to_thread(board.do, "reader", "present", text=TAPPED)
                await shown("Paid - thank you", "CNY 12.80")
                await asyncio.to_thread(board.do, "reader", "remove")
                await till.post("sales", amount_minor=300, method="pay_code")
                await shown("Show your code", "CNY 3.00")
                await asyncio.to_thread(board.do, "scanner", "present", text=SCANNED)
                await shown("Paid - thank you", "CNY 3.00")
        assert books.codes == [TAPPED, SCANNED]
