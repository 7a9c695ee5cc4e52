"""The same hub on an external MQTT broker, by configuration: the twin of ``hub.mqtt.endpoint``.

Rule 1: the broker's configuration (``deploy/mosquitto``) makes the certificate's common name the
user name and the client id, and lets a terminal write on its own branch only. So the ``tid``
segment of a topic is who published.
Rule 2: paho's thread hands everything over through one queue; all else happens on the event loop.
Rule 3: a message is acknowledged to the broker when ``on_publish`` has returned, on the connection
it came by. On any other connection its packet id would mean another message.

Rule 4: of several hubs on one broker, one takes requests (``hub.mqtt.duty``); the others hear only
who is there, and hand out what they have.

What a broker cannot do as our own endpoint does: it acknowledges a terminal before the hub has
committed (only the signed answer counts); it cannot tell a terminal that the hub is busy; it keeps
the session and the queue of a terminal that was cut off, which its ACL must deny. The hub
refuses what such a terminal says at once. A broker also hides whether a message was a will: there,
unlike at our own endpoint, one may be left on any topic of the terminal's branch; an envelope in it
is as fresh as its signed time says and no fresher. MQTT-4.6.0-2 wants PUBACKs in the order of all
publishes; this adapter keeps it per terminal, so that one slow message does not hold up the shop.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import cast

import structlog
from paho.mqtt.client import MQTTMessage
from prometheus_client import CollectorRegistry

from hub import limits
from hub.mqtt.actions import Deliver
from hub.mqtt.broker_line import (
    Arrived,
    BrokerLine,
    BrokerSettings,
    Handed,
    Linked,
    Published,
    Unlinked,
)
from hub.mqtt.connection import ACCEPTED, BROKEN, Verdict
from hub.mqtt.duty import Duty, Word
from hub.mqtt.lanes import Lane
from hub.mqtt.metrics import MqttCollector
from hub.ports import Admits, Inbound, OnPresence, OnPublish, Outcome
from protocol.errors import CallerError, OperatingError
from protocol.topics import (
    READABLE,
    WRITABLE,
    Kind,
    hub_state_topic,
    parse_topic,
    terminal_topic,
)

_log = structlog.get_logger("hub.mqtt")
_NO_MATCHING_SUBSCRIBERS = 0x10


class ExternalBroker:
    """A ``TerminalLink`` through a broker."""

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        admits: Admits,
        is_online: Callable[[bytes], bool],
        read_word: Callable[[bytes], Word | None] = lambda _: None,
        on_presence: OnPresence | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """``is_online`` tells a birth from a will by the payload of ``state``; ``read_word`` reads
        that of ``hub/state``."""
        settings.check()
        self._settings = settings
        self._admits = admits
        self._is_online = is_online
        self._read_word = read_word
        self._duty = Duty(settings.own_kid)
        self._is_on_duty = True
        self._on_presence = on_presence
        self._on_publish: OnPublish | None = None
        self._registry = registry
        self.tally: Counter[tuple[str, str]] = Counter()
        self._online: set[str] = set()
        self._states: dict[str, bytes] = {}
        self._lanes: dict[str, Lane] = {}
        self._futures: dict[int, asyncio.Future[Outcome]] = {}
        self._collector = MqttCollector(self.tally, lambda: len(self._online))
        self._linked: asyncio.Event | None = None
        self._hub_state: bytes | None = None
        self.is_linked = False
        """Whether the broker can be reached now."""
        self._line = BrokerLine(settings, self._take_handed, self.tally)

    # --- TerminalLink

    async def start(self, on_publish: OnPublish) -> None:
        """Connect and subscribe, or raise ``OperatingError("broker_unreachable")``."""
        self.begin(on_publish)
        if not await self.wait_linked():
            await self.stop()
            where = f"{self._settings.host}:{self._settings.port}"
            raise OperatingError("broker_unreachable", where)

    def begin(self, on_publish: OnPublish) -> None:
        """Begin to connect, and go on until it succeeds: a broker may come later than its hub."""
        self._on_publish = on_publish
        self._linked = asyncio.Event()
        if self._registry is not None:
            self._registry.register(self._collector)
        self._line.start()

    async def wait_linked(self) -> bool:
        """Wait for the broker, within a bound; whether it came."""
        assert self._linked is not None, "not started"
        with suppress(TimeoutError):
            async with asyncio.timeout(limits.BROKER_CONNECT_TIMEOUT_S):
                await self._linked.wait()
        return self.is_linked

    def publish(
        self,
        tid: str,
        kind: Kind,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,
        correlation: bytes | None = None,
    ) -> "asyncio.Future[Outcome]":
        """Send to one terminal; ``ACKNOWLEDGED`` means that the broker took it on."""
        if kind not in READABLE:
            raise CallerError("field_invalid", f"kind {kind}")
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if not self.is_linked or not self._admits(tid):
            # Not left to paho's queue: the hub keeps it and offers it when the terminal is back.
            future.set_result(Outcome.NOT_SUBSCRIBED)
            return future
        topic = terminal_topic(self._settings.store, tid, kind)
        self._futures[
            self._line.send(
                topic, payload, retain=retain, expiry_s=expiry_s, correlation=correlation
            )
        ] = future
        return future

    def publish_hub_state(self, payload: bytes) -> None:
        """Say, retained, how the hub is; on every new connection once more, because a broker may
        have forgotten it, or have told the hub's will."""
        self._hub_state = payload
        word = self._read_word(payload)
        self._duty.says(is_online=word is None or word.is_online, now_s=time.monotonic())
        self._say_state()  # also as the last word before another takes over
        self._take_duty()

    def _say_state(self) -> None:
        if self.is_linked and self._is_on_duty and self._hub_state is not None:
            topic = hub_state_topic(self._settings.store)
            self._line.send(topic, self._hub_state, retain=True)

    def _take_duty(self) -> None:
        is_on = self._duty.is_on(time.monotonic())
        if is_on != self._is_on_duty:
            _log.info("broker_duty", is_on=is_on)
            self._is_on_duty = is_on
            self._line.take_requests(is_wanted=is_on)
            self._say_state()

    def _hear_hub(self, payload: bytes) -> None:
        """A hub of the store has published its state, or the broker has for a hub that is gone."""
        word = self._read_word(payload)
        if word is None:
            return
        is_unsaid = self._duty.hears(word, time.monotonic())
        with suppress(OperatingError):  # a full queue: it is said again within its pause
            self._take_duty()
            if is_unsaid:
                self._say_state()

    def connected(self) -> frozenset[str]:
        """The terminals whose last ``state`` says that they are there."""
        return frozenset(self._online)

    def last_state(self, tid: str) -> bytes | None:
        """A terminal's retained state, as the broker told it."""
        return self._states.get(tid)

    async def disconnect(self, tid: str) -> None:
        """Hear nothing more from a terminal, and take its configuration from the broker."""
        _log.info("mqtt_cut", tid=tid)
        self._states.pop(tid, None)
        self._note_presence(tid, is_online=False)
        lane = self._lanes.pop(tid, None)
        if lane is not None:
            for delivery in lane.drop_waiting():
                self._decide(delivery, ACCEPTED)
            await lane.stop()
        self._line.send(terminal_topic(self._settings.store, tid, "cfg"), b"", retain=True)

    async def stop(self) -> None:
        """Leave the broker; it keeps what is not acknowledged for the next start."""
        if self._linked is None:
            return
        self._linked = None
        self.is_linked = False
        for lane in self._lanes.values():
            await lane.stop()
        self._lanes.clear()
        await self._line.stop()
        for future in self._futures.values():
            if not future.done():
                future.set_result(Outcome.SESSION_ENDED)
        self._futures.clear()
        if self._registry is not None:
            self._registry.unregister(self._collector)

    # --- the event loop

    def _take_handed(self, handed: Iterable[Handed]) -> None:
        for one in handed:
            match one:
                case Arrived(generation, message):
                    self._take_message(generation, message)
                case Published(mid, reason):
                    self._settle(mid, reason)
                case Linked(generation):
                    self._take_link(generation)
                case Unlinked(generation):
                    self._lose_link(generation)

    def _take_link(self, generation: int) -> None:
        _log.info("broker_linked", generation=generation)
        self.is_linked = True
        if self._linked is not None:
            self._linked.set()
        with suppress(OperatingError):  # a full queue: the state is said again within its pause
            self._say_state()

    def _lose_link(self, generation: int) -> None:
        """What was not acknowledged comes again, with DUP, on the next connection; who is there
        is told again by retained states, unless the broker has forgotten them."""
        self.is_linked = False
        for lane in self._lanes.values():
            lane.forget(generation)
        for tid in list(self._online):
            self._note_presence(tid, is_online=False)

    def _take_message(self, generation: int, message: MQTTMessage) -> None:
        packet_id = message.mid if message.qos else None
        if message.topic == hub_state_topic(self._settings.store):
            self._hear_hub(bytes(message.payload))
            if packet_id is not None:
                self._line.acknowledge(generation, packet_id)
            return
        try:
            inbound = self._admit(message)
        except CallerError as error:
            self.tally["publish_refused", error.code] += 1
            if packet_id is not None:
                self._line.acknowledge(generation, packet_id)
            return
        self.tally["publish_in", inbound.kind] += 1
        if inbound.kind == "state":
            self._note_state(inbound)
        lane = self._lanes.get(inbound.tid)
        if lane is None:
            lane = self._lanes[inbound.tid] = Lane(self._offer, self._decide, lambda: None)
        if packet_id is None and lane.is_full:
            # With an acknowledgement owed, the broker stops at BROKER_IN_FLIGHT_MAX by itself.
            self.tally["dropped", "qos0"] += 1
            return
        lane.put(Deliver(generation, packet_id, inbound))

    def _admit(self, message: MQTTMessage) -> Inbound:
        """The message, if its topic, its reply address and its device are as they must be."""
        name = parse_topic(message.topic)
        if name.store != self._settings.store or name.kind not in WRITABLE or name.is_hub:
            raise CallerError("not_authorized", "topic")
        if not self._admits(name.tid):
            raise CallerError("device_revoked", "not admitted")
        if message.retain and name.kind != "state":
            raise CallerError("not_authorized", "retained")
        properties = message.properties
        response_topic = getattr(properties, "ResponseTopic", None)
        own = terminal_topic(name.store, name.tid, "res")
        if response_topic is not None and response_topic != own:
            raise CallerError("reply_address_invalid")
        return Inbound(
            name.tid,
            cast(Kind, name.kind),
            bytes(message.payload),
            response_topic,
            getattr(properties, "CorrelationData", None),
            getattr(properties, "MessageExpiryInterval", None),
            message.retain,
            message.dup,
        )

    async def _offer(self, message: Inbound) -> None:
        """Give it to the hub; try again after a pause while the hub is busy."""
        assert self._on_publish is not None, "not started"
        delay_ms = limits.BROKER_RETRY_DELAY_MS_MIN
        for _ in range(limits.BROKER_RETRIES_MAX):
            try:
                await self._on_publish(message)
                return
            except OperatingError as error:
                self.tally["verdict", error.code] += 1
            await asyncio.sleep(delay_ms / 1000)
            delay_ms = min(2 * delay_ms, limits.BROKER_RETRY_DELAY_MS_MAX)
        raise OperatingError("busy", "gave up")

    def _decide(self, delivery: Deliver, verdict: Verdict) -> None:
        self.tally["verdict", verdict[1] or "accepted"] += 1
        is_not_taken = verdict == BROKEN or verdict[1] == "busy"
        if delivery.packet_id is None or is_not_taken:
            return
        self._line.acknowledge(delivery.connection_id, delivery.packet_id)

    def _settle(self, mid: int, reason: int) -> None:
        if reason == _NO_MATCHING_SUBSCRIBERS:
            outcome = Outcome.NOT_SUBSCRIBED
        else:
            outcome = Outcome.REFUSED if reason >= 0x80 else Outcome.ACKNOWLEDGED
        self.tally["publish_out", outcome.value] += 1
        future = self._futures.pop(mid, None)
        if future is not None and not future.done():
            future.set_result(outcome)

    def _note_state(self, inbound: Inbound) -> None:
        if inbound.payload:
            self._states[inbound.tid] = inbound.payload
        else:
            self._states.pop(inbound.tid, None)
        is_online = bool(inbound.payload) and self._is_online(inbound.payload)
        self._note_presence(inbound.tid, is_online=is_online)

    def _note_presence(self, tid: str, *, is_online: bool) -> None:
        if is_online:
            # Each birth counts: a terminal may come back before the broker has told its will.
            self._online.add(tid)
        elif tid in self._online:
            self._online.discard(tid)
        else:
            return
        if self._on_presence is not None:
            self._on_presence(tid, is_online)
