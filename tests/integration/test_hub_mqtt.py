"""A terminal over MQTT (paho), with its certificate, through a whole hub, to the backend."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub import downlink
from hub.presence import device_states
from protocol import answers
from protocol.answers import SealedAnswer
from protocol.topics import hub_state_topic, terminal_topic
from tests.kit.hub_shop import STORE
from tests.kit.hub_world import World, now_ms, running_world, until
from tests.kit.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio


class Terminal:
    """paho in its own thread; everything it hears comes into one queue."""

    def __init__(self, world: World, tid: str, tls: ssl.SSLContext) -> None:
        self._loop = asyncio.get_running_loop()
        self._world = world
        self.tid = tid
        self.heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.linked = asyncio.Event()
        self.gone = asyncio.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=tid, protocol=mqtt.MQTTv5)
        self.client.tls_set_context(tls)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._say(self.linked.set)
        self.client.on_disconnect = lambda *_: self._say(self.gone.set)
        self.client.on_message = self._on_message

    def start(self) -> None:
        self.client.connect("127.0.0.1", self._world.hub.ports["mqtt"], keepalive=30)
        self.client.loop_start()

    def _say(self, what: Any, *words: Any) -> None:
        self._loop.call_soon_threadsafe(what, *words)

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        topics = [terminal_topic(STORE, self.tid, "res"), hub_state_topic(STORE)]
        client.subscribe([(topic, 1) for topic in topics])

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._say(self.heard.put_nowait, (message.topic, message.payload))

    def send(self, payload: bytes) -> mqtt.MQTTMessageInfo:
        return self.client.publish(terminal_topic(STORE, self.tid, "req"), payload, qos=1)

    async def answer(self) -> SealedAnswer:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                topic, payload = await self.heard.get()
                if topic.endswith("/res"):
                    return answers.unseal(payload)


@asynccontextmanager
async def terminal(world: World, tid: str) -> AsyncIterator[Terminal]:
    made = Terminal(world, tid, world.installation.device_tls(tid))
    await asyncio.to_thread(made.start)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await made.linked.wait()
        yield made
    finally:
        made.client.disconnect()
        await asyncio.to_thread(made.client.loop_stop)


def hello(world: World, tid: str, counter: int) -> bytes:
    return world.shop.envelope(tid, counter, sent_at_ms=now_ms())


async def test_a_request_is_acknowledged_answered_and_taken_off_the_list(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world, terminal(world, "till-1") as till:
        sent = till.send(hello(world, "till-1", 1))
        answer = (await till.answer()).verify(world.shop.backend_key.public)
        assert (answer.message_type, answer.device) == ("pong", "till-1")
        await until(sent.is_published)
        await until(lambda: world.hub.core.delivery.parcels == 0)


async def test_the_retained_hub_state_is_heard_on_connecting(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world:
        await asyncio.sleep(0)
        async with terminal(world, "till-1") as till:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    topic, payload = await till.heard.get()
                    if topic == hub_state_topic(STORE):
                        break
        state = answers.unseal(payload).verify(world.shop.hub_key.public)
        assert state.message_type == "hub.state"
        assert state.body["mode"] == "online"


async def test_refusals_come_on_the_own_topic_and_the_message_is_acknowledged(
    tmp_path: Path,
) -> None:
    async with (
        running_world(tmp_path, "till-1", "till-2") as world,
        terminal(world, "till-1") as till,
    ):
        wire = hello(world, "till-1", 1)
        till.send(wire)
        await till.answer()
        for payload, code in (
            (wire, "envelope_replayed"),
            (b"\x00\xff garbage", "envelope_malformed"),
            (hello(world, "till-2", 1), "identity_mismatch"),
        ):
            sent = till.send(payload)
            refusal = (await till.answer()).verify(world.shop.hub_key.public)
            assert refusal.body["error"]["code"] == code
            await until(sent.is_published)


async def test_a_lost_answer_is_unknown_then_true(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world, terminal(world, "till-1") as till:
        world.backend.mode = "drop"
        till.send(hello(world, "till-1", 1))
        unknown = (await till.answer()).verify(world.shop.hub_key.public)
        assert unknown.body["error"]["code"] == "backend_unreachable"
        world.backend.mode = "good"
        truth = (await till.answer()).verify(world.shop.backend_key.public)
        assert truth.request_id == unknown.request_id
        assert world.backend.carried_out == [truth.request_id]


async def test_a_revoked_terminal_is_cut_off_and_stays_away(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world, terminal(world, "till-1") as till:
        row = world.shop.row("till-1", status="revoked", revision=2)
        world.backend.push("registry", "till-1", row)
        async with asyncio.timeout(PATIENCE_S):
            await till.gone.wait()
        assert not world.hub.core.registry.admits("till-1")


async def test_a_push_for_a_terminal_that_is_away_waits_for_it(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world:
        world.backend.push("answer", "till-1", world.shop.push("till-1", 7))
        await until(lambda: world.hub.core.delivery.parcels == 1)
        async with terminal(world, "till-1") as till:
            news = (await till.answer()).verify(world.shop.backend_key.public)
            assert news.body["now_ms"] == 7
            await until(lambda: world.hub.core.delivery.parcels == 0)


async def test_garbage_on_the_mqtt_port_changes_nothing(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1") as world:
        for blob in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 300, b"\x10\xff\xff"):
            with socket.create_connection(("127.0.0.1", world.hub.ports["mqtt"])) as stranger:
                stranger.sendall(blob)
        async with terminal(world, "till-1") as till:
            till.send(hello(world, "till-1", 1))
            (await till.answer()).verify(world.shop.backend_key.public)


async def test_the_backend_hears_who_is_there_since_when_and_who_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downlink, "REPORT_EVERY_S", 0.02)
    async with running_world(tmp_path, "till-1", "till-2") as world:

        def said(tid: str) -> object:
            states = world.backend.reports[-1]["devices"] if world.backend.reports else []
            return next((state for state in states if state["tid"] == tid), None)

        await until(lambda: said("till-1") == {"tid": "till-1", "online": False, "boot_epoch": 0})
        async with terminal(world, "till-1") as till:
            await until(
                lambda: said("till-1") == {"tid": "till-1", "online": True, "boot_epoch": 0}
            )
            till.send(world.shop.envelope("till-1", 1, sent_at_ms=now_ms(), boot_epoch=7))
            await till.answer()
            await until(
                lambda: said("till-1") == {"tid": "till-1", "online": True, "boot_epoch": 7}
            )
        await until(lambda: said("till-1") == {"tid": "till-1", "online": False, "boot_epoch": 7})
        assert said("till-2") == {"tid": "till-2", "online": False, "boot_epoch": 0}


async def test_nothing_is_said_of_the_presence_of_a_machine_on_coap(tmp_path: Path) -> None:
    async with running_world(tmp_path, "till-1", "till-2") as world:
        core = world.hub.core
        core.connected("till-1", "coap")
        assert [state["tid"] for state in device_states(core, frozenset(), {})] == ["till-2"]
        assert len(list(device_states(core, frozenset({"till-1"}), {}))) == 2
        for is_there in (True, False):
            said = device_states(core, frozenset(), {"till-1": is_there})
            assert {one["tid"]: one["online"] for one in said} == {
                "till-1": is_there, "till-2": False,
            }  # fmt: skip
