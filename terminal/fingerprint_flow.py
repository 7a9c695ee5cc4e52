"""When the terminal says what it is made of.

Rule 1: a reading is sent in one request and never again: a repeated one would look like an old one
        that somebody replays.
Rule 2: what leaves is signed like every request; from then on each envelope carries its digest.
"""

from collections.abc import Mapping
from typing import Any

from protocol.messages import DeviceFingerprint
from terminal.desk import Desk
from terminal.effects import ReadItself
from terminal.limits import FINGERPRINT_LOOK_GAP_MS, FINGERPRINT_SEND_GAP_MS

LOOK = "look"


class FingerprintFlow:
    """Asks for readings, and sends those that tell something."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._subject = f"{desk.profile.tid}:fingerprint"
        self._sent: Mapping[str, Any] = {}
        self._sent_at_ms: int | None = None

    def look(self) -> None:
        """Ask for a reading now, and for the next one later."""
        self._desk.effects.append(ReadItself())
        self._desk.after((LOOK, self._subject), FINGERPRINT_LOOK_GAP_MS)

    def take(self, attrs: Mapping[str, Any]) -> None:
        """A reading: sent if it is the first, if what stands still has changed, or after long."""
        courier, now_ms = self._desk.courier, self._desk.clock.ticks_ms()
        still = {name: value for name, value in attrs.items() if not _is_measured(value)}
        is_due = self._sent_at_ms is None or now_ms - self._sent_at_ms >= FINGERPRINT_SEND_GAP_MS
        if not courier.is_link_up or not (is_due or still != self._sent):
            return
        courier.finish(self._subject)  # what was said before is not kept, nor sent again
        body = DeviceFingerprint(attrs=dict(attrs))
        courier.fingerprint = body.digest
        courier.post("device.fingerprint", {"attrs": dict(attrs)}, subject=self._subject)
        self._sent, self._sent_at_ms = still, now_ms


def _is_measured(value: object) -> bool:
    """Whether a value is measured or counted, and so changes: an integer, or a list of them."""
    return isinstance(value, int) or (
        isinstance(value, list) and all(isinstance(one, int) for one in value)
    )
