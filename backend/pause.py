"""The pause of a task between two looks: as long as it lasts, or until somebody wakes the task."""

import asyncio
from contextlib import suppress


class Pause:
    """Owned by the event loop."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something to look at. A task that is not asleep will not sleep next time."""
        self._woken.set()

    async def sleep(self, at_most_s: float) -> None:
        """Until somebody has woken the task since its last pause, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._woken.wait()
        self._woken.clear()
