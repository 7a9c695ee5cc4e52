"""Goal: what a printer does beside printing: time, full buffers, faults, the drawer, the button."""

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.escpos import DOTS_PER_MM, EscPosPrinter, PrinterProfile
from firmware_sim.devices.escpos.printer import CUT_MS
from protocol.errors import CallerError
from protocol.framing import escpos

XON, XOFF = b"\x11", b"\x13"
STATUS = {page: escpos.status_query(page) for page in escpos.StatusPage}
SLOW = PrinterProfile(speed_mm_s=100, buffer_bytes=4096)
LINE_MS = 38
"""30 dots at 100 mm/s."""


def _said(outputs: list[Output]) -> bytes:
    return b"".join(output.payload for output in outputs)


def _ask(printer: EscPosPrinter, page: escpos.StatusPage, now_ms: int = 0) -> int:
    [answer] = printer.feed(STATUS[page], now_ms)
    return answer.payload[0]


# -- time ------------------------------------------------------------------------------------------


def test_paper_moves_at_the_speed_of_the_head() -> None:
    printer = EscPosPrinter(SLOW)
    printer.feed(b"a\nb\nc\n", 0)
    left = 30_000 * DOTS_PER_MM - 30
    assert printer.mechanism.paper_dots == left
    assert printer.next_deadline_ms() == LINE_MS
    printer.poll(LINE_MS - 1)
    assert printer.mechanism.paper_dots == left
    printer.poll(LINE_MS)
    assert printer.mechanism.paper_dots == left - 30


def test_the_buffered_answer_comes_when_all_before_it_is_on_paper() -> None:
    printer = EscPosPrinter(SLOW)
    assert printer.feed(b"a\nb\n" + escpos.PAPER_QUERY_BUFFERED, 0) == []
    assert printer.poll(LINE_MS) == []
    [answer] = printer.poll(2 * LINE_MS)
    assert (answer.payload, answer.at_ms) == (b"\x00", 2 * LINE_MS + 1)


def test_a_cut_takes_its_time() -> None:
    printer = EscPosPrinter(SLOW)
    printer.feed(b"a" + escpos.CUT_FULL + b"b", 0)
    assert printer.receipts_cut == 1
    assert printer.next_deadline_ms() == LINE_MS + CUT_MS


def test_real_time_status_is_answered_while_the_head_is_busy() -> None:
    printer = EscPosPrinter(SLOW)
    printer.feed(b"a\n" * 10, 0)
    [answer] = printer.feed(STATUS[escpos.StatusPage.PRINTER], 5)
    assert (answer.payload, answer.at_ms) == (b"\x12", 6)


# -- a full buffer -------------------------------------------------------------------------------


def test_a_host_that_heeds_xoff_loses_nothing() -> None:
    printer = EscPosPrinter(PrinterProfile(speed_mm_s=200, buffer_bytes=1024, flow="xonxoff"))
    words = b"".join(b"line %04d\n" % number for number in range(300)) + escpos.CUT_FULL
    now_ms, sent, may_send, stops = 0, 0, True, 0
    while sent < len(words) or printer.operations_waiting:
        outputs = printer.poll(now_ms)
        if may_send and sent < len(words):
            outputs += printer.feed(words[sent : sent + 16], now_ms)
            sent += 16
        for output in outputs:
            assert output.payload in (XON, XOFF)
            may_send = output.payload == XON
            stops += output.payload == XOFF
        now_ms += 5
    assert stops > 1
    assert printer.overrun_bytes == 0
    assert printer.receipts[0].to_text().count("\n") == 300


def test_a_host_that_does_not_heed_it_loses_whole_operations_and_they_are_counted() -> None:
    printer = EscPosPrinter(PrinterProfile(speed_mm_s=100, buffer_bytes=1024, flow="dtr"))
    outputs = [out for _ in range(40) for out in printer.feed(b"x" * 47 + b"\n", 0)]
    assert outputs == []  # the line speaks, not bytes
    assert printer.is_busy
    assert printer.overrun_bytes >= 47
    while (due := printer.next_deadline_ms()) is not None:
        printer.poll(due)
    assert not printer.is_busy


def test_a_picture_larger_than_the_buffer_is_printed_while_it_arrives() -> None:
    printer = EscPosPrinter(PrinterProfile(buffer_bytes=1024))
    printer.feed(b"\x1dv0\x00\x48\x00\xff\x00" + bytes(72 * 255) + escpos.CUT_FULL, 0)
    assert printer.overrun_bytes == 0
    assert printer.receipts[0].length_dots == 255


def test_an_open_cover_makes_a_printer_busy_where_its_switch_says_so() -> None:
    profile = PrinterProfile(flow="xonxoff", is_busy_off_line=True)
    printer = EscPosPrinter(profile)
    assert _said(printer.set_cover(0, is_open=True)) == XOFF
    assert _said(printer.set_cover(1, is_open=False)) == XON
    assert EscPosPrinter().set_cover(0, is_open=True) == []


# -- faults ----------------------------------------------------------------------------------------


def test_a_jammed_cutter_stops_the_printer_until_it_is_freed_and_told() -> None:
    printer = EscPosPrinter()
    printer.by_hand(lambda part: part.jam_blade(is_jammed=True), 0)
    assert printer.is_online
    printer.feed(b"paid\n" + escpos.CUT_FULL + b"next\n" + escpos.CUT_FULL, 0)
    assert printer.receipts_cut == 0
    assert _ask(printer, escpos.StatusPage.PRINTER) == 0x3A
    assert _ask(printer, escpos.StatusPage.OFFLINE) == 0x52
    assert _ask(printer, escpos.StatusPage.ERROR) == 0x1A
    printer.feed(b"\x10\x05\x01", 1)
    assert printer.receipts_cut == 0
    printer.by_hand(lambda part: part.jam_blade(is_jammed=False), 2)
    assert printer.receipts_cut == 0
    printer.feed(b"\x10\x05\x01", 3)
    assert [receipt.to_text() for receipt in printer.receipts] == ["paid\n", "next\n"]


def test_recovery_by_clearing_forgets_the_cut() -> None:
    printer = EscPosPrinter()
    printer.by_hand(lambda part: part.jam_blade(is_jammed=True), 0)
    printer.feed(b"paid\n" + escpos.CUT_FULL, 0)
    printer.by_hand(lambda part: part.jam_blade(is_jammed=False), 1)
    printer.feed(escpos.CLEAR_AND_RECOVER, 2)
    assert (printer.is_online, printer.operations_waiting, printer.receipts_cut) == (True, 0, 0)


def test_a_hot_head_waits_and_goes_on_by_itself() -> None:
    printer = EscPosPrinter()
    printer.by_hand(lambda part: part.overheat(5000), 0)
    printer.feed(b"paid\n" + escpos.CUT_FULL, 100)
    assert _ask(printer, escpos.StatusPage.ERROR, 200) == 0x52
    assert printer.receipts_cut == 0
    assert printer.next_deadline_ms() == 5000
    printer.poll(5000)
    assert printer.receipts_cut == 1


def test_a_broken_printer_is_mended_by_power_only() -> None:
    printer = EscPosPrinter()
    printer.by_hand(lambda part: part.break_down(), 0)
    printer.feed(b"\x10\x05\x01\x10\x05\x02", 0)
    assert _ask(printer, escpos.StatusPage.ERROR) == 0x32
    printer.boot(1)
    assert printer.is_online


def test_power_takes_what_was_not_on_paper_and_every_setting() -> None:
    printer = EscPosPrinter(roll_mm=1000)
    printer.feed(b"\x1da\xff\x1b=\x02", 0)
    printer.boot(1)
    printer.set_cover(2, is_open=True)
    printer.feed(b"lost\n", 3)
    assert printer.boot(4) == []
    assert printer.set_cover(5, is_open=False) == []
    printer.feed(b"kept\n" + escpos.CUT_FULL, 6)
    assert printer.receipts[0].to_text() == "kept\n"


def test_paper_already_printed_outlives_power() -> None:
    printer = EscPosPrinter(PrinterProfile(flow="xonxoff"))
    printer.feed(b"before\nhalf", 0)
    assert _said(printer.boot(1)) == XON
    printer.feed(b"after\n" + escpos.CUT_FULL, 2)
    assert printer.receipts[0].to_text() == "before\nafter\n"


# -- what it tells ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "is_told"), [(0x01, False), (0x02, True), (0x04, False), (0x08, False), (0xFF, True)]
)
def test_only_changes_that_the_mask_names_are_told(mask: int, is_told: bool) -> None:
    printer = EscPosPrinter()
    printer.feed(b"\x1da" + bytes([mask]), 0)
    assert bool(printer.set_cover(1, is_open=True)) is is_told


def test_status_is_no_longer_told_when_switched_off() -> None:
    printer = EscPosPrinter()
    printer.feed(b"\x1da\xff\x1da\x00", 0)
    assert printer.set_cover(1, is_open=True) == []


def test_every_change_has_its_bits_in_the_four_bytes() -> None:
    printer = EscPosPrinter(roll_mm=500)
    assert _said(printer.feed(b"\x1da\xff", 0)) == b"\x10\x00\x03\x00"
    assert _said(printer.feed(escpos.DRAWER_KICK, 1)) == b"\x14\x00\x03\x00"
    assert _said(printer.close_drawer(2)) == b"\x10\x00\x03\x00"
    assert _said(printer.load_paper(0, 3)) == b"\x18\x00\x0f\x00"
    assert _said(printer.load_paper(30_000, 4)) == b"\x10\x00\x00\x00"
    assert _said(printer.by_hand(lambda part: part.overheat(9), 5)) == b"\x18\x40\x00\x00"
    assert _said(printer.poll(9)) == b"\x10\x00\x00\x00"
    assert _said(printer.feed(b"\x10\x14\x07\x01", 10)) == b"\x10\x00\x00\x00"


def test_buffered_questions_of_all_kinds() -> None:
    printer = EscPosPrinter(roll_mm=500)
    assert _said(printer.feed(b"\x1dr1\x1bv\x1dr\x02\x1bu0", 0)) == b"\x03\x03\x00\x00"
    printer.mechanism.drawer.unlock()
    assert _said(printer.feed(b"\x1dr2\x1bu0", 0)) == b"\x01\x01"
    assert _said(printer.feed(b"\x1dI\x01\x1dI2\x1dIC\x1dI\x09", 0)) == b"\x20\x03_TW-80\x00"
    assert _said(printer.feed(b"\x1d(H\x03\x00001\x1d(H\x06\x00001234", 0)) == b'7"1234\x00'


def test_a_number_to_be_given_back_is_given_back_in_order() -> None:
    printer = EscPosPrinter(SLOW)
    assert printer.feed(b"a\n\x1d(H\x06\x0000ab12", 0) == []
    assert _said(printer.poll(LINE_MS)) == b'7"ab12\x00'


def test_the_clear_command_is_answered_and_clears() -> None:
    printer = EscPosPrinter(roll_mm=0)
    printer.feed(b"old\n" + escpos.CUT_FULL, 0)
    assert _said(printer.feed(b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08", 1)) == b"\x37\x25\x00"
    assert printer.operations_waiting == 0
    assert printer.feed(b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x09", 2) == []


def test_an_eager_printer_answers_once_wherever_the_question_is_cut() -> None:
    profile = PrinterProfile(realtime_inside_data=True)
    raster = b"\x1dv0\x00\x06\x00\x01\x00" + STATUS[escpos.StatusPage.PAPER] * 2
    for cut in range(len(raster)):
        eager = EscPosPrinter(profile)
        assert _said(eager.feed(raster[:cut], 0) + eager.feed(raster[cut:], 1)) == b"\x12\x12"


# -- the drawer, the button, the rest --------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "pin", "on_ms", "is_open"),
    [
        (b"\x1bp\x00\x19\x19", 2, 50, True), (b"\x1bp\x01\x19\x19", 5, 50, False),
        (b"\x1bp0\x19\x19", 2, 50, True), (b"\x1bp\x00\x02\x19", 2, 4, False),
        (b"\x10\x14\x01\x00\x02", 2, 200, True), (b"\x10\x14\x01\x01\x08", 5, 800, False),
    ],
)  # fmt: skip
def test_a_pulse_opens_the_drawer_that_is_wired_to_it(
    command: bytes, pin: int, on_ms: int, is_open: bool
) -> None:
    printer = EscPosPrinter(PrinterProfile(drawer_pins=(2,)))
    printer.feed(command, 7)
    [pulse] = printer.mechanism.drawer.pulses
    assert (pulse.at_ms, pulse.pin, pulse.on_ms) == (7, pin, on_ms)
    assert printer.is_drawer_open is is_open


@pytest.mark.parametrize(
    "command", [b"\x1bp\x02\x19\x19", b"\x10\x14\x01\x02\x01", b"\x10\x14\x01\x00\x09"]
)
def test_a_pulse_that_does_not_exist_is_none(command: bytes) -> None:
    printer = EscPosPrinter()
    printer.feed(command, 0)
    assert printer.drawer_kicks == 0


def test_the_real_time_pulse_does_not_wait_for_paper() -> None:
    printer = EscPosPrinter(roll_mm=0)
    printer.feed(escpos.DRAWER_KICK, 0)
    assert not printer.is_drawer_open
    printer.feed(b"\x10\x14\x01\x00\x01", 1)
    assert printer.is_drawer_open


def test_a_drawer_whose_switch_is_the_other_way_round() -> None:
    printer = EscPosPrinter(PrinterProfile(is_drawer_open_high=False))
    assert _ask(printer, escpos.StatusPage.PRINTER) == 0x16
    printer.feed(escpos.DRAWER_KICK, 0)
    assert _ask(printer, escpos.StatusPage.PRINTER) == 0x12


def test_the_feed_button_moves_paper_and_is_seen_while_it_is_held() -> None:
    printer = EscPosPrinter(roll_mm=2000)
    printer.press_feed(0, milliseconds=500)
    assert printer.paper_mm == 1950
    assert _ask(printer, escpos.StatusPage.PRINTER, 100) == 0x5A
    assert _ask(printer, escpos.StatusPage.OFFLINE, 100) == 0x1A
    assert printer.next_deadline_ms() == 500
    assert _ask(printer, escpos.StatusPage.PRINTER, 500) == 0x12


def test_the_host_may_switch_the_button_off() -> None:
    printer = EscPosPrinter(roll_mm=2000)
    printer.feed(b"\x1bc5\x01", 0)
    printer.press_feed(0, milliseconds=500)
    assert printer.paper_mm == 2000
    printer.feed(b"\x1bc5\x00", 1)
    printer.press_feed(1, milliseconds=500)
    assert printer.paper_mm == 1950


def test_a_reset_ends_the_telling_of_what_changes() -> None:
    """Goal: GS a holds until ESC @, with which most receipts begin (Epson's reference, GS a)."""
    printer = EscPosPrinter()
    assert len(_said(printer.feed(b"\x1da\xff", 0))) == 4
    assert len(_said(printer.set_cover(1, is_open=True))) == 4
    printer.set_cover(2, is_open=False)
    printer.feed(b"\x1b@", 3)
    assert printer.set_cover(4, is_open=True) == []


def test_choosing_paper_sensors_does_not_switch_the_button_on_again() -> None:
    """Goal: drivers send ESC c 3 and ESC c 4 behind ESC c 5; only that one and ESC @ are heard."""
    printer = EscPosPrinter(roll_mm=2000)
    printer.feed(b"\x1bc5\x01\x1bc3\x00\x1bc4\x00", 0)
    printer.press_feed(0, milliseconds=500)
    assert (printer.paper_mm, printer.unknown_commands) == (2000, 0)
    printer.feed(b"\x1b@", 1)
    printer.press_feed(1, milliseconds=500)
    assert printer.paper_mm == 1950


@pytest.mark.parametrize(
    "command",
    [b"\x1dr\x61", b"\x1dr\x62", b"\x1dr\x91", b"\x1dI\x61", b"\x1dI\x63", b"\x1dr\x60"],
)
def test_a_number_out_of_range_gets_no_answer(command: bytes) -> None:
    """Goal: 1 and the digit 1 are the same number; 61h is neither of them."""
    assert EscPosPrinter().feed(command, 0) == []


def test_a_drawer_that_there_is_not_is_not_kicked() -> None:
    printer = EscPosPrinter()
    printer.feed(b"\x1bp\x60\x32\x32\x1bp\x61\x32\x32", 0)
    assert (printer.drawer_kicks, printer.is_drawer_open) == (0, False)
    printer.feed(b"\x1bp0\x32\x32", 1)
    assert (printer.drawer_kicks, printer.is_drawer_open) == (1, True)


def test_paper_may_be_torn_off_by_hand() -> None:
    printer = EscPosPrinter()
    printer.feed(b"half a line", 0)
    printer.tear_off(1)
    assert (printer.receipts[0].cut, printer.receipts[0].to_text()) == ("torn", "half a line\n")
    assert printer.paper_mm == 30_000 - 30 // DOTS_PER_MM - 1


def test_a_printer_that_is_not_selected_lets_the_display_have_it_and_answers_in_real_time() -> None:
    printer = EscPosPrinter()
    assert printer.feed(b"\x1b=\x02TOTAL 12.80\x1dr1", 0) == []
    assert _ask(printer, escpos.StatusPage.PRINTER) == 0x12
    printer.feed(b"\x1b=\x01paper\n" + escpos.CUT_FULL, 0)
    assert printer.receipts[0].to_text() == "paper\n"
    assert printer.passed_by_bytes == 14


def test_the_buzzer_is_counted() -> None:
    printer = EscPosPrinter()
    printer.feed(b"\x1bB\x03\x02", 0)
    assert printer.beeps == 3


def test_receipts_with_many_pictures_do_not_fill_the_memory() -> None:
    printer = EscPosPrinter(roll_mm=300_000)
    page = b"\x1dv0\x00\x48\x00\x00\x40" + bytes(72 * 0x4000) + escpos.CUT_FULL
    for _ in range(60):
        printer.feed(page, 0)
        printer.load_paper(300_000, 0)
    assert printer.receipts_cut == 60
    assert sum(receipt.picture_bytes for receipt in printer.receipts) <= 64 * 1024 * 1024


def test_a_switch_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        PrinterProfile(flow="rts")


def test_a_receipt_that_broke_off_anywhere_does_not_spoil_the_next() -> None:
    first = (
        escpos.INIT + escpos.CHINESE_ON + escpos.align(escpos.Align.CENTRE) + escpos.bold(on=True)
        + escpos.size(width=2, height=2) + escpos.line("收银 12.80") + escpos.qr_code(b"q" * 60)
        + escpos.feed(3) + escpos.CUT_PARTIAL
    )  # fmt: skip
    second = escpos.INIT + escpos.line("第二张 second") + escpos.CUT_PARTIAL
    for cut in range(1, len(first), 5):
        printer = EscPosPrinter()
        printer.feed(first[:cut], 0)
        printer.feed(escpos.OUT_OF_ANY_COMMAND + second, 1)
        last = printer.receipts[-1]
        assert last.to_text().endswith("第二张 second\n")
        assert printer.drawer_kicks == 0
