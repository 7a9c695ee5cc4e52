"""What one terminal may pile up in the hub through a broker."""

import asyncio

import pytest
from paho.mqtt.client import MQTTMessage

from hub import limits
from hub.mqtt.broker_line import Arrived, BrokerSettings
from hub.mqtt.external import ExternalBroker
from hub.ports import Inbound

GENERATION = 1


def arrived(qos: int, number: int) -> Arrived:
    message = MQTTMessage(number, b"tw1/s1/t/till-1/tele")
    message.payload, message.qos = b"x", qos
    return Arrived(GENERATION, message)


@pytest.mark.asyncio
async def test_a_flood_that_asks_for_no_acknowledgement_is_dropped_above_the_lane_s_bound() -> None:
    settings = BrokerSettings("s1", "hub-1", "localhost", 1, plain_for_tests=True)
    link = ExternalBroker(settings, admits=lambda _: True, is_online=bool)
    gate, taken = asyncio.Event(), asyncio.Queue[int]()

    async def on_publish(message: Inbound) -> None:
        await gate.wait()
        taken.put_nowait(len(message.payload))

    link._on_publish = on_publish
    for _ in range(20):
        link._take_handed([arrived(0, 0) for _ in range(100)])
        await asyncio.sleep(0)
    waiting = limits.MQTT_LANE_MESSAGES_MAX
    assert len(link._lanes["till-1"]._waiting) == waiting
    assert link.tally["dropped", "qos0"] == 2_000 - waiting - 1  # one is with the hub
    link._take_handed([arrived(1, 7)])
    gate.set()
    async with asyncio.timeout(5):
        for _ in range(waiting + 2):  # what must be acknowledged is never dropped
            await taken.get()
    await link._lanes["till-1"].stop()
