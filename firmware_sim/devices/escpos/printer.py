"""An ESC/POS receipt printer with a cash drawer: bytes in, paper and status out.

Rule 1: profile "gb18030" starts in Chinese mode, as printers sold in China do; "western" starts in
code page 437 and prints Chinese text as the junk it really prints.
Rule 2: while the printer is off line (no paper, cover open, a fault) it keeps what it is sent and
prints it when it is on line again; real-time requests (DLE EOT, DLE ENQ, DLE DC4) are answered at
once.
Rule 3: the head moves paper at ``speed_mm_s``; at 0 all is printed the moment it is understood.
"""

from collections.abc import Callable
from dataclasses import dataclass

from firmware_sim.devices.device import Output
from firmware_sim.devices.escpos import status
from firmware_sim.devices.escpos.actions import carry_out
from firmware_sim.devices.escpos.mechanism import (
    DOTS_PER_MM,
    DRAWER_PINS,
    Drawer,
    Mechanism,
    Pulse,
    Tray,
)
from firmware_sim.devices.escpos.numbers import number_of
from firmware_sim.devices.escpos.parser import EscPosParser, Operation, Sort
from firmware_sim.devices.escpos.receive_buffer import ReceiveBuffer
from firmware_sim.devices.escpos.sheet import Sheet
from firmware_sim.devices.escpos.symbols import DrawModules
from firmware_sim.devices.receipt import Receipt
from firmware_sim.limits import PRINTER_BUFFER_BYTES_MAX
from protocol.errors import CallerError

ROLL_MM = 30_000
REPLY_MS = 1
CUT_MS = 300
FEED_BUTTON_MM_S = 100
XON, XOFF = b"\x11", b"\x13"
PROFILES = ("gb18030", "western")
FLOWS = ("none", "dtr", "xonxoff")
_CUTS = (b"\x1dV", b"\x1bi", b"\x1bm")
_FULL_CUTS = (b"\x00", b"0", b"A", b"a", b"g")
_CLEAR_BUFFERS = bytes((1, 3, 20, 1, 6, 2, 8))


@dataclass(frozen=True, slots=True)
class PrinterProfile:
    """How a printer left the factory and how its switches stand. ``flow`` is how the host is
    asked to wait: by the DTR line, as on a network, or by XON and XOFF."""

    name: str = "gb18030"
    width_dots: int = 576
    baud: int = 115_200
    realtime_inside_data: bool = False
    speed_mm_s: int = 0
    buffer_bytes: int = PRINTER_BUFFER_BYTES_MAX
    flow: str = "none"
    is_busy_off_line: bool = False
    drawer_pins: tuple[int, ...] = DRAWER_PINS
    is_drawer_open_high: bool = True

    def __post_init__(self) -> None:
        if self.name not in PROFILES:
            raise CallerError("config_invalid", f"printer profile is one of {PROFILES}")
        if self.flow not in FLOWS:
            raise CallerError("config_invalid", f"printer flow is one of {FLOWS}")


class EscPosPrinter:
    """One printer. ``mechanism`` is what people touch, through ``by_hand``. ``draw`` gives the
    codes that are not in the printer's own tables; without it there are none of those."""

    def __init__(
        self,
        profile: PrinterProfile | None = None,
        *,
        roll_mm: int = ROLL_MM,
        draw: DrawModules = lambda _symbology, _payload: None,
    ) -> None:
        self._profile = profile = profile or PrinterProfile()
        self._sheet = Sheet(
            width_dots=profile.width_dots, chinese=profile.name == "gb18030", draw=draw
        )
        self._parser = EscPosParser()
        self._buffer = ReceiveBuffer(profile.buffer_bytes)
        drawer = Drawer(profile.drawer_pins, profile.is_drawer_open_high)
        self.mechanism = Mechanism(drawer, roll_mm * DOTS_PER_MM)
        self._tray = Tray()
        self._busy_until_ms = 0
        self._asb_mask = 0
        self._asb_last = b""
        self._realtime_tail = b""
        self._is_selected = True
        self._has_panel = True
        self.beeps = 0
        self.passed_by_bytes = 0

    # -- what can be seen ----------------------------------------------------------------------

    @property
    def baud(self) -> int:
        """Set by switches under the printer, so fixed."""
        return self._profile.baud

    @property
    def paper_mm(self) -> int:
        """What is left of the roll."""
        return self.mechanism.paper_mm

    @property
    def paper(self) -> status.Paper:
        """How the paper sensors see the roll."""
        return self.mechanism.paper

    @property
    def is_cover_open(self) -> bool:
        """Whether the cover is up."""
        return self.mechanism.is_cover_open

    @property
    def is_drawer_open(self) -> bool:
        """Whether the drawer is out."""
        return self.mechanism.drawer.is_open

    @property
    def drawer_kicks(self) -> int:
        """How many pulses the drawer's connector has seen."""
        return self.mechanism.drawer.kicks

    @property
    def is_online(self) -> bool:
        """Whether it would print now."""
        return self.mechanism.condition.is_online

    @property
    def is_busy(self) -> bool:
        """Whether the host is asked to wait: the DTR line, and XOFF where so set."""
        return self._buffer.is_host_stopped

    @property
    def is_holding(self) -> bool:
        """Whether the host is kept from speaking by the DTR line (``Holding``)."""
        return self.is_busy and self._profile.flow == "dtr"

    @property
    def operations_waiting(self) -> int:
        """What it will print once it can."""
        return len(self._buffer)

    @property
    def overrun_bytes(self) -> int:
        """What was lost because the buffer was full."""
        return self._buffer.overrun_bytes

    @property
    def unknown_commands(self) -> int:
        """Commands swallowed without effect."""
        return self._sheet.unknown_commands

    @property
    def refusals(self) -> tuple[int, list[str]]:
        """How many codes were not printed, and why the last few were not."""
        return self._sheet.refused_symbols, list(self._sheet.refusals)

    @property
    def receipts(self) -> list[Receipt]:
        """What was cut off, oldest first; very many, and the oldest are gone."""
        return list(self._tray.receipts)

    @property
    def receipts_cut(self) -> int:
        """How many were cut off in all."""
        return self._tray.count

    # -- people --------------------------------------------------------------------------------

    def by_hand(self, deed: Callable[[Mechanism], None], now_ms: int) -> list[Output]:
        """Let somebody move something; what follows from it is printed and told."""
        deed(self.mechanism)
        return self._go_on(now_ms)

    def load_paper(self, millimetres: int, now_ms: int) -> list[Output]:
        """Put in a roll of this length; 0 takes the paper out."""
        return self.by_hand(lambda mechanism: mechanism.load_paper(millimetres), now_ms)

    def set_cover(self, now_ms: int, *, is_open: bool) -> list[Output]:
        """Open or close the cover."""
        return self.by_hand(lambda mechanism: mechanism.move_cover(is_open=is_open), now_ms)

    def close_drawer(self, now_ms: int) -> list[Output]:
        """Push the drawer in."""
        return self.by_hand(lambda mechanism: mechanism.drawer.close(), now_ms)

    def press_feed(self, now_ms: int, *, milliseconds: int) -> list[Output]:
        """Hold the feed button so long, if the host has not switched it off (ESC c 5)."""
        if self._has_panel and self.is_online:
            dots = milliseconds * FEED_BUTTON_MM_S * DOTS_PER_MM // 1000
            self._use_paper(self._sheet.feed_by_hand(dots), now_ms)
            self.mechanism.feeding_until_ms = now_ms + milliseconds
        return self._go_on(now_ms)

    def tear_off(self, now_ms: int) -> list[Output]:
        """Tear off what is printed, without the cutter."""
        self._finish("torn", now_ms)
        return self._go_on(now_ms)

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes: what was not yet on paper is gone, and so is every setting."""
        self._buffer.clear()
        self._buffer.is_host_stopped = False
        self._parser.clear()
        self._sheet.lose_power()
        self.mechanism.start()
        self._realtime_tail = b""
        self._asb_mask, self._asb_last = 0, b""
        self._is_selected = self._has_panel = True
        self._busy_until_ms = now_ms
        return [self._say(XON, now_ms)] if self._profile.flow == "xonxoff" else []

    # -- bytes and time ------------------------------------------------------------------------

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Take bytes: real-time requests are carried out at once, the rest in order."""
        self.mechanism.pass_time(now_ms)
        outputs: list[Output] = []
        if self._profile.realtime_inside_data:
            outputs += self._scan_realtime(data, now_ms)
        for operation in self._parser.feed(data):
            if operation.sort is Sort.REALTIME:
                outputs += self._realtime(operation, now_ms)
            else:
                self._buffer.put(operation)
                outputs += self._print_waiting(now_ms)
        return outputs + self._go_on(now_ms)

    def poll(self, now_ms: int) -> list[Output]:
        """What is printed, or mended, by time alone."""
        self.mechanism.pass_time(now_ms)
        return self._go_on(now_ms)

    def next_deadline_ms(self) -> int | None:
        """When the head is free again, the button is let go, or the head is cool."""
        due = list(self.mechanism.deadlines_ms())
        if len(self._buffer) and self.is_online:
            due.append(self._busy_until_ms)
        return min(due, default=None)

    def _go_on(self, now_ms: int) -> list[Output]:
        printed = self._print_waiting(now_ms)
        return printed + self._status_back(now_ms) + self._stop_host(now_ms)

    def _print_waiting(self, now_ms: int) -> list[Output]:
        outputs: list[Output] = []
        while len(self._buffer) and self.is_online and now_ms >= self._busy_until_ms:
            is_cut = self._buffer.first.name in _CUTS and self._is_selected
            if is_cut and not self.mechanism.cut():
                break
            outputs += self._carry_out(self._buffer.take(), now_ms)
        return outputs

    def _carry_out(self, operation: Operation, now_ms: int) -> list[Output]:
        if operation.name == b"\x1b=":
            self._is_selected = bool(operation.data[0] & 1)
        elif not self._is_selected:
            self.passed_by_bytes += operation.size
        elif operation.name in _CUTS:
            self._cut(operation, now_ms)
        else:
            reply = self._own(operation, now_ms)
            if reply is None:
                self._use_paper(carry_out(self._sheet, operation), now_ms)
                reply = self._sheet.take_reply()
            if self._sheet.is_full:
                self._finish("torn", now_ms)
            return [self._say(reply, now_ms)] if reply else []
        return []

    def _own(self, operation: Operation, now_ms: int) -> bytes | None:
        """Commands that are not about paper: the answer, or ``None`` for those that are."""
        data = operation.data
        match operation.name:
            case b"\x1dr":
                return status.buffered_status(data[0], self.mechanism.condition)
            case b"\x1bv" | b"\x1bu":
                which = 1 if operation.name == b"\x1bv" else 2
                return status.buffered_status(which, self.mechanism.condition)
            case b"\x1dI":
                profile = self._profile
                return status.identity(data[0], profile=profile.name, width_dots=profile.width_dots)
            case b"\x1da":
                self._asb_mask = data[0]
                self._asb_last = status.auto_status(self.mechanism.condition)
                return self._asb_last if self._asb_mask else b""
            case b"\x1bp" if (connector := number_of(data[0], 1)) is not None:
                self._kick(connector, data[1] * 2, now_ms)
            case b"\x1b@":
                self._has_panel, self._asb_mask = True, 0
                return None
            case b"\x1bB":
                self.beeps += data[0]
            case b"\x1bc":
                self._has_panel = not data[1] & 1 if data[:1] == b"5" else self._has_panel
            case b"\x1d(" if data[:1] == b"H" and len(data) >= 9:
                return b"\x37\x22" + data[5:9] + b"\x00"
            case _:
                return None
        return b""

    def _use_paper(self, dots: int, now_ms: int) -> None:
        self.mechanism.paper_dots -= dots
        speed = self._profile.speed_mm_s
        if speed:
            start_ms = max(self._busy_until_ms, now_ms)
            self._busy_until_ms = start_ms - (-dots * 1000 // (speed * DOTS_PER_MM))

    # -- status --------------------------------------------------------------------------------

    def _status_back(self, now_ms: int) -> list[Output]:
        """GS a: the four bytes whenever something has changed that the mask names."""
        current, mask = status.auto_status(self.mechanism.condition), self._asb_mask
        if not mask or status.watched(current, mask) == status.watched(self._asb_last, mask):
            return []
        self._asb_last = current
        return [self._say(current, now_ms)]

    def _stop_host(self, now_ms: int) -> list[Output]:
        is_shut = self._profile.is_busy_off_line and not self.is_online
        held_bytes = self._parser.held_bytes
        has_changed = self._buffer.stop_or_release_host(held_bytes, is_shut=is_shut)
        if not has_changed or self._profile.flow != "xonxoff":
            return []
        return [self._say(XOFF if self.is_busy else XON, now_ms)]

    def _realtime(self, operation: Operation, now_ms: int) -> list[Output]:
        number = operation.data[0]
        if operation.name == b"\x10\x04":
            is_scanned = self._profile.realtime_inside_data
            return [] if is_scanned else self._status(number, now_ms)
        if operation.name == b"\x10\x14":
            return self._realtime_function(number, operation.data[1:], now_ms)
        if number in (1, 2):  # DLE ENQ: try again, or forget; a jammed blade jams again
            self.mechanism.is_cutter_stopped = False
        if number == 2:
            self._forget()
        return []

    def _realtime_function(self, function: int, body: bytes, now_ms: int) -> list[Output]:
        """DLE DC4 1 m t: a pulse. 7 1: the four status bytes. 8: clear the buffers."""
        if function == 1 and body[0] <= 1 and 1 <= body[1] <= 8:
            self._kick(body[0], body[1] * 100, now_ms)
        elif function == 7 and body[0] == 1:
            return [self._say(status.auto_status(self.mechanism.condition), now_ms)]
        elif function == 8 and body == _CLEAR_BUFFERS:
            self._forget()
            return [self._say(b"\x37\x25\x00", now_ms)]
        return []

    def _scan_realtime(self, data: bytes, now_ms: int) -> list[Output]:
        stream = self._realtime_tail + data
        outputs: list[Output] = []
        at, end = stream.find(b"\x10\x04"), 0
        while 0 <= at < len(stream) - 2:
            outputs += self._status(stream[at + 2], now_ms)
            end = at + 3
            at = stream.find(b"\x10\x04", end)
        tail = stream[max(end, len(stream) - 2) :]
        self._realtime_tail = tail if tail[:1] == b"\x10" else tail[1:]
        return outputs

    def _status(self, page: int, now_ms: int) -> list[Output]:
        answer = status.realtime_status(page, self.mechanism.condition)
        return [self._say(answer, now_ms)] if answer else []

    def _say(self, payload: bytes, now_ms: int) -> Output:
        return Output(now_ms + REPLY_MS, payload, self.baud)

    def _forget(self) -> None:
        self._buffer.clear()
        self._sheet.initialise()

    # -- what commands move --------------------------------------------------------------------

    def _kick(self, connector: int, on_ms: int, now_ms: int) -> None:
        self.mechanism.drawer.kick(Pulse(now_ms, DRAWER_PINS[connector], on_ms))

    def _cut(self, operation: Operation, now_ms: int) -> None:
        is_full = operation.name == b"\x1bi" or operation.data[:1] in _FULL_CUTS
        if len(operation.data) == 2:
            feed_dots = self._sheet.down(operation.data[1])
            self._use_paper(self._sheet.feed_by_hand(feed_dots), now_ms)
        self._finish("full" if is_full else "partial", now_ms)
        if self._profile.speed_mm_s:
            self._busy_until_ms = max(self._busy_until_ms, now_ms) + CUT_MS

    def _finish(self, cut: str, now_ms: int) -> None:
        blocks, dots = self._sheet.take()
        self._use_paper(dots, now_ms)
        if blocks:
            number, width_dots = self._tray.count + 1, self._profile.width_dots
            self._tray.keep(Receipt(number, now_ms, cut, width_dots, blocks))
