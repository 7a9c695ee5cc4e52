"""Goal: a printer on the network prints for our driver and for others, and a bad network ends in a
clear error in stated time.

Method: the simulated printer behind TCP, as port 9100 of a real one; one fault at a time.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from escpos.printer import Network
from pydantic import JsonValue

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.frames import Side
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import kind_named
from protocol.errors import OperatingError
from protocol.framing import escpos
from terminal.adapters import escpos_printer
from terminal.adapters.escpos_printer import EscPosSerialPrinter
from terminal.probes import probe_named
from tests.kit.drivers import Opened
from tests.kit.stopwatch import Stopwatch
from tillway.demo.ports import lasting_port

DEVICE = "device"
RECEIPT = escpos.INIT + escpos.line("网络收据") * 20 + escpos.CUT_PARTIAL
STATUS_REPLIES_BEFORE_A_RECEIPT = 2


@contextmanager
def _hosted(folder: Path, transport: str, **options: object) -> Iterator[HostedBoard]:
    kind = kind_named("escpos")
    entry = kind.entry.model_validate({"kind": "escpos", "transport": transport, **options})
    board = BoardFile("escpos", {DEVICE: BoardDevice(kind, entry)})
    with HostedBoard(board, state_dir=folder) as hosted:
        yield hosted


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """A printer on the network."""
    with _hosted(tmp_path, "tcp:0") as board:
        yield board


@contextmanager
def _brisk() -> Iterator[None]:
    """Where silence is waited out, the driver need not wait as long as in a shop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(escpos_printer, "PRINTER_REPLY_S", 0.25)
        patch.setattr(escpos_printer, "PRINTER_PROBE_S", 0.4)
        patch.setattr(escpos_printer, "PRINTER_QUIET_S", 0.03)
        patch.setattr(escpos_printer, "PRINTER_PRINT_S", 1.2)
        yield


def _receipts(hosted: HostedBoard) -> list[dict[str, object]]:
    found = hosted.state(DEVICE)["receipts"]
    assert isinstance(found, list)
    return found  # type: ignore[return-value]


async def _do(hosted: HostedBoard, act: str, **words: JsonValue) -> None:
    await asyncio.to_thread(partial(hosted.do, DEVICE, act, **words))


# -- our driver ------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_receipt_is_printed_over_the_network(hosted: HostedBoard, opened: Opened) -> None:
    address = hosted.paths[DEVICE].removeprefix("socket://")
    printer = opened(EscPosSerialPrinter(f"tcp:{address}"))
    await printer.print(RECEIPT)
    status = await printer.status()
    assert (status.is_online, status.paper) == (True, "adequate")
    [receipt] = await asyncio.to_thread(_receipts, hosted)
    assert receipt["text"] == "网络收据\n" * 20


@pytest.mark.asyncio
async def test_a_probe_prints_over_the_network_and_says_what_it_found(hosted: HostedBoard) -> None:
    found = await probe_named("escpos")(hosted.paths[DEVICE].replace("socket://", "tcp:"), 5)
    assert found["printed"] is True
    assert found["paper"] == "adequate"
    [receipt] = await asyncio.to_thread(_receipts, hosted)
    assert "打印测试" in str(receipt["text"])


@pytest.mark.asyncio
async def test_one_damaged_answer_is_asked_for_again(hosted: HostedBoard, opened: Opened) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths[DEVICE]))
    fault = Fault(FaultKind.NOISE, at=STATUS_REPLIES_BEFORE_A_RECEIPT)
    await asyncio.to_thread(hosted.set_fault, DEVICE, fault)
    await printer.print(RECEIPT)
    assert len(await asyncio.to_thread(_receipts, hosted)) == 1


@pytest.mark.asyncio
async def test_a_silent_printer_is_no_reply_and_slow_bytes_are_waited_for(
    hosted: HostedBoard, opened: Opened
) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths[DEVICE]))
    await asyncio.to_thread(hosted.set_fault, DEVICE, Fault(FaultKind.SILENT))
    with (
        _brisk(), Stopwatch() as watch, pytest.raises(OperatingError, match="device_no_reply"),
    ):  # fmt: skip
        await printer.status()
    assert watch.had_s < 2
    await asyncio.to_thread(hosted.set_fault, DEVICE, Fault(FaultKind.SLOW, slow_byte_ms=50))
    await printer.print(RECEIPT)


@pytest.mark.asyncio
async def test_a_printer_that_leaves_in_the_middle_of_a_receipt_comes_back_by_itself(
    tmp_path: Path, opened: Opened
) -> None:
    port = lasting_port()
    with _hosted(tmp_path, f"tcp:{port}") as hosted:
        printer = opened(EscPosSerialPrinter(f"tcp:127.0.0.1:{port}"))
        await printer.print(RECEIPT)
        fault = Fault(FaultKind.CUT, at=100, side=Side.HOST)
        await asyncio.to_thread(hosted.set_fault, DEVICE, fault)
        with pytest.raises(OperatingError, match="device_disconnected"):
            await printer.print(RECEIPT)
        await asyncio.to_thread(hosted.set_fault, DEVICE, Fault())
        await asyncio.to_thread(hosted.call, lambda board: board.plug(DEVICE))
        await printer.print(RECEIPT)
        assert len(await asyncio.to_thread(_receipts, hosted)) == 2


@pytest.mark.asyncio
async def test_a_byte_lost_within_a_code_is_never_a_printed_receipt_and_does_not_spoil_the_next(
    hosted: HostedBoard, opened: Opened
) -> None:
    """A length that is too long by 14 makes the printer take what follows for the code's data."""
    receipt = escpos.INIT + escpos.qr_code(b"q" * 40) + escpos.CUT_PARTIAL
    broken_off = receipt.replace(b"\x2b\x00\x31\x50", b"\x2b\x0a\x31\x50")
    assert broken_off != receipt
    printer = opened(EscPosSerialPrinter(hosted.paths[DEVICE]))
    with (
        _brisk(), Stopwatch() as watch, pytest.raises(OperatingError, match="device_no_reply"),
    ):  # fmt: skip
        await printer.print(broken_off)
    assert watch.had_s < 6
    await printer.print(RECEIPT)
    [kept] = await asyncio.to_thread(_receipts, hosted)
    assert kept["text"] == "网络收据\n" * 20


@pytest.mark.asyncio
async def test_a_cutter_that_jams_is_said_and_printing_goes_on_once_it_is_freed(
    hosted: HostedBoard, opened: Opened
) -> None:
    printer = opened(EscPosSerialPrinter(hosted.paths[DEVICE]))
    await _do(hosted, "jam_cutter")
    with pytest.raises(OperatingError, match="printer_error") as error:
        await printer.print(RECEIPT)
    assert error.value.detail == "cutter"
    await _do(hosted, "free_cutter")
    await printer.print(RECEIPT)
    assert len(await asyncio.to_thread(_receipts, hosted)) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("transport", ["tcp:0", "pty"])
async def test_a_slow_printer_with_a_small_buffer_holds_us_back_and_loses_nothing(
    tmp_path: Path, opened: Opened, transport: str
) -> None:
    options = {"flow": "dtr", "buffer_bytes": 1024, "speed_mm_s": 500}
    with _hosted(tmp_path, transport, **options) as hosted:
        printer = opened(EscPosSerialPrinter(hosted.paths[DEVICE], flow="dtr"))
        rows = [f"row {number:03d} {'.' * 30}" for number in range(50)]
        await printer.print(escpos.INIT + b"".join(map(escpos.line, rows)) + escpos.CUT_FULL)
        state = await asyncio.to_thread(hosted.state, DEVICE)
        assert state["overrun_bytes"] == 0
        [receipt] = await asyncio.to_thread(_receipts, hosted)
        assert receipt["text"] == "\n".join(rows) + "\n"


# -- python-escpos ---------------------------------------------------------------------------------


def test_python_escpos_prints_and_asks_over_the_network(hosted: HostedBoard) -> None:
    host, _, port = hosted.paths[DEVICE].removeprefix("socket://").partition(":")
    printer = Network(host, int(port), timeout=5)
    try:
        printer.open()
        assert printer.is_online()
        assert printer.paper_status() == 2
        printer.text("收银小票\n")
        printer.qr("pay_1", native=True, size=6)
        printer.barcode("{BTILL-1", "CODE128", function_type="B", check=False)
        printer.cut()
        printer.cashdraw(2)
        assert printer.is_online()
    finally:
        printer.close()
    until = time.monotonic() + 2
    while not _receipts(hosted) and time.monotonic() < until:
        time.sleep(0.02)
    [receipt] = _receipts(hosted)
    assert "收银小票" in str(receipt["text"])
    assert receipt["codes"] == ["pay_1"]
    assert "[Code128 TILL-1]" in str(receipt["text"])
    assert hosted.state(DEVICE)["drawer_open"]
