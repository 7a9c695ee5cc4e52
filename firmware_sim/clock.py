"""The simulator's clock: wall time at the start, never jumping after."""

import time


class SteadyClock:
    """Milliseconds since 1970 that never go back, whatever is done to the machine's clock."""

    def __init__(self) -> None:
        self._offset_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return self._offset_ms + time.monotonic_ns() // 1_000_000
