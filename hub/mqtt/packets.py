"""What each packet of a connected client leads to (MQTT 5.0 §3)."""

from mqtt5 import (
    ConnAckReasonCode,
    ConnectPacket,
    DisconnectPacket,
    DisconnectReasonCode,
    PubAckPacket,
    PubAckReasonCode,
    PublishPacket,
    QoS,
    SubscribePacket,
    UnsubscribePacket,
)

from hub import limits
from hub.mqtt import admission
from hub.mqtt.access import RETAINED_FROM_TERMINAL, Branch
from hub.mqtt.connection import Connection, Member
from hub.mqtt.faults import WireError, violation
from hub.mqtt.roster import NOBODY, Roster
from hub.mqtt.session import Outgoing, Session
from hub.mqtt.states import Event
from hub.mqtt.subscribing import answer_subscribe, answer_unsubscribe
from hub.ports import Admits, Inbound, Outcome
from protocol.topics import Kind


class PacketSteps:
    """The steps of ``hub.mqtt.states`` that need the roster."""

    def __init__(self, roster: Roster, admits: Admits, *, trusts_client_id: bool) -> None:
        self._roster = roster
        self._admits = admits
        self._trusts_client_id = trusts_client_id

    def connect(self, connection: Connection, packet: ConnectPacket, now_ms: int) -> None:
        """§3.1: admit, take over, answer, and send what waits."""
        identity = packet.client_id if self._trusts_client_id else connection.identity
        reason = admission.objection(packet, identity, self._admits)
        if reason is None:
            branch = Branch(self._roster.store, packet.client_id)
            reason = admission.will_objection(packet.will, branch)
        if reason is None and (
            packet.client_id not in self._roster.members
            and len(self._roster.members) >= limits.MQTT_SESSIONS_MAX
        ):
            reason = ConnAckReasonCode.QUOTA_EXCEEDED
        if reason is not None:
            self._roster.tally["refused", reason.name.lower()] += 1
            self._roster.send(connection, admission.refusal(reason))
            self._roster.end_line(connection, Event.CUT, now_ms)
            return
        self._take_over(packet.client_id, now_ms, forget=packet.clean_start)
        self._join(connection, packet, now_ms)

    def _take_over(self, tid: str, now_ms: int, *, forget: bool) -> None:
        """End the terminal's earlier connection, and its session if a clean start is wanted."""
        member = self._roster.members.get(tid)
        if member is not None and member.connection is not None:
            self._roster.refuse(member.connection, DisconnectReasonCode.SESSION_TAKEN_OVER, now_ms)
        member = self._roster.members.get(tid)
        if member is not None and forget:
            self._roster.end_session(member, now_ms)

    def _join(self, connection: Connection, packet: ConnectPacket, now_ms: int) -> None:
        tid = packet.client_id
        terms = admission.terms_for(packet)
        member = self._roster.members.get(tid)
        is_session_present = member is not None
        if member is None:
            branch = Branch(self._roster.store, tid)
            member = self._roster.members[tid] = Member(branch, Session(self._roster.settle))
        member.connection, connection.member = connection, member
        member.session_expiry_s, member.ends_at_ms = terms.session_expiry_s, None
        # MQTT-3.1.3-9: coming back in time cancels the will of the earlier connection.
        member.will, member.will_at_ms = packet.will, None
        connection.agree(packet, terms.keep_alive_s, now_ms)
        member.session.attach(packet.receive_max, packet.max_packet_size)
        self._roster.tally["connections", "accepted"] += 1
        self._roster.send(
            connection,
            admission.acceptance(packet, terms, is_session_present=is_session_present),
        )
        self._roster.drain(member, now_ms)
        self._roster.note_presence(member)

    def take_publish(self, connection: Connection, packet: PublishPacket) -> None:
        """§3.3: give it to the hub, or refuse it; a PUBACK follows in either case."""
        if packet.topic_alias is not None:
            raise WireError(DisconnectReasonCode.TOPIC_ALIAS_INVALID, "topic alias")
        if packet.qos == QoS.EXACTLY_ONCE:
            raise WireError(DisconnectReasonCode.QOS_NOT_SUPPORTED, "QoS 2")
        packet_id = packet.packet_id
        if packet_id is not None:
            if connection.is_waiting(packet_id):
                raise violation("packet id in use")
            if connection.waiting >= limits.MQTT_RECEIVE_MAX:
                raise WireError(DisconnectReasonCode.RECEIVE_MAX_EXCEEDED, "receive maximum")
            connection.expect(packet_id)
        branch = connection.joined.branch
        kind = branch.writable.get(packet.topic)
        refused = _refused_because(kind, packet, branch)
        if kind is None or refused is not None:
            self._roster.tally["publish_refused", refused or "not_authorized"] += 1
            if packet_id is not None:
                code = PubAckReasonCode.NOT_AUTHORIZED
                self._roster.decide(connection, packet_id, (code, refused))
            return
        self._roster.tally["publish_in", kind] += 1
        if packet.retain:
            self._roster.keep_state(branch.tid, packet.payload)
        message = Inbound(
            branch.tid,
            kind,
            packet.payload,
            packet.response_topic,
            packet.correlation_data,
            packet.message_expiry_interval,
            packet.retain,
            packet.duplicate,
        )
        self._roster.deliver(connection.connection_id, packet_id, message)

    def take_puback(self, connection: Connection, packet: PubAckPacket, now_ms: int) -> None:
        """§3.4: one of ours has arrived; the next may go."""
        member = connection.joined
        is_taken = packet.reason_code.value < PubAckReasonCode.UNSPECIFIED_ERROR.value
        outcome = Outcome.ACKNOWLEDGED if is_taken else Outcome.REFUSED
        if not member.session.acknowledge(packet.packet_id, outcome):
            self._roster.tally["ignored", "puback"] += 1
        self._roster.drain(member, now_ms)

    def subscribe(self, connection: Connection, packet: SubscribePacket, now_ms: int) -> None:
        """§3.8: answer filter by filter, then replay what is retained."""
        if packet.subscription_id is not None:
            raise WireError(DisconnectReasonCode.SUBSCRIPTION_IDS_NOT_SUPPORTED, "subscription id")
        member = connection.joined
        answer, replay = answer_subscribe(member.branch, member.session, packet)
        self._roster.send(connection, answer)
        for channel in replay:
            kept = self._roster.retained.find(member.branch.tid, channel, now_ms)
            if kept is not None:
                topic = member.branch.topic_of[channel]
                message = Outgoing(NOBODY, topic, channel, kept.payload, True, kept.expires_at_ms)
                if not member.session.enqueue(message):
                    self._roster.tally["dropped", "retained"] += 1
        self._roster.drain(member, now_ms)
        self._roster.note_presence(member)

    def unsubscribe(self, connection: Connection, packet: UnsubscribePacket) -> None:
        """§3.10."""
        member = connection.joined
        self._roster.send(connection, answer_unsubscribe(member.session, packet))
        self._roster.note_presence(member)

    def leave(self, connection: Connection, packet: DisconnectPacket, now_ms: int) -> None:
        """§3.14: the client goes; only a normal goodbye withdraws its will."""
        member = connection.joined
        expiry_s = packet.session_expiry_interval
        if expiry_s is not None:
            if expiry_s and not member.session_expiry_s:
                raise violation("session expiry after none")  # §3.14.2.2.2
            member.session_expiry_s = min(expiry_s, limits.MQTT_SESSION_EXPIRY_S_MAX)
        if packet.reason_code == DisconnectReasonCode.NORMAL_DISCONNECTION:
            member.will = None  # MQTT-3.14.4-3
        self._roster.end_line(connection, Event.DISCONNECT, now_ms)


def _refused_because(kind: Kind | None, packet: PublishPacket, branch: Branch) -> str | None:
    """Why a terminal may not publish this; the words are those of the error catalogue."""
    if kind is None or (packet.retain and kind not in RETAINED_FROM_TERMINAL):
        return "not_authorized"
    if packet.response_topic is not None and packet.response_topic != branch.reply_topic:
        return "reply_address_invalid"
    return None
