"""The states of one connection: which packet may come when, and what it leads to.

Rule: every (state, event) pair stands in ``TRANSITIONS``; nothing else decides what is allowed.

    AWAITING_CONNECT ── CONNECT ──> CONNECTED ── DISCONNECT, fault, loss, take-over ──> CLOSED
           └────────── anything else, refusal, loss ───────────────────────────────────^
"""

from dataclasses import dataclass
from enum import Enum, auto

import mqtt5
from mqtt5 import DisconnectReasonCode


class State(Enum):
    """Where a connection stands."""

    AWAITING_CONNECT = auto()
    CONNECTED = auto()
    CLOSED = auto()


class Event(Enum):
    """What can happen to a connection."""

    CONNECT = auto()
    PUBLISH = auto()
    PUBACK = auto()
    SUBSCRIBE = auto()
    UNSUBSCRIBE = auto()
    PINGREQ = auto()
    DISCONNECT = auto()
    EXACTLY_ONCE = auto()
    """PUBREC, PUBREL, PUBCOMP: packets of QoS 2, which the server does not offer."""
    SERVER_PACKET = auto()
    """CONNACK, SUBACK, UNSUBACK, PINGRESP: only a server sends these."""
    AUTH = auto()
    CUT = auto()
    """The server ends it: refusal, fault, time-out, take-over, revocation, shutdown."""
    LOST = auto()
    """The line is gone."""


class Step(Enum):
    """What the server does."""

    OPEN = auto()
    TAKE = auto()
    SETTLE = auto()
    SUBSCRIBE = auto()
    UNSUBSCRIBE = auto()
    PONG = auto()
    LEAVE = auto()
    REFUSE = auto()
    """Say why (after CONNECT) and close."""
    CLOSE = auto()
    IGNORE = auto()


@dataclass(frozen=True, slots=True)
class Edge:
    """What an event leads to. ``OPEN`` reaches ``after`` only if the CONNECT is accepted."""

    step: Step
    after: State
    reason: DisconnectReasonCode | None = None


def _refuse(reason: DisconnectReasonCode) -> Edge:
    return Edge(Step.REFUSE, State.CLOSED, reason)


_VIOLATION = _refuse(DisconnectReasonCode.PROTOCOL_ERROR)

TRANSITIONS: dict[tuple[State, Event], Edge] = {
    # §3.1: the first packet must be a CONNECT; before the CONNACK no DISCONNECT may be sent.
    **{
        (State.AWAITING_CONNECT, event): Edge(Step.CLOSE, State.CLOSED)
        for event in Event
        if event is not Event.CONNECT
    },
    (State.AWAITING_CONNECT, Event.CONNECT): Edge(Step.OPEN, State.CONNECTED),
    (State.CONNECTED, Event.CONNECT): _VIOLATION,  # MQTT-3.1.0-2
    (State.CONNECTED, Event.PUBLISH): Edge(Step.TAKE, State.CONNECTED),
    (State.CONNECTED, Event.PUBACK): Edge(Step.SETTLE, State.CONNECTED),
    (State.CONNECTED, Event.SUBSCRIBE): Edge(Step.SUBSCRIBE, State.CONNECTED),
    (State.CONNECTED, Event.UNSUBSCRIBE): Edge(Step.UNSUBSCRIBE, State.CONNECTED),
    (State.CONNECTED, Event.PINGREQ): Edge(Step.PONG, State.CONNECTED),
    (State.CONNECTED, Event.DISCONNECT): Edge(Step.LEAVE, State.CLOSED),
    (State.CONNECTED, Event.EXACTLY_ONCE): _VIOLATION,
    (State.CONNECTED, Event.SERVER_PACKET): _VIOLATION,
    (State.CONNECTED, Event.AUTH): _VIOLATION,  # MQTT-4.12.0-6: no method was agreed on
    (State.CONNECTED, Event.CUT): Edge(Step.CLOSE, State.CLOSED),
    (State.CONNECTED, Event.LOST): Edge(Step.CLOSE, State.CLOSED),
    **{(State.CLOSED, event): Edge(Step.IGNORE, State.CLOSED) for event in Event},
}

EVENTS: dict[type, Event] = {
    mqtt5.ConnectPacket: Event.CONNECT,
    mqtt5.PublishPacket: Event.PUBLISH,
    mqtt5.PubAckPacket: Event.PUBACK,
    mqtt5.SubscribePacket: Event.SUBSCRIBE,
    mqtt5.UnsubscribePacket: Event.UNSUBSCRIBE,
    mqtt5.PingReqPacket: Event.PINGREQ,
    mqtt5.DisconnectPacket: Event.DISCONNECT,
    mqtt5.PubRecPacket: Event.EXACTLY_ONCE,
    mqtt5.PubRelPacket: Event.EXACTLY_ONCE,
    mqtt5.PubCompPacket: Event.EXACTLY_ONCE,
    mqtt5.ConnAckPacket: Event.SERVER_PACKET,
    mqtt5.SubAckPacket: Event.SERVER_PACKET,
    mqtt5.UnsubAckPacket: Event.SERVER_PACKET,
    mqtt5.PingRespPacket: Event.SERVER_PACKET,
    mqtt5.AuthPacket: Event.AUTH,
}
