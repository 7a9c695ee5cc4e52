"""A server without sockets, and the lines to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mqtt5
from mqtt5 import ConnAckReasonCode, DisconnectReasonCode, QoS

from hub.mqtt.actions import Action, Close, Deliver, Send, Settled
from hub.mqtt.core import MqttCore
from hub.ports import Outcome
from protocol.topics import Kind

STORE = "s1"
TID = "till-1"
REQ = f"tw1/{STORE}/t/{TID}/req"
RES = f"tw1/{STORE}/t/{TID}/res"
STATE = f"tw1/{STORE}/t/{TID}/state"
CFG = f"tw1/{STORE}/t/{TID}/cfg"
HUB = f"tw1/{STORE}/hub/state"


@dataclass
class Bench:
    """A server and the lines to it; each call returns what came out, and records it."""

    revoked: set[str] = field(default_factory=set)
    now_ms: int = 1_000_000
    actions: list[Action] = field(default_factory=list)
    last_line: int = 0

    def __post_init__(self) -> None:
        self.core = MqttCore(STORE, admits=lambda tid: tid not in self.revoked)

    def line(self, identity: str | None = TID) -> int:
        self.last_line += 1
        self.core.open(self.last_line, identity, self.now_ms)
        return self.last_line

    def say(self, line: int, *packets: mqtt5.Packet | bytes) -> list[Action]:
        data = b"".join(one if isinstance(one, bytes) else one.write() for one in packets)
        return self.note(self.core.receive(line, data, self.now_ms))

    def note(self, actions: Sequence[Action]) -> list[Action]:
        self.actions += actions
        return list(actions)

    def join(self, *, tid: str = TID, **options: object) -> int:
        line = self.line(tid)
        answer = heard(self.say(line, mqtt5.ConnectPacket(tid, **options)), line)  # type: ignore[arg-type]
        assert isinstance(answer[0], mqtt5.ConnAckPacket)
        assert answer[0].reason_code == ConnAckReasonCode.SUCCESS
        return line

    def listen(self, line: int, *patterns: str, qos: QoS = QoS.AT_LEAST_ONCE) -> list[mqtt5.Packet]:
        filters = [mqtt5.TopicFilter(one, max_qos=qos) for one in patterns or (RES,)]
        return heard(self.say(line, mqtt5.SubscribePacket(1, filters)))

    def tell(
        self, payload: bytes, token: int = 1, kind: Kind = "res", **options: Any
    ) -> list[Action]:
        return self.note(
            self.core.publish(
                TID,
                kind,
                payload,
                token=token,
                now_ms=self.now_ms,
                **options,
            )
        )

    def wait(self, ms: int) -> list[Action]:
        self.now_ms += ms
        return self.note(self.core.tick(self.now_ms))


def heard(actions: Sequence[Action], line: int | None = None) -> list[mqtt5.Packet]:
    """The packets in what was sent."""
    data = b"".join(
        one.data
        for one in actions
        if isinstance(one, Send) and (line is None or one.connection_id == line)
    )
    packets = []
    while data:
        packet, size = mqtt5.read(memoryview(data))
        packets.append(packet)
        data = data[size:]
    return packets


def delivered(actions: Sequence[Action]) -> list[Deliver]:
    return [one for one in actions if isinstance(one, Deliver)]


def outcomes(actions: Sequence[Action]) -> list[tuple[int, Outcome]]:
    return [(one.token, one.outcome) for one in actions if isinstance(one, Settled)]


def closed(actions: Sequence[Action]) -> list[int]:
    return [one.connection_id for one in actions if isinstance(one, Close)]


def request(packet_id: int | None = 7, **options: object) -> mqtt5.PublishPacket:
    topic = str(options.pop("topic", REQ))
    payload = options.pop("payload", b"signed")
    qos = options.pop("qos", QoS.AT_LEAST_ONCE if packet_id else QoS.AT_MOST_ONCE)
    return mqtt5.PublishPacket(topic, payload, qos=qos, packet_id=packet_id, **options)  # type: ignore[arg-type]


def said_goodbye(actions: Sequence[Action]) -> DisconnectReasonCode:
    last = heard(actions)[-1]
    assert isinstance(last, mqtt5.DisconnectPacket)
    assert closed(actions)
    return last.reason_code
