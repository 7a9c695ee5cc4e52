"""Load from many simulated terminals: a closed loop, or payments at an offered rate."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from bench.cpu import Used, read_used
from bench.way_till import IN_FLIGHT_MAX, Till, WrongAnswer

DEADLINE_S = 45
AMOUNT_MINOR_MIN = 100
PACE_S = 0.001
"""How exactly an offered rate is kept."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of load was like."""

    payments: int
    elapsed_s: float
    times_ms: list[float]
    used: Used
    signing_s: float
    load_average: float
    busy: int = 0
    """Payments that were refused with *busy*, and not made."""
    late: int = 0
    """Payments whose terminal was told that the backend does not answer, before it did."""

    @property
    def per_s(self) -> float:
        """Payments a second, from the first request to the last checked answer."""
        return self.payments / self.elapsed_s

    @property
    def others_percent(self) -> float:
        """What others used of one processor meanwhile."""
        return 100 * self.used.others_s / self.elapsed_s

    def percentile_ms(self, percent: int) -> float:
        """A latency that so many percent did not exceed."""
        return quantiles(self.times_ms, n=100)[percent - 1]

    def cpu_us(self, name: str) -> float:
        """Processor time of a process for each payment."""
        return 1e6 * self.used.by_name[name] / self.payments


class Fleet:
    """Terminals that are connected, and the load they make together."""

    def __init__(self, tills: Sequence[Till], pids: Mapping[str, int]) -> None:
        self._tills = tills
        self._pids = {**pids, "generator": os.getpid()}
        self._times_ms: list[float] = []
        self._left = self._busy = self._late = 0
        self._done: asyncio.Future[None] | None = None

    async def closed_loop(self, each: int) -> Run:
        """Every terminal pays, waits for its answer, and pays again, so many times."""

        def again(till: Till, began: float) -> None:
            self._paid(began)
            if till.asks:
                till.pay(time.perf_counter())

        signing_s = self._prepare(each)
        for till in self._tills:
            till.on_paid = lambda began, till=till: again(till, began)  # type: ignore[misc]
        return await self._measured(signing_s, self._start_all)

    async def offered(self, rate_per_s: int, number: int, *, may_refuse: bool = False) -> Run:
        """Payments come at even distances, whatever became of those before. A payment's time runs
        from when it was due, so that waiting for a free terminal counts. ``may_refuse``: *busy* is
        an answer, too."""
        signing_s = self._prepare(-(-number // len(self._tills)))
        for till in self._tills:
            till.on_paid = self._paid
            till.on_busy = self._refused if may_refuse else None
        return await self._measured(signing_s, lambda: self._paced(rate_per_s))

    def _prepare(self, each: int) -> float:
        """Sign everything before the clock runs: real terminals bring their own processors.

        The terminals take turns, so that ids rise in the order in which payments will arrive.
        """
        self._left = each * len(self._tills)
        self._times_ms, self._busy, self._late = [], 0, 0
        before = time.perf_counter()
        for till in self._tills:
            till.on_wrong, till.on_late = self._wrong, self._told_to_wait
        for index in range(each):
            for till in self._tills:
                till.sign(AMOUNT_MINOR_MIN + index)
        return time.perf_counter() - before

    async def _measured(self, signing_s: float, go: Callable[[], Awaitable[None]]) -> Run:
        self._done = asyncio.get_running_loop().create_future()
        before, began = read_used(self._pids), time.perf_counter()
        async with asyncio.timeout(DEADLINE_S):
            await go()
            await self._done
        elapsed_s = time.perf_counter() - began
        used = read_used(self._pids).since(before)
        load = os.getloadavg()[0]
        return Run(
            len(self._times_ms), elapsed_s, self._times_ms, used, signing_s, load,
            busy=self._busy, late=self._late,
        )  # fmt: skip

    async def _start_all(self) -> None:
        for till in self._tills:
            till.pay(time.perf_counter())

    async def _paced(self, rate_per_s: int) -> None:
        began, sent, payments = time.perf_counter(), 0, self._left
        while sent < payments:
            due = min(payments, int((time.perf_counter() - began) * rate_per_s) + 1)
            while sent < due:
                till = self._tills[sent % len(self._tills)]
                if till.waiting >= IN_FLIGHT_MAX:
                    break  # It stays due: its time runs.
                till.pay(began + sent / rate_per_s)
                sent += 1
            await asyncio.sleep(PACE_S)

    def _paid(self, began: float) -> None:
        self._times_ms.append((time.perf_counter() - began) * 1000)
        self._answered()

    def _refused(self) -> None:
        self._busy += 1
        self._answered()

    def _told_to_wait(self) -> None:
        self._late += 1

    def _answered(self) -> None:
        self._left -= 1
        if not self._left and self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _wrong(self, wrong: WrongAnswer) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(wrong)
