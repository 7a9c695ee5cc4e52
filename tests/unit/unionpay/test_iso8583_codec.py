"""The fields of UnionPay's POS flavour: packing, and what is refused whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels.iso8583.codec import FIELDS, Message, decode, encode
from protocol.errors import CallerError
from tests.support.iso8583_messages import every_message

# A download of parameters that a developer published with its MAC and its key
# (blog.csdn.net/zfr_xuexiao66/article/details/94665452).
PUBLISHED = bytes.fromhex(
    "08300000000002C000153030363730303436343238393733373031373933323330303200110000000137200277"
    "319F0605A0000003339F220103DF050832303234313233319F0605A0000003339F220104DF0508323032343132"
    "33319F0605A0000003339F220102DF050832303231313233319F0605A0000000039F220107DF05083230313731"
    "3233319F0605A0000000039F220108DF050832303233313233319F0605A0000000039F220109DF050832303233"
    "313233319F0605A0000000659F220110DF050832303232313233319F0605A0000000659F220112DF0508323032"
    "32313233319F0605A0000000659F220114DF050832303232313233319F0605A0000000049F220104DF05083230"
    "3137313233319F0605A0000000049F220105DF050832303231313233319F0605A0000000049F220106DF050832"
    "303231313233313546453035384442"
)


@pytest.mark.parametrize("name", sorted(every_message()))
def test_every_message_survives_its_bytes(name: str) -> None:
    message = every_message()[name]
    assert decode(encode(message)) == message


def test_a_published_packet_is_read_and_written_byte_for_byte() -> None:
    message = decode(PUBLISHED)
    assert message.mti == "0830"
    assert message.fields[41] == "67004642"
    assert message.fields[60] == "00000001372"
    assert message.fields[39] == "00"
    assert bytes.fromhex(message.fields[64]) == b"5FE058DB"
    assert encode(message) == PUBLISHED


def test_odd_digits_are_filled_on_the_right_and_field_23_on_the_left() -> None:
    written = encode(Message("0200", {22: "012", 23: "001", 60: "22000001003"}))
    assert written[10:].hex() == "0120" + "0001" + "0011" + "220000010030"


def test_a_length_counts_digits_and_track_2_has_its_separator() -> None:
    written = encode(Message("0200", {35: "6212D2512"}))
    assert written[10:].hex().upper() == "09" + "6212D25120"
    assert decode(written).fields[35] == "6212D2512"


def _sound() -> bytes:
    return encode(every_message()["sale"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_sound()[:-1], "field 63"),
        (_sound()[:30], "field"),
        (_sound() + b"\x00", "field"),
        (_sound()[:1], "field t"),
        (b"", "field t"),
        (_sound()[:2] + b"\xff" * 8 + _sound()[10:], "field"),
        (b"\x0a\xbc" + _sound()[2:], "field t: not a message type"),
        (encode(Message("0200", {3: "000000"}))[:-1] + b"\x0f", "field 3: not digits"),
        (encode(Message("0200", {41: "10000001"}))[:-1] + b"\xe9", "field 41"),
        (encode(Message("0200", {41: "10000001"}))[:-1] + b"\x07", "field 41"),
        (encode(Message("0200", {22: "012"}))[:-1] + b"\x21", "field 22"),
        (encode(Message("0200", {60: "22000001"}))[:10] + b"\x01\x00", "field 60"),
        (encode(Message("0200", {60: "22000001"}))[:10] + b"\x00\x0a", "field 60"),
        (encode(Message("0200", {60: "22000001"}))[:10] + b"\x00\x00", "field 60: empty"),
    ],
)
def test_a_malformed_message_is_refused_whole_with_field_and_reason(
    data: bytes, reason: str
) -> None:
    with pytest.raises(CallerError, match=reason) as refused:
        decode(data)
    assert refused.value.code == "frame_rejected"


@pytest.mark.parametrize(
    "message",
    [
        Message("0200", {4: "12345678901"}),
        Message("0200", {4: "1234567890123"}),
        Message("0200", {3: "00000A"}),
        Message("0200", {37: "数字十二个字符的参考号码哦"}),
        Message("0200", {7: "0000000000"}),
        Message("0200", {64: "ZZ"}),
        Message("0200", {62: "abcd"}),
        Message("020", {}),
    ],
)
def test_a_value_that_its_field_cannot_hold_is_not_written(message: Message) -> None:
    with pytest.raises(CallerError, match="frame_rejected"):
        encode(message)


@given(st.binary(max_size=300))
def test_random_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        message = decode(data)
    except CallerError as error:
        assert error.code == "frame_rejected"
        return
    assert set(message.fields) <= FIELDS


@given(st.data())
def test_one_changed_byte_is_refused_or_another_message(data: st.DataObject) -> None:
    sound = bytearray(_sound())
    at = data.draw(st.integers(0, len(sound) - 1))
    sound[at] = data.draw(st.integers(0, 255))
    try:
        message = decode(bytes(sound))
    except CallerError:
        return
    assert encode(message) == bytes(sound)
