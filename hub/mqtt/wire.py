"""Packets from bytes: the codec (PyPI ``mqtt5``), and the rules that it leaves to its caller.

The codec's enumerations are not Python's, whatever its stubs say: members neither hash nor compare
by order. Compare them with ``==``, and by ``.value`` where order matters.
"""

import mqtt5
from mqtt5 import ConnectPacket, Packet, PublishPacket, QoS, SubscribePacket, UnsubscribePacket

from hub.mqtt.faults import malformed, violation
from hub.mqtt.text import PUBLISH, check_text, is_text_plain

PROTOCOL_LEVEL = 5
_WILDCARDS = frozenset("+#")


def decode(frame: bytes) -> Packet:
    """The packet of a whole frame; ``WireError`` for anything that MQTT 5.0 forbids a client."""
    if frame[0] >> 4 != PUBLISH or not is_text_plain(frame):
        check_text(frame)
    packet = _read(frame)
    if isinstance(packet, PublishPacket):
        _check_publish(packet)
    elif isinstance(packet, ConnectPacket):
        _check_connect(packet)
    elif isinstance(packet, SubscribePacket):
        _check_filters(packet.packet_id, [one.pattern for one in packet.topic_filters])
    elif isinstance(packet, UnsubscribePacket):
        _check_filters(packet.packet_id, packet.patterns)
    return packet


def connect_level(frame: bytes) -> int | None:
    """The protocol level that a CONNECT asks for; ``None`` if this is no CONNECT of any MQTT."""
    if frame[0] != 0x10:
        return None
    for name in (b"\x00\x04MQTT", b"\x00\x06MQIsdp"):
        for start in range(2, 6):
            if frame.startswith(name, start) and len(frame) > start + len(name):
                return frame[start + len(name)]
    return None


def _read(frame: bytes) -> Packet:
    try:
        packet, size = mqtt5.read(memoryview(frame))
    except (IndexError, ValueError) as error:
        raise malformed(str(error)) from None
    except BaseException as error:
        # A panic of the Rust codec is a BaseException by design; for us it is one bad packet.
        if type(error).__name__ != "PanicException":
            raise
        raise malformed("codec panic") from None
    if size != len(frame):
        raise malformed("packet is longer than its content")
    return packet


def _check_publish(packet: PublishPacket) -> None:
    if packet.packet_id == 0:
        raise violation("packet id 0")  # MQTT-2.2.1-3
    if packet.duplicate and packet.qos == QoS.AT_MOST_ONCE:
        raise malformed("DUP without QoS")  # MQTT-3.3.1-2
    if packet.subscription_ids:
        raise violation("subscription id from a client")  # MQTT-3.3.4-6
    if not _WILDCARDS.isdisjoint(packet.topic):
        raise malformed("wildcard in a topic name")  # MQTT-3.3.2-2
    if packet.response_topic is not None and not _WILDCARDS.isdisjoint(packet.response_topic):
        raise violation("wildcard in a response topic")  # MQTT-3.3.2-14


def _check_connect(packet: ConnectPacket) -> None:
    if packet.receive_max == 0 or packet.max_packet_size == 0:
        raise violation("a maximum of 0")  # §3.1.2.11.3, §3.1.2.11.4
    if packet.will is not None and not _WILDCARDS.isdisjoint(packet.will.topic):
        raise malformed("wildcard in a will topic")


def _check_filters(packet_id: int, patterns: list[str]) -> None:
    if packet_id == 0:
        raise violation("packet id 0")
    if not patterns:
        raise violation("no topic filter")  # MQTT-3.8.3-2, MQTT-3.10.3-2
    if "" in patterns:
        raise malformed("empty topic filter")  # MQTT-4.7.3-1
