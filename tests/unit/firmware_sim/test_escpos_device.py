"""Goal: the simulated printer prints, refuses and reports as an Epson-compatible one does."""

from typing import Any

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.escpos import DOTS_PER_MM, EscPosPrinter, PrinterProfile
from firmware_sim.devices.paper import Blank, Picture, QrCode, TextLine
from protocol.errors import CallerError
from protocol.framing import escpos

STATUS = {page: escpos.status_query(page) for page in escpos.StatusPage}


def _bytes(outputs: list[Output]) -> bytes:
    return b"".join(output.payload for output in outputs)


def _printed(data: bytes, printer: EscPosPrinter | None = None) -> str:
    printer = printer or EscPosPrinter()
    printer.feed(data + escpos.CUT_FULL, 0)
    return printer.receipts[-1].to_text()


def _lines(data: bytes) -> list[TextLine]:
    printer = EscPosPrinter()
    printer.feed(data + escpos.CUT_FULL, 0)
    return [block for block in printer.receipts[-1].blocks if isinstance(block, TextLine)]


def test_chinese_and_latin_print_without_a_mode_command() -> None:
    assert _printed("收银 till ￥12.80\n".encode("gb18030")) == "收银 till ￥12.80\n"


def test_a_character_cut_in_two_by_the_line_is_printed_whole() -> None:
    printer = EscPosPrinter()
    for value in "𠀀收a\n".encode("gb18030"):
        printer.feed(bytes([value]), 0)
    assert _printed(b"", printer) == "𠀀收a\n"


def test_the_western_profile_prints_the_code_page_junk_that_it_really_prints() -> None:
    western = EscPosPrinter(PrinterProfile("western"))
    junk = _printed("收\n".encode("gb18030"), western)
    assert junk == bytes.fromhex("cad5").decode("cp437") + "\n"


def test_chinese_mode_is_switched_on_and_off() -> None:
    western = EscPosPrinter(PrinterProfile("western"))
    chinese = "收".encode("gb18030")
    data = escpos.CHINESE_ON + chinese + escpos.CHINESE_OFF + b"\x1bt\x10" + b"\x80\n"
    assert _printed(data, western) == "收€\n"


def test_styles_reach_the_characters() -> None:
    data = escpos.bold(on=True) + escpos.size(width=2, height=3) + b"A\n" + escpos.INIT + b"b\n"
    first, second = (line.spans[0].style for line in _lines(data))
    assert (first.bold, first.width, first.height) == (True, 2, 3)
    assert (second.bold, second.width, second.height) == (False, 1, 1)


def test_a_long_line_wraps_at_48_columns_and_chinese_takes_two() -> None:
    rows = _printed(b"x" * 50 + b"\n").splitlines()
    assert [len(row) for row in rows] == [48, 2]
    rows = _printed(("收" * 25 + "\n").encode("gb18030")).splitlines()
    assert [len(row) for row in rows] == [24, 1]


def test_58_mm_paper_has_32_columns() -> None:
    narrow = EscPosPrinter(PrinterProfile(width_dots=384))
    assert [len(row) for row in _printed(b"x" * 33 + b"\n", narrow).splitlines()] == [32, 1]


def test_a_qr_code_is_kept_with_what_it_says() -> None:
    printer = EscPosPrinter()
    printer.feed(escpos.qr_code(b"pay_1") + escpos.CUT_FULL, 5)
    assert printer.receipts[0].codes == [b"pay_1"]
    assert printer.receipts[0].to_text() == "[QR pay_1]\n"
    assert printer.receipts[0].cut == "full"


def test_each_cut_makes_a_receipt_and_an_empty_cut_makes_none() -> None:
    printer = EscPosPrinter()
    printer.feed(b"one\n" + escpos.CUT_PARTIAL + escpos.CUT_FULL + b"two\n\x1bi", 0)
    assert [receipt.to_text() for receipt in printer.receipts] == ["one\n", "two\n"]
    assert [receipt.cut for receipt in printer.receipts] == ["partial", "full"]


@pytest.mark.parametrize(
    ("picture", "row_bytes", "rows"),
    [
        (b"\x1dv0\x00\x02\x00\x01\x00\x80\x01", 2, b"\x80\x01"),
        (b"\x1d(L\x0c\x000p0\x01\x01\x31\x10\x00\x01\x00\x80\x01\x1d(L\x02\x0002", 2, b"\x80\x01"),
        (b"\x1b*\x00\x02\x00\x80\x01", 1, b"\x80\0\0\0\0\0\0\x40"),
    ],
)
def test_raster_graphics_and_column_pictures_are_kept(
    picture: bytes, row_bytes: int, rows: bytes
) -> None:
    printer = EscPosPrinter()
    printer.feed(picture + b"after\n" + escpos.CUT_FULL, 0)
    [found] = [piece for piece in printer.receipts[0].pieces if isinstance(piece, Picture)]
    assert (found.row_bytes, found.rows) == (row_bytes, rows)
    assert printer.receipts[0].to_text().endswith("after\n")


def test_status_of_a_ready_printer_is_the_fixed_bits() -> None:
    printer = EscPosPrinter()
    assert _bytes(printer.feed(b"".join(STATUS.values()), 0)) == b"\x12\x12\x12\x12"


def test_status_without_paper_is_as_documented() -> None:
    printer = EscPosPrinter(roll_mm=0)
    answers = _bytes(printer.feed(b"".join(STATUS.values()), 0))
    assert answers == b"\x1a\x32\x12\x7e"


def test_near_end_open_cover_and_open_drawer_have_their_bits() -> None:
    printer = EscPosPrinter(roll_mm=500)
    printer.set_cover(0, is_open=True)
    printer.feed(b"", 0)
    assert _bytes(printer.feed(STATUS[escpos.StatusPage.PAPER], 0)) == b"\x1e"
    assert _bytes(printer.feed(STATUS[escpos.StatusPage.OFFLINE], 0)) == b"\x16"
    printer.set_cover(0, is_open=False)
    printer.feed(escpos.DRAWER_KICK, 0)
    assert _bytes(printer.feed(STATUS[escpos.StatusPage.PRINTER], 0)) == b"\x16"
    assert printer.drawer_kicks == 1
    printer.close_drawer(0)
    assert _bytes(printer.feed(STATUS[escpos.StatusPage.PRINTER], 0)) == b"\x12"


def test_paper_that_ends_holds_the_rest_until_a_roll_is_in() -> None:
    printer = EscPosPrinter(roll_mm=8)
    printer.feed(b"a\nb\nc\nd\n" + escpos.CUT_FULL, 0)
    assert printer.paper == "end"
    assert not printer.receipts
    assert printer.operations_waiting > 0
    printer.load_paper(1000, 1)
    assert printer.receipts[0].to_text() == "a\nb\nc\nd\n"


def test_paper_is_used_by_the_line() -> None:
    printer = EscPosPrinter(roll_mm=1000)
    printer.feed(b"x\n" * 8, 0)
    assert printer.paper_mm == 1000 - 8 * 30 // DOTS_PER_MM


def test_status_is_answered_while_the_cover_is_open_and_printing_waits() -> None:
    printer = EscPosPrinter()
    printer.set_cover(0, is_open=True)
    assert _bytes(printer.feed(b"x\n" + STATUS[escpos.StatusPage.PRINTER], 0)) == b"\x1a"
    assert printer.operations_waiting == 2
    printer.set_cover(1, is_open=False)
    assert printer.operations_waiting == 0


def test_the_buffered_query_is_answered_only_after_all_before_it() -> None:
    printer = EscPosPrinter(roll_mm=0)
    assert printer.feed(b"x\n" + escpos.PAPER_QUERY_BUFFERED, 0) == []
    assert _bytes(printer.load_paper(30_000, 1)) == b"\x00"


def test_clear_and_recover_forgets_what_was_not_printed() -> None:
    printer = EscPosPrinter(roll_mm=0)
    printer.feed(b"old\n" + escpos.CUT_FULL + escpos.CLEAR_AND_RECOVER, 0)
    printer.load_paper(30_000, 1)
    assert _printed(b"new\n", printer) == "new\n"


def test_dle_eot_inside_a_raster_is_a_picture_unless_the_profile_says_otherwise() -> None:
    raster = b"\x1dv0\x00\x03\x00\x01\x00\x10\x04\x01"
    assert EscPosPrinter().feed(raster, 0) == []
    eager = EscPosPrinter(PrinterProfile(realtime_inside_data=True))
    assert _bytes(eager.feed(raster, 0)) == b"\x12"


def test_status_comes_back_by_itself_when_asked_to() -> None:
    printer = EscPosPrinter()
    assert _bytes(printer.feed(b"\x1da\xff", 0)) == b"\x10\x00\x00\x00"
    assert _bytes(printer.set_cover(1, is_open=True)) == b"\x38\x00\x00\x00"
    assert _bytes(printer.set_cover(2, is_open=False)) == b"\x10\x00\x00\x00"


def test_identity_and_an_unknown_command_do_not_stop_the_print() -> None:
    printer = EscPosPrinter()
    assert _bytes(printer.feed(b"\x1dIB", 0)) == b"_TILLWAY\x00"
    assert _printed(b"\x1b\x01\x1f\x02ok\n", printer) == "ok\n"


@pytest.mark.parametrize(
    "command", [b"\x1dz0AA", b"\x1dg00\x14\x00", b"\x1dg20\x14\x00", b"\x1dj\x01"]
)
def test_what_follows_a_command_that_moves_nothing_here_is_not_printed(command: bytes) -> None:
    """Goal: the wait before it is on line again (GS z 0), maintenance counters (GS g), ink (GS j),
    as drivers for Epson's printers send them, leave no letters on the paper."""
    printer = EscPosPrinter()
    assert _printed(b"due " + command + b"12.80\n", printer) == "due 12.80\n"


def test_bytes_beyond_the_buffer_are_counted_and_lost() -> None:
    printer = EscPosPrinter(roll_mm=0)
    for _ in range(300):
        printer.feed(b"x" * 1024 + b"\n", 0)
    assert printer.overrun_bytes > 0
    assert printer._buffer.used_bytes <= 256 * 1024


def test_a_receipt_nobody_cuts_is_torn_off() -> None:
    printer = EscPosPrinter(roll_mm=300_000)
    printer.feed(b"x\n" * 3000, 0)
    assert printer.receipts[0].cut == "torn"


def test_json_says_the_same_as_the_paper() -> None:
    printer = EscPosPrinter()
    printer.feed(b"a\n" + escpos.qr_code(b"q") + escpos.feed(2) + escpos.CUT_FULL, 7)
    told: Any = printer.receipts[0].to_json()
    assert told["text"] == "a\n[QR q]\n\n"
    assert [block["kind"] for block in told["blocks"]] == ["text", "qr", "blank"]
    kinds = [type(block) for block in printer.receipts[0].blocks]
    assert kinds == [TextLine, QrCode, Blank]


def test_a_profile_that_does_not_exist_and_an_absurd_roll_are_refused() -> None:
    with pytest.raises(CallerError):
        PrinterProfile("arabic")
    with pytest.raises(CallerError):
        EscPosPrinter().load_paper(-1, 0)
