"""The uplink's twin without a socket: a hub is a function from an envelope to answers."""

import asyncio
from collections.abc import Callable, Iterable

from terminal.effects import Transmit
from terminal.inputs import (
    AnswerArrived,
    HubStateArrived,
    LinkDown,
    LinkRefused,
    LinkUp,
    Undelivered,
)
from terminal.uplink import Deliver

Hub = Callable[[bytes], Iterable[bytes]]


class MemoryLink:
    """As ``UplinkPort``. ``cut`` and ``mend`` are the cable."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._deliver: Deliver | None = None
        self._is_up = True

    async def run(self, deliver: Deliver) -> None:
        """As ``UplinkPort.run``."""
        self._deliver = deliver
        try:
            if self._is_up:
                deliver(LinkUp())
            await asyncio.Event().wait()
        finally:
            self._deliver = None

    def transmit(self, parcel: Transmit) -> None:
        """As ``UplinkPort.transmit``."""
        if self._deliver is None:
            return
        if not self._is_up:
            self._deliver(Undelivered(parcel.request_id))
            return
        for answer in self._hub(parcel.sealed):
            self._deliver(AnswerArrived(answer))

    def try_other_hub(self) -> None:
        """As ``UplinkPort.try_other_hub``: there is none."""

    def push(self, answer: bytes) -> None:
        """The hub says something by itself."""
        if self._deliver is not None and self._is_up:
            self._deliver(AnswerArrived(answer))

    def announce(self, state: bytes) -> None:
        """The hub says how it is."""
        if self._deliver is not None and self._is_up:
            self._deliver(HubStateArrived(state))

    def cut(self) -> None:
        """Pull the cable."""
        self._is_up = False
        if self._deliver is not None:
            self._deliver(LinkDown())

    def refuse(self, code: str) -> None:
        """A try to reach the hub comes to nothing."""
        if self._deliver is not None:
            self._deliver(LinkRefused(code))

    def mend(self) -> None:
        """Plug it in again."""
        self._is_up = True
        if self._deliver is not None:
            self._deliver(LinkUp())
