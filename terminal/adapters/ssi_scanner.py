"""A scan engine that speaks SSI, on a serial port (``protocol/framing/ssi.py`` has the packets).

Rule 1: a code counts when its packet is whole and its checksum right; only then is it acknowledged.
Rule 2: a packet that the engine sends again because it did not hear our acknowledgement is
acknowledged again and not taken for a second code. What it has left to say from before a scan is
flushed when the scan begins.
Rule 3: the parameters set here are volatile: flash does not wear.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from protocol.errors import OperatingError, from_code
from protocol.framing import ssi
from protocol.framing.ssi import Opcode, Packet, Parameter, Reason
from terminal.adapters.limits import (
    SCANNER_OVERTIME_S,
    SCANNER_SESSION_TICK_S,
    SSI_ATTEMPTS_MAX,
    SSI_DAMAGES_MAX,
    SSI_NEXT_PACKET_S,
    SSI_PACKET_GAP_S,
    SSI_REPLY_ALL_S,
    SSI_REPLY_GAP_S,
    SSI_REPLY_S,
    SSI_SESSION_TICKS_MAX,
    SSI_WAKE_S,
)
from terminal.adapters.serial_worker import (
    AbandonedError,
    Dialogue,
    Port,
    SerialWorker,
    open_serial,
)

_ACK = ssi.encode(Packet(Opcode.ACK))
_RESEND = ssi.encode(ssi.nak(Reason.RESEND, source=ssi.HOST))
_START, _STOP = Packet(Opcode.START_SESSION), Packet(Opcode.STOP_SESSION)
_FLUSH = Packet(Opcode.FLUSH_QUEUE)
_HANDSHAKING = ssi.set_parameter(Parameter.HANDSHAKING, 1)
_NEEDED = (
    ssi.set_parameter(Parameter.PACKETED, 1),
    ssi.set_parameter(Parameter.TRIGGER_MODE, ssi.TRIGGER_HOST),
)
_ENABLE = Packet(Opcode.SCAN_ENABLE)
_NO_READ_TYPE = 0


class SsiScanner:
    """``CodeScanner`` over an SSI engine in host-triggered mode."""

    def __init__(
        self, path: str, *, baud: int = 9600, open_port: Callable[[], Port] | None = None
    ) -> None:
        engine = _Engine()
        opener = open_port or partial(open_serial, path, baud)
        self._engine = engine
        self._worker = SerialWorker("scanner", opener, engine.configure)

    @property
    def is_connected(self) -> bool:
        """Whether the port was open when last looked at."""
        return self._worker.is_connected

    async def scan(self, timeout_s: float) -> str:
        """As ``CodeScanner.scan``."""
        job = partial(self._engine.scan, timeout_s)
        return await self._worker.run(job, limit_s=timeout_s + SCANNER_OVERTIME_S)

    async def aclose(self) -> None:
        """As ``CodeScanner.aclose``."""
        await self._worker.aclose()


class _Engine:
    """What one side of the talk remembers. Only the port's thread touches it."""

    def __init__(self) -> None:
        self._last: Packet | None = None
        self._parts: list[bytes] = []

    def configure(self, dialogue: Dialogue) -> None:
        """Wake it, and let it scan. What a session needs is set when it begins."""
        self._last, self._parts = None, []
        dialogue.send(ssi.WAKE)
        dialogue.pause(SSI_WAKE_S)
        self._exchange(dialogue, _HANDSHAKING, is_needed=False)
        self._exchange(dialogue, _ENABLE)

    def scan(self, timeout_s: float, dialogue: Dialogue) -> str:
        """A code, or ``scan_timeout``."""
        deadline = time.monotonic() + timeout_s
        self._exchange(dialogue, _FLUSH, is_needed=False)
        try:
            while (left_s := deadline - time.monotonic()) > 0:
                found = self._session(dialogue, left_s)
                if found is not None:
                    return _checked(found)
            found = self._exchange(dialogue, _STOP)  # a code may come just before it stops
        except AbandonedError:
            dialogue.send(ssi.encode(_STOP))
            raise
        if found is not None:
            return _checked(found)
        raise from_code("scan_timeout")

    def _session(self, dialogue: Dialogue, left_s: float) -> bytes | None:
        """One session and the wait for its code; ``None`` when the engine has given up.

        Each sets all that it needs: an engine can lose its power behind a port that stays.
        """
        ticks = min(max(1, round(left_s / SCANNER_SESSION_TICK_S)), SSI_SESSION_TICKS_MAX)
        for order in _NEEDED:
            self._exchange(dialogue, order)
        self._exchange(dialogue, ssi.set_parameter(Parameter.SESSION_TIME, ticks))
        found = self._exchange(dialogue, _START)
        if found is not None:
            return found
        return self._await_code(dialogue, time.monotonic() + ticks * SCANNER_SESSION_TICK_S)

    def _await_code(self, dialogue: Dialogue, until: float) -> bytes | None:
        parser, damages = ssi.PacketParser(ssi.DECODER), 0
        while True:
            data = dialogue.receive(self._limit(parser, until))
            was_mid_item = parser.is_mid_item
            items = parser.feed(data) if data else parser.give_up()
            for item in items:
                code = self._take(dialogue, item) if isinstance(item, Packet) else None
                if code is not None:
                    return code
            is_broken = was_mid_item and not data and not items
            if is_broken or any(isinstance(item, ssi.Damaged) for item in items):
                damages += 1
                if damages >= SSI_DAMAGES_MAX:
                    raise OperatingError("device_bad_frame", "scanner: code damaged")
                dialogue.send(_RESEND)
            elif not data and self._parts:
                raise OperatingError("device_bad_frame", "scanner: code broken off")
            elif not data and time.monotonic() >= until:
                return None

    def _limit(self, parser: ssi.PacketParser, until: float) -> float:
        """How long to wait now: in the middle of something, until it is plain that it stopped."""
        if parser.is_mid_item:
            return time.monotonic() + SSI_PACKET_GAP_S
        return time.monotonic() + SSI_NEXT_PACKET_S if self._parts else until

    def _take(self, dialogue: Dialogue, packet: Packet) -> bytes | None:
        """Acknowledge what carries data; returns a code once its last packet is here."""
        if packet.opcode in (Opcode.ACK, Opcode.NAK):
            return None
        dialogue.send(_ACK)
        if packet.opcode not in (Opcode.DECODE_DATA, Opcode.LONG_DECODE_DATA):
            return None
        is_again = bool(packet.status & ssi.STATUS_RESENT)
        fresh = replace(packet, status=packet.status & ~ssi.STATUS_RESENT)
        if is_again and fresh == self._last:
            return None
        self._last = fresh
        if not packet.data or packet.data[0] == _NO_READ_TYPE:
            return None
        self._parts.append(packet.data[1:])
        if packet.status & ssi.STATUS_CONTINUED:
            return None
        code, self._parts = b"".join(self._parts), []
        return code

    def _exchange(
        self, dialogue: Dialogue, order: Packet, *, is_needed: bool = True
    ) -> bytes | None:
        """Send an order until it is acknowledged; returns a code that came in front of that.

        An engine may refuse what is not needed: some do not know it.
        """
        self._parts, has_heard = [], False
        for attempt in range(SSI_ATTEMPTS_MAX):
            if attempt:
                order = replace(order, status=order.status | ssi.STATUS_RESENT)
                dialogue.send(ssi.WAKE)
                dialogue.pause(SSI_WAKE_S)
            dialogue.discard_input()
            dialogue.send(ssi.encode(order))
            code: bytes | None = None
            for packet in _replies(dialogue):
                if packet is None:
                    has_heard = True
                elif packet.opcode == Opcode.ACK:
                    return code
                elif packet.opcode == Opcode.NAK and packet.data[:1] != bytes([Reason.RESEND]):
                    if not is_needed:
                        return code
                    raise OperatingError("device_bad_frame", f"scanner refuses {order.opcode:#x}")
                else:
                    code = self._take(dialogue, packet) or code
        raise OperatingError("device_bad_frame" if has_heard else "device_no_reply", "scanner")


def _replies(dialogue: Dialogue) -> Iterator[Packet | None]:
    """The packets that come in the time of a reply; ``None`` says that bytes have come at all."""
    parser, began = ssi.PacketParser(ssi.DECODER), time.monotonic()
    until = began + SSI_REPLY_S
    while data := dialogue.receive(until):
        yield None
        yield from (item for item in parser.feed(data) if isinstance(item, Packet))
        until = min(began + SSI_REPLY_ALL_S, time.monotonic() + SSI_REPLY_GAP_S)
    yield from (item for item in parser.give_up() if isinstance(item, Packet))


def _checked(code: bytes) -> str:
    try:
        return code.decode("ascii")
    except UnicodeDecodeError:
        raise OperatingError("device_bad_frame", "scanner: not ASCII") from None
