"""Goal: the drivers and their dummy twins keep one contract.

Method: the same tests run against each; the drivers talk to the simulated board over ptys.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import qrcode

from firmware_sim.board_file import board_with
from firmware_sim.hosting import HostedBoard
from protocol.errors import OperatingError, TillwayError
from protocol.framing import escpos
from terminal.adapters.dummy import DummyFingerprintSensor, DummyPrinter, DummyScanner
from terminal.adapters.ef01_fingerprint import Ef01FingerprintSensor
from terminal.adapters.escpos_printer import EscPosSerialPrinter
from terminal.adapters.gm65_scanner import Gm65Scanner
from terminal.adapters.pn532_reader import Pn532Reader
from terminal.ports import CodeScanner, FingerprintSensor, ReceiptPrinter
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S

CODE = "134567890123456789"
RECEIPT = escpos.INIT + escpos.line("收据 receipt") + escpos.CUT_PARTIAL


@dataclass(frozen=True, slots=True)
class CodeRig:
    """What reads codes, and the hand that holds one to it."""

    scanner: Callable[[], CodeScanner]
    show: Callable[[str], object]
    is_scanning: Callable[[], bool]
    is_free: Callable[[], bool]
    """Nothing reads any more for a scan given up."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A set of peripherals and the hands that move them."""

    printer: Callable[[], ReceiptPrinter]
    sensor: Callable[[], FingerprintSensor]
    place: Callable[[str], object]
    end_paper: Callable[[], object]
    open_cover: Callable[[], object]
    receipts: Callable[[], object]


def picture_of(code: str) -> bytes:
    """A QR code as PNG."""
    stream = io.BytesIO()
    qrcode.make(code).save(stream)
    return stream.getvalue()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.sleep(0)
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - another loop's state
            await asyncio.sleep(0.02)


def _dummy_rig(opened: Opened) -> Rig:
    printer = DummyPrinter()
    sensor = DummyFingerprintSensor({"alice": 1})

    def open_cover() -> None:
        printer.is_cover_open = True

    def end_paper() -> None:
        printer.paper = "end"

    return Rig(
        printer=lambda: opened(printer), sensor=lambda: opened(sensor),
        place=sensor.place, end_paper=end_paper, open_cover=open_cover,
        receipts=lambda: len(printer.receipts),
    )  # fmt: skip


def _serial_rig(hosted: HostedBoard, opened: Opened) -> Rig:
    paths = hosted.paths
    return Rig(
        printer=lambda: opened(EscPosSerialPrinter(paths["printer"])),
        sensor=lambda: opened(Ef01FingerprintSensor(paths["fingerprint"])),
        place=lambda finger: hosted.do("fingerprint", "place", finger=finger),
        end_paper=lambda: hosted.do("printer", "load_paper", millimetres=0),
        open_cover=lambda: hosted.do("printer", "open_cover"),
        receipts=lambda: hosted.state("printer")["receipts_cut"],
    )


_READERS: dict[str, tuple[type[Gm65Scanner | Pn532Reader], str, bool]] = {
    "gm65": (Gm65Scanner, "is_reading", True),
    "pn532": (Pn532Reader, "is_field_on", False),
}
"""The driver, what tells that it reads, and whether that ends with a scan given up."""


@pytest_asyncio.fixture(params=["dummy", *_READERS])
async def codes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CodeRig]:
    """Each kind of reader of codes in turn: scanned, or tapped."""
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(Opened())
        if request.param == "dummy":
            dummy = DummyScanner()
            yield CodeRig(lambda: opened(dummy), dummy.show, lambda: True, lambda: True)
            return
        driver, busy, stops = _READERS[request.param]
        file = board_with(request.param, device="reader")
        hosted = stack.enter_context(HostedBoard(file, state_dir=tmp_path))
        yield CodeRig(
            scanner=lambda: opened(driver(hosted.paths["reader"])),
            show=lambda code: hosted.do("reader", "present", text=code),
            is_scanning=lambda: bool(hosted.state("reader")[busy]),
            is_free=lambda: not (stops and hosted.state("reader")[busy]),
        )


@pytest_asyncio.fixture(params=["dummy", "serial"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """Each kind of peripherals in turn."""
    async with AsyncExitStack() as stack:
        if request.param == "dummy":
            yield _dummy_rig(await stack.enter_async_context(Opened()))
        else:
            hosted = stack.enter_context(HostedBoard("pos", state_dir=tmp_path))
            yield _serial_rig(hosted, await stack.enter_async_context(Opened()))


@pytest.mark.asyncio
async def test_a_code_shown_is_scanned(codes: CodeRig) -> None:
    scanner = codes.scanner()
    await asyncio.to_thread(codes.show, CODE)
    assert await scanner.scan(5) == CODE


@pytest.mark.asyncio
async def test_a_code_shown_while_waiting_is_scanned_and_the_loop_stays_free(
    codes: CodeRig,
) -> None:
    scanner = codes.scanner()
    scan = asyncio.create_task(scanner.scan(5))
    await _until(codes.is_scanning)  # never comes if the driver blocks the loop
    assert not scan.done()
    await asyncio.to_thread(codes.show, CODE)
    assert await scan == CODE


@pytest.mark.asyncio
async def test_no_code_is_scan_timeout_and_the_next_scan_works(codes: CodeRig) -> None:
    scanner = codes.scanner()
    with pytest.raises(TillwayError, match="scan_timeout"):
        await scanner.scan(0.3)
    await asyncio.to_thread(codes.show, CODE)
    assert await scanner.scan(5) == CODE


@pytest.mark.asyncio
async def test_a_scan_given_up_leaves_the_scanner_free(codes: CodeRig) -> None:
    scanner = codes.scanner()
    scan = asyncio.create_task(scanner.scan(20))
    await _until(codes.is_scanning)
    scan.cancel()
    with pytest.raises(asyncio.CancelledError):
        await scan
    await _until(codes.is_free)  # what is shown before still belongs to the scan given up
    await asyncio.to_thread(codes.show, CODE)
    assert await scanner.scan(5) == CODE


@pytest.mark.asyncio
async def test_a_receipt_is_printed_when_print_returns(rig: Rig) -> None:
    printer = rig.printer()
    await printer.print(RECEIPT)
    await printer.print(RECEIPT)
    assert await asyncio.to_thread(rig.receipts) == 2


@pytest.mark.asyncio
async def test_a_ready_printer_says_so(rig: Rig) -> None:
    printer = rig.printer()
    status = await printer.status()
    assert (status.is_online, status.paper, status.is_cover_open) == (True, "adequate", False)


@pytest.mark.asyncio
async def test_no_paper_is_said_and_nothing_is_printed(rig: Rig) -> None:
    printer = rig.printer()
    await asyncio.to_thread(rig.end_paper)
    with pytest.raises(OperatingError, match="printer_paper_end"):
        await printer.print(RECEIPT)
    assert (await printer.status()).paper == "end"
    assert await asyncio.to_thread(rig.receipts) == 0


@pytest.mark.asyncio
async def test_an_open_cover_is_said(rig: Rig) -> None:
    printer = rig.printer()
    await asyncio.to_thread(rig.open_cover)
    with pytest.raises(OperatingError, match="printer_cover_open"):
        await printer.print(RECEIPT)


@pytest.mark.asyncio
async def test_the_drawer_opens(rig: Rig) -> None:
    printer = rig.printer()
    await printer.open_drawer()
    assert (await printer.status()).is_drawer_open


@pytest.mark.asyncio
async def test_an_enrolled_finger_matches_its_slot(rig: Rig) -> None:
    sensor = rig.sensor()
    await asyncio.to_thread(rig.place, "alice")
    match = await sensor.identify(5)
    assert match is not None
    assert match.slot == 1
    assert match.score > 0


@pytest.mark.asyncio
async def test_a_strange_finger_is_no_match(rig: Rig) -> None:
    sensor = rig.sensor()
    await asyncio.to_thread(rig.place, "mallory")
    assert await sensor.identify(5) is None


@pytest.mark.asyncio
async def test_no_finger_is_finger_timeout(rig: Rig) -> None:
    sensor = rig.sensor()
    with pytest.raises(TillwayError, match="finger_timeout"):
        await sensor.identify(0.3)
