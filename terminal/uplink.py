"""The port to the hub. MQTT, CoAP and a memory twin keep one contract (``tests/contract``).

Rule 1: an envelope is put on the wire at most once. Trying again is the agent's business, with a
        new envelope, so a link never repeats one after a reconnection.
Rule 2: `transmit` never blocks and never loses silently: what is not on the wire is reported with
        `Undelivered`.
Rule 3: `LinkUp` comes when answers can arrive, not merely when a socket is open. Each try that
        comes to nothing is told by `LinkRefused`.
"""

from collections.abc import Callable
from typing import Protocol

from terminal.effects import Transmit
from terminal.inputs import LinkInput

Deliver = Callable[[LinkInput], None]


class UplinkPort(Protocol):
    """A way to the hub and back."""

    async def run(self, deliver: Deliver) -> None:
        """Keep the link up and deliver what arrives, on the loop's thread, until cancelled."""
        ...

    def transmit(self, parcel: Transmit) -> None:
        """Put an envelope on the wire, or report it undelivered."""
        ...

    def try_other_hub(self) -> None:
        """The hub at the other end is of no use now: go to another, if one is worth trying."""
        ...
