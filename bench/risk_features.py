"""The streaming features: how long an event takes, what entities cost in memory, how fast the same
is in columns, and what sharing the state through Redis adds.

The payments are drawn from a seed: payers come back, cards belong to payers, a few shops see much.
"""

import gc
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import quantiles

import numpy as np

from backend.risk.features.catalogue import CARD_TERMINAL, PAYMENT
from backend.risk.features.columns import Events, compute
from backend.risk.features.definition import FeatureSet
from backend.risk.features.stream import FeatureState, Value
from backend.risk.judging.remembered import Remembered, Tried
from backend.risk.judging.shared_log import SharedLog
from backend.risk.judging.shared_memory import begin_shared
from bench.result import Result
from tests.support.redis import NoRedis, RedisServer, start_redis

SEED = 20_261_128
START_MS = 1_790_000_000_000
EVENTS, SHARED_EVENTS, ROWS = 60_000, 5_000, 1_000_000
ENTITIES, EVENTS_EACH = 100_000, (1, 10)
Payment = tuple[int, tuple[Value, ...]]


def run(scale: float = 1.0) -> list[Result]:
    """All figures."""
    return [*_stream(round(EVENTS * scale)), *_columns(round(ROWS * scale)),
            *_memory(round(ENTITIES * scale)), *_shared(round(SHARED_EVENTS * scale))]  # fmt: skip


def payments(size: int) -> Iterator[Payment]:
    """Payments of a town of size / 12 payers, some forty days of them."""
    luck = random.Random(SEED)
    payers = max(size // 12, 10)
    step_ms = 40 * 86_400_000 // max(size, 1)
    for number in range(size):
        payer = luck.randrange(payers)
        shop = min(int(luck.paretovariate(1.1)), payers // 10 + 1)
        yield START_MS + number * step_ms + luck.randrange(step_ms + 1), (
            luck.randrange(100, 50_000), f"p{payer}", f"c{payer}-{luck.randrange(2)}",
            f"d{shop}-{luck.randrange(3)}", f"m{shop}", f"s{shop}", f"a{payer // 3}",
            31_000_000 + shop * 1_000, 121_000_000,
        )  # fmt: skip


def _stream(size: int) -> list[Result]:
    state, told = FeatureState(PAYMENT), list(payments(size))
    begin = time.process_time()
    taken = [_timed(state, at, row) for at, row in told]
    rate = size / (time.process_time() - begin)
    late = quantiles(taken[size // 2 :], n=100)  # once the windows are full
    against = f"{len(PAYMENT.features)} features, {size:,} payments of 40 days"
    return [
        Result("risk features, one payment, p50", late[49] * 1e6, "us", against),
        Result("risk features, one payment, p99", late[98] * 1e6, "us", against),
        Result("risk features, payments/s of one core", rate, "1/s", "20,000"),
    ]


def _timed(state: FeatureState, at: int, row: tuple[Value, ...]) -> float:
    begin = time.perf_counter()
    state.observe(at, row)
    return time.perf_counter() - begin


def _columns(size: int) -> list[Result]:
    draw = np.random.default_rng(SEED)
    events = Events(
        np.sort(draw.integers(0, 180 * 86_400, size)),
        {
            "amount_minor": draw.integers(100, 50_000, size),
            "card": draw.integers(0, size // 350 + 1, size),
            "terminal": draw.integers(0, size // 175 + 1, size),
        },
    )
    begin = time.process_time()
    compute(CARD_TERMINAL, events)
    rate = size / (time.process_time() - begin)
    against = f"{len(CARD_TERMINAL.features)} features, {size:,} rows"
    return [Result("risk features in columns", rate, "rows/s", against)]


def _memory(entities: int) -> list[Result]:
    """What a million payers cost that have paid once, and ten times."""
    only = FeatureSet(
        columns=PAYMENT.columns,
        place=PAYMENT.place,
        features=tuple(f for f in PAYMENT.features if f.entity in {"payer", "payment"}),
    )
    found = []
    for each in EVENTS_EACH:
        gc.collect()
        before, state = _resident(), FeatureState(only)
        for number in range(entities * each):
            payer = f"p{number % entities}"
            row = (1_000 + number % 977, payer, "c", f"d{number % 7}", f"m{number % 5}", "s", "a",
                   31_000_000, 121_000_000)  # fmt: skip
            state.observe(START_MS + number * 10, row)
        gc.collect()
        megabytes = (_resident() - before) / entities
        against = f"measured with {entities:,}; {len(only.features)} features a payer"
        found.append(
            Result(f"memory of a million payers, {each} payments each", megabytes, "MB", against)
        )
        del state
    return found


def _resident() -> int:
    """Bytes of this program in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


def _shared(size: int) -> list[Result]:
    try:
        server = start_redis()
    except NoRedis:
        return []
    try:
        return _with(server, size)
    finally:
        server.stop()


def _with(server: RedisServer, size: int) -> list[Result]:
    memory = begin_shared(
        partial(SharedLog.at, server.url, "bench", timeout_s=10), partial(Remembered, PAYMENT)
    )
    taken = []
    for number, (at, row) in enumerate(payments(size)):
        begin = time.perf_counter()
        memory.measure(at, row)
        memory.remember(Tried(f"a{number}", f"p{number}", at, row))
        taken.append(time.perf_counter() - begin)
    assert not memory.trouble
    late = quantiles(taken[size // 2 :], n=100)
    against = f"measured and told to the others; {size:,} payments, Redis on a local socket"
    return [
        Result("risk features shared, one payment, p50", late[49] * 1e6, "us", against),
        Result("risk features shared, one payment, p99", late[98] * 1e6, "us", against),
    ]
