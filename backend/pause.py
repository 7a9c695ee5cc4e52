"""The pause of a task between two looks: as long as it lasts, or until somebody wakes the task."""

import asyncio
from contextlib import suppress


class Pause:
    """Owned by the event loop."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Wake the task: there is something to do. A task that is awake skips its next sleep."""
        self._woken.set()

    async def sleep(self, at_most_s: float) -> None:
        """Sleep until the time is over, or not at all if ``wake`` was called since the last
        sleep."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._woken.wait()
        self._woken.clear()
