"""The peripherals' twins without a port: they keep the same contracts (``tests/contract``)."""

import asyncio
from collections import deque

from protocol.crypto.keys import SigningKey
from protocol.errors import OperatingError, TillwayError, from_code
from terminal.ports import CustomerView, Match, Paper, PrinterStatus


class DummyScanner:
    """Shows the codes put into it, one per scan."""

    def __init__(self) -> None:
        self._codes: asyncio.Queue[str] = asyncio.Queue()

    def show(self, code: str) -> None:
        """Hold a code before the scanner."""
        self._codes.put_nowait(code)

    async def scan(self, timeout_s: float) -> str:
        """As ``CodeScanner.scan``."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._codes.get()
        except TimeoutError:
            raise from_code("scan_timeout") from None

    async def aclose(self) -> None:
        """As ``CodeScanner.aclose``."""


class DummyPrinter:
    """Keeps what it prints."""

    def __init__(self) -> None:
        self.receipts: list[bytes] = []
        self.paper: Paper = "adequate"
        self.is_cover_open = False
        self.is_drawer_open = False

    async def print(self, receipt: bytes) -> None:
        """As ``ReceiptPrinter.print``."""
        if self.is_cover_open:
            raise OperatingError("printer_cover_open")
        if self.paper == "end":
            raise OperatingError("printer_paper_end")
        self.receipts.append(receipt)

    async def status(self) -> PrinterStatus:
        """As ``ReceiptPrinter.status``."""
        is_online = self.paper != "end" and not self.is_cover_open
        return PrinterStatus(is_online, self.paper, self.is_cover_open, self.is_drawer_open)

    async def open_drawer(self) -> None:
        """As ``ReceiptPrinter.open_drawer``."""
        self.is_drawer_open = True

    async def aclose(self) -> None:
        """As ``ReceiptPrinter.aclose``."""


class DummyDeviceKey:
    """Signs with a key of this program; ``error`` is raised instead while it is set."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self.error: TillwayError | None = None

    async def sign(self, message: bytes) -> bytes:
        """As ``DeviceKey.sign``."""
        if self.error is not None:
            raise self.error
        return self._key.sign(message)

    async def aclose(self) -> None:
        """As ``DeviceKey.aclose``."""


class DummyFingerprintSensor:
    """Knows the fingers it was told, by name."""

    def __init__(self, enrolled: dict[str, int] | None = None) -> None:
        self._enrolled = dict(enrolled or {})
        self._placed: deque[str] = deque(maxlen=1)
        self._touched = asyncio.Event()

    def place(self, finger: str) -> None:
        """Lay a finger on the glass."""
        self._placed.append(finger)
        self._touched.set()

    def lift(self) -> None:
        """Take the finger away."""
        self._placed.clear()
        self._touched.clear()

    async def identify(self, timeout_s: float) -> Match | None:
        """As ``FingerprintSensor.identify``."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._touched.wait()
        except TimeoutError:
            raise from_code("finger_timeout") from None
        slot = self._enrolled.get(self._placed[-1])
        return None if slot is None else Match(slot, 100)

    async def aclose(self) -> None:
        """As ``FingerprintSensor.aclose``."""


class DummyCustomerDisplay:
    """Keeps what it was told to show."""

    def __init__(self) -> None:
        self.views: list[CustomerView] = []
        self.is_connected = True

    async def show(self, view: CustomerView) -> None:
        """As ``CustomerDisplay.show``."""
        if not self.is_connected:
            raise OperatingError("device_disconnected", "customer display")
        self.views.append(view)

    async def aclose(self) -> None:
        """As ``CustomerDisplay.aclose``."""
