"""Goal: the simulated sensor answers as the ZFM-20 does, with the lengths readers rely on."""

import pytest

from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.commands import REPLY_MS
from firmware_sim.devices.ef01.finger import template_of
from firmware_sim.devices.ef01.profiles import ZFM20
from protocol.errors import CallerError
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Packet, Pid


def _ask(sensor: Ef01, instruction: Instruction, *arguments: int) -> bytes:
    outputs = sensor.feed(ef01.command(instruction, *arguments), 0)
    [packet] = ef01.PacketParser().feed(outputs[0].payload)
    assert isinstance(packet, Packet)
    assert packet.pid == Pid.ACK
    return packet.payload


def _captured(finger: str, sensor: Ef01, buffer: int = 1) -> None:
    sensor.place(finger)
    assert _ask(sensor, Instruction.GET_IMAGE) == b"\x00"
    assert _ask(sensor, Instruction.IMG2TZ, buffer) == b"\x00"


def test_no_finger_is_code_2_after_the_capture_time() -> None:
    [reply] = Ef01().feed(ef01.command(Instruction.GET_IMAGE), 1000)
    assert reply.at_ms == 1000 + REPLY_MS + ZFM20.capture_ms
    assert reply.payload == ef01.encode(Packet(Pid.ACK, bytes([Confirmation.NO_FINGER])))


def test_an_enrolled_finger_is_found_in_its_slot() -> None:
    sensor = Ef01()
    sensor.enrol("alice", 7)
    _captured("alice", sensor)
    found = _ask(sensor, Instruction.SEARCH, 1, 0, 0, 3, 232)
    assert found[:3] == b"\x00\x00\x07"
    assert int.from_bytes(found[3:], "big") >= 80


def test_another_finger_is_not_found_and_the_answer_keeps_its_length() -> None:
    sensor = Ef01()
    sensor.enrol("alice", 7)
    _captured("mallory", sensor)
    reply = sensor.feed(ef01.command(Instruction.SEARCH, 1, 0, 0, 3, 232), 0)[0]
    assert reply.payload[9:14] == b"\x09\x00\x00\x00\x00"
    assert len(reply.payload) == 16


def test_search_looks_only_at_the_pages_asked_for() -> None:
    sensor = Ef01()
    sensor.enrol("alice", 7)
    _captured("alice", sensor)
    assert _ask(sensor, Instruction.SEARCH, 1, 0, 0, 0, 7)[0] == Confirmation.NOT_FOUND
    assert _ask(sensor, Instruction.SEARCH, 1, 0, 7, 0, 1)[0] == Confirmation.OK


def test_two_touches_of_one_finger_make_a_template_and_two_fingers_do_not() -> None:
    sensor = Ef01()
    _captured("alice", sensor, 1)
    _captured("alice", sensor, 2)
    assert _ask(sensor, Instruction.REG_MODEL) == b"\x00"
    assert _ask(sensor, Instruction.STORE, 1, 0, 3) == b"\x00"
    assert sensor.slots == [3]
    _captured("bob", sensor, 2)
    assert _ask(sensor, Instruction.REG_MODEL)[0] == Confirmation.MERGE_MISMATCH
    assert _ask(sensor, Instruction.MATCH)[0] == Confirmation.NO_MATCH


def test_features_without_an_image_are_code_15_hex() -> None:
    assert _ask(Ef01(), Instruction.IMG2TZ, 1)[0] == Confirmation.NO_IMAGE


def test_a_bad_sum_is_code_1_and_a_foreign_address_is_silence() -> None:
    frame = bytearray(ef01.command(Instruction.GET_IMAGE))
    frame[-1] ^= 1
    [reply] = Ef01().feed(bytes(frame), 0)
    assert reply.payload[9] == Confirmation.RECEIVE_ERROR
    assert Ef01().feed(ef01.command(Instruction.GET_IMAGE, address=1), 0) == []


def test_an_unknown_instruction_is_code_19_hex() -> None:
    [reply] = Ef01().feed(ef01.encode(Packet(Pid.COMMAND, b"\xee")), 0)
    assert reply.payload[9] == Confirmation.UNDEFINED


def test_a_password_locks_all_but_its_own_check() -> None:
    sensor = Ef01(password=0x11223344)
    assert _ask(sensor, Instruction.GET_IMAGE)[0] == Confirmation.PASSWORD_NEEDED
    wrong = _ask(sensor, Instruction.VERIFY_PASSWORD, 0, 0, 0, 0)
    assert wrong[0] == Confirmation.WRONG_PASSWORD
    assert _ask(sensor, Instruction.VERIFY_PASSWORD, 0x11, 0x22, 0x33, 0x44) == b"\x00"
    assert _ask(sensor, Instruction.GET_IMAGE)[0] == Confirmation.NO_FINGER


def test_parameters_and_index_have_the_lengths_fixed_readers_expect() -> None:
    sensor = Ef01()
    sensor.enrol("alice", 9)
    parameters = sensor.feed(ef01.command(Instruction.READ_SYS_PARA), 0)[0].payload
    index = sensor.feed(ef01.command(Instruction.INDEX_TABLE, 0), 0)[0].payload
    assert (len(parameters), len(index)) == (28, 44)
    assert index[10:12] == b"\x00\x02"  # slot 9 is bit 1 of the second byte
    assert _ask(sensor, Instruction.TEMPLATE_NUM) == b"\x00\x00\x01"


def test_a_new_rate_counts_after_its_acknowledgement() -> None:
    sensor = Ef01()
    [reply] = sensor.feed(ef01.command(Instruction.SET_SYS_PARA, 4, 12), 0)
    assert (reply.baud, sensor.baud) == (57_600, 115_200)


@pytest.mark.parametrize(("number", "value", "code"), [(4, 13, 0x1B), (5, 0, 0x1B), (7, 1, 0x1A)])
def test_wrong_parameters_are_refused(number: int, value: int, code: int) -> None:
    assert _ask(Ef01(), Instruction.SET_SYS_PARA, number, value)[0] == code


def test_an_image_leaves_in_data_packets_of_the_set_size() -> None:
    sensor = Ef01()
    sensor.place("alice")
    _ask(sensor, Instruction.GET_IMAGE)
    outputs = sensor.feed(ef01.command(Instruction.UP_IMAGE), 0)
    parser = ef01.PacketParser()
    packets = [packet for output in outputs for packet in parser.feed(output.payload)]
    assert all(isinstance(packet, Packet) for packet in packets)
    pieces = [packet for packet in packets[1:] if isinstance(packet, Packet)]
    assert sum(len(piece.payload) for piece in pieces) == ZFM20.image_bytes
    assert {len(piece.payload) for piece in pieces} == {128}
    assert pieces[-1].pid == Pid.END_OF_DATA


def test_a_template_sent_down_is_found_again() -> None:
    sensor = Ef01()
    sensor.enrol("alice", 1)
    assert _ask(sensor, Instruction.DOWN_CHAR, 1) == b"\x00"
    template = template_of("alice")
    for start in range(0, 512, 128):
        pid = Pid.END_OF_DATA if start == 384 else Pid.DATA
        sensor.feed(ef01.encode(Packet(pid, template[start : start + 128])), 0)
    assert _ask(sensor, Instruction.SEARCH, 1, 0, 0, 3, 232)[:3] == b"\x00\x00\x01"


def test_a_finger_needs_a_name_and_a_slot_within_the_library() -> None:
    with pytest.raises(CallerError):
        Ef01().place("")
    with pytest.raises(CallerError):
        Ef01().enrol("alice", 1000)
