"""How often, how well and how fast each kind of request is answered, minute by minute. Pure: times
are given.

Rule 1: a minute keeps counts and a histogram, never a request; what is older than a day goes, so
        that memory is bounded by flows times minutes.
Rule 2: *refused* is an answer (a decline, a caller's mistake); *failed* is none, or one that leaves
        the outcome open: a time-out, a line, a bug, an unknown.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from backend.observability.limits import FLOW_MINUTES_KEPT

MINUTE_MS = 60_000
BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 350, 500, 750, 1_000, 2_000, 5_000, 10_000, 30_000)
"""Upper bounds of the histogram; one more bucket takes what was slower."""


class Flow(StrEnum):
    """A kind of request."""

    SALE_BY_CODE = "sale_by_code"
    SHOWN_CODE = "shown_code"
    MANDATE_DEBIT = "mandate_debit"
    REFUND = "refund"
    ASKING = "asking"
    """Queries, closes and reversals of devices."""
    MERCHANT_API = "merchant_api"
    WALLET = "wallet"
    CALLBACK = "callback"
    CHANNEL = "channel"


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class _Cell:
    """One flow in one minute."""

    __slots__ = ("buckets", "failed", "refused")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS_MS) + 1)
        self.refused = self.failed = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFigures:
    """A flow over a span."""

    flow: Flow
    count: int
    refused: int
    failed: int
    p50_ms: int | None
    """Upper bound of the bucket in which the share lies; None where nothing was asked."""
    p95_ms: int | None
    p99_ms: int | None
    counts: tuple[int, ...]
    """Requests in each part of the span, the oldest first."""
    failures: tuple[int, ...]


class FlowMeter:
    """Of one process. Owned by the event loop."""

    def __init__(self) -> None:
        self._minutes: dict[int, dict[Flow, _Cell]] = {}

    def note(self, flow: Flow, outcome: Outcome, *, took_ms: float, at_ms: int) -> None:
        """One request was answered."""
        minute = at_ms // MINUTE_MS
        cells = self._minutes.get(minute)
        if cells is None:
            self._forget(minute - FLOW_MINUTES_KEPT)
            cells = self._minutes[minute] = {}
        cell = cells.setdefault(flow, _Cell())
        cell.buckets[bisect_left(BOUNDS_MS, took_ms)] += 1
        cell.refused += outcome is Outcome.REFUSED
        cell.failed += outcome is Outcome.FAILED

    def figures(self, *, minutes: int, parts: int, now_ms: int) -> list[FlowFigures]:
        """Every flow over the last minutes, in so many equal parts."""
        last = now_ms // MINUTE_MS
        first = last - minutes + 1
        return [self._figures(flow, first, last, parts) for flow in Flow]

    def _figures(self, flow: Flow, first: int, last: int, parts: int) -> FlowFigures:
        buckets = [0] * (len(BOUNDS_MS) + 1)
        counts, failures = [0] * parts, [0] * parts
        refused = 0
        for minute, cell in self._cells(flow, first, last):
            part = (minute - first) * parts // (last - first + 1)
            counts[part] += sum(cell.buckets)
            failures[part] += cell.failed
            refused += cell.refused
            buckets = [had + more for had, more in zip(buckets, cell.buckets, strict=True)]
        return FlowFigures(
            flow=flow,
            count=sum(counts),
            refused=refused,
            failed=sum(failures),
            p50_ms=_share(buckets, 50),
            p95_ms=_share(buckets, 95),
            p99_ms=_share(buckets, 99),
            counts=tuple(counts),
            failures=tuple(failures),
        )

    def _cells(self, flow: Flow, first: int, last: int) -> Iterator[tuple[int, _Cell]]:
        for minute, cells in self._minutes.items():
            if first <= minute <= last and flow in cells:
                yield minute, cells[flow]

    def _forget(self, before: int) -> None:
        for minute in [one for one in self._minutes if one <= before]:
            del self._minutes[minute]


def _share(buckets: list[int], percent: int) -> int | None:
    """The bound below which so much of all lies; the last bucket's is the greatest there is."""
    wanted = -(-sum(buckets) * percent // 100)
    if not wanted:
        return None
    seen = 0
    for place, count in enumerate(buckets):
        seen += count
        if seen >= wanted:
            return BOUNDS_MS[min(place, len(BOUNDS_MS) - 1)]
    raise AssertionError("the buckets hold fewer than all")
