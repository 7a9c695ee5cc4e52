"""An ESC/POS receipt printer with a cash drawer: paper, cover, status, and receipts cut off.

Profile "gb18030" starts in Chinese mode, as printers sold in China do; "western" starts in code
page 437 and prints Chinese text as the junk it really prints.

While the printer is off line (no paper, cover open) it keeps what it is sent and prints it when
it is on line again; real-time requests (DLE EOT, DLE ENQ, DLE DC4) are answered at once.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from firmware_sim.devices.device import Output
from firmware_sim.devices.escpos_page import Page
from firmware_sim.devices.escpos_parser import EscPosParser, Kind, Operation
from firmware_sim.devices.receipt import Receipt
from firmware_sim.limits import PRINTER_BUFFER_BYTES_MAX, RECEIPTS_KEPT_MAX
from protocol.errors import CallerError

DOTS_PER_MM = 8
ROLL_MM = 30_000
NEAR_END_MM = 1_000
REPLY_MS = 1
PROFILES = ("gb18030", "western")


@dataclass(frozen=True, slots=True)
class PrinterProfile:
    """How a printer left the factory."""

    name: str = "gb18030"
    width_dots: int = 576
    baud: int = 115_200
    realtime_inside_data: bool = False

    def __post_init__(self) -> None:
        if self.name not in PROFILES:
            raise CallerError("config_invalid", f"printer profile is one of {PROFILES}")


class EscPosPrinter:
    """One printer. Paper, cover and drawer are moved by people; the rest by bytes."""

    def __init__(self, profile: PrinterProfile | None = None, *, roll_mm: int = ROLL_MM) -> None:
        self._profile = profile or PrinterProfile()
        self._page = Page(
            width_dots=self._profile.width_dots, chinese=self._profile.name == "gb18030"
        )
        self._parser = EscPosParser()
        self._waiting: deque[Operation] = deque()
        self._waiting_bytes = 0
        self._paper_dots = roll_mm * DOTS_PER_MM
        self._asb_mask = 0
        self._asb_last = b""
        self._realtime_tail = b""
        self.is_cover_open = False
        self.is_drawer_open = False
        self.drawer_kicks = 0
        self.overrun_bytes = 0
        self.receipts: deque[Receipt] = deque(maxlen=RECEIPTS_KEPT_MAX)
        self.receipts_cut = 0

    @property
    def baud(self) -> int:
        """Set by switches under the printer, so fixed."""
        return self._profile.baud

    @property
    def paper_mm(self) -> int:
        """What is left of the roll."""
        return max(0, self._paper_dots) // DOTS_PER_MM

    @property
    def paper(self) -> str:
        """``adequate``, ``near_end`` or ``end``."""
        if self._paper_dots <= 0:
            return "end"
        near = self._paper_dots <= NEAR_END_MM * DOTS_PER_MM
        return "near_end" if near else "adequate"

    @property
    def is_online(self) -> bool:
        """Whether it would print now."""
        return self._paper_dots > 0 and not self.is_cover_open

    @property
    def operations_waiting(self) -> int:
        """What it will print once it is on line again."""
        return len(self._waiting)

    @property
    def unknown_commands(self) -> int:
        """Commands swallowed without effect."""
        return self._page.unknown_commands

    def load_paper(self, millimetres: int, now_ms: int) -> list[Output]:
        """Put in a roll of this length; 0 takes the paper out."""
        if not 0 <= millimetres <= 10 * ROLL_MM:
            raise CallerError("field_invalid", f"a roll is 0 to {10 * ROLL_MM} mm")
        self._paper_dots = millimetres * DOTS_PER_MM
        return self._print_waiting(now_ms) + self._status_back(now_ms)

    def set_cover(self, now_ms: int, *, is_open: bool) -> list[Output]:
        """Open or close the cover."""
        self.is_cover_open = is_open
        return self._print_waiting(now_ms) + self._status_back(now_ms)

    def close_drawer(self, now_ms: int) -> list[Output]:
        """Push the drawer in."""
        self.is_drawer_open = False
        return self._status_back(now_ms)

    def boot(self, now_ms: int) -> list[Output]:
        """An empty buffer and a fresh page; paper, cover and drawer are as people left them."""
        del now_ms
        self._parser = EscPosParser()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._realtime_tail = b""
        self._asb_mask = 0
        self._page.initialise()
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Take bytes: real-time requests are carried out at once, the rest in order."""
        outputs: list[Output] = []
        if self._profile.realtime_inside_data:
            outputs += self._scan_realtime(data, now_ms)
        for operation in self._parser.feed(data):
            if operation.kind is Kind.REALTIME:
                outputs += self._realtime(operation, now_ms)
            else:
                self._enqueue(operation)
        return outputs + self._print_waiting(now_ms) + self._status_back(now_ms)

    def poll(self, now_ms: int) -> list[Output]:
        """Nothing happens here by time alone."""
        del now_ms
        return []

    def next_deadline_ms(self) -> int | None:
        """Nothing happens here by time alone."""
        return None

    def _enqueue(self, operation: Operation) -> None:
        size = len(operation.name) + len(operation.data)
        if self._waiting_bytes + size > PRINTER_BUFFER_BYTES_MAX:
            self.overrun_bytes += size
            return
        self._waiting.append(operation)
        self._waiting_bytes += size

    def _print_waiting(self, now_ms: int) -> list[Output]:
        outputs: list[Output] = []
        while self._waiting and self.is_online:
            operation = self._waiting.popleft()
            self._waiting_bytes -= len(operation.name) + len(operation.data)
            outputs += self._carry_out(operation, now_ms)
        return outputs

    def _carry_out(self, operation: Operation, now_ms: int) -> list[Output]:
        answer = self._answers().get(operation.name)
        if answer is not None:
            reply = answer(operation.data)
            return [self._say(reply, now_ms)] if reply else []
        if operation.name in (b"\x1dV", b"\x1bi", b"\x1bm"):
            self._cut(operation, now_ms)
        elif operation.name == b"\x1bp":
            self._kick()
        else:
            self._paper_dots -= self._page.print(operation)
            if self._page.is_full:
                self._finish("torn", now_ms)
        return []

    def _answers(self) -> dict[bytes, Callable[[bytes], bytes]]:
        return {b"\x1dr": self._transmit, b"\x1dI": self._identify, b"\x1da": self._enable_asb}

    def _transmit(self, data: bytes) -> bytes:
        """GS r n: paper (1) or drawer (2), after all that was sent before has been printed."""
        if data[0] in (1, 49):
            return bytes([0x0F if self.paper == "end" else 0x03 * (self.paper == "near_end")])
        return bytes([int(self.is_drawer_open)]) if data[0] in (2, 50) else b""

    def _identify(self, data: bytes) -> bytes:
        """GS I n."""
        names = {65: "1.0", 66: "TILLWAY", 67: "TW-80", 68: "0", 69: self._profile.name}
        if data[0] in names:
            return b"_" + names[data[0]].encode() + b"\x00"
        return {1: b"\x20", 2: b"\x02", 3: b"\x01"}.get(data[0] % 48, b"")

    def _enable_asb(self, data: bytes) -> bytes:
        """GS a n: send the four status bytes now and on every change."""
        self._asb_mask = data[0]
        self._asb_last = self._asb() if self._asb_mask else b""
        return self._asb_last

    def _status_back(self, now_ms: int) -> list[Output]:
        current = self._asb()
        if not self._asb_mask or current == self._asb_last:
            return []
        self._asb_last = current
        return [self._say(current, now_ms)]

    def _asb(self) -> bytes:
        first = 0x10 | self._drawer_bit() | (not self.is_online) << 3 | self.is_cover_open << 5
        paper = {"adequate": 0, "near_end": 0x03, "end": 0x0F}[self.paper]
        return bytes([first, 0, paper, 0])

    def _drawer_bit(self) -> int:
        return 0x04 if self.is_drawer_open else 0

    def _realtime(self, operation: Operation, now_ms: int) -> list[Output]:
        number = operation.data[0]
        if operation.name == b"\x10\x04":
            if self._profile.realtime_inside_data:
                return []
            return self._status(number, now_ms)
        if operation.name == b"\x10\x05" and number == 2:
            self._waiting.clear()
            self._waiting_bytes = 0
            self._page.initialise()
        elif operation.name == b"\x10\x14" and number == 1:
            self._kick()
        return []

    def _scan_realtime(self, data: bytes, now_ms: int) -> list[Output]:
        stream = self._realtime_tail + data
        outputs: list[Output] = []
        at = stream.find(b"\x10\x04")
        while 0 <= at < len(stream) - 2:
            outputs += self._status(stream[at + 2], now_ms)
            at = stream.find(b"\x10\x04", at + 3)
        tail = stream[-2:]
        self._realtime_tail = tail if tail[:1] == b"\x10" else tail[-1:]
        return outputs

    def _status(self, page: int, now_ms: int) -> list[Output]:
        """DLE EOT n."""
        ended = self.paper == "end"
        bits = {
            1: self._drawer_bit() | (not self.is_online) << 3,
            2: self.is_cover_open << 2 | ended << 5,
            3: 0,
            4: {"adequate": 0, "near_end": 0x0C, "end": 0x6C}[self.paper],
        }.get(page)
        return [] if bits is None else [self._say(bytes([0x12 | bits]), now_ms)]

    def _say(self, payload: bytes, now_ms: int) -> Output:
        return Output(now_ms + REPLY_MS, payload, self.baud)

    def _kick(self) -> None:
        self.drawer_kicks += 1
        self.is_drawer_open = True

    def _cut(self, operation: Operation, now_ms: int) -> None:
        is_full = operation.name == b"\x1bi" or operation.data[:1] in (b"\x00", b"0", b"A")
        self._finish("full" if is_full else "partial", now_ms)

    def _finish(self, cut: str, now_ms: int) -> None:
        blocks = self._page.take()
        if not blocks:
            return
        self.receipts_cut += 1
        width = self._profile.width_dots
        self.receipts.append(Receipt(self.receipts_cut, now_ms, cut, width, blocks))
