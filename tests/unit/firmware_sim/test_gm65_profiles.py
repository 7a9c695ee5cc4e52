"""Goal: what the models of the family, and their registers, make of a code."""

import pytest

from firmware_sim.devices.gm65 import PROFILES, READ_MS, Gm65, Habits, Sighting
from firmware_sim.devices.gm65.profile import SYMBOLOGY_MANUAL_ORDER, letter_register
from protocol.framing import gm65

HEARTBEAT = bytes.fromhex("7E 00 0A 01 00 00 00 30 1A")
HEARTBEAT_ANSWER = bytes.fromhex("03 00 00 01 00 33 31")


def _said(
    writes: dict[int, bytes], text: str = "9", *, model: str = "gm65", symbology: str = "QRCode"
) -> bytes:
    scanner = Gm65(lambda _: Sighting(symbology, text), PROFILES[model])
    scanner.boot(0)
    for address, data in {0: b"\xd5", gm65.REG_OUTPUT: b"\x00", **writes}.items():
        assert scanner.feed(gm65.encode_command(gm65.write(address, data)), 0)
    scanner.present(b"-", 0)
    scanner.feed(gm65.encode_command(gm65.write(gm65.REG_TRIGGER, _trigger(writes))), 0)
    return b"".join(output.payload for output in scanner.poll(READ_MS))


def _trigger(writes: dict[int, bytes]) -> bytes:
    return bytes([writes.get(gm65.REG_TRIGGER, b"\x00")[0] | 1])


@pytest.mark.parametrize(
    ("tail", "said"), [(0x01, b"9\r"), (0x21, b"9\r\n"), (0x41, b"9\t"), (0x61, b"9"), (0x00, b"9")]
)
def test_the_tail_is_as_chosen(tail: int, said: bytes) -> None:
    assert _said({gm65.REG_TAIL: bytes([tail])}) == said


@pytest.mark.parametrize(
    ("part", "first", "last", "said"),
    [(0, 2, 2, b"123456"), (1, 2, 0, b"12"), (1, 255, 0, b"123456"), (2, 0, 2, b"56"),
     (2, 0, 0, b""), (3, 1, 2, b"234"), (3, 5, 5, b"")],
)  # fmt: skip
def test_a_part_of_the_code_is_cut_out(part: int, first: int, last: int, said: bytes) -> None:
    writes = {gm65.REG_TAIL: b"\x00", gm65.REG_CUT: bytes([part, first, last])}
    assert _said(writes, "123456") == said


def test_the_letters_are_the_manuals_and_can_be_changed() -> None:
    for symbology, letter in (("QRCode", b"Q"), ("EAN13", b"d"), ("PDF417", b"r")):
        assert _said({gm65.REG_TAIL: b"\x04"}, symbology=symbology) == letter + b"9"
    changed = {gm65.REG_TAIL: b"\x04", letter_register("QRCode"): b"Z"}
    assert _said(changed) == b"Z9"
    assert letter_register(SYMBOLOGY_MANUAL_ORDER[-1]) == 0xA4


def test_a_decode_prompt_stands_in_front() -> None:
    assert _said({gm65.REG_TRIGGER: b"\x40"}) == b"S9\r"


@pytest.mark.parametrize(
    ("writes", "said"),
    [({gm65.REG_TAIL: b"\x11", 0x81: b"\x02NO"}, b"NO"), ({gm65.REG_TRIGGER: b"\x41"}, b"F"),
     ({0x81: b"\x02NO"}, b"")],
)  # fmt: skip
def test_a_reading_that_fails_says_what_it_is_told_to(
    writes: dict[int, bytes], said: bytes
) -> None:
    scanner = Gm65(lambda _: None)
    for address, data in {0: b"\xd5", **writes}.items():
        scanner.feed(gm65.encode_command(gm65.write(address, data)), 0)
    trigger = gm65.write(gm65.REG_TRIGGER, _trigger(writes))
    scanner.feed(gm65.encode_command(trigger), 0)
    assert b"".join(output.payload for output in scanner.poll(5000)) == said


@pytest.mark.parametrize(
    ("model", "value", "encoding"),
    [("gm65", 0, "gbk"), ("gm65", 4, "utf-8"), ("gm65", 8, "big5"), ("gm60", 0x3C, "utf-8")],
)
def test_text_leaves_in_the_chosen_encoding(model: str, value: int, encoding: str) -> None:
    writes = {gm65.REG_OUTPUT: bytes([value]), gm65.REG_TAIL: b"\x00"}
    assert _said(writes, "收", model=model) == "收".encode(encoding)


def test_what_is_typed_over_usb_does_not_leave_the_port() -> None:
    assert _said({gm65.REG_OUTPUT: b"\x01"}) == b""


@pytest.mark.parametrize("model", ["gm65", "gm60"])
def test_a_symbologys_own_register_switches_it(model: str) -> None:
    register = {"gm65": 0x54, "gm60": 0x4E}[model]
    assert _said({}, model=model, symbology="DataMatrix") == b"9\r"
    assert _said({register: b"\x00"}, model=model, symbology="DataMatrix") == b""


def test_lengths_outside_the_limits_are_not_read() -> None:
    limits = {0x34: b"\x03\x04"}
    assert _said(limits, "12", symbology="Code128") == b""
    assert _said(limits, "123", symbology="Code128") == b"123\r"
    assert _said(limits, "12345", symbology="Code128") == b""


def test_register_002c_allows_all_or_nothing() -> None:
    assert _said({gm65.REG_SYMBOLOGIES: b"\x01"}) == b""
    assert _said({gm65.REG_SYMBOLOGIES: b"\x03"}, "1234", symbology="ITF") == b"1234\r"


def test_firmware_087_acknowledges_002c_and_forgets_it() -> None:
    scanner = Gm65(lambda _: None, habits=Habits(version=87))
    assert scanner.feed(gm65.encode_command(gm65.write(gm65.REG_SYMBOLOGIES, b"\x01")), 0)
    assert scanner.registers[gm65.REG_SYMBOLOGIES] == 0x05
    assert scanner.registers[gm65.REG_VERSION] == 87


def test_only_the_newer_generation_answers_a_heartbeat() -> None:
    assert gm65.encode_command(gm65.heartbeat()) == HEARTBEAT
    [answer] = Gm65(lambda _: None, PROFILES["gm812"]).feed(HEARTBEAT, 0)
    assert answer.payload == HEARTBEAT_ANSWER
    assert Gm65(lambda _: None).feed(HEARTBEAT, 0) == []


def test_a_framed_code_carries_its_length() -> None:
    assert _said({gm65.REG_TAIL: b"\x81"}, "032156384", model="gm812") == bytes.fromhex(
        "03 00 0A 30 33 32 31 35 36 33 38 34 0D"
    )
    assert _said({gm65.REG_TAIL: b"\x80", gm65.REG_HEAD: b"\x40"}, model="gm60") == b"\x04\x00\x019"
    assert _said({gm65.REG_TAIL: b"\x80", gm65.REG_HEAD: b"\xc0"}, model="gm60") == b"9"
    assert _said({gm65.REG_TAIL: b"\x81"}, model="gm65") == b"9\r"


def test_an_aim_id_stands_in_front_where_the_model_has_it() -> None:
    assert _said({gm65.REG_AIM_ID: b"\x80"}, model="gm812", symbology="EAN13") == b"]E09\r"
    assert _said({gm65.REG_AIM_ID: b"\x80"}) == b"9\r"


def test_user_defaults_come_back_and_factory_ones_do_too() -> None:
    scanner = Gm65(lambda _: None, PROFILES["gm812"])

    def write(address: int, value: int) -> None:
        assert scanner.feed(gm65.encode_command(gm65.write(address, bytes([value]))), 0)

    write(0x0A, 0x11)
    write(gm65.REG_CONTROL, gm65.CONTROL_KEEP_DEFAULTS)
    write(0x0A, 0x22)
    write(gm65.REG_CONTROL, gm65.CONTROL_DEFAULTS)
    assert scanner.registers[0x0A] == 0x11
    write(gm65.REG_CONTROL, gm65.CONTROL_FACTORY)
    assert scanner.registers[0x0A] == 0x87


def test_the_newer_generation_comes_reading_all_the_time_and_typing() -> None:
    scanner = Gm65(lambda _: None, PROFILES["gm812"])
    scanner.boot(0)
    assert scanner.registers.mode == gm65.MODE_CONTINUOUS
    assert scanner.registers.span(0x54, 2) == b"\x01\x01"
    assert scanner.registers.span(gm65.REG_BAUD, 2) == b"\x39\x01"
    scanner.poll(0)
    assert scanner.is_reading


def test_identity_registers_cannot_be_written_and_an_output_pin_can() -> None:
    scanner = Gm65(lambda _: None, PROFILES["gm812"])
    for address in (gm65.REG_VERSION, 0xE7):
        scanner.feed(gm65.encode_command(gm65.write(address, b"\x01")), 0)
    assert (scanner.registers[gm65.REG_VERSION], scanner.registers[0xE7]) == (100, 1)
