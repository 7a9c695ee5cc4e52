"""What only happens with a broker between."""

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from operator import eq
from pathlib import Path

import pytest

from hub import limits
from hub.mqtt.broker_line import BrokerSettings
from hub.mqtt.external import ExternalBroker
from hub.ports import Inbound, Outcome
from protocol.errors import CallerError, OperatingError
from tests.contract.terminal_link.rig import (
    HUB,
    STORE,
    Authority,
    MosquittoRig,
    Terminal,
    cut,
    until,
    within,
)
from transport.contexts import ClientTls

Make = Callable[..., Terminal]


@pytest.mark.mosquitto
@pytest.mark.asyncio
async def test_the_hub_comes_back_when_the_broker_does(
    mosquitto: MosquittoRig, terminal: Make
) -> None:
    before = terminal(mosquitto)
    await before.connect()
    await before.leave()
    await mosquitto.broker.end(signal.SIGTERM)
    await mosquitto.broker.start()
    till = terminal(mosquitto, "till-2")
    await till.connect()
    await till.listen("res")
    # The hub subscribes again with the first publish the broker passes on.
    code = 0x10
    while code == 0x10:
        till.tell("req", b"again")
        code = await till.answered()
    assert code == 0
    assert (await mosquitto.hub.next()).tid == "till-2"


@pytest.mark.mosquitto
@pytest.mark.asyncio
async def test_each_birth_is_told_and_nobody_is_there_without_the_broker(
    mosquitto: MosquittoRig, terminal: Make
) -> None:
    till = terminal(mosquitto)
    await till.connect()
    for births in (1, 2):
        till.tell("state", b"on", retain=True)
        await until(partial(eq, mosquitto.presence, [("till-1", True)] * births))
    await till.leave()
    await mosquitto.broker.end(signal.SIGTERM)
    await until(lambda: mosquitto.presence[-1] == ("till-1", False))
    assert mosquitto.link.connected() == frozenset()
    sent = await mosquitto.link.publish("till-1", "res", b"answer")
    assert sent is Outcome.NOT_SUBSCRIBED


@pytest.mark.mosquitto
@pytest.mark.asyncio
async def test_who_is_there_is_known_again_when_only_the_hub_lost_its_line(
    mosquitto: MosquittoRig, terminal: Make
) -> None:
    till = terminal(mosquitto)
    await till.connect()
    till.tell("state", b"on", retain=True)
    await until(lambda: mosquitto.link.connected() == {"till-1"})
    cut(mosquitto.link._line._client)
    await until(lambda: ("till-1", False) in mosquitto.presence)
    # Once by its retained state; once more if the first birth was not acknowledged yet.
    await until(lambda: mosquitto.link.connected() == {"till-1"})
    assert mosquitto.presence[-1] == ("till-1", True)


@pytest.mark.mosquitto
@pytest.mark.asyncio
async def test_the_broker_says_when_the_hub_is_gone(
    mosquitto: MosquittoRig, terminal: Make
) -> None:
    mosquitto.link.publish_hub_state(b"up")
    till = terminal(mosquitto)
    await till.connect()
    await till.subscribe(f"tw1/{STORE}/hub/state")
    assert (await within(till.messages.get())).payload == b"up"
    cut(mosquitto.link._line._client)
    assert (await within(till.messages.get())).payload == b"gone"


@pytest.mark.mosquitto
@pytest.mark.asyncio
async def test_a_message_the_hub_trips_over_is_not_acknowledged_to_the_broker(
    mosquitto: MosquittoRig, terminal: Make
) -> None:
    till = terminal(mosquitto)
    await till.connect()
    mosquitto.hub.failures = [ZeroDivisionError()]
    till.tell("req", b"signed")
    await within(mosquitto.hub.began.get())
    await until(lambda: mosquitto.link.tally["verdict", "internal"] == 1)
    await mosquitto.link.stop()
    await mosquitto.start(mosquitto.hub.on_publish)
    again = await mosquitto.hub.next()
    assert (again.payload, again.is_duplicate) == (b"signed", True)


@pytest.mark.mosquitto
def test_the_shipped_acl_names_only_own_branches() -> None:
    acl = (Path(__file__).parents[3] / "deploy" / "mosquitto" / "acl").read_text()
    patterns = [line for line in acl.splitlines() if line.startswith("pattern")]
    assert patterns
    assert all("/t/%u/" in line or line.endswith("hub/state") for line in patterns)
    assert not [line for line in patterns if "+" in line or "#" in line]


@pytest.mark.asyncio
async def test_a_broker_that_is_not_there_is_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(limits, "BROKER_CONNECT_TIMEOUT_S", 0.2)
    settings = BrokerSettings(
        STORE, HUB, "localhost", unused_tcp_port, ClientTls(authority.ours(HUB))
    )
    link = ExternalBroker(settings, admits=lambda _: True, is_online=bool)

    async def nobody(_: Inbound) -> None:
        await asyncio.sleep(0)

    with pytest.raises(OperatingError, match="broker_unreachable"):
        await link.start(nobody)


def test_a_broker_in_the_clear_cannot_be_configured() -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        ExternalBroker(
            BrokerSettings(STORE, HUB, "localhost", 1883),
            admits=lambda _: True,
            is_online=bool,
        )
