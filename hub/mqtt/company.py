"""PUBACKs that wait for the answer to the same request, so that both travel as one.

A send, a TLS record, a segment and a wake-up at the terminal are saved for each request that is
answered soon (as RFC 1122 §4.2.3.2 has TCP acknowledge with data). What is acknowledged is
committed already: a PUBACK that is lost with its line brings the same request again.
"""

import asyncio
from collections import deque

from hub.limits import MQTT_PUBACK_HOLD_S
from hub.mqtt.line import Line


class Company:
    """Owned by the loop. One timer for all lines."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Line]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def hold(self, line: Line, data: bytes) -> None:
        """Send with what is written next to this line, or after ``MQTT_PUBACK_HOLD_S``."""
        is_first = not line.is_holding
        line.hold(data)
        if is_first:
            loop = asyncio.get_running_loop()
            self._waiting.append((loop.time() + MQTT_PUBACK_HOLD_S, line))
            if self._timer is None:
                self._timer = loop.call_later(MQTT_PUBACK_HOLD_S, self._release)

    def stop(self) -> None:
        """Wait for nothing more: whatever is held goes now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            self._waiting.popleft()[1].release()

    def _release(self) -> None:
        """Send what is due, and sleep until something else can be."""
        loop = asyncio.get_running_loop()
        self._timer, now = None, loop.time()
        while self._waiting and (self._waiting[0][0] <= now or not self._waiting[0][1].is_holding):
            self._waiting.popleft()[1].release()
        if self._waiting:
            self._timer = loop.call_later(self._waiting[0][0] - now, self._release)
