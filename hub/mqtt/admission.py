"""Who may connect, and on what terms (MQTT 5.0 §3.1, §3.2)."""

from dataclasses import dataclass

from mqtt5 import ConnAckPacket, ConnAckReasonCode, ConnectPacket, DisconnectReasonCode, QoS, Will

from hub import limits
from hub.mqtt.access import Branch
from hub.mqtt.wire import PROTOCOL_LEVEL
from hub.ports import Admits
from protocol.topics import is_name

_REFUSED_311 = b"\x20\x02\x00\x01"
"""MQTT 3.1.1 §3.2.2.3: unacceptable protocol version, in the form that an old client can read."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What server and client agree on, where the server may overrule the client."""

    keep_alive_s: int
    session_expiry_s: int


def level_refusal(level: int) -> bytes:
    """The answer to a CONNECT of another version than 5 (MQTT 5.0 §3.1.2.2)."""
    if level < PROTOCOL_LEVEL:
        return _REFUSED_311
    return refusal(ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION)


def refusal(reason: ConnAckReasonCode) -> bytes:
    """A CONNACK that says no."""
    return ConnAckPacket(reason_code=reason).write()


def fault_refusal(reason: DisconnectReasonCode) -> bytes:
    """A CONNACK for a CONNECT that broke the protocol. Before it no DISCONNECT may be sent."""
    try:
        return refusal(ConnAckReasonCode(reason.value))
    except ValueError:
        return refusal(ConnAckReasonCode.PROTOCOL_ERROR)


def objection(
    packet: ConnectPacket, identity: str | None, admits: Admits
) -> ConnAckReasonCode | None:
    """Why this client may not connect under the name that it gives; None if it may."""
    if packet.authentication_method is not None:
        return ConnAckReasonCode.BAD_AUTHENTICATION_METHOD
    if identity is None:
        return ConnAckReasonCode.NOT_AUTHORIZED
    if packet.client_id != identity or not is_name(identity):
        return ConnAckReasonCode.CLIENT_ID_NOT_VALID
    return None if admits(identity) else ConnAckReasonCode.NOT_AUTHORIZED


def will_objection(will: Will | None, branch: Branch) -> ConnAckReasonCode | None:
    """Why this will may not be left. It speaks of presence: nothing about money is a will."""
    if will is None:
        return None
    if will.qos == QoS.EXACTLY_ONCE:
        return ConnAckReasonCode.QUALITY_NOT_SUPPORTED
    is_state = branch.writable.get(will.topic) == "state"
    return None if is_state else ConnAckReasonCode.NOT_AUTHORIZED


def terms_for(packet: ConnectPacket) -> Terms:
    """Keep alive is always on and never long, and every session expires."""
    longest = limits.MQTT_KEEP_ALIVE_S_MAX
    return Terms(
        keep_alive_s=min(packet.keep_alive, longest) or longest,
        session_expiry_s=min(packet.session_expiry_interval, limits.MQTT_SESSION_EXPIRY_S_MAX),
    )


def acceptance(packet: ConnectPacket, terms: Terms, *, is_session_present: bool) -> bytes:
    """The CONNACK that says yes, and what this server does not do (§3.2.2.3)."""
    return ConnAckPacket(
        session_present=is_session_present,
        session_expiry_interval=_if_other(terms.session_expiry_s, packet.session_expiry_interval),
        server_keep_alive=_if_other(terms.keep_alive_s, packet.keep_alive),
        receive_max=limits.MQTT_RECEIVE_MAX,
        max_packet_size=limits.MQTT_PACKET_BYTES_MAX,
        max_qos=QoS.AT_LEAST_ONCE,
        topic_alias_max=0,
        subscription_id_available=False,
        shared_subscription_available=False,
    ).write()


def _if_other(ours: int, theirs: int) -> int | None:
    """A property that is only sent where the server overrules the client."""
    return None if ours == theirs else ours
