"""The pure MQTT server: who may connect, and what a terminal may say."""

import mqtt5
import pytest
from mqtt5 import ConnAckReasonCode, DisconnectReasonCode, QoS

from hub import limits
from hub.mqtt.actions import Send
from hub.mqtt.connection import ACCEPTED, verdict_for
from hub.mqtt.states import TRANSITIONS, Event, State, Step
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
    request,
    said_goodbye,
)

# --- the table


def test_the_table_has_every_state_and_event() -> None:
    assert set(TRANSITIONS) == {(state, event) for state in State for event in Event}


def test_nothing_leads_out_of_closed() -> None:
    assert {TRANSITIONS[State.CLOSED, event].after for event in Event} == {State.CLOSED}


SAMPLES: dict[Event, mqtt5.Packet] = {
    Event.CONNECT: mqtt5.ConnectPacket(TID),
    Event.PUBLISH: request(),
    Event.PUBACK: mqtt5.PubAckPacket(1),
    Event.SUBSCRIBE: mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(RES)]),
    Event.UNSUBSCRIBE: mqtt5.UnsubscribePacket(1, [RES]),
    Event.PINGREQ: mqtt5.PingReqPacket(),
    Event.DISCONNECT: mqtt5.DisconnectPacket(),
    Event.EXACTLY_ONCE: mqtt5.PubRelPacket(1),
    Event.SERVER_PACKET: mqtt5.PingRespPacket(),
    Event.AUTH: mqtt5.AuthPacket(authentication_method="x"),
}


@pytest.mark.parametrize("event", SAMPLES, ids=lambda one: one.name)
@pytest.mark.parametrize("state", [State.AWAITING_CONNECT, State.CONNECTED], ids=lambda s: s.name)
def test_every_packet_in_every_state_does_what_the_table_says(state: State, event: Event) -> None:
    bench = Bench()
    line = bench.join() if state is State.CONNECTED else bench.line()
    actions = bench.say(line, SAMPLES[event])
    edge = TRANSITIONS[state, event]
    assert bool(closed(actions)) == (edge.after is State.CLOSED)
    if edge.step is Step.REFUSE:
        assert said_goodbye(actions) == edge.reason
    elif edge.step is Step.CLOSE:
        assert heard(actions) == []
    if edge.after is State.CLOSED:
        assert bench.say(line, mqtt5.PingReqPacket()) == []


# --- connecting


@pytest.mark.parametrize(
    ("identity", "packet", "reason"),
    [
        (None, mqtt5.ConnectPacket(TID), ConnAckReasonCode.NOT_AUTHORIZED),
        ("till-2", mqtt5.ConnectPacket(TID), ConnAckReasonCode.CLIENT_ID_NOT_VALID),
        (TID, mqtt5.ConnectPacket(""), ConnAckReasonCode.CLIENT_ID_NOT_VALID),
        ("gone", mqtt5.ConnectPacket("gone"), ConnAckReasonCode.NOT_AUTHORIZED),
        (
            TID,
            mqtt5.ConnectPacket(TID, authentication_method="SCRAM"),
            ConnAckReasonCode.BAD_AUTHENTICATION_METHOD,
        ),
        (
            TID,
            mqtt5.ConnectPacket(TID, will=mqtt5.Will("tw1/s1/t/till-2/state")),
            ConnAckReasonCode.NOT_AUTHORIZED,
        ),
        (
            TID,
            mqtt5.ConnectPacket(TID, will=mqtt5.Will(REQ, retain=True)),
            ConnAckReasonCode.NOT_AUTHORIZED,
        ),
        (
            TID,
            mqtt5.ConnectPacket(TID, will=mqtt5.Will(REQ, payload=b"signed payment.create")),
            ConnAckReasonCode.NOT_AUTHORIZED,
        ),
        (
            TID,
            mqtt5.ConnectPacket(TID, will=mqtt5.Will(STATE, qos=QoS.EXACTLY_ONCE)),
            ConnAckReasonCode.QUALITY_NOT_SUPPORTED,
        ),
    ],
)
def test_a_connect_that_is_not_allowed_is_refused_with_its_reason(
    identity: str | None, packet: mqtt5.ConnectPacket, reason: ConnAckReasonCode
) -> None:
    bench = Bench(revoked={"gone"})
    actions = bench.say(bench.line(identity), packet)
    answer = heard(actions)[0]
    assert isinstance(answer, mqtt5.ConnAckPacket)
    assert answer.reason_code == reason
    assert closed(actions)
    assert bench.core.connected() == frozenset()


def test_an_old_client_gets_the_answer_it_can_read() -> None:
    connect_311 = bytes.fromhex("100d00044d5154540402003c000141")
    connect_31 = bytes.fromhex("100f00064d51497364700302003c000141")
    for packet in (connect_311, connect_31):
        bench = Bench()
        actions = bench.say(bench.line(), packet)
        assert [one.data for one in actions if isinstance(one, Send)] == [b"\x20\x02\x00\x01"]
        assert closed(actions)


def test_a_future_client_is_told_that_its_version_is_unknown() -> None:
    bench = Bench()
    actions = bench.say(bench.line(), bytes.fromhex("100e00044d5154540602003c00000141"))
    answer = heard(actions)[0]
    assert isinstance(answer, mqtt5.ConnAckPacket)
    assert answer.reason_code == ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION


def test_the_connack_says_what_this_server_does_not_do() -> None:
    bench = Bench()
    packet = mqtt5.ConnectPacket(TID, keep_alive=0, session_expiry_interval=0xFFFFFFFF)
    answer = heard(bench.say(bench.line(), packet))[0]
    assert isinstance(answer, mqtt5.ConnAckPacket)
    assert answer.max_qos == QoS.AT_LEAST_ONCE
    assert answer.receive_max == limits.MQTT_RECEIVE_MAX
    assert answer.max_packet_size == limits.MQTT_PACKET_BYTES_MAX
    assert answer.topic_alias_max == 0
    assert not answer.shared_subscription_available
    assert not answer.subscription_id_available
    assert answer.server_keep_alive == limits.MQTT_KEEP_ALIVE_S_MAX
    assert answer.session_expiry_interval == limits.MQTT_SESSION_EXPIRY_S_MAX


def test_a_line_without_connect_is_closed_after_its_time() -> None:
    bench = Bench()
    line = bench.line()
    assert bench.wait(limits.MQTT_CONNECT_TIMEOUT_MS - 1) == []
    assert closed(bench.wait(1)) == [line]


def test_a_terminal_that_falls_silent_is_let_go_after_one_and_a_half_keep_alives() -> None:
    bench = Bench()
    line = bench.join(keep_alive=10)
    bench.now_ms += 9_000
    assert isinstance(heard(bench.say(line, mqtt5.PingReqPacket()))[0], mqtt5.PingRespPacket)
    assert bench.wait(14_999) == []
    assert said_goodbye(bench.wait(1)) == DisconnectReasonCode.KEEP_ALIVE_TIMEOUT


def test_half_a_packet_again_and_again_does_not_count_as_being_alive() -> None:
    bench = Bench()
    line = bench.join(keep_alive=10)
    for byte in request().write()[:5]:
        bench.now_ms += 2_999
        bench.say(line, bytes([byte]))
    assert said_goodbye(bench.wait(5)) == DisconnectReasonCode.KEEP_ALIVE_TIMEOUT


# --- what a terminal says


def test_a_request_is_delivered_and_acknowledged_only_when_the_hub_says_so() -> None:
    bench = Bench()
    line = bench.join()
    actions = bench.say(line, request(response_topic=RES, correlation_data=b"c1"))
    (delivery,) = delivered(actions)
    assert heard(actions) == []
    assert delivery.message.tid == TID
    assert delivery.message.kind == "req"
    assert delivery.message.payload == b"signed"
    assert delivery.message.correlation == b"c1"
    answer = heard(bench.core.acknowledge(line, 7, ACCEPTED))
    assert answer == [mqtt5.PubAckPacket(7)]


def test_acknowledgements_keep_the_order_of_the_publishes() -> None:
    bench = Bench()
    line = bench.join()
    foreign = request(2, topic="tw1/s1/t/till-2/req")
    assert heard(bench.say(line, request(1), foreign, request(3))) == []
    assert heard(bench.core.acknowledge(line, 3, ACCEPTED)) == []
    answer = heard(bench.core.acknowledge(line, 1, ACCEPTED))
    assert [one.packet_id for one in answer if isinstance(one, mqtt5.PubAckPacket)] == [1, 2, 3]
    assert isinstance(answer[1], mqtt5.PubAckPacket)
    assert answer[1].reason_code == mqtt5.PubAckReasonCode.NOT_AUTHORIZED


@pytest.mark.parametrize(
    "packet",
    [
        request(topic="tw1/s1/t/till-2/req"),
        request(topic="tw1/s2/t/till-1/req"),
        request(topic=RES),
        request(topic=CFG),
        request(topic=HUB),
        request(topic="$SYS/broker"),
        request(topic=REQ + "/more"),
        request(retain=True),
        request(response_topic="tw1/s1/t/till-2/res"),
        request(response_topic=REQ),
    ],
)
def test_what_a_terminal_may_not_say_is_refused_and_never_delivered(
    packet: mqtt5.PublishPacket,
) -> None:
    bench = Bench()
    actions = bench.say(bench.join(), packet)
    assert delivered(actions) == []
    answer = heard(actions)[0]
    assert isinstance(answer, mqtt5.PubAckPacket)
    assert answer.reason_code == mqtt5.PubAckReasonCode.NOT_AUTHORIZED
    assert sum(n for (name, _), n in bench.core.tally.items() if name == "publish_refused") == 1


def test_an_unacknowledged_kind_is_taken_and_a_forbidden_one_dropped_in_silence() -> None:
    bench = Bench()
    line = bench.join()
    tele = f"tw1/{STORE}/t/{TID}/tele"
    actions = bench.say(line, request(None, topic=tele), request(None, topic=CFG))
    assert [one.message.kind for one in delivered(actions)] == ["tele"]
    assert [one.packet_id for one in delivered(actions)] == [None]
    assert heard(actions) == []


def test_the_hub_s_refusal_reaches_the_terminal_as_a_reason() -> None:
    cases = {
        OperatingError("busy"): mqtt5.PubAckReasonCode.QUOTA_EXCEEDED,
        CallerError("signature_invalid"): mqtt5.PubAckReasonCode.NOT_AUTHORIZED,
        CallerError("envelope_malformed"): mqtt5.PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
        OperatingError("internal"): mqtt5.PubAckReasonCode.IMPLEMENTATION_SPECIFIC_ERROR,
    }
    for error, reason in cases.items():
        bench = Bench()
        line = bench.join()
        bench.say(line, request())
        (answer,) = heard(bench.core.acknowledge(line, 7, verdict_for(error)))
        assert answer == mqtt5.PubAckPacket(7, reason_code=reason, reason_str=error.code)


def test_a_terminal_that_wants_no_problem_information_gets_none() -> None:
    bench = Bench()
    line = bench.join(request_problem_info=False)
    bench.say(line, request())
    (answer,) = heard(bench.core.acknowledge(line, 7, verdict_for(OperatingError("busy"))))
    assert isinstance(answer, mqtt5.PubAckPacket)
    assert answer.reason_str is None


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (request(qos=QoS.EXACTLY_ONCE), DisconnectReasonCode.QOS_NOT_SUPPORTED),
        (request(topic_alias=1), DisconnectReasonCode.TOPIC_ALIAS_INVALID),
        (
            mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(RES)], subscription_id=3),
            DisconnectReasonCode.SUBSCRIPTION_IDS_NOT_SUPPORTED,
        ),
        (b"\x82\x03\x00\x01\x00", DisconnectReasonCode.PROTOCOL_ERROR),
        (b"\x32\x08\x00\x01a\x00\x00\x00ab", DisconnectReasonCode.PROTOCOL_ERROR),
        (b"\x30\x04\x00\x01\xff\x00", DisconnectReasonCode.MALFORMED_PACKET),
        (b"\x30\x04\x00\x01#\x00", DisconnectReasonCode.MALFORMED_PACKET),
        (b"\x38\x04\x00\x01a\x00", DisconnectReasonCode.MALFORMED_PACKET),
        (b"\x36\x04\x00\x01a\x00", DisconnectReasonCode.MALFORMED_PACKET),
        (b"\x00\x00", DisconnectReasonCode.MALFORMED_PACKET),
        (b"\xc0\xff\xff\xff\xff\x01", DisconnectReasonCode.MALFORMED_PACKET),
        (b"\x30\xff\xff\xff\x7f", DisconnectReasonCode.PACKET_TOO_LARGE),
        (mqtt5.DisconnectPacket(session_expiry_interval=9), DisconnectReasonCode.PROTOCOL_ERROR),
    ],
)
def test_a_broken_packet_ends_the_connection_with_its_reason_and_is_counted(
    packet: mqtt5.Packet | bytes, reason: DisconnectReasonCode
) -> None:
    bench = Bench()
    assert said_goodbye(bench.say(bench.join(), packet)) == reason
    assert bench.core.tally["malformed", reason.name.lower()] == 1


def test_more_unanswered_requests_than_agreed_end_the_connection() -> None:
    bench = Bench()
    line = bench.join()
    many = [request(number) for number in range(1, limits.MQTT_RECEIVE_MAX + 2)]
    actions = bench.say(line, *many)
    assert len(delivered(actions)) == limits.MQTT_RECEIVE_MAX
    assert said_goodbye(actions) == DisconnectReasonCode.RECEIVE_MAX_EXCEEDED


def test_a_packet_id_that_is_in_use_is_not_used_again() -> None:
    bench = Bench()
    line = bench.join()
    bench.say(line, request(1))
    assert said_goodbye(bench.say(line, request(1))) == DisconnectReasonCode.PROTOCOL_ERROR
