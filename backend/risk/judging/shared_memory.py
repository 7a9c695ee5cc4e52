"""One memory of attempts for several backends over one database.

Rule 1: each backend has a copy of its own. It is told of what is durable: first from the database,
        then through the log in Redis, in the log's order; being told twice changes nothing.
Rule 2: before an attempt is measured the log is read, if that was not done in the same millisecond.
Rule 3: a log that cannot be reached, or that has lost something, is left alone at once: the backend
        judges by its own copy, each decision is marked ``features_unshared``, and what becomes
        durable here waits.
        Where more waited than is kept, the log begins anew, and all copy what is stored.
Rule 4: the way back is beside the payments. A log that only did not answer is gone on with from
        where it was left: what others told is taken, what waits is appended. Where that is not
        the same as if it had never been left, a new copy is made from the database and takes the
        place of the old one.

A backend that dies between its commit and the log leaves up to a group of attempts that the others
hear of when they begin again.
"""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable

import structlog

from backend.db.ports import RunRead
from backend.risk.judging.limits import (
    SHARED_FOLLOW_S,
    SHARED_FRESH_NS,
    SHARED_RETRY_S,
    SHARED_WAITING_MAX,
)
from backend.risk.judging.remembered import Remembered, Row, Tried, Word
from backend.risk.judging.shared_log import Page, SharedLate, SharedLog, SharedLost

_log = structlog.get_logger()
Copied = tuple[Remembered, SharedLog]
Copy = Callable[[], Remembered]
"""A copy of what is stored by now."""
OpenLog = Callable[[], SharedLog]
"""Raises ``SharedLost``."""


class SharedMemory:
    """A backend's memory. The writer's thread uses it; others may ``offer`` and ``follow``."""

    def __init__(
        self, alone: Remembered, *, monotonic_ns: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        self._mine = threading.RLock()
        """Held by whoever looks at the copy or changes it."""
        self._copy = alone
        self._shared: SharedLog | None = None
        self._left: SharedLog | None = None
        """The log that did not answer, where the copy stands in it. Whoever finds the way back uses
        it."""
        self._offered: Copied | None = None
        self._clock = monotonic_ns
        self._read_ns = 0
        self.waiting: deque[str] = deque(maxlen=SHARED_WAITING_MAX)
        """What became durable here and is not in the log; the oldest go first."""
        self.has_dropped = False
        """Whether some went: then the others have to copy what is stored."""

    @property
    def trouble(self) -> str:
        return "" if self._shared is not None else "features_unshared"

    @property
    def is_alone(self) -> bool:
        """Whether the way back is wanted."""
        return self._shared is None and self._offered is None

    @property
    def may_go_on(self) -> bool:
        """Whether the way back may begin where the log was left."""
        return self._left is not None

    def offer(self, copied: Copied) -> None:
        """A copy that stands at the end of the log, to go on with."""
        self._offered = copied

    def measure(
        self, at_ms: int, row: Row, is_over: Callable[[], bool] | None = None
    ) -> list[float]:
        with self._mine:
            self.follow()
            return self._copy.measure(at_ms, row, is_over)

    def remember(self, tried: Tried) -> None:
        entry = [tried.attempt_id, tried.payment_id, tried.at_ms, tried.row]
        with self._mine:
            self._tell(json.dumps(entry, separators=(",", ":")))

    def learn(self, word: Word) -> None:
        entry = [word.payment_id, word.is_fraud, word.available_at_ms]
        with self._mine:
            self._tell(json.dumps(entry, separators=(",", ":")))

    def follow(self) -> None:
        """Take what others told, unless that was just done."""
        with self._mine:
            self._take_offered()
            now_ns = self._clock()
            if self._shared is not None and now_ns - self._read_ns >= SHARED_FRESH_NS:
                self._apply_all(self._shared.read)
                self._read_ns = now_ns

    def follow_beside(self) -> None:
        """As ``follow``, where no payment waits for the answer. One at a time."""
        with self._mine:
            self._take_offered()
            shared, now_ns = self._shared, self._clock()
        if shared is None or now_ns - self._read_ns < SHARED_FRESH_NS:
            return
        try:
            page = shared.look_ahead()
        except SharedLost as error:
            self._lose(shared, error)
            return
        with self._mine:
            if self._shared is shared and self._apply_all(lambda: shared.take(page)):
                self._read_ns = max(self._read_ns, now_ns)

    def go_on(self) -> bool:
        """Go on with the log that was left; False: a new copy is wanted. No payment waits for it.
        Raises ``SharedLate``."""
        left = self._left
        if left is None:
            return False
        if self.has_dropped:
            self._left = None
            return False
        try:
            self._go_to_the_end(left)
        except SharedLate:
            raise
        except SharedLost as error:
            _log.warning("features_copied_anew", reason=str(error))
            self._left = None
            return False
        with self._mine:
            self._share(left)
        return True

    def _go_to_the_end(self, left: SharedLog) -> None:
        page: Page | None = None
        while page is None or page.entries:
            page = left.look_ahead()
            with self._mine:
                self._catch_up(left.take(page))
        for _ in range(len(self.waiting)):
            if self.waiting:
                told = left.append(self.waiting[0], is_patient=True)
                with self._mine:
                    self._catch_up(told)

    def _catch_up(self, told: list[str]) -> None:
        """Take what the log says of the time when it was left. Raises ``SharedLost`` where the
        order matters to something that waits, which this copy knows already."""
        ours = set(self.waiting)
        marks = {mark for entry in ours for mark in _marks(entry)}
        for entry in told:
            if entry in ours:
                self.waiting.remove(entry)
            elif not marks.isdisjoint(_marks(entry)):
                raise SharedLost("others told of the same payment or moment")
            apply(self._copy, entry)

    def _tell(self, entry: str) -> None:
        self._take_offered()
        shared = self._shared
        if shared is None or not self._apply_all(lambda: shared.append(entry)):
            apply(self._copy, entry)
            self.has_dropped = self.has_dropped or len(self.waiting) == self.waiting.maxlen
            self.waiting.append(entry)

    def _apply_all(self, entries: Callable[[], list[str]]) -> bool:
        try:
            for entry in entries():
                apply(self._copy, entry)
        except SharedLost as error:
            self._lose(self._shared, error)
            return False
        return True

    def _lose(self, shared: SharedLog | None, error: SharedLost) -> None:
        with self._mine:
            if self._shared is shared:
                _log.error("features_unshared", reason=str(error))
                self._shared = None
                self._left = shared if isinstance(error, SharedLate) else None

    def _take_offered(self) -> None:
        offered, self._offered = self._offered, None
        if offered is None:
            return
        self._copy, log = offered
        self._share(log)

    def _share(self, log: SharedLog) -> None:
        self._shared, self._left = log, None
        while self.waiting and self._shared is not None:  # what came on the way back
            self._tell(self.waiting.popleft())
        _log.info("features_shared")


def apply(copy: Remembered, entry: str) -> None:
    """Tell a copy an entry of the log. Raises ``SharedLost`` for one of another version."""
    try:
        fields = json.loads(entry)
        if len(fields) == len(Word.__dataclass_fields__):
            copy.learn(Word(*fields))
        else:
            attempt_id, payment_id, at_ms, row = fields
            copy.remember(Tried(attempt_id, payment_id, at_ms, tuple(row)))
    except (ValueError, TypeError) as error:
        raise SharedLost(f"an entry cannot be read: {error}") from error


def _marks(entry: str) -> set[object]:
    """What an entry has in common with those whose order to it matters: the payment, or a moment of
    somebody. Raises ``SharedLost`` for one of another version."""
    try:
        fields = json.loads(entry)
        if len(fields) == len(Word.__dataclass_fields__):
            return {fields[0]}
        _, payment_id, at_ms, row = fields
        return {payment_id, *((at_ms, value) for value in row if isinstance(value, str))}
    except (ValueError, TypeError) as error:
        raise SharedLost(f"an entry cannot be read: {error}") from error


def begin_shared(open_log: OpenLog, copy: Copy) -> SharedMemory:
    """The memory of a backend that starts; alone at first, if there is no log."""
    try:
        log = open_log()
    except SharedLost as error:
        _log.error("features_unshared", reason=str(error))
        return SharedMemory(copy())
    stored = copy()
    memory = SharedMemory(stored)
    memory.offer((stored, log))
    return memory


class SharedJoiner:
    """Finds the way back to the log, beside the payments. One per process."""

    def __init__(
        self,
        memory: SharedMemory,
        *,
        open_log: OpenLog,
        copy: Copy,
        run_read: RunRead,
    ) -> None:
        self._memory = memory
        self._open_log = open_log
        self._copy = copy
        self._run_read = run_read

    def join(self) -> None:
        """Offer a new copy, with what waits appended. Blocking. Raises ``SharedLost``.

        The log is opened before what is stored is read, so that nothing falls between."""
        log, waiting = self._open_log(), self._memory.waiting
        if self._memory.has_dropped:
            log.begin_anew()
            self._memory.has_dropped = False
            waiting.clear()  # it is stored, as all that went
        copy = self._copy()
        while waiting:
            entry = waiting.popleft()
            try:
                for told in log.append(entry, is_patient=True):
                    apply(copy, told)
            except SharedLost:
                waiting.appendleft(entry)
                raise
        if self._memory.has_dropped:
            raise SharedLost("more waits than is kept")
        self._memory.offer((copy, log))

    async def run(self) -> None:
        """Follow the log, and find the way back whenever it was left, until cancelled."""
        has_failed = False
        while True:
            is_far = self._memory.is_alone and not self._memory.may_go_on
            await asyncio.sleep(SHARED_RETRY_S if is_far or has_failed else SHARED_FOLLOW_S)
            try:
                await self._run_read(self.go_on)
                has_failed = False
            except SharedLost as error:
                _log.warning("features_not_joined", reason=str(error))
                has_failed = True

    def go_on(self) -> None:
        """One step: the way back, if it is wanted, and what others told. Blocking. Raises
        ``SharedLost``."""
        if self._memory.is_alone and not self._memory.go_on():
            self.join()
        self._memory.follow_beside()
