"""The terminals of one hub: who is connected, what waits for them, how they end.

Rule 1: one terminal, one session, one connection.
Rule 2: whatever is to be done outside is appended to ``actions``, in order.
"""

from collections import Counter

from mqtt5 import DisconnectPacket, DisconnectReasonCode, QoS

from hub import limits
from hub.mqtt.actions import Action, Close, Deliver, Presence, Send, Settled
from hub.mqtt.connection import Connection, Member, Verdict
from hub.mqtt.session import Outgoing
from hub.mqtt.states import Event, State
from hub.mqtt.subscribing import Retained
from hub.ports import Inbound, Outcome

NOBODY = 0
"""The token of a message nobody waits for."""


class Roster:
    """All connections, members and retained messages, and what happens to them."""

    def __init__(self, store: str) -> None:
        self.store = store
        self.connections: dict[int, Connection] = {}
        self.members: dict[str, Member] = {}
        self.retained = Retained()
        self.states: dict[str, bytes] = {}
        self.tally: Counter[tuple[str, str]] = Counter()
        self._actions: list[Action] = []

    def taken(self) -> list[Action]:
        """The actions that were added since the last call."""
        actions, self._actions = self._actions, []
        return actions

    # --- endings

    def refuse(self, connection: Connection, reason: DisconnectReasonCode, now_ms: int) -> None:
        """End a connection from our side, with a DISCONNECT if it has had its CONNACK."""
        if connection.state is State.CONNECTED:
            self.tally["disconnected", reason.name.lower()] += 1
            self.send(connection, DisconnectPacket(reason_code=reason).write())
        self.end_line(connection, Event.CUT, now_ms)

    def end_line(self, connection: Connection, event: Event, now_ms: int) -> None:
        """A connection ends; the session may stay and the will may wait."""
        connection.move(event)
        if self.connections.pop(connection.connection_id, None) is None:
            return
        self._actions.append(Close(connection.connection_id))
        member, connection.member = connection.member, None
        if member is None:
            return
        member.connection = None
        member.ends_at_ms = now_ms + member.session_expiry_s * 1000
        if member.will is not None:
            delay_s = min(member.will.will_delay_interval, limits.MQTT_WILL_DELAY_S_MAX)
            member.will_at_ms = now_ms + delay_s * 1000
            if delay_s == 0:
                self.publish_will(member)
        self.note_presence(member)
        if member.session_expiry_s == 0:
            self.end_session(member, now_ms)

    def end_session(self, member: Member, now_ms: int) -> None:
        """Forget a terminal's session; its will, if still due, is published (§3.1.2.5)."""
        self.members.pop(member.branch.tid, None)
        if member.connection is not None:
            self.refuse(member.connection, DisconnectReasonCode.ADMINISTRATIVE_ACTION, now_ms)
        self.publish_will(member)
        member.session.end()

    def publish_will(self, member: Member) -> None:
        """Publish a terminal's will, if it has one, once (§3.1.2.5)."""
        will, member.will, member.will_at_ms = member.will, None, None
        if will is None:
            return
        kind = member.branch.writable[will.topic]
        payload = will.payload or b""
        if will.retain:
            self.keep_state(member.branch.tid, payload)
        self.tally["publish_in", "will"] += 1
        message = Inbound(member.branch.tid, kind, payload, is_retained=will.retain)
        self.deliver(NOBODY, None, message)

    # --- small steps

    def send(self, connection: Connection, data: bytes) -> None:
        """Write to a connection."""
        self._actions.append(Send(connection.connection_id, data))

    def deliver(self, connection_id: int, packet_id: int | None, message: Inbound) -> None:
        """Give a message to the hub."""
        self._actions.append(Deliver(connection_id, packet_id, message))

    def settle(self, token: int, outcome: Outcome) -> None:
        """A message to a terminal has come to its end."""
        self.tally["publish_out", outcome.value] += 1
        if token != NOBODY:
            self._actions.append(Settled(token, outcome))

    def decide(self, connection: Connection, packet_id: int, verdict: Verdict) -> None:
        """A publish is decided: send the PUBACKs that are due."""
        due = connection.decide(packet_id, verdict)
        if due:
            self.send(connection, due)

    def keep_state(self, tid: str, payload: bytes) -> None:
        """Keep a terminal's retained state; an empty payload removes it."""
        if payload:
            self.states[tid] = payload
        else:
            self.states.pop(tid, None)

    def offer(self, member: Member, message: Outgoing, now_ms: int) -> bool:
        """Queue for a terminal if it listens; false if its queue is full."""
        subscription = member.session.listens_to(message.channel)
        is_away = member.connection is None
        if subscription is None or (is_away and subscription.qos == QoS.AT_MOST_ONCE):
            self.settle(message.token, Outcome.NOT_SUBSCRIBED)
            return True
        if not member.session.enqueue(message.flagged(keeps=subscription.keeps_retain_flag)):
            return False
        self.drain(member, now_ms)
        return True

    def drain(self, member: Member, now_ms: int) -> None:
        """Send what may be sent."""
        if member.connection is None:
            return
        packets = member.session.drain(now_ms)
        if packets:
            self.send(member.connection, b"".join(packets))

    def note_presence(self, member: Member) -> None:
        """Tell, once, that a terminal became reachable or ceased to be."""
        is_reachable = (
            member.connection is not None and member.session.listens_to("res") is not None
        )
        if is_reachable != member.is_reachable:
            member.is_reachable = is_reachable
            self._actions.append(Presence(member.branch.tid, is_reachable))
