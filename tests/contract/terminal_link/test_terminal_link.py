"""What the hub may expect of a terminal link, on its own server and on the real Mosquitto."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from hub.ports import Outcome
from protocol.errors import CallerError, OperatingError
from tests.contract.terminal_link.rig import STORE, Authority, Rig, Terminal, until, within

Make = Callable[..., Terminal]
NOT_AUTHORIZED = 0x87
TAKEN_OVER = 0x8E


@pytest.mark.asyncio
async def test_a_request_reaches_the_hub_and_its_answer_the_terminal(
    rig: Rig, terminal: Make
) -> None:
    till = terminal(rig)
    assert await till.connect() == (0, False)
    await till.listen("res")
    own = till.topic("res")
    till.tell("req", b"signed", ResponseTopic=own, CorrelationData=b"c1")
    message = await rig.hub.next()
    assert (message.tid, message.payload) == ("till-1", b"signed")
    assert (message.response_topic, message.correlation) == (own, b"c1")
    assert await till.answered() == 0
    future = rig.link.publish("till-1", "res", b"answer", correlation=b"c1", expiry_s=60)
    answer = await within(till.messages.get())
    assert (answer.topic, answer.payload, answer.qos) == (own, b"answer", 1)
    told: Any = answer.properties
    assert told is not None
    assert told.CorrelationData == b"c1"
    assert await within(future) is Outcome.ACKNOWLEDGED


@pytest.mark.asyncio
async def test_messages_keep_their_order_and_a_slow_terminal_holds_up_no_other(
    rig: Rig, terminal: Make
) -> None:
    slow, quick = terminal(rig, "till-1"), terminal(rig, "till-2")
    await slow.connect()
    await quick.connect()
    rig.hub.held.add("till-1")
    for number in range(5):
        slow.tell("req", b"%d" % number)
    assert (await within(rig.hub.began.get())).payload == b"0"
    quick.tell("req", b"other")
    assert (await rig.hub.next()).tid == "till-2"
    rig.hub.gate.set()
    assert [(await rig.hub.next()).payload for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.asyncio
async def test_what_the_hub_did_not_finish_is_offered_again_after_its_restart(
    rig: Rig, terminal: Make
) -> None:
    till = terminal(rig, expiry_s=60)
    await till.connect()
    rig.hub.held.add("till-1")
    till.tell("req", b"signed")
    await within(rig.hub.began.get())
    await rig.link.stop()
    assert rig.hub.inbox.empty()
    rig.hub.held.clear()
    await rig.start(rig.hub.on_publish)
    again = await rig.hub.next()
    assert (again.payload, again.is_duplicate) == (b"signed", True)


@pytest.mark.asyncio
async def test_a_will_becomes_the_retained_state_and_ends_the_presence(
    rig: Rig, terminal: Make
) -> None:
    till = terminal(rig, will=b"off")
    await till.connect()
    await till.listen("res")
    till.tell("state", b"on", retain=True)
    assert (await rig.hub.next("state")).payload == b"on"
    assert rig.link.connected() == {"till-1"}
    assert rig.link.last_state("till-1") == b"on"
    await till.break_line()
    assert (await rig.hub.next("state")).payload == b"off"
    assert rig.link.connected() == frozenset()
    assert rig.link.last_state("till-1") == b"off"
    assert rig.presence == [("till-1", True), ("till-1", False)]


@pytest.mark.asyncio
async def test_retained_configuration_and_hub_state_wait_for_a_subscriber(
    rig: Rig, terminal: Make
) -> None:
    await within(rig.link.publish("till-1", "cfg", b"v7", retain=True))
    rig.link.publish_hub_state(b"up")
    till = terminal(rig)
    await till.connect()
    await till.subscribe(till.topic("cfg"), f"tw1/{STORE}/hub/state")
    got = [await within(till.messages.get()) for _ in range(2)]
    assert {(one.topic, one.payload, one.retain) for one in got} == {
        (till.topic("cfg"), b"v7", True),
        (f"tw1/{STORE}/hub/state", b"up", True),
    }


@pytest.mark.asyncio
async def test_a_second_connection_of_the_same_terminal_takes_over(
    rig: Rig, terminal: Make
) -> None:
    first, second = terminal(rig, expiry_s=60), terminal(rig, expiry_s=60)
    await first.connect()
    await first.listen("res")
    assert await second.connect() == (0, True)
    # Mosquitto says so, too, but may close before paho has read it.
    goodbye = await within(first.goodbyes.get())
    assert goodbye == TAKEN_OVER or not rig.is_own_server
    await first.leave()


@pytest.mark.asyncio
async def test_what_was_sent_while_a_terminal_was_away_waits_for_it(
    rig: Rig, terminal: Make
) -> None:
    till = terminal(rig, expiry_s=60)
    await till.connect()
    await till.listen("res")
    await till.break_line()
    for number in range(3):
        rig.link.publish("till-1", "res", b"%d" % number)
    back = terminal(rig, expiry_s=60)
    assert await back.connect() == (0, True)
    got = [(await within(back.messages.get())).payload for _ in range(3)]
    assert got == [b"0", b"1", b"2"]


@pytest.mark.asyncio
async def test_an_answer_that_was_not_acknowledged_comes_again_with_dup(
    rig: Rig, terminal: Make
) -> None:
    till = terminal(rig, expiry_s=60, manual_ack=True)
    await till.connect()
    await till.listen("res")
    future = rig.link.publish("till-1", "res", b"answer")
    first = await within(till.messages.get())
    assert not first.dup
    await till.break_line()
    back = terminal(rig, expiry_s=60)
    assert await back.connect() == (0, True)
    again = await within(back.messages.get())
    assert (again.payload, again.dup, again.mid) == (b"answer", True, first.mid)
    assert await within(future) is Outcome.ACKNOWLEDGED


@pytest.mark.asyncio
async def test_what_expired_while_a_terminal_was_away_never_comes(rig: Rig, terminal: Make) -> None:
    till = terminal(rig, expiry_s=60)
    await till.connect()
    await till.listen("res")
    await till.break_line()
    rig.link.publish("till-1", "res", b"stale", expiry_s=1)
    rig.link.publish("till-1", "res", b"fresh", expiry_s=60)
    await asyncio.sleep(2.1)  # Mosquitto counts whole seconds
    again = terminal(rig, expiry_s=60)
    assert await again.connect() == (0, True)
    message = await within(again.messages.get())
    assert message.payload == b"fresh"
    told: Any = message.properties
    assert 0 < told.MessageExpiryInterval < 60


@pytest.mark.asyncio
async def test_no_more_is_on_its_way_than_the_terminal_takes_at_once(
    rig: Rig, terminal: Make
) -> None:
    till = terminal(rig, receive_max=2, manual_ack=True)
    await till.connect()
    await till.listen("res")
    for number in range(5):
        rig.link.publish("till-1", "res", b"%d" % number)
    held = [await within(till.messages.get()) for _ in range(2)]
    await asyncio.sleep(0.2)
    assert till.messages.empty()
    for number in range(2, 5):
        till.client.ack(held.pop(0).mid, 1)
        held.append(await within(till.messages.get()))
        assert held[-1].payload == b"%d" % number


@pytest.mark.asyncio
async def test_a_terminal_cannot_speak_on_another_s_branch(rig: Rig, terminal: Make) -> None:
    till = terminal(rig)
    await till.connect()
    till.publish(f"tw1/{STORE}/t/till-2/req", b"forged")
    assert await till.answered() == NOT_AUTHORIZED
    till.publish(f"tw1/{STORE}/hub/state", b"forged", retain=True)
    assert await till.answered() == NOT_AUTHORIZED
    till.tell("req", b"own")
    assert (await rig.hub.next()).payload == b"own"
    assert rig.hub.inbox.empty()


@pytest.mark.asyncio
async def test_a_terminal_cannot_listen_on_another_s_branch(rig: Rig, terminal: Make) -> None:
    till, other = terminal(rig, "till-1"), terminal(rig, "till-2")
    await till.connect()
    await other.connect()
    await other.listen("res")
    codes = await till.subscribe(
        f"tw1/{STORE}/t/till-2/res", f"tw1/{STORE}/t/+/res", "#", till.topic("res")
    )
    # Mosquitto grants what it will not deliver; our own server says no.
    assert not rig.is_own_server or codes == [NOT_AUTHORIZED] * 3 + [1]
    await within(rig.link.publish("till-2", "res", b"secret"))
    assert (await within(other.messages.get())).payload == b"secret"
    rig.link.publish("till-1", "res", b"own")
    # Mosquitto may deliver once for each filter that matches.
    assert (await within(till.messages.get())).payload == b"own"
    while not till.messages.empty():
        assert till.messages.get_nowait().payload == b"own"


@pytest.mark.asyncio
async def test_a_reply_address_of_another_terminal_never_reaches_the_hub(
    rig: Rig, terminal: Make
) -> None:
    till = terminal(rig)
    await till.connect()
    till.tell("req", b"bad", ResponseTopic=f"tw1/{STORE}/t/till-2/res")
    code = await till.answered()
    assert not rig.is_own_server or code == NOT_AUTHORIZED
    till.tell("req", b"good", ResponseTopic=till.topic("res"))
    assert (await rig.hub.next()).payload == b"good"


@pytest.mark.asyncio
async def test_a_client_that_claims_another_s_id_does_not_become_it(
    rig: Rig, terminal: Make
) -> None:
    liar = terminal(rig, "till-2", client_id="till-2", context=rig.authority.client("till-1"))
    code, _ = await liar.connect()
    if rig.is_own_server:
        assert code == 0x85
    else:
        liar.tell("req", b"forged")
        assert await liar.answered() == NOT_AUTHORIZED
    assert rig.hub.inbox.empty()


@pytest.mark.asyncio
async def test_nobody_connects_without_a_certificate_of_our_authority(
    rig: Rig, terminal: Make, authority: Authority, stranger: Authority
) -> None:
    for context in (authority.client(None), stranger.client("till-1", trusted=authority)):
        till = terminal(rig, context=context)
        # In TLS 1.3 the client believes in its handshake until it reads the server's alert.
        with suppress(ssl.SSLError, ConnectionError):
            await till.begin()
            await within(till.goodbyes.get())
        assert till.connects.empty()
        await till.leave()
    assert rig.link.connected() == frozenset()


@pytest.mark.asyncio
async def test_a_revoked_terminal_is_not_heard_any_more(rig: Rig, terminal: Make) -> None:
    till, other = terminal(rig, "till-1"), terminal(rig, "till-2")
    await till.connect()
    await till.listen("res")
    await other.connect()
    till.tell("state", b"on", retain=True)
    await rig.hub.next("state")
    rig.revoked.add("till-1")
    await rig.link.disconnect("till-1")
    assert rig.link.connected() <= {"till-2"}
    assert await within(rig.link.publish("till-1", "res", b"x")) is Outcome.NOT_SUBSCRIBED
    if rig.is_own_server:
        assert await within(till.goodbyes.get()) == 0x98
        assert (await within(till.connects.get()))[0] == NOT_AUTHORIZED
        await till.leave()
    else:
        till.tell("req", b"late")
        await till.answered()
    other.tell("req", b"fine")
    assert (await rig.hub.next()).tid == "till-2"
    assert rig.hub.inbox.empty()


@pytest.mark.asyncio
async def test_a_busy_hub_gets_the_message_again_and_in_order(rig: Rig, terminal: Make) -> None:
    till = terminal(rig)
    await till.connect()
    rig.hub.failures = [OperatingError("busy")]
    till.tell("req", b"first")
    code = await till.answered()
    if rig.is_own_server:
        assert code == 0x97
        till.tell("req", b"first")
    till.tell("req", b"second")
    assert [(await rig.hub.next()).payload for _ in range(2)] == [b"first", b"second"]


@pytest.mark.asyncio
async def test_a_message_refused_for_good_does_not_come_again(rig: Rig, terminal: Make) -> None:
    till = terminal(rig)
    await till.connect()
    rig.hub.failures = [CallerError("signature_invalid")]
    till.tell("req", b"forged")
    code = await till.answered()
    assert not rig.is_own_server or code == NOT_AUTHORIZED
    till.tell("req", b"good")
    assert (await rig.hub.next()).payload == b"good"
    assert [one.payload for one in (rig.hub.began.get_nowait(), rig.hub.began.get_nowait())] == [
        b"forged",
        b"good",
    ]


@pytest.mark.asyncio
async def test_an_oversized_message_ends_the_line_and_never_reaches_the_hub(
    rig: Rig, terminal: Make
) -> None:
    till = terminal(rig)
    await till.connect()
    await till.listen("res")
    # paho does not look at the server's maximum; the server must.
    till.tell("evt", b"x" * 30_000)
    assert await within(till.goodbyes.get()) in {0x95, 0x80}
    await till.leave()
    other = terminal(rig, "till-2")
    await other.connect()
    other.tell("req", b"fine")
    assert (await rig.hub.next()).payload == b"fine"
    assert rig.hub.inbox.empty()


@pytest.mark.asyncio
async def test_presence_is_seen_by_the_hub(rig: Rig, terminal: Make) -> None:
    till = terminal(rig)
    await till.connect()
    await till.listen("res")
    till.tell("state", b"on", retain=True)
    await until(lambda: ("till-1", True) in rig.presence)
    assert rig.link.connected() == {"till-1"}
