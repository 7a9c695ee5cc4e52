"""The till's MQTT link against a broker that is not ours: Debian's Mosquitto."""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocol import cbor
from terminal.adapters.mqtt_link import MqttLink, MqttPlace
from terminal.effects import Transmit
from terminal.inputs import AnswerArrived, LinkDown, LinkUp, Undelivered
from tests.kit.hub_world import until
from tests.kit.mosquitto import Mosquitto, running_mosquitto

pytestmark = [pytest.mark.asyncio, pytest.mark.mosquitto]
REQ, STATE = "tw1/s/t/pos-1/req", "tw1/s/t/pos-1/state"


class Responder:
    """Answers each request to its own response topic and keeps what it saw."""

    def __init__(self, port: int) -> None:
        self.requests: list[mqtt.MQTTMessage] = []
        self.states: list[dict[str, Any]] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_connect = lambda c, *_: c.subscribe([(REQ, 1), (STATE, 1)])
        self.ready = False
        self.client.on_subscribe = lambda *_: setattr(self, "ready", True)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_message(self, client: mqtt.Client, _userdata: object, got: mqtt.MQTTMessage) -> None:
        if got.topic == STATE:
            self.states.append(cbor.decode(bytes(got.payload), bytes_max=1000))
            return
        self.requests.append(got)
        asked: Any = got.properties
        told = Properties(PacketTypes.PUBLISH)
        told.CorrelationData = asked.CorrelationData
        client.publish(asked.ResponseTopic, b"answer:" + got.payload, 1, properties=told)

    async def close(self) -> None:
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


def parcel(name: str) -> Transmit:
    return Transmit(request_id=name, message_type="t", sealed=name.encode(), expiry_s=60)


async def test_properties_birth_will_and_reconnection_without_repetition(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, None)
    place = MqttPlace(
        host="127.0.0.1",
        port=broker.port,
        tid="pos-1",
        store="s",
        boot_epoch=7,
        software="x",
        tls=None,
    )
    link = MqttLink(place)
    heard: list[object] = []
    task = asyncio.create_task(link.run(heard.append))

    def count(kind: type) -> int:
        return sum(isinstance(event, kind) for event in heard)

    try:
        link.transmit(parcel("before"))  # no broker yet
        await broker.start()
        await until(lambda: count(LinkUp) == 1)
        responder = Responder(broker.port)
        try:
            await until(lambda: responder.ready)
            link.transmit(parcel("one"))
            await until(lambda: AnswerArrived(b"answer:one") in heard)
            seen: Any = responder.requests[0].properties
            assert seen.CorrelationData == b"one"
            assert seen.ResponseTopic == "tw1/s/t/pos-1/res"
            assert seen.MessageExpiryInterval <= 60
            assert responder.states[-1] == {"on": 1, "epoch": 7, "software": "x"}
        finally:
            await responder.close()
        await broker.end(signal.SIGTERM)
        await until(lambda: count(LinkDown) == 1)
        link.transmit(parcel("two"))
        assert heard[-1] == Undelivered("two")
        await broker.start()
        await until(lambda: count(LinkUp) == 2)
        responder = Responder(broker.port)
        try:
            await until(lambda: responder.ready)
            link.transmit(parcel("three"))
            await until(lambda: AnswerArrived(b"answer:three") in heard)
            assert [got.payload for got in responder.requests] == [b"three"]
        finally:
            await responder.close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await broker.end(signal.SIGTERM)


async def test_a_till_that_vanishes_leaves_its_will(tmp_path: Path) -> None:
    async with running_mosquitto(tmp_path, None) as broker:
        responder = Responder(broker.port)
        await until(lambda: responder.ready)
        place = MqttPlace(
            host="127.0.0.1", port=broker.port, tid="pos-1", store="s", boot_epoch=9, software="x",
            tls=None,
        )  # fmt: skip
        link = MqttLink(place)
        heard: list[object] = []
        task = asyncio.create_task(link.run(heard.append))
        try:
            await until(lambda: any(isinstance(event, LinkUp) for event in heard))
            client = link._client
            task.cancel()  # nobody connects again
            assert client is not None
            cable: Any = client.socket()
            cable.shutdown(socket.SHUT_RDWR)  # the cable, not a goodbye
            await asyncio.gather(task, return_exceptions=True)
            await until(lambda: {"on": 0, "epoch": 9} in responder.states)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await responder.close()
