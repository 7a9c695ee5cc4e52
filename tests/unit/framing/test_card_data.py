"""Goal: card objects, commands and NDEF messages come out as they went in; damage is an error.

Method: our encoder against ndeflib's, and lengths that lie.
"""

import ndef as third_party
import pytest

from protocol.framing import apdu, ber_tlv, ndef
from protocol.framing.apdu import Apdu

NESTED = ber_tlv.encode(0x6F, ber_tlv.encode(0xA5, ber_tlv.encode(0x9F38, b"\x9f\x66\x04")))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 5000])
def test_objects_come_out_as_they_went_in(size: int) -> None:
    assert ber_tlv.objects(ber_tlv.encode(0x9F26, bytes(size))) == [(0x9F26, bytes(size))]


def test_an_object_is_found_inside_others() -> None:
    assert ber_tlv.find(NESTED, 0x9F38) == b"\x9f\x66\x04"
    assert ber_tlv.find(NESTED, 0x57) is None


@pytest.mark.parametrize("data", ["57", "5705AA", "5783000001AA", "5782AA", "9F", "9F8101", "5780"])
def test_lengths_that_lie_are_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ber_tlv.objects(bytes.fromhex(data))


def test_objects_nested_without_end_are_refused() -> None:
    deep = b""
    for _ in range(9):
        deep = ber_tlv.encode(0x70, deep)
    with pytest.raises(ValueError, match="deep"):
        list(ber_tlv.walk(deep))


@pytest.mark.parametrize(
    "command",
    [
        Apdu(0, 0xA4, 4, 0), Apdu(0, 0xB2, 1, 12, expected=256), Apdu(0, 0xD6, 0, 0, b"x"),
        Apdu(0x80, 0xA8, 0, 0, b"\x83\x00", 256), Apdu(0, 0xB0, 0, 0, bytes(255), 1),
    ],
)  # fmt: skip
def test_commands_come_out_as_they_went_in(command: Apdu) -> None:
    assert apdu.decode(apdu.encode(command)) == command


@pytest.mark.parametrize(
    "data", ["", "00A404", "00A40400 05 AABB", "00A40400 00 0001 AA", "00A40400 02AABB 00 00"]
)
def test_commands_whose_lengths_lie_are_none(data: str) -> None:
    assert apdu.decode(bytes.fromhex(data)) is None


def test_our_messages_are_read_by_ndeflib_and_its_by_us() -> None:
    ours = ndef.encode([ndef.uri_record("https://tillway.example/p"), ndef.text_record("付 1")])
    [address, words] = third_party.message_decoder(ours)
    assert (address.uri, words.text) == ("https://tillway.example/p", "付 1")
    theirs = b"".join(
        third_party.message_encoder([third_party.TextRecord("x" * 300, "zh", "UTF-16")])
    )
    assert ndef.first_text(theirs) == "x" * 300
    assert (
        ndef.first_text(b"".join(third_party.message_encoder([third_party.UriRecord("tel:+86")])))
        == "tel:+86"
    )


def test_a_text_comes_before_an_address_and_neither_is_none() -> None:
    address, other = ndef.uri_record("tel:1"), ndef.Record(4, b"example.org:x", b"?")
    assert ndef.first_text(ndef.encode([address, ndef.text_record("t")])) == "t"
    assert ndef.first_text(ndef.encode([other])) is None


@pytest.mark.parametrize("message", ["", "D1", "D101FF54", "51010154", "F101015402", "D90101"])
def test_damaged_messages_are_refused(message: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ndef.decode(bytes.fromhex(message))


def test_a_message_is_found_behind_what_the_tag_says_of_itself() -> None:
    message = ndef.encode([ndef.text_record("y" * 280)])
    memory = bytes.fromhex("00 0103A00C34") + ndef.in_tag(message)
    assert ndef.from_tag(memory) == message
    assert ndef.tag_bytes_needed(memory[:16]) == len(memory) - 1
    assert ndef.from_tag(memory[:-2]) is None
    assert ndef.from_tag(b"\xfe\x00") is None
    assert ndef.tag_bytes_needed(b"\x00\xfe") is None
