"""Terminals that ask and are answered over MQTT, QoS 1 both ways: one request each at any time.

Raw asyncio and a codec, because a client library would be the bottleneck. MQTT 5 goes through the
``mqtt5`` codec; for a broker that knows no better there are the few packets of 3.1.1 by hand.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from typing import Protocol, cast

import mqtt5

STORE = "bench"
PAYLOAD = bytes(256)
CONNECTS_AT_ONCE = 48
"""Below what the endpoint takes of one address in their handshake."""
SETTLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Packet:
    """What came: ``kind`` is the packet type's number (MQTT 5 §2.1.2)."""

    kind: int
    packet_id: int = 0
    topic: str = ""
    payload: bytes = b""


CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9


class Codec(Protocol):
    """The packets that a client needs."""

    def connect(self, client_id: str) -> bytes: ...
    def subscribe(self, topics: list[str]) -> bytes: ...
    def publish(self, topic: str, packet_id: int, reply_to: str) -> bytes: ...
    def puback(self, packet_id: int) -> bytes: ...
    def read(self, data: memoryview) -> tuple[Packet, int] | None: ...


class Mqtt5:
    """MQTT 5."""

    def connect(self, client_id: str) -> bytes:
        """CONNECT."""
        return mqtt5.ConnectPacket(client_id, keep_alive=300).write()

    def subscribe(self, topics: list[str]) -> bytes:
        """SUBSCRIBE."""
        wanted = [mqtt5.TopicFilter(one, max_qos=mqtt5.QoS.AT_LEAST_ONCE) for one in topics]
        return mqtt5.SubscribePacket(1, wanted).write()

    def publish(self, topic: str, packet_id: int, reply_to: str) -> bytes:
        """PUBLISH with a reply address."""
        return mqtt5.PublishPacket(
            topic,
            PAYLOAD,
            qos=mqtt5.QoS.AT_LEAST_ONCE,
            packet_id=packet_id,
            response_topic=reply_to,
            correlation_data=b"12345678",
        ).write()

    def puback(self, packet_id: int) -> bytes:
        """PUBACK."""
        return mqtt5.PubAckPacket(packet_id).write()

    def read(self, data: memoryview) -> tuple[Packet, int] | None:
        """The first packet and its size, or None if it is not whole."""
        try:
            packet, size = mqtt5.read(data)
        except IndexError:
            return None
        if isinstance(packet, mqtt5.PublishPacket):
            assert isinstance(packet.payload, bytes)
            found = Packet(PUBLISH, packet.packet_id or 0, packet.topic, packet.payload)
        elif isinstance(packet, mqtt5.SubAckPacket):
            found = Packet(SUBACK)
        elif isinstance(packet, mqtt5.PubAckPacket):
            assert packet.reason_code is mqtt5.PubAckReasonCode.SUCCESS, packet.reason_code
            found = Packet(PUBACK)
        else:
            found = Packet(CONNACK)
        return found, size


class Mqtt311:
    """MQTT 3.1.1 (§3.1, §3.3, §3.4, §3.8)."""

    def connect(self, client_id: str) -> bytes:
        """CONNECT, clean session."""
        body = b"\x00\x04MQTT\x04\x02" + (300).to_bytes(2, "big") + _text(client_id)
        return _packet(0x10, body)

    def subscribe(self, topics: list[str]) -> bytes:
        """SUBSCRIBE."""
        return _packet(0x82, b"\x00\x01" + b"".join(_text(one) + b"\x01" for one in topics))

    def publish(self, topic: str, packet_id: int, reply_to: str) -> bytes:  # noqa: ARG002
        """PUBLISH, QoS 1; 3.1.1 has no reply address."""
        return _packet(0x32, _text(topic) + packet_id.to_bytes(2, "big") + PAYLOAD)

    def puback(self, packet_id: int) -> bytes:
        """PUBACK."""
        return b"\x40\x02" + packet_id.to_bytes(2, "big")

    def read(self, data: memoryview) -> tuple[Packet, int] | None:
        """As :meth:`Mqtt5.read`."""
        size, at = 0, 1
        while True:
            if at >= len(data):
                return None
            size |= (data[at] & 0x7F) << 7 * (at - 1)
            at += 1
            if data[at - 1] < 0x80:
                break
        if at + size > len(data):
            return None
        kind, body = data[0] >> 4, bytes(data[at : at + size])
        if kind != PUBLISH:
            return Packet(kind), at + size
        end = 2 + int.from_bytes(body[:2], "big")
        packet_id = int.from_bytes(body[end : end + 2], "big")
        return Packet(kind, packet_id, body[2:end].decode(), body[end + 2 :]), at + size


class Client(asyncio.Protocol, ABC):
    """Packets in and out of one connection."""

    def __init__(self, codec: Codec, client_id: str, topics: list[str]) -> None:
        self.codec = codec
        self._hello = codec.connect(client_id) + codec.subscribe(topics)
        self._rest = b""
        self.transport: asyncio.Transport | None = None

    @abstractmethod
    def on_packet(self, packet: Packet) -> None:
        """A packet came."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """CONNECT and SUBSCRIBE go together."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        """Whole packets are taken, the rest waits."""
        data = self._rest + data
        view, at = memoryview(data), 0
        while at < len(data) and (found := self.codec.read(view[at:])) is not None:
            at += found[1]
            self.on_packet(found[0])
        self._rest = data[at:]

    def send(self, data: bytes) -> None:
        """Send."""
        if self.transport is not None:
            self.transport.write(data)


class Terminal(Client):
    """Asks, waits for its answer, and asks again, until told to stop."""

    def __init__(self, codec: Codec, number: int, on_answer: Callable[[float], None]) -> None:
        self.client_id = f"till-{number}"
        self._branch = f"tw1/{STORE}/t/{self.client_id}/"
        super().__init__(codec, self.client_id, [self._branch + "res"])
        self._on_answer = on_answer
        self._packet_id = 0
        self._began = 0.0
        self.is_asking = False
        self.is_ready = asyncio.Event()

    def ask(self, before: bytes = b"") -> None:
        """Send the next request."""
        self._packet_id = self._packet_id % 0xFFFF + 1
        self._began = time.perf_counter()
        branch = self._branch
        self.send(before + self.codec.publish(branch + "req", self._packet_id, branch + "res"))

    def on_packet(self, packet: Packet) -> None:
        """An answer is checked and counted; then the next request goes with its PUBACK."""
        if packet.kind == SUBACK:
            self.is_ready.set()
        elif packet.kind == PUBLISH:
            assert packet.payload == PAYLOAD
            self._on_answer((time.perf_counter() - self._began) * 1000)
            acknowledged = self.codec.puback(packet.packet_id)
            if self.is_asking:
                self.ask(acknowledged)
            else:
                self.send(acknowledged)


Dial = Callable[[asyncio.Protocol], "asyncio.Future[None]"]


@dataclass(frozen=True, slots=True)
class Trips:
    """The round trips of one run."""

    per_s: float
    p50_ms: float
    p99_ms: float


async def connected(terminals: list[Terminal], dial: Dial) -> None:
    """Connect all, a bounded number at once; each has its subscription when this returns."""
    places = asyncio.Semaphore(CONNECTS_AT_ONCE)

    async def one(terminal: Terminal) -> None:
        async with places:
            await dial(terminal)
            await terminal.is_ready.wait()

    await asyncio.gather(*(one(terminal) for terminal in terminals))


async def closed_loop(codec: Codec, number: int, dial: Dial, seconds: float) -> Trips:
    """So many terminals for so long."""
    times_ms: list[float] = []
    terminals = [Terminal(codec, each, times_ms.append) for each in range(number)]
    await connected(terminals, dial)
    for terminal in terminals:
        terminal.is_asking = True
        terminal.ask()
    await asyncio.sleep(seconds / 5)  # everything is warm then
    times_ms.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed, counted = time.perf_counter() - began, list(times_ms)
    for terminal in terminals:
        terminal.is_asking = False
    await asyncio.sleep(SETTLE_S)
    for terminal in terminals:
        assert terminal.transport is not None, "connected"
        terminal.transport.close()
    await asyncio.sleep(SETTLE_S)
    cuts = quantiles(counted, n=100)
    return Trips(len(counted) / elapsed, cuts[49], cuts[98])


def _text(value: str) -> bytes:
    return len(value).to_bytes(2, "big") + value.encode("ascii")


def _packet(head: int, body: bytes) -> bytes:
    size, digits = len(body), bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes((head, *digits)) + body
