"""The LED8 digit display of Chinese tills: one row of eight digits, four lamps, never an answer.

A point shares the place of the digit before it. What is longer than the row, or no digit, is not
shown at all: a till must not show a wrong amount.
"""

from firmware_sim.devices.device import Output
from protocol.framing.customer_display import CLEAR, INIT, LED8_ORDERS, Order, OrderParser
from protocol.framing.limits import LED8_DIGITS

LAMPS = ("none", "unit_price", "total", "received", "change")
_DIGITS = frozenset("0123456789- ")
_SHOW, _LAMP = b"\x1bQA", b"\x1bs"


class Led8:
    """One display at a fixed rate."""

    def __init__(self, baud: int = 2400) -> None:
        self.baud = baud
        self.orders_ignored = 0
        self._parser = OrderParser(LED8_ORDERS)
        self._start()

    @property
    def rows(self) -> list[str]:
        """The digits as they stand, to the right, with points between them."""
        points = sum(character == "." for character in self.digits)
        return [self.digits.rjust(LED8_DIGITS + points)]

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes, or comes back: nothing is shown."""
        del now_ms
        self._parser = OrderParser(LED8_ORDERS)
        self._start()
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Show what it is told to."""
        del now_ms
        for order in self._parser.feed(data):
            if not self._obey(order):
                self.orders_ignored += 1
        return []

    def poll(self, now_ms: int) -> list[Output]:
        """Time changes nothing."""
        del now_ms
        return []

    def next_deadline_ms(self) -> int | None:
        """None: time alone changes nothing."""
        return None

    def _start(self) -> None:
        self.digits = ""
        self.lamp = LAMPS[0]

    def _obey(self, order: Order) -> bool:
        match order.code:
            case c if c == INIT:
                self._start()
            case c if c == CLEAR:
                self.digits = ""
            case c if c == _SHOW:
                return self._show(order.args.decode("latin-1"))
            case c if c == _LAMP and b"0" <= order.args <= b"4":
                self.lamp = LAMPS[int(order.args)]
            case _:
                return False
        return True

    def _show(self, text: str) -> bool:
        digits = text.replace(".", "")
        is_plain = set(digits) <= _DIGITS and not text.startswith(".") and ".." not in text
        if not is_plain or len(digits) > LED8_DIGITS:
            return False
        self.digits = text
        return True
