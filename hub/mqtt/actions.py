"""What the pure server asks its shell to do, in this order."""

from dataclasses import dataclass

from hub.ports import Inbound, Outcome


@dataclass(frozen=True, slots=True)
class Send:
    """Write bytes to a connection."""

    connection_id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close a connection once what was sent is written."""

    connection_id: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give a message to the hub; then ``acknowledge`` it, if it has a packet id."""

    connection_id: int
    packet_id: int | None
    message: Inbound


@dataclass(frozen=True, slots=True)
class Settled:
    """A message to a terminal has come to its end."""

    token: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Presence:
    """A terminal became reachable, or ceased to be."""

    tid: str
    is_reachable: bool


Action = Send | Close | Deliver | Settled | Presence
