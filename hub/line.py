"""The port to the backend. ``hub.adapters.backend.BackendClient`` stands behind it."""

from typing import Protocol


class BackendLine(Protocol):
    """What the hub asks the backend.

    Every method raises ``OperatingError`` when there is no answer that can be used (the same may
    be asked again), and ``CallerError`` when the backend refuses the content.
    """

    async def post_batch(self, body: bytes) -> list[bytes]:
        """Send a signed batch; the answers, unchecked, item by item."""
        ...

    async def pushes(self, *, after: int, wait_s: int) -> object:
        """Wait for pushes behind a cursor; the decoded rows, unchecked."""
        ...

    async def devices(self, store: str) -> bytes:
        """The signed device table of a store, unchecked."""
        ...

    async def report(self, states: dict[str, object]) -> None:
        """Say how the hub and its devices are."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
