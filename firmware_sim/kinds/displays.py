"""Customer displays on a board: Epson's VFD, the CD5220, and the LED8 digit display."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from firmware_sim.devices.displays import Cd5220, EpsonVfd, Led8
from firmware_sim.devices.displays.led8 import LAMPS
from firmware_sim.frames import JUNK, Frame, Side
from firmware_sim.kinds.display_words import (
    BEGINS,
    CD5220_WORDS,
    EPSON_WORDS,
    LED8_WORDS,
    TEXT,
    Called,
)
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Kind, State
from firmware_sim.rendering.display_png import draw_digits, draw_rows
from protocol.errors import CallerError
from protocol.framing.customer_display import (
    CD5220_ORDERS,
    EPSON_ORDERS,
    LED8_ORDERS,
    Order,
    OrderParser,
)
from protocol.framing.limits import DISPLAY_COLUMNS, LED8_CHARS_MAX, LED8_DIGITS

Rate = Literal[1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200]
Row = Annotated[str, Field(max_length=DISPLAY_COLUMNS)]
SCREEN = "screen"


class EpsonVfdEntry(DeviceEntry):
    """An Epson customer display."""

    kind: Literal["epson_vfd"]
    baud: Rate = 9600


class Cd5220Entry(DeviceEntry):
    """A CD5220 customer display."""

    kind: Literal["cd5220"]
    baud: Rate = 9600


class Led8Entry(DeviceEntry):
    """A digit display."""

    kind: Literal["led8"]
    baud: Rate = 2400


class LookBody(ActBody):
    """The rows that are expected on the glass; blanks at their ends do not count."""

    upper: Row = ""
    lower: Row = ""


class LookAtDigitsBody(ActBody):
    """The digits and the lamp that are expected."""

    digits: Annotated[str, Field(max_length=LED8_CHARS_MAX)] = ""
    lamp: Literal["none", "unit_price", "total", "received", "change"] = "none"


class OrderDecoder:
    """The host's orders, text in one piece. A display never says anything."""

    def __init__(self, orders: Mapping[bytes, int], words: Mapping[bytes, Called]) -> None:
        self._parser = OrderParser(orders)
        self._words = words

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        if side is Side.DEVICE:
            return [Frame(side, data, JUNK, is_valid=False)]
        frames: list[Frame] = []
        text = b""
        for order in self._parser.feed(data):
            if not order.code:
                text += order.args
                continue
            frames += [*_text(text), _order(order, self._words.get(order.code))]
            text = b""
        return frames + _text(text)

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        del side
        return []  # the display waits for the end of an order for good


def _text(text: bytes) -> list[Frame]:
    if not text:
        return []
    return [Frame(Side.HOST, text, "text", {"text": text.decode("cp437")})]


def _order(order: Order, called: Called | None) -> Frame:
    fields: dict[str, str | int] = {}
    if called is not None and called.args == TEXT:
        fields["text"] = order.args.decode("cp437")
    elif called is not None and len(called.args) == len(order.args):
        fields = dict(zip(called.args, order.args, strict=True))
    elif order.args:
        fields["args"] = order.args.hex()
    name = order.code.hex() if called is None else called.name
    return Frame(Side.HOST, order.raw, name, fields, is_valid=order.is_known)


def _look(display: EpsonVfd | Cd5220, body: LookBody, _: int) -> None:
    """Raises ``CallerError`` that says what is shown instead."""
    shown = [row.rstrip() for row in display.rows]
    if shown != [body.upper.rstrip(), body.lower.rstrip()]:
        raise CallerError(
            "field_invalid", f"the display shows {shown}", detail_zh=f"显示屏上是 {shown}"
        )


def _look_at_digits(display: Led8, body: LookAtDigitsBody, _: int) -> None:
    shown = (display.digits.strip(), display.lamp)
    if shown != (body.digits, body.lamp):
        raise CallerError(
            "field_invalid", f"the display shows {shown}", detail_zh=f"显示屏上是 {shown}"
        )


def _glass_state(display: EpsonVfd | Cd5220) -> State:
    glass = display.glass
    return {
        "upper": display.rows[0], "lower": display.rows[1], "brightness": display.brightness,
        "mode": glass.mode.value, "cursor_column": glass.column + 1, "cursor_row": glass.row + 1,
        "is_cursor_shown": display.is_cursor_shown, "is_selected": display.is_selected,
        "orders_ignored": display.orders_ignored,
    }  # fmt: skip


def _epson_state(display: EpsonVfd) -> State:
    return _glass_state(display) | {
        "is_dark": display.is_dark, "blink_ms": display.blink_ms,
        "is_reverse": display.is_reverse,
        "annunciators": list[JsonValue](sorted(display.annunciators)),
    }  # fmt: skip


def _cd5220_state(display: Cd5220) -> State:
    return _glass_state(display) | {
        "is_string_mode": display.is_string_mode, "is_running": display.is_running,
    }  # fmt: skip


def _led8_state(display: Led8) -> State:
    return {
        "digits": display.digits, "lamp": display.lamp, "orders_ignored": display.orders_ignored,
    }  # fmt: skip


def _glass_pictures(display: EpsonVfd | Cd5220) -> Mapping[str, Callable[[], bytes]]:
    cursor = (display.glass.column, display.glass.row) if display.is_cursor_shown else None
    draw = partial(draw_rows, display.rows, brightness=display.brightness, cursor=cursor)
    return {SCREEN: draw}


def _digit_pictures(display: Led8) -> Mapping[str, Callable[[], bytes]]:
    lamp = "" if display.lamp == LAMPS[0] else display.lamp
    return {SCREEN: partial(draw_digits, display.digits, LED8_DIGITS, lamp)}


_LOOK = Act("look", "read the rows of the display", _look, LookBody)
EPSON_VFD = Kind(
    name="epson_vfd",
    summary="customer display of Epson (DM-D), two rows of twenty",
    entry=EpsonVfdEntry,
    build=lambda entry, _seed: EpsonVfd(entry.baud),
    state=_epson_state,
    decoder=lambda: OrderDecoder(EPSON_ORDERS, EPSON_WORDS),
    counters=("orders_ignored",),
    begins=BEGINS,
    pictures=_glass_pictures,
    acts=(_LOOK,),
)
CD5220 = Kind(
    name="cd5220",
    summary="customer display CD5220, two rows of twenty",
    entry=Cd5220Entry,
    build=lambda entry, _seed: Cd5220(entry.baud),
    state=_cd5220_state,
    decoder=lambda: OrderDecoder(CD5220_ORDERS, CD5220_WORDS),
    counters=("orders_ignored",),
    begins=BEGINS,
    pictures=_glass_pictures,
    acts=(_LOOK,),
)
LED8 = Kind(
    name="led8",
    summary="customer display of eight digits and four lamps",
    entry=Led8Entry,
    build=lambda entry, _seed: Led8(entry.baud),
    state=_led8_state,
    decoder=lambda: OrderDecoder(LED8_ORDERS, LED8_WORDS),
    counters=("orders_ignored",),
    begins=BEGINS,
    pictures=_digit_pictures,
    acts=(Act("look", "read the digits and the lamp", _look_at_digits, LookAtDigitsBody),),
)
