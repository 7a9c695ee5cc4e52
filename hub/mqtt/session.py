"""What outlives a connection (MQTT 5.0 §4.1): subscriptions and messages not yet acknowledged.

Rule 1: a message leaves by exactly one ``Outcome``, told to ``settle``.
Rule 2: messages leave in the order in which they came; what was sent and not acknowledged is sent
again, in the same order and with DUP, when the terminal comes back, and only then (MQTT-4.4.0-1).
Rule 3: the queue is bounded in messages and in bytes; a full queue refuses, it never forgets.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from mqtt5 import PublishPacket, QoS

from hub import limits
from hub.mqtt.access import Channel
from hub.ports import Outcome

_PACKET_ID_MAX = 0xFFFF
_HEADER_BYTES_MAX = 64
"""Fixed header, topic length, packet id, expiry and correlation headers of a PUBLISH."""

Settle = Callable[[int, Outcome], None]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to a terminal. ``token`` names it to whoever sent it."""

    token: int
    topic: str
    channel: Channel
    payload: bytes
    retain: bool = False
    expires_at_ms: int | None = None
    correlation: bytes | None = None

    def is_expired(self, now_ms: int) -> bool:
        """Whether its time is over."""
        return self.expires_at_ms is not None and now_ms >= self.expires_at_ms

    def flagged(self, *, keeps: bool) -> "Outgoing":
        """As it goes to a subscriber: RETAIN only if it asked to see it (MQTT-3.3.1-12)."""
        return self if keeps or not self.retain else replace(self, retain=False)

    def size_bytes_max(self) -> int:
        """An upper bound of its size on the wire."""
        return (
            len(self.topic) + len(self.payload) + len(self.correlation or b"") + _HEADER_BYTES_MAX
        )

    def to_packet(self, now_ms: int, qos: QoS, packet_id: int | None, duplicate: bool) -> bytes:
        """Its wire form, with what is left of its time (MQTT-3.3.2-6)."""
        left_s = None
        if self.expires_at_ms is not None:
            left_s = max(1, (self.expires_at_ms - now_ms + 999) // 1000)
        return PublishPacket(
            self.topic,
            self.payload,
            qos=qos,
            retain=self.retain,
            packet_id=packet_id,
            duplicate=duplicate,
            message_expiry_interval=left_s,
            correlation_data=self.correlation,
        ).write()


@dataclass(frozen=True, slots=True)
class Subscription:
    """One granted topic filter."""

    channels: frozenset[Channel]
    qos: QoS
    keeps_retain_flag: bool


class Session:
    """The state the server keeps for one terminal."""

    def __init__(self, settle: Settle) -> None:
        self._settle = settle
        self._subscriptions: dict[str, Subscription] = {}
        self._listening: dict[Channel, Subscription] = {}
        self._queue: deque[Outgoing] = deque()
        self._queued_bytes = 0
        self._in_flight: dict[int, Outgoing] = {}
        self._to_repeat: deque[int] = deque()
        self._last_packet_id = 0
        self._window = limits.MQTT_IN_FLIGHT_MAX
        self._packet_bytes_max: int | None = None

    @property
    def waiting(self) -> int:
        """Messages sent and not acknowledged, or not sent yet."""
        return len(self._queue) + len(self._in_flight)

    # --- subscriptions

    def subscribe(self, pattern: str, subscription: Subscription) -> bool:
        """Add or replace; true if the filter is new. The caller has checked the bound."""
        is_new = pattern not in self._subscriptions
        self._subscriptions[pattern] = subscription
        self._listen_again()
        return is_new

    def unsubscribe(self, pattern: str) -> bool:
        """Remove; false if there was no such subscription."""
        was_there = self._subscriptions.pop(pattern, None) is not None
        self._listen_again()
        return was_there

    def has_room_for(self, pattern: str) -> bool:
        """Whether one more filter may be held."""
        return (
            pattern in self._subscriptions
            or len(self._subscriptions) < limits.MQTT_SUBSCRIPTIONS_MAX
        )

    def listens_to(self, channel: Channel) -> Subscription | None:
        """The strongest subscription to a channel: overlapping filters deliver once."""
        return self._listening.get(channel)

    def _listen_again(self) -> None:
        weakest_first = sorted(self._subscriptions.values(), key=lambda one: one.qos.value)
        self._listening = {key: one for one in weakest_first for key in one.channels}

    # --- the line

    def attach(self, receive_max: int, packet_bytes_max: int | None) -> None:
        """A connection is there: ``drain`` begins with what was sent before (MQTT-4.4.0-1)."""
        self._window = min(receive_max, limits.MQTT_IN_FLIGHT_MAX)
        self._packet_bytes_max = packet_bytes_max
        self._to_repeat = deque(self._in_flight)

    def enqueue(self, message: Outgoing) -> bool:
        """Take a message for sending; false if the queue is full."""
        size = len(message.payload)
        if (
            len(self._queue) >= limits.MQTT_QUEUE_MESSAGES_MAX
            or self._queued_bytes + size > limits.MQTT_QUEUE_BYTES_MAX
        ):
            return False
        self._queue.append(message)
        self._queued_bytes += size
        return True

    def drain(self, now_ms: int) -> list[bytes]:
        """The messages that may be sent now, within the terminal's receive maximum
        (MQTT-4.9.0-2)."""
        packets: list[bytes] = []
        while self._to_repeat and self._has_window:
            packet_id = self._to_repeat.popleft()
            message = self._in_flight.get(packet_id)
            if message is not None:
                packets.append(
                    message.to_packet(now_ms, QoS.AT_LEAST_ONCE, packet_id, duplicate=True)
                )
        while self._queue and self._has_window:
            packet = self._send(self._pop(), now_ms)
            if packet is not None:
                packets.append(packet)
        return packets

    @property
    def _has_window(self) -> bool:
        return len(self._in_flight) - len(self._to_repeat) < self._window

    def _send(self, message: Outgoing, now_ms: int) -> bytes | None:
        limit = self._packet_bytes_max
        subscription = self.listens_to(message.channel)
        if message.is_expired(now_ms):
            self._settle(message.token, Outcome.EXPIRED)
        elif limit is not None and message.size_bytes_max() > limit:
            self._settle(message.token, Outcome.TOO_LARGE)  # MQTT-3.1.2-25
        elif subscription is None:
            self._settle(message.token, Outcome.NOT_SUBSCRIBED)
        elif subscription.qos == QoS.AT_MOST_ONCE:
            self._settle(message.token, Outcome.SENT)
            return message.to_packet(now_ms, subscription.qos, None, duplicate=False)
        else:
            packet_id = self._next_packet_id()
            self._in_flight[packet_id] = message
            return message.to_packet(now_ms, subscription.qos, packet_id, duplicate=False)
        return None

    def acknowledge(self, packet_id: int, outcome: Outcome) -> bool:
        """The terminal answered; false if nothing was sent under this id."""
        message = self._in_flight.pop(packet_id, None)
        if message is None:
            return False
        self._settle(message.token, outcome)
        return True

    def expire(self, now_ms: int) -> None:
        """Drop waiting messages that have expired, but none that was sent once."""
        if not any(message.is_expired(now_ms) for message in self._queue):
            return
        kept = deque[Outgoing]()
        while self._queue:
            message = self._pop()
            if message.is_expired(now_ms):
                self._settle(message.token, Outcome.EXPIRED)
            else:
                kept.append(message)
        self._queue = kept
        self._queued_bytes = sum(len(message.payload) for message in kept)

    def end(self) -> None:
        """Forget everything."""
        for message in (*self._in_flight.values(), *self._queue):
            self._settle(message.token, Outcome.SESSION_ENDED)
        self._in_flight.clear()
        self._queue.clear()
        self._queued_bytes = 0
        self._subscriptions.clear()
        self._listening.clear()

    def _pop(self) -> Outgoing:
        message = self._queue.popleft()
        self._queued_bytes -= len(message.payload)
        return message

    def _next_packet_id(self) -> int:
        """An id not in use. Ends: fewer ids are in flight than there are."""
        while True:
            self._last_packet_id = self._last_packet_id % _PACKET_ID_MAX + 1
            if self._last_packet_id not in self._in_flight:
                return self._last_packet_id
