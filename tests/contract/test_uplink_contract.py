"""One contract for every link: memory, and through a whole hub MQTT over TLS, CoAP, CoAP with
OSCORE, and MQTT over TLS with the real Mosquitto between, configured as we ship it.

What only a broker can do wrong stands in ``tests/integration/test_external_broker.py``.
"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.mqtt.external import ExternalBroker
from protocol import answers, envelope
from protocol.trust import Trust
from terminal.adapters.coap_link import CoapLink, CoapPlace
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.mqtt_link import MqttLink, MqttPlace
from terminal.effects import Transmit
from terminal.inputs import (
    AnswerArrived,
    HubStateArrived,
    LinkDown,
    LinkInput,
    LinkUp,
    Undelivered,
)
from terminal.uplink import UplinkPort
from tests.kit.hub_shop import STORE, Shop
from tests.kit.hub_world import Installation, World, installed_world, now_ms, until
from tests.kit.mosquitto import Mosquitto, certified, running_mosquitto
from transport.contexts import ClientTls

pytestmark = pytest.mark.asyncio
TID = "pos-1"


class MemoryRig:
    transport = "mqtt"

    def __init__(self) -> None:
        self.shop = Shop()
        self.link: Any = MemoryLink(self._answer)
        self.heard: list[bytes] = []

    def _answer(self, data: bytes) -> list[bytes]:
        self.heard.append(data)
        return self.shop.seal([self.shop.pong(envelope.unseal(data).envelope)])

    def push(self, number: int) -> None:
        self.link.push(self.shop.push(TID, number))


class HubRig:
    """A whole hub over real sockets."""

    def __init__(self, world: World, kind: str, broker: Mosquitto | None) -> None:
        self.world = world
        self._broker = broker
        is_mqtt = kind in {"mqtt", "mosquitto"}
        self.transport = "mqtt" if is_mqtt else "coap"
        self.shop = world.shop
        self.link: Any
        if is_mqtt:
            identity = world.installation.issue("terminal", TID, self.shop.key_of(TID))
            self.link = MqttLink(
                MqttPlace(
                    host="127.0.0.1",
                    port=world.hub.ports["mqtt"],
                    tid=TID,
                    store=STORE,
                    boot_epoch=1,
                    software="test",
                    others=(("127.0.0.1", world.hub.ports["mqtt"]),),
                    tls=ClientTls(identity.tls),
                )
            )
        else:
            trust = Trust(tid=TID, store=STORE, backend=(), hubs=(self.shop.hub_key.public,))
            key = trust.hub_edhoc_key if kind == "oscore" else None
            port = world.hub.ports["coap"]
            others = (("127.0.0.1", port),)
            self.link = CoapLink(
                CoapPlace(host="127.0.0.1", port=port, tid=TID, others=others, hub_key=key)
            )

    def push(self, number: int) -> None:
        self.world.backend.push("answer", TID, self.shop.push(TID, number))

    def revoke(self) -> None:
        self.world.backend.push("registry", TID, self.shop.row(TID, status="revoked", revision=2))

    def has_refused(self, code: str) -> bool:
        hub = self.world.hub
        mqtt = hub.shell._ports.mqtt
        is_by_line = isinstance(mqtt, ExternalBroker) and mqtt.tally["publish_refused", code] > 0
        return is_by_line or hub.core.uplink.refused[code] > 0

    async def end(self) -> None:
        """Take away what the till is connected to."""
        if self._broker is not None:
            await self._broker.end(signal.SIGKILL)
        else:
            endpoint = self.world.hub.shell._ports.mqtt
            assert endpoint is not None
            await endpoint.stop()


@asynccontextmanager
async def _rig(kind: str, root: Path) -> AsyncIterator[Any]:
    if kind == "memory":
        yield MemoryRig()
        return
    coap = {"port": 0, "security": "oscore" if kind == "oscore" else "plain"}
    installation = Installation(root)
    async with AsyncExitStack() as stack:
        mqtt: dict[str, Any] = {"port": 0}
        broker: Mosquitto | None = None
        if kind == "mosquitto":
            broker = await stack.enter_async_context(
                running_mosquitto(root / "broker", certified(root / "broker", installation.ca))
            )
            mqtt = {"mode": "external", "port": broker.port}
        world = await stack.enter_async_context(
            installed_world(installation, TID, coap=coap, mqtt=mqtt)
        )
        yield HubRig(world, kind, broker)


class Heard:
    """What the link delivered, in order."""

    def __init__(self) -> None:
        self.events: list[LinkInput] = []

    def __call__(self, event: LinkInput) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def wait(self, kind: type, count: int = 1) -> Any:
        await until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]


@asynccontextmanager
async def running(link: UplinkPort) -> AsyncIterator[Heard]:
    heard = Heard()
    task = asyncio.create_task(link.run(heard))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def parcel(rig: Any, counter: int) -> Transmit:
    sealed = rig.shop.envelope(TID, counter, transport=rig.transport, sent_at_ms=now_ms())
    asked = envelope.unseal(sealed).envelope
    return Transmit(
        request_id=asked.request_id,
        message_type=asked.message_type,
        sealed=sealed,
        expiry_s=60,
    )


MOSQUITTO = pytest.param("mosquitto", marks=pytest.mark.mosquitto)
MQTT_KINDS = ["mqtt", MOSQUITTO]
HUB_KINDS = [*MQTT_KINDS, "coap", "oscore"]
KINDS = pytest.mark.parametrize("kind", ["memory", *HUB_KINDS])
WITH_HUB = pytest.mark.parametrize("kind", HUB_KINDS)


@KINDS
async def test_an_envelope_is_answered(kind: str, tmp_path: Path) -> None:
    async with _rig(kind, tmp_path) as rig, running(rig.link) as heard:
        await heard.wait(LinkUp)
        sent = parcel(rig, 1)
        rig.link.transmit(sent)
        arrived = await heard.wait(AnswerArrived)
        answer = answers.unseal(arrived.data).verify(rig.shop.backend_key.public)
        assert (answer.request_id, answer.device) == (sent.request_id, TID)
        assert heard.of(Undelivered) == []


def pushed_in(heard: Heard) -> list[int]:
    """The pushes behind the first answer, each when it came first: what a device was too slow to
    acknowledge comes again."""
    told = (answers.unseal(event.data).answer for event in heard.of(AnswerArrived)[1:])
    return list(dict.fromkeys(answer.body["now_ms"] for answer in told))


@pytest.mark.parametrize("kind", ["coap", "oscore"])
async def test_a_hub_that_has_forgotten_a_device_over_coap_is_spoken_to_again(
    kind: str, tmp_path: Path
) -> None:
    """As after its restart, or when a device that was suspended is resumed. A link that comes up
    makes the agent say how it stands; until then the hub has nowhere to push to."""
    async with _rig(kind, tmp_path) as rig, running(rig.link) as heard:
        await heard.wait(LinkUp)
        rig.link.transmit(parcel(rig, 1))
        await heard.wait(AnswerArrived)
        coap = rig.world.hub.shell._ports.coap
        await until(lambda: coap._branch.observer(TID) is not None)
        coap.disconnect(TID)
        await heard.wait(LinkUp, 2)
        assert len(heard.of(LinkDown)) == 1
        rig.push(7)
        rig.link.transmit(parcel(rig, 2))
        await heard.wait(AnswerArrived, 3)
        assert 7 in pushed_in(heard)


@KINDS
async def test_a_push_arrives_without_being_asked_for(kind: str, tmp_path: Path) -> None:
    async with _rig(kind, tmp_path) as rig, running(rig.link) as heard:
        await heard.wait(LinkUp)
        rig.link.transmit(parcel(rig, 1))
        await heard.wait(AnswerArrived)
        for number in range(3):
            rig.push(number)
        await until(lambda: len(pushed_in(heard)) == 3)
        assert pushed_in(heard) == [0, 1, 2]


@KINDS
async def test_many_envelopes_at_once_are_each_answered(kind: str, tmp_path: Path) -> None:
    async with _rig(kind, tmp_path) as rig, running(rig.link) as heard:
        await heard.wait(LinkUp)
        sent = [parcel(rig, counter) for counter in range(1, 21)]
        for one in sent:
            rig.link.transmit(one)
        await heard.wait(AnswerArrived, 20)
        told = {answers.unseal(event.data).answer.request_id for event in heard.of(AnswerArrived)}
        assert told == {one.request_id for one in sent}


@WITH_HUB
async def test_the_hub_says_how_it_is(kind: str, tmp_path: Path) -> None:
    async with _rig(kind, tmp_path) as rig, running(rig.link) as heard:
        await heard.wait(HubStateArrived)
        state = answers.unseal(heard.of(HubStateArrived)[-1].data)
        told = state.verify(rig.shop.hub_key.public)
        assert told.message_type == "hub.state"


@WITH_HUB
async def test_a_hub_of_no_use_is_left_for_the_other_once(kind: str, tmp_path: Path) -> None:
    async with _rig(kind, tmp_path) as rig, running(rig.link) as heard:
        await heard.wait(LinkUp)
        rig.link._turns._useless_since_s.clear()  # a hub that was still starting, perhaps
        for _ in range(2):
            rig.link.try_other_hub()
        await heard.wait(LinkDown)
        await heard.wait(LinkUp, 2)
        rig.link.try_other_hub()
        rig.link.transmit(parcel(rig, 1))
        await heard.wait(AnswerArrived)
        assert len(heard.of(LinkDown)) == 1, "neither is worth trying now"


@WITH_HUB
async def test_a_revoked_till_is_heard_no_more_at_once(kind: str, tmp_path: Path) -> None:
    async with _rig(kind, tmp_path) as rig, running(rig.link) as heard:
        await heard.wait(LinkUp)
        rig.link.transmit(parcel(rig, 1))
        await heard.wait(AnswerArrived)
        carried_out = list(rig.world.backend.carried_out)
        rig.revoke()
        await until(lambda: not rig.world.hub.core.registry.admits(TID))
        rig.link.transmit(parcel(rig, 2))
        await until(
            lambda: (
                bool(
                    heard.of(Undelivered) or heard.of(LinkDown)
                )  # it went with the line, or before
                or rig.has_refused("device_revoked")
            )
        )
        assert rig.world.backend.carried_out == carried_out


async def test_a_cut_memory_link_says_down_and_undelivered_and_up_again() -> None:
    rig = MemoryRig()
    async with running(rig.link) as heard:
        await heard.wait(LinkUp)
        rig.link.cut()
        sent = parcel(rig, 1)
        rig.link.transmit(sent)
        assert heard.events[1:] == [LinkDown(), Undelivered(sent.request_id)]
        rig.link.mend()
        assert heard.events[-1] == LinkUp()
        assert rig.heard == [], "nothing is repeated by the link itself"


@pytest.mark.parametrize("kind", MQTT_KINDS)
async def test_a_server_that_goes_is_noticed_and_nothing_is_lost_silently(
    kind: str, tmp_path: Path
) -> None:
    async with _rig(kind, tmp_path) as rig, running(rig.link) as heard:
        await heard.wait(LinkUp)
        rig.link.transmit(parcel(rig, 1))
        await heard.wait(AnswerArrived)
        await rig.end()
        await heard.wait(LinkDown)
        lost = parcel(rig, 2)
        rig.link.transmit(lost)
        assert heard.of(Undelivered) == [Undelivered(lost.request_id)]


async def test_a_coap_hub_that_is_silent_is_not_up(tmp_path: Path) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))  # takes everything, answers nothing
    try:
        link = CoapLink(CoapPlace(host="127.0.0.1", port=sock.getsockname()[1], tid=TID))
        async with running(link) as heard:
            lost = parcel(MemoryRig(), 1)
            link.transmit(lost)
            assert heard.of(LinkUp) == []
    finally:
        sock.close()
