"""Goal: a bad line gives a clear error in stated time, and the driver works again after it.

Method: the simulated board over ptys, one fault of ``firmware_sim.faults`` at a time. Third-party
drivers hang, believe damaged data or take silence for paper here; ours must not.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from firmware_sim.faults import Fault, FaultKind
from firmware_sim.hosting import HostedBoard
from protocol.errors import OperatingError
from protocol.framing import escpos
from terminal.adapters.ef01_fingerprint import Ef01FingerprintSensor
from terminal.adapters.escpos_printer import EscPosSerialPrinter
from terminal.adapters.gm65_scanner import Gm65Scanner
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S
from tests.kit.stopwatch import Stopwatch

CODE = "134567890123456789"
RECEIPT = escpos.INIT + escpos.line("收据") * 20 + escpos.CUT_PARTIAL
DAMAGING = [
    Fault(FaultKind.DROP, at=0, repeat=True),
    Fault(FaultKind.FLIP, at=0, repeat=True),
    Fault(FaultKind.NOISE, repeat=True),
]
STATUS_REPLIES_BEFORE_A_RECEIPT = 2
SLOW = Fault(FaultKind.SLOW, slow_byte_ms=50)
SILENT = Fault(FaultKind.SILENT)


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """A POS board on ptys."""
    with HostedBoard("pos", state_dir=tmp_path) as board:
        yield board


def _show(hosted: HostedBoard) -> None:
    hosted.do("scanner", "present", text=CODE)


async def _set(hosted: HostedBoard, device: str, fault: Fault) -> None:
    await asyncio.to_thread(hosted.set_fault, device, fault)


async def _until_reading(hosted: HostedBoard) -> None:
    """Until the scanner is triggered: configuration and acknowledgements are over."""
    await _until(lambda: hosted.state("scanner")["is_reading"])
    # the acknowledgement leaves 5 ms later
    await _until(lambda: hosted.call(lambda board: board.link("scanner").is_idle))


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - another loop's state
            await asyncio.sleep(0.02)


async def _place(hosted: HostedBoard, finger: str) -> None:
    await asyncio.to_thread(partial(hosted.do, "fingerprint", "place", finger=finger))


# -- scanner -----------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_silent_scanner_is_no_reply_within_three_seconds(
    hosted: HostedBoard, opened: Opened
) -> None:
    scanner = opened(Gm65Scanner(hosted.paths["scanner"]))
    await _set(hosted, "scanner", SILENT)
    with Stopwatch() as watch, pytest.raises(OperatingError, match="device_no_reply"):
        await scanner.scan(5)
    assert watch.had_s < 3
    await _set(hosted, "scanner", Fault())
    await asyncio.to_thread(_show, hosted)
    assert await scanner.scan(5) == CODE


@pytest.mark.asyncio
@pytest.mark.parametrize("at", [0, 6])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP])
async def test_a_scanner_whose_replies_are_damaged_is_bad_frame(
    hosted: HostedBoard, kind: FaultKind, at: int, opened: Opened
) -> None:
    scanner = opened(Gm65Scanner(hosted.paths["scanner"]))
    await _set(hosted, "scanner", Fault(kind, at=at, repeat=True))
    with pytest.raises(OperatingError, match="device_bad_frame"):
        await scanner.scan(5)


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP, FaultKind.NOISE])
async def test_one_damaged_reply_is_asked_for_again(
    hosted: HostedBoard, kind: FaultKind, opened: Opened
) -> None:
    scanner = opened(Gm65Scanner(hosted.paths["scanner"]))
    await _set(hosted, "scanner", Fault(kind, at=2))
    await asyncio.to_thread(_show, hosted)
    assert await scanner.scan(5) == CODE


@pytest.mark.asyncio
async def test_a_slow_scanner_is_read(hosted: HostedBoard, opened: Opened) -> None:
    scanner = opened(Gm65Scanner(hosted.paths["scanner"]))
    await _set(hosted, "scanner", SLOW)
    await asyncio.to_thread(_show, hosted)
    assert await scanner.scan(6) == CODE


@pytest.mark.asyncio
@pytest.mark.parametrize("at", [0, 1, 20, 21, 22])
async def test_a_code_whose_marks_or_end_are_lost_is_bad_frame_not_a_short_code(
    hosted: HostedBoard, opened: Opened, at: int
) -> None:
    """A code comes as ``[<``, 18 digits, ``>]`` and CR."""
    scanner = opened(Gm65Scanner(hosted.paths["scanner"]))
    scan = asyncio.create_task(scanner.scan(5))
    await _until_reading(hosted)
    await _set(hosted, "scanner", Fault(FaultKind.DROP, at=at))
    await asyncio.to_thread(_show, hosted)
    with pytest.raises(OperatingError, match="device_bad_frame"):
        await scan


@pytest.mark.asyncio
async def test_a_scanner_unplugged_while_waiting_is_disconnected_and_comes_back(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    scanner = opened(Gm65Scanner(str(tmp_path / "dev" / "scanner")))
    scan = asyncio.create_task(scanner.scan(20))
    await _until_reading(hosted)
    await asyncio.to_thread(hosted.call, lambda board: board.unplug("scanner"))
    with pytest.raises(OperatingError, match="device_disconnected"):
        await scan
    with pytest.raises(OperatingError, match="device_disconnected"):
        await scanner.scan(5)
    await asyncio.to_thread(hosted.call, lambda board: board.plug("scanner"))
    await asyncio.to_thread(_show, hosted)
    assert await scanner.scan(5) == CODE


@pytest.mark.asyncio
async def test_a_scanner_cut_off_in_the_middle_of_a_code_is_disconnected(
    hosted: HostedBoard, opened: Opened
) -> None:
    scanner = opened(Gm65Scanner(hosted.paths["scanner"]))
    scan = asyncio.create_task(scanner.scan(5))
    await _until_reading(hosted)
    await _set(hosted, "scanner", Fault(FaultKind.CUT, at=5))
    await asyncio.to_thread(_show, hosted)
    with pytest.raises(OperatingError, match="device_disconnected"):
        await scan


@pytest.mark.asyncio
async def test_a_wrong_rate_is_not_taken_for_a_code(hosted: HostedBoard, opened: Opened) -> None:
    scanner = opened(Gm65Scanner(hosted.paths["scanner"], baud=115_200))
    with pytest.raises(OperatingError, match=r"device_no_reply|device_bad_frame"):
        await scanner.scan(2)


@pytest.mark.asyncio
async def test_closing_ends_a_scan_under_way(hosted: HostedBoard, opened: Opened) -> None:
    scanner = opened(Gm65Scanner(hosted.paths["scanner"]))
    scan = asyncio.create_task(scanner.scan(20))
    await _until_reading(hosted)
    await scanner.aclose()
    with pytest.raises(OperatingError, match="device_disconnected"):
        await scan
    with pytest.raises(OperatingError, match="device_disconnected"):
        await scanner.scan(1)


@pytest.mark.asyncio
async def test_a_port_that_does_not_exist_is_disconnected(tmp_path: Path, opened: Opened) -> None:
    scanner = opened(Gm65Scanner(str(tmp_path / "nothing")))
    with pytest.raises(OperatingError, match="device_disconnected"):
        await scanner.scan(1)


@pytest.mark.asyncio
async def test_a_ninth_job_is_busy(hosted: HostedBoard, opened: Opened) -> None:
    scanner = opened(Gm65Scanner(hosted.paths["scanner"]))
    first = asyncio.create_task(scanner.scan(20))
    await _until_reading(hosted)
    waiting = [asyncio.create_task(scanner.scan(20)) for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(OperatingError, match="busy"):
        await scanner.scan(1)
    for task in (first, *waiting):
        task.cancel()
    await asyncio.gather(first, *waiting, return_exceptions=True)


# -- printer -----------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_silent_printer_never_has_adequate_paper(
    hosted: HostedBoard, opened: Opened
) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths["printer"]))
    await _set(hosted, "printer", SILENT)
    with Stopwatch() as watch:
        with pytest.raises(OperatingError, match="device_no_reply"):
            await printer.status()
        with pytest.raises(OperatingError, match="device_no_reply"):
            await printer.print(RECEIPT)
    assert watch.had_s < 4
    await _set(hosted, "printer", Fault())
    await printer.print(RECEIPT)


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", DAMAGING, ids=lambda fault: fault.kind.value)
async def test_a_printer_whose_status_is_damaged_prints_nothing(
    hosted: HostedBoard, fault: Fault, opened: Opened
) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths["printer"]))
    await _set(hosted, "printer", fault)
    if fault.kind is FaultKind.FLIP:
        # The flipped bit claims an open drawer, every time alike: no protocol can see that.
        assert (await printer.status()).is_drawer_open
    else:
        with pytest.raises(OperatingError, match=r"device_bad_frame|device_no_reply"):
            await printer.print(RECEIPT)
        assert (await asyncio.to_thread(hosted.state, "printer"))["receipts_cut"] == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP, FaultKind.NOISE])
async def test_one_damaged_status_is_asked_for_again(
    hosted: HostedBoard, kind: FaultKind, opened: Opened
) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths["printer"]))
    await _set(hosted, "printer", Fault(kind, at=0))
    assert not (await printer.status()).is_drawer_open


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP, FaultKind.NOISE])
async def test_one_damaged_answer_behind_the_receipt_is_asked_for_again(
    hosted: HostedBoard, kind: FaultKind, opened: Opened
) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths["printer"]))
    await _set(hosted, "printer", Fault(kind, at=STATUS_REPLIES_BEFORE_A_RECEIPT))
    await printer.print(RECEIPT)
    assert (await asyncio.to_thread(hosted.state, "printer"))["receipts_cut"] == 1


@pytest.mark.asyncio
async def test_a_slow_printer_prints(hosted: HostedBoard, opened: Opened) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths["printer"]))
    await _set(hosted, "printer", SLOW)
    await printer.print(RECEIPT)


@pytest.mark.asyncio
async def test_paper_that_ends_midway_is_said_and_the_rest_is_forgotten(
    hosted: HostedBoard, opened: Opened
) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths["printer"]))
    load = partial(hosted.do, "printer", "load_paper", millimetres=30)
    await asyncio.to_thread(load)
    with pytest.raises(OperatingError, match="printer_paper_end"):
        await printer.print(RECEIPT)
    # The word to forget is on its way when the driver says why: the printer reads it in its time.
    await _until(lambda: hosted.state("printer")["operations_waiting"] == 0)
    reload = partial(hosted.do, "printer", "load_paper", millimetres=500)
    await asyncio.to_thread(reload)
    assert (await printer.status()).is_online
    assert (await asyncio.to_thread(hosted.state, "printer"))["receipts_cut"] == 0


@pytest.mark.asyncio
async def test_a_printer_unplugged_comes_back_by_itself(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    printer = opened(EscPosSerialPrinter(str(tmp_path / "dev" / "printer")))
    await printer.print(RECEIPT)
    await asyncio.to_thread(hosted.call, lambda board: board.unplug("printer"))
    with pytest.raises(OperatingError, match="device_disconnected"):
        await printer.print(RECEIPT)
    await asyncio.to_thread(hosted.call, lambda board: board.plug("printer"))
    await printer.print(RECEIPT)
    assert (await asyncio.to_thread(hosted.state, "printer"))["receipts_cut"] == 2


# -- fingerprint -------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_silent_sensor_is_no_reply_within_five_seconds(
    hosted: HostedBoard, opened: Opened
) -> None:
    sensor = opened(Ef01FingerprintSensor(hosted.paths["fingerprint"]))
    await _set(hosted, "fingerprint", SILENT)
    with Stopwatch() as watch, pytest.raises(OperatingError, match="device_no_reply"):
        await sensor.identify(5)
    assert watch.had_s < 5


@pytest.mark.asyncio
@pytest.mark.parametrize("at", [1, 7, 9, 11])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP])
async def test_a_sensor_whose_packets_are_damaged_is_bad_frame_and_never_a_match(
    hosted: HostedBoard, kind: FaultKind, at: int, opened: Opened
) -> None:
    sensor = opened(Ef01FingerprintSensor(hosted.paths["fingerprint"]))
    await _place(hosted, "alice")
    await _set(hosted, "fingerprint", Fault(kind, at=at, repeat=True))
    wrong = r"device_bad_frame|device_no_reply"
    with Stopwatch() as watch, pytest.raises(OperatingError, match=wrong):
        await sensor.identify(5)
    assert watch.had_s < 5


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP, FaultKind.NOISE])
async def test_one_damaged_packet_is_asked_for_again(
    hosted: HostedBoard, kind: FaultKind, opened: Opened
) -> None:
    sensor = opened(Ef01FingerprintSensor(hosted.paths["fingerprint"]))
    await _place(hosted, "bob")
    await _set(hosted, "fingerprint", Fault(kind, at=50))
    match = await sensor.identify(8)
    assert match is not None
    assert match.slot == 2


@pytest.mark.asyncio
async def test_a_slow_sensor_and_one_behind_noise_are_understood(
    hosted: HostedBoard, opened: Opened
) -> None:
    sensor = opened(Ef01FingerprintSensor(hosted.paths["fingerprint"]))
    await _place(hosted, "alice")
    await _set(hosted, "fingerprint", SLOW)
    assert await sensor.identify(8) is not None
    await _set(hosted, "fingerprint", Fault(FaultKind.NOISE, repeat=True))
    assert await sensor.identify(8) is not None


@pytest.mark.asyncio
async def test_a_sensor_unplugged_midway_is_disconnected_and_comes_back(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    sensor = opened(Ef01FingerprintSensor(str(tmp_path / "dev" / "fingerprint")))
    await _place(hosted, "alice")
    await _set(hosted, "fingerprint", Fault(FaultKind.CUT, at=20))
    with pytest.raises(OperatingError, match="device_disconnected"):
        await sensor.identify(5)
    await _set(hosted, "fingerprint", Fault())
    await asyncio.to_thread(hosted.call, lambda board: board.plug("fingerprint"))
    assert await sensor.identify(5) is not None
