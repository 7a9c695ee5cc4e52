"""Goal: the scanner looks when its mode says so, and sleeps when its registers say so.

Method: virtual time; a picture's bytes are the text that stands in it.
"""

from firmware_sim.devices.device import Output
from firmware_sim.devices.gm65 import PROFILES, READ_MS, Gm65, Habits, Sighting
from firmware_sim.devices.gm65.machine import BOOT_LINE, Power
from protocol.framing import gm65

INTERVAL_MS, STABILISE_MS, READ_TIME_MS = 1000, 400, 5000


def _scanner(mode: int | None = None, habits: Habits | None = None, model: str = "gm65") -> Gm65:
    scanner = Gm65(lambda png: Sighting("QRCode", png.decode()), PROFILES[model], habits)
    scanner.boot(0)
    if mode is not None:
        _write(scanner, 0, 0xD4 | mode)
    return scanner


def _write(scanner: Gm65, address: int, *values: int, now_ms: int = 0) -> list[Output]:
    return scanner.feed(gm65.encode_command(gm65.write(address, bytes(values))), now_ms)


def _read(scanner: Gm65, address: int, now_ms: int = 0) -> bytes:
    [said] = scanner.feed(gm65.encode_command(gm65.read(address)), now_ms)
    [reply] = gm65.HostParser().feed(said.payload)
    assert isinstance(reply, gm65.Reply)
    return reply.data


def _texts(scanner: Gm65, until_ms: int) -> list[tuple[int, bytes]]:
    """What is said until then, and when; time goes from deadline to deadline."""
    said: list[tuple[int, bytes]] = []
    while (due := scanner.next_deadline_ms()) is not None and due <= until_ms:
        said += [(output.at_ms, output.payload) for output in scanner.poll(due)]
    return said


def _power(scanner: Gm65) -> Power:
    return scanner.power


def _is_reading(scanner: Gm65) -> bool:
    return scanner.is_reading


def test_continuous_mode_reads_again_after_each_interval() -> None:
    scanner = _scanner(gm65.MODE_CONTINUOUS)
    scanner.present(b"1", 0, keep=True)
    assert _texts(scanner, 2500) == [
        (READ_MS, b"1\r"),
        (2 * READ_MS + INTERVAL_MS, b"1\r"),
        (3 * READ_MS + 2 * INTERVAL_MS, b"1\r"),
    ]


def test_continuous_mode_fails_after_the_read_time_and_goes_on() -> None:
    scanner = _scanner(gm65.MODE_CONTINUOUS)
    assert _texts(scanner, READ_TIME_MS + INTERVAL_MS) == []
    assert scanner.codes_failed == 1
    assert _is_reading(scanner)


def test_the_trigger_and_the_button_pause_continuous_mode() -> None:
    scanner = _scanner(gm65.MODE_CONTINUOUS)
    scanner.present(b"1", 0, keep=True)
    _write(scanner, gm65.REG_TRIGGER, 0)
    assert _texts(scanner, 60_000) == []
    _write(scanner, gm65.REG_TRIGGER, 1, now_ms=60_000)
    assert _texts(scanner, 60_500) == [(60_000 + READ_MS, b"1\r")]
    scanner.press_button(60_500)
    assert _texts(scanner, 90_000) == []


def test_the_same_code_is_held_back_for_its_delay() -> None:
    scanner = _scanner(gm65.MODE_CONTINUOUS)
    _write(scanner, gm65.REG_SAME_CODE, 0x80 | 20)
    scanner.present(b"1", 0, keep=True)
    times = [at for at, _ in _texts(scanner, 5000)]
    assert times[0] == READ_MS
    assert times[1] - times[0] == 2000
    assert len(times) == 3


def test_the_delays_unit_may_be_a_second() -> None:
    scanner = _scanner(gm65.MODE_CONTINUOUS, Habits(same_code_unit_ms=1000))
    _write(scanner, gm65.REG_SAME_CODE, 0x80 | 20)
    scanner.present(b"1", 0, keep=True)
    assert len(_texts(scanner, 19_000)) == 1


def test_a_delay_of_zero_never_repeats_and_another_code_is_said_at_once() -> None:
    scanner = _scanner(gm65.MODE_CONTINUOUS)
    _write(scanner, gm65.REG_SAME_CODE, 0x80)
    for code in (b"1", b"1", b"2", b"1"):
        scanner.present(code, 0)
    assert [text for _, text in _texts(scanner, 30_000)] == [b"1\r", b"2\r", b"1\r"]


def test_sensing_mode_waits_until_the_picture_is_still() -> None:
    scanner = _scanner(gm65.MODE_SENSING)
    assert scanner.next_deadline_ms() is None
    scanner.present(b"5", 100)
    scanner.present(b"6", 300)
    assert _texts(scanner, 800) == [(300 + STABILISE_MS + READ_MS, b"5\r")]


def test_sensing_mode_reads_what_stays_only_once() -> None:
    scanner = _scanner(gm65.MODE_SENSING)
    scanner.present(b"5", 0, keep=True)
    assert len(_texts(scanner, 60_000)) == 1
    scanner.take_away(60_000)
    scanner.present(b"5", 60_100)
    assert len(_texts(scanner, 70_000)) == 1


def test_the_manual_button_reads_while_it_is_held() -> None:
    scanner = _scanner()
    scanner.press_button(0)
    assert _is_reading(scanner)
    scanner.release_button(50)
    assert not _is_reading(scanner)
    scanner.present(b"5", 60)
    assert _texts(scanner, 1000) == []


def test_manual_mode_falls_asleep_and_a_command_wakes_it() -> None:
    scanner = _scanner()
    assert _texts(scanner, 30_000) == []
    assert _power(scanner) is Power.IDLE
    assert _read(scanner, 0, now_ms=31_000) == b"\xd4"
    assert _power(scanner) is Power.AWAKE
    _texts(scanner, 60_999)
    assert _power(scanner) is Power.AWAKE
    _texts(scanner, 61_000)
    assert _power(scanner) is Power.IDLE


def test_without_bit_7_or_in_command_mode_it_does_not_fall_asleep() -> None:
    scanner = _scanner()
    _write(scanner, gm65.REG_IDLE, 0x01)
    assert scanner.next_deadline_ms() is None
    scanner = _scanner(gm65.MODE_COMMAND)
    assert scanner.next_deadline_ms() is None


def test_light_sleep_answers_but_does_not_look_until_woken() -> None:
    scanner = _scanner(gm65.MODE_COMMAND)
    assert _write(scanner, gm65.REG_CONTROL, gm65.CONTROL_LIGHT_SLEEP)
    _write(scanner, gm65.REG_TRIGGER, 1)
    assert not _is_reading(scanner)
    assert _read(scanner, 0) == b"\xd5"
    _write(scanner, gm65.REG_CONTROL, gm65.CONTROL_WAKE)
    _write(scanner, gm65.REG_TRIGGER, 1)
    assert _is_reading(scanner)


def test_deep_sleep_loses_what_wakes_it_and_starts_from_flash() -> None:
    scanner = _scanner(gm65.MODE_COMMAND, Habits(boot_ms=300))
    scanner = _started(scanner)
    assert _write(scanner, gm65.REG_CONTROL, gm65.CONTROL_DEEP_SLEEP, now_ms=1000)
    assert _power(scanner) is Power.DEEP_SLEEP
    assert _write(scanner, 0x0A, 1, now_ms=2000) == []
    assert _power(scanner) is Power.STARTING
    assert _write(scanner, 0x0A, 1, now_ms=2299) == []
    assert _texts(scanner, 2300) == []
    assert _read(scanner, 0, now_ms=2301) == b"\xd4"


def _started(scanner: Gm65) -> Gm65:
    scanner.poll(300)
    _write(scanner, 0, 0xD5, now_ms=301)
    return scanner


def test_some_firmware_says_a_line_when_it_starts() -> None:
    scanner = Gm65(lambda _: None, PROFILES["gm65"], Habits(has_boot_line=True, boot_ms=100))
    assert scanner.boot(0) == []
    [said] = scanner.poll(100)
    assert said.payload == BOOT_LINE
    [heard] = gm65.HostParser().feed(said.payload)
    assert isinstance(heard, gm65.Text)
    assert heard.data.startswith(b"<{")


def test_a_setup_code_writes_and_saves_and_says_nothing() -> None:
    scanner = _scanner(gm65.MODE_COMMAND)
    scanner.present(b"GROW#000A=11", 0)
    _write(scanner, gm65.REG_TRIGGER, 1)
    assert _texts(scanner, 1000) == []
    assert _read(scanner, 0x0A) == b"\x11"
    scanner.boot(2000)
    assert _read(scanner, 0x0A) == b"\x11"


def test_a_setup_code_is_told_as_well_if_bit_0_of_0003_says_so() -> None:
    scanner = _scanner(gm65.MODE_COMMAND)
    _write(scanner, gm65.REG_SETUP_CODE, 1)
    scanner.present(b"GROW#000A=11", 0)
    _write(scanner, gm65.REG_TRIGGER, 1)
    assert [text for _, text in _texts(scanner, 1000)] == [b"GROW#000A=11\r"]
    assert scanner.setups_done == 1


def test_a_forbidden_setup_code_is_an_ordinary_code() -> None:
    scanner = _scanner(gm65.MODE_COMMAND)
    _write(scanner, gm65.REG_SETUP_CODE, 2)
    scanner.present(b"GROW#000A=11", 0)
    _write(scanner, gm65.REG_TRIGGER, 1)
    assert [text for _, text in _texts(scanner, 1000)] == [b"GROW#000A=11\r"]
    assert _read(scanner, 0x0A) == b"\x3e"


def test_a_decode_beeps_unless_the_sound_is_off() -> None:
    scanner = _scanner(gm65.MODE_COMMAND)
    for mode in (0xD5, 0x95):
        _write(scanner, 0, mode)
        scanner.present(b"1", 0)
        _write(scanner, gm65.REG_TRIGGER, 1)
        scanner.poll(READ_MS)
    assert (scanner.codes_read, scanner.beeps) == (2, 1)
