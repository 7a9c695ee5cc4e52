"""The line to an external broker: paho-mqtt in its own thread, and the one queue out of it.

Rule: a connection has a number. A message is acknowledged only on the connection it came by, for
on any other its packet id means another message; the lock keeps the two apart.
"""

import asyncio
import socket
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub import limits
from protocol.errors import CallerError, OperatingError
from protocol.topics import ROOT, WRITABLE, hub_state_topic
from transport.contexts import ClientTls
from transport.sockets import TlsSocket

_log = structlog.get_logger("hub.mqtt")
_WITH_WILL = 0x04


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Which broker, and as whom. ``hub_id`` is the hub's client id and certificate name."""

    store: str
    hub_id: str
    host: str
    port: int
    tls: ClientTls | None = None
    plain_for_tests: bool = False
    own_kid: bytes = b""
    """By which key the hub speaks: it tells its own words from another hub's."""
    hub_will: bytes = b""
    """What the broker says on ``hub/state`` when the hub is gone; empty: nothing."""

    def check(self) -> None:
        """Refuse to talk to a broker in the clear."""
        if self.tls is None and not self.plain_for_tests:
            raise CallerError("config_invalid", "a broker needs TLS")


@dataclass(frozen=True, slots=True)
class Linked:
    """Connected and subscribed."""

    generation: int


@dataclass(frozen=True, slots=True)
class Unlinked:
    """The connection is gone; paho makes another."""

    generation: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message of a terminal."""

    generation: int
    message: MQTTMessage


@dataclass(frozen=True, slots=True)
class Published:
    """The broker answered one of our messages."""

    mid: int
    reason: int


Handed = Linked | Unlinked | Arrived | Published


class BrokerLine:
    """One client of the broker. ``on_handed`` runs on the event loop, in the order of things."""

    def __init__(
        self,
        settings: BrokerSettings,
        on_handed: Callable[[Iterable[Handed]], None],
        tally: Counter[tuple[str, str]],
    ) -> None:
        settings.check()
        self._settings = settings
        self._on_handed = on_handed
        self._tally = tally
        self._handed: deque[Handed] = deque()
        self._is_woken = False
        self._takes_requests = True
        self._is_linked = False
        """Since the subscriptions of this connection were granted."""
        self._generation = 0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = self._new_client()

    # --- the event loop

    def start(self) -> None:
        """Begin to connect, and to connect again whenever the connection is lost."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(
            self._settings.host,
            self._settings.port,
            keepalive=limits.BROKER_KEEP_ALIVE_S,
            clean_start=False,
            properties=_properties(
                PacketTypes.CONNECT,
                SessionExpiryInterval=limits.BROKER_SESSION_EXPIRY_S,
                ReceiveMaximum=limits.BROKER_IN_FLIGHT_MAX,
            ),
        )
        self._client.loop_start()

    async def stop(self) -> None:
        """Say goodbye and end paho's thread; hand over what it had left.

        The broker is asked for the will (MQTT 5 §3.14.2.1, 0x04): a hub that was stopped is gone.
        """
        self._client.disconnect(
            reasoncode=ReasonCode(PacketTypes.DISCONNECT, identifier=_WITH_WILL)
        )
        await asyncio.to_thread(self._client.loop_stop)
        self._take()

    def send(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,
        correlation: bytes | None = None,
    ) -> int:
        """Publish; the number that ``Published`` will carry. A full queue is ``busy``."""
        properties = _properties(
            PacketTypes.PUBLISH, MessageExpiryInterval=expiry_s, CorrelationData=correlation
        )
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc is MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise OperatingError("busy", "the queue to the broker is full")
        return info.mid

    def take_requests(self, *, is_wanted: bool) -> None:
        """Subscribe to the terminals' requests, or unsubscribe; later connections do the same."""
        self._takes_requests = is_wanted
        topic = self._branch("req")
        if is_wanted:
            self._client.subscribe(topic, 1)
        else:
            self._client.unsubscribe(topic)

    def acknowledge(self, generation: int, packet_id: int) -> None:
        """Acknowledge a message, if its connection is still the one in use."""
        with self._lock:
            if generation == self._generation:
                self._client.ack(packet_id, 1)

    def _branch(self, kind: str) -> str:
        return f"{ROOT}/{self._settings.store}/t/+/{kind}"

    def _take(self) -> None:
        with self._lock:
            self._is_woken = False
            handed, self._handed = self._handed, deque()
        self._on_handed(handed)

    # --- paho's thread

    def _new_client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.hub_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        if settings.tls is not None:
            client.tls_set_context(cast(ssl.SSLContext, settings.tls))
        if settings.hub_will:
            topic = hub_state_topic(settings.store)
            client.will_set(topic, settings.hub_will, qos=1, retain=True)
        client.max_inflight_messages_set(limits.BROKER_IN_FLIGHT_MAX)
        client.max_queued_messages_set(limits.BROKER_QUEUE_MESSAGES_MAX)
        client.reconnect_delay_set(
            limits.BROKER_RECONNECT_DELAY_S_MIN, limits.BROKER_RECONNECT_DELAY_S_MAX
        )
        client.on_socket_open = _set_nodelay
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_published
        return client

    def _on_connect(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            _log.warning("broker_refused", reason=str(reason))
            return
        with self._lock:
            self._generation += 1
        kinds = sorted(WRITABLE if self._takes_requests else WRITABLE - {"req"})
        topics = [self._branch(kind) for kind in kinds]
        client.subscribe([(one, 1) for one in (*topics, hub_state_topic(self._settings.store))])
        if not self._takes_requests:
            # The session at the broker may know nothing of it: there was no line to say it by.
            client.unsubscribe(self._branch("req"))

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        _log.warning("broker_away", host=self._settings.host, port=self._settings.port)

    def _on_subscribe(
        self,
        _client: Client,
        _data: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            _log.error("broker_refused_subscription", reasons=[str(one) for one in reasons])
            return
        if not self._is_linked:
            self._is_linked = True
            self._hand_over(Linked(self._generation))

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        with self._lock:
            gone, self._generation = self._generation, self._generation + 1
            self._is_linked = False
        _log.info("broker_line_ended", reason=str(reason))
        self._hand_over(Unlinked(gone))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message.qos == 0 and len(self._handed) >= limits.BROKER_QUEUE_MESSAGES_MAX:
            self._tally["dropped", "qos0"] += 1
            return
        self._hand_over(Arrived(self._generation, message))

    def _on_published(
        self,
        _client: Client,
        _data: object,
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._hand_over(Published(mid, reason.value))

    def _hand_over(self, one: Handed) -> None:
        """Wake the loop once for all that has come since it was last woken."""
        loop = self._loop
        with self._lock:
            self._handed.append(one)
            if self._is_woken or loop is None or loop.is_closed():
                return
            self._is_woken = True
        loop.call_soon_threadsafe(self._take)


def _properties(packet_type: int, **values: object) -> Properties:
    properties = Properties(packet_type)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        if value is not None:
            setattr(properties, name, value)
    return properties


def _set_nodelay(_client: Client, _data: object, sock: object) -> None:
    """paho leaves Nagle's algorithm on, which costs 40 ms a message."""
    assert isinstance(sock, socket.socket | TlsSocket), "no WebSocket is configured"
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
