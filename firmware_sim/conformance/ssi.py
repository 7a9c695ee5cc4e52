"""Checks of a scan engine with SSI (Zebra, Simple Serial Interface Programmer's Guide 72E-40451).

The engine is put into host mode with packeted data for each check that needs it, without the
permanent bit, and gets its own parameters back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from firmware_sim.conformance.check import NOTHING, Check, CheckFailedError, Person, Wire, expect
from protocol.framing import ssi
from protocol.framing.ssi import Opcode, Packet, Parameter, Reason

REPLY_S = 1.0
QUIET_S = 0.3
CODE = "TILLWAY-CHECK-0001"
READ_S = 3.0
_ACK = Packet(Opcode.ACK, source=ssi.DECODER)
_HEAD_BYTES = 2
_USED = (
    Parameter.TRIGGER_MODE, Parameter.PACKETED, Parameter.SESSION_TIME, Parameter.RESPONSE_TIME,
)  # fmt: skip


def _receive(wire: Wire, timeout_s: float = REPLY_S) -> Packet | None:
    """One packet of the engine; ``None`` for silence. Fails the check for anything else."""
    head = wire.receive(_HEAD_BYTES, timeout_s)
    if not head:
        return None
    expect(len(head) == _HEAD_BYTES, "a packet", head)
    rest = wire.receive(head[0], REPLY_S)
    heard = ssi.PacketParser(ssi.DECODER).feed(head + rest)
    is_whole = len(heard) == 1 and isinstance(heard[0], Packet)
    expect(is_whole, "one packet with its checksum", head + rest)
    assert isinstance(heard[0], Packet)
    return heard[0]


def _ask(wire: Wire, packet: Packet) -> Packet:
    wire.drain(0.02)
    wire.send(ssi.encode(packet))
    answer = _receive(wire)
    if answer is None:
        raise CheckFailedError(f"an answer to {packet.opcode:02x}", NOTHING)
    return answer


def _order(wire: Wire, packet: Packet) -> None:
    answer = _ask(wire, packet)
    expect(answer == _ACK, "an acknowledgement", ssi.encode(answer))


def _read(wire: Wire, number: int) -> int:
    answer = _ask(wire, ssi.ask_parameter(number))
    wire.send(ssi.encode(Packet(Opcode.ACK)))
    values = ssi.read_parameters(answer.data) or {}
    is_told = answer.opcode == Opcode.PARAM_SEND and list(values) == [number]
    expect(is_told, f"parameter {number:02x} in a PARAM_SEND", ssi.encode(answer))
    return values[number]


def _set(wire: Wire, number: int, value: int) -> None:
    _order(wire, ssi.set_parameter(number, value))


@contextmanager
def _in_host_mode(wire: Wire) -> Iterator[None]:
    """The engine as the host's, for a while."""
    before = {number: _read(wire, number) for number in _USED}
    try:
        _set(wire, Parameter.PACKETED, 1)
        _set(wire, Parameter.TRIGGER_MODE, ssi.TRIGGER_HOST)
        yield
    finally:
        wire.drain(QUIET_S)
        wire.send(ssi.encode(Packet(Opcode.STOP_SESSION)))
        wire.drain(QUIET_S)
        for number, value in before.items():
            _set(wire, number, value)


def _refusal(wire: Wire, packet: Packet) -> Reason | None:
    answer = _ask(wire, packet)
    is_nak = answer.opcode == Opcode.NAK and answer.data[:1] != b""
    return Reason(answer.data[0]) if is_nak and answer.data[0] in set(Reason) else None


def _acknowledges(wire: Wire, _: Person) -> None:
    _order(wire, Packet(Opcode.SCAN_ENABLE))


def _says_its_revision(wire: Wire, _: Person) -> None:
    answer = _ask(wire, Packet(Opcode.REQUEST_REVISION))
    wire.send(ssi.encode(Packet(Opcode.ACK)))
    is_told = answer.opcode == Opcode.REPLY_REVISION and bool(answer.data)
    expect(is_told, "a REPLY_REVISION with a text", ssi.encode(answer))


def _tells_a_parameter(wire: Wire, _: Person) -> None:
    _read(wire, Parameter.TRIGGER_MODE)


def _keeps_what_is_set(wire: Wire, _: Person) -> None:
    before = _read(wire, Parameter.SESSION_TIME)
    wanted = 20 if before != 20 else 25
    try:
        _set(wire, Parameter.SESSION_TIME, wanted)
        kept = _read(wire, Parameter.SESSION_TIME)
        expect(kept == wanted, str(wanted), kept)
    finally:
        _set(wire, Parameter.SESSION_TIME, before)


def _asks_again_for_damage(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    raw = bytearray(ssi.encode(Packet(Opcode.SCAN_ENABLE)))
    raw[-1] ^= 0x01
    wire.send(bytes(raw))
    answer = _receive(wire)
    came = b"" if answer is None else ssi.encode(answer)
    is_resend = answer is not None and answer.opcode == Opcode.NAK and answer.data[:1] == b"\x01"
    expect(is_resend, "NAK with reason 1 (resend)", came)


def _refuses_what_it_does_not_know(wire: Wire, _: Person) -> None:
    reason = _refusal(wire, Packet(Opcode.REPLY_REVISION))
    expect(reason in (Reason.BAD_CONTEXT, Reason.DENIED), "NAK with reason 2 or 6", str(reason))


def _hears_behind_a_wake_byte(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(ssi.WAKE)
    wire.pause(0.06)
    _order(wire, Packet(Opcode.SCAN_ENABLE))


def _forgets_an_unfinished_packet(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(ssi.encode(Packet(Opcode.SCAN_ENABLE))[:4])
    wire.pause(2.5)
    _order(wire, Packet(Opcode.SCAN_ENABLE))


def _sleeps_and_wakes(wire: Wire, _: Person) -> None:
    _order(wire, Packet(Opcode.SLEEP))
    wire.pause(0.2)
    wire.send(ssi.WAKE)
    wire.pause(0.1)
    _order(wire, Packet(Opcode.SCAN_ENABLE))


def _lights_its_led(wire: Wire, _: Person) -> None:
    _order(wire, Packet(Opcode.LED_ON, b"\x01"))
    _order(wire, Packet(Opcode.LED_OFF, b"\x01"))


def _takes_an_order_twice(wire: Wire, _: Person) -> None:
    again = Packet(Opcode.SCAN_ENABLE, status=ssi.STATUS_RESENT)
    _order(wire, Packet(Opcode.SCAN_ENABLE))
    _order(wire, again)


def _denies_while_disabled(wire: Wire, _: Person) -> None:
    with _in_host_mode(wire):
        try:
            _order(wire, Packet(Opcode.SCAN_DISABLE))
            reason = _refusal(wire, Packet(Opcode.START_SESSION))
            expect(reason is Reason.DENIED, "NAK with reason 6 (denied)", str(reason))
        finally:
            _order(wire, Packet(Opcode.SCAN_ENABLE))


def _starts_and_stops(wire: Wire, _: Person) -> None:
    with _in_host_mode(wire):
        _order(wire, Packet(Opcode.START_SESSION))
        _order(wire, Packet(Opcode.STOP_SESSION))


def _start_and_receive(wire: Wire, person: Person) -> Packet:
    person.do("present", text=CODE)
    _order(wire, Packet(Opcode.START_SESSION))
    packet = _receive(wire, READ_S)
    if packet is None:
        raise CheckFailedError(CODE, NOTHING)
    return packet


def _tells_a_code(wire: Wire, person: Person) -> None:
    with _in_host_mode(wire):
        packet = _start_and_receive(wire, person)
        wire.send(ssi.encode(Packet(Opcode.ACK)))
        is_code = packet.opcode == Opcode.DECODE_DATA and packet.data[1:] == CODE.encode()
        expect(is_code, f"DECODE_DATA with {CODE}", ssi.encode(packet))
        more = wire.receive(1, READ_S)
        expect(more == b"", "silence after the acknowledgement", more)


def _tells_a_code_again(wire: Wire, person: Person) -> None:
    with _in_host_mode(wire):
        _set(wire, Parameter.RESPONSE_TIME, 5)
        packet = _start_and_receive(wire, person)
        again = _receive(wire, 2.0)
        wire.send(ssi.encode(Packet(Opcode.ACK)))
        came = b"" if again is None else ssi.encode(again)
        is_again = again is not None and (again.data, again.status & 1) == (packet.data, 1)
        expect(is_again, "the same packet with the resent bit, after 0.5 s", came)


def _tells_a_code_at_request(wire: Wire, person: Person) -> None:
    with _in_host_mode(wire):
        packet = _start_and_receive(wire, person)
        wire.send(ssi.encode(ssi.nak(Reason.RESEND, source=ssi.HOST)))
        again = _receive(wire)
        wire.send(ssi.encode(Packet(Opcode.ACK)))
        came = b"" if again is None else ssi.encode(again)
        expect(again is not None and again.data == packet.data, "the same packet at once", came)


def _check(name: str, title: str, clause: str, run: Callable[[Wire, Person], None]) -> Check:
    return Check(f"ssi.{name}", title, f"72E-40451, {clause}", run)


def _by_hand(check: Check) -> Check:
    return replace(check, needs_person=True)


CHECKS = (
    _check("ack", "acknowledges an order", "CMD_ACK", _acknowledges),
    _check("revision", "says its revision", "REPLY_REVISION", _says_its_revision),
    _check("parameter", "tells a parameter", "PARAM_REQUEST", _tells_a_parameter),
    _check("set", "keeps what is set", "PARAM_SEND", _keeps_what_is_set),
    _check("checksum", "asks again at a wrong checksum", "CMD_NAK", _asks_again_for_damage),
    _check("unknown", "refuses what no host says", "CMD_NAK", _refuses_what_it_does_not_know),
    _check("wake_byte", "hears behind a wake byte", "WAKEUP", _hears_behind_a_wake_byte),
    _check("unfinished", "forgets half a packet", "time-outs", _forgets_an_unfinished_packet),
    _check("resent", "takes an order sent again", "packet format", _takes_an_order_twice),
    _check("sleep", "sleeps and is woken", "SLEEP", _sleeps_and_wakes),
    _check("led", "switches its LED", "LED_ON, LED_OFF", _lights_its_led),
    _check("disabled", "starts nothing while disabled", "SCAN_DISABLE", _denies_while_disabled),
    _check("session", "starts and stops a session", "START_SESSION", _starts_and_stops),
    _by_hand(_check("code", "tells a code once", "DECODE_DATA", _tells_a_code)),
    _by_hand(_check("silence", "tells it again in silence", "retries", _tells_a_code_again)),
    _by_hand(_check("resend", "tells it again at request", "CMD_NAK", _tells_a_code_at_request)),
)  # fmt: skip
