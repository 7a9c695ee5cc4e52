"""Goal: the PIN pad's driver never guesses: what it calls approved is paid, what it calls declined
or refuses with an error is not, whatever the line does.

Method: the simulated pin pad in virtual time; each byte lost and many bits flipped, both ways.
"""

import threading
from collections.abc import Callable

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.telium import Entry, TeliumPinPad
from firmware_sim.devices.telium_bank import BankLine
from protocol.errors import CallerError, OperatingError, TillwayError
from protocol.framing import telium
from protocol.framing.telium import Ask, Kind
from terminal.adapters import serial_worker, telium_pinpad
from terminal.adapters.serial_worker import AbandonedError, Dialogue
from terminal.adapters.telium_pinpad import _Attempt, _check
from terminal.ports import CardOutcome
from tests.kit.drivers import Opened
from tests.kit.virtual_port import Spoil, VirtualPort, flip, lose, noise

ASK = Ask(amount_minor=1_280, currency_number="156")
APPROVED = CardOutcome("approved", "411111******1111", "000001")
TIMEOUT_S = 25
ENDS_WITHIN_MS = 45_000


class _Counter:
    """A pin pad on a line, with a payer who holds a card to it after two seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, card: str = "visa") -> None:
        self.pinpad = TeliumPinPad()
        self.port = VirtualPort(self.pinpad)
        self.port.rule(monkeypatch, telium_pinpad, serial_worker)
        self.port.at(2_000, lambda now_ms: self._present(card, now_ms))
        self.attempt = _Attempt(ASK)

    def _present(self, card: str, now_ms: int) -> list[Output]:
        try:
            return self.pinpad.present(card, Entry.CONTACTLESS, now_ms)
        except CallerError:
            return []  # the pin pad never asked for it

    def pay(self) -> CardOutcome:
        """As the driver does on the port's thread and in the loop together."""
        try:
            return self.attempt.run(TIMEOUT_S, Dialogue(self.port, threading.Event()))
        except (OperatingError, OSError) as error:
            if self.attempt.give_up():
                raise
            return CardOutcome("unknown", why=getattr(error, "code", "device_disconnected"))


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> _Counter:
    """A counter whose payer pays."""
    return _Counter(monkeypatch)


def test_a_payment_is_approved_with_its_card_masked(counter: _Counter) -> None:
    assert counter.pay() == APPROVED


def test_a_refused_card_is_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = _Counter(monkeypatch, card="poor")
    no = CardOutcome("declined", "400000******9995", why="card_not_approved")
    assert counter.pay() == no


def test_an_unverified_answer_and_no_answer_are_unknown(counter: _Counter) -> None:
    counter.pinpad.set_bank(BankLine.SILENT)
    assert counter.pay().result == "unknown"


def test_a_payer_who_never_comes_is_declined_by_the_pin_pad_or_unknown_to_us(
    counter: _Counter,
) -> None:
    counter.port._people.clear()
    assert counter.pay() == CardOutcome("unknown", why="device_no_reply")
    assert counter.port.now_ms <= ENDS_WITHIN_MS


def _is_true(counter: _Counter, outcome: CardOutcome | TillwayError) -> bool:
    has_paid = counter.pinpad.bank.agreed > 0
    if isinstance(outcome, CardOutcome) and outcome.result == "unknown":
        return True
    if isinstance(outcome, CardOutcome) and outcome.result == "approved":
        return has_paid and outcome == APPROVED
    return not has_paid


def _outcome(counter: _Counter) -> CardOutcome | TillwayError:
    try:
        return counter.pay()
    except TillwayError as error:
        return error


@pytest.mark.parametrize("way", ["to_device", "to_host"])
@pytest.mark.parametrize(
    "spoils",
    [
        lambda place: [lose(place)],
        lambda place: [flip(place, bit) for bit in (0, 1, 4, 7)],
        lambda place: [noise(place)],
    ],
    ids=["lost", "flipped", "noise"],
)
def test_one_spoiled_byte_anywhere_never_makes_a_wrong_outcome(
    monkeypatch: pytest.MonkeyPatch, way: str, spoils: Callable[[int], list[Spoil]]
) -> None:
    not_approved = set()
    for place in range(42 if way == "to_device" else 87):
        for spoil in spoils(place):
            counter = _Counter(monkeypatch)
            setattr(counter.port, way, spoil)
            outcome = _outcome(counter)
            assert _is_true(counter, outcome), (place, outcome)
            assert counter.port.now_ms <= ENDS_WITHIN_MS
            if outcome != APPROVED:
                not_approved.add(place)
    assert len(not_approved) <= 1  # only our EOT, which nothing answers


def test_a_slow_line_is_understood(counter: _Counter) -> None:
    counter.port.byte_ms = 50
    assert counter.pay() == APPROVED


def test_a_silent_pin_pad_is_an_error_and_a_busy_one_too(counter: _Counter) -> None:
    counter.port.to_host = lambda place, value: ()
    with pytest.raises(OperatingError, match="device_no_reply"):
        counter.pay()
    counter.port.to_host = lambda place, value: (value,)
    counter.pinpad.feed(b"\x05" + telium.encode_ask(ASK) + b"\x04", 0)
    with pytest.raises(OperatingError, match="busy"):
        _check(Dialogue(counter.port, threading.Event()))


def test_an_ask_that_never_arrives_whole_is_an_error_and_nothing_is_paid(counter: _Counter) -> None:
    counter.port.to_device = lambda place, value: (value ^ 1,) if value == 0x31 else (value,)
    outcome = _outcome(counter)
    assert _is_true(counter, outcome)
    assert counter.pinpad.bank.agreed == 0


def test_a_plug_pulled_at_any_time_is_an_error_unknown_or_already_approved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: set[str] = set()
    for at_ms in [*range(0, 60, 3), 1_000, *range(2_600, 3_000, 10)]:
        counter = _Counter(monkeypatch)
        counter.port.cut_at = at_ms
        try:
            seen.add(counter.pay().result)
        except OSError:
            assert counter.pinpad.ask is None
            seen.add("error")
    assert seen == {"error", "unknown", "approved"}


def test_an_answer_to_another_ask_is_unknown(counter: _Counter) -> None:
    counter.attempt = _Attempt(Ask(amount_minor=1_280, currency_number="156", kind=Kind.REFUND))
    ask = counter.pinpad.present

    def present(card: str, by: Entry, now_ms: int) -> list[Output]:
        counter.pinpad._ask = Ask(amount_minor=1_290, currency_number="156")
        return ask(card, by, now_ms)

    counter._present = lambda card, now_ms: present(card, Entry.CONTACTLESS, now_ms)  # type: ignore[method-assign]
    assert counter.pay() == CardOutcome("unknown", why="device_bad_frame")


def test_what_was_given_up_is_not_sent(counter: _Counter) -> None:
    assert counter.attempt.give_up()
    with pytest.raises(AbandonedError):
        counter.pay()
    assert counter.pinpad.ask is None


@pytest.mark.asyncio
async def test_an_amount_or_a_currency_that_cannot_be_said_is_the_callers_mistake() -> None:
    async with Opened() as opened:
        driver = opened(
            telium_pinpad.TeliumPinPad("", open_port=lambda: VirtualPort(TeliumPinPad()))
        )
        with pytest.raises(CallerError, match="currency_unsupported"):
            await driver.pay(1_280, "JPY", timeout_s=1)
        with pytest.raises(CallerError, match="amount_invalid"):
            await driver.refund(99, "CNY", timeout_s=1)
