"""Checks of a prepaid meter: its register map (``docs/devices.md``) over Modbus RTU. They know no
key: one wrong token is tried, which leaves four before the meter locks; nothing is added."""

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
from protocol.framing import modbus
from protocol.framing import paymeter as at
from protocol.framing.gate import number, words
from protocol.framing.modbus import Refusal

MINUTE_S = 61.0
WRONG_TOKEN = 1


def _registers(wire: Wire) -> tuple[int, ...]:
    answer = ask(wire, modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, 0, at.REGISTERS))
    found = modbus.registers_of(answer)
    expect(len(found) == at.REGISTERS, f"{at.REGISTERS} registers", answer.data)
    return found


def _tells(wire: Wire) -> None:
    found = _registers(wire)
    expect(found[at.REGISTER_RESULT] < len(at.RESULTS), "a known result", found[3])
    is_on = bool(found[at.REGISTER_IS_ON])
    expect(is_on or number(*found[:2]) == 0, "power while there is credit", found[4])


def _counts_down(wire: Wire) -> None:
    before = number(*_registers(wire)[:2])
    wire.pause(MINUTE_S)
    after = number(*_registers(wire)[:2])
    wanted = {max(before - 1, 0), max(before - 2, 0)}
    expect(after in wanted, "a minute less", after)


def _half(wire: Wire) -> None:
    refused(wire, modbus.write_registers(UNIT, at.HOLDING_TOKEN, [1]), Refusal.VALUE)


def _wrong(wire: Wire) -> None:
    before = _registers(wire)
    ask(wire, modbus.write_registers(UNIT, at.HOLDING_TOKEN, words(WRONG_TOKEN)))
    after = _registers(wire)
    expect(after[at.REGISTER_RESULT] in {at.WRONG, at.LOCKED}, "wrong", after[3])
    expect(after[at.REGISTER_COUNT] == before[at.REGISTER_COUNT], "the same count", after[2])


def _addresses(wire: Wire) -> None:
    past = modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, at.REGISTERS, 1)
    refused(wire, past, Refusal.ADDRESS)
    refused(wire, modbus.write_coil(UNIT, 0, is_on=True), Refusal.FUNCTION)


def _part(wire: Wire) -> None:
    whole = _registers(wire)
    asked = modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, at.REGISTER_COUNT, 1)
    part = modbus.registers_of(ask(wire, asked))
    expect(part == whole[at.REGISTER_COUNT : at.REGISTER_COUNT + 1], "the same count", str(part))


def _none(wire: Wire) -> None:
    refused(wire, modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, 0, 0), Refusal.VALUE)


_check = partial(unit_check, "paymeter")
CHECKS = (
    _check("registers", "tells credit, count, result, power", "register map", _tells),
    _check("counts_down", "credit goes by with time", "register map", _counts_down),
    _check("half", "takes no half of a token", "register map", _half),
    _check("wrong", "a wrong token adds nothing", "OpenPAYGO Token 2.3", _wrong),
    _check("unit", "is silent for another unit", "serial §2.2", lets_others_answer),
    _check("crc", "bears a damaged frame", "serial §2.5.1.1", bears_damage),
    _check("function", "refuses another function", "V1.1b3 §7", refuses_unknown_function),
    _check("part", "tells one register by itself", "V1.1b3 §6.4", _part),
    _check("none", "refuses to read nothing", "V1.1b3 §7, 03", _none),
    _check("address", "refuses what it does not have", "V1.1b3 §7", _addresses),
)
