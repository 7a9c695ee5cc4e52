"""How often, how well and how fast each kind of request is answered, minute by minute. Pure: times
are given.

Rule 1: a minute keeps counts and a histogram, never a request.
Rule 2: *refused* is an answer (a decline, a caller's mistake); *failed* is none, or one that leaves
        the outcome open: a time-out, a line, a bug, an unknown.
Rule 3: a meter holds what nobody has taken from it yet. What is taken is kept in the database,
        where the sums of all backend processes stand (``flow_desk``); what is not taken for a day
        goes, so that memory is bounded by flows times minutes.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.observability.limits import FLOW_MINUTES_KEPT
from protocol.clock import MINUTE_MS

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


Counts = dict[tuple[int, Flow, Outcome, int], int]
"""How many requests by minute, flow, outcome and bucket of the histogram."""


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes from ``first`` to ``last``, both in it, looked at in so many equal parts."""

    first: int
    last: int
    parts: int

    @staticmethod
    def until(now_ms: int, *, minutes: int, parts: int) -> "Span":
        """The last minutes, with the one that runs."""
        last = now_ms // MINUTE_MS
        return Span(last - minutes + 1, last, parts)

    @property
    def minutes(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class FlowSum:
    """How many requests of a flow ended so, in this bucket, within a part of a span."""

    part: int
    flow: Flow
    outcome: Outcome
    bucket: int
    count: int


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
    """Of one process. Owned by the event loop. ``moving`` is held while what it has goes to the
    database, and while both are read, so that nothing is missed or counted twice."""

    def __init__(self) -> None:
        self.moving = asyncio.Lock()
        self._minutes: dict[int, Counts] = {}

    def note(self, flow: Flow, outcome: Outcome, *, took_ms: float, at_ms: int) -> None:
        """One request was answered."""
        minute = at_ms // MINUTE_MS
        counts = self._minutes.get(minute)
        if counts is None:
            self._forget(minute - FLOW_MINUTES_KEPT)
            counts = self._minutes[minute] = {}
        key = minute, flow, outcome, bisect_left(BOUNDS_MS, took_ms)
        counts[key] = counts.get(key, 0) + 1

    def take(self) -> Counts:
        """All that is held, which is not held any more."""
        taken = {key: count for counts in self._minutes.values() for key, count in counts.items()}
        self._minutes.clear()
        return taken

    def put_back(self, taken: Counts) -> None:
        """What was taken and could not be kept."""
        for key, count in taken.items():
            counts = self._minutes.setdefault(key[0], {})
            counts[key] = counts.get(key, 0) + count

    def sums(self, span: Span) -> list[FlowSum]:
        """What is held of this span."""
        return [
            FlowSum(
                (minute - span.first) * span.parts // span.minutes, flow, outcome, bucket, count
            )
            for counts in self._minutes.values()
            for (minute, flow, outcome, bucket), count in counts.items()
            if span.first <= minute <= span.last
        ]

    def _forget(self, before: int) -> None:
        for minute in [one for one in self._minutes if one <= before]:
            del self._minutes[minute]


def figures(sums: Sequence[FlowSum], *, parts: int) -> list[FlowFigures]:
    """Every flow over a span of so many parts, by the sums of it, wherever they come from."""
    return [_figures(flow, [one for one in sums if one.flow is flow], parts) for flow in Flow]


def _figures(flow: Flow, sums: list[FlowSum], parts: int) -> FlowFigures:
    buckets = [0] * (len(BOUNDS_MS) + 1)
    counts, failures = [0] * parts, [0] * parts
    refused = 0
    for one in sums:
        buckets[one.bucket] += one.count
        counts[one.part] += one.count
        failures[one.part] += one.count * (one.outcome is Outcome.FAILED)
        refused += one.count * (one.outcome is Outcome.REFUSED)
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
