"""Epson's customer displays DM-D110 and DM-D210: two rows of twenty, never an answer.

Rule: while the host has selected another device (ESC = without bit 1), the display hears nothing
but the next ESC =. Orders with arguments out of range are ignored and counted.
"""

from collections.abc import Callable, Mapping

from firmware_sim.devices.device import Output
from firmware_sim.devices.displays.charset import CODE_PAGES, NATIONS, OWN_GLYPH, character
from firmware_sim.devices.displays.glass import Glass, Mode
from protocol.framing.customer_display import EPSON_ORDERS, INIT, Order, OrderParser

BRIGHTNESS_FIRST, BRIGHTNESS_MAX = 4, 4
BLINK_STEP_MS = 50
BLINK_OFF, DISPLAY_OFF = 0, 0xFF
ANNUNCIATORS = 20
_SELECT, _DISPLAY_BIT = b"\x1b=", 0x02
_MODES = {b"\x1f\x01": Mode.OVERWRITE, b"\x1f\x02": Mode.VERTICAL, b"\x1f\x03": Mode.HORIZONTAL}


class EpsonVfd:
    """One display at a fixed rate."""

    def __init__(self, baud: int = 9600) -> None:
        self.baud = baud
        self.orders_ignored = 0
        self._parser = OrderParser(EPSON_ORDERS)
        self._start()

    @property
    def rows(self) -> list[str]:
        """What is to be read on the glass."""
        return self.glass.rows

    @property
    def blink_ms(self) -> int:
        """How long the glass is lit and dark in turn; 0 is steady."""
        return 0 if self.blink in (BLINK_OFF, DISPLAY_OFF) else self.blink * BLINK_STEP_MS

    @property
    def is_dark(self) -> bool:
        """Whether the glass is switched off."""
        return self.blink == DISPLAY_OFF

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes, or comes back: an empty glass."""
        del now_ms
        self._parser = OrderParser(EPSON_ORDERS)
        self._start()
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Show what it is told to."""
        del now_ms
        for order in self._parser.feed(data):
            self._obey(order)
        return []

    def poll(self, now_ms: int) -> list[Output]:
        """Time changes nothing that can be told."""
        del now_ms
        return []

    def next_deadline_ms(self) -> int | None:
        """None: time alone changes nothing."""
        return None

    def _start(self) -> None:
        self.glass = Glass()
        self.brightness, self.blink = BRIGHTNESS_FIRST, BLINK_OFF
        self.is_selected, self.is_cursor_shown, self.is_reverse = True, True, False
        self.annunciators: set[int] = set()
        self.page = self.nation = 0
        self._own: set[int] = set()
        self._uses_own = False

    def _obey(self, order: Order) -> None:
        if order.code == _SELECT:
            self.is_selected = bool(order.args[0] & _DISPLAY_BIT)
        elif not self.is_selected:
            return
        elif not order.code:
            self.glass.write(self._character(order.args[0]))
        elif not self._moved(order.code) and not (order.is_known and self._set(order)):
            self.orders_ignored += 1

    def _character(self, value: int) -> str:
        if self._uses_own and value in self._own:
            return OWN_GLYPH
        return character(value, page=self.page, nation=self.nation)

    def _moved(self, code: bytes) -> bool:
        """Do an order of the cursor or of the whole glass; whether it was one."""
        glass = self.glass
        deeds: Mapping[bytes, Callable[[], None]] = {
            b"\x08": glass.left, b"\t": glass.right, b"\n": glass.down, b"\x1f\n": glass.up,
            b"\x0b": glass.home, b"\x0c": glass.clear, b"\x18": glass.clear_row,
            b"\r": glass.row_start, b"\x1f\r": glass.row_end, b"\x1fB": glass.bottom,
            INIT: self._start, b"\x1f@": glass.clear,
        }  # fmt: skip
        deed = deeds.get(code)
        if deed is not None:
            deed()
        elif code in _MODES:
            glass.mode = _MODES[code]
        return deed is not None or code in _MODES

    def _set(self, order: Order) -> bool:
        """Do an order that has arguments; whether there are any, and in range."""
        if not order.args:
            return False
        first, *rest = order.args
        match order.code:
            case b"\x1f$":
                return self.glass.move_to(first - 1, rest[0] - 1)
            case b"\x1fC" if first in (0, 1, 0x30, 0x31):
                self.is_cursor_shown = bool(first & 1)
            case b"\x1fX" if 1 <= first <= BRIGHTNESS_MAX:
                self.brightness = first
            case b"\x1fE":
                self.blink = first
            case b"\x1fr" if first in (0, 1, 0x30, 0x31):
                self.is_reverse = bool(first & 1)
            case b"\x1f#" if 1 <= rest[0] <= ANNUNCIATORS:
                change = self.annunciators.add if first & 1 else self.annunciators.discard
                change(rest[0])
            case _:
                return self._set_characters(order.code, order.args)
        return True

    def _set_characters(self, code: bytes, args: bytes) -> bool:
        first = args[0]
        match code:
            case b"\x1bt" if first in CODE_PAGES:
                self.page = first
            case b"\x1bR" if first < NATIONS:
                self.nation = first
            case b"\x1b%":
                self._uses_own = bool(first & 1)
            case b"\x1b&":
                self._own |= set(range(args[1], args[2] + 1))
            case b"\x1b?":
                self._own.discard(first)
            case _:
                return False
        return True
