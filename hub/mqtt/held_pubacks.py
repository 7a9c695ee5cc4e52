"""Holds a PUBACK back for a moment, so that it travels together with the answer to its request.

For each request that is answered soon, this saves a send, a TLS record, a segment and a wake-up of
the terminal (TCP delays its acknowledgements for the same reason, RFC 1122 §4.2.3.2). The request
is committed before its PUBACK is held: if the line breaks meanwhile, the terminal only asks again.
"""

import asyncio
from collections import deque

from hub.limits import MQTT_PUBACK_HOLD_S
from hub.mqtt.line import Line


class HeldPubacks:
    """The PUBACKs held for all lines. Owned by the loop, which has one timer for them."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Line]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def hold(self, line: Line, data: bytes) -> None:
        """Send this with what is written to the line next, at the latest after
        ``MQTT_PUBACK_HOLD_S``."""
        is_first = not line.is_holding
        line.hold(data)
        if is_first:
            loop = asyncio.get_running_loop()
            self._waiting.append((loop.time() + MQTT_PUBACK_HOLD_S, line))
            if self._timer is None:
                self._timer = loop.call_later(MQTT_PUBACK_HOLD_S, self._release)

    def stop(self) -> None:
        """Send all that is held now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            self._waiting.popleft()[1].release()

    def _release(self) -> None:
        """Send what is due, and set the timer for the next."""
        loop = asyncio.get_running_loop()
        self._timer, now = None, loop.time()
        while self._waiting and (self._waiting[0][0] <= now or not self._waiting[0][1].is_holding):
            self._waiting.popleft()[1].release()
        if self._waiting:
            self._timer = loop.call_later(self._waiting[0][0] - now, self._release)
