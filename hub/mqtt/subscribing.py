"""SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0 §3.8 to §3.11), and the messages kept for subscribers."""

from dataclasses import dataclass

from mqtt5 import (
    QoS,
    RetainHandling,
    SubAckPacket,
    SubAckReasonCode,
    SubscribePacket,
    TopicFilter,
    UnsubAckPacket,
    UnsubAckReasonCode,
    UnsubscribePacket,
)

from hub import limits
from hub.mqtt.access import Branch, Channel
from hub.mqtt.session import Session, Subscription
from protocol.errors import OperatingError


@dataclass(frozen=True, slots=True)
class Kept:
    """A retained message."""

    payload: bytes
    expires_at_ms: int | None


class Retained:
    """The hub's retained messages: ``cfg`` of each terminal, and its own state (tid ``""``)."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Channel], Kept] = {}

    def keep(self, tid: str, channel: Channel, kept: Kept) -> None:
        """Replace what is kept; an empty payload removes it (MQTT-3.3.1-6)."""
        if not kept.payload:
            self._kept.pop((tid, channel), None)
            return
        if (tid, channel) not in self._kept and len(self._kept) >= limits.MQTT_RETAINED_MAX:
            raise OperatingError("busy", "retained messages")
        self._kept[tid, channel] = kept

    def find(self, tid: str, channel: Channel, now_ms: int) -> Kept | None:
        """What is kept for this terminal on this channel and is not over."""
        key = ("" if channel == "hub" else tid, channel)
        kept = self._kept.get(key)
        if kept is not None and kept.expires_at_ms is not None and now_ms >= kept.expires_at_ms:
            del self._kept[key]
            return None
        return kept


def answer_subscribe(
    branch: Branch, session: Session, packet: SubscribePacket
) -> tuple[bytes, list[Channel]]:
    """Apply a SUBSCRIBE filter by filter: the SUBACK, and the channels to replay."""
    codes: list[SubAckReasonCode] = []
    replay: dict[Channel, None] = {}
    for number, wanted in enumerate(packet.topic_filters):
        if number >= limits.MQTT_FILTERS_PER_PACKET_MAX or not session.has_room_for(wanted.pattern):
            codes.append(SubAckReasonCode.QUOTA_EXCEEDED)
            continue
        granted = branch.granted(wanted.pattern)
        if isinstance(granted, SubAckReasonCode):
            codes.append(granted)
            continue
        qos = QoS(min(wanted.max_qos.value, QoS.AT_LEAST_ONCE.value))
        is_new = session.subscribe(
            wanted.pattern, Subscription(granted, qos, wanted.retain_as_published)
        )
        codes.append(SubAckReasonCode(qos.value))
        if _wants_replay(wanted, is_new=is_new):
            replay.update(dict.fromkeys(sorted(granted)))
    return SubAckPacket(packet.packet_id, codes).write(), list(replay)


def _wants_replay(wanted: TopicFilter, *, is_new: bool) -> bool:
    """§3.8.3.1, retain handling."""
    return wanted.retain_handling == RetainHandling.SEND_ALWAYS or (
        is_new and wanted.retain_handling == RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS
    )


def answer_unsubscribe(session: Session, packet: UnsubscribePacket) -> bytes:
    """Apply an UNSUBSCRIBE: the UNSUBACK."""
    codes = [
        UnsubAckReasonCode.SUCCESS
        if session.unsubscribe(pattern)
        else UnsubAckReasonCode.NO_SUBSCRIPTION_EXISTED
        for pattern in packet.patterns
    ]
    return UnsubAckPacket(packet.packet_id, codes).write()
