"""Any bytes may come from a terminal, in any pieces."""

from itertools import pairwise

import mqtt5
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt5 import QoS

from hub import limits
from hub.mqtt.actions import Action
from hub.mqtt.core import MqttCore
from hub.mqtt.faults import WireError
from hub.mqtt.frames import FrameReader
from hub.mqtt.text import check_text
from hub.mqtt.wire import decode

BRANCH = "tw1/s1/t/till-1/"
HELLO = mqtt5.ConnectPacket(
    "till-1",
    username="ü",
    password=b"\xff",
    will=mqtt5.Will(BRANCH + "state", payload=b"\xff", response_topic=BRANCH + "res"),
    user_properties=[("a", "é")],
    session_expiry_interval=200,
).write()

packets = st.one_of(
    st.builds(
        lambda kind, payload, packet_id: mqtt5.PublishPacket(
            BRANCH + kind,
            payload,
            qos=QoS.AT_LEAST_ONCE,
            packet_id=packet_id,
            correlation_data=payload[:9],
            content_type="é",
            message_expiry_interval=300,
            user_properties=[("k", "v")],
        ).write(),
        st.sampled_from(["req", "evt", "state", "res"]),
        st.binary(max_size=40),
        st.integers(1, 5),
    ),
    st.builds(
        lambda kind, packet_id: mqtt5.SubscribePacket(
            packet_id, [mqtt5.TopicFilter(BRANCH + kind)]
        ).write(),
        st.sampled_from(["res", "req", "#"]),
        st.integers(1, 9),
    ),
    st.just(mqtt5.UnsubscribePacket(4, [BRANCH + "res"]).write()),
    st.just(mqtt5.PingReqPacket().write()),
    st.just(mqtt5.PubAckPacket(1, reason_str="é").write()),
    st.just(mqtt5.DisconnectPacket(reason_str="é").write()),
)
streams = st.lists(packets, max_size=6).map(lambda found: HELLO + b"".join(found))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A stream with a few bytes changed, removed or added."""
    stream = bytearray(draw(streams))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(stream) - 1))
        stream[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
        stream = stream or bytearray(b"\x00")
    return bytes(stream)


def server() -> MqttCore:
    core = MqttCore("s1", admits=lambda tid: tid != "gone")
    core.open(1, "till-1", 0)
    return core


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_crash_a_new_line(data: bytes) -> None:
    server().receive(1, data, 0)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_crash_a_connected_line(data: bytes) -> None:
    core = server()
    core.receive(1, HELLO, 0)
    core.receive(1, data, 0)


@settings(max_examples=400)
@given(damaged(), st.lists(st.integers(0, 400), max_size=8))
def test_how_the_stream_is_split_changes_nothing(data: bytes, cuts: list[int]) -> None:
    whole, split = server(), server()
    at_once = whole.receive(1, data, 0)
    in_pieces: list[Action] = []
    for piece in pieces(data, cuts):
        in_pieces += split.receive(1, piece, 0)
    assert in_pieces == at_once
    assert split.tally == whole.tally


@given(st.binary(min_size=1, max_size=200), st.integers(1, 15))
def test_a_packet_is_decoded_or_refused_and_nothing_else(body: bytes, kind: int) -> None:
    frame = bytes([kind << 4 | (2 if kind in (6, 8, 10) else 0)])
    length = len(body)
    frame += bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])
    for read in (decode, check_text):
        try:
            read(frame + body)
        except WireError as error:
            assert error.detail != "codec panic"


@settings(max_examples=400)
@given(packets, st.data())
def test_the_codec_never_sees_a_string_that_makes_it_panic(
    packet: bytes, data: st.DataObject
) -> None:
    damaged_packet = bytearray(packet)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(2, len(packet) - 1)) if len(packet) > 2 else 0
        damaged_packet[at] = data.draw(st.integers(0, 255))
    for frame in FrameReader(limits.MQTT_PACKET_BYTES_MAX).feed(bytes(damaged_packet)):
        try:
            decode(frame)
        except WireError as error:
            assert error.detail != "codec panic"


@given(packets)
def test_what_a_correct_client_sends_is_never_refused(packet: bytes) -> None:
    decode(packet)


@given(st.lists(st.binary(max_size=4096), max_size=30))
def test_a_reader_holds_less_than_one_packet(chunks: list[bytes]) -> None:
    reader = FrameReader(limits.MQTT_PACKET_BYTES_MAX)
    for chunk in chunks:
        for frame in reader.feed(chunk):
            assert len(frame) <= limits.MQTT_PACKET_BYTES_MAX
        assert reader.held_bytes < limits.MQTT_PACKET_BYTES_MAX


@given(st.integers(0, 60), st.integers(0, 40))
def test_a_terminal_cannot_make_the_server_hold_more_than_its_share(
    publishes: int, filters: int
) -> None:
    core = server()
    core.receive(1, HELLO, 0)
    for number in range(filters):
        name = mqtt5.TopicFilter(f"{BRANCH}{'res' if number % 2 else 'cmd'}")
        core.receive(1, mqtt5.SubscribePacket(1, [name]).write(), 0)
    delivered = 0
    for number in range(publishes):
        packet = mqtt5.PublishPacket(
            BRANCH + "req", b"x", qos=QoS.AT_LEAST_ONCE, packet_id=number + 1
        )
        delivered += sum(
            "Deliver" in type(one).__name__ for one in core.receive(1, packet.write(), 0)
        )
    assert delivered <= limits.MQTT_RECEIVE_MAX + 1
