"""The GM65 code scanner on a serial port (``protocol/framing/gm65.py`` has the frames)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from protocol.errors import OperatingError, from_code
from protocol.framing import gm65
from terminal.adapters.limits import (
    SCANNER_ATTEMPTS_MAX,
    SCANNER_OVERTIME_S,
    SCANNER_REPLY_ALL_S,
    SCANNER_REPLY_GAP_S,
    SCANNER_REPLY_S,
    SCANNER_SESSION_TICK_S,
    SCANNER_SESSION_TICKS_MAX,
    SCANNER_TEXT_GAP_S,
)
from terminal.adapters.serial_worker import (
    AbandonedError,
    Dialogue,
    Port,
    SerialWorker,
    open_serial,
)

_BOOT_CHATTER = b"<{"
_NORMAL_LIGHT_AND_COMMAND_MODE = b"\xd5"
_DRESSED = b"\x0b"  # prefix, suffix, tail CR
_LENGTHS = b"\x22"
_PREFIX, _SUFFIX = b"[<", b">]"
_NO_SETUP_CODES = b"\x02"
_NOT_FOR_UART = 0x03
_STOP = gm65.write(gm65.REG_TRIGGER, b"\x00")
_TRIGGER = gm65.write(gm65.REG_TRIGGER, b"\x01")


class Gm65Scanner:
    """``CodeScanner`` over a GM65. The registers it sets are volatile: flash does not wear."""

    def __init__(
        self, path: str, *, baud: int = 9600, open_port: Callable[[], Port] | None = None
    ) -> None:
        opener = open_port or partial(open_serial, path, baud)
        self._worker = SerialWorker("scanner", opener, _configure)

    @property
    def is_connected(self) -> bool:
        """Whether the port was open when last looked at."""
        return self._worker.is_connected

    async def scan(self, timeout_s: float) -> str:
        """As ``CodeScanner.scan``."""
        limit_s = timeout_s + SCANNER_OVERTIME_S
        return await self._worker.run(partial(_scan, timeout_s), limit_s=limit_s)

    async def aclose(self) -> None:
        """As ``CodeScanner.aclose``."""
        await self._worker.aclose()


def _configure(dialogue: Dialogue) -> None:
    """Command mode, codes out of the serial port, each between marks and ended by CR.

    A code has no checksum: with the marks, a byte lost or doubled at either end is seen. Codes
    that set the scanner up are forbidden: a payer could show one.
    """
    _exchange(dialogue, gm65.write(gm65.REG_MODE, _NORMAL_LIGHT_AND_COMMAND_MODE))
    _exchange(dialogue, gm65.write(gm65.REG_LENGTHS, _LENGTHS + _PREFIX))
    _exchange(dialogue, gm65.write(gm65.REG_SUFFIX, _SUFFIX))
    _exchange(dialogue, gm65.write(gm65.REG_TAIL, _DRESSED))
    _exchange(dialogue, gm65.write(gm65.REG_SETUP_CODE, _NO_SETUP_CODES))
    output = _ask(dialogue, gm65.read(gm65.REG_OUTPUT)).data[0]
    if output & _NOT_FOR_UART:  # newer models leave the factory typing over USB
        _exchange(dialogue, gm65.write(gm65.REG_OUTPUT, bytes([output & ~_NOT_FOR_UART])))


def _scan(timeout_s: float, dialogue: Dialogue) -> str:
    deadline = time.monotonic() + timeout_s
    try:
        while (left_s := deadline - time.monotonic()) > 0:
            found = _session(dialogue, left_s)
            if found is not None:
                return _checked(found)
        found = _exchange(dialogue, _STOP)  # a code may come just before the scanner stops
    except AbandonedError:
        dialogue.send(gm65.encode_command(_STOP))
        raise
    if found is not None:
        return _checked(found)
    raise from_code("scan_timeout")


def _session(dialogue: Dialogue, left_s: float) -> bytes | None:
    """One trigger and the wait for its code; ``None`` when the scanner has given up."""
    ticks = min(max(1, round(left_s / SCANNER_SESSION_TICK_S)), SCANNER_SESSION_TICKS_MAX)
    if _ask(dialogue, gm65.read(gm65.REG_MODE)).data != _NORMAL_LIGHT_AND_COMMAND_MODE:
        _configure(dialogue)  # it has been without power behind a port that stayed
    _exchange(dialogue, gm65.write(gm65.REG_READ_TIME, bytes([ticks])))
    answer = _ask(dialogue, _TRIGGER)
    if answer.code is not None:  # it came before the acknowledgement: the trigger may be on again
        dialogue.send(gm65.encode_command(_STOP))
        return answer.code
    parser, items = answer.parser, answer.behind
    until = time.monotonic() + min(left_s, ticks * SCANNER_SESSION_TICK_S)
    while True:
        for item in items:
            if isinstance(item, gm65.Text) and not item.data.startswith(_BOOT_CHATTER):
                return item.data
            if isinstance(item, gm65.Damaged):
                raise OperatingError("device_bad_frame", f"scanner: {item.why}")
        if parser.is_mid_item:
            until = time.monotonic() + SCANNER_TEXT_GAP_S
        data = dialogue.receive(until)
        if not data:
            if parser.is_mid_item:
                raise OperatingError("device_bad_frame", "scanner: code broken off")
            return None
        items = parser.feed(data)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a command was answered, and what came around it."""

    data: bytes
    code: bytes | None
    """A code that came before the answer."""
    behind: list[gm65.HostItem]
    """What arrived together with the answer, after it."""
    parser: gm65.HostParser
    """With what has begun after it."""


def _exchange(dialogue: Dialogue, command: gm65.Command) -> bytes | None:
    """Send a command until it is acknowledged; returns a code that came in front of the reply."""
    return _ask(dialogue, command).code


def _ask(dialogue: Dialogue, command: gm65.Command) -> _Answer:
    """Send a command until it is answered."""
    damaged = False
    for _ in range(SCANNER_ATTEMPTS_MAX):
        dialogue.discard_input()
        dialogue.send(gm65.encode_command(command))
        parser, text = gm65.HostParser(), None
        began = time.monotonic()
        until = began + SCANNER_REPLY_S
        while data := dialogue.receive(until):
            items = parser.feed(data)
            for place, item in enumerate(items, start=1):
                if isinstance(item, gm65.Reply):
                    if item.status == gm65.STATUS_OK:
                        return _Answer(item.data, text, items[place:], parser)
                    damaged = True
                elif isinstance(item, gm65.Damaged):
                    damaged = True
                elif not item.data.startswith(_BOOT_CHATTER):
                    text = item.data
            until = min(began + SCANNER_REPLY_ALL_S, time.monotonic() + SCANNER_REPLY_GAP_S)
        damaged = damaged or parser.is_mid_item
    raise OperatingError("device_bad_frame" if damaged else "device_no_reply", "scanner")


def _checked(code: bytes) -> str:
    marks = len(_PREFIX) + len(_SUFFIX)
    if len(code) <= marks or not (code.startswith(_PREFIX) and code.endswith(_SUFFIX)):
        raise OperatingError("device_bad_frame", "scanner: a code without its marks")
    try:
        return code[len(_PREFIX) : -len(_SUFFIX)].decode("ascii")
    except UnicodeDecodeError:
        raise OperatingError("device_bad_frame", "scanner: not ASCII") from None
