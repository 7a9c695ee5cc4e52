"""The CD5220 customer display (Partner Tech manual): two rows of twenty, never an answer.

Rule 1: ESC Q A and ESC Q B write a whole row and lead into string mode, where nothing is heard but
ESC Q, CLR and CAN. CLR and CAN lead out of it.
Rule 2: ESC Q D runs a text over the upper row until anything else is heard: then the row is
cleared, and the cursor goes home. The text moves by one place every ``SCROLL_MS``.
"""

from collections.abc import Callable, Mapping

from firmware_sim.devices.device import Output
from firmware_sim.devices.displays.charset import OWN_GLYPH, character
from firmware_sim.devices.displays.glass import Glass, Mode
from protocol.framing.customer_display import CD5220_ORDERS, INIT, Order, OrderParser
from protocol.framing.limits import DISPLAY_COLUMNS

SCROLL_MS = 1000
BRIGHTNESS_FIRST, BRIGHTNESS_MAX = 4, 4
_UPPER, _LOWER, _RUN = b"\x1bQA", b"\x1bQB", b"\x1bQD"
_CLEAR, _CANCEL = b"\x0c", b"\x18"
_SELECT, _DISPLAY_BIT = b"\x1b=", 0x02
_MODES = {b"\x1b\x11": Mode.OVERWRITE, b"\x1b\x12": Mode.VERTICAL, b"\x1b\x13": Mode.HORIZONTAL}
_NATIONS = {value: place for place, value in enumerate(b"AFGUDWISJ")}


class Cd5220:
    """One display at a fixed rate."""

    def __init__(self, baud: int = 9600) -> None:
        self.baud = baud
        self.orders_ignored = 0
        self._parser = OrderParser(CD5220_ORDERS)
        self._running: str | None = None
        self._move_at: int | None = None
        self._start()

    @property
    def rows(self) -> list[str]:
        """What is to be read on the glass."""
        return self.glass.rows

    @property
    def is_running(self) -> bool:
        """Whether a text runs over the upper row."""
        return self._running is not None

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes, or comes back: an empty glass."""
        del now_ms
        self._parser = OrderParser(CD5220_ORDERS)
        self._start()
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Show what it is told to."""
        for order in self._parser.feed(data):
            self._hear(order, now_ms)
        return []

    def poll(self, now_ms: int) -> list[Output]:
        """Move the running text by one place."""
        if self._running is not None and self._move_at is not None and now_ms >= self._move_at:
            self._running = self._running[1:] + self._running[:1]
            self.glass.put_row(0, self._running)
            self._move_at = now_ms + SCROLL_MS
        return []

    def next_deadline_ms(self) -> int | None:
        """When the running text moves."""
        return self._move_at

    def _start(self) -> None:
        self.glass = Glass()
        self.brightness = BRIGHTNESS_FIRST
        self.is_selected, self.is_cursor_shown, self.is_string_mode = True, True, False
        self.nation = 0
        self._own: set[int] = set()
        self._uses_own = False
        self._running = self._move_at = None

    def _hear(self, order: Order, now_ms: int) -> None:
        if order.code == _SELECT:
            self.is_selected = bool(order.args[0] & _DISPLAY_BIT)
            return
        if not self.is_selected:
            return
        if self._running is not None:
            self._stop_running()
        if order.code in (_UPPER, _LOWER, _RUN):
            self._write_string(order, now_ms)
        elif order.code in (_CLEAR, _CANCEL):
            self.is_string_mode = False
            self.glass.clear() if order.code == _CLEAR else self.glass.clear_row()
        elif self.is_string_mode or not self._obey(order):
            self.orders_ignored += 1

    def _write_string(self, order: Order, now_ms: int) -> None:
        text = "".join(map(self._character, order.args))
        if order.code == _RUN:
            self._running = text.ljust(DISPLAY_COLUMNS)
            self._move_at = now_ms + SCROLL_MS
            self.glass.put_row(0, self._running)
        else:
            self.is_string_mode = True
            self.glass.put_row(0 if order.code == _UPPER else 1, text)

    def _stop_running(self) -> None:
        self._running = self._move_at = None
        self.glass.put_row(0, "")
        self.glass.home()

    def _character(self, value: int) -> str:
        if self._uses_own and value in self._own:
            return OWN_GLYPH
        return character(value, nation=self.nation) if value >= 0x20 else " "

    def _obey(self, order: Order) -> bool:
        """Do an order; whether it is one, with arguments in range."""
        if not order.code:
            self.glass.write(self._character(order.args[0]))
            return True
        if self._moved(order.code):
            return True
        return order.is_known and bool(order.args) and self._set(order.code, order.args)

    def _moved(self, code: bytes) -> bool:
        glass = self.glass
        deeds: Mapping[bytes, Callable[[], None]] = {
            b"\x08": glass.left, b"\t": glass.right, b"\n": glass.down, b"\x0b": glass.home,
            b"\r": glass.row_start, b"\x1b[A": glass.up, b"\x1b[B": glass.down,
            b"\x1b[C": glass.right, b"\x1b[D": glass.left, b"\x1b[H": glass.home,
            b"\x1b[L": glass.row_start, b"\x1b[R": glass.row_end, b"\x1b[K": glass.bottom,
            INIT: self._start,
        }  # fmt: skip
        deed = deeds.get(code)
        if deed is not None:
            deed()
        elif code in _MODES:
            glass.mode = _MODES[code]
        return deed is not None or code in _MODES

    def _set(self, code: bytes, args: bytes) -> bool:
        first = args[0]
        match code:
            case b"\x1bl":
                return self.glass.move_to(first - 1, args[1] - 1)
            case b"\x1b*" if 1 <= first <= BRIGHTNESS_MAX:
                self.brightness = first
            case b"\x1b_" if first in (0, 1):
                self.is_cursor_shown = bool(first)
            case b"\x1bW":
                return self._set_window(args)
            case b"\x1bf" if first in _NATIONS:
                self.nation = _NATIONS[first]
            case b"\x1b%":
                self._uses_own = bool(first & 1)
            case b"\x1b&":
                self._own |= set(range(args[1], args[2] + 1))
            case b"\x1b?":
                self._own.discard(first)
            case b"\x1bc" | b"\x1bs":
                pass  # tables and a memory that this display has not: taken, and nothing changes
            case _:
                return False
        return True

    def _set_window(self, args: bytes) -> bool:
        is_on, first, last, row = args
        if is_on not in (0, 1):
            return False
        if not is_on:
            self.glass.window = None
            return True
        if not (1 <= first <= last <= DISPLAY_COLUMNS and row in (1, 2)):
            return False
        self.glass.window = (first - 1, last - 1, row - 1)
        return True
