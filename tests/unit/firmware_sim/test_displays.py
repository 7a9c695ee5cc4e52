"""Goal: the displays show what their manuals say, in virtual time."""

import io

import pytest
from PIL import Image

from firmware_sim.board_file import board_with
from firmware_sim.devices.displays import Cd5220, EpsonVfd, Led8
from firmware_sim.devices.displays.cd5220 import SCROLL_MS
from firmware_sim.frames import Side
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.display_words import CD5220_WORDS, EPSON_WORDS, LED8_WORDS, Called
from firmware_sim.kinds.registry import KINDS
from protocol.errors import CallerError
from protocol.framing import customer_display
from protocol.framing.customer_display import CD5220_ORDERS, EPSON_ORDERS, LED8_ORDERS

TWENTY = "abcdefghijklmnopqrst"


def _shown(display: EpsonVfd | Cd5220, data: bytes) -> list[str]:
    display.feed(data, 0)
    return [row.rstrip() for row in display.rows]


# -- both families of two rows ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("display", "vertical"), [(EpsonVfd(), b"\x1f\x02"), (Cd5220(), b"\x1b\x12")]
)
def test_text_goes_round_or_pushes_the_rows(display: EpsonVfd | Cd5220, vertical: bytes) -> None:
    text = TWENTY.encode()
    assert _shown(display, b"\x0c" + text + text.upper() + b"12") == ["12" + TWENTY[2:],
                                                                     TWENTY.upper()]  # fmt: skip
    assert _shown(display, b"\x0c" + vertical + text + text.upper() + b"12") == [
        TWENTY.upper(), "12"]  # fmt: skip


@pytest.mark.parametrize("display", [EpsonVfd(), Cd5220()])
def test_the_cursor_moves_and_a_row_is_cleared(display: EpsonVfd | Cd5220) -> None:
    assert _shown(display, b"\x0cAB\x08C\tD\nE\x0bF") == ["FC D", "    E"]
    assert _shown(display, b"\n\x18G") == ["FC D", "G"]
    assert _shown(display, b"\rH") == ["FC D", "H"]


@pytest.mark.parametrize("display", [EpsonVfd(), Cd5220()])
def test_a_cut_of_power_leaves_an_empty_glass(display: EpsonVfd | Cd5220) -> None:
    display.feed(b"A", 0)
    display.boot(1)
    assert _shown(display, b"") == ["", ""]


@pytest.mark.parametrize("display", [EpsonVfd(), Cd5220()])
def test_a_display_that_is_not_selected_hears_nothing(display: EpsonVfd | Cd5220) -> None:
    assert _shown(display, b"\x1b=\x01AB\x0c\x1b@\x1b=\x02C") == ["C", ""]


@pytest.mark.parametrize("order", [b"\x1fT\x0c\x18", b"\x1f^\x0c\x0c", b"\x1fv\x0c", b"\x1fU"])
def test_what_an_order_takes_is_no_order_although_nothing_comes_of_it(order: bytes) -> None:
    """Goal: twelve hours and twenty-four minutes do not clear an Epson's glass."""
    display = EpsonVfd()
    assert _shown(display, b"12.80\n\rDUE" + order) == ["12.80", "DUE"]
    assert display.orders_ignored == 1


# -- Epson ---------------------------------------------------------------------------------------


def test_epson_places_the_cursor_and_ignores_places_there_are_not() -> None:
    display = EpsonVfd()
    assert _shown(display, b"\x1f$\x05\x02X\x1f$\x15\x01Y\x1f$\x01\x03Z") == ["", "    XYZ"]
    assert display.orders_ignored == 2
    assert _shown(display, b"\x1fBQ") == ["", "    XYZ" + " " * 12 + "Q"]
    assert _shown(display, b"\x0b\x1f\nU\x1f\rE") == ["", "U   XYZ" + " " * 12 + "E"]


def test_epson_scrolls_a_full_row_to_the_left() -> None:
    display = EpsonVfd()
    assert _shown(display, b"\x1f\x03" + TWENTY.encode() + b"12") == [TWENTY[2:] + "12", ""]


def test_epson_sets_brightness_blinking_reverse_cursor_and_marks() -> None:
    display = EpsonVfd()
    display.feed(b"\x1fX\x02\x1fX\x07\x1fE\x0a\x1fr\x01\x1fC\x00\x1f#\x01\x03\x1f#\x01\x15", 0)
    assert (display.brightness, display.blink_ms, display.is_reverse) == (2, 500, True)
    assert (display.is_cursor_shown, display.annunciators) == (False, {3})
    display.feed(b"\x1fE\xff\x1f#\x00\x03", 0)
    assert (display.is_dark, display.annunciators, display.orders_ignored) == (True, set(), 2)


def test_epson_has_national_places_code_pages_and_glyphs_of_ones_own() -> None:
    display = EpsonVfd()
    assert _shown(display, b"\x1bR\x02[\x1bR\x00[\x1bt\x10\x80\x1b&\x01AA\x01\xff\x1b%\x01A") == [
        "Ä[€\N{WHITE SQUARE}", ""]  # fmt: skip


def test_epson_shows_what_python_escpos_sends_to_a_line_display() -> None:
    display = EpsonVfd()
    from escpos.printer import Dummy

    printer = Dummy()
    printer.linedisplay("Total 12.80")
    assert _shown(display, printer.output) == ["Total 12.80", ""]
    assert not display.is_selected


# -- CD5220 --------------------------------------------------------------------------------------


def test_cd5220_writes_rows_and_then_hears_only_clear_cancel_and_rows() -> None:
    display = Cd5220()
    assert _shown(display, b"\x1bQAUP\r\x1bQBLOW\r") == ["UP", "LOW"]
    assert _shown(display, b"XYZ\x1b@\x1bl\x01\x02\x0b") == ["UP", "LOW"]
    assert display.is_string_mode
    assert _shown(display, b"\x1bQBNEW\r") == ["UP", "NEW"]
    assert _shown(display, b"\x18A") == ["A", "NEW"]
    assert _shown(display, b"\x1bQAUP\r\x0cB") == ["B", ""]


def test_cd5220_runs_a_text_until_anything_else_is_heard() -> None:
    display = Cd5220()
    display.feed(b"\x1bQDVisit our deli for weekly specials!\r", 0)
    assert display.rows[0] == "Visit our deli for w"
    assert display.next_deadline_ms() == SCROLL_MS
    display.poll(SCROLL_MS)
    assert display.rows[0] == "isit our deli for we"
    assert _shown(display, b"A") == ["A", ""]
    assert display.next_deadline_ms() is None


def test_cd5220_scrolls_within_its_window() -> None:
    display = Cd5220()
    window = b"\x1bW\x01\x05\x0a\x01\x1b\x13"
    assert _shown(display, window + b"VIEWPORTTEXT") == ["    RTTEXT", ""]
    assert _shown(display, b"\x1bW\x01\x0a\x05\x01") == ["    RTTEXT", ""]
    assert display.orders_ignored == 1


def test_cd5220_starts_as_its_clients_start_it() -> None:
    display = Cd5220()
    display.feed(b"\x1bQAOLD\r", 0)
    display.feed(bytes.fromhex("1B40 0C 1B2A04 1B11 1B5F00"), 0)
    assert _shown(display, b"\x1b[B\x1b[CA\x1b[KZ\x1b[HB\x1b[LC\x1b[RD") == [
        "C" + " " * 18 + "D", " A" + " " * 17 + "Z"]  # fmt: skip
    assert not display.is_cursor_shown


# -- LED8 ----------------------------------------------------------------------------------------


def test_led8_shows_digits_and_a_lamp() -> None:
    display = Led8()
    display.feed(b"\x1bQA12.30\r\x1bs2", 0)
    assert (display.rows, display.lamp) == (["    12.30"], "total")
    display.feed(b"\x0c", 0)
    assert (display.digits, display.lamp) == ("", "total")


@pytest.mark.parametrize("wrong", [b"123456789", b"1A", b"..1", b".1"])
def test_led8_never_shows_a_part_of_an_amount(wrong: bytes) -> None:
    display = Led8()
    display.feed(b"\x1bQA1.00\r\x1bQA" + wrong + b"\r\x1bs9", 0)
    assert display.digits == "1.00"
    assert display.orders_ignored == 2


# -- on a board ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "picture", "right"),
    [
        ("epson_vfd", customer_display.epson_rows("A", "B"), {"upper": "A", "lower": "B"}),
        ("cd5220", customer_display.cd5220_rows("A", "B"), {"upper": "A", "lower": "B"}),
        ("led8", customer_display.led8_digits("1.5", 4), {"digits": "1.5", "lamp": "change"}),
    ],
)
def test_on_a_board_a_display_is_written_to_read_and_drawn(
    kind: str, picture: bytes, right: dict[str, str]
) -> None:
    with VirtualBoard(board_with(kind)) as board:
        [name] = board.board.links
        board.send(name, picture)
        board.pass_time(500)
        board.do(name, "look", **right)
        with pytest.raises(CallerError, match="shows"):
            board.do(name, "look")
        png = board.board.picture(name, "screen")
    with Image.open(io.BytesIO(png)) as drawn:
        assert drawn.width > 200
        assert len(drawn.getcolors(100_000) or ()) > 2


def test_a_displays_orders_are_read_frame_by_frame() -> None:
    said = customer_display.cd5220_rows("A", "B") + b"Hi\x1b\x01"
    frames = KINDS["cd5220"].decoder().feed(Side.HOST, said)
    assert [frame.name for frame in frames] == [
        "clear", "init", "cursor", "upper_row", "lower_row", "text", "1b01"]  # fmt: skip
    assert frames[2].fields == {"is_shown": 0}
    assert frames[3].fields == {"text": "A".ljust(20)}
    assert not frames[-1].is_valid


@pytest.mark.parametrize(
    ("orders", "words"),
    [(EPSON_ORDERS, EPSON_WORDS), (CD5220_ORDERS, CD5220_WORDS), (LED8_ORDERS, LED8_WORDS)],
)
def test_every_order_of_a_family_has_a_word_that_names_as_many_bytes_as_it_has(
    orders: dict[bytes, int], words: dict[bytes, Called]
) -> None:
    assert set(orders) <= set(words)
    for code, count in orders.items():
        named = len(words[code].args)
        assert named in ({count, 0} if count >= 0 else {0, 1}), code
