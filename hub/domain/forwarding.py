"""From the spool to the backend: batches, retries, order.

Rule 1: of one device, envelopes in two batches are never on the way at the same time.
Rule 2: a batch that failed is sent again with the same items, until it is answered.
Rule 3: an item that waits too long makes the hub say ``backend_unreachable`` once; the item stays
        and its true answer still goes to the device.
Rule 4: with nothing on the way an envelope goes at once. While batches are on the way the next one
        fills up, because a batch costs both sides as much as several envelopes (as RFC 896 does for
        TCP); a short wait ends that, so that a slow line is still used by several batches.
Rule 5: a backend that says *busy* is there. Its batch goes again, and nothing before it, after a
        pause that grows while it goes on saying so.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hub.domain.admission import Refuse
from hub.domain.effects import CheckedAnswer, Effect, SendBatch, Speak, UplinkRow
from hub.domain.limits import (
    BATCH_FILL_ITEMS,
    BATCH_LINGER_MS,
    BATCHES_IN_FLIGHT_MAX,
    BUSY_PAUSE_MS_MAX,
    BUSY_PAUSE_MS_MIN,
    LINE_RETRY_MS_MAX,
    LINE_RETRY_MS_MIN,
    UNKNOWN_AFTER_MS,
    UPLINK_BYTES_MAX,
    UPLINK_ROWS_MAX,
    UPLINK_ROWS_PER_DEVICE_MAX,
)
from hub.domain.line import Line, is_over
from hub.domain.uplink import refusal_answer
from protocol.clock import Clock
from protocol.limits import BATCH_BYTES_MAX, BATCH_ITEMS_MAX, ENVELOPE_BYTES_MAX

_BATCH_PAYLOAD_BYTES_MAX = BATCH_BYTES_MAX - 2 * ENVELOPE_BYTES_MAX
"""What the envelopes of a batch may weigh together, leaving room for what is around them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardingLimits:
    """What a hub's configuration may set lower or higher."""

    batches_in_flight_max: int = BATCHES_IN_FLIGHT_MAX
    batch_linger_ms: int = BATCH_LINGER_MS
    """0: never wait for company."""
    unknown_after_ms: int = UNKNOWN_AFTER_MS
    rows_max: int = UPLINK_ROWS_MAX
    bytes_max: int = UPLINK_BYTES_MAX


Answered = Callable[[UplinkRow, CheckedAnswer, int | None], None]


class Forwarding:
    """The committed envelopes that have no answer yet."""

    def __init__(
        self,
        *,
        store: str,
        clock: Clock,
        line: Line,
        limits: ForwardingLimits,
        emit: Callable[[Effect], None],
        answered: Answered,
        rows: Iterable[UplinkRow] = (),
    ) -> None:
        """``rows`` are those found in the spool at start, in their order."""
        self._store = store
        self._clock = clock
        self._line = line
        self._limits = limits
        self._emit = emit
        self._answered = answered
        self._queues: dict[str, deque[UplinkRow]] = {}
        self._ready: deque[str] = deque()
        self._busy: set[str] = set()
        self._on_the_way: dict[int, tuple[UplinkRow, ...]] = {}
        self._parked: deque[tuple[UplinkRow, ...]] = deque()
        self._resting: list[tuple[int, tuple[UplinkRow, ...]]] = []
        self._untold: deque[UplinkRow] = deque()
        self._open: dict[int, int | None] = {}
        """Row → the ticket that still waits for its answer, if any."""
        self._per_device: dict[str, int] = {}
        self._bytes = 0
        self._batches = 0
        self._lingers_since_ms: int | None = None
        self._put_off_at_ms: int | None = None
        self._put_off_ms = 0
        for row in rows:
            self._enqueue(row, None)

    @property
    def rows(self) -> int:
        """Committed and unanswered envelopes."""
        return len(self._open)

    @property
    def weight_bytes(self) -> int:
        """Their bytes."""
        return self._bytes

    @property
    def batches_on_the_way(self) -> int:
        """Batches that were sent and not answered or given up yet."""
        return len(self._on_the_way)

    def oldest_at_ms(self) -> int | None:
        """When the longest waiting envelope arrived."""
        ages = [rows[0].received_at_ms for rows in self._on_the_way.values()]
        ages += [rows[0].received_at_ms for rows in self._parked]
        ages += [rows[0].received_at_ms for _, rows in self._resting]
        ages += [self._queues[tid][0].received_at_ms for tid in list(self._ready)[:1]]
        return min(ages, default=None)

    def has_room(self, tid: str, size: int, rows_pending: int, bytes_pending: int) -> bool:
        """Whether one more envelope of this device fits."""
        return (
            len(self._open) + rows_pending < self._limits.rows_max
            and self._bytes + bytes_pending + size <= self._limits.bytes_max
            and self._per_device.get(tid, 0) < UPLINK_ROWS_PER_DEVICE_MAX
        )

    def add(self, row: UplinkRow, ticket: int | None) -> None:
        """Take a row that was just committed; ``ticket`` is who waits for its answer."""
        self._enqueue(row, ticket)

    def pump(self) -> None:
        """Send what may be sent now. Called once after each group of events."""
        if not self._line.is_up:
            self._lingers_since_ms = None
            self._probe()
            return
        if self._is_put_off():
            return
        while self._parked and self._has_slot():
            self._send(self._parked.popleft())
        while self._ready and self._has_slot():
            if self._should_linger():
                return
            self._send(self._take_batch())
        self._lingers_since_ms = None

    def linger_left_ms(self) -> int | None:
        """How long envelopes go on waiting for company: then ``pump`` again. None: none waits."""
        if self._lingers_since_ms is None:
            return None
        due_ms = self._lingers_since_ms + self._limits.batch_linger_ms
        return min(max(0, due_ms - self._clock.now_ms()), self._limits.batch_linger_ms)

    def answers_arrived(self, number: int, answers: Sequence[CheckedAnswer | None]) -> None:
        """A batch was answered, item by item, and every answer's signature and name was checked.

        An item whose answer did not fit has none: it rests and goes again, the others are done.
        """
        rows = self._on_the_way.pop(number)
        self._line.recover()
        self._put_off_ms = 0
        unanswered: dict[str, list[UplinkRow]] = {}
        for row, answer in zip(rows, answers, strict=True):
            if answer is None:
                unanswered.setdefault(row.device, []).append(row)
                continue
            ticket = self._open.pop(row.row)
            self._bytes -= len(row.envelope)
            self._count_down(row.device)
            self._answered(row, answer, ticket)
        self._release(row for row in rows if row.device not in unanswered)
        for again in unanswered.values():
            self._rest_alone(again, is_alone=len(rows) == 1)

    def line_failed(self, number: int) -> None:
        """A batch got no answer; whether it was carried out is unknown, so it goes again."""
        self._parked.append(self._on_the_way.pop(number))
        self._line.fail()

    def batch_put_off(self, number: int) -> None:
        """The backend is there and has no time: the same batch first, when the pause is over."""
        self._parked.appendleft(self._on_the_way.pop(number))
        self._line.recover()
        if self._put_off_at_ms is None:  # Several batches that hear the same lengthen it once.
            self._put_off_at_ms = self._clock.now_ms()
            self._put_off_ms = min(max(2 * self._put_off_ms, BUSY_PAUSE_MS_MIN), BUSY_PAUSE_MS_MAX)
        self._lingers_since_ms = None

    def batch_refused(self, number: int) -> None:
        """The backend is there but would not take the batch: a bad item must end up alone.

        Parts rest before they go again. They share no device (rule 1): a device alone in its
        batch gets its later envelopes put back into its queue.
        """
        rows = self._on_the_way.pop(number)
        self._line.recover()
        self._put_off_ms = 0
        now = self._clock.now_ms()
        tids = list(dict.fromkeys(row.device for row in rows))
        if len(tids) > 1:
            first = frozenset(tids[: len(tids) // 2])
            self._rest(tuple(row for row in rows if row.device in first), now + LINE_RETRY_MS_MIN)
            rest = tuple(row for row in rows if row.device not in first)
            self._rest(rest, now + LINE_RETRY_MS_MIN)
            return
        self._rest_alone(rows, is_alone=len(rows) == 1)

    def tick(self) -> None:
        """Tell the devices whose envelope waits too long."""
        now, wait_ms = self._clock.now_ms(), self._limits.unknown_after_ms
        self._wake()
        while self._untold and is_over(self._untold[0].received_at_ms, now, wait_ms):
            row = self._untold.popleft()
            if row.row in self._open:
                self._tell(row)

    def next_at_ms(self) -> int | None:
        """When ``tick`` or ``pump`` has something to do though nothing happens."""
        times = []
        if self._untold:
            times.append(self._untold[0].received_at_ms + self._limits.unknown_after_ms)
        if not self._line.is_up and (self._parked or self._ready):
            times.append(self._line.retry_at_ms)
        if self._lingers_since_ms is not None:
            times.append(self._lingers_since_ms + self._limits.batch_linger_ms)
        if self._put_off_at_ms is not None:
            times.append(self._put_off_at_ms + self._put_off_ms)
        times.extend(at_ms for at_ms, _ in self._resting[:1])
        return min(times, default=None)

    def _rest_alone(self, rows: Sequence[UplinkRow], *, is_alone: bool) -> None:
        """Rows of one device: the first rests and goes by itself, the others wait behind it."""
        self._queues[rows[0].device].extendleft(reversed(rows[1:]))
        pause_ms = LINE_RETRY_MS_MAX if is_alone else LINE_RETRY_MS_MIN
        self._rest((rows[0],), self._clock.now_ms() + pause_ms)

    def _rest(self, rows: tuple[UplinkRow, ...], until_ms: int) -> None:
        self._resting.append((until_ms, rows))
        self._resting.sort(key=lambda entry: entry[0])

    def _wake(self) -> None:
        now = self._clock.now_ms()
        # No pause is longer than the longest: the clock was put back.
        while self._resting and not 0 < self._resting[0][0] - now <= LINE_RETRY_MS_MAX:
            self._parked.append(self._resting.pop(0)[1])

    def _tell(self, row: UplinkRow) -> None:
        ticket, self._open[row.row] = self._open[row.row], None
        told = Refuse("backend_unreachable", row.device, row.request_id, row.trace_id)
        answer = refusal_answer(told, store=self._store, now_ms=self._clock.now_ms())
        self._emit(Speak(answer, row.transport, ticket, told.code))

    def _enqueue(self, row: UplinkRow, ticket: int | None) -> None:
        self._open[row.row] = ticket
        self._bytes += len(row.envelope)
        self._per_device[row.device] = self._per_device.get(row.device, 0) + 1
        self._untold.append(row)
        queue = self._queues.setdefault(row.device, deque())
        queue.append(row)
        if len(queue) == 1 and row.device not in self._busy:
            self._ready.append(row.device)

    def _is_put_off(self) -> bool:
        if self._put_off_at_ms is None:
            return False
        if is_over(self._put_off_at_ms, self._clock.now_ms(), self._put_off_ms):
            self._put_off_at_ms = None
        return self._put_off_at_ms is not None

    def _has_slot(self) -> bool:
        return len(self._on_the_way) < self._limits.batches_in_flight_max

    def _should_linger(self) -> bool:
        if len(self._ready) >= BATCH_FILL_ITEMS * len(self._on_the_way):
            return False
        now = self._clock.now_ms()
        if self._lingers_since_ms is None:
            self._lingers_since_ms = now
        return not is_over(self._lingers_since_ms, now, self._limits.batch_linger_ms)

    def _probe(self) -> None:
        """One batch at a time while the line is down."""
        if self._on_the_way or not self._line.is_due():
            return
        if self._parked:
            self._send(self._parked.popleft())
        elif self._ready:
            self._send(self._take_batch())

    def _take_batch(self) -> tuple[UplinkRow, ...]:
        rows: list[UplinkRow] = []
        weight = 0
        while self._ready and len(rows) < BATCH_ITEMS_MAX and weight < _BATCH_PAYLOAD_BYTES_MAX:
            tid = self._ready.popleft()
            queue = self._queues[tid]
            while queue and len(rows) < BATCH_ITEMS_MAX and weight < _BATCH_PAYLOAD_BYTES_MAX:
                rows.append(queue.popleft())
                weight += len(rows[-1].envelope)
            self._busy.add(tid)
        return tuple(rows)

    def _send(self, rows: tuple[UplinkRow, ...]) -> None:
        self._batches += 1
        self._lingers_since_ms = None
        self._on_the_way[self._batches] = rows
        self._emit(SendBatch(self._batches, rows))

    def _release(self, rows: Iterable[UplinkRow]) -> None:
        """Let the devices of an answered batch send their next: none is in another part."""
        for tid in dict.fromkeys(row.device for row in rows):
            self._busy.discard(tid)
            if self._queues[tid]:
                self._ready.append(tid)
            else:
                del self._queues[tid]

    def _count_down(self, tid: str) -> None:
        left = self._per_device[tid] - 1
        if left:
            self._per_device[tid] = left
        else:
            del self._per_device[tid]
