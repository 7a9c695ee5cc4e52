"""Paper, cover, cutter, head and drawer: what people and commands move.

Rule 1: only this file says whether the printer can print; the queue and the host's words are the
printer's matter (``printer.py``).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from firmware_sim.devices.escpos.status import Condition, Paper
from firmware_sim.devices.receipt import Receipt
from firmware_sim.limits import (
    PULSES_KEPT_MAX,
    RECEIPT_PICTURE_BYTES_KEPT_MAX,
    RECEIPTS_KEPT_MAX,
    ROLL_MM_MAX,
)
from protocol.errors import CallerError

DOTS_PER_MM = 8
NEAR_END_MM = 1_000
PULSE_MS_MIN = 10
"""A shorter current does not move the drawer's magnet."""
DRAWER_PINS = (2, 5)


@dataclass(frozen=True, slots=True)
class Pulse:
    """A current through one of the drawer connector's pins."""

    at_ms: int
    pin: int
    on_ms: int


@dataclass(slots=True)
class Drawer:
    """The drawer, on one or both of the connector's pins. Pin 3 says whether it is open."""

    pins: tuple[int, ...] = DRAWER_PINS
    is_open_high: bool = True
    is_open: bool = False
    kicks: int = 0
    pulses: deque[Pulse] = field(default_factory=lambda: deque(maxlen=PULSES_KEPT_MAX))

    @property
    def is_pin_high(self) -> bool:
        """The level of pin 3."""
        return self.is_open == self.is_open_high

    def unlock(self) -> None:
        """Open it with its key."""
        self.is_open = True

    def close(self) -> None:
        """Push it in."""
        self.is_open = False

    def kick(self, pulse: Pulse) -> None:
        """A pulse opens it where it is wired and the pulse is long enough."""
        self.pulses.append(pulse)
        self.kicks += 1
        if pulse.on_ms >= PULSE_MS_MIN and pulse.pin in self.pins:
            self.is_open = True


@dataclass(slots=True)
class Mechanism:
    """What can be opened, run out, jam, overheat and break."""

    drawer: Drawer
    paper_dots: int
    is_cover_open: bool = False
    is_blade_jammed: bool = False
    is_cutter_stopped: bool = False
    hot_until_ms: int | None = None
    feeding_until_ms: int | None = None
    is_broken: bool = False

    @property
    def paper_mm(self) -> int:
        """What is left of the roll."""
        return max(0, self.paper_dots) // DOTS_PER_MM

    @property
    def paper(self) -> Paper:
        """How the paper sensors see the roll."""
        if self.paper_dots <= 0:
            return "end"
        return "near_end" if self.paper_dots <= NEAR_END_MM * DOTS_PER_MM else "adequate"

    @property
    def condition(self) -> Condition:
        """All that status bytes speak of."""
        return Condition(
            paper=self.paper, is_cover_open=self.is_cover_open,
            is_drawer_pin_high=self.drawer.is_pin_high,
            is_feeding=self.feeding_until_ms is not None,
            is_cutter_stopped=self.is_cutter_stopped, is_hot=self.hot_until_ms is not None,
            is_broken=self.is_broken,
        )  # fmt: skip

    def load_paper(self, millimetres: int) -> None:
        """Put in a roll of this length; 0 takes the paper out."""
        if not 0 <= millimetres <= ROLL_MM_MAX:
            raise CallerError(
                "field_invalid",
                f"a roll is 0 to {ROLL_MM_MAX} mm",
                detail_zh=f"一卷纸是 0 到 {ROLL_MM_MAX} 毫米",
            )
        self.paper_dots = millimetres * DOTS_PER_MM

    def move_cover(self, *, is_open: bool) -> None:
        """Open or close the cover."""
        self.is_cover_open = is_open

    def jam_blade(self, *, is_jammed: bool) -> None:
        """Jam the blade or free it; the printer notices when it cuts."""
        self.is_blade_jammed = is_jammed

    def overheat(self, until_ms: int) -> None:
        """The head is too hot until then, and goes on by itself."""
        self.hot_until_ms = until_ms

    def break_down(self) -> None:
        """A fault that only a new start mends."""
        self.is_broken = True

    def cut(self) -> bool:
        """Move the blade; a jammed one stops the printer until the host says to go on."""
        self.is_cutter_stopped = self.is_blade_jammed
        return not self.is_cutter_stopped

    def pass_time(self, now_ms: int) -> None:
        """Let go of the feed button; let the head cool."""
        if self.feeding_until_ms is not None and now_ms >= self.feeding_until_ms:
            self.feeding_until_ms = None
        if self.hot_until_ms is not None and now_ms >= self.hot_until_ms:
            self.hot_until_ms = None

    def deadlines_ms(self) -> Iterator[int]:
        """When ``pass_time`` is due."""
        yield from (at for at in (self.feeding_until_ms, self.hot_until_ms) if at is not None)

    def start(self) -> None:
        """Power comes: faults that were only noticed are forgotten; a jammed blade stays so."""
        self.is_cutter_stopped = self.is_broken = False
        self.feeding_until_ms = self.hot_until_ms = None


class Tray:
    """Where receipts fall: the last of them, within bounds of count and of picture bytes."""

    def __init__(self) -> None:
        self.receipts: deque[Receipt] = deque()
        self.count = 0
        self._picture_bytes = 0

    def keep(self, receipt: Receipt) -> None:
        """Put it on top; the oldest go where there are too many."""
        self.receipts.append(receipt)
        self.count += 1
        self._picture_bytes += receipt.picture_bytes
        while len(self.receipts) > RECEIPTS_KEPT_MAX or (
            self._picture_bytes > RECEIPT_PICTURE_BYTES_KEPT_MAX and len(self.receipts) > 1
        ):
            self._picture_bytes -= self.receipts.popleft().picture_bytes
