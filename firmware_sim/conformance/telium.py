"""What a card PIN pad on Protocol E owes its cash register.

Nothing is paid here but in ``telium.card_is_approved``, 1.00 with a card of the tester's.
"""

from firmware_sim.conformance.check import Check, CheckFailedError, Person, Wire, expect
from protocol.framing import telium
from protocol.framing.telium import Answer, Ask, Control, Delay, Message, Result

_REPLY_S, _SILENCE_S, _PAYER_S = 1.0, 0.2, 60.0
_QUIET_S, _START_S = 0.02, 0.05
_FULL_BYTES, _SHORT_BYTES = telium.FULL_ANSWER_CHARS + 3, telium.SHORT_ANSWER_CHARS + 3
_ENQ, _ACK, _NAK, _EOT = (
    bytes([control]) for control in (Control.ENQ, Control.ACK, Control.NAK, Control.EOT)
)
_ASK = Ask(amount_minor=100, currency_number="978")
_BROKEN = telium.encode_ask(_ASK)[:-1] + bytes([telium.encode_ask(_ASK)[-1] ^ 0x01])


def _expect(wire: Wire, wanted: bytes, what: str, timeout_s: float = _REPLY_S) -> None:
    came = wire.receive(len(wanted), timeout_s)
    expect(came == wanted, f"{wanted.hex(' ')} ({what})", came)


def _enquire(wire: Wire) -> None:
    wire.drain(_QUIET_S)
    wire.send(_ENQ)
    _expect(wire, _ACK, "ENQ to an idle pin pad")


def _begin(wire: Wire, ask: Ask = _ASK) -> None:
    _enquire(wire)
    wire.send(telium.encode_ask(ask))
    _expect(wire, _ACK, "a sound ask")
    wire.send(_EOT)
    wire.pause(_START_S)


def _begin_and_cancel(wire: Wire, person: Person, ask: Ask = _ASK) -> None:
    _begin(wire, ask)
    person.do("cancel")
    _expect(wire, _ENQ, "the pin pad's call after the red key", _PAYER_S)


def _answer(wire: Wire, size: int = _FULL_BYTES) -> tuple[bytes, Answer]:
    """The answer after our ACK, checked for its form; the line is still the pin pad's. Who is asked
    to press a key may say so late: the pin pad has then called more than once."""
    late = wire.drain(_QUIET_S)
    expect(set(late) <= set(_ENQ), "only further calls before our ACK", late)
    wire.send(_ACK)
    frame = wire.receive(size, _REPLY_S)
    items = telium.LineParser().feed(frame)
    if len(frame) != size or len(items) != 1 or not isinstance(items[0], Message):
        raise CheckFailedError(f"an answer of {size} bytes", f"{len(frame)} bytes")
    return frame, telium.parse_answer(items[0].text)


def _finish(wire: Wire) -> None:
    wire.send(_ACK)
    _expect(wire, _EOT, "the end after our ACK")


def _refused(answer: Answer, ask: Ask = _ASK) -> None:
    said = (answer.result, answer.pos, answer.amount_minor, answer.currency_number)
    wanted = (Result.REFUSED, ask.pos, ask.amount_minor, ask.currency_number)
    expect(said == wanted, f"{wanted}", f"{said}")


def _enquiry(wire: Wire, _: Person) -> None:
    _enquire(wire)
    wire.send(_EOT)


def _freed(wire: Wire, person: Person) -> None:
    _enquiry(wire, person)
    _enquiry(wire, person)


def _noise(wire: Wire, _: Person) -> None:
    wire.drain(_QUIET_S)
    wire.send(b"\xff\x00\x7f" + _ENQ)
    _expect(wire, _ACK, "ENQ behind noise")
    wire.send(_EOT)


def _twice(wire: Wire, _: Person) -> None:
    _enquire(wire)
    wire.send(_ENQ)
    _expect(wire, _ACK, "ENQ again, as after a lost ACK")
    wire.send(_EOT)


def _broken_ask(wire: Wire, _: Person) -> None:
    _enquire(wire)
    wire.send(_BROKEN)
    _expect(wire, _NAK, "an ask with a wrong LRC")
    wire.send(_EOT)


def _mended_ask(wire: Wire, person: Person) -> None:
    _enquire(wire)
    wire.send(_BROKEN)
    _expect(wire, _NAK, "an ask with a wrong LRC")
    wire.send(telium.encode_ask(_ASK))
    _expect(wire, _ACK, "the sound ask after it")
    wire.send(_EOT)
    wire.pause(_START_S)
    person.do("cancel")
    _expect(wire, _ENQ, "the pin pad's call after the red key", _PAYER_S)
    _refused(_answer(wire)[1])
    _finish(wire)


def _no_ask(wire: Wire, _: Person) -> None:
    _enquire(wire)
    wire.send(telium.encode(b"HELLO"))
    came = wire.receive(1, _REPLY_S)
    wire.send(_EOT)
    expect(came != _ACK, "NAK or silence", came)


def _unannounced(wire: Wire, _: Person) -> None:
    wire.drain(_QUIET_S)
    wire.send(telium.encode_ask(_ASK))
    came = wire.receive(1, _SILENCE_S)
    expect(came != _ACK, "NAK or silence", came)


def _at_once(wire: Wire, _: Person) -> None:
    _begin(wire, Ask(amount_minor=100, currency_number="978", delay=Delay.AT_ONCE))
    _expect(wire, _ENQ, "the pin pad's call at once")
    answer = _answer(wire)[1]
    _finish(wire)
    is_open = answer.result is not Result.APPROVED
    expect(is_open, "an answer that says nothing of the payment", answer.result.name)


def _full(wire: Wire, person: Person) -> None:
    _begin_and_cancel(wire, person)
    answer = _answer(wire)[1]
    _refused(answer)
    _finish(wire)


def _short(wire: Wire, person: Person) -> None:
    ask = Ask(amount_minor=12_345, currency_number="978", pos=42, is_full=False)
    _begin_and_cancel(wire, person, ask)
    answer = _answer(wire, _SHORT_BYTES)[1]
    _refused(answer, ask)
    _finish(wire)


def _repeated(wire: Wire, person: Person) -> None:
    _begin_and_cancel(wire, person)
    first = _answer(wire)[0]
    wire.send(_NAK)
    _expect(wire, first, "the same answer after NAK")
    _finish(wire)


def _called_again(wire: Wire, person: Person) -> None:
    _begin_and_cancel(wire, person)
    _expect(wire, _ENQ, "a second call to a register that kept silent", 10.0)
    _answer(wire)
    _finish(wire)


def _busy(wire: Wire, person: Person) -> None:
    _begin(wire)
    wire.send(_ENQ)
    came = wire.receive(1, _REPLY_S)
    person.do("cancel")
    _expect(wire, _ENQ, "the pin pad's call after the red key", _PAYER_S)
    _answer(wire)
    _finish(wire)
    expect(came != _ACK, "NAK or silence while a payment is under way", came)


def _approved(wire: Wire, person: Person) -> None:
    _begin(wire)
    person.do("present", card="visa", by="contactless")
    _expect(wire, _ENQ, "the pin pad's call after the card", _PAYER_S)
    answer = _answer(wire)[1]
    _finish(wire)
    is_paid = (answer.result, answer.amount_minor) == (Result.APPROVED, _ASK.amount_minor)
    expect(is_paid, "1.00 approved", answer.result.name)
    card = telium.masked_report(answer.report or "")
    expect(bool(card), "a card number in the full answer", "none")


CHECKS = (
    Check("telium.enquiry", "ENQ is acknowledged", "Protocol E, opening", _enquiry),
    Check("telium.freed", "EOT gives the line back", "Protocol E, closing", _freed),
    Check("telium.enquiry_twice", "ENQ may be repeated", "Protocol E, opening", _twice),
    Check("telium.noise", "noise before ENQ is ignored", "Protocol E, opening", _noise),
    Check("telium.broken_ask", "a wrong LRC gets NAK", "Protocol E, transfer", _broken_ask),
    Check("telium.no_ask", "what is no ask is not taken", "Protocol E, ask", _no_ask),
    Check("telium.unannounced", "no ask without ENQ", "Protocol E, opening", _unannounced),
    Check("telium.at_once", "A011 is answered without a card", "Protocol E, delay", _at_once),
    Check(
        "telium.mended_ask",
        "a broken ask may be sent again",
        "Protocol E, transfer",
        _mended_ask,
        needs_person=True,
    ),
    Check(
        "telium.full_answer",
        "a full answer has 83 bytes and repeats the ask",
        "Protocol E, answer",
        _full,
        needs_person=True,
    ),
    Check(
        "telium.short_answer",
        "a short answer has 28 bytes and repeats the ask",
        "Protocol E, answer",
        _short,
        needs_person=True,
    ),
    Check(
        "telium.answer_again",
        "NAK repeats the answer",
        "Protocol E, transfer",
        _repeated,
        needs_person=True,
    ),
    Check(
        "telium.call_again",
        "an ENQ that nobody hears is repeated",
        "Protocol E, opening",
        _called_again,
        needs_person=True,
    ),
    Check("telium.busy", "one payment at a time", "Protocol E, opening", _busy, needs_person=True),
    Check(
        "telium.card_is_approved",
        "a card pays 1.00",
        "Protocol E, result",
        _approved,
        needs_person=True,
    ),
)
