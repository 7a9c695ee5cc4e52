"""Checks of a PN532 reader on its high speed UART (NXP UM0701-02; cards by their own documents)."""

from collections.abc import Callable
from dataclasses import replace

from firmware_sim.conformance.check import Check, Person, Wire, expect
from protocol.framing import apdu, pn532
from protocol.framing.pn532 import Code, Status

ACK_S, ANSWER_S, QUIET_S, SETTLE_S = 0.5, 1.5, 0.1, 0.02
NORMAL_MODE = b"\x01\x14\x01"
LOOK_TWICE, LOOK_FOR_EVER = b"\x05\xff\x01\x01", b"\x05\xff\x01\xff"
ONE_OF_TYPE_A = b"\x01\x00"
UNKNOWN_COMMAND = 0x9C
TX_MODE = b"\x63\x02"
FACTORY_KEY, OTHER_KEY = b"\xff" * 6, b"\x12" * 6
KEY_A, DATA_BLOCK = 0x60, 4
OTHER_RATE, OTHER_RATE_CODE, USUAL_RATE, USUAL_RATE_CODE = 57_600, 3, 115_200, 4
PPSE = b"2PAY.SYS.DDF01"
_HEAD_BYTES = 5


def _wake(wire: Wire) -> None:
    wire.send(pn532.WAKE_UP + pn532.ACK)
    wire.drain(SETTLE_S)
    _ask(wire, Code.SAM_CONFIGURATION, NORMAL_MODE)
    _ask(wire, Code.RF_CONFIGURATION, LOOK_TWICE)


def _frame(wire: Wire) -> bytes:
    head = wire.receive(_HEAD_BYTES, ANSWER_S)
    if head[3:5] == b"\xff\xff":
        head += wire.receive(3, ANSWER_S)
        size = int.from_bytes(head[5:7], "big")
    else:
        size = head[3] if len(head) == _HEAD_BYTES else 0
    return head + wire.receive(size + 2, ANSWER_S)


def _answer(wire: Wire, code: int) -> bytes:
    frame = _frame(wire)
    found = [item for item in pn532.FrameParser().feed(frame) if isinstance(item, pn532.Data)]
    is_answer = bool(found) and found[0].tfi == pn532.CHIP
    is_answer = is_answer and found[0].payload[:1] == bytes([code + 1])
    expect(is_answer, f"an answer with code {code + 1:02x}", frame)
    return found[0].payload[1:]


def _ask(wire: Wire, code: int, arguments: bytes = b"") -> bytes:
    wire.send(pn532.command(code, arguments))
    _acknowledged(wire)
    return _answer(wire, code)


def _acknowledged(wire: Wire) -> None:
    came = wire.receive(len(pn532.ACK), ACK_S)
    expect(came == pn532.ACK, f"the acknowledgement {pn532.ACK.hex(' ')}", came)


def _is_silent(wire: Wire, data: bytes) -> None:
    _wake(wire)
    wire.send(data)
    came = wire.receive(1, QUIET_S)
    expect(came == b"", "silence", came)
    _ask(wire, Code.GET_FIRMWARE_VERSION)


def _wakes_and_takes_the_normal_mode(wire: Wire, _: Person) -> None:
    wire.drain(SETTLE_S)
    wire.send(pn532.WAKE_UP)
    came = _ask(wire, Code.SAM_CONFIGURATION, NORMAL_MODE)
    expect(came == b"", "an answer without data", came)


def _says_its_version(wire: Wire, _: Person) -> None:
    _wake(wire)
    came = _ask(wire, Code.GET_FIRMWARE_VERSION)
    expect(len(came) == 4 and came[0] == 0x32, "IC 32, version, revision, support", came)


def _echoes_the_longest_frame(wire: Wire, _: Person) -> None:
    _wake(wire)
    told = b"\x00" + bytes(value & 0xFF for value in range(262))
    came = _ask(wire, Code.DIAGNOSE, told)
    expect(came == told, "the same 263 bytes", came)


def _finds_its_memory_sound(wire: Wire, _: Person) -> None:
    _wake(wire)
    for test in (b"\x01", b"\x02"):
        came = _ask(wire, Code.DIAGNOSE, test)
        expect(came == b"\x00", "00, sound", came)


def _is_silent_at_a_wrong_sum(wire: Wire, _: Person) -> None:
    frame = bytearray(pn532.command(Code.GET_FIRMWARE_VERSION))
    frame[-2] ^= 0x01
    _is_silent(wire, bytes(frame))


def _is_silent_at_a_wrong_length(wire: Wire, _: Person) -> None:
    frame = bytearray(pn532.command(Code.GET_FIRMWARE_VERSION))
    frame[4] ^= 0x01
    _is_silent(wire, bytes(frame))


def _finds_a_frame_behind_noise(wire: Wire, _: Person) -> None:
    _wake(wire)
    wire.send(b"\x12\x00\x34\xff" + pn532.command(Code.GET_FIRMWARE_VERSION))
    _acknowledged(wire)
    _answer(wire, Code.GET_FIRMWARE_VERSION)


def _takes_a_frame_in_pieces(wire: Wire, _: Person) -> None:
    _wake(wire)
    for value in pn532.command(Code.GET_FIRMWARE_VERSION):
        wire.send(bytes([value]))
        wire.pause(0.005)
    _acknowledged(wire)
    _answer(wire, Code.GET_FIRMWARE_VERSION)


def _repeats_its_answer(wire: Wire, _: Person) -> None:
    _wake(wire)
    first = _ask(wire, Code.GET_FIRMWARE_VERSION)
    wire.send(pn532.NACK)
    again = _answer(wire, Code.GET_FIRMWARE_VERSION)
    expect(again == first, f"{first.hex(' ')} again", again)


def _refuses_what_it_does_not_know(wire: Wire, _: Person) -> None:
    _wake(wire)
    wire.send(pn532.command(UNKNOWN_COMMAND))
    _acknowledged(wire)
    came = wire.receive(len(pn532.ERROR), ANSWER_S)
    expect(came == pn532.ERROR, f"the error frame {pn532.ERROR.hex(' ')}", came)


def _keeps_a_register(wire: Wire, _: Person) -> None:
    _wake(wire)
    before = _ask(wire, Code.READ_REGISTER, TX_MODE)
    expect(len(before) == 1, "one byte", before)
    wanted = bytes([before[0] ^ 0x80])
    try:
        _ask(wire, Code.WRITE_REGISTER, TX_MODE + wanted)
        kept = _ask(wire, Code.READ_REGISTER, TX_MODE)
        expect(kept == wanted, wanted.hex(), kept)
    finally:
        _ask(wire, Code.WRITE_REGISTER, TX_MODE + before)


def _ends_what_the_host_gives_up(wire: Wire, person: Person) -> None:
    _wake(wire)
    person.do("remove")
    _ask(wire, Code.RF_CONFIGURATION, LOOK_FOR_EVER)
    try:
        wire.send(pn532.command(Code.IN_LIST_PASSIVE_TARGET, ONE_OF_TYPE_A))
        _acknowledged(wire)
        came = wire.receive(1, QUIET_S)
        expect(came == b"", "no answer while no card comes", came)
        wire.send(pn532.ACK)
        wire.pause(SETTLE_S)
    finally:
        _ask(wire, Code.RF_CONFIGURATION, LOOK_TWICE)


def _finds_no_card(wire: Wire, person: Person) -> None:
    _wake(wire)
    person.do("remove")
    came = _ask(wire, Code.IN_LIST_PASSIVE_TARGET, ONE_OF_TYPE_A)
    expect(came == b"\x00", "00, no target", came)
    came = _ask(wire, Code.IN_DATA_EXCHANGE, b"\x01\x30\x00")
    expect(came[:1] == bytes([Status.CONTEXT]), "27, wrong context", came)


def _changes_its_rate(wire: Wire, _: Person) -> None:
    _wake(wire)
    try:
        _ask(wire, Code.SET_SERIAL_BAUD_RATE, bytes([OTHER_RATE_CODE]))
        wire.send(pn532.ACK)
        wire.pause(SETTLE_S)
        wire.set_baud(OTHER_RATE)
        _ask(wire, Code.GET_FIRMWARE_VERSION)
    finally:
        _ask(wire, Code.SET_SERIAL_BAUD_RATE, bytes([USUAL_RATE_CODE]))
        wire.send(pn532.ACK)
        wire.pause(SETTLE_S)
        wire.set_baud(USUAL_RATE)


def _with_card(card: str, run: Callable[[Wire, bytes], None]) -> Callable[[Wire, Person], None]:
    """A check for which a card is held to the reader and taken away again."""

    def check(wire: Wire, person: Person) -> None:
        _wake(wire)
        person.do("present", card=card)
        try:
            listed = _ask(wire, Code.IN_LIST_PASSIVE_TARGET, ONE_OF_TYPE_A)
            expect(len(listed) > 6 and listed[0] == 1, "one target", listed)
            run(wire, listed)
        finally:
            person.do("remove", card=card)

    return check


def _tag_is_read(wire: Wire, listed: bytes) -> None:
    expect(listed[2:6] == b"\x00\x44\x00\x07", "SENS_RES 0044, SEL_RES 00, 7 bytes", listed)
    came = _ask(wire, Code.IN_DATA_EXCHANGE, b"\x01\x30\x00")
    uid = listed[6:13]
    expect(came[:4] == b"\x00" + uid[:3], f"00 {uid[:3].hex(' ')} …", came)
    expect(came[13:14] == b"\xe1" and len(came) == 17, "E1 at page 3, sixteen bytes", came)


def _tag_refuses_a_page_it_has_not(wire: Wire, _: bytes) -> None:
    came = _ask(wire, Code.IN_DATA_EXCHANGE, b"\x01\x30\xf0")
    expect(came[:1] not in (b"", b"\x00"), "an error status", came)


def _key_opens_card(wire: Wire, listed: bytes) -> None:
    expect(listed[4] == 0x08, "SEL_RES 08", listed)
    uid = listed[6 : 6 + listed[5]][-4:]
    head = b"\x01" + bytes([KEY_A, DATA_BLOCK])
    came = _ask(wire, Code.IN_DATA_EXCHANGE, head + FACTORY_KEY + uid)
    expect(came == b"\x00", "00, authenticated", came)
    came = _ask(wire, Code.IN_DATA_EXCHANGE, b"\x01\x30" + bytes([DATA_BLOCK]))
    expect(len(came) == 17 and came[0] == 0, "status 00 and sixteen bytes", came)
    came = _ask(wire, Code.IN_DATA_EXCHANGE, head + OTHER_KEY + uid)
    expect(came == bytes([Status.AUTHENTICATION]), "14, wrong key", came)


def _bank_card_lists_its_applications(wire: Wire, listed: bytes) -> None:
    expect(bool(listed[4] & 0x20) and len(listed) > 10, "SEL_RES with bit 5, and an ATS", listed)
    came = _ask(wire, Code.IN_DATA_EXCHANGE, b"\x01" + apdu.select(PPSE))
    is_directory = came[:2] == b"\x00\x6f" and came[-2:] == apdu.OK and PPSE in came
    expect(is_directory, "00 6f … 9000 with 2PAY.SYS.DDF01", came)


def _released_card_is_gone(wire: Wire, _: bytes) -> None:
    came = _ask(wire, Code.IN_RELEASE, b"\x00")
    expect(came == b"\x00", "00", came)
    came = _ask(wire, Code.IN_DATA_EXCHANGE, b"\x01" + apdu.select(PPSE))
    expect(came[:1] == bytes([Status.CONTEXT]), "27, wrong context", came)


def _check(name: str, title: str, clause: str, run: Callable[[Wire, Person], None]) -> Check:
    return Check(f"pn532.{name}", title, f"UM0701-02, {clause}", run)


def _by_hand(name: str, title: str, clause: str, run: Callable[[Wire, Person], None]) -> Check:
    return replace(_check(name, title, clause, run), needs_person=True)


CHECKS = (
    _check("wake", "wakes and takes the normal mode", "7.2.10", _wakes_and_takes_the_normal_mode),
    _check("version", "says its version", "7.2.2", _says_its_version),
    _check("line", "echoes the longest frame", "7.2.1", _echoes_the_longest_frame),
    _check("memory", "finds its memory sound", "7.2.1", _finds_its_memory_sound),
    _check("sum", "does not answer a wrong checksum", "6.2.1", _is_silent_at_a_wrong_sum),
    _check("length", "does not answer a wrong length", "6.2.1", _is_silent_at_a_wrong_length),
    _check("noise", "finds a frame behind noise", "6.2.1", _finds_a_frame_behind_noise),
    _check("pieces", "takes a frame byte by byte", "6.2.1", _takes_a_frame_in_pieces),
    _check("nack", "repeats its answer", "6.2.1.4", _repeats_its_answer),
    _check("unknown", "refuses an unknown command", "6.2.1.5", _refuses_what_it_does_not_know),
    _check("register", "keeps a register", "7.2.4", _keeps_a_register),
    _check("rate", "changes its rate after the host's word", "7.2.8", _changes_its_rate),
    _by_hand("stop", "ends what the host gives up", "6.2.1.3", _ends_what_the_host_gives_up),
    _by_hand("nothing", "finds nothing where nothing is", "7.3.5", _finds_no_card),
    _by_hand("tag", "reads an NTAG213", "7.3.8", _with_card("tag", _tag_is_read)),
    _by_hand("page", "tells a refusal", "7.3.8", _with_card("tag", _tag_refuses_a_page_it_has_not)),
    _by_hand("key", "opens a MIFARE Classic", "7.3.8", _with_card("classic", _key_opens_card)),
    _by_hand(
        "blocks", "carries commands to a bank card", "7.3.8",
        _with_card("unionpay", _bank_card_lists_its_applications),
    ),
    _by_hand("release", "lets a card go", "7.3.11", _with_card("unionpay", _released_card_is_gone)),
)  # fmt: skip
