"""What a line is to a device: bytes both ways, the client's rate where that can be seen."""

from typing import Protocol


class Line(Protocol):
    """One end of a serial line, on the device's side."""

    @property
    def client_path(self) -> str:
        """What a client opens."""
        ...

    @property
    def client_baud(self) -> int | None:
        """The rate the client has set, or ``None`` where the line does not tell."""
        ...

    async def read(self) -> bytes:
        """Wait for bytes from the client; never empty. Raises ``ConnectionError`` once closed."""
        ...

    async def write(self, data: bytes) -> int:
        """Give bytes to the client; what nobody reads in time is lost: returns how many."""
        ...

    def close(self) -> None:
        """Pull the plug."""
        ...
