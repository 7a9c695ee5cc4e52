"""The pure MQTT server: bytes and times in, actions out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import mqtt5
import pytest
from mqtt5 import ConnAckReasonCode, DisconnectReasonCode, QoS

from hub import limits
from hub.mqtt.actions import Action, Close, Deliver, Presence, Send, Settled
from hub.mqtt.connection import ACCEPTED, verdict_for
from hub.mqtt.core import MqttCore
from hub.mqtt.states import TRANSITIONS, Event, State, Step
from hub.ports import Outcome
from protocol.errors import CallerError, OperatingError

STORE = "s1"
TID = "till-1"
REQ = f"tw1/{STORE}/t/{TID}/req"
RES = f"tw1/{STORE}/t/{TID}/res"
STATE = f"tw1/{STORE}/t/{TID}/state"
CFG = f"tw1/{STORE}/t/{TID}/cfg"
HUB = f"tw1/{STORE}/hub/state"


@dataclass
class Bench:
    """A server and the lines to it; each call returns what came out, and records it."""

    revoked: set[str] = field(default_factory=set)
    now_ms: int = 1_000_000
    actions: list[Action] = field(default_factory=list)
    last_line: int = 0

    def __post_init__(self) -> None:
        self.core = MqttCore(STORE, admits=lambda tid: tid not in self.revoked)

    def line(self, identity: str | None = TID) -> int:
        self.last_line += 1
        self.core.open(self.last_line, identity, self.now_ms)
        return self.last_line

    def say(self, line: int, *packets: mqtt5.Packet | bytes) -> list[Action]:
        data = b"".join(one if isinstance(one, bytes) else one.write() for one in packets)
        return self.note(self.core.receive(line, data, self.now_ms))

    def note(self, actions: Sequence[Action]) -> list[Action]:
        self.actions += actions
        return list(actions)

    def join(self, *, tid: str = TID, **options: object) -> int:
        line = self.line(tid)
        answer = heard(self.say(line, mqtt5.ConnectPacket(tid, **options)), line)  # type: ignore[arg-type]
        assert isinstance(answer[0], mqtt5.ConnAckPacket)
        assert answer[0].reason_code == ConnAckReasonCode.SUCCESS
        return line

    def listen(self, line: int, *patterns: str, qos: QoS = QoS.AT_LEAST_ONCE) -> list[mqtt5.Packet]:
        filters = [mqtt5.TopicFilter(one, max_qos=qos) for one in patterns or (RES,)]
        return heard(self.say(line, mqtt5.SubscribePacket(1, filters)))

    def tell(self, payload: bytes, token: int = 1, **options: object) -> list[Action]:
        kind = options.pop("kind", "res")
        return self.note(
            self.core.publish(
                TID,
                kind,
                payload,
                token=token,
                now_ms=self.now_ms,
                **options,  # type: ignore[arg-type]
            )
        )

    def wait(self, ms: int) -> list[Action]:
        self.now_ms += ms
        return self.note(self.core.tick(self.now_ms))


def heard(actions: Sequence[Action], line: int | None = None) -> list[mqtt5.Packet]:
    """The packets in what was sent."""
    data = b"".join(
        one.data
        for one in actions
        if isinstance(one, Send) and (line is None or one.connection_id == line)
    )
    packets = []
    while data:
        packet, size = mqtt5.read(memoryview(data))
        packets.append(packet)
        data = data[size:]
    return packets


def delivered(actions: Sequence[Action]) -> list[Deliver]:
    return [one for one in actions if isinstance(one, Deliver)]


def outcomes(actions: Sequence[Action]) -> list[tuple[int, Outcome]]:
    return [(one.token, one.outcome) for one in actions if isinstance(one, Settled)]


def closed(actions: Sequence[Action]) -> list[int]:
    return [one.connection_id for one in actions if isinstance(one, Close)]


def request(packet_id: int | None = 7, **options: object) -> mqtt5.PublishPacket:
    topic = str(options.pop("topic", REQ))
    payload = options.pop("payload", b"signed")
    qos = options.pop("qos", QoS.AT_LEAST_ONCE if packet_id else QoS.AT_MOST_ONCE)
    return mqtt5.PublishPacket(topic, payload, qos=qos, packet_id=packet_id, **options)  # type: ignore[arg-type]


def said_goodbye(actions: Sequence[Action]) -> DisconnectReasonCode:
    last = heard(actions)[-1]
    assert isinstance(last, mqtt5.DisconnectPacket)
    assert closed(actions)
    return last.reason_code


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
