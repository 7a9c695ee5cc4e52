"""How fast the hub's own MQTT server is: request and answer, QoS 1 both ways, closed loop.

One process plays the server, another all terminals. The hub here answers at once and writes nothing
down, so this is the cost of the line alone. ``python -m bench.hub_mqtt [terminals] [seconds]``
"""

import asyncio
import json
import multiprocessing
import resource
import sys
import time
from multiprocessing.connection import Connection
from typing import cast

import mqtt5
import uvloop

from hub.mqtt.endpoint import EndpointSettings, MqttEndpoint
from hub.ports import Inbound

STORE = "bench"
PAYLOAD = bytes(256)


async def serve(pipe: Connection) -> None:
    """Answer every request until the other side says stop."""
    link = MqttEndpoint(EndpointSettings(STORE, plain_for_tests=True), admits=lambda _: True)

    async def on_publish(message: Inbound) -> None:
        link.publish(message.tid, "res", message.payload, correlation=message.correlation)

    await link.start(on_publish)
    pipe.send(link.port)
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    await link.stop()
    used = resource.getrusage(resource.RUSAGE_SELF)
    pipe.send(used.ru_utime + used.ru_stime)


def run_server(pipe: Connection) -> None:
    """The server's process."""
    uvloop.run(serve(pipe))


class Terminal(asyncio.Protocol):
    """One request on its way at any time."""

    def __init__(self, number: int, times_ms: list[float]) -> None:
        self.branch = f"tw1/{STORE}/t/till-{number}/"
        self.hello = mqtt5.ConnectPacket(f"till-{number}").write()
        self.times_ms = times_ms
        self.rest = b""
        self.packet_id = 0
        self.is_stopping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        listen = mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(self.branch + "res")])
        self.transport.write(self.hello + listen.write())

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        view, at = memoryview(data), 0
        while at < len(data):
            try:
                packet, size = mqtt5.read(view[at:])
            except IndexError:
                break
            at += size
            if isinstance(packet, mqtt5.PublishPacket):
                assert packet.payload == PAYLOAD
                assert packet.packet_id is not None
                self.times_ms.append((time.perf_counter() - self.began) * 1000)
                self.ask(mqtt5.PubAckPacket(packet.packet_id).write())
            elif isinstance(packet, mqtt5.SubAckPacket):
                self.ask(b"")
        self.rest = data[at:]

    def ask(self, before: bytes) -> None:
        if self.is_stopping:
            return
        self.packet_id = self.packet_id % 0xFFFF + 1
        self.began = time.perf_counter()
        packet = mqtt5.PublishPacket(
            self.branch + "req",
            PAYLOAD,
            qos=mqtt5.QoS.AT_LEAST_ONCE,
            packet_id=self.packet_id,
            response_topic=self.branch + "res",
            correlation_data=b"12345678",
        )
        self.transport.write(before + packet.write())


async def load(port: int, terminals: int, seconds: float) -> list[float]:
    """All terminals for some seconds; the round trips in milliseconds."""
    times_ms: list[float] = []
    loop = asyncio.get_running_loop()
    made = [Terminal(number, times_ms) for number in range(terminals)]
    for one in made:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.sleep(seconds)
    for one in made:
        one.is_stopping = True
        one.transport.close()
    await asyncio.sleep(0.1)
    return times_ms


def main() -> None:
    """Print one JSON line."""
    terminals = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 3
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=run_server, args=(theirs,))
    server.start()
    times_ms = sorted(uvloop.run(load(ours.recv(), terminals, seconds)))
    ours.send("stop")
    cpu_s = ours.recv()
    server.join()
    count = len(times_ms)
    result = {
        "terminals": terminals,
        "round_trips_per_s": round(count / seconds),
        "p50_ms": round(times_ms[count // 2], 2),
        "p99_ms": round(times_ms[count * 99 // 100], 2),
        "server_cpu_us_each": round(cpu_s * 1e6 / count, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
