"""One lane per terminal: one by one, in order, and never on behalf of a connection that is gone."""

import asyncio

import pytest

from hub import limits
from hub.mqtt.actions import Deliver
from hub.mqtt.connection import ACCEPTED, BROKEN, Verdict
from hub.mqtt.lanes import Lane
from hub.mqtt.roster import NOBODY
from hub.ports import Inbound
from protocol.errors import CallerError, OperatingError
from tests.kit.patience import PATIENCE_S


def delivery(payload: bytes, connection_id: int = 1, packet_id: int | None = 1) -> Deliver:
    return Deliver(connection_id, packet_id, Inbound("till-1", "req", payload))


class Desk:
    """A hub that can be stopped, and what it decided."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.began: list[bytes] = []
        self.errors: dict[bytes, Exception] = {}
        self.decided: asyncio.Queue[tuple[bytes, Verdict]] = asyncio.Queue()
        self.rooms = 0
        self.lane = Lane(self.on_publish, self.decide, self.on_room)

    async def on_publish(self, message: Inbound) -> None:
        self.began.append(message.payload)
        await self.gate.wait()
        if message.payload in self.errors:
            raise self.errors[message.payload]

    def decide(self, one: Deliver, verdict: Verdict) -> None:
        self.decided.put_nowait((one.message.payload, verdict))

    def on_room(self) -> None:
        self.rooms += 1

    async def next(self) -> tuple[bytes, Verdict]:
        async with asyncio.timeout(PATIENCE_S):
            return await self.decided.get()


@pytest.mark.asyncio
async def test_the_next_message_waits_until_the_one_before_is_decided() -> None:
    desk = Desk()
    for payload in (b"a", b"b"):
        desk.lane.put(delivery(payload))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert desk.began == [b"a"]
    desk.gate.set()
    assert [await desk.next(), await desk.next()] == [(b"a", ACCEPTED), (b"b", ACCEPTED)]
    await desk.lane.stop()


@pytest.mark.asyncio
async def test_whatever_the_hub_raises_is_a_verdict_and_the_lane_goes_on() -> None:
    desk = Desk()
    desk.gate.set()
    desk.errors = {
        b"busy": OperatingError("busy"),
        b"bad": CallerError("signature_invalid"),
        b"bug": ZeroDivisionError(),
    }
    for payload in (b"busy", b"bad", b"bug", b"good"):
        desk.lane.put(delivery(payload))
    verdicts = [(await desk.next())[1] for _ in range(4)]
    assert [one[1] for one in verdicts] == ["busy", "signature_invalid", "internal", None]
    assert verdicts[2] == BROKEN
    await desk.lane.stop()


@pytest.mark.asyncio
async def test_what_came_on_a_closed_connection_and_was_not_begun_is_dropped() -> None:
    desk = Desk()
    for payload, connection_id in ((b"a", 1), (b"b", 1), (b"c", 2), (b"will", 0)):
        desk.lane.put(delivery(payload, connection_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    desk.lane.forget(1)
    desk.gate.set()
    assert [(await desk.next())[0] for _ in range(3)] == [b"a", b"c", b"will"]
    await desk.lane.stop()


@pytest.mark.asyncio
async def test_a_full_lane_says_once_when_there_is_room_again() -> None:
    desk = Desk()
    for number in range(limits.MQTT_LANE_MESSAGES_MAX + 10):
        desk.lane.put(delivery(b"%d" % number))
    assert desk.lane.is_full
    desk.gate.set()
    for _ in range(limits.MQTT_LANE_MESSAGES_MAX + 10):
        await desk.next()
    assert (desk.rooms, desk.lane.is_full) == (1, False)
    await desk.lane.stop()


@pytest.mark.asyncio
async def test_of_many_wills_the_newest_waits_and_keeps_its_place_behind_what_came_before() -> None:
    desk = Desk()
    desk.lane.put(delivery(b"first"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for number in range(10 * limits.MQTT_LANE_MESSAGES_MAX):
        desk.lane.put(delivery(b"will-%d" % number, NOBODY, None))
    desk.lane.put(delivery(b"last"))
    assert not desk.lane.is_full
    desk.gate.set()
    newest = b"will-%d" % number
    assert [(await desk.next())[0] for _ in range(3)] == [b"first", newest, b"last"]
    assert desk.decided.empty()
    await desk.lane.stop()
