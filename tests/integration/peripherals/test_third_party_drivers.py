"""Goal: drivers nobody here wrote work unmodified against the simulated devices over ptys."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from escpos.printer import File, Serial
from PIL import Image
from pyfingerprint.pyfingerprint import PyFingerprint
from ws_barcode_scanner import BarcodeScanner

from firmware_sim.devices.ef01.finger import image_of, template_of
from firmware_sim.devices.escpos import EscPosPrinter
from firmware_sim.devices.paper import Barcode, Picture
from firmware_sim.hosting import HostedBoard

CODE = "134567890123456789"
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::UserWarning",
)


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """A POS board on ptys, unpaced so that a picture of a finger does not take seven seconds."""
    with HostedBoard("pos", state_dir=tmp_path, pace=False) as board:
        yield board


# -- ws-barcode-scanner ------------------------------------------------------------------------


def test_ws_barcode_scanner_reads_writes_saves_and_restores(hosted: HostedBoard) -> None:
    scanner = BarcodeScanner(hosted.paths["scanner"])
    assert scanner.memory_map[0x0A] == 0x3E
    scanner.memory_map[0x0A] = 0x20
    assert scanner.memory_map[0x0A] == 0x20
    scanner.save_to_flash()
    scanner.restore_factory_settings()
    assert scanner.memory_map[0x0A] == 0x3E


def test_ws_barcode_scanner_triggers_and_gets_the_code_of_a_picture(hosted: HostedBoard) -> None:
    scanner = BarcodeScanner(hosted.paths["scanner"])
    scanner.memory_map[0x00] = 0xD5
    scanner.memory_map[0x02] = 0x01
    hosted.do("scanner", "present", text=CODE)
    port = scanner._BarcodeScanner__serial_port._SerialPort__serial_port
    assert port.read_until(b"\r") == CODE.encode() + b"\r"


# -- pyfingerprint -----------------------------------------------------------------------------


def _place(hosted: HostedBoard, finger: str) -> None:
    hosted.do("fingerprint", "place", finger=finger)


@pytest.fixture
def reader(hosted: HostedBoard) -> PyFingerprint:
    """The third party's reader, password verified."""
    found = PyFingerprint(hosted.paths["fingerprint"], 57_600)
    assert found.verifyPassword()
    return found


def test_pyfingerprint_reads_parameters_count_and_index(reader: PyFingerprint) -> None:
    assert reader.getStorageCapacity() == 1000
    assert reader.getSecurityLevel() == 3
    assert reader.getMaxPacketSize() == 128
    assert reader.getBaudRate() == 57_600
    assert reader.getTemplateCount() == 2
    index = reader.getTemplateIndex(0)
    assert [slot for slot, used in enumerate(index) if used] == [1, 2]


def test_pyfingerprint_enrols_finds_and_misses(hosted: HostedBoard, reader: PyFingerprint) -> None:
    assert not reader.readImage()
    _place(hosted, "carol")
    assert reader.readImage()
    assert reader.convertImage(1)
    assert reader.searchTemplate() == (-1, -1)
    assert reader.readImage()
    assert reader.convertImage(2)
    assert reader.compareCharacteristics() > 0
    assert reader.createTemplate()
    assert reader.storeTemplate() == 0
    assert reader.convertImage(1)
    assert reader.searchTemplate()[0] == 0
    assert reader.deleteTemplate(0)
    assert reader.searchTemplate() == (-1, -1)
    assert reader.clearDatabase()
    assert reader.getTemplateCount() == 0


def test_pyfingerprint_moves_templates_both_ways(
    hosted: HostedBoard, reader: PyFingerprint
) -> None:
    assert reader.loadTemplate(1, 1)
    template = reader.downloadCharacteristics(1)
    assert bytes(template) == template_of("alice")
    assert reader.uploadCharacteristics(2, list(template_of("bob")))
    assert reader.storeTemplate(10, 2) == 10
    _place(hosted, "bob")
    assert reader.readImage()
    assert reader.convertImage(1)
    assert reader.searchTemplate()[0] in (2, 10)


def test_pyfingerprint_downloads_the_image(
    hosted: HostedBoard, reader: PyFingerprint, tmp_path: Path
) -> None:
    _place(hosted, "alice")
    assert reader.readImage()
    target = tmp_path / "finger.png"
    reader.downloadImage(str(target))
    with Image.open(target) as picture:
        assert picture.size == (256, 288)
        assert picture.getpixel((0, 0)) == (image_of("alice")[0] >> 4) * 17


def test_pyfingerprint_changes_rate_and_password(
    hosted: HostedBoard, reader: PyFingerprint
) -> None:
    assert 0 <= reader.generateRandomNumber() < 2**32
    assert reader.setPassword(0x01020304)
    reader.setBaudRate(115_200)
    again = PyFingerprint(hosted.paths["fingerprint"], 115_200, password=0x01020304)
    assert again.verifyPassword()
    wrong = PyFingerprint(hosted.paths["fingerprint"], 115_200, password=1)
    assert not wrong.verifyPassword()


# -- python-escpos -----------------------------------------------------------------------------


@pytest.fixture
def printer(hosted: HostedBoard) -> Iterator[Serial]:
    """The third party's printer."""
    found = Serial(hosted.paths["printer"], 115_200, timeout=0.3)
    yield found
    found.close()


def _receipt_blocks(hosted: HostedBoard, printer: Serial) -> tuple[object, ...]:
    """Cut, and wait for the printer's answer to what comes after the cut."""
    printer.cut()
    assert printer.is_online()
    return hosted.call(lambda board: board.device("printer", EscPosPrinter).receipts[-1].blocks)


def test_python_escpos_asks_for_status(hosted: HostedBoard, printer: Serial) -> None:
    assert printer.is_online()
    assert printer.paper_status() == 2
    hosted.do("printer", "load_paper", millimetres=500)
    assert printer.paper_status() == 1
    hosted.do("printer", "load_paper", millimetres=0)
    assert printer.paper_status() == 0
    assert not printer.is_online()


def test_python_escpos_prints_chinese_styles_and_a_native_qr(
    hosted: HostedBoard, printer: Serial
) -> None:
    printer.set(align="center", bold=True, double_width=True, double_height=True)
    printer.text("收银小票\n")
    printer.set_with_default()
    printer.qr("pay_1", native=True, size=6)
    _receipt_blocks(hosted, printer)
    receipt = hosted.call(lambda board: board.device("printer", EscPosPrinter).receipts[-1])
    assert "收银小票" in receipt.to_text()
    assert receipt.codes == [b"pay_1"]


def test_python_escpos_prints_into_the_port_as_into_a_file(hosted: HostedBoard) -> None:
    printer = File(hosted.paths["printer"])
    printer.text("文件 file\n")
    printer.cut()
    printer.close()
    until = time.monotonic() + 2
    while not hosted.state("printer")["receipts"] and time.monotonic() < until:
        time.sleep(0.02)
    receipts: Any = hosted.state("printer")["receipts"]
    [receipt] = receipts
    assert receipt["text"].startswith("文件 file\n")


@pytest.mark.parametrize("form", ["bitImageRaster", "graphics", "bitImageColumn"])
def test_python_escpos_prints_pictures_in_every_form(
    hosted: HostedBoard, printer: Serial, form: str
) -> None:
    drawn = Image.new("1", (32, 24), 1)
    drawn.paste(0, (0, 0, 8, 24))
    printer.image(drawn, impl=form)
    pictures = [block for block in _receipt_blocks(hosted, printer) if isinstance(block, Picture)]
    assert pictures
    assert all(row == 0xFF for row in pictures[0].rows[:: pictures[0].row_bytes][:24])


def test_python_escpos_prints_a_barcode_and_kicks_the_drawer(
    hosted: HostedBoard, printer: Serial
) -> None:
    printer.barcode("6901234567892", "EAN13")
    printer.cashdraw(2)
    blocks = _receipt_blocks(hosted, printer)
    assert any(isinstance(block, Barcode) and block.payload == b"6901234567892" for block in blocks)
    assert hosted.state("printer")["drawer_open"]
