"""Checks of an ESC/POS printer (Epson ESC/POS command reference, by command).

The checks print a few lines of paper. A printer that cannot cut, or has no drawer, fails those.
"""

from collections.abc import Callable
from dataclasses import replace

from firmware_sim.conformance.check import Check, Person, Wire, expect
from protocol.framing import escpos
from protocol.framing.escpos import StatusPage

REPLY_S = 1.0
PRINT_S = 5.0
QUIET_S = 0.2
SETTLE_S = 0.1
_FIXED_AUTO_MASK, _FIXED_AUTO = 0x93, 0x10
_AUTO_OFF = b"\x1da\x00"
_AUTO_ALL = b"\x1da\xff"
_DRAWER_CLOSED_DIFFERS = 0x04


def _status(wire: Wire, page: StatusPage) -> int:
    wire.drain(0.02)
    wire.send(escpos.status_query(page))
    answer = wire.receive(1, REPLY_S)
    is_status = len(answer) == 1 and escpos.is_status(answer[0])
    expect(is_status, f"one byte 0xx1xx10 for DLE EOT {page}", answer)
    return answer[0]


def _printed(wire: Wire, paper: bytes) -> None:
    """Print, and see from the buffered answer that it has been printed."""
    wire.drain(0.02)
    wire.send(escpos.INIT + paper + escpos.PAPER_QUERY_BUFFERED)
    answer = wire.receive(1, PRINT_S)
    expect(len(answer) == 1 and answer[0] & 0x90 == 0, "the answer 0xx0xxxx to GS r 1", answer)


def _page_check(page: StatusPage) -> Callable[[Wire, Person], None]:
    def run(wire: Wire, _: Person) -> None:
        _status(wire, page)

    return run


def _is_ready(wire: Wire, _: Person) -> None:
    printer = _status(wire, StatusPage.PRINTER)
    expect(
        not printer & escpos.PRINTER_OFFLINE, "an on-line printer, paper in, cover shut", printer
    )


def _reset_is_silent(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(escpos.INIT)
    said = wire.receive(1, QUIET_S)
    expect(said == b"", "no answer to ESC @", said)
    _status(wire, StatusPage.PRINTER)


def _answers_in_order(wire: Wire, _: Person) -> None:
    _printed(wire, escpos.line("Tillway: GS r"))


def _says_paper_alike(wire: Wire, _: Person) -> None:
    now = _status(wire, StatusPage.PAPER)
    wire.send(escpos.PAPER_QUERY_BUFFERED)
    answer = wire.receive(1, PRINT_S)
    expect(len(answer) == 1, "one byte for GS r 1", answer)
    is_near = bool(now & escpos.PAPER_NEAR_END)
    expect(bool(answer[0] & 0x03) == is_near, f"near end {is_near}, as DLE EOT 4 says", answer)


def _status_within_text(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(b"Tillway: DLE EOT with" + escpos.status_query(StatusPage.PRINTER) + b"in a line\n")
    answer = wire.receive(1, REPLY_S)
    expect(len(answer) == 1 and escpos.is_status(answer[0]), "a status byte at once", answer)


def _status_in_pieces(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    for value in escpos.status_query(StatusPage.PRINTER):
        wire.send(bytes([value]))
        wire.pause(0.02)
    answer = wire.receive(1, REPLY_S)
    expect(len(answer) == 1 and escpos.is_status(answer[0]), "a status byte", answer)


def _questions_in_a_row(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(b"".join(map(escpos.status_query, StatusPage)))
    answers = wire.receive(len(StatusPage), REPLY_S)
    are_all = len(answers) == len(StatusPage) and all(map(escpos.is_status, answers))
    expect(are_all, "four status bytes", answers)


def _auto_status(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    try:
        wire.send(_AUTO_ALL)
        said = wire.receive(4, REPLY_S)
        is_auto = len(said) == 4 and said[0] & _FIXED_AUTO_MASK == _FIXED_AUTO
        expect(is_auto, "four bytes, the first 0xx1xx00, for GS a", said)
    finally:
        wire.send(_AUTO_OFF)
        wire.drain(SETTLE_S)


def _auto_status_off(wire: Wire, _: Person) -> None:
    wire.send(_AUTO_OFF)
    said = wire.drain(QUIET_S)
    expect(said == b"", "no answer to GS a 0", said)


def _knows_its_maker(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(b"\x1dIB")
    said = wire.drain(SETTLE_S)
    is_text = len(said) >= 3 and said[0] == 0x5F and said[-1] == 0
    expect(is_text, "5F, the maker's name, 00 for GS I 66", said)


def _prints_chinese(wire: Wire, _: Person) -> None:
    _printed(wire, escpos.CHINESE_ON + escpos.line("Tillway: 中文") + escpos.CHINESE_OFF)


def _prints_a_code(wire: Wire, _: Person) -> None:
    _printed(wire, escpos.qr_code(b"TILLWAY-CHECK") + escpos.line())


def _measures_a_code(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    stored = escpos.qr_code(b"TILLWAY-CHECK")[:-8]  # all but the command to print
    wire.send(escpos.INIT + stored + b"\x1d(k\x03\x001R0")
    said = wire.drain(SETTLE_S)
    edges = said[2:-1].split(b"\x1f")
    is_size = said[:2] == b"\x37\x36" and said[-1:] == b"\x00" and len(edges) == 4
    expect(is_size, "37 36, width 1F height 1F 1 1F flag, 00", said)
    expect(edges[0] == edges[1] and edges[0].isdigit(), "a square", said)


def _takes_a_picture(wire: Wire, _: Person) -> None:
    """Its length is known, so what follows it is a command again."""
    _printed(wire, b"\x1dv0\x00\x08\x00\x08\x00" + b"\x18" * 64 + escpos.line("Tillway: GS v 0"))


def _takes_columns(wire: Wire, _: Person) -> None:
    _printed(wire, b"\x1b*\x21\x18\x00" + b"\xff\x00\xff" * 24 + b"\n")


def _cuts(wire: Wire, _: Person) -> None:
    _printed(wire, escpos.feed(4) + escpos.CUT_PARTIAL)
    error = _status(wire, StatusPage.ERROR)
    expect(not error & escpos.ERROR_CUTTER, "no cutter fault", error)


def _sees_the_cover(wire: Wire, person: Person) -> None:
    person.do("open_cover")
    try:
        wire.pause(SETTLE_S)
        printer, offline = _status(wire, StatusPage.PRINTER), _status(wire, StatusPage.OFFLINE)
        expect(bool(printer & escpos.PRINTER_OFFLINE), "off line while the cover is open", printer)
        expect(bool(offline & escpos.OFFLINE_COVER), "the cover's bit", offline)
    finally:
        person.do("close_cover")
    wire.pause(SETTLE_S)
    printer = _status(wire, StatusPage.PRINTER)
    expect(not printer & escpos.PRINTER_OFFLINE, "on line again", printer)


def _tells_of_the_cover(wire: Wire, person: Person) -> None:
    try:
        wire.send(_AUTO_ALL)
        wire.drain(SETTLE_S)
        person.do("open_cover")
        said = wire.receive(4, REPLY_S)
        is_told = len(said) == 4 and bool(said[0] & 0x20)
        expect(is_told, "four bytes with the cover's bit, unasked", said)
    finally:
        person.do("close_cover")
        wire.drain(SETTLE_S)
        wire.send(_AUTO_OFF)
        wire.drain(SETTLE_S)


def _opens_the_drawer(wire: Wire, person: Person) -> None:
    person.do("close_drawer")
    wire.pause(SETTLE_S)
    shut = _status(wire, StatusPage.PRINTER)
    wire.send(escpos.DRAWER_KICK)
    wire.pause(0.3)
    opened = _status(wire, StatusPage.PRINTER)
    person.do("close_drawer")
    expect((shut ^ opened) == _DRAWER_CLOSED_DIFFERS, f"{shut:#04x} with bit 2 changed", opened)


def _check(name: str, title: str, clause: str, run: Callable[[Wire, Person], None]) -> Check:
    return Check(f"escpos.{name}", title, f"ESC/POS, {clause}", run)


def _by_hand(name: str, title: str, clause: str, run: Callable[[Wire, Person], None]) -> Check:
    return replace(_check(name, title, clause, run), needs_person=True)


CHECKS = (
    _check("status_printer", "says how it is", "DLE EOT 1", _page_check(StatusPage.PRINTER)),
    _check("status_offline", "says why it is off line", "DLE EOT 2",
           _page_check(StatusPage.OFFLINE)),
    _check("status_error", "says what is wrong", "DLE EOT 3", _page_check(StatusPage.ERROR)),
    _check("status_paper", "says how much paper there is", "DLE EOT 4",
           _page_check(StatusPage.PAPER)),
    _check("ready", "is ready", "DLE EOT 1", _is_ready),
    _check("reset", "is silent at a reset", "ESC @", _reset_is_silent),
    _check("status_row", "answers four questions in a row", "DLE EOT", _questions_in_a_row),
    _check("status_pieces", "takes a question byte by byte", "DLE EOT", _status_in_pieces),
    _check("status_in_text", "answers in the middle of a line", "DLE EOT", _status_within_text),
    _check("buffered", "answers when it has printed", "GS r", _answers_in_order),
    _check("paper", "says the same of paper at once and in order", "GS r", _says_paper_alike),
    _check("auto", "tells its status when told to", "GS a", _auto_status),
    _check("auto_off", "is silent when told to be", "GS a", _auto_status_off),
    _check("maker", "knows its maker", "GS I", _knows_its_maker),
    _check("chinese", "goes on after Chinese words", "FS &", _prints_chinese),
    _check("qr", "goes on after a QR code", "GS ( k, 181", _prints_a_code),
    _check("qr_size", "says how large a QR code is", "GS ( k, 182", _measures_a_code),
    _check("raster", "goes on after a picture", "GS v 0", _takes_a_picture),
    _check("columns", "goes on after a column image", "ESC *", _takes_columns),
    _check("cut", "cuts without a fault", "GS V", _cuts),
    _by_hand("cover", "sees its cover", "DLE EOT 2", _sees_the_cover),
    _by_hand("cover_told", "tells of its cover unasked", "GS a", _tells_of_the_cover),
    _by_hand("drawer", "opens the drawer and sees it", "ESC p", _opens_the_drawer),
)  # fmt: skip
