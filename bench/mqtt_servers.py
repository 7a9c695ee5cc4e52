"""The servers under test, each a process of its own: the hub's endpoint; Mosquitto or amqtt with a
hub behind it. Every hub answers at once and writes nothing down: this is the cost of the line.
"""

import asyncio
import multiprocessing
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import uvloop

from bench.mqtt_load import PUBLISH, STORE, SUBACK, Client, Mqtt311, Packet
from hub.mqtt.broker_line import BrokerSettings
from hub.mqtt.endpoint import EndpointSettings, MqttEndpoint
from hub.mqtt.external import ExternalBroker
from hub.ports import Inbound
from protocol.identity import SmTls, TlsFiles
from transport.contexts import ServerTls

Keys = TlsFiles | SmTls | None
_Serve = Callable[[Connection, Keys, int], Coroutine[Any, Any, None]]
_OnPublish = Callable[[Inbound], Awaitable[None]]
HOST = "127.0.0.1"
FOREIGN_PYTHON = Path(".venv/foreign/bin/python")
START_S_MAX = 30
_MOSQUITTO = """listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 10000
"""
_AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
config = {
    "listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}
async def main():
    await Broker(config).start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Missing(Exception):  # noqa: N818  # it is no error: a peer is not installed
    """What a comparison needs and this machine has not."""


@contextmanager
def own_endpoint(keys: Keys = None, port: int = 0) -> Iterator[tuple[int, BaseProcess]]:
    """The hub's own endpoint; with keys over TLS. Its port and its process."""
    with _hub(_serve_own, keys, port) as (found, process):
        yield found, process


@contextmanager
def behind_mosquitto(directory: Path) -> Iterator[tuple[int, list[int]]]:
    """Mosquitto and the hub's own client of it; the port, and both processes' numbers."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        raise Missing("mosquitto is not installed")
    port = free_port()
    conf = directory / "mosquitto.conf"
    conf.write_text(_MOSQUITTO.format(port=port))
    with (
        _broker([program, "-c", str(conf)], port) as broker,
        _hub(_serve_external, None, port) as (_, hub),
    ):
        assert hub.pid is not None
        yield port, [broker.pid, hub.pid]


@contextmanager
def behind_amqtt() -> Iterator[tuple[int, list[int]]]:
    """amqtt, without its packet logger, and the cheapest hub there can be behind it (3.1.1)."""
    if not FOREIGN_PYTHON.exists():
        raise Missing(f"no {FOREIGN_PYTHON} (sh deploy/setup/foreign.sh)")
    port = free_port()
    with (
        _broker([str(FOREIGN_PYTHON), "-c", _AMQTT, str(port)], port) as broker,
        _hub(_serve_raw, None, port) as (_, hub),
    ):
        assert hub.pid is not None
        yield port, [broker.pid, hub.pid]


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _broker(words: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    broker = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_port(port)
        yield broker
    finally:
        broker.terminate()
        broker.wait()


def _await_port(port: int) -> None:
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def _hub(serve: _Serve, keys: Keys, port: int) -> Iterator[tuple[int, BaseProcess]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(serve, theirs, keys, port), daemon=True)
    process.start()
    try:
        yield ours.recv(), process
    finally:
        if process.is_alive():
            ours.send("stop")
        process.join(START_S_MAX)
        if process.is_alive():
            process.kill()
        sys.stdout.flush()


def _run(serve: _Serve, pipe: Connection, keys: Keys, port: int) -> None:
    uvloop.run(serve(pipe, keys, port))


async def _serve_own(pipe: Connection, keys: Keys, port: int) -> None:
    settings = (
        EndpointSettings(STORE, port=port, plain_for_tests=True)
        if keys is None
        else EndpointSettings(STORE, port=port, tls=ServerTls(keys))
    )
    link = MqttEndpoint(settings, admits=lambda _: True)
    await link.start(_answering(link))
    await _told(pipe, link.port)
    await link.stop()


async def _serve_external(pipe: Connection, _keys: object, port: int) -> None:
    settings = BrokerSettings(STORE, "hub-1", HOST, port, plain_for_tests=True)
    link = ExternalBroker(settings, admits=lambda _: True, is_online=bool)
    await link.start(_answering(link))
    await _told(pipe, port)
    await link.stop()


def _answering(link: MqttEndpoint | ExternalBroker) -> _OnPublish:
    async def on_publish(message: Inbound) -> None:
        link.publish(message.tid, "res", message.payload, correlation=message.correlation)

    return on_publish


async def _serve_raw(pipe: Connection, _keys: object, port: int) -> None:
    hub = _RawHub(Mqtt311(), "hub-1", [f"tw1/{STORE}/t/+/req"])
    await asyncio.get_running_loop().create_connection(lambda: hub, HOST, port)
    await hub.is_ready.wait()
    await _told(pipe, port)


async def _told(pipe: Connection, port: int) -> None:
    """Say that it serves, and serve until told to stop."""
    pipe.send(port)
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)


class _RawHub(Client):
    def __init__(self, codec: Mqtt311, client_id: str, topics: list[str]) -> None:
        super().__init__(codec, client_id, topics)
        self.is_ready = asyncio.Event()
        self._packet_id = 0

    def on_packet(self, packet: Packet) -> None:
        if packet.kind == SUBACK:
            self.is_ready.set()
        elif packet.kind == PUBLISH:
            self._packet_id = self._packet_id % 0xFFFF + 1
            reply_to = packet.topic.removesuffix("req") + "res"
            answer = self.codec.publish(reply_to, self._packet_id, "")
            self.send(self.codec.puback(packet.packet_id) + answer)
