"""The peripherals' twins without a port: they keep the same contracts (``tests/contract``)."""

import asyncio
from collections import deque

from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError, OperatingError, TillwayError, from_code
from protocol.money import AMOUNT_MINOR_MAX
from terminal.ports import CardOutcome, CustomerView, Match, Paper, PrinterStatus, Selection


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


class DummyCardPinPad:
    """Ends each payment as the next card that is held to it says."""

    def __init__(self, currencies: frozenset[str] = frozenset({"CNY", "EUR", "USD"})) -> None:
        self._currencies = currencies
        self._cards: asyncio.Queue[CardOutcome] = asyncio.Queue()
        self.is_connected = True

    def hold(self, outcome: CardOutcome) -> None:
        """Stand there with a card with which a payment ends so."""
        self._cards.put_nowait(outcome)

    async def check(self) -> None:
        """As ``CardPinPad.check``."""
        if not self.is_connected:
            raise OperatingError("device_disconnected", "pinpad")

    async def pay(self, amount_minor: int, currency: str, *, timeout_s: float) -> CardOutcome:
        """As ``CardPinPad.pay``."""
        if currency not in self._currencies:
            raise CallerError("currency_unsupported", currency)
        if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
            raise CallerError("amount_invalid")
        await self.check()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._cards.get()
        except TimeoutError:
            return CardOutcome("unknown", why="device_no_reply")

    async def refund(self, amount_minor: int, currency: str, *, timeout_s: float) -> CardOutcome:
        """As ``CardPinPad.refund``."""
        return await self.pay(amount_minor, currency, timeout_s=timeout_s)

    async def aclose(self) -> None:
        """As ``CardPinPad.aclose``."""


class DummyMachine:
    """``SelectionSource`` and ``Dispenser``: a machine whose keys the test presses. What is in
    ``jammed`` does not fall."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.refused: list[Selection] = []
        self.jammed: set[str] = set()
        self.is_connected = True
        self._waiting: Selection | None = None
        self._is_fresh = False

    def select(self, selection: Selection) -> None:
        """Press a key."""
        self._waiting, self._is_fresh = selection, True

    async def next_selection(self) -> Selection | None:
        """As ``SelectionSource.next_selection``."""
        self._check_line()
        is_fresh, self._is_fresh = self._is_fresh, False
        return self._waiting if is_fresh else None

    async def refuse(self, selection: Selection) -> None:
        """As ``SelectionSource.refuse``."""
        self._check_line()
        if self._waiting == selection:
            self.refused.append(selection)
            self._waiting, self._is_fresh = None, False

    async def dispense(self, item: str) -> None:
        """As ``Dispenser.dispense``."""
        self._check_line()
        selection, self._waiting, self._is_fresh = self._waiting, None, False
        if selection is None or selection.item != item or item in self.jammed:
            raise OperatingError("item_not_given", item)
        self.given.append(item)

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _check_line(self) -> None:
        if not self.is_connected:
            raise OperatingError("device_disconnected", "machine")
