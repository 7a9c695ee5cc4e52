"""The ports through which peripherals reach the agent.

Every call either gives a value or raises a ``TillwayError`` with one of the peripheral codes
(``device_no_reply``, ``device_bad_frame``, ``device_disconnected``, ``scan_timeout``,
``card_timeout``, ``card_unreadable``, ``finger_timeout``, ``printer_paper_end``,
``printer_cover_open``, ``printer_error``, ``item_not_given``, ``busy``), within the time its
docstring states. None of them blocks the agent's loop. A disconnected peripheral is looked for
again without being asked.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Value = str | int | list[str] | list[int] | None
"""Of an attribute of a device. A measured one is an integer of a small unit."""
CardResult = Literal["approved", "declined", "unknown"]
Paper = Literal["adequate", "near_end", "end"]
Lamp = Literal["none", "unit_price", "total", "received", "change"]


@dataclass(frozen=True, slots=True)
class Match:
    """A finger that the sensor knows: its slot in the library and how alike it is."""

    slot: int
    score: int


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What the printer itself said, twice alike. A silent printer has no status."""

    is_online: bool
    paper: Paper
    is_cover_open: bool
    is_drawer_open: bool


@dataclass(frozen=True, slots=True)
class CardOutcome:
    """How a card payment ended. ``unknown`` is no failure: only the acquirer can tell.

    ``card`` is the masked card number, ``reference`` the pin pad's, ``why`` the code of the
    trouble that left the outcome unknown, or of why it was declined.
    """

    result: CardResult
    card: str = ""
    reference: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class CustomerView:
    """What the payer is shown: two rows of words, or digits with a lamp, as the display can."""

    upper: str
    lower: str
    digits: str = ""
    lamp: Lamp = "none"


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody has selected at a machine, and the price that the machine asks.

    ``tag`` says who is there, where the machine knows. What was used over a time was used from
    ``since_ms`` to ``until_ms``, by the machine's clock."""

    item: str
    amount_minor: int
    tag: str = ""
    since_ms: int = 0
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Car:
    """Who stands at a car park's exit, and since when it is in, by the exit's clock (s); 0 is
    unknown. ``is_released``: it may leave."""

    tag: int
    entered_s: int
    now_s: int
    is_released: bool


class CodeScanner(Protocol):
    """Reads one code at a time."""

    async def scan(self, timeout_s: float) -> str:
        """Wait for a code; ``scan_timeout`` if none is shown. Ends within ``timeout_s`` + 8 s.

        The text is printable ASCII but otherwise unchecked: a scanner's line has no checksum over
        it, so the caller checks its form.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A payment card as it may be shown: the application's name and label, the masked number."""

    aid: str
    label: str
    pan_masked: str
    last_four: str


class ReceiptPrinter(Protocol):
    """Prints receipts and opens the drawer."""

    async def print(self, receipt: bytes) -> None:
        """Print ESC/POS bytes; returns only when the printer said it has printed them.

        After an error nothing of the receipt is left in the printer's buffer, so the same receipt
        may be printed again (marked as a copy). Ends within 30 s.
        """
        ...

    async def status(self) -> PrinterStatus:
        """Ask the printer. Ends within 12 s."""
        ...

    async def open_drawer(self) -> None:
        """Send the drawer's pulse. Ends within 12 s."""
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...


class FingerprintSensor(Protocol):
    """Tells whether a finger is one of those enrolled."""

    async def identify(self, timeout_s: float) -> Match | None:
        """Wait for a finger and search for it; ``None`` is a finger that is not enrolled.

        ``finger_timeout`` if no finger is placed. Ends within ``timeout_s`` + 8 s.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...


class CustomerDisplay(Protocol):
    """Shows the payer what is going on. Such displays never answer."""

    async def show(self, view: CustomerView) -> None:
        """Show this and nothing else; returns when all of it has been written. Ends within 8 s.

        What is too long for the display, or has no character there, is cut or marked; an amount
        that does not fit is not shown at all.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...


@dataclass(frozen=True, slots=True)
class BoardImage:
    """Firmware in one slot of a controller board; slot 0 runs. ``is_pending`` waits for a trial."""

    slot: int
    version: str
    digest: bytes
    is_pending: bool
    is_confirmed: bool


class ControllerBoard(Protocol):
    """A board behind a machine's buttons and motors whose firmware can be renewed.

    Each call ends within 20 s; ``firmware_refused`` (a ``CallerError``) is the board's own no.
    """

    async def images(self) -> tuple[BoardImage, ...]:
        """What lies in its slots."""
        ...

    async def upload(self, offset: int, piece: bytes, *, length: int, sha: bytes) -> int:
        """Give it a piece of new firmware; the offset it wants next. ``length`` and ``sha`` (of
        the whole, SHA-256) tell uploads apart."""
        ...

    async def try_out(self, digest: bytes) -> None:
        """Start the firmware with this hash at the next boot, once."""
        ...

    async def erase(self) -> None:
        """Erase what does not run; ``firmware_refused`` where the board needs it."""
        ...

    async def confirm(self) -> None:
        """Keep the firmware that runs."""
        ...

    async def reset(self) -> None:
        """Boot. Its answer says that it will."""
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...


class FirmwareSource(Protocol):
    """Where firmware for the board comes from. Blocking: call it on a thread."""

    def fetch(self, digest: str, size: int) -> bytes:
        """The whole file, checked against its digest. ``OperatingError`` for not now,
        ``firmware_unknown`` for never."""
        ...

    def forget(self, digest: str) -> None:
        """The file is not needed any more."""
        ...


class DeviceKey(Protocol):
    """Holds the key that this terminal signs with, where no program can read it."""

    async def sign(self, message: bytes) -> bytes:
        """The signature, checked against the public key. Ends within 20 s; besides the port's
        errors ``element_locked``, ``element_blocked``, ``element_tampered`` and
        ``element_key_missing``."""
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...


class DeviceReader(Protocol):
    """Says what this terminal is made of."""

    def read(self) -> dict[str, Value]:
        """The attributes by name, ``None`` for what cannot be read; never raises. Blocks for some
        tenths of a second, or as long as the system's files do: not for the agent's loop."""
        ...


class Dispenser(Protocol):
    """Gives out what was sold."""

    async def dispense(self, item: str) -> None:
        """Give out one piece; returns only when the machine itself says that it has fallen.

        ``item_not_given`` is as certain the other way: nothing fell, and nothing will. Any other
        error (``device_no_reply``, …) says that nobody knows. Ends within `DISPENSE_WAIT_S`;
        the caller takes a longer silence for ``device_no_reply``.
        """
        ...


class SelectionSource(Protocol):
    """A machine whose own keys people press, and which waits until it is told that they paid.

    ``Dispenser.dispense`` of the same machine says that they did.
    """

    async def next_selection(self) -> Selection | None:
        """What is selected now, or None after a short while. Ends within 20 s."""
        ...

    async def refuse(self, selection: Selection) -> None:
        """Say that nobody pays for it. Nothing happens if the machine waits no longer."""
        ...


class Gate(Protocol):
    """A car park's exit. Each call ends within 20 s."""

    async def car(self) -> Car | None:
        """Who stands there now; None where nobody does, after a short while."""
        ...

    async def notice(self, words: int) -> None:
        """What the display says, by its number (``protocol.framing.gate``)."""
        ...

    async def raise_for(self, tag: int) -> None:
        """Let this car out; returns when the arm is up. Asked again, nothing more happens.

        ``item_not_given`` where the exit refuses: nobody gets out. Any other error says that nobody
        knows.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...


@dataclass(frozen=True, slots=True)
class Credit:
    """What a prepaid meter has left, and the count of the latest token that it took."""

    minutes: int
    count: int


class PayMeter(Protocol):
    """A prepaid meter. Each call ends within 20 s."""

    async def credit(self) -> Credit:
        """What is left now."""
        ...

    async def enter(self, digits: str) -> None:
        """Give it a token; returns when it has taken it, now or before.

        ``item_not_given`` where it will never take it; any other error says that nobody knows.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...


class CardPinPad(Protocol):
    """Takes card payments with a bank of its own."""

    async def check(self) -> None:
        """Ask whether it is there and free; ``busy`` while it is in use. Ends within 8 s."""
        ...

    async def pay(self, amount_minor: int, currency: str, *, timeout_s: float) -> CardOutcome:
        """Let a card pay; the payer has ``timeout_s``. Ends within that and 45 s.

        An error is raised only where nothing can have been paid: the pin pad is gone, ``busy``, or
        has not taken the ask, or cannot carry it (``amount_invalid``, ``currency_unsupported``).
        """
        ...

    async def refund(self, amount_minor: int, currency: str, *, timeout_s: float) -> CardOutcome:
        """Give money back to a card; else as ``pay``."""
        ...

    async def aclose(self) -> None:
        """Let go of the port."""
        ...
