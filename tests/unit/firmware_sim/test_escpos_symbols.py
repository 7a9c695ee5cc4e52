"""Goal: every code that the printer draws itself says what it was told, to a reader nobody here
wrote, and what it cannot say stays white with the reason told."""

import io
from typing import Any, Literal

import pytest
import qrcode
import zxingcpp
from PIL import Image
from qrcode.util import QRData

from firmware_sim.devices.escpos import EscPosPrinter, PrinterProfile, linear
from firmware_sim.devices.escpos.symbols import QR_BYTES_BY_VERSION
from firmware_sim.devices.paper import Barcode, Matrix, QrCode
from firmware_sim.devices.receipt import Receipt
from firmware_sim.rendering.modules import draw_modules
from firmware_sim.rendering.receipt_png import draw_receipt
from protocol.framing import escpos
from protocol.framing.escpos import QrStyle

NARROW = b"\x1dw\x02"
HRI_BELOW = b"\x1dH\x02"
QR_BYTES: Literal[4] = 4
"""The mode of eight bits."""
_QR_LEVELS = {"L": 1, "M": 0, "Q": 3, "H": 2}


def _print(data: bytes, profile: PrinterProfile | None = None) -> EscPosPrinter:
    printer = EscPosPrinter(profile)
    printer.feed(data + escpos.CUT_FULL, 0)
    return printer


def _read(receipt: Receipt) -> list[tuple[str, str]]:
    with Image.open(io.BytesIO(draw_receipt(receipt))) as picture:
        found = zxingcpp.read_barcodes(picture)
    return [(code.format.name, code.text) for code in found]


def _new(kind: int, data: bytes) -> bytes:
    return b"\x1dk" + bytes([kind, len(data)]) + data


@pytest.mark.parametrize(
    ("command", "name", "text"),
    [
        (b"\x1dk\x00" + b"03600029145\x00", "EAN13", "0036000291452"),
        (_new(65, b"036000291452"), "EAN13", "0036000291452"),
        (b"\x1dk\x01" + b"123456\x00", "UPCE", "0012345000065"),
        (_new(66, b"01234500006"), "UPCE", "0012345000065"),
        (b"\x1dk\x02" + b"690123456789\x00", "EAN13", "6901234567892"),
        (_new(67, b"6901234567892"), "EAN13", "6901234567892"),
        (b"\x1dk\x03" + b"9638507\x00", "EAN8", "96385074"),
        (_new(68, b"96385074"), "EAN8", "96385074"),
        (NARROW + b"\x1dk\x04" + b"TILL-01 $/+%.\x00", "Code39", "TILL-01 $/+%."),
        (_new(69, b"*ABC123*"), "Code39", "ABC123"),
        (b"\x1dk\x05" + b"12345678901231\x00", "ITF", "12345678901231"),
        (_new(70, b"00123456"), "ITF", "00123456"),
        (b"\x1dk\x06" + b"A40156B\x00", "Codabar", "A40156B"),
        (NARROW + _new(72, b"Till 93: a/b"), "Code93", "Till 93: a/b"),
        (_new(73, b"{BTill-128 {{x}"), "Code128", "Till-128 {x}"),
        (_new(73, b"{C" + bytes([12, 34, 56])), "Code128", "123456"),
        (_new(73, b"{AAB\x09{BCd{C" + bytes([78])), "Code128", "AB\tCd78"),
        (_new(73, b"{BAb{S\x09c"), "Code128", "Ab\tc"),
        (_new(74, b"(01)06901234567892"), "Code128", "(01)06901234567892"),
    ],
    ids=lambda value: value.hex()[:24] if isinstance(value, bytes) else value,
)
def test_a_linear_code_is_read_off_the_paper(command: bytes, name: str, text: str) -> None:
    receipt = _print(escpos.align(escpos.Align.CENTRE) + command).receipts[0]
    assert _read(receipt) == [(name, text)]


@pytest.mark.parametrize("symbology", sorted(linear._ENCODERS))
def test_bars_and_gaps_come_by_turns_and_end_with_a_bar(symbology: str) -> None:
    data = {
        "EAN8": b"9638507", "UPCA": b"03600029145", "UPCE": b"123456", "Codabar": b"A1B",
        "Code128": b"{B12", "EAN13": b"690123456789",
    }.get(symbology, b"12")  # fmt: skip
    code = linear.encode(symbology, data)
    assert len(code.widths) % 2 == 1
    assert sum(code.bars(4)) == 2 * sum(code.bars(2))


@pytest.mark.parametrize("module", [2, 3, 4])
def test_modules_make_a_code_wider_and_it_is_still_read(module: int) -> None:
    receipt = _print(b"\x1dw" + bytes([module]) + _new(69, b"W1")).receipts[0]
    [code] = receipt.pieces
    assert isinstance(code, Barcode)
    narrow = linear.encode("Code39", b"W1").bars(1)
    assert code.width_dots > sum(narrow) * module * 0.9
    assert _read(receipt) == [("Code39", "W1")]


def test_the_height_and_the_words_of_a_code_take_paper() -> None:
    bare = _print(b"\x1dh\x50" + _new(67, b"690123456789")).receipts[0]
    named = _print(b"\x1dh\x50\x1dH\x03\x1df\x01" + _new(67, b"690123456789")).receipts[0]
    assert bare.length_dots == 0x50
    assert named.length_dots == 0x50 + 2 * (17 + 4)
    assert bare.to_text() == named.to_text() == "[EAN13 6901234567892]\n"


def test_a_code_with_words_beside_it_is_still_read_and_looks_otherwise() -> None:
    plain = _print(_new(73, b"{BPAY-1")).receipts[0]
    named = _print(HRI_BELOW + _new(73, b"{BPAY-1")).receipts[0]
    assert _read(named) == [("Code128", "PAY-1")]
    assert draw_receipt(plain) != draw_receipt(named)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (b"\x1dk\x02xyz\x00", "EAN13: wants 12 or 13 digits"),
        (_new(68, b"123"), "EAN8: wants 7 or 8 digits"),
        (_new(66, b"012345678901"), "UPCE: these digits have no UPC-E form"),
        (_new(66, b"1234567"), "UPCE: UPC-E begins with 0"),
        (_new(69, b"lower"), "Code39: Code 39 holds"),
        (_new(70, b"123"), "ITF: ITF holds an even count"),
        (_new(71, b"123"), "Codabar: Codabar begins"),
        (_new(71, b"AxB"), "Codabar: Codabar holds"),
        (_new(72, b"\x80"), "Code93: Code 93 holds ASCII"),
        (_new(73, b"no set"), "Code128: Code 128 begins with its set"),
        (_new(73, b"{C" + bytes([100])), "Code128: set C holds pairs"),
        (_new(73, b"{Aa"), "Code128: set A does not hold"),
        (_new(73, b"{B{Z"), "Code128: set B knows no {Z"),
        (_new(73, b"{B{"), "Code128: a brace stands alone"),
        (_new(73, b"{B"), "Code128: an empty Code 128"),
        (_new(74, b"\x01"), "GS1-128: GS1-128 holds ASCII"),
        (_new(99, b"1"), "GS k knows no code 99"),
        (b"\x1d(k\x03\x001Q0", "QR: nothing is stored"),
        (escpos.qr_code(b"x" * 2953, QrStyle(1, "H")), "QR: 2953 bytes are too many"),
        (escpos.qr_code(b"x" * 400, QrStyle(16, "H")), "QrCode: wider than the print area"),
        (b"\x1dw\x06" + _new(69, b"X" * 40), "Barcode: wider than the print area"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_code_that_cannot_be_stays_white_and_is_explained(command: bytes, why: str) -> None:
    printer = _print(command)
    assert not printer.receipts
    count, reasons = printer.refusals
    assert count == 1
    assert reasons[0].startswith(why)


@pytest.mark.parametrize("level", "LMQH")
@pytest.mark.parametrize("version", [1, 9, 10, 27, 40])
def test_a_qr_code_is_as_large_as_the_standard_says(level: str, version: int) -> None:
    most = QR_BYTES_BY_VERSION[level][version - 1]
    code = qrcode.QRCode(error_correction=_QR_LEVELS[level])
    code.add_data(QRData(b"x" * most, mode=QR_BYTES))
    assert code.best_fit() == version
    code.add_data(QRData(b"x" * 3, mode=QR_BYTES))
    if version < 40:
        code.version = None
        assert code.best_fit() > version


@pytest.mark.parametrize("level", "LMQH")
def test_a_qr_code_between_two_lines_is_read_off_the_paper(level: str) -> None:
    data = escpos.line("上面 above") + escpos.qr_code("支付 pay_1".encode(), QrStyle(4, level))
    receipt = _print(data + escpos.line("下面 below")).receipts[0]
    assert _read(receipt) == [("QRCode", "支付 pay_1")]


def test_the_largest_qr_code_fits_80_mm_paper_at_three_dots() -> None:
    receipt = _print(escpos.qr_code(b"x" * 2953, QrStyle(3, "L"))).receipts[0]
    [code] = receipt.pieces
    assert isinstance(code, QrCode)
    assert (code.version, code.width_dots) == (40, 531)
    assert _read(receipt) == [("QRCode", "x" * 2953)]


def test_the_printer_says_how_large_a_code_would_be() -> None:
    printer = EscPosPrinter()
    ask = b"\x1d(k\x03\x001R0"
    stored = escpos.qr_code(b"abc", QrStyle(4, "L"))
    [reply] = printer.feed(stored + ask, 0)
    assert reply.payload == b"\x37\x3684\x1f84\x1f1\x1f0\x00"
    [reply] = EscPosPrinter().feed(ask, 0)
    assert reply.payload == b"\x37\x360\x1f0\x1f1\x1f1\x00"


# -- codes drawn by zxing-cpp ----------------------------------------------------------------------


def _matrix(kind: int, payload: bytes, settings: bytes = b"") -> bytes:
    stored = bytes([kind]) + b"P0" + payload
    head = b"\x1d(k"
    printed = head + b"\x03\x00" + bytes([kind]) + b"Q0"
    return settings + head + len(stored).to_bytes(2, "little") + stored + printed


def _drawn(data: bytes) -> EscPosPrinter:
    printer = EscPosPrinter(draw=draw_modules)
    printer.feed(data + escpos.CUT_FULL, 0)
    return printer


@pytest.mark.parametrize(("kind", "name"), [(48, "PDF417"), (53, "Aztec"), (54, "DataMatrix")])
def test_a_code_of_rows_is_read_off_the_paper(kind: int, name: str) -> None:
    receipt = _drawn(_matrix(kind, "支付 pay_1".encode())).receipts[0]
    with Image.open(io.BytesIO(draw_receipt(receipt))) as picture:
        [found] = zxingcpp.read_barcodes(picture)
    assert (found.format.name, found.bytes) == (name, "支付 pay_1".encode())
    assert receipt.to_text() == f"[{name} 支付 pay_1]\n"
    shown: Any = receipt.to_json()
    [told] = shown["blocks"]
    assert (told["kind"], told["payload"]) == (name, "支付 pay_1")


def test_pdf417_obeys_module_row_height_and_truncation() -> None:
    settings = b"\x1d(k\x03\x000C\x02" + b"\x1d(k\x03\x000D\x05"
    plain = _drawn(_matrix(48, b"till", settings)).receipts[0]
    cut = _drawn(_matrix(48, b"till", settings + b"\x1d(k\x03\x000F\x01")).receipts[0]
    [whole], [truncated] = list(plain.pieces), list(cut.pieces)
    assert isinstance(whole, Matrix)
    assert isinstance(truncated, Matrix)
    assert (whole.module_dots, whole.row_dots) == (2, 10)
    assert truncated.width_dots < whole.width_dots
    assert [text for _, text in _read(plain)] == ["till"]


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [(75, b"0112345678901", "(01)0112345678901"), (77, b"0112345678901", "(01)0112345678901"),
     (78, b"(01)90012345678908", "(01)90012345678908")],
)  # fmt: skip
def test_a_databar_is_read_off_the_paper(kind: int, data: bytes, text: str) -> None:
    [(_, found)] = _read(_drawn(b"\x1dw\x02" + _new(kind, data)).receipts[0])
    assert found.startswith(text)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (_matrix(48, b""), "PDF417: nothing is stored"),
        (_matrix(54, b"x" * 5000), "DataMatrix: cannot say these 5000 bytes"),
        (_new(75, b"abc"), "DataBar: cannot say these 3 bytes"),
        (_new(77, b"\xff"), "DataBarLimited: cannot say"),
    ],
    ids=["empty", "long", "letters", "no ASCII"],
)
def test_what_cannot_be_drawn_stays_white_and_is_explained(command: bytes, why: str) -> None:
    count, reasons = _drawn(command).refusals
    assert count == 1
    assert reasons[0].startswith(why)


def test_a_printer_without_such_codes_prints_none() -> None:
    assert _print(_matrix(48, b"till")).refusals == (1, ["PDF417: cannot say these 4 bytes"])
