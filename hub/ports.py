"""What the hub needs of the lines to its terminals. Two adapters stand behind it.

``hub.mqtt.endpoint`` is the hub's own MQTT server; ``hub.mqtt.external`` puts the same hub on a
broker. Both pass the tests in ``tests/contract/terminal_link``.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from protocol.topics import Kind


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message of one terminal, from a line whose identity was checked to be ``tid``."""

    tid: str
    kind: Kind
    payload: bytes
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry_s: int | None = None
    is_retained: bool = False
    is_duplicate: bool = False
    """The line says that it may have delivered this before: a hint, never a proof."""


OnPublish = Callable[[Inbound], Awaitable[None]]
"""The hub's side of the line. **Returning means durable**, and only then is it acknowledged.

Messages of one terminal come one after another, in their order; those of several at once. Raising
``CallerError`` refuses the message for good; ``OperatingError`` (``busy``) says not now: the hub's
own endpoint answers a PUBACK with the reason, and the terminal sends again; from a broker, which
has acknowledged already, the message is offered again after a pause, before any later one of the
same terminal. Any other exception is a bug: it is logged and the message is refused
(endpoint), or stays unacknowledged until the next connection (broker).
"""

OnPresence = Callable[[str, bool], None]
"""A terminal became reachable (connected and listening for answers), or ceased to be."""

Admits = Callable[[str], bool]
"""Whether a device may have a line now. Must answer at once, from memory."""


class Outcome(Enum):
    """What became of a message to a terminal. Only ``ACKNOWLEDGED`` means that it is over there."""

    ACKNOWLEDGED = "acknowledged"
    """The terminal acknowledged (endpoint); the broker took it on for a subscriber (broker)."""
    SENT = "sent"
    """Written to a terminal that subscribed without acknowledgements."""
    REFUSED = "refused"
    """The terminal or the broker answered with a reason code of 0x80 or more."""
    EXPIRED = "expired"
    NOT_SUBSCRIBED = "not_subscribed"
    """There is nobody to deliver to; if retained, it is kept for when there is."""
    SESSION_ENDED = "session_ended"
    TOO_LARGE = "too_large"


class TerminalLink(Protocol):
    """The lines to a store's terminals."""

    async def start(self, on_publish: OnPublish) -> None:
        """Begin; returns when terminals can be served."""
        ...

    def publish(
        self,
        tid: str,
        kind: Kind,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,
        correlation: bytes | None = None,
    ) -> Awaitable[Outcome]:
        """Send to one terminal, in the order of the calls; the result may be awaited or not.

        Raises ``OperatingError("busy")`` at once if the terminal's queue is full.
        """
        ...

    def publish_hub_state(self, payload: bytes) -> None:
        """Say, retained, how the hub is; every terminal that listens hears it."""
        ...

    def connected(self) -> frozenset[str]:
        """The terminals that are there now, as far as the line knows."""
        ...

    def last_state(self, tid: str) -> bytes | None:
        """The retained ``state`` of a terminal (its birth or its will), if one is known."""
        ...

    async def disconnect(self, tid: str) -> None:
        """Cut a terminal off now and forget its session: nothing that waits for it is delivered.

        That it stays away is the business of ``admits``, which must say no before this is called.
        """
        ...

    async def stop(self) -> None:
        """End. What is not acknowledged by now stays so."""
        ...
