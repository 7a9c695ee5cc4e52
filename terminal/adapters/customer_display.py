"""A customer display on a serial port (``protocol/framing/customer_display.py`` has the orders).

Rule 1: the whole picture is written every time, never a part of it: a display that has lost its
power or some bytes is right again with the next one.
Rule 2: a display never answers, so that nothing can be said of what it shows, only that it was
written to a port that is there.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from protocol.framing import customer_display
from protocol.framing.limits import LED8_DIGITS
from terminal.adapters.limits import DISPLAY_LIMIT_S
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker, open_serial
from terminal.ports import CustomerView

Family = Literal["epson_vfd", "cd5220", "led8"]
_LAMPS = ("none", "unit_price", "total", "received", "change")
_BAUDS: Mapping[str, int] = {"led8": 2400}
_BAUD = 9600


class SerialCustomerDisplay:
    """``CustomerDisplay`` over a serial line; ``baud`` None is the family's own."""

    def __init__(
        self,
        path: str,
        family: Family,
        *,
        baud: int | None = None,
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        rate = baud or _BAUDS.get(family, _BAUD)
        self._picture = _PICTURES[family]
        self._worker = SerialWorker("display", open_port or partial(open_serial, path, rate))

    async def show(self, view: CustomerView) -> None:
        """As ``CustomerDisplay.show``."""
        job = partial(_write, self._picture(view))
        await self._worker.run(job, limit_s=DISPLAY_LIMIT_S)

    async def aclose(self) -> None:
        """As ``CustomerDisplay.aclose``."""
        await self._worker.aclose()


def _write(picture: bytes, dialogue: Dialogue) -> None:
    dialogue.send(picture)


def _epson(view: CustomerView) -> bytes:
    return customer_display.epson_rows(view.upper, view.lower)


def _cd5220(view: CustomerView) -> bytes:
    return customer_display.cd5220_rows(view.upper, view.lower)


def _led8(view: CustomerView) -> bytes:
    """An amount that does not fit is not shown, nor is its lamp: a part of it would mislead."""
    fits = len(view.digits.replace(".", "")) <= LED8_DIGITS
    if not fits:
        return customer_display.led8_digits("", 0)
    return customer_display.led8_digits(view.digits, _LAMPS.index(view.lamp))


_PICTURES: Mapping[str, Callable[[CustomerView], bytes]] = {
    "epson_vfd": _epson, "cd5220": _cd5220, "led8": _led8,
}  # fmt: skip
