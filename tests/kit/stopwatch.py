"""How long code has waited, as its promise counts it."""

import threading
import time
from types import TracebackType
from typing import Self

TICK_S = 0.005


class Stopwatch:
    """Counts only the time that this process has had. What a busy machine keeps from it is no wait
    of the code's: a bound on ``had_s`` then says something of the code alone."""

    def __init__(self) -> None:
        self.had_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)

    def _count(self) -> None:
        before_s = time.monotonic()
        while not self._over.wait(TICK_S):
            now_s = time.monotonic()
            self.had_s += min(now_s - before_s, 2 * TICK_S)
            before_s = now_s

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
