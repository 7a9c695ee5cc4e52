"""What each order of a customer display is called on the wire's timeline, and its arguments.

Rule 1: an order that is not here keeps its bytes as its name, and its arguments stay bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.framing.customer_display import CLEAR, CR, INIT


@dataclass(frozen=True, slots=True)
class Called:
    """An order's name; ``args`` name its single bytes, or ``text`` alone all of them."""

    name: str
    args: tuple[str, ...] = ()


TEXT = ("text",)
_CONTROLS = {
    INIT: Called("init"),
    CLEAR: Called("clear"),
    CR: Called("row_start"),
    b"\x08": Called("left"),
    b"\t": Called("right"),
    b"\n": Called("down"),
    b"\x0b": Called("home"),
    b"\x18": Called("clear_row"),
}
BEGINS = frozenset({"init", "clear"})
"""Both, in whichever order: after them there is nothing of the last picture."""
_GLYPHS = {
    b"\x1b=": Called("select", ("device",)),
    b"\x1b%": Called("own_glyphs", ("is_on",)),
    b"\x1b?": Called("forget_glyph", ("character",)),
    b"\x1b&": Called("define_glyphs"),
}
EPSON_WORDS: Mapping[bytes, Called] = {
    **_CONTROLS, **_GLYPHS,
    b"\x1bt": Called("code_page", ("page",)), b"\x1bR": Called("nation", ("nation",)),
    b"\x1bW": Called("window"), b"\x1f\n": Called("up"), b"\x1f\r": Called("row_end"),
    b"\x1fB": Called("bottom"), b"\x1f$": Called("move_to", ("column", "row")),
    b"\x1fC": Called("cursor", ("is_shown",)), b"\x1fX": Called("brightness", ("level",)),
    b"\x1fE": Called("blink", ("step",)), b"\x1f\x01": Called("mode_overwrite"),
    b"\x1f\x02": Called("mode_vertical"), b"\x1f\x03": Called("mode_horizontal"),
    b"\x1fr": Called("reverse", ("is_on",)), b"\x1f#": Called("annunciator", ("is_on", "place")),
    b"\x1f@": Called("self_test"), b"\x1fT": Called("set_clock", ("hour", "minute")),
    b"\x1fU": Called("show_clock"), b"\x1f:": Called("define_macro"),
    b"\x1f^": Called("run_macro", ("pause", "times")), b"\x1fv": Called("line_signal", ("is_on",)),
}  # fmt: skip
CD5220_WORDS: Mapping[bytes, Called] = {
    **_CONTROLS, **_GLYPHS,
    b"\x1bQA": Called("upper_row", TEXT), b"\x1bQB": Called("lower_row", TEXT),
    b"\x1bQD": Called("running_text", TEXT), b"\x1bl": Called("move_to", ("column", "row")),
    b"\x1b*": Called("brightness", ("level",)), b"\x1b_": Called("cursor", ("is_shown",)),
    b"\x1b\x11": Called("mode_overwrite"), b"\x1b\x12": Called("mode_vertical"),
    b"\x1b\x13": Called("mode_horizontal"),
    b"\x1bW": Called("window", ("is_on", "first", "last", "row")),
    b"\x1bf": Called("nation", ("nation",)), b"\x1bc": Called("code_table", ("table",)),
    b"\x1bs": Called("memory", ("place",)), b"\x1b[A": Called("up"), b"\x1b[B": Called("down"),
    b"\x1b[C": Called("right"), b"\x1b[D": Called("left"), b"\x1b[H": Called("home"),
    b"\x1b[L": Called("row_start"), b"\x1b[R": Called("row_end"), b"\x1b[K": Called("bottom"),
}  # fmt: skip
LED8_WORDS: Mapping[bytes, Called] = {
    **_CONTROLS,
    b"\x1bQA": Called("digits", TEXT),
    b"\x1bs": Called("lamp", TEXT),
}
