"""A whole hub in the test's own process: real identities, TLS, sockets; and a fake backend."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from backend.identity.ca import CertificateAuthority, Holder
from hub.bootstrap import RunningHub, load_identity, running_hub
from hub.config import Settings
from protocol import cbor, cose, envelope
from protocol.crypto import sealing
from protocol.crypto.keys import SigningKey, generate
from protocol.crypto.tls_keys import TlsKey
from protocol.identity import Facts, Identity, pack_identity, read_identity
from protocol.introduction import Introduction
from protocol.tls import server_context
from tests.kit.foreign_tls import client_context
from tests.kit.hub_shop import HUB, STORE, Shop
from tests.kit.patience import PATIENCE_S
from tillway.demo.ports import lasting_port

PASSPHRASE = b"a passphrase for tests"
FIRMWARE_PIECE = 50_000
SLOW_S = 0.5
"""What a batch takes in the mode ``slow``."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Installation:
    """A CA and the identities it has issued, on disk."""

    root: Path
    shop: Shop = field(default_factory=Shop)

    def __post_init__(self) -> None:
        self.ca = CertificateAuthority.create("Test CA", now_ms=now_ms())
        self.backend = self.issue("backend", "backend", self.shop.backend_key, ("127.0.0.1",))
        self.hub = self.issue("hub", HUB, self.shop.hub_key, ("127.0.0.1",))

    def issue(self, kind: str, name: str, key: SigningKey, hosts: tuple[str, ...] = ()) -> Identity:
        tls_key = TlsKey()
        certificate = self.ca.issue(tls_key.request(), Holder(kind, name, hosts), now_ms=now_ms())
        others = self.shop.other_hubs.values()
        facts = Facts(
            name,
            kind,
            "" if kind == "backend" else STORE,
            backend_keys=(self.shop.backend_key.public,),
            hub_keys=tuple(key.public for key in (self.shop.hub_key, *others)),
            introduction=self._introduce(name, key) if kind == "hub" else b"",
        )
        files = pack_identity(
            facts,
            signing_key=sealing.seal(key, PASSPHRASE),
            tls_key=tls_key.seal(PASSPHRASE),
            chain=(certificate, self.ca.certificate_der),
        )
        directory = self.root / name / "identity"
        directory.mkdir(parents=True)
        for file, content in files.items():
            (directory / file).write_bytes(content)
            (directory / file).chmod(0o600)
        passphrase = directory.parent / "passphrase"
        passphrase.write_bytes(PASSPHRASE)
        passphrase.chmod(0o600)
        return read_identity(files, PASSPHRASE, directory)

    def _introduce(self, name: str, key: SigningKey) -> bytes:
        return Introduction(name, STORE, key.public).seal(self.shop.backend_key)

    def device_tls(self, tid: str) -> ssl.SSLContext:
        return client_context(self.issue("terminal", tid, self.shop.key_of(tid)).tls)


@dataclass
class FakeBackend:
    """Answers as told by ``mode``; remembers what it has carried out, once each."""

    shop: Shop
    mode: str = "good"
    carried_out: list[str] = field(default_factory=list)
    batches: int = 0
    batch_sizes: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    news: list[list[object]] = field(default_factory=list)
    peers: set[str] = field(default_factory=set)
    firmware: dict[str, bytes] = field(default_factory=dict)
    firmware_asked: list[int] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    """Hubs that it does not hear now."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """What it has not heard, in its order: the hub, and the device of each request."""
    holds: set[str] = field(default_factory=set)
    """Hubs that it hears and never answers; nothing is carried out."""
    delays: str = ""
    """A kind of request that waits for ``open``; others do not."""
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether such a one is, or was, waiting."""
    by_hub: dict[str, list[str]] = field(default_factory=dict)
    """The requests that came, by hub, each as often as it came."""
    port: int = field(default_factory=lasting_port)
    reports: list[Any] = field(default_factory=list)
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def push(self, kind: str, tid: str, content: object) -> None:
        self.news.append([len(self.news) + 1, kind, tid, content])
        self.changed.set()

    async def post_batch(self, request: web.Request) -> web.StreamResponse:
        self.batches += 1
        body = await request.read()
        await self._hold(body)
        if self.mode == "503":
            return web.json_response({"error": {"code": "internal"}}, status=503)
        if self.mode == "busy":
            return web.json_response({"error": {"code": "busy"}}, status=503)
        if self.mode == "slow":
            await asyncio.sleep(SLOW_S)
        if self.mode == "400":
            return web.json_response({"error": {"code": "field_invalid"}}, status=400)
        if self.mode == "garbage":
            return web.Response(body=b"\xff\x00 not cbor")
        opened = self.shop.open_batch(body)
        if opened.hub in self.holds:
            await asyncio.Event().wait()
        if opened.hub in self.refuses:
            requests = (envelope.unseal(item.envelope).envelope for item in opened.items)
            self.refused += [(opened.hub, one.device) for one in requests]
            return web.json_response({"error": {"code": "internal"}}, status=503)
        self.batch_sizes.append(len(opened.items))
        for item in opened.items:
            one = envelope.unseal(item.envelope).envelope
            self.by_hub.setdefault(opened.hub, []).append(one.request_id)
            if one.request_id not in self.carried_out:
                self.carried_out.append(one.request_id)
        self.committed.set()
        if self.mode == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        key = generate("ES256") if self.mode == "wrong_signature" else None
        return web.Response(body=cbor.encode(self.shop.answer_batch(body, key=key)))

    async def _hold(self, body: bytes) -> None:
        if self.delays:
            items = self.shop.open_batch(body).items
            kinds = {envelope.unseal(one.envelope).envelope.message_type for one in items}
            if self.delays in kinds:
                self.held.set()
                await self.open.wait()
        if self.mode == "delay":
            await self.open.wait()

    async def get_pushes(self, request: web.Request) -> web.Response:
        after = int(request.query["after"])
        if request.query["wait_s"] == "0":
            return web.Response(body=cbor.encode([]))
        while not [row for row in self.news if int(str(row[0])) > after]:
            self.changed.clear()
            await self.changed.wait()
        return web.Response(body=cbor.encode([r for r in self.news if int(str(r[0])) > after]))

    async def get_devices(self, request: web.Request) -> web.Response:
        table = {"version": 1, "store": STORE, "at_ms": now_ms(), "devices": self.rows}
        return web.Response(body=cose.sign1(self.shop.backend_key, cbor.encode(table)))

    async def get_firmware(self, request: web.Request) -> web.Response:
        self.firmware_asked.append(int(request.query["offset"]))
        data = self.firmware.get(request.match_info["digest"])
        if data is None or self.mode == "503":
            return web.json_response({}, status=503 if self.mode == "503" else 400)
        offset = int(request.query["offset"])
        return web.Response(body=data[offset : offset + FIRMWARE_PIECE])

    async def post_states(self, request: web.Request) -> web.Response:
        self.reports.append(cbor.decode(await request.read(), bytes_max=65536))
        return web.Response(status=204)

    @asynccontextmanager
    async def serving(self, identity: Identity) -> AsyncIterator["FakeBackend"]:
        app = web.Application()
        app.router.add_post("/hub/v1/batches", self.post_batch)
        app.router.add_get("/hub/v1/pushes", self.get_pushes)
        app.router.add_get("/hub/v1/devices", self.get_devices)
        app.router.add_post("/hub/v1/states", self.post_states)
        app.router.add_get("/hub/v1/firmware/{digest}", self.get_firmware)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=server_context(identity.tls))
        await site.start()
        assert runner.addresses
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()


@dataclass
class World:
    """Everything that runs in one test."""

    installation: Installation
    backend: FakeBackend
    settings: Settings
    hub: RunningHub

    @property
    def shop(self) -> Shop:
        return self.installation.shop

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.hub.ports['http']}"


def settings_of(installation: Installation, backend_port: int, **changed: Any) -> Settings:
    chosen: dict[str, Any] = {
        "state_dir": installation.root / HUB,
        "backend": {"url": f"https://127.0.0.1:{backend_port}"},
        "mqtt": {"port": 0},
        "coap": {"port": 0},
        "http": {"port": 0},
        "forward": {"unknown_after_ms": 400},
        "fault_control": True,
        **changed,
    }
    return Settings(**chosen)


@asynccontextmanager
async def running_world(
    root: Path, *tids: str, shop: Shop | None = None, **changed: Any
) -> AsyncIterator[World]:
    """A hub and its backend, with these devices enrolled."""
    installation = Installation(root, shop or Shop())
    async with installed_world(installation, *tids, **changed) as world:
        yield world


@asynccontextmanager
async def installed_world(
    installation: Installation, *tids: str, **changed: Any
) -> AsyncIterator[World]:
    """The same of an installation that others are part of, too."""
    shop = installation.shop
    backend = FakeBackend(shop, rows=[shop.row(tid) for tid in tids])
    async with backend.serving(installation.backend):
        settings = settings_of(installation, backend.port, **changed)
        async with running_hub(settings, load_identity(settings)) as hub:
            async with asyncio.timeout(PATIENCE_S):
                await hub.downlink.first_table.wait()
            yield World(installation, backend, settings, hub)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110  # any condition, also of another thread or process
            await asyncio.sleep(0.01)
