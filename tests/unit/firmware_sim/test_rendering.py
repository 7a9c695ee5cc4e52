"""Goal: the pictures are true: glyphs are there, codes can be read off, the same gives the same."""

import io

import pytest
import qrcode
import zxingcpp
from PIL import Image

from firmware_sim.devices.escpos import EscPosPrinter
from firmware_sim.devices.receipt import Receipt
from firmware_sim.rendering import camera
from firmware_sim.rendering.receipt_png import draw_receipt
from protocol.errors import CallerError
from protocol.framing import escpos


def _receipt(data: bytes) -> Receipt:
    printer = EscPosPrinter()
    printer.feed(data + escpos.CUT_FULL, 0)
    return printer.receipts[0]


def _ink(png: bytes) -> int:
    return Image.open(io.BytesIO(png)).convert("L").histogram()[0]


def test_chinese_characters_are_drawn_each_its_own_way() -> None:
    """A font without Chinese would draw one same box for every character."""
    pictures = [draw_receipt(_receipt(escpos.line(word))) for word in "收银付款"]
    assert len(set(pictures)) == 4
    blank = draw_receipt(_receipt(escpos.line("　")))
    assert all(_ink(picture) > _ink(blank) + 20 for picture in pictures)


def test_a_printed_qr_code_can_be_scanned_off_the_paper() -> None:
    png = draw_receipt(_receipt(escpos.line("小票") + escpos.qr_code(b"pay_01ABC")))
    assert zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))[0].text == "pay_01ABC"


def test_a_printed_ean13_can_be_scanned_off_the_paper() -> None:
    png = draw_receipt(_receipt(b"\x1dk\x026901234567892\x00"))
    assert zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))[0].text == "6901234567892"


def test_the_same_receipt_gives_the_same_bytes() -> None:
    data = escpos.bold(on=True) + escpos.size(width=2, height=2) + escpos.line("合计 Total")
    assert draw_receipt(_receipt(data)) == draw_receipt(_receipt(data))


def test_the_camera_reads_a_pay_code() -> None:
    stream = io.BytesIO()
    qrcode.make("134567890123456789").save(stream)
    sighting = camera.decode(stream.getvalue())
    assert sighting is not None
    assert (sighting.symbology, sighting.text) == ("QRCode", "134567890123456789")


def test_the_camera_sees_nothing_in_white_paper() -> None:
    stream = io.BytesIO()
    Image.new("L", (100, 100), 255).save(stream, format="PNG")
    assert camera.decode(stream.getvalue()) is None


@pytest.mark.parametrize("body", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_not_a_picture_is_refused(body: bytes) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        camera.decode(body)
