"""The way to the hub over MQTT 5, with paho.

Rule 1: every connection has a paho client of its own, so that paho never repeats an envelope of an
        earlier connection by itself (it would, for QoS 1).
Rule 2: paho's thread only puts what happened into one queue of the loop.
Rule 3: TCP_NODELAY is set on every socket: without it a round trip costs 44 ms.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from protocol import cbor, topics
from protocol.limits import ANSWER_BYTES_MAX
from terminal.adapters.hub_turns import Address, HubTurns
from terminal.adapters.line_trouble import code_of
from terminal.effects import Transmit
from terminal.inputs import (
    AnswerArrived,
    HubStateArrived,
    LinkDown,
    LinkInput,
    LinkRefused,
    LinkUp,
    Undelivered,
)
from terminal.limits import (
    CONNECT_WAIT_S,
    KEEPALIVE_S,
    MQTT_IN_FLIGHT_MAX,
    OUTBOX_MAX,
    WILL_DELAY_S,
)
from terminal.uplink import Deliver
from transport.contexts import ClientTls
from transport.failures import why

log = structlog.get_logger("terminal.mqtt")
CONTENT_TYPE = 'application/cose; cose-type="cose-sign1"'
_QOS = 1
_REFUSED = "hub_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttPlace:
    """Where the hub listens, and as whom we come. ``others``: the store's other hubs. ``tls`` is
    None only in tests."""

    host: str
    port: int
    tid: str
    store: str
    boot_epoch: int
    software: str
    tls: ClientTls | None
    others: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ready:
    """The subscriptions are granted."""


@dataclass(frozen=True, slots=True)
class _Gone:
    reason: str
    code: str | None = None
    """What the hub's own word comes to; None: the reason is of the line."""


_Event = _Ready | _Gone | LinkInput


class MqttLink:
    """As ``UplinkPort``."""

    def __init__(self, place: MqttPlace) -> None:
        self._place = place
        self._client: Client | None = None
        self._deliver: Deliver | None = None
        self._leave: Callable[[], None] | None = None
        self._underway: dict[int, str] = {}
        self._turns = HubTurns([(place.host, place.port), *place.others])
        self._socket: Any = None

    async def run(self, deliver: Deliver) -> None:
        """As ``UplinkPort.run``: connect, serve, and connect again after a gap with jitter."""
        self._deliver = deliver
        while True:
            was_up = await self._connection(deliver)
            await asyncio.sleep(self._turns.next_after(was_up=was_up))

    def transmit(self, parcel: Transmit) -> None:
        """As ``UplinkPort.transmit``."""
        client = self._client
        if client is None or len(self._underway) >= OUTBOX_MAX:
            self._undelivered(parcel.request_id)
            return
        sent = client.publish(
            self._topic("req"),
            parcel.sealed,
            qos=_QOS,
            properties=self._publish_properties(parcel),
        )
        if sent.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._underway[sent.mid] = parcel.request_id
        else:
            self._undelivered(parcel.request_id)

    def try_other_hub(self) -> None:
        """As ``UplinkPort.try_other_hub``."""
        if self._leave is not None and self._turns.leave():
            self._leave()

    def _undelivered(self, request_id: str) -> None:
        if self._deliver is not None:
            self._deliver(Undelivered(request_id))

    async def _connection(self, deliver: Deliver) -> bool:
        """One connection from its socket to its end; whether it ever came up."""
        events: asyncio.Queue[_Event] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def hand_over(event: _Event) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(events.put_nowait, event)

        client = self._new_client(hand_over)
        is_up = False
        try:
            await asyncio.to_thread(self._open, client)
            async with asyncio.timeout(2 * CONNECT_WAIT_S):
                first = await events.get()
            while not isinstance(first, _Gone):
                if isinstance(first, _Ready):
                    is_up = True
                    self._client = client
                    self._leave = lambda: events.put_nowait(_Gone("it has lost the backend"))
                    deliver(LinkUp())
                else:
                    deliver(first)
                first = await events.get()
            if is_up:
                log.info("link_lost", reason=first.reason)
            else:
                _refuse(deliver, first.reason, first.code)
        except (OSError, TimeoutError, ValueError) as error:
            _refuse(deliver, why(error))
        finally:
            self._client = self._leave = None
            self._underway.clear()
            await asyncio.shield(asyncio.to_thread(_close, client))
            if is_up:
                deliver(LinkDown())
        return is_up

    def _open(self, client: Client) -> None:
        properties = _properties(PacketTypes.CONNECT)
        # The session outlives the connection just as long as the will is held back; a will of a
        # session that ends at once would be published at once (MQTT 5 §3.1.3.2.2).
        properties.SessionExpiryInterval = WILL_DELAY_S
        host, port = self._turns.current
        client.connect(host, port, keepalive=KEEPALIVE_S, clean_start=True, properties=properties)
        client.loop_start()

    def _new_client(self, hand_over: Callable[[_Event], None]) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._place.tid,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_WAIT_S
        client.max_queued_messages_set(OUTBOX_MAX)
        client.max_inflight_messages_set(MQTT_IN_FLIGHT_MAX)
        if self._place.tls is not None:
            client.tls_set_context(cast(ssl.SSLContext, self._place.tls))
        will = _properties(PacketTypes.WILLMESSAGE)
        will.WillDelayInterval = WILL_DELAY_S
        client.will_set(
            self._topic("state"), self._state(is_on=False), _QOS, retain=True, properties=will
        )
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect(hand_over)
        client.on_subscribe = self._on_subscribe(hand_over)
        client.on_disconnect = lambda _c, _u, _f, reason, _p: hand_over(_Gone(self._why(reason)))
        client.on_message = lambda _c, _u, message: self._on_message(message, hand_over)
        client.on_publish = lambda _c, _u, mid, reason, _p: self._on_puback(mid, reason, hand_over)
        return client

    def _on_socket_open(self, _client: Client, _userdata: object, sock: Any) -> None:  # noqa: ANN401
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock

    def _why(self, reason: ReasonCode) -> str:
        """Why the connection ended: TLS's own reason where paho says only "Unspecified error"."""
        failure = getattr(self._socket, "failure", None)
        return str(reason) if failure is None else why(failure)

    def _on_connect(self, hand_over: Callable[[_Event], None]) -> Callable[..., None]:
        def connected(
            client: Client,
            _userdata: object,
            _flags: object,
            reason: ReasonCode,
            properties: Properties | None,
        ) -> None:
            if reason.is_failure:
                hand_over(_Gone(str(reason), _REFUSED))
                return
            if getattr(properties, "ReceiveMaximum", MQTT_IN_FLIGHT_MAX) < MQTT_IN_FLIGHT_MAX:
                hand_over(_Gone("the hub's receive maximum is too small", _REFUSED))
                return
            wanted = [(self._topic(kind), _QOS) for kind in ("res", "cmd", "cfg")]
            client.subscribe([*wanted, (topics.hub_state_topic(self._place.store), _QOS)])
            client.publish(self._topic("state"), self._state(is_on=True), _QOS, retain=True)

        return connected

    def _on_subscribe(self, hand_over: Callable[[_Event], None]) -> Callable[..., None]:
        def granted(
            _c: Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _p: object
        ) -> None:
            # Without the answers' topic the link is of no use; the others may be refused.
            is_refused = reasons[0].is_failure
            hand_over(_Gone(f"subscribe: {reasons[0]}", _REFUSED) if is_refused else _Ready())

        return granted

    def _on_message(self, message: MQTTMessage, hand_over: Callable[[_Event], None]) -> None:
        if len(message.payload) > ANSWER_BYTES_MAX:
            log.warning("message_too_large", topic=message.topic)
        elif message.topic in {self._topic(kind) for kind in ("res", "cmd", "cfg")}:
            hand_over(AnswerArrived(bytes(message.payload)))
        elif message.topic == topics.hub_state_topic(self._place.store):
            hand_over(HubStateArrived(bytes(message.payload)))
        else:
            log.info("message_ignored", topic=message.topic)

    def _on_puback(self, mid: int, reason: ReasonCode, hand_over: Callable[[_Event], None]) -> None:
        request_id = self._underway.pop(mid, None)
        if reason.is_failure and request_id is not None:
            log.warning("publish_refused", request_id=request_id, reason=str(reason))
            hand_over(Undelivered(request_id))

    def _publish_properties(self, parcel: Transmit) -> Properties:
        properties = _properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = self._topic("res")
        properties.CorrelationData = parcel.request_id.encode("ascii")
        properties.MessageExpiryInterval = parcel.expiry_s
        properties.ContentType = CONTENT_TYPE
        return properties

    def _topic(self, kind: topics.Kind | str) -> str:
        return topics.terminal_topic(self._place.store, self._place.tid, kind)  # type: ignore[arg-type]

    def _state(self, *, is_on: bool) -> bytes:
        state: dict[str, Any] = {"on": int(is_on), "epoch": self._place.boot_epoch}
        if is_on:
            state["software"] = self._place.software
        return cbor.encode(state)


def _refuse(deliver: Deliver, reason: str, code: str | None = None) -> None:
    told = code or code_of(reason)
    log.info("link_refused", reason=reason, code=told)
    deliver(LinkRefused(told))


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho


def _close(client: Client) -> None:
    client.disconnect()
    client.loop_stop()
