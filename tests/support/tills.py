"""A running till over a loopback socket, with a backend that answers as a test says."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from protocol import envelope
from terminal.adapters.dummy import (
    DummyCardPinPad,
    DummyFingerprintSensor,
    DummyPrinter,
    DummyScanner,
)
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.agent import Agent
from terminal.counter.diagnostics import Diagnostics
from terminal.counter.opening import open_counter
from terminal.counter.people import People
from terminal.counter.staffing import hire
from terminal.counter.station import Counter
from terminal.domain.pin import PinStep
from terminal.domain.staff import Role
from terminal.journal.store import Journal
from terminal.limits import HTTP_CONNECTIONS_MAX, STOP_WAIT_S
from terminal.shell import Shell, ShellPorts
from terminal.slip import receipt_bytes
from terminal.web.access import Access, control_token
from terminal.web.app import build_app
from tests.kit.patience import PATIENCE_S
from tests.unit.terminal.fakes import DEVICE_KEY, TID, SeededEntropy, profile, refusal, sign, trust
from transport.web import WebServer

NEW_BUSINESS = frozenset({"payment.create", "refund.create"})
"""What a hub puts off; what resolves an open payment always passes."""


class FakeBackend:
    """Answers payments as the test says."""

    def __init__(self) -> None:
        self.state = "captured"
        self.fields: dict[str, Any] = {}
        self.seen: list[str] = []
        self.is_cut_off = False
        self.puts_off = ""
        """The code with which the hub takes no new business."""
        self.is_hub_silent = False

    def __call__(self, data: bytes) -> list[bytes]:
        asked = envelope.unseal(data).envelope
        self.seen.append(asked.message_type)
        body = dict(asked.body)
        if asked.message_type == "payment.create":
            self.money = {k: body[k] for k in ("amount_minor", "currency", "method")}
        if asked.message_type.startswith("device."):
            return []
        if self.is_hub_silent:
            return []
        if self.puts_off and asked.message_type in NEW_BUSINESS:
            return [_refused(asked.request_id, self.puts_off)]
        if self.is_cut_off:
            return [_refused(asked.request_id, "backend_unreachable")]
        if asked.message_type == "refund.create":
            kept = {k: body[k] for k in ("refund_id", "payment_id", "amount_minor", "currency")}
            answer = {**kept, "state": "succeeded"}
            return [_said("refund.result", answer, asked.request_id)]
        state = {"payment.close": "closed"}.get(asked.message_type, self.state)
        answer = {"payment_id": body["payment_id"], "state": state, **self.money, **self.fields}
        return [_said("payment.result", answer, asked.request_id)]


def _refused(request_id: str, code: str) -> bytes:
    """Each at its own time: the same bytes again would be no news."""
    return refusal(request_id, code, at_ms=SystemClock().now_ms())


def _said(message_type: str, answer: dict[str, Any], request_id: str) -> bytes:
    now_ms = SystemClock().now_ms()
    return sign(message_type, answer, request_id=request_id, at_ms=now_ms)


class Till:
    """A running till and a client that holds its token."""

    def __init__(self, base: str, token: str, client: aiohttp.ClientSession, parts: Any) -> None:
        self.base = base
        self.token = token
        self.client = client
        self.backend, self.link, self.scanner, self.printer, self.shell = parts

    counter: Counter
    people: People
    pinpad: DummyCardPinPad
    sensor: DummyFingerprintSensor

    async def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": f"Bearer {self.token}"}
        url = f"{self.base}/api/{path}"
        async with self.client.post(url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        headers = {"authorization": f"Bearer {self.token}"}
        async with self.client.get(f"{self.base}/{path}", headers=headers) as answer:
            assert answer.status == 200, path
            if answer.content_type == "application/json":
                return await answer.json()
            return await answer.read()

    async def screen(self, kind: str) -> dict[str, Any]:
        """Wait until the event stream shows this kind of screen."""
        headers = {"authorization": f"Bearer {self.token}"}
        async with asyncio.timeout(PATIENCE_S):
            async with self.client.get(f"{self.base}/api/events", headers=headers) as answer:
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        shown = json.loads(line[6:])
                        if shown["kind"] == kind:
                            return dict(shown)
        raise AssertionError(kind)

    async def payer_reads(self) -> str:
        """The payer's side in English, without its markup."""
        page = (await self.get("customer?lang=en")).decode()
        text = re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.index("</main>")])
        return " ".join(text.split())


@asynccontextmanager
async def running_till(tmp_path: Path, *, port: int = 0, **changes: Any) -> AsyncIterator[Till]:
    clock, backend = SystemClock(), FakeBackend()
    journal = Journal(tmp_path / "journal.db", tid=TID, now_ms=clock.now_ms())
    agent = Agent(
        profile=profile(**changes), key=DEVICE_KEY, trust=trust(), journal=journal, clock=clock,
        entropy=SystemEntropy(),
    )  # fmt: skip
    link, scanner, printer = MemoryLink(backend), DummyScanner(), DummyPrinter()
    sensor = DummyFingerprintSensor({"mine": 3})
    ports = ShellPorts(
        agent=agent, link=link, clock=clock, render=receipt_bytes, scanner=scanner,
        printer=printer, sensor=sensor, pinpad=DummyCardPinPad(),
    )  # fmt: skip
    shell = Shell(ports)
    opened = open_counter(
        shell=shell, ports=ports, journal=journal, clock=clock,
        entropy=SystemEntropy(), training_path=tmp_path / "training.db",
    )  # fmt: skip
    token = control_token(tmp_path)
    http = WebServer(
        host="127.0.0.1", port=port, connections_max=HTTP_CONNECTIONS_MAX, stop_s=STOP_WAIT_S
    )
    shells = (shell, opened.counter.training.shell)
    tasks = [asyncio.create_task(each.run()) for each in shells]
    access = Access(token, tid=agent.profile.tid)
    try:
        await http.start(build_app(opened.counter, Diagnostics(ports), access))
        base = f"http://127.0.0.1:{http.port}"
        async with aiohttp.ClientSession() as client:
            till = Till(base, token, client, (backend, link, scanner, printer, shell))
            till.counter = opened.counter
            till.people = People(journal.database, SystemClock())
            assert isinstance(ports.pinpad, DummyCardPinPad)
            till.pinpad, till.sensor = ports.pinpad, sensor
            yield till
    finally:
        for each in shells:
            each.end_streams()
        await http.stop()
        for station in (opened.counter.real, opened.counter.training):
            await station.cards.aclose()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        opened.training_journal.close()
        journal.close()


def counter_of(agent: Agent, journal: Journal) -> Counter:
    """The counter of a till that nobody runs."""
    clock = SystemClock()
    ports = ShellPorts(
        agent=agent, link=MemoryLink(FakeBackend()), clock=clock, render=receipt_bytes
    )  # fmt: skip
    opened = open_counter(
        shell=Shell(ports), ports=ports, journal=journal, clock=clock,
        entropy=SystemEntropy(), training_path=None,
    )  # fmt: skip
    return opened.counter


CASHIER_PIN, SUPERVISOR_PIN = "2580", "9417"


def hire_both(people: People) -> None:
    """A supervisor (1) and a cashier (2), who have chosen their PINs; with the salts of everybody
    else's, so that what is kept of the PINs is known already."""
    entropy = SeededEntropy()
    for name, role, pin in (
        ("王店长", Role.SUPERVISOR, SUPERVISOR_PIN), ("小李", Role.CASHIER, CASHIER_PIN),
    ):  # fmt: skip
        hire(
            people, entropy, name=name, role=role, pin=pin, step=PinStep.CHOOSE,
            by_name="owner",
        )  # fmt: skip
