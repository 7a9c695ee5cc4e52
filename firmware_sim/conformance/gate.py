"""Checks of a car park's exit: Modbus RTU as the application protocol V1.1b3 says, and the exit's
own register map (``docs/devices.md``). They raise no arm and move no clock."""

from functools import partial

from firmware_sim.conformance.check import Wire, expect
from firmware_sim.conformance.modbus_asking import (
    UNIT,
    ask,
    bears_damage,
    lets_others_answer,
    refused,
    refuses_unknown_function,
    unit_check,
)
from protocol.framing import gate as at
from protocol.framing import modbus
from protocol.framing.modbus import Adu, Refusal


def _inputs(wire: Wire) -> None:
    answer = ask(wire, modbus.read(UNIT, modbus.READ_INPUTS, 0, at.INPUTS))
    expect(answer.data[:1] == b"\x01", "one byte of bits", answer.data)
    is_up, is_down = modbus.bit_of(answer, at.INPUT_UP), modbus.bit_of(answer, at.INPUT_DOWN)
    expect(not (is_up and is_down), "an arm that is not up and down at once", answer.data)


def _registers(wire: Wire) -> None:
    answer = ask(wire, modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, 0, at.REGISTERS))
    found = modbus.registers_of(answer)
    expect(len(found) == at.REGISTERS, f"{at.REGISTERS} registers", answer.data)
    part = ask(wire, modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, at.REGISTER_TAG, 2))
    expect(modbus.registers_of(part) == found[:2], "the same tag by itself", part.data)


def _clock_runs(wire: Wire) -> None:
    asked = modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, at.REGISTER_CLOCK, 2)
    first = modbus.registers_of(ask(wire, asked))
    wire.pause(2.1)
    later = modbus.registers_of(ask(wire, asked))
    gone_s = (later[0] - first[0] << 16) + later[1] - first[1]
    expect(1 <= gone_s <= 4, "2 seconds later", gone_s)


def _addresses(wire: Wire) -> None:
    refused(wire, modbus.read(UNIT, modbus.READ_INPUTS, at.INPUTS, 1), Refusal.ADDRESS)
    past = modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, at.REGISTERS - 1, 2)
    refused(wire, past, Refusal.ADDRESS)
    refused(wire, modbus.write_coil(UNIT, 9, is_on=True), Refusal.ADDRESS)


def _counts(wire: Wire) -> None:
    refused(wire, modbus.read(UNIT, modbus.READ_INPUTS, 0, 0), Refusal.VALUE)
    much = modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, 0, modbus.REGISTERS_MAX + 1)
    refused(wire, much, Refusal.VALUE)


def _coil_value(wire: Wire) -> None:
    refused(wire, Adu(UNIT, modbus.WRITE_COIL, b"\x00\x00\x12\x34"), Refusal.VALUE)


def _raises_for_nobody(wire: Wire) -> None:
    down = ask(wire, modbus.read(UNIT, modbus.READ_INPUTS, 0, at.INPUTS))
    if modbus.bit_of(down, at.INPUT_CAR):
        return  # somebody stands there: nothing is tried on people
    refused(wire, modbus.write_coil(UNIT, at.COIL_RAISE, is_on=True), Refusal.VALUE)


_check = partial(unit_check, "gate")
CHECKS = (
    _check("inputs", "tells its inputs", "V1.1b3 §6.2", _inputs),
    _check("registers", "tells its registers, whole and in part", "V1.1b3 §6.4", _registers),
    _check("clock", "its clock runs", "register map", _clock_runs),
    _check("function", "refuses another function", "V1.1b3 §7, 01", refuses_unknown_function),
    _check("address", "refuses an address it does not have", "V1.1b3 §7, 02", _addresses),
    _check("count", "refuses no register, and too many", "V1.1b3 §7, 03", _counts),
    _check("coil", "knows two values of a coil", "V1.1b3 §6.5", _coil_value),
    _check("nobody", "raises its arm for nobody", "register map", _raises_for_nobody),
    _check("crc", "bears a damaged frame", "serial §2.5.1.1", bears_damage),
    _check("unit", "is silent for another unit", "serial §2.2", lets_others_answer),
)
