"""What only the hub's own MQTT server does, over real sockets."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial

import mqtt5
import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from prometheus_client import CollectorRegistry, generate_latest

from hub import limits
from hub.mqtt import held_pubacks
from hub.mqtt.endpoint import EndpointSettings, MqttEndpoint
from hub.ports import Inbound
from protocol.errors import CallerError, OperatingError
from tests.contract.terminal_link.rig import (
    STORE,
    Authority,
    OwnServerRig,
    Terminal,
    until,
    within,
)
from transport.contexts import ServerTls

Make = Callable[..., Terminal]


async def plain(hub: Callable[[Inbound], object], **options: object) -> MqttEndpoint:
    settings = EndpointSettings(STORE, plain_for_tests=True)
    link = MqttEndpoint(settings, admits=lambda _: True, **options)  # type: ignore[arg-type]

    async def on_publish(message: Inbound) -> None:
        hub(message)

    await link.start(on_publish)
    return link


@pytest.mark.asyncio
async def test_no_acknowledgement_before_the_hub_returns(
    own_server: OwnServerRig, terminal: Make
) -> None:
    till = terminal(own_server)
    await till.connect()
    own_server.hub.held.add("till-1")
    till.tell("req", b"signed")
    await within(own_server.hub.began.get())
    await till.listen("res")  # A round trip on the same line: a PUBACK would have come before.
    assert till.published.empty()
    own_server.hub.gate.set()
    assert await till.answered() == 0


async def _asked(link: MqttEndpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A terminal that listens and has sent one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(mqtt5.ConnectPacket("till-1", clean_start=True).write())
    await within(reader.read(64))
    own = [mqtt5.TopicFilter(f"tw1/{STORE}/t/till-1/res", max_qos=mqtt5.QoS.AT_LEAST_ONCE)]
    writer.write(mqtt5.SubscribePacket(1, own).write())
    await within(reader.read(64))
    request = mqtt5.PublishPacket(
        f"tw1/{STORE}/t/till-1/req", b"signed", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=7
    )
    writer.write(request.write())
    return reader, writer


def _has_accepted_one(link: MqttEndpoint) -> bool:
    return link._core.tally["verdict", "accepted"] == 1


@pytest.mark.asyncio
async def test_a_puback_travels_with_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_pubacks, "MQTT_PUBACK_HOLD_S", 60)
    taken: list[Inbound] = []
    link = await plain(taken.append)
    reader, writer = await _asked(link)
    await until(partial(_has_accepted_one, link))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.05)
    link.publish("till-1", "res", b"answer")
    together = memoryview(await within(reader.read(256)))
    first, size = mqtt5.read(together)
    second, _ = mqtt5.read(together[size:])
    assert isinstance(first, mqtt5.PubAckPacket)
    assert first.packet_id == 7
    assert isinstance(second, mqtt5.PublishPacket)
    assert second.payload == b"answer"
    writer.close()
    await link.stop()


@pytest.mark.asyncio
async def test_a_puback_goes_alone_where_no_answer_comes_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for hold_s in (0.01, 60):
        monkeypatch.setattr(held_pubacks, "MQTT_PUBACK_HOLD_S", hold_s)
        link = await plain(lambda _: None)
        reader, writer = await _asked(link)
        await until(partial(_has_accepted_one, link))
        if hold_s == 60:
            await link.stop()
        packet, _ = mqtt5.read(memoryview(await within(reader.read(64))))
        assert isinstance(packet, mqtt5.PubAckPacket)
        writer.close()
        await link.stop()


@pytest.mark.asyncio
async def test_a_bug_in_the_hub_is_an_unspecified_error_and_the_line_goes_on(
    own_server: OwnServerRig, terminal: Make
) -> None:
    till = terminal(own_server)
    await till.connect()
    own_server.hub.failures = [ZeroDivisionError()]
    till.tell("req", b"first")
    assert await till.answered() == 0x80
    till.tell("req", b"second")
    assert await till.answered() == 0


@pytest.mark.asyncio
async def test_a_client_of_3_1_1_is_refused_in_its_own_language(
    own_server: OwnServerRig, terminal: Make
) -> None:
    old = terminal(own_server, protocol=MQTTProtocolVersion.MQTTv311)
    code, _ = await old.connect()
    assert code == 0x84  # paho's reading of the return code 1 of 3.1.1


@pytest.mark.asyncio
async def test_garbage_closes_its_own_line_only(
    own_server: OwnServerRig, terminal: Make, authority: Authority
) -> None:
    till = terminal(own_server, "till-2")
    await till.connect()
    reader, writer = await asyncio.open_connection(
        "localhost", own_server.port, ssl=authority.client("till-1")
    )
    writer.write(b"\x00GET / HTTP/1.1\r\n\r\n" * 10)
    assert await within(reader.read()) == b""
    writer.close()
    till.tell("req", b"fine")
    assert await till.answered() == 0


@pytest.mark.asyncio
async def test_a_message_in_hand_is_finished_before_the_next_connection_is_heard(
    own_server: OwnServerRig, terminal: Make
) -> None:
    first = terminal(own_server, expiry_s=60)
    await first.connect()
    own_server.hub.held.add("till-1")
    first.tell("req", b"one")
    first.tell("req", b"two")
    await within(own_server.hub.began.get())
    await first.break_line()
    own_server.hub.held.clear()
    second = terminal(own_server, expiry_s=60)
    await second.connect()
    second.tell("req", b"three")
    await second.listen("res")
    assert own_server.hub.began.empty()
    own_server.hub.gate.set()
    # "two" was neither begun nor acknowledged: it is the terminal's to send again.
    assert [(await own_server.hub.next()).payload for _ in range(2)] == [b"one", b"three"]
    assert await second.answered() == 0


@pytest.mark.asyncio
async def test_nagle_is_off(own_server: OwnServerRig, terminal: Make) -> None:
    await terminal(own_server).connect()
    (line,) = own_server.link._lines.values()
    assert line._transport is not None
    sock = line._transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.asyncio
async def test_a_flood_without_acknowledgements_stops_the_reading_not_the_hub() -> None:
    gate, got = asyncio.Event(), []
    settings = EndpointSettings(STORE, plain_for_tests=True)
    link = MqttEndpoint(settings, admits=lambda _: True)

    async def on_publish(message: Inbound) -> None:
        await gate.wait()
        got.append(message)

    await link.start(on_publish)
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(mqtt5.ConnectPacket("till-1", clean_start=True).write())
    await within(reader.read(1))
    packet = mqtt5.PublishPacket(f"tw1/{STORE}/t/till-1/tele", b"x" * 10_000).write()
    count = 1_000
    for _ in range(count):
        writer.write(packet)
    await until(lambda: any(line._is_hub_slow for line in link._lines.values()))
    (lane,) = link._lanes.values()
    assert len(lane._waiting) < count // 2
    gate.set()
    await until(lambda: len(got) == count)
    writer.close()
    await link.stop()


@pytest.mark.asyncio
async def test_a_terminal_that_does_not_read_is_cut_off() -> None:
    link = await plain(lambda _: None)
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port, limit=1024)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    subscribe = mqtt5.SubscribePacket(
        1, [mqtt5.TopicFilter(f"tw1/{STORE}/t/till-1/res", max_qos=mqtt5.QoS.AT_MOST_ONCE)]
    )
    writer.write(mqtt5.ConnectPacket("till-1").write() + subscribe.write())
    await until(lambda: bool(link._core._roster.members))
    await within(reader.read(1))
    payload = b"x" * 16_000

    def flood() -> bool:
        link.publish("till-1", "res", payload)
        return not link.connected()

    await until(flood)
    writer.close()
    await link.stop()


@pytest.mark.asyncio
async def test_what_happens_is_counted() -> None:
    registry = CollectorRegistry()
    link = await plain(lambda _: None, registry=registry)
    _, writer = await asyncio.open_connection("127.0.0.1", link.port)
    topic = f"tw1/{STORE}/t/till-1/"
    for packet in (
        mqtt5.ConnectPacket("till-1"),
        mqtt5.PublishPacket(topic + "tele", b"x"),
        mqtt5.PublishPacket(topic + "res", b"x"),
    ):
        writer.write(packet.write())
    await until(lambda: link._core.tally["publish_refused", "not_authorized"] == 1)
    text = generate_latest(registry).decode()
    assert "hub_mqtt_connected 1.0" in text
    assert 'hub_mqtt_publishes_in_total{kind="tele"} 1.0' in text
    assert 'hub_mqtt_publishes_refused_total{reason="not_authorized"} 1.0' in text
    writer.write(b"\x00\x00")
    await until(lambda: not link.connected())
    text = generate_latest(registry).decode()
    assert 'hub_mqtt_malformed_total{reason="malformed_packet"} 1.0' in text
    writer.close()
    await link.stop()


@pytest.mark.asyncio
async def test_a_taken_port_is_named() -> None:
    link = await plain(lambda _: None)
    settings = EndpointSettings(STORE, port=link.port, plain_for_tests=True)
    other = MqttEndpoint(settings, admits=lambda _: True)

    async def nobody(_: Inbound) -> None: ...

    with pytest.raises(OperatingError, match=f"port_taken.*{link.port}"):
        await other.start(nobody)
    await link.stop()


def test_a_server_that_lets_anybody_in_cannot_be_configured(authority: Authority) -> None:
    for settings in (
        EndpointSettings(STORE),
        EndpointSettings(STORE, host="0.0.0.0", plain_for_tests=True),
        EndpointSettings(STORE, tls=ServerTls(authority.ours("broker")), plain_for_tests=True),
    ):
        with pytest.raises(CallerError, match="config_invalid"):
            MqttEndpoint(settings, admits=lambda _: True)


def test_it_works_under_uvloop(authority: Authority) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def play() -> tuple[int, bytes, str]:
        rig = OwnServerRig(authority)
        await rig.start(rig.hub.on_publish)
        till = Terminal(rig, "till-1")
        await till.connect()
        await till.listen("res")
        till.tell("req", b"signed")
        code = await till.answered()
        outcome = rig.link.publish("till-1", "res", b"answer")
        answer = await within(till.messages.get())
        found = (await within(outcome)).value
        await till.leave()
        await rig.stop()
        return code, bytes(answer.payload), found

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(play()) == (0, b"answer", "acknowledged")


@pytest.mark.asyncio
async def test_a_line_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MQTT_CONNECT_TIMEOUT_MS", 50)
    monkeypatch.setattr(limits, "MQTT_TICK_S", 0.02)
    link = await plain(lambda _: None)
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    assert await within(reader.read()) == b""
    writer.close()
    await link.stop()


@pytest.mark.asyncio
async def test_a_terminal_that_comes_and_goes_with_a_will_fills_nothing() -> None:
    gate = asyncio.Event()
    link = MqttEndpoint(EndpointSettings(STORE, plain_for_tests=True), admits=lambda _: True)

    async def on_publish(_: Inbound) -> None:
        await gate.wait()

    await link.start(on_publish)
    will = mqtt5.Will(f"tw1/{STORE}/t/till-1/state", payload=b"x" * 8_000)
    for _ in range(2 * limits.MQTT_LANE_MESSAGES_MAX):
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(mqtt5.ConnectPacket("till-1", clean_start=True, will=will).write())
        await within(reader.read(4))
        writer.transport.abort()
    await until(lambda: not link.connected())
    assert link._core.tally["publish_in", "will"] == 2 * limits.MQTT_LANE_MESSAGES_MAX
    assert len(link._lanes["till-1"]._waiting) == 1
    gate.set()
    await link.stop()


@pytest.mark.asyncio
async def test_peers_that_never_finish_their_handshake_hold_few_places(
    authority: Authority, terminal: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MQTT_CONNECTIONS_MAX", 10)
    monkeypatch.setattr(limits, "MQTT_HANDSHAKES_PER_ADDRESS_MAX", 8)
    rig = OwnServerRig(authority)
    await rig.start(rig.hub.on_publish)
    assert await terminal(rig, "till-1").connect() == (0, False)
    silent = [await asyncio.open_connection("127.0.0.1", rig.port) for _ in range(30)]
    ends = [asyncio.create_task(reader.read()) for reader, _ in silent]
    await until(lambda: sum(task.done() for task in ends) == 22)
    tally = rig.link._core.tally
    assert tally["refused", "handshakes_per_address_max"] == 22
    monkeypatch.setattr(limits, "MQTT_HANDSHAKES_PER_ADDRESS_MAX", 30)
    monkeypatch.setattr(limits, "MQTT_CONNECTIONS_MAX", 9)
    _, one_more = await asyncio.open_connection("127.0.0.1", rig.port)
    await until(lambda: tally["refused", "connections_max"] == 1)
    for _, writer in [*silent, (None, one_more)]:
        writer.close()
    await within(asyncio.gather(*ends))
    door = rig.link._door
    assert door is not None
    await until(lambda: not door._greetings)
    assert await terminal(rig, "till-2").connect() == (0, False)
    assert rig.link.connected() == {"till-1", "till-2"}
    await rig.stop()


@pytest.mark.asyncio
async def test_one_certificate_holds_few_lines(own_server: OwnServerRig) -> None:
    lines = [
        await asyncio.open_connection(
            "localhost", own_server.port, ssl=own_server.authority.client("till-1")
        )
        for _ in range(limits.MQTT_LINES_PER_IDENTITY_MAX + 1)
    ]
    tally = own_server.link._core.tally
    await until(lambda: tally["refused", "lines_per_identity_max"] == 1)
    assert len(own_server.link._lines) == limits.MQTT_LINES_PER_IDENTITY_MAX
    for _, writer in lines:
        writer.close()
    await until(lambda: not own_server.link._lines)
    assert not own_server.link._identities


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["hub", "backend", "operator"])
async def test_a_certificate_of_another_kind_of_machine_is_no_terminal_s(
    own_server: OwnServerRig, terminal: Make, kind: str
) -> None:
    context = own_server.authority.client("till-9", kind=kind)
    code, _ = await terminal(own_server, "till-9", context=context).connect()
    assert code == mqtt5.ConnAckReasonCode.NOT_AUTHORIZED
    assert own_server.link.connected() == frozenset()
