"""The MQTT 5.0 server of one hub, without a socket: bytes and times in, actions out.

It is no general broker. A terminal writes to the hub and hears the hub, on its own branch; no
message goes from terminal to terminal. What a terminal says is acknowledged when the hub says so
(``acknowledge``), which is after its commit.

Rule 1: one terminal, one session, one connection; a new connection takes over (MQTT-3.1.4-3).
Rule 2: everything a peer can fill is bounded (``hub.limits``).
Rule 3: sessions live in memory. After a restart of the hub there is no session, the terminals
subscribe again, and the hub publishes again from its spool.
Rule 4: times are milliseconds of one monotone clock.
"""

from collections import Counter
from typing import cast

import mqtt5
from mqtt5 import (
    ConnectPacket,
    DisconnectPacket,
    DisconnectReasonCode,
    Packet,
    PubAckPacket,
    PublishPacket,
    SubscribePacket,
    UnsubscribePacket,
)

from hub import limits
from hub.mqtt import admission
from hub.mqtt.access import Channel
from hub.mqtt.actions import Action
from hub.mqtt.connection import Connection, Verdict
from hub.mqtt.faults import WireError
from hub.mqtt.packets import PacketSteps
from hub.mqtt.roster import NOBODY, Roster
from hub.mqtt.session import Outgoing
from hub.mqtt.states import EVENTS, Event, State, Step
from hub.mqtt.subscribing import Kept
from hub.mqtt.wire import PROTOCOL_LEVEL, connect_level, decode
from hub.ports import Admits, Outcome
from protocol.errors import CallerError, OperatingError
from protocol.topics import READABLE, Kind, hub_state_topic

_PONG = mqtt5.PingRespPacket().write()


class MqttCore:
    """All connections, sessions and retained messages of one store's hub."""

    def __init__(self, store: str, *, admits: Admits, trusts_client_id: bool = False) -> None:
        """``trusts_client_id`` takes the client id for the identity: for tests on loopback only."""
        self._roster = Roster(store)
        self._steps = PacketSteps(self._roster, admits, trusts_client_id=trusts_client_id)

    @property
    def tally(self) -> Counter[tuple[str, str]]:
        """What happened, by name and label, for the metrics."""
        return self._roster.tally

    # --- what happens to a line

    def open(self, connection_id: int, identity: str | None, now_ms: int) -> None:
        """A line is there; ``identity`` is the name in the peer's certificate."""
        self._roster.connections[connection_id] = Connection(connection_id, identity, now_ms)
        self._roster.tally["connections", "opened"] += 1

    def receive(self, connection_id: int, data: bytes, now_ms: int) -> list[Action]:
        """Bytes came. Any bytes may come, in any pieces."""
        connection = self._roster.connections.get(connection_id)
        if connection is None:
            return []
        for frame in connection.reader.feed(data):
            if connection.state is State.CLOSED:
                break
            connection.heard_at_ms = now_ms
            self._take_frame(connection, frame, now_ms)
        fault = connection.reader.fault
        if fault is not None and connection.state is not State.CLOSED:
            self._fault(connection, fault, None, now_ms)
        return self._roster.taken()

    def lose(self, connection_id: int, now_ms: int) -> list[Action]:
        """The line is gone."""
        connection = self._roster.connections.get(connection_id)
        if connection is not None:
            self._roster.end_line(connection, Event.LOST, now_ms)
        return self._roster.taken()

    def acknowledge(self, connection_id: int, packet_id: int, verdict: Verdict) -> list[Action]:
        """The hub has taken a delivered message to its disk, or says why not."""
        connection = self._roster.connections.get(connection_id)
        if connection is not None and connection.is_waiting(packet_id):
            self._roster.decide(connection, packet_id, verdict)
        return self._roster.taken()

    # --- what the hub wants

    def publish(
        self,
        tid: str,
        kind: Kind,
        payload: bytes,
        *,
        token: int,
        now_ms: int,
        retain: bool = False,
        expiry_s: int | None = None,
        correlation: bytes | None = None,
    ) -> list[Action]:
        """Send to one terminal; ``Settled(token, …)`` tells, now or later, what became of it."""
        if kind not in READABLE:
            raise CallerError("field_invalid", f"kind {kind}")
        channel = cast(Channel, kind)
        expires_at_ms = None if expiry_s is None else now_ms + expiry_s * 1000
        if retain:
            self._roster.retained.keep(tid, channel, Kept(payload, expires_at_ms))
        member = self._roster.members.get(tid)
        if member is None:
            self._roster.settle(token, Outcome.NOT_SUBSCRIBED)
        else:
            topic = member.branch.topic_of[channel]
            message = Outgoing(token, topic, channel, payload, retain, expires_at_ms, correlation)
            if not self._roster.offer(member, message, now_ms):
                raise OperatingError("busy", "the terminal's queue is full")
        return self._roster.taken()

    def publish_hub_state(self, payload: bytes, now_ms: int) -> list[Action]:
        """Keep the hub's state and tell it to everybody who listens."""
        self._roster.retained.keep("", "hub", Kept(payload, None))
        topic = hub_state_topic(self._roster.store)
        for member in self._roster.members.values():
            message = Outgoing(NOBODY, topic, "hub", payload, retain=True)
            if not self._roster.offer(member, message, now_ms):
                self._roster.tally["dropped", "hub_state"] += 1
        return self._roster.taken()

    def cut(self, tid: str, now_ms: int) -> list[Action]:
        """Cut a terminal off, and forget its session and its configuration."""
        self._roster.retained.keep(tid, "cfg", Kept(b"", None))
        member = self._roster.members.get(tid)
        if member is not None:
            self._roster.end_session(member, now_ms)
        return self._roster.taken()

    def shut_down(self, now_ms: int) -> list[Action]:
        """The server ends: everybody is told, no will is published."""
        for connection in list(self._roster.connections.values()):
            if connection.member is not None:
                connection.member.will = None
            self._roster.refuse(connection, DisconnectReasonCode.SERVER_SHUTTING_DOWN, now_ms)
        for member in list(self._roster.members.values()):
            member.will = None
            self._roster.end_session(member, now_ms)
        return self._roster.taken()

    def tick(self, now_ms: int) -> list[Action]:
        """Let time pass: connect and keep-alive time-outs, wills, expiries."""
        for connection in list(self._roster.connections.values()):
            if connection.state is State.AWAITING_CONNECT:
                if now_ms - connection.opened_at_ms >= limits.MQTT_CONNECT_TIMEOUT_MS:
                    self._roster.tally["refused", "connect_timeout"] += 1
                    self._roster.end_line(connection, Event.CUT, now_ms)
            elif now_ms - connection.heard_at_ms >= connection.silence_ms_max:
                self._roster.refuse(connection, DisconnectReasonCode.KEEP_ALIVE_TIMEOUT, now_ms)
        for member in list(self._roster.members.values()):
            if member.will_at_ms is not None and now_ms >= member.will_at_ms:
                self._roster.publish_will(member)
            if member.ends_at_ms is not None and now_ms >= member.ends_at_ms:
                self._roster.end_session(member, now_ms)
            else:
                member.session.expire(now_ms)
        return self._roster.taken()

    def connected(self) -> frozenset[str]:
        """The terminals with a connection."""
        return frozenset(
            tid for tid, member in self._roster.members.items() if member.connection is not None
        )

    def last_state(self, tid: str) -> bytes | None:
        """A terminal's retained state."""
        return self._roster.states.get(tid)

    # --- packets

    def _take_frame(self, connection: Connection, frame: bytes, now_ms: int) -> None:
        if connection.state is State.AWAITING_CONNECT:
            level = connect_level(frame)
            if level is not None and level != PROTOCOL_LEVEL:
                self._roster.tally["refused", "protocol_version"] += 1
                self._roster.send(connection, admission.level_refusal(level))
                self._roster.end_line(connection, Event.CUT, now_ms)
                return
        try:
            packet = decode(frame)
            self._step(connection, packet, now_ms)
        except WireError as fault:
            self._fault(connection, fault, frame, now_ms)

    def _step(self, connection: Connection, packet: Packet, now_ms: int) -> None:
        event = EVENTS[type(packet)]
        edge = connection.edge(event)
        if edge.step is Step.TAKE:
            self._steps.take_publish(connection, cast(PublishPacket, packet))
        elif edge.step is Step.SETTLE:
            self._steps.take_puback(connection, cast(PubAckPacket, packet), now_ms)
        elif edge.step is Step.PONG:
            self._roster.send(connection, _PONG)
        elif edge.step is Step.SUBSCRIBE:
            self._steps.subscribe(connection, cast(SubscribePacket, packet), now_ms)
        elif edge.step is Step.UNSUBSCRIBE:
            self._steps.unsubscribe(connection, cast(UnsubscribePacket, packet))
        elif edge.step is Step.OPEN:
            self._steps.connect(connection, cast(ConnectPacket, packet), now_ms)
        elif edge.step is Step.LEAVE:
            self._steps.leave(connection, cast(DisconnectPacket, packet), now_ms)
        elif edge.step is Step.REFUSE:
            raise WireError(edge.reason or DisconnectReasonCode.PROTOCOL_ERROR, event.name)
        elif edge.step is Step.CLOSE:
            self._roster.tally["refused", "no_connect"] += 1
            self._roster.end_line(connection, event, now_ms)

    def _fault(
        self, connection: Connection, fault: WireError, frame: bytes | None, now_ms: int
    ) -> None:
        """A peer broke the protocol: count it, say why if that is allowed, close (§4.13)."""
        self._roster.tally["malformed", fault.reason.name.lower()] += 1
        if connection.state is State.AWAITING_CONNECT:
            if frame is not None and frame[0] == 0x10:
                self._roster.send(connection, admission.fault_refusal(fault.reason))
            self._roster.end_line(connection, Event.CUT, now_ms)
        else:
            self._roster.refuse(connection, fault.reason, now_ms)
