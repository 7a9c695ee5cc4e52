"""Builds the hub, top to bottom, and takes it down again. The only place that knows concretes."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.adapters.backend import BackendClient
from hub.adapters.faults import LineFaults
from hub.adapters.system import SystemClock, SystemEntropy
from hub.coap.given_keys import KEYS_NAME, KeyBook
from hub.coap.rate import RateLimit
from hub.coap.server import CoapServer
from hub.config import Settings
from hub.domain.core import HubCore, Remembered
from hub.domain.forwarding import ForwardingLimits
from hub.downlink import Downlink
from hub.firmware.server import FirmwareServer
from hub.firmware.store import FIRMWARE_DIRECTORY, FirmwareStore
from hub.forwarder import Forwarder
from hub.line import BackendLine
from hub.metrics import HubCollector, Tally
from hub.mqtt.broker_line import BrokerSettings
from hub.mqtt.endpoint import EndpointSettings, MqttEndpoint
from hub.mqtt.external import ExternalBroker
from hub.ocpp.bootstrap import CentralSystem, OcppParts, start_central_system
from hub.shell import HubShell, ShellPorts
from hub.shell_limits import HTTP_CONNECTIONS_MAX, HTTP_STOP_S
from hub.spool.store import SpoolStore, open_connection
from hub.spool.writer import SpoolWriter
from hub.status import build_app
from hub.words import device_is_online, read_word, seal_state
from hub.workers import Workers
from protocol.errors import CallerError, OperatingError
from protocol.identity import ALL_FILE_NAMES, Identity, read_identity
from transport.contexts import ClientTls, ServerTls
from transport.web import WebServer

log = structlog.get_logger("hub")
_GC_THRESHOLDS = (50_000, 20, 50)
"""The tables of a busy hub make full collections slow (100 ms and more): have few of them."""


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub that serves."""

    ports: dict[str, int]
    core: HubCore
    shell: HubShell
    downlink: Downlink
    chargers: CentralSystem | None = None


def load_identity(settings: Settings) -> Identity:
    """Who this hub is, from its state directory."""
    directory = settings.state_dir / "identity"
    files = {
        name: (directory / name).read_bytes()
        for name in ALL_FILE_NAMES
        if (directory / name).is_file()
    }
    identity = read_identity(files, settings.passphrase(), directory)
    if identity.facts.kind != "hub":
        raise CallerError("config_invalid", f"identity of a {identity.facts.kind}, not of a hub")
    return identity


@asynccontextmanager
async def running_hub(settings: Settings, identity: Identity) -> AsyncIterator[RunningHub]:
    """Serve inside the block; everything is closed after it, in the opposite order."""
    async with AsyncExitStack() as stack:
        yield await _Building(settings, identity, stack).build()


class _Building:
    """The parts that several steps share, while the hub is put together."""

    def __init__(self, settings: Settings, identity: Identity, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._identity = identity
        self._tls = identity.tls_of(settings.tls_profile)
        self._stack = stack
        self._clock = SystemClock()
        self._entropy = SystemEntropy()
        self._tally = Tally()
        self._registry = CollectorRegistry()
        text = "Connections that a listener for chargers or of firmware had no place for"
        labels = ["door", "why"]
        self._refused = Counter("tillway_hub_http_refused", text, labels, registry=self._registry)
        self._faults = LineFaults() if settings.fault_control else None
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="hub-worker")
        stack.callback(self._threads.shutdown)
        self._workers = Workers(self._threads)

    def _web_server(self) -> WebServer:
        http = self._settings.http
        return WebServer(
            host=http.host,
            port=http.port,
            connections_max=HTTP_CONNECTIONS_MAX,
            stop_s=HTTP_STOP_S,
        )

    async def build(self) -> RunningHub:
        """Ports first (a taken one ends the start), then spool, core, shell, lines, loops."""
        settings = self._settings
        status = self._web_server()
        self._stack.push_async_callback(status.stop)
        coap = self._coap()
        store, remembered = self._open_spool()
        core = HubCore(
            store=self._identity.store,
            clock=self._clock,
            entropy=self._entropy,
            remembered=remembered,
            limits=self._limits(),
            floor=settings.offline.rules(),
        )
        line = BackendClient(
            settings.backend.url, ClientTls(self._tls), clock=self._clock, faults=self._faults
        )
        self._stack.push_async_callback(line.close)
        holder: list[HubShell] = []
        writer = SpoolWriter(store)
        mqtt = self._mqtt(core, holder)
        shell = HubShell(
            ShellPorts(
                core=core,
                writer=writer,
                forwarder=self._forwarder(line),
                workers=self._workers,
                signing_key=self._identity.signing_key,
                introduction=self._identity.facts.introduction,
                clock=self._clock,
                tally=self._tally,
                mqtt=mqtt,
                coap=coap,
            )
        )
        holder.append(shell)
        writer.start(shell.report_group)
        self._stack.callback(writer.stop)
        self._stack.push_async_callback(shell.stop)
        ports = {"http": status.port}
        if coap is not None:
            await coap.start(shell.exchange, shell.on_observer)
            ports["coap"] = coap.port
        downlink = self._downlink(core, shell, line, mqtt)
        if mqtt is not None:
            self._stack.push_async_callback(mqtt.stop)
            if isinstance(mqtt, ExternalBroker):
                mqtt.begin(shell.on_publish)
            else:
                await mqtt.start(shell.on_publish)
            ports["mqtt"] = mqtt.port if isinstance(mqtt, MqttEndpoint) else settings.mqtt.port
        shell.start()
        self._run(downlink)
        chargers = await self._chargers(core, shell)
        if chargers is not None:
            ports["ocpp"] = chargers.port
            downlink.chargers = chargers.dialled_in
        files = await self._firmware(core, line, ports)
        await self._status(status, core, writer, line, mqtt, downlink, chargers, files)
        if isinstance(mqtt, ExternalBroker):
            # Without its broker the hub still forwards what it has accepted and serves CoAP.
            await mqtt.wait_linked()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        log.info("hub_started", hub=self._identity.name, epoch=core.epoch, **ports)
        return RunningHub(ports, core, shell, downlink, chargers)

    def _open_spool(self) -> tuple[SpoolStore, Remembered]:
        directory: Path = self._settings.state_dir
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            store = SpoolStore(open_connection(directory / "spool.db"))
            return store, store.begin_epoch(store=self._identity.store)
        except sqlite3.OperationalError as error:
            raise OperatingError("spool_unwritable", str(error)) from None

    def _limits(self) -> ForwardingLimits:
        settings = self._settings
        return ForwardingLimits(
            batches_in_flight_max=settings.forward.batches_in_flight_max,
            unknown_after_ms=settings.forward.unknown_after_ms,
            rows_max=settings.spool.rows_max,
            bytes_max=settings.spool.bytes_max,
        )

    def _coap(self) -> CoapServer | None:
        settings = self._settings
        if not settings.coap.enabled:
            return None
        server = CoapServer(
            host=settings.coap.host,
            port=settings.coap.port,
            clock=self._clock,
            tally=self._tally,
            rate=RateLimit(
                per_s=settings.coap.requests_per_s_max,
                total_per_s=settings.coap.requests_per_s_total_max,
            ),
            unknown_after_ms=settings.forward.unknown_after_ms,
            given=self._given_keys() if settings.coap.security == "oscore" else None,
        )
        self._stack.push_async_callback(server.stop)
        return server

    def _given_keys(self) -> KeyBook:
        settings = self._settings
        try:
            keys = KeyBook(settings.state_dir / KEYS_NAME, settings.passphrase)
        except sqlite3.OperationalError as error:
            raise OperatingError("spool_unwritable", str(error)) from None
        self._stack.callback(keys.close)
        return keys

    def _mqtt(self, core: HubCore, holder: list[HubShell]) -> MqttEndpoint | ExternalBroker | None:
        section, identity = self._settings.mqtt, self._identity

        def on_presence(tid: str, is_there: bool) -> None:  # the port's shape
            holder[0].on_presence(tid, is_there)

        if section.mode == "off":
            return None
        if section.mode == "external":
            return ExternalBroker(
                BrokerSettings(
                    store=identity.store,
                    hub_id=identity.name,
                    host=section.host,
                    port=section.port,
                    tls=ClientTls(self._tls),
                    own_kid=identity.signing_key.public.kid,
                    hub_will=self._will(core),
                ),
                admits=core.registry.admits,
                is_online=device_is_online,
                read_word=read_word,
                on_presence=on_presence,
                registry=self._registry,
            )
        return MqttEndpoint(
            EndpointSettings(
                store=identity.store,
                host=section.host,
                port=section.port,
                tls=ServerTls(self._tls),
            ),
            admits=core.registry.admits,
            on_presence=on_presence,
            registry=self._registry,
        )

    def _will(self, core: HubCore) -> bytes:
        identity, now_ms = self._identity, self._clock.now_ms()
        return seal_state(
            "offline",
            now_ms,
            store=core.store,
            epoch=core.epoch,
            key=identity.signing_key,
            is_will=True,
            introduction=identity.facts.introduction,
        )

    def _forwarder(self, line: BackendLine) -> Forwarder:
        return Forwarder(
            hub_id=self._identity.name,
            line=line,
            signing_key=self._identity.signing_key,
            backend_key=self._identity.backend_key,
            clock=self._clock,
            entropy=self._entropy,
            workers=self._workers,
        )

    def _downlink(
        self,
        core: HubCore,
        shell: HubShell,
        line: BackendLine,
        mqtt: MqttEndpoint | ExternalBroker | None,
    ) -> Downlink:
        return Downlink(
            core=core,
            shell=shell,
            line=line,
            backend_key=self._identity.backend_key,
            workers=self._threads,
            clock=self._clock,
            entropy=self._entropy,
            connected=mqtt.connected if mqtt is not None else None,
        )

    async def _firmware(
        self, core: HubCore, line: BackendClient, ports: dict[str, int]
    ) -> FirmwareStore | None:
        section = self._settings.firmware
        if not section.enabled:
            return None
        files = FirmwareStore(self._settings.state_dir / FIRMWARE_DIRECTORY, line)
        server = FirmwareServer(
            files,
            admits=core.registry.admits,
            host=section.host,
            port=section.port,
            tls=ServerTls(self._tls),
            refused=self._count_refused,
        )
        await server.start()
        self._stack.push_async_callback(server.stop)
        ports["firmware"] = server.port
        return files

    async def _chargers(self, core: HubCore, shell: HubShell) -> CentralSystem | None:
        if not self._settings.ocpp.chargers:
            return None
        parts = OcppParts(
            identity=self._identity,
            state_dir=self._settings.state_dir,
            exchange=shell.exchange_local,
            attach=shell.attach,
            registry=core.registry,
            boot_epoch=core.epoch,
            clock=self._clock,
            entropy=self._entropy,
            refused=self._count_refused,
        )
        return await start_central_system(self._settings.ocpp, parts, self._stack)

    def _count_refused(self, door: str, why: str) -> None:
        self._refused.labels(door, why).inc()

    def _run(self, downlink: Downlink) -> None:
        task = asyncio.create_task(downlink.run(), name="hub-downlink")

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(stop)

    async def _status(
        self,
        status: WebServer,
        core: HubCore,
        writer: SpoolWriter,
        line: BackendClient,
        mqtt: MqttEndpoint | ExternalBroker | None,
        downlink: Downlink,
        chargers: CentralSystem | None,
        files: FirmwareStore | None,
    ) -> None:
        collector = HubCollector(
            core, writer, self._tally, self._clock.now_ms, lambda: line.clock_ahead_s
        )
        self._registry.register(collector)
        if chargers is not None:
            text = "Messages of chargers that nobody could read, kept for a person"
            kept = Gauge("tillway_hub_charger_unread", text, registry=self._registry)
            kept.set_function(lambda: chargers.book.unread)
        if files is not None:
            text = "Firmware files found damaged since the start"
            found = Gauge("tillway_hub_firmware_damaged", text, registry=self._registry)
            found.set_function(lambda: files.damaged)

        def numbers() -> dict[str, int | str]:
            there = len(mqtt.connected()) if mqtt is not None else 0
            unread = {} if chargers is None else {"charger_unread": chargers.book.unread}
            damaged = {} if files is None else {"firmware_damaged": files.damaged}
            return {**collector.numbers(), "connected": there, **unread, **damaged}

        app = build_app(
            numbers=numbers,
            is_ready=lambda: (
                (len(core.registry) > 0 or downlink.first_table.is_set())
                and writer.is_writable
                and _is_linked(mqtt)
            ),
            registry=self._registry,
            faults=self._faults,
            passages=core.passages,
            chargers=chargers,
        )
        await status.start(app)


def _is_linked(mqtt: MqttEndpoint | ExternalBroker | None) -> bool:
    return mqtt.is_linked if isinstance(mqtt, ExternalBroker) else True
