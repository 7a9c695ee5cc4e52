"""Checks of an EF01 fingerprint sensor (R503 user manual 1.2.2; ZFM-20 and R307 agree).

The sensor must have no password and the address FFFFFFFF. Parameters that a check changes are put
back; the library is only read.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from firmware_sim.conformance.check import Check, CheckFailedError, Person, Wire, expect
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Packet, Pid

REPLY_S = 1.0
QUIET_S = 0.3
DRAIN_S = 0.02
RATE_BAUD = 9600
FINGER = "conformance"
UNKNOWN_INSTRUCTION = 0xEE
_RATE, _PACKET = 4, 6
_PACKET_BYTES = (32, 64, 128, 256)
_ACK_BYTES = 12
_TEMPLATE_BYTES_MAX = 4096


def _receive(wire: Wire) -> bytes:
    """One packet, as long as its own length says; what there is of it where it ends early."""
    head = wire.receive(9, REPLY_S)
    return head + (wire.receive(int.from_bytes(head[7:9], "big"), REPLY_S) if head[8:] else b"")


def _packet(wire: Wire) -> Packet:
    raw = _receive(wire)
    found = ef01.PacketParser().feed(raw)
    is_sound = len(found) == 1 and isinstance(found[0], Packet)
    expect(is_sound, "a packet with a right sum", raw)
    assert isinstance(found[0], Packet)
    return found[0]


def _ack(wire: Wire) -> bytes:
    packet = _packet(wire)
    is_ack = packet.pid == Pid.ACK and packet.address == ef01.ADDRESS_DEFAULT and packet.payload
    expect(bool(is_ack), "an acknowledgement from FFFFFFFF", ef01.encode(packet))
    return packet.payload


def _ask(wire: Wire, instruction: int, *arguments: int) -> bytes:
    wire.drain(DRAIN_S)
    wire.send(ef01.encode(Packet(Pid.COMMAND, bytes([instruction, *arguments]))))
    return _ack(wire)


def _demand(wire: Wire, instruction: int, *arguments: int) -> bytes:
    answer = _ask(wire, instruction, *arguments)
    expect(answer[0] == Confirmation.OK, "the code 00", answer)
    return answer[1:]


def _word(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _parameters(wire: Wire) -> bytes:
    found = _demand(wire, Instruction.READ_SYS_PARA)
    expect(len(found) == 16, "16 bytes of parameters", found)
    return found


def _verifies_the_password(wire: Wire, _: Person) -> None:
    _demand(wire, Instruction.VERIFY_PASSWORD, 0, 0, 0, 0)


def _refuses_a_wrong_password(wire: Wire, _: Person) -> None:
    try:
        answer = _ask(wire, Instruction.VERIFY_PASSWORD, 0, 0, 0, 1)
        expect(answer == bytes([Confirmation.WRONG_PASSWORD]), "the code 13", answer)
    finally:
        _demand(wire, Instruction.VERIFY_PASSWORD, 0, 0, 0, 0)


def _tells_its_parameters(wire: Wire, _: Person) -> None:
    found = _parameters(wire)
    expect(_word(found[4:6]) > 0, "a capacity", found)
    expect(1 <= _word(found[6:8]) <= 5, "a security level from 1 to 5", found)
    expect(found[8:12] == bytes(4 * [0xFF]), "the address FFFFFFFF", found)
    expect(_word(found[12:14]) <= 3, "a packet code from 0 to 3", found)
    expect(1 <= _word(found[14:16]) <= 12, "a rate code from 1 to 12", found)


def _says_that_a_sum_is_wrong(wire: Wire, _: Person) -> None:
    frame = bytearray(ef01.command(Instruction.TEMPLATE_NUM))
    frame[-1] ^= 0x01
    wire.drain(DRAIN_S)
    wire.send(bytes(frame))
    answer = _ack(wire)
    expect(answer == bytes([Confirmation.RECEIVE_ERROR]), "the code 01", answer)


def _is_silent_to_another_address(wire: Wire, _: Person) -> None:
    wire.drain(DRAIN_S)
    wire.send(ef01.command(Instruction.TEMPLATE_NUM, address=0x12345678))
    answer = wire.receive(1, QUIET_S)
    expect(answer == b"", "silence", answer)
    _demand(wire, Instruction.TEMPLATE_NUM)


def _refuses_an_unknown_instruction(wire: Wire, _: Person) -> None:
    answer = _ask(wire, UNKNOWN_INSTRUCTION)
    codes = (Confirmation.UNDEFINED, Confirmation.UNSUPPORTED, Confirmation.RECEIVE_ERROR)
    expect(answer[0] in codes, "the code 19, FC or 01", answer)


def _finds_a_packet_behind_noise(wire: Wire, _: Person) -> None:
    wire.drain(DRAIN_S)
    wire.send(b"\x00\x7fnoise" + ef01.command(Instruction.TEMPLATE_NUM))
    answer = _ack(wire)
    expect(answer[0] == Confirmation.OK, "the code 00", answer)


def _takes_a_packet_in_pieces(wire: Wire, _: Person) -> None:
    wire.drain(DRAIN_S)
    for value in ef01.command(Instruction.TEMPLATE_NUM):
        wire.send(bytes([value]))
        wire.pause(0.003)
    answer = _ack(wire)
    expect(answer[0] == Confirmation.OK, "the code 00", answer)


def _counts_what_its_index_shows(wire: Wire, _: Person) -> None:
    count = _word(_demand(wire, Instruction.TEMPLATE_NUM))
    pages = -(-_word(_parameters(wire)[4:6]) // 256)
    used = 0
    for page in range(pages):
        table = _demand(wire, Instruction.INDEX_TABLE, page)
        expect(len(table) == 32, "32 bytes of index", table)
        used += len(ef01.index_slots(table, page))
    expect(used == count, f"{count} used slots in the index", used)


def _draws_random_numbers(wire: Wire, _: Person) -> None:
    drawn = {_demand(wire, Instruction.RANDOM) for _ in range(3)}
    expect(len(drawn) == 3, "three different numbers", len(drawn))
    expect(all(len(number) == 4 for number in drawn), "four bytes each", b"".join(drawn))


def _refuses_what_does_not_exist(wire: Wire, _: Person) -> None:
    past = _parameters(wire)[4:6]
    refused = {
        Confirmation.PAGE_RANGE: (Instruction.LOAD, 1, *past),
        Confirmation.BAD_REGISTER: (Instruction.SET_SYS_PARA, 9, 1),
        Confirmation.BAD_VALUE: (Instruction.SET_SYS_PARA, _PACKET, 4),
        Confirmation.BAD_NOTEPAD_PAGE: (Instruction.READ_NOTEPAD, 16),
    }
    for code, command in refused.items():
        answer = _ask(wire, *command)
        expect(answer[0] == code, f"the code {code:02X} for {command[0].name}", answer)


def _reads_its_notepad(wire: Wire, _: Person) -> None:
    page = _demand(wire, Instruction.READ_NOTEPAD, 0)
    expect(len(page) == 32, "32 bytes", page)


def _changes_its_rate_after_the_answer(wire: Wire, _: Person) -> None:
    before = _parameters(wire)[15]
    other = 12 if before != 12 else 6
    _demand(wire, Instruction.SET_SYS_PARA, _RATE, other)
    try:
        wire.set_baud(RATE_BAUD * other)
        wire.pause(DRAIN_S)
        kept = _parameters(wire)[15]
        expect(kept == other, f"the rate code {other}", kept)
    finally:
        with suppress(CheckFailedError):  # one that stayed at its old rate hears this no more
            _ask(wire, Instruction.SET_SYS_PARA, _RATE, before)
        wire.set_baud(RATE_BAUD * before)
        wire.pause(DRAIN_S)
    kept = _parameters(wire)[15]
    expect(kept == before, f"the rate code {before}", kept)


def _says_that_no_finger_is_there(wire: Wire, person: Person) -> None:
    person.do("remove")
    answer = _ask(wire, Instruction.GET_IMAGE)
    expect(answer == bytes([Confirmation.NO_FINGER]), "the code 02", answer)


def _capture(wire: Wire, person: Person, buffer: int) -> None:
    person.do("place", finger=FINGER)
    _demand(wire, Instruction.GET_IMAGE)
    _demand(wire, Instruction.IMG2TZ, buffer)


def _matches_two_touches_of_one_finger(wire: Wire, person: Person) -> None:
    _capture(wire, person, 1)
    _capture(wire, person, 2)
    score = _word(_demand(wire, Instruction.MATCH))
    expect(score > 0, "a score", score)
    person.do("remove")


def _answers_a_search_in_sixteen_bytes(wire: Wire, person: Person) -> None:
    _capture(wire, person, 1)
    capacity = _parameters(wire)[4:6]
    wire.drain(DRAIN_S)
    wire.send(ef01.command(Instruction.SEARCH, 1, 0, 0, *capacity))
    raw = _receive(wire)
    is_right = len(raw) == 16 and raw[9] in (Confirmation.OK, Confirmation.NOT_FOUND)
    expect(is_right, "16 bytes with the code 00 or 09", raw)
    person.do("remove")


def _moves_a_template_out_and_in(wire: Wire, person: Person) -> None:
    _capture(wire, person, 1)
    person.do("remove")
    size = _PACKET_BYTES[_parameters(wire)[13]]
    _demand(wire, Instruction.UP_CHAR, 1)
    template = _data(wire, size)
    _demand(wire, Instruction.DOWN_CHAR, 2)
    for start in range(0, len(template), size):
        pid = Pid.END_OF_DATA if start + size >= len(template) else Pid.DATA
        wire.send(ef01.encode(Packet(pid, template[start : start + size])))
    score = _word(_demand(wire, Instruction.MATCH))
    expect(score > 0, "a score", score)


def _data(wire: Wire, size: int) -> bytes:
    """What comes in data packets of this size, up to the last one."""
    content = b""
    while len(content) < _TEMPLATE_BYTES_MAX:
        packet = _packet(wire)
        is_data = packet.pid in (Pid.DATA, Pid.END_OF_DATA) and len(packet.payload) <= size
        expect(is_data, f"a data packet of at most {size} bytes", ef01.encode(packet))
        content += packet.payload
        if packet.pid == Pid.END_OF_DATA:
            return content
    expect(False, "a last data packet", content)
    return content


def _check(name: str, title: str, section: str, run: Callable[[Wire, Person], None]) -> Check:
    return Check(f"ef01.{name}", title, f"R503 manual 1.2.2, {section}", run)


_BY_TOUCH = (
    _check("no_finger", "says that no finger is there", "GenImg 01", _says_that_no_finger_is_there),
    _check("match", "matches two touches", "Match 03", _matches_two_touches_of_one_finger),
    _check("search", "answers in 16 bytes", "Search 04", _answers_a_search_in_sixteen_bytes),
    _check("template", "moves a template out and in", "UpChar 08", _moves_a_template_out_and_in),
)
CHECKS = (
    _check("password", "takes the password 0", "VfyPwd 13", _verifies_the_password),
    _check("wrong_password", "refuses another", "VfyPwd 13", _refuses_a_wrong_password),
    _check("parameters", "tells its parameters", "ReadSysPara 0F", _tells_its_parameters),
    _check("sum", "says that a sum is wrong", "package format", _says_that_a_sum_is_wrong),
    _check("address", "is silent to others", "package format", _is_silent_to_another_address),
    _check("unknown", "refuses what it does not know", "codes", _refuses_an_unknown_instruction),
    _check("noise", "finds a packet behind noise", "package format", _finds_a_packet_behind_noise),
    _check("pieces", "takes a packet in pieces", "package format", _takes_a_packet_in_pieces),
    _check("index", "counts what its index shows", "ReadIndexTable", _counts_what_its_index_shows),
    _check("random", "draws random numbers", "GetRandomCode 14", _draws_random_numbers),
    _check("refusals", "refuses what does not exist", "codes", _refuses_what_does_not_exist),
    _check("notepad", "reads its notepad", "ReadNotepad 19", _reads_its_notepad),
    _check("rate", "changes its rate", "SetSysPara 0E", _changes_its_rate_after_the_answer),
    *(replace(check, needs_person=True) for check in _BY_TOUCH),
)
