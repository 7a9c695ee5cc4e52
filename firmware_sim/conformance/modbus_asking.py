"""How a check asks a Modbus RTU unit."""

from collections.abc import Callable

from firmware_sim.conformance.check import Check, Person, Wire, expect
from protocol.framing import modbus
from protocol.framing.modbus import Adu, Refusal

UNIT = 1
REPLY_S = 1.0
QUIET_S = 0.2
FUNCTION_UNKNOWN = 0x2B
_READ = modbus.read(UNIT, modbus.READ_INPUT_REGISTERS, 0, 1)


def _hear(wire: Wire) -> Adu | None:
    parser = modbus.FrameParser("response")
    while byte := wire.receive(1, REPLY_S):
        for item in parser.feed(byte):
            if isinstance(item, Adu):
                return item
    return None


def ask(wire: Wire, asked: Adu) -> Adu:
    """The answer to a request."""
    wire.drain(0.05)
    wire.send(modbus.encode(asked))
    answer = _hear(wire)
    expect(answer is not None, "an answer", b"")
    assert answer is not None
    expect(answer.unit == asked.unit, f"unit {asked.unit}", answer.unit)
    return answer


def refused(wire: Wire, asked: Adu, code: Refusal) -> None:
    """Expect a request to be refused."""
    answer = ask(wire, asked)
    expect(answer.refusal == code, f"exception {code:02x}", modbus.encode(answer))


def refuses_unknown_function(wire: Wire) -> None:
    """V1.1b3 §7, 01."""
    refused(wire, Adu(UNIT, FUNCTION_UNKNOWN, b"\x0e\x01\x00"), Refusal.FUNCTION)


def bears_damage(wire: Wire) -> None:
    """Serial line §2.5.1.1: silent after a damaged frame, and well again."""
    frame = modbus.encode(_READ)
    wire.drain(0.05)
    wire.send(frame[:-1] + bytes((frame[-1] ^ 1,)))
    came = wire.receive(1, QUIET_S)
    expect(not came, "silence", came)
    ask(wire, _READ)


def lets_others_answer(wire: Wire) -> None:
    """Serial line §2.2: silent for another unit."""
    wire.drain(0.05)
    wire.send(modbus.encode(modbus.read(UNIT + 1, modbus.READ_INPUT_REGISTERS, 0, 1)))
    came = wire.receive(1, QUIET_S)
    expect(not came, "silence", came)


def unit_check(kind: str, name: str, title: str, clause: str, run: Callable[[Wire], None]) -> Check:
    """A check that needs nobody beside the device."""

    def alone(wire: Wire, person: Person) -> None:
        del person
        run(wire)

    return Check(f"{kind}.{name}", title, clause, alone)
