"""Builds the terminal, top to bottom, and takes it down again. The only place that knows
concretes.
"""

import asyncio
import fcntl
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from protocol.errors import CallerError, OperatingError
from protocol.identity import ALL_FILE_NAMES, ElementKey, Identity, read_identity
from protocol.topics import reply_address
from protocol.trust import Trust
from terminal.adapters.coap_link import CoapLink, CoapPlace
from terminal.adapters.customer_display import SerialCustomerDisplay
from terminal.adapters.device_reader import WholeReader
from terminal.adapters.ef01_fingerprint import Ef01FingerprintSensor
from terminal.adapters.escpos_printer import EscPosSerialPrinter
from terminal.adapters.firmware_download import FirmwareDownload
from terminal.adapters.first_code import FirstCode
from terminal.adapters.gm65_scanner import Gm65Scanner
from terminal.adapters.host_reader import HostReader
from terminal.adapters.measuring_reader import MeasuringReader
from terminal.adapters.mqtt_link import MqttLink, MqttPlace
from terminal.adapters.pn532_reader import Pn532Reader
from terminal.adapters.secure_element import ElementDeviceKey, SerialSecureElement
from terminal.adapters.signing_link import SigningLink
from terminal.adapters.simulated_reader import SimulatedReader
from terminal.adapters.smp_board import SmpSerialBoard
from terminal.adapters.ssi_scanner import SsiScanner
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.adapters.telium_pinpad import TeliumPinPad
from terminal.agent import Agent
from terminal.config import Settings
from terminal.counter.diagnostics import Diagnostics
from terminal.counter.opening import open_counter
from terminal.counter.tending import JOURNAL_FILE
from terminal.customer_screen import CustomerScreen
from terminal.journal.store import Journal
from terminal.limits import HTTP_CONNECTIONS_MAX, STOP_WAIT_S
from terminal.machine_sales import MachineSales
from terminal.machines import Machine, machine_of
from terminal.ports import CodeScanner, DeviceReader, Dispenser
from terminal.profile import Good, Profile
from terminal.shell import Shell, ShellPorts
from terminal.slip import receipt_bytes
from terminal.upkeep import SOFTWARE
from terminal.uplink import UplinkPort
from terminal.web.access import TOKEN_FILE, Access, control_token
from terminal.web.app import build_app
from terminal.web.pictures import write_png
from transport.contexts import ClientTls
from transport.web import WebServer

log = structlog.get_logger("terminal")
_SCANNERS: dict[str, type[Gm65Scanner | SsiScanner]] = {"gm65": Gm65Scanner, "ssi": SsiScanner}
_KINDS = {"till": "terminal", "vending": "thing", "parking": "thing", "meter": "thing"}
QR_FILE = "qr.png"


@dataclass(frozen=True, slots=True)
class RunningTerminal:
    """A terminal that serves. ``failed`` is done if a shell ended by itself: its disk is full,
    or that is a bug."""

    ports: dict[str, int]
    token_file: str
    shell: Shell
    agent: Agent
    failed: "asyncio.Task[None]"


def load_identity(settings: Settings) -> Identity:
    """Who this terminal is, from its state directory."""
    directory = settings.state_dir / "identity"
    files = {
        name: (directory / name).read_bytes()
        for name in ALL_FILE_NAMES
        if (directory / name).is_file()
    }
    identity = read_identity(files, settings.passphrase(), directory)
    if identity.facts.kind != _KINDS[settings.profile]:
        wanted = _KINDS[settings.profile]
        raise CallerError("config_invalid", f"identity of a {identity.facts.kind}, not a {wanted}")
    return identity


def profile_of(settings: Settings, identity: Identity) -> Profile:
    """The agent's view of the settings."""
    sale, merchant = settings.sale, settings.merchant
    vending = settings.vending if settings.profile == "vending" else None
    meter = settings.meter if settings.profile == "meter" else None
    machine = vending or meter or (settings.parking if settings.profile == "parking" else None)
    payer = vending or meter
    return Profile(
        kind=settings.profile,
        tid=identity.name,
        store=identity.store,
        merchant_id=merchant.id,
        merchant_zh=merchant.zh,
        merchant_en=merchant.en,
        till=merchant.till,
        currency=merchant.currency,
        reply_to=reply_address(identity.store, identity.name, settings.hub.transport),
        methods=machine.methods if machine is not None else sale.methods,
        hub_count=max(1 + len(settings.hub.others), len(identity.facts.hub_keys)),
        amount_minor_max=sale.amount_minor_max,
        biometric_above_minor=None if machine is not None else sale.biometric_above_minor,
        biometric_methods=frozenset(sale.biometric_methods),
        is_attended=sale.attended and machine is None,
        mandate_id=payer.mandate_id if payer is not None else None,
        gives_once=settings.profile in {"parking", "meter"},
        items=vending.for_sale() if vending is not None else (),
        scan_table=settings.scan.table(),
        goods={good.code: Good(**good.model_dump()) for good in settings.goods},
        answers_kept_days=settings.answers_kept_days,
    )


@asynccontextmanager
async def running_terminal(
    settings: Settings, identity: Identity
) -> AsyncIterator[RunningTerminal]:
    """Serve inside the block; everything is closed after it, in the opposite order."""
    async with AsyncExitStack() as stack:
        yield await _build(settings, identity, stack)


def web_server(settings: Settings) -> WebServer:
    """Where a terminal's pages are; not started."""
    return WebServer(
        host=settings.http.host,
        port=settings.http.port,
        connections_max=HTTP_CONNECTIONS_MAX,
        stop_s=STOP_WAIT_S,
    )


async def _build(settings: Settings, identity: Identity, stack: AsyncExitStack) -> RunningTerminal:
    """The port first (a taken one ends the start), then journal, agent, devices, link, pages."""
    http = web_server(settings)
    stack.push_async_callback(http.stop)
    _own_state(settings, stack)
    clock = SystemClock()
    journal = Journal(settings.state_dir / JOURNAL_FILE, tid=identity.name, now_ms=clock.now_ms())
    stack.callback(journal.close)
    trust = Trust(
        tid=identity.name,
        store=identity.store,
        backend=identity.facts.backend_keys,
        hubs=identity.facts.hub_keys,
    )
    agent = Agent(
        profile=profile_of(settings, identity),
        key=identity.public if isinstance(identity.key, ElementKey) else identity.key,
        trust=trust,
        journal=journal,
        clock=clock,
        entropy=SystemEntropy(),
        has_reader=settings.reading.source != "off",
        has_board=settings.devices.controller is not None,
    )
    link = _signed(settings, identity, _link(settings, identity, journal.boot_epoch, trust), stack)
    reader = _reader(settings, identity, journal.boot_epoch)
    machine = machine_of(settings, agent.profile, stack)
    ports = _ports(
        settings,
        identity,
        stack,
        agent=agent,
        link=link,
        clock=clock,
        reader=reader,
        dispenser=machine.dispenser if machine is not None else None,
    )
    shell = Shell(ports)
    opened = open_counter(
        shell=shell,
        ports=ports,
        journal=journal,
        clock=clock,
        entropy=SystemEntropy(),
        training_path=settings.state_dir / "training.db",
    )
    stack.callback(opened.training_journal.close)
    for station in (opened.counter.real, opened.counter.training):
        stack.push_async_callback(station.cards.aclose)
    training = opened.counter.training.shell
    practising = asyncio.get_running_loop().create_task(training.run(), name="terminal-training")
    stack.push_async_callback(_cancelled, practising)
    task = asyncio.get_running_loop().create_task(shell.run(), name="terminal-shell")
    stack.push_async_callback(_cancelled, task)
    pictures = asyncio.get_running_loop().create_task(_keep_picture(settings, shell))
    stack.push_async_callback(_cancelled, pictures)
    _show_customer(settings, shell, stack)
    _sell(machine, shell, stack)
    access = Access(control_token(settings.state_dir), tid=identity.name)
    await http.start(build_app(opened.counter, Diagnostics(ports), access))
    stack.push_async_callback(http.stop)
    stack.callback(shell.end_streams)
    stack.callback(training.end_streams)
    log.info("terminal_started", device=identity.name, epoch=journal.boot_epoch, http=http.port)
    token_file = str(settings.state_dir / TOKEN_FILE)
    failed = asyncio.get_running_loop().create_task(_first_over(task, practising))
    stack.push_async_callback(_cancelled, failed)
    return RunningTerminal({"http": http.port}, token_file, shell, agent, failed)


def _sell(machine: Machine | None, shell: Shell, stack: AsyncExitStack) -> None:
    """Sell what people select at the machine's own keys."""
    if machine is None or machine.source is None:
        return
    sales = MachineSales(machine.source, machine.wishes_of, shell, shell.now_ms, machine.sale_s)
    selling = asyncio.get_running_loop().create_task(sales.run(), name="terminal-machine")
    stack.push_async_callback(_cancelled, selling)


def _own_state(settings: Settings, stack: AsyncExitStack) -> None:
    """One process per state directory: two would give out the same counters."""
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = stack.enter_context((settings.state_dir / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OperatingError(
            "config_invalid", f"{settings.state_dir} is in use by another terminal"
        ) from None


def _link(settings: Settings, identity: Identity, boot_epoch: int, trust: Trust) -> UplinkPort:
    hub = settings.hub
    others = tuple((other.host, other.port) for other in hub.others)
    if hub.transport == "coap":
        key = trust.hub_edhoc_key if hub.coap_security == "oscore" else None
        return CoapLink(
            CoapPlace(host=hub.host, port=hub.port, tid=identity.name, others=others, hub_key=key)
        )
    return MqttLink(
        MqttPlace(
            host=hub.host,
            port=hub.port,
            tid=identity.name,
            store=identity.store,
            boot_epoch=boot_epoch,
            software=SOFTWARE,
            others=others,
            tls=ClientTls(identity.tls_of(settings.tls_profile)),
        )
    )


def _signed(
    settings: Settings, identity: Identity, link: UplinkPort, stack: AsyncExitStack
) -> UplinkPort:
    """The link, through a secure element where one holds the terminal's key."""
    if not isinstance(identity.key, ElementKey):
        return link
    port = settings.devices.secure_element
    if port is None:
        raise CallerError("config_invalid", "devices.secure_element: it holds this terminal's key")
    key = ElementDeviceKey(
        SerialSecureElement(port, pin=settings.element_pin()),
        slot=identity.key.slot,
        public=identity.key.public,
    )
    stack.push_async_callback(key.aclose)
    return SigningLink(link, key)


def _ports(
    settings: Settings,
    identity: Identity,
    stack: AsyncExitStack,
    *,
    agent: Agent,
    link: UplinkPort,
    clock: SystemClock,
    reader: DeviceReader | None,
    dispenser: Dispenser | None,
) -> ShellPorts:
    devices = settings.devices
    scanners: list[CodeScanner] = []
    printer = sensor = None
    if devices.scanner is not None:
        scanners.append(_SCANNERS[devices.scanner_kind](devices.scanner, baud=devices.scanner_baud))
    if devices.reader is not None:
        scanners.append(Pn532Reader(devices.reader, baud=devices.reader_baud))
    for scanner in scanners:
        stack.push_async_callback(scanner.aclose)
    if devices.printer is not None:
        printer = EscPosSerialPrinter(
            devices.printer, baud=devices.printer_baud, flow=devices.printer_flow
        )
        stack.push_async_callback(printer.aclose)
    if devices.fingerprint is not None:
        sensor = Ef01FingerprintSensor(
            devices.fingerprint,
            baud=devices.fingerprint_baud,
            password=devices.fingerprint_password,
            address=devices.fingerprint_address,
        )
        stack.push_async_callback(sensor.aclose)
    pinpad = None
    if devices.pinpad is not None:
        pinpad = TeliumPinPad(devices.pinpad, baud=devices.pinpad_baud, pos=devices.pinpad_pos)
        stack.push_async_callback(pinpad.aclose)
    board = firmware = None
    if devices.controller is not None:
        board = SmpSerialBoard(devices.controller)
        stack.push_async_callback(board.aclose)
        firmware = FirmwareDownload(
            settings.state_dir / "firmware",
            host=settings.hub.host,
            port=settings.hub.firmware_port,
            tls=ClientTls(identity.tls_of(settings.tls_profile)),
        )
    render: Callable[[Mapping[str, Any]], bytes] = partial(
        receipt_bytes, width_mm=devices.paper_width_mm
    )
    return ShellPorts(
        agent=agent,
        link=link,
        clock=clock,
        render=render,
        scanner=_one_of(scanners),
        printer=printer,
        sensor=sensor,
        pinpad=pinpad,
        dispenser=dispenser,
        reader=reader,
        board=board,
        firmware=firmware,
    )


def _one_of(scanners: Sequence[CodeScanner]) -> CodeScanner | None:
    if len(scanners) > 1:
        return FirstCode(scanners)
    return scanners[0] if scanners else None


def _reader(settings: Settings, identity: Identity, boot_epoch: int) -> DeviceReader | None:
    """The reader of this terminal's attributes. Its key and number of starts are known already."""
    if settings.reading.source == "off":
        return None
    sources: list[DeviceReader] = [SimulatedReader(identity.name, SystemEntropy())]
    if settings.reading.source == "host":
        ports = settings.devices
        sources = [HostReader(scanner=ports.scanner, printer=ports.printer), MeasuringReader()]
    key = hashlib.sha256(identity.public.public).hexdigest()[:32]
    return WholeReader(sources, lambda: {"tls_key_hash": key, "boot_count": boot_epoch})


def _show_customer(settings: Settings, shell: Shell, stack: AsyncExitStack) -> None:
    """The payer's display, if there is one, follows the screen."""
    wanted = settings.customer_display
    if wanted.port is None:
        return
    display = SerialCustomerDisplay(wanted.port, wanted.kind, baud=wanted.baud)
    stack.push_async_callback(display.aclose)
    screen = CustomerScreen(display, name=settings.merchant.en)
    task = asyncio.get_running_loop().create_task(screen.run(shell.screens(after=0)))
    stack.push_async_callback(_cancelled, task)


async def _keep_picture(settings: Settings, shell: Shell) -> None:
    """Keep the QR code that is shown as a file, for tests and demos that have no screen."""
    path = settings.state_dir / QR_FILE
    shown: str | None = None
    await asyncio.to_thread(_write_picture, path, None)
    async for _, screen in shell.screens(after=0):
        if screen.code_url != shown:
            shown = screen.code_url
            await asyncio.to_thread(_write_picture, path, shown)


def _write_picture(path: Path, shown: str | None) -> None:
    try:
        write_png(path, shown)
    except OSError as error:
        log.warning("picture_unwritable", path=str(path), why=error.strerror)


async def _first_over(*tasks: "asyncio.Task[None]") -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        await one


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
