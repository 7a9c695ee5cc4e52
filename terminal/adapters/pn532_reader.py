"""A PN532 contactless reader on a serial port: a pay code by a tap, or which card it is."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from protocol.errors import CallerError, from_code
from terminal.adapters import card_reading, pn532_chip
from terminal.adapters.limits import READER_LOOK_GAP_S, READER_OVERTIME_S
from terminal.adapters.pn532_chip import CardLostError, Found
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker, open_serial
from terminal.ports import CardFacts

_TYPE_2 = 0x00
Reading = TypeVar("Reading")


class Pn532Reader:
    """``CodeScanner`` over a PN532, and a teller of cards. Cards are read, never written."""

    def __init__(
        self, path: str, *, baud: int = 115_200, open_port: Callable[[], Port] | None = None
    ) -> None:
        opener = open_port or partial(open_serial, path, baud)
        self._worker = SerialWorker("reader", opener, _greet)

    @property
    def is_connected(self) -> bool:
        """Whether the port was open when last looked at."""
        return self._worker.is_connected

    async def scan(self, timeout_s: float) -> str:
        """As ``CodeScanner.scan``; the code is the first text on a tag or telephone.

        ``card_unreadable``: only cards without a code were held to it.
        """
        job = partial(_until_read, timeout_s, _code, "scan_timeout")
        return await self._worker.run(job, limit_s=timeout_s + READER_OVERTIME_S)

    async def read_card(self, timeout_s: float) -> CardFacts:
        """Wait for a payment card and say which it is; no payment is taken.

        ``card_timeout`` if none is held to it, ``card_unreadable`` if it is no payment card or is
        closed. Ends within ``timeout_s`` + 8 s.
        """
        job = partial(_until_read, timeout_s, _facts, "card_timeout")
        return await self._worker.run(job, limit_s=timeout_s + READER_OVERTIME_S)

    async def aclose(self) -> None:
        """As ``CodeScanner.aclose``."""
        await self._worker.aclose()


def _greet(dialogue: Dialogue) -> None:
    pn532_chip.settle(dialogue)
    pn532_chip.set_up(dialogue)


def _until_read(
    timeout_s: float,
    read: Callable[[Dialogue, Found], Reading | None],
    nothing: str,
    dialogue: Dialogue,
) -> Reading:
    """Look until a card says what is wanted. One that does not is not asked again."""
    deadline = time.monotonic() + timeout_s
    mute: bytes | None = None
    pn532_chip.settle(dialogue)
    while True:
        found = pn532_chip.find_card(dialogue)
        if found is not None and found.uid != mute:
            try:
                told = read(dialogue, found)
            except CardLostError:
                told = None  # held too briefly: look again
            except ValueError:
                told, mute = None, found.uid
            else:
                mute = found.uid if told is None else mute
            if told is not None:
                pn532_chip.switch_off(dialogue)
                return told
        if time.monotonic() >= deadline:
            pn532_chip.switch_off(dialogue)
            raise from_code(nothing) if mute is None else CallerError("card_unreadable")
        dialogue.pause(READER_LOOK_GAP_S)


def _code(dialogue: Dialogue, found: Found) -> str | None:
    say = partial(pn532_chip.transceive, dialogue)
    if found.speaks_blocks:
        text = card_reading.phone_text(say)
    elif found.sel_res == _TYPE_2:
        text = card_reading.tag_text(say)
    else:
        return None
    return text if text and text.isascii() and text.isprintable() else None


def _facts(dialogue: Dialogue, found: Found) -> CardFacts | None:
    if not found.speaks_blocks:
        return None
    return card_reading.payment_card(
        partial(pn532_chip.transceive, dialogue),
        date=bytes.fromhex(datetime.now(UTC).strftime("%y%m%d")),
        unpredictable=os.urandom(4),
    )
