"""The pure MQTT server: what a terminal hears, now and when it comes back."""

import mqtt5
import pytest
from mqtt5 import ConnAckReasonCode, DisconnectReasonCode, QoS

from hub import limits
from hub.mqtt.actions import Presence
from hub.mqtt.connection import ACCEPTED
from hub.ports import Outcome
from protocol.errors import CallerError, OperatingError
from tests.unit.hub.mqtt_kit import (
    CFG,
    HUB,
    REQ,
    RES,
    STATE,
    STORE,
    TID,
    Bench,
    closed,
    delivered,
    heard,
    outcomes,
    request,
    said_goodbye,
)

# --- what a terminal hears


def test_filters_are_answered_one_by_one() -> None:
    bench = Bench()
    line = bench.join()
    own = f"tw1/{STORE}/t/{TID}"
    wanted = [RES, CFG, HUB, own + "/#", own + "/+", "#", "tw1/#", REQ, "tw1/s1/t/+/res"]
    (answer,) = bench.listen(line, *wanted, "$share/g/" + RES, "tw1/s1/t/till-2/res")
    assert isinstance(answer, mqtt5.SubAckPacket)
    codes = [code.name for code in answer.reason_codes]
    assert codes[:5] == ["GRANTED_QOS_AT_LEAST_ONCE"] * 5
    assert codes[5:9] == ["NOT_AUTHORIZED"] * 4
    assert codes[9:] == ["SHARED_SUBSCRIPTIONS_NOT_SUPPORTED", "NOT_AUTHORIZED"]


def test_overlapping_filters_deliver_once() -> None:
    bench = Bench()
    line = bench.join()
    bench.listen(line, RES, f"tw1/{STORE}/t/{TID}/#")
    assert len(heard(bench.tell(b"answer"))) == 1


def test_an_answer_is_settled_when_the_terminal_acknowledges() -> None:
    bench = Bench()
    line = bench.join()
    bench.listen(line)
    actions = bench.tell(b"answer", correlation=b"c1", expiry_s=60)
    (packet,) = heard(actions)
    assert isinstance(packet, mqtt5.PublishPacket)
    assert (packet.topic, packet.payload, packet.qos) == (RES, b"answer", QoS.AT_LEAST_ONCE)
    assert (packet.correlation_data, packet.message_expiry_interval) == (b"c1", 60)
    assert outcomes(actions) == []
    assert packet.packet_id is not None
    assert outcomes(bench.say(line, mqtt5.PubAckPacket(packet.packet_id))) == [
        (1, Outcome.ACKNOWLEDGED)
    ]


def test_without_a_listener_the_hub_is_told_at_once() -> None:
    bench = Bench()
    assert outcomes(bench.tell(b"a", 1)) == [(1, Outcome.NOT_SUBSCRIBED)]
    line = bench.join()
    assert outcomes(bench.tell(b"b", 2)) == [(2, Outcome.NOT_SUBSCRIBED)]
    bench.listen(line, qos=QoS.AT_MOST_ONCE)
    assert outcomes(bench.tell(b"c", 3)) == [(3, Outcome.SENT)]


def test_only_kinds_for_terminals_are_published() -> None:
    with pytest.raises(CallerError):
        Bench().tell(b"x", kind="req")


def test_no_more_than_the_receive_maximum_is_on_its_way() -> None:
    bench = Bench()
    line = bench.join(receive_max=2)
    bench.listen(line)
    sent = [heard(bench.tell(b"%d" % n, n)) for n in range(1, 5)]
    assert [len(one) for one in sent] == [1, 1, 0, 0]
    first = sent[0][0]
    assert isinstance(first, mqtt5.PublishPacket)
    assert first.packet_id is not None
    (third,) = heard(bench.say(line, mqtt5.PubAckPacket(first.packet_id)))
    assert isinstance(third, mqtt5.PublishPacket)
    assert third.payload == b"3"


def test_a_message_too_large_for_the_terminal_is_not_sent() -> None:
    bench = Bench()
    line = bench.join(max_packet_size=200)
    bench.listen(line)
    actions = bench.tell(b"x" * 300)
    assert heard(actions) == []
    assert outcomes(actions) == [(1, Outcome.TOO_LARGE)]


def test_a_full_queue_says_busy_and_forgets_nothing() -> None:
    bench = Bench()
    line = bench.join(session_expiry_interval=60)
    bench.listen(line)
    bench.core.lose(line, bench.now_ms)
    for number in range(limits.MQTT_QUEUE_MESSAGES_MAX):
        bench.tell(b"x", number + 1)
    with pytest.raises(OperatingError, match="busy"):
        bench.tell(b"x", 999)
    assert outcomes(bench.actions) == []


def test_the_queue_is_bounded_in_bytes_too() -> None:
    bench = Bench()
    line = bench.join(session_expiry_interval=60)
    bench.listen(line)
    bench.core.lose(line, bench.now_ms)
    half = b"x" * (limits.MQTT_QUEUE_BYTES_MAX // 2)
    bench.tell(half, 1)
    bench.tell(half, 2)
    with pytest.raises(OperatingError, match="busy"):
        bench.tell(b"x", 3)


# --- coming back


def test_unacknowledged_messages_come_again_with_dup_before_newer_ones() -> None:
    bench = Bench()
    line = bench.join(session_expiry_interval=60)
    bench.listen(line)
    bench.tell(b"one", 1)
    bench.tell(b"two", 2)
    bench.note(bench.core.lose(line, bench.now_ms))
    bench.tell(b"three", 3)
    back = bench.line()
    answers = heard(
        bench.say(back, mqtt5.ConnectPacket(TID, session_expiry_interval=60, receive_max=2))
    )
    assert isinstance(answers[0], mqtt5.ConnAckPacket)
    assert answers[0].session_present
    publishes = [one for one in answers if isinstance(one, mqtt5.PublishPacket)]
    assert [(one.payload, one.duplicate) for one in publishes] == [(b"one", True), (b"two", True)]
    assert publishes[0].packet_id is not None
    (third,) = heard(bench.say(back, mqtt5.PubAckPacket(publishes[0].packet_id)))
    assert isinstance(third, mqtt5.PublishPacket)
    assert (third.payload, third.duplicate) == (b"three", False)


def test_a_smaller_window_on_return_still_repeats_everything_in_order() -> None:
    bench = Bench()
    line = bench.join(session_expiry_interval=60)
    bench.listen(line)
    for number in (1, 2, 3):
        bench.tell(b"%d" % number, number)
    bench.core.lose(line, bench.now_ms)
    back = bench.line()
    answers = heard(
        bench.say(back, mqtt5.ConnectPacket(TID, session_expiry_interval=60, receive_max=1))
    )
    seen = []
    while isinstance(answers[-1], mqtt5.PublishPacket):
        seen.append((answers[-1].payload, answers[-1].duplicate))
        assert answers[-1].packet_id is not None
        answers = heard(bench.say(back, mqtt5.PubAckPacket(answers[-1].packet_id))) or [
            mqtt5.PingRespPacket()
        ]
    assert seen == [(b"1", True), (b"2", True), (b"3", True)]


def test_what_expired_while_the_terminal_was_away_is_not_delivered() -> None:
    bench = Bench()
    line = bench.join(session_expiry_interval=60)
    bench.listen(line)
    bench.core.lose(line, bench.now_ms)
    bench.tell(b"short", 1, expiry_s=5)
    bench.tell(b"long", 2, expiry_s=50)
    assert outcomes(bench.wait(5_000)) == [(1, Outcome.EXPIRED)]
    answers = heard(bench.say(bench.line(), mqtt5.ConnectPacket(TID, session_expiry_interval=60)))
    publishes = [one for one in answers if isinstance(one, mqtt5.PublishPacket)]
    assert [(one.payload, one.message_expiry_interval) for one in publishes] == [(b"long", 45)]


def test_a_session_ends_with_its_time_and_takes_its_queue_with_it() -> None:
    bench = Bench()
    line = bench.join(session_expiry_interval=10)
    bench.listen(line)
    bench.tell(b"one", 1)
    bench.core.lose(line, bench.now_ms)
    bench.tell(b"two", 2)
    assert outcomes(bench.wait(10_000)) == [(1, Outcome.SESSION_ENDED), (2, Outcome.SESSION_ENDED)]
    answer = heard(bench.say(bench.line(), mqtt5.ConnectPacket(TID)))[0]
    assert isinstance(answer, mqtt5.ConnAckPacket)
    assert not answer.session_present


def test_a_clean_start_forgets_the_session() -> None:
    bench = Bench()
    line = bench.join(session_expiry_interval=60)
    bench.listen(line)
    bench.core.lose(line, bench.now_ms)
    bench.tell(b"one", 1)
    actions = bench.say(bench.line(), mqtt5.ConnectPacket(TID, clean_start=True))
    assert outcomes(actions) == [(1, Outcome.SESSION_ENDED)]
    answer = heard(actions)[0]
    assert isinstance(answer, mqtt5.ConnAckPacket)
    assert not answer.session_present


def test_a_second_connection_takes_over_and_the_first_is_told() -> None:
    bench = Bench()
    first = bench.join(session_expiry_interval=60)
    bench.listen(first)
    second = bench.line()
    actions = bench.say(second, mqtt5.ConnectPacket(TID, session_expiry_interval=60))
    (goodbye,) = heard(actions, first)
    assert isinstance(goodbye, mqtt5.DisconnectPacket)
    assert goodbye.reason_code == DisconnectReasonCode.SESSION_TAKEN_OVER
    assert closed(actions) == [first]
    answer = heard(actions, second)[0]
    assert isinstance(answer, mqtt5.ConnAckPacket)
    assert answer.session_present
    assert bench.core.connected() == {TID}
    assert heard(bench.tell(b"x"), second)
    assert bench.core.acknowledge(first, 7, ACCEPTED) == []


# --- wills and retained messages

WILL = mqtt5.Will(STATE, payload=b"off", qos=QoS.AT_LEAST_ONCE, retain=True)


def test_a_lost_line_publishes_the_will_and_a_goodbye_does_not() -> None:
    bench = Bench()
    line = bench.join(will=WILL)
    bench.say(line, request(1, topic=STATE, payload=b"on", retain=True))
    assert bench.core.last_state(TID) == b"on"
    (delivery,) = delivered(bench.core.lose(line, bench.now_ms))
    assert (delivery.message.kind, delivery.message.payload) == ("state", b"off")
    assert delivery.packet_id is None
    assert bench.core.last_state(TID) == b"off"
    assert delivered(bench.say(bench.join(will=WILL), mqtt5.DisconnectPacket())) == []
    with_will = mqtt5.DisconnectPacket(
        reason_code=DisconnectReasonCode.DISCONNECT_WITH_WILL_MESSAGE
    )
    assert len(delivered(bench.say(bench.join(will=WILL), with_will))) == 1


def test_a_delayed_will_is_cancelled_by_coming_back_and_due_otherwise() -> None:
    will = mqtt5.Will(STATE, payload=b"off", will_delay_interval=5)
    bench = Bench()
    line = bench.join(will=will, session_expiry_interval=60)
    assert delivered(bench.core.lose(line, bench.now_ms)) == []
    line = bench.join(will=will, session_expiry_interval=60)
    assert delivered(bench.wait(6_000)) == []
    bench.core.lose(line, bench.now_ms)
    assert len(delivered(bench.wait(5_000))) == 1
    assert delivered(bench.wait(100_000)) == []


def test_a_will_does_not_wait_longer_than_the_session_lives() -> None:
    bench = Bench()
    line = bench.join(will=mqtt5.Will(STATE, payload=b"off", will_delay_interval=5))
    assert len(delivered(bench.core.lose(line, bench.now_ms))) == 1


def test_configuration_is_kept_for_whoever_subscribes_later() -> None:
    bench = Bench()
    bench.tell(b"v1", kind="cfg", retain=True)
    bench.note(bench.core.publish_hub_state(b"up", bench.now_ms))
    line = bench.join()
    answers = bench.listen(line, CFG, HUB)
    kept = [(one.payload, one.retain) for one in answers if isinstance(one, mqtt5.PublishPacket)]
    assert sorted(kept) == [(b"up", True), (b"v1", True)]
    (live,) = heard(bench.note(bench.core.publish_hub_state(b"down", bench.now_ms)))
    assert isinstance(live, mqtt5.PublishPacket)
    assert live.payload == b"down"


def test_an_empty_retained_message_removes_and_an_expired_one_is_gone() -> None:
    bench = Bench()
    bench.tell(b"v1", kind="cfg", retain=True)
    bench.tell(b"", kind="cfg", retain=True)
    line = bench.join()
    assert len(bench.listen(line, CFG)) == 1
    bench.tell(b"v2", kind="cfg", retain=True, expiry_s=3)
    bench.wait(3_000)
    assert len(bench.listen(bench.join(), CFG)) == 1


# --- the hub's word


def test_a_device_that_is_cut_off_is_told_and_nothing_waits_for_it() -> None:
    bench = Bench()
    line = bench.join(session_expiry_interval=60)
    bench.listen(line)
    bench.tell(b"one", 1)
    bench.revoked.add(TID)
    actions = bench.core.cut(TID, bench.now_ms)
    assert said_goodbye(actions) == DisconnectReasonCode.ADMINISTRATIVE_ACTION
    assert outcomes(actions) == [(1, Outcome.SESSION_ENDED)]
    assert Presence(TID, False) in actions
    answer = heard(bench.say(bench.line(), mqtt5.ConnectPacket(TID)))[0]
    assert isinstance(answer, mqtt5.ConnAckPacket)
    assert answer.reason_code == ConnAckReasonCode.NOT_AUTHORIZED


def test_a_device_that_was_cut_off_finds_nothing_kept_when_it_may_come_back() -> None:
    bench = Bench()
    bench.tell(b"v1", kind="cfg", retain=True)
    bench.core.cut(TID, bench.now_ms)
    assert len(bench.listen(bench.join(), CFG)) == 1


def test_presence_means_connected_and_listening_for_answers() -> None:
    bench = Bench()
    line = bench.join()
    bench.listen(line, CFG)
    assert not [one for one in bench.actions if isinstance(one, Presence)]
    bench.listen(line, RES)
    bench.say(line, mqtt5.UnsubscribePacket(3, [RES]))
    seen = [one.is_reachable for one in bench.actions if isinstance(one, Presence)]
    assert seen == [True, False]


def test_a_shutdown_tells_everybody_and_publishes_no_will() -> None:
    bench = Bench()
    bench.join(will=WILL)
    actions = bench.core.shut_down(bench.now_ms)
    assert said_goodbye(actions) == DisconnectReasonCode.SERVER_SHUTTING_DOWN
    assert delivered(actions) == []
