"""The hub as its own process: the ready line, a clean stop, a taken port, kill −9."""

import asyncio
import itertools
import json
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiocoap
import pytest

from protocol import answers
from tests.kit.command_line import tillway
from tests.kit.hub_shop import HUB
from tests.kit.hub_world import FakeBackend, Installation, now_ms, until
from tests.kit.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
CLI = "from hub.cli import app; app()"


@dataclass
class Process:
    process: asyncio.subprocess.Process
    ports: dict[str, int]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


def write_config(installation: Installation, backend_port: int, **extra: Any) -> Path:
    file = installation.root / "hub.toml"
    file.write_text(
        f'state_dir = "{installation.root / HUB}"\n'
        f'[backend]\nurl = "https://127.0.0.1:{backend_port}"\n'
        f"[mqtt]\nport = {extra.get('mqtt', 0)}\n[coap]\nport = {extra.get('coap', 0)}\n"
        f"[http]\nport = {extra.get('http', 0)}\n[forward]\nunknown_after_ms = 300\n"
    )
    return file


async def launch(config: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CLI,
        "run",
        "--config",
        str(config),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[Process]:
    process = await launch(config)
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = await process.stdout.readline()
        assert line, (await errors).decode()
        ready = json.loads(line)
        assert ready["ready"] is True
        yield Process(process, ready["ports"])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await errors


async def post(port: int, payload: bytes) -> answers.SealedAnswer:
    client = await aiocoap.Context.create_client_context(transports=["udp6"])
    try:
        request = aiocoap.Message(
            code=aiocoap.POST, uri=f"coap://127.0.0.1:{port}/p1/req", payload=payload
        )
        async with asyncio.timeout(PATIENCE_S):
            return answers.unseal((await client.request(request).response).payload)
    finally:
        await client.shutdown()


@pytest.mark.asyncio
async def test_the_ready_line_names_the_ports_and_sigterm_ends_cleanly(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    async with running(write_config(installation, 1)) as hub:
        assert set(hub.ports) == {"mqtt", "coap", "http"}
        spool = tmp_path / HUB / "spool.db"
        assert stat.S_IMODE(spool.stat().st_mode) & 0o077 == 0
        assert await hub.stop() == 0


@pytest.mark.asyncio
async def test_devices_that_are_gone_before_their_answer_make_the_hub_deaf_to_nobody(
    tmp_path: Path,
) -> None:
    get = b"\x41\x01\x00\x07t\xbb.well-known\x04core"  # confirmable, message 7, token t
    async with running(write_config(Installation(tmp_path), 1)) as hub:
        place = ("127.0.0.1", hub.ports["coap"])
        for _ in range(5):
            # The system tells the hub that nobody is at that port any more (ICMP).
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
                device.sendto(get, place)
            said = (await post(hub.ports["coap"], b"garbage")).answer.body
            assert said["error"]["code"] == "envelope_malformed"


@pytest.mark.asyncio
async def test_no_accepted_request_is_lost_by_kill_minus_nine(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    shop = installation.shop
    backend = FakeBackend(shop, rows=[shop.row("vend-1")])
    config = write_config(installation, 0)
    asked = []
    async with backend.serving(installation.backend):
        config = write_config(installation, backend.port)
        async with running(config) as hub:
            answer = await post(hub.ports["coap"], b"")
            assert answer.kid == shop.hub_key.kid
            counters = itertools.count()
            async with asyncio.timeout(PATIENCE_S):
                while answer.kid != shop.backend_key.kid:  # until the device table has arrived
                    wire = shop.envelope(
                        "vend-1", next(counters), transport="coap", sent_at_ms=now_ms()
                    )
                    answer = await post(hub.ports["coap"], wire)
            backend.mode = "503"
            for counter in itertools.islice(counters, 5):
                wire = shop.envelope("vend-1", counter, transport="coap", sent_at_ms=now_ms())
                unknown = (await post(hub.ports["coap"], wire)).verify(shop.hub_key.public)
                assert unknown.body["error"]["code"] == "backend_unreachable"
                asked.append(unknown.request_id)
            assert await hub.stop(signal.SIGKILL) == -signal.SIGKILL
        backend.mode = "good"
        backend.carried_out.clear()
        async with running(config) as hub:
            await until(lambda: len(backend.carried_out) == len(asked))
            assert backend.carried_out == asked, "all of them, in their order, once"
            replayed = await post(hub.ports["coap"], wire)
            assert replayed.answer.body["error"]["code"] == "envelope_replayed"
            assert await hub.stop() == 0


@pytest.mark.parametrize("name", ["mqtt", "coap", "http"])
def test_a_taken_port_ends_the_start_and_is_named(tmp_path: Path, name: str) -> None:
    kind = socket.SOCK_DGRAM if name == "coap" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        config = write_config(Installation(tmp_path), 1, **{name: port})
        ended = tillway("hub", "run", "--config", str(config))
    assert ended.returncode != 0
    assert "port_taken" in ended.stderr
    assert str(port) in ended.stderr
