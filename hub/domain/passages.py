"""When the newest requests passed through the hub, for people who ask where the time went.

Rule 1: nothing is decided by it, and nothing of it is kept: a restart forgets all.
Rule 2: what is kept is bounded; the oldest gives way. A repeated step counts the first time.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from hub.domain.effects import UplinkRow
from hub.domain.limits import PASSAGES_KEPT_MAX
from protocol.clock import Clock


@dataclass(slots=True, kw_only=True)
class Passage:
    """One request's way through the hub, in milliseconds since 1970; None: not yet."""

    request_id: str
    device: str
    trace_id: str
    received_at_ms: int
    spooled_at_ms: int
    forwarded_at_ms: int | None = None
    answered_at_ms: int | None = None
    handed_over_at_ms: int | None = None
    """When the device acknowledged the answer."""


class Passages:
    """The newest of them, by row of the spool."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_row: OrderedDict[int, Passage] = OrderedDict()

    def of_trace(self, trace_id: str) -> list[Passage]:
        """Those of one payment, oldest first. Looks at all that are kept: not for the hot path."""
        return [one for one in self._by_row.values() if one.trace_id == trace_id]

    def spooled(self, row: UplinkRow) -> None:
        """It is committed."""
        while len(self._by_row) >= PASSAGES_KEPT_MAX:
            self._by_row.popitem(last=False)
        self._by_row[row.row] = Passage(
            request_id=row.request_id,
            device=row.device,
            trace_id=row.trace_id,
            received_at_ms=row.received_at_ms,
            spooled_at_ms=self._clock.now_ms(),
        )

    def forwarded(self, rows: Iterable[UplinkRow]) -> None:
        """A batch with them goes to the backend."""
        for row in rows:
            found = self._by_row.get(row.row)
            if found is not None and found.forwarded_at_ms is None:
                found.forwarded_at_ms = self._clock.now_ms()

    def answered(self, row: int) -> None:
        """The backend's answer is here, and its signature holds."""
        found = self._by_row.get(row)
        if found is not None and found.answered_at_ms is None:
            found.answered_at_ms = self._clock.now_ms()

    def handed_over(self, row: int) -> None:
        """The device has the answer."""
        found = self._by_row.get(row)
        if found is not None and found.handed_over_at_ms is None:
            found.handed_over_at_ms = self._clock.now_ms()
