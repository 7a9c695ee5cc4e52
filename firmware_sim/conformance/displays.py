"""Checks of customer displays: Epson's DM-D, the CD5220, the LED8.

None of them answers, so each check writes something and somebody looks. Nothing is kept in them.
"""

from collections.abc import Callable

from firmware_sim.conformance.check import Check, CheckFailedError, Person, Wire
from protocol.framing import customer_display

SETTLE_S = 0.5
_TWENTY = b"ABCDEFGHIJKLMNOPQRST"
_CLEAN = b"\x1b@\x0c"


def _rows(
    order: bytes, upper: str = "", lower: str = "", *, clean: bytes = _CLEAN
) -> Callable[[Wire, Person], None]:
    """A check that writes to a clean display and has both rows read."""

    def run(wire: Wire, person: Person) -> None:
        wire.send(clean + order)
        wire.pause(SETTLE_S)
        if not person.sees("look", upper=upper, lower=lower):
            raise CheckFailedError(f"the rows {upper!r} and {lower!r}")
        wire.send(clean)

    return run


def _digits(order: bytes, digits: str, lamp: str) -> Callable[[Wire, Person], None]:
    def run(wire: Wire, person: Person) -> None:
        wire.send(_CLEAN + b"\x1bs0" + order)
        wire.pause(SETTLE_S)
        if not person.sees("look", digits=digits, lamp=lamp):
            raise CheckFailedError(f"{digits!r} and the lamp {lamp}")
        wire.send(_CLEAN + b"\x1bs0")

    return run


def _checks(
    kind: str, document: str, rows: tuple[tuple[str, str, Callable[[Wire, Person], None]], ...]
) -> tuple[Check, ...]:
    return tuple(
        Check(f"{kind}.{name}", title, document, run, needs_person=True)
        for name, title, run in rows
    )


_CD_CLEAN = b"\x0c\x1b@\x0c"
_FULL = _TWENTY + _TWENTY.lower()
_UPPER, _LOWER = _TWENTY.decode(), _TWENTY.decode().lower()

EPSON_VFD_CHECKS = _checks(
    "epson_vfd",
    "Epson DM-D110 command reference",
    (
        ("text", "writes text from the upper left", _rows(b"HELLO", "HELLO")),
        ("wrap", "goes on in the lower row", _rows(_FULL, _UPPER, _LOWER)),
        ("round", "begins again above", _rows(_FULL + b"12", "12" + _UPPER[2:], _LOWER)),
        ("clear", "is cleared", _rows(b"HELLO\x0cX", "X")),
        ("clear_row", "clears one row", _rows(b"A\nB\x18C", "A", "C")),
        ("home", "goes home", _rows(b"HELLO\x0bJ", "JELLO")),
        ("place", "goes to a column and row", _rows(b"\x1f$\x05\x02X", "", "    X")),
        ("no_place", "ignores a place there is not", _rows(b"A\x1f$\x15\x01B", "AB")),
        ("left_right", "steps left and right", _rows(b"AB\x08C\tD", "AC D")),
        ("row_ends", "goes to both ends of a row", _rows(b"AB\rC\x1f\rD", "CB" + " " * 17 + "D")),
        ("bottom", "goes to the lower right", _rows(b"\x1fBZ", "", " " * 19 + "Z")),
        ("vertical", "pushes the rows up", _rows(b"\x1f\x02" + _FULL + b"12", _LOWER, "12")),
        ("horizontal", "moves a full row left",
         _rows(b"\x1f\x03" + _TWENTY + b"12", _UPPER[2:] + "12")),
        ("select", "is deaf while another is selected", _rows(b"A\x1b=\x01B\x1b=\x02C", "AC")),
        ("national", "has national characters", _rows(b"\x1bR\x02[\x1bR\x00[", "Ä[")),
    ),
)  # fmt: skip
CD5220_CHECKS = _checks(
    "cd5220",
    "CD5220 user's manual",
    (
        ("text", "writes text from the upper left", _rows(b"HELLO", "HELLO", clean=_CD_CLEAN)),
        ("wrap", "goes on in the lower row", _rows(_FULL, _UPPER, _LOWER, clean=_CD_CLEAN)),
        ("clear", "is cleared", _rows(b"HELLO\x0cX", "X", clean=_CD_CLEAN)),
        ("clear_row", "clears one row", _rows(b"A\nB\x18C", "A", "C", clean=_CD_CLEAN)),
        ("rows", "writes whole rows",
         _rows(b"\x1bQAUP\r\x1bQBLOW\r", "UP", "LOW", clean=_CD_CLEAN)),
        ("string_mode", "hears no text after a whole row",
         _rows(b"\x1bQAUP\rXYZ\x1bl\x01\x02W", "UP", clean=_CD_CLEAN)),
        ("string_end", "hears text again after CLR",
         _rows(b"\x1bQAUP\r\x0cX", "X", clean=_CD_CLEAN)),
        ("run_end", "stops a running text at the next order",
         _rows(b"\x1bQDRUNNING\rX", "X", clean=_CD_CLEAN)),
        ("place", "goes to a column and row",
         _rows(b"\x1bl\x05\x02X", "", "    X", clean=_CD_CLEAN)),
        ("moves", "moves as the arrows say",
         _rows(b"A\x1b[B\x1b[CB\x1b[HC\x1b[KD", "C", "  B" + " " * 16 + "D", clean=_CD_CLEAN)),
        ("vertical", "pushes the rows up",
         _rows(b"\x1b\x12" + _FULL + b"12", _LOWER, "12", clean=_CD_CLEAN)),
        ("window", "scrolls within a window",
         _rows(b"\x1bW\x01\x05\x0a\x01\x1b\x13VIEWPORT", "    EWPORT", clean=_CD_CLEAN)),
    ),
)  # fmt: skip
LED8_CHECKS = _checks(
    "led8",
    "LED8 customer display orders",
    (
        ("amount", "shows an amount", _digits(b"\x1bQA12.30\r", "12.30", "none")),
        ("whole", "shows eight digits", _digits(b"\x1bQA12345678\r", "12345678", "none")),
        ("point", "shows eight digits and a point",
         _digits(b"\x1bQA123456.78\r", "123456.78", "none")),
        ("replace", "shows the last amount", _digits(b"\x1bQA1.00\r\x1bQA2.00\r", "2.00", "none")),
        ("clear", "is cleared", _digits(b"\x1bQA1.00\r\x0c", "", "none")),
        ("minus", "shows a minus", _digits(b"\x1bQA-5.00\r", "-5.00", "none")),
        ("unit_price", "lights the unit price", _digits(b"\x1bQA1\r\x1bs1", "1", "unit_price")),
        ("total", "lights the total", _digits(b"\x1bQA1\r\x1bs2", "1", "total")),
        ("received", "lights what was received", _digits(b"\x1bQA1\r\x1bs3", "1", "received")),
        ("change", "lights the change", _digits(b"\x1bQA1\r\x1bs4", "1", "change")),
        ("lamp_off", "puts the lamp out", _digits(b"\x1bQA1\r\x1bs2\x1bs0", "1", "none")),
        ("init", "starts anew", _digits(b"\x1bQA1\r\x1bs2" + customer_display.INIT, "", "none")),
    ),
)  # fmt: skip
