"""Several backends, one memory: against the real Redis server."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from redis import Redis

from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging import shared_log
from backend.risk.judging.limits import SHARED_TIMEOUT_S
from backend.risk.judging.remembered import Memory, Remembered, Tried, Word
from backend.risk.judging.shared_log import SharedLate, SharedLog, SharedLost
from backend.risk.judging.shared_memory import SharedJoiner, SharedMemory, begin_shared
from tests.kit.stopwatch import Stopwatch
from tests.support.redis import RedisServer

START_MS = 1_790_000_000_000
Told = Tried | Word


@pytest.fixture
def url(redis_server: RedisServer) -> str:
    Redis.from_url(redis_server.url).flushall()
    return redis_server.url


def story(seed: int, size: int) -> list[Told]:
    """Attempts, some late, and labels, some of them corrected, in order of arrival."""
    luck = random.Random(seed)
    told: list[Told] = []
    for number in range(size):
        keys = [luck.choice((None, *(f"{name}{n}" for n in range(3)))) for name in "pcdmsa"]
        row = (luck.randrange(100_000), *keys, 31_000_000, luck.randrange(121_000_000))
        at = START_MS + number * 60_000 - luck.choice((0, 0, luck.randrange(3_600_000)))
        told.append(Tried(f"a{number}", f"p{number}", at, row))
        if luck.random() < 0.3:
            verdict = luck.random() < 0.5
            told.append(Word(f"p{number}", verdict, at + 5_000_000))
            if luck.random() < 0.5:
                told.append(Word(f"p{number}", not verdict, at + 6_000_000))
    return told


class Backends:
    """Backends over one database, which is what was told to any of them."""

    def __init__(self, url: str, number: int, *, timeout_s: float = 10) -> None:
        self._url, self._timeout_s = url, timeout_s
        self.stored: list[Told] = []
        self.copies = 0
        self.memories = [begin_shared(self.open_log, self.copy) for _ in range(number)]

    def open_log(self) -> SharedLog:
        return SharedLog.at(self._url, "test", timeout_s=self._timeout_s)

    def copy(self) -> Remembered:
        memory = Remembered(PAYMENT)
        self.copies += 1
        for one in self.stored:
            keep(memory, one)
        return memory

    def join(self, memory: SharedMemory) -> None:
        self._joiner(memory).join()

    def go_on(self, memory: SharedMemory) -> None:
        self._joiner(memory).go_on()

    def _joiner(self, memory: SharedMemory) -> SharedJoiner:
        async def unused(_: Callable[[], object]) -> None: ...

        return SharedJoiner(memory, open_log=self.open_log, copy=self.copy, run_read=unused)

    def tell(self, memory: SharedMemory, told: Told) -> list[float] | None:
        """What the backend measures, and then makes durable."""
        vector = None if isinstance(told, Word) else memory.measure(told.at_ms, told.row)
        self.stored.append(told)
        keep(memory, told)
        return vector


def keep(memory: Memory, told: Told) -> None:
    if isinstance(told, Word):
        memory.learn(told)
    else:
        memory.remember(told)


def alone(told: list[Told]) -> list[list[float] | None]:
    """What one backend measures that is told everything."""
    memory, found = Remembered(PAYMENT), []
    for one in told:
        found.append(None if isinstance(one, Word) else memory.measure(one.at_ms, one.row))
        keep(memory, one)
    return found


def same(ours: list[float] | None, theirs: list[float] | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return np.array_equal(ours, theirs, equal_nan=True)


def test_three_backends_measure_as_one_to_the_bit(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_log, "SHARED_PAGE_ENTRIES", 7)
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    told, luck, backends = story(1, 250), random.Random(2), Backends(url, 3)
    for place, (one, expected) in enumerate(zip(told, alone(told), strict=True)):
        # The third sleeps through most, so that it catches up over several pages.
        memory = backends.memories[2 if place % 60 == 59 else luck.randrange(2)]
        assert same(backends.tell(memory, one), expected), place
        assert not memory.trouble


def test_a_backend_that_starts_later_goes_on_as_if_it_had_always_been_there(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    told, backends = story(3, 200), Backends(url, 1)
    expected = alone(told)
    for one in told[:150]:
        backends.tell(backends.memories[0], one)
    backends.memories.append(begin_shared(backends.open_log, backends.copy))
    for place in range(150, len(told)):
        memory = backends.memories[place % 2]
        assert same(backends.tell(memory, told[place]), expected[place]), place


def test_a_server_that_hangs_is_left_alone_and_what_was_not_told_is_told_later(
    url: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    told, backends = story(4, 90), Backends(url, 2, timeout_s=0.5)
    here, there = backends.memories
    expected = alone(told)
    for one in told[:40]:
        backends.tell(here, one)
    os.kill(redis_server.child.pid, signal.SIGSTOP)
    try:
        with Stopwatch() as watch:
            for place in range(40, 60):  # by its own copy, which knows all that it did itself
                assert same(backends.tell(here, told[place]), expected[place]), place
        assert watch.had_s < 5
        assert here.trouble == "features_unshared"
        assert here.is_alone
        assert list(here.waiting)
        with pytest.raises(SharedLost):
            backends.join(here)
    finally:
        os.kill(redis_server.child.pid, signal.SIGCONT)
    backends.join(here)
    for place in range(60, len(told)):
        memory = (here, there)[place % 2]
        assert same(backends.tell(memory, told[place]), expected[place]), place
    assert not here.trouble
    assert not there.trouble
    assert not here.waiting


@pytest.mark.parametrize("is_flushed", [True, False])
def test_a_log_that_has_lost_something_is_noticed_and_joined_anew(
    url: str, monkeypatch: pytest.MonkeyPatch, *, is_flushed: bool
) -> None:
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    redis = Redis.from_url(url)
    told, backends = story(5, 120), Backends(url, 2)
    fast, slow = backends.memories
    expected = alone(told)
    for one in told[:60]:
        backends.tell(fast, one)
    if is_flushed:
        redis.flushall()
        # Another era goes past the old count, which alone would not show what is missing.
        other = backends.open_log()
        for one in told[:60]:
            other.append(f'["{one.payment_id}",true,0]')
    else:
        redis.xtrim(redis.keys("*:log")[0], maxlen=5, approximate=False)
    slow.follow()
    assert slow.is_alone
    backends.join(slow)
    if is_flushed:
        fast.follow()
        assert fast.is_alone
        backends.join(fast)
    for place in range(60, len(told)):
        memory = (fast, slow)[place % 2]
        assert same(backends.tell(memory, told[place]), expected[place]), place


def test_one_too_far_behind_or_an_entry_of_another_version_is_no_reason_to_wait(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    backends = Backends(url, 2)
    here, there = backends.memories
    there.follow()
    monkeypatch.setattr(shared_log, "SHARED_BEHIND_MAX", 20)
    for one in story(6, 30):
        backends.tell(here, one)
    there.follow()
    assert there.is_alone
    backends.open_log().append('{"other": 1}')
    here.follow()
    assert here.is_alone


def test_a_server_that_is_slow_for_a_moment_is_waited_for_where_no_payment_waits(
    url: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the payments, the short time of a payment's own call makes no memory anew."""
    told, backends = story(8, 30), Backends(url, 1)
    expected = alone(told)
    there = begin_shared(
        lambda: SharedLog.at(url, "test", timeout_s=SHARED_TIMEOUT_S), backends.copy
    )
    there.follow_beside()
    for one in told[:-1]:
        backends.tell(backends.memories[0], one)
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    waiting = threading.Thread(target=there.follow_beside)
    os.kill(redis_server.child.pid, signal.SIGSTOP)
    try:
        waiting.start()
        time.sleep(10 * SHARED_TIMEOUT_S)
        monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 10**15)
        there.measure(START_MS, story(8, 1)[0].row)  # type: ignore[union-attr]
        assert waiting.is_alive()  # and the payment did not wait for it
    finally:
        os.kill(redis_server.child.pid, signal.SIGCONT)
    waiting.join()
    assert not there.trouble
    assert same(backends.tell(there, told[-1]), expected[-1])


WAITS_S, PAUSED_MS = 0.5, 900
"""What a payment's call waits here, and for how long the server is then silent: a server that is
only kept by a busy machine is not taken for one that is silent."""


def paused(url: str) -> None:
    Redis.from_url(url).execute_command("CLIENT", "PAUSE", PAUSED_MS, "ALL")


def attempts(seed: int, size: int) -> list[Told]:
    return [one for one in story(seed, size) if isinstance(one, Tried)]


def test_a_log_that_was_slow_is_gone_on_with_and_nothing_is_copied_anew(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of ten times the server answers later than a payment waits."""
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    monkeypatch.setattr(shared_log, "SHARED_PAGE_ENTRIES", 7)
    told, backends = attempts(9, 310), Backends(url, 2, timeout_s=WAITS_S)
    here, there = backends.memories
    expected = alone(told)
    for turn in range(10):
        first = 30 * turn
        paused(url)
        for place in range(first, first + 10):  # the first of them waits in vain, the others do not
            backends.tell(here, told[place])
        assert here.trouble == "features_unshared"
        assert list(here.waiting)
        backends.go_on(there)  # patiently, until the pause is over
        for place in range(first + 10, first + 20):
            backends.tell(there, told[place])
        backends.go_on(here)
        backends.go_on(there)
        for place in range(first + 20, first + 30):
            memory = (here, there)[place % 2]
            assert same(backends.tell(memory, told[place]), expected[place]), place
            assert not memory.trouble
    assert not here.waiting
    assert backends.copies == 2


def test_a_log_that_hangs_for_longer_is_asked_again_from_the_same_place(
    url: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    monkeypatch.setattr(shared_log, "SHARED_PATIENCE_S", 0.1)
    told, backends = attempts(10, 40), Backends(url, 2, timeout_s=WAITS_S)
    here, there = backends.memories
    expected = alone(told)
    os.kill(redis_server.child.pid, signal.SIGSTOP)
    try:
        for one in told[:20]:
            backends.tell(here, one)
        for _ in range(3):
            with pytest.raises(SharedLost):
                backends.go_on(here)
            assert here.may_go_on
    finally:
        os.kill(redis_server.child.pid, signal.SIGCONT)
    backends.go_on(here)
    for place in range(20, 40):
        assert same(backends.tell((here, there)[place % 2], told[place]), expected[place]), place
    assert backends.copies == 2


def test_where_more_waited_than_is_kept_the_others_copy_what_is_stored(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_WAITING_MAX", 5)
    told, backends = attempts(12, 60), Backends(url, 2, timeout_s=WAITS_S)
    here, there = backends.memories
    expected = alone(told)
    paused(url)
    for one in told[:20]:
        backends.tell(here, one)
    assert len(here.waiting) == 5
    backends.go_on(here)
    backends.go_on(there)  # which finds that the log is another
    backends.go_on(there)
    for place in range(20, 60):
        memory = (here, there)[place % 2]
        assert same(backends.tell(memory, told[place]), expected[place]), place
        assert not memory.trouble
    assert not here.waiting
    assert backends.copies == 4


@pytest.mark.parametrize("tie", ["payment", "moment", "label"])
def test_where_the_order_of_what_was_told_meanwhile_matters_a_new_copy_is_made(
    url: str, monkeypatch: pytest.MonkeyPatch, tie: str
) -> None:
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    backends = Backends(url, 2, timeout_s=WAITS_S)
    here, there = backends.memories
    row = (500, "p", "c", "d", "m", "s", "a", 31_000_000, 121_000_000)
    paused(url)
    backends.tell(here, Tried("a1", "p1", START_MS, row))
    assert here.may_go_on
    backends.go_on(there)
    theirs: dict[str, Told] = {
        "payment": Tried("a2", "p1", START_MS + 5, (500, *"qxyztu", 31_000_000, 121_000_000)),
        "moment": Tried("a2", "p2", START_MS, (500, *"qxymtu", 31_000_000, 121_000_000)),
        "label": Word("p1", True, START_MS + 5),
    }
    backends.tell(there, theirs[tie])
    backends.go_on(here)
    assert backends.copies == 3
    after = START_MS + 60_000
    assert same(here.measure(after, row), backends.copy().measure(after, row))
    assert not here.trouble


@pytest.mark.parametrize("verdicts", [(True,), (True, False), (False, True)])
def test_a_label_that_reaches_the_log_before_its_attempt_counts_when_that_comes(
    url: str, monkeypatch: pytest.MonkeyPatch, verdicts: tuple[bool, ...]
) -> None:
    """One backend's attempt waits for the log, while the other is given its labels: every backend
    ends with what the database says, and none has to begin again for it."""
    monkeypatch.setattr("backend.risk.judging.shared_memory.SHARED_FRESH_NS", 0)
    backends = Backends(url, 3, timeout_s=WAITS_S)
    here, there, third = backends.memories
    row = (500, "p", "c", "d", "m", "s", "a", 31_000_000, 121_000_000)
    paused(url)
    backends.tell(here, Tried("a1", "p1", START_MS, row))
    assert list(here.waiting)
    backends.go_on(there)
    for number, is_fraud in enumerate(verdicts):
        backends.tell(there, Word("p1", is_fraud, START_MS + 1_000 * number - 500))
    backends.go_on(third)
    copies = backends.copies
    backends.go_on(here)  # with a new copy: the log tells of its own payment
    backends.go_on(there)
    backends.go_on(third)
    assert backends.copies == copies + 1
    after = START_MS + 60_000
    told = backends.copy().measure(after, row)
    assert told[PAYMENT.names.index("card.frauds_30d")] == float(verdicts[-1])
    for memory in backends.memories:
        assert same(memory.measure(after, row), told)
        assert not memory.trouble


def test_a_label_waits_for_its_own_attempt_and_for_no_later_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = (500, "p", "c", "d", "m", "s", "a", 31_000_000, 121_000_000)
    frauds, after = PAYMENT.names.index("card.frauds_30d"), START_MS + 10_000_000

    def found(*told: Told) -> float:
        memory = Remembered(PAYMENT)
        for one in told:
            keep(memory, one)
        return memory.measure(after, row)[frauds]

    attempt, word = Tried("a1", "p1", START_MS, row), Word("p1", True, START_MS)
    assert found(attempt, word) == found(word, attempt) == 1.0
    assert found(word, word, attempt, word) == 1.0
    long_ago = Word("p1", True, START_MS - 60_000)  # of an attempt that nobody tells of any more
    assert found(long_ago, attempt) == 0.0
    monkeypatch.setattr("backend.risk.judging.remembered.EARLY_LABELED_MAX", 2)
    others = [Word(f"q{number}", True, START_MS) for number in range(2)]
    assert found(word, others[0], attempt) == 1.0
    assert found(word, *others, attempt) == 0.0  # the oldest has made place


def test_entries_of_an_answer_that_broke_off_are_read_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_log, "SHARED_PAGE_ENTRIES", 2)
    here, there = (SharedLog.at(url, "test", timeout_s=WAITS_S) for _ in range(2))
    for number in range(5):
        there.append(str(number))
    step = SharedLog._step

    def breaks_off(log: SharedLog, entry: str, *, after: int | str, is_patient: bool) -> object:
        if after == 2:
            paused(url)
        return step(log, entry, after=after, is_patient=is_patient)

    monkeypatch.setattr(SharedLog, "_step", breaks_off)
    with pytest.raises(SharedLate):
        here.read()
    monkeypatch.setattr(SharedLog, "_step", step)
    Redis.from_url(url).ping()  # which waits until the server speaks again
    assert here.read() == ["0", "1", "2", "3", "4"]


def test_what_was_looked_at_ahead_is_taken_once(url: str) -> None:
    here, there = (SharedLog.at(url, "test", timeout_s=10) for _ in range(2))
    there.append("1")
    page = here.look_ahead()
    there.append("2")
    assert here.append("3") == ["1", "2", "3"]
    assert here.take(page) == []
    there.append("4")
    assert here.take(here.look_ahead()) == ["4"]
    page = here.look_ahead()
    Redis.from_url(url).flushall()
    assert here.take(page) == []
    with pytest.raises(SharedLost, match="lost its memory"):
        here.take(here.look_ahead())


def test_without_a_server_a_backend_starts_alone_with_what_is_stored() -> None:
    backends = Backends("unix:///nowhere/redis.sock", 1)
    memory = backends.memories[0]
    assert memory.trouble == "features_unshared"
    told = story(7, 20)
    assert all(map(same, [backends.tell(memory, one) for one in told], alone(told)))
