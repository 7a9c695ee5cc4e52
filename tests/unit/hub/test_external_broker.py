"""What one terminal may pile up in the hub through a broker."""

import asyncio
from collections import Counter

import pytest
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from hub import limits
from hub.mqtt.broker_line import Arrived, BrokerLine, BrokerSettings
from hub.mqtt.duty import Word
from hub.mqtt.external import ExternalBroker
from hub.ports import Inbound
from protocol.errors import OperatingError
from tests.kit.patience import PATIENCE_S

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
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(waiting + 2):  # what must be acknowledged is never dropped
            await taken.get()
    await link._lanes["till-1"].stop()


class Line:
    """What was done on the line to the broker, in order."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def send(self, _topic: str, payload: bytes, *, retain: bool) -> int:
        assert retain
        self.done.append(payload)
        return 1

    def take_requests(self, *, is_wanted: bool) -> None:
        self.done.append(is_wanted)


class FullLine(Line):
    """The broker takes nothing for the moment."""

    def send(self, _topic: str, payload: bytes, *, retain: bool) -> int:
        raise OperatingError("busy")


@pytest.mark.asyncio
async def test_a_change_of_duty_that_cannot_be_said_loses_nothing_that_came_with_it() -> None:
    settings = BrokerSettings("s1", "hub-1", "localhost", 1, plain_for_tests=True, own_kid=b"3")
    other = Word(b"2", is_online=True)
    link = ExternalBroker(
        settings, admits=lambda _: True, is_online=bool, read_word=lambda _: other
    )
    line = FullLine()
    link._line, link.is_linked = line, True  # type: ignore[assignment]
    link._hub_state = b"mine"
    link._hear_hub(b"theirs")
    assert line.done == [False], "it stands by, whatever it could say of it"


@pytest.mark.asyncio
async def test_a_hub_that_leaves_duty_says_first_how_it_is_and_one_that_takes_it_says_so() -> None:
    words = {
        b"mine, online": Word(b"2", is_online=True),
        b"mine, offline": Word(b"2", is_online=False),
        b"theirs, online": Word(b"3", is_online=True),
        b"theirs, offline": Word(b"3", is_online=False),
    }
    settings = BrokerSettings("s1", "hub-1", "localhost", 1, plain_for_tests=True, own_kid=b"2")
    link = ExternalBroker(
        settings, admits=lambda _: True, is_online=bool, read_word=lambda state: words[state]
    )
    line = Line()
    link._line, link.is_linked = line, True  # type: ignore[assignment]
    link.publish_hub_state(b"mine, online")
    link._hear_hub(b"theirs, online")
    assert line.done == [b"mine, online"] * 2, "the lower key id stays, and says so"
    line.done.clear()
    link.publish_hub_state(b"mine, offline")
    assert line.done == [b"mine, offline", False]
    line.done.clear()
    link.publish_hub_state(b"mine, offline")
    assert line.done == [], "it stands by"
    link._hear_hub(b"theirs, offline")
    assert line.done == [True, b"mine, offline"], "neither is online: both take what comes"


class Client:
    """paho's client: what it was asked for."""

    def __init__(self) -> None:
        self.subscribed: set[str] = set()
        self.unsubscribed: list[str] = []

    def subscribe(self, topics: list[tuple[str, int]]) -> None:
        self.subscribed |= {topic for topic, _ in topics}

    def unsubscribe(self, topic: str) -> None:
        self.unsubscribed.append(topic)


@pytest.mark.asyncio
async def test_a_hub_that_stands_by_says_so_to_a_broker_that_was_away_when_it_left_duty() -> None:
    settings = BrokerSettings("s1", "hub-1", "localhost", 1, plain_for_tests=True)
    line = BrokerLine(settings, lambda _: None, Counter())
    requests, accepted = "tw1/s1/t/+/req", ReasonCode(PacketTypes.CONNACK)
    for is_wanted in (True, False):
        line.take_requests(is_wanted=is_wanted)  # there is no connection that it could be said on
        client = Client()
        line._on_connect(client, None, None, accepted, None)  # type: ignore[arg-type]
        assert (requests in client.subscribed) is is_wanted
        assert client.unsubscribed == ([] if is_wanted else [requests])
