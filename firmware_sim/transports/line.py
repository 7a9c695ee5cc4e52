"""What a line is to a device: bytes both ways, the client's rate where that can be seen."""

from collections.abc import Callable
from typing import Protocol

Hear = Callable[[bytes], None]
LINE_TASK = "sim-line"
"""How the name of a task begins that a line leaves to close its connection after ``close``."""


class Line(Protocol):
    """One end of a line, on the device's side. All of it runs on one event loop."""

    @property
    def client_path(self) -> str:
        """What a client opens (for pyserial: as it is)."""
        ...

    @property
    def client_baud(self) -> int | None:
        """The rate the client has set, or ``None`` where the line does not tell."""
        ...

    def open(self, hear: Hear) -> None:
        """From now on, give what the client says to ``hear``. Once only."""
        ...

    def write(self, data: bytes) -> int:
        """Give bytes to the client. What nobody takes in time is lost: returns how many."""
        ...

    def tune(self, baud: int) -> None:
        """The device speaks and listens at this rate from now on."""
        ...

    def hold(self, *, is_held: bool) -> None:
        """Let the client's bytes wait on its side, where the line can do that, or flow again."""
        ...

    def close(self) -> None:
        """Pull the plug: the client's next read or write fails."""
        ...
