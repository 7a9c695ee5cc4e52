"""Serial drivers that a test opens, closed at its end also when it fails.

A driver that is left open looks for its port again by the port's name. The number of a closed pty
is soon another board's, perhaps in another process: the lost driver would open that one at its own
rate, and the test that owns it would fail with garbled bytes far from the cause.
"""

from contextlib import AsyncExitStack
from typing import Protocol, TypeVar


class Closable(Protocol):
    """What every driver can do."""

    async def aclose(self) -> None:
        """End the thread and close the port."""
        ...


Driver = TypeVar("Driver", bound=Closable)


class Opened(AsyncExitStack):
    """Drivers of one test."""

    def __call__(self, driver: Driver) -> Driver:
        """Keep this driver until the end of the test."""
        self.push_async_callback(driver.aclose)
        return driver
