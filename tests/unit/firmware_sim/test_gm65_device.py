"""Goal: the simulated scanner does what the GM65 manual says, in virtual time."""

from firmware_sim.devices.device import Output
from firmware_sim.devices.gm65 import READ_MS, Gm65, Sighting
from protocol.framing import gm65

ACK = gm65.encode_reply(gm65.Reply(0, b"\x00"))
COMMAND_MODE = gm65.encode_command(gm65.write(0, b"\xd5"))
TRIGGER = gm65.encode_command(gm65.write(2, b"\x01"))
STOP = gm65.encode_command(gm65.write(2, b"\x00"))


def _scanner() -> Gm65:
    """A scanner that reads the picture's bytes as its text; an empty picture shows nothing."""
    return Gm65(lambda png: Sighting("QRCode", png.decode()) if png else None)


def _triggered(now_ms: int = 0) -> Gm65:
    scanner = _scanner()
    scanner.feed(COMMAND_MODE + TRIGGER, now_ms)
    return scanner


def _texts(outputs: list[Output]) -> list[bytes]:
    return [output.payload for output in outputs]


def test_a_register_written_is_read_back() -> None:
    scanner = _scanner()
    assert _texts(scanner.feed(gm65.encode_command(gm65.write(0x0A, b"\x20")), 0)) == [ACK]
    read = scanner.feed(gm65.encode_command(gm65.read(0x0A)), 0)
    assert _texts(read) == [gm65.encode_reply(gm65.Reply(0, b"\x20"))]


def test_a_wrong_checksum_gets_no_reply() -> None:
    assert _scanner().feed(COMMAND_MODE[:-1] + b"\x00", 0) == []


def test_reading_beyond_the_registers_gets_no_reply() -> None:
    assert _scanner().feed(gm65.encode_command(gm65.read(0xFF, 2)), 0) == []


def test_a_trigger_is_acknowledged_and_the_waiting_picture_is_read() -> None:
    scanner = _scanner()
    scanner.present(b"134567890123456789", 0)
    assert _texts(scanner.feed(COMMAND_MODE + TRIGGER, 0)) == [ACK, ACK]
    assert scanner.next_deadline_ms() == READ_MS
    assert _texts(scanner.poll(READ_MS)) == [b"134567890123456789\r"]
    assert not scanner.is_reading


def test_a_picture_shown_while_reading_is_read() -> None:
    scanner = _triggered()
    assert scanner.poll(1000) == []
    scanner.present(b"42", 1000)
    assert _texts(scanner.poll(1000 + READ_MS)) == [b"42\r"]


def test_a_picture_is_read_once() -> None:
    scanner = _triggered()
    scanner.present(b"42", 0)
    scanner.poll(READ_MS)
    scanner.feed(TRIGGER, 1000)
    assert scanner.poll(1000 + READ_MS) == []


def test_a_picture_kept_before_the_lens_is_read_again() -> None:
    scanner = _triggered()
    scanner.present(b"42", 0, keep=True)
    scanner.poll(READ_MS)
    scanner.feed(TRIGGER, 1000)
    assert _texts(scanner.poll(1000 + READ_MS)) == [b"42\r"]


def test_reading_ends_after_the_single_read_time_and_the_trigger_clears_itself() -> None:
    scanner = _triggered()
    for now_ms, is_reading in ((4999, True), (5000, False)):
        assert (scanner.poll(now_ms), scanner.is_reading) == ([], is_reading)
    read = scanner.feed(gm65.encode_command(gm65.read(2)), 5001)
    assert _texts(read) == [ACK]


def test_a_read_time_of_zero_never_ends() -> None:
    scanner = _scanner()
    scanner.feed(gm65.encode_command(gm65.write(6, b"\x00")) + COMMAND_MODE + TRIGGER, 0)
    scanner.poll(10_000_000)
    assert scanner.is_reading


def test_the_host_stops_a_reading() -> None:
    scanner = _triggered()
    scanner.feed(STOP, 10)
    assert not scanner.is_reading
    assert scanner.next_deadline_ms() is None


def test_in_manual_mode_the_trigger_register_does_nothing_and_the_button_reads() -> None:
    scanner = _scanner()
    scanner.feed(TRIGGER, 0)
    assert not scanner.is_reading
    scanner.present(b"7", 0)
    scanner.press_button(0)
    assert _texts(scanner.poll(READ_MS)) == [b"7\r"]


def test_a_picture_without_code_goes_by() -> None:
    scanner = _triggered()
    scanner.present(b"", 0)
    scanner.present(b"9", 0)
    assert _texts(scanner.poll(READ_MS)) == [b"9\r"]


def test_a_symbology_switched_off_is_not_read() -> None:
    scanner = _triggered()
    scanner.feed(gm65.encode_command(gm65.write(0x3F, b"\x00")), 0)
    scanner.present(b"9", 0)
    assert scanner.poll(READ_MS) == []


def test_prefix_letter_suffix_and_tail_stand_in_the_manuals_order() -> None:
    scanner = _triggered()
    for address, value in ((0x60, b"\x2f"), (0x62, b"\x12"), (0x63, b"<"), (0x72, b">!")):
        scanner.feed(gm65.encode_command(gm65.write(address, value)), 0)
    scanner.present(b"9", 0)
    assert _texts(scanner.poll(READ_MS)) == [b"<Q9>!\r\n"]


def test_a_new_rate_is_acknowledged_at_the_old_one() -> None:
    scanner = _scanner()
    [reply] = scanner.feed(gm65.encode_command(gm65.write(0x2A, b"\x1a\x00")), 0)
    assert reply.baud == 9584  # divisor 0139 is the maker's 9600, 0.2 % off
    assert scanner.baud == 115_384


def test_only_what_was_saved_survives_a_power_cut() -> None:
    scanner = _scanner()
    scanner.feed(gm65.encode_command(gm65.write(0x0A, b"\x11")), 0)
    scanner.feed(gm65.encode_command(gm65.save()), 0)
    scanner.feed(gm65.encode_command(gm65.write(0x0A, b"\x22")), 0)
    scanner.boot(0)
    read = scanner.feed(gm65.encode_command(gm65.read(0x0A)), 0)
    assert _texts(read) == [gm65.encode_reply(gm65.Reply(0, b"\x11"))]


def test_factory_settings_come_back() -> None:
    scanner = _scanner()
    scanner.feed(gm65.encode_command(gm65.write(0x0A, b"\x11")), 0)
    restore = gm65.Command(gm65.CommandType.SAVE, 0, b"\xff")
    scanner.feed(gm65.encode_command(restore), 0)
    read = scanner.feed(gm65.encode_command(gm65.read(0x0A)), 0)
    assert _texts(read) == [bytes.fromhex("02 00 00 01 3E E4 AC")]


def test_chinese_leaves_in_gbk() -> None:
    scanner = _triggered()
    scanner.present("收银".encode(), 0)
    assert _texts(scanner.poll(READ_MS)) == ["收银\r".encode("gbk")]
