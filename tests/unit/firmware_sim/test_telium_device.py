"""Goal: the simulated PIN pad keeps Protocol E and decides as cards, PINs and the bank say."""

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.telium import (
    ANSWER_WAIT_MS,
    BANK_MS,
    BANK_SILENCE_MS,
    CARD_WAIT_MS,
    HELD_MS,
    LINK_SILENCE_MS,
    TRANSITIONS,
    Entry,
    Phase,
    PinPadProfile,
    TeliumPinPad,
)
from firmware_sim.devices.telium_bank import BankLine
from protocol.errors import CallerError
from protocol.framing import telium
from protocol.framing.telium import Answer, Ask, Control, Message, Result

EOT, ENQ, ACK, NAK = (bytes([control]) for control in Control)
ASK = Ask(amount_minor=1_280, currency_number="156")
LARGE = Ask(amount_minor=50_000, currency_number="156")


def _said(outputs: list[Output]) -> bytes:
    return b"".join(output.payload for output in outputs)


def _asked(ask: Ask = ASK, profile: PinPadProfile | None = None) -> TeliumPinPad:
    """A pin pad that has taken an ask at time 0."""
    pinpad = TeliumPinPad(profile or PinPadProfile())
    assert _said(pinpad.feed(ENQ, 0)) == ACK
    assert _said(pinpad.feed(telium.encode_ask(ask), 0)) == ACK
    pinpad.feed(EOT, 0)
    return pinpad


def _answer(pinpad: TeliumPinPad, now_ms: int) -> Answer:
    """Take the answer as a register does."""
    frame = _said(pinpad.feed(ACK, now_ms))
    [message] = telium.LineParser().feed(frame)
    assert isinstance(message, Message)
    assert _said(pinpad.feed(ACK, now_ms)) == EOT
    return telium.parse_answer(message.text)


def test_a_small_contactless_payment_is_approved_without_a_pin() -> None:
    pinpad = _asked()
    assert pinpad.display == "PRESENT CARD 12.80"
    assert pinpad.present("visa", Entry.CONTACTLESS, 1000) == []
    assert pinpad.next_deadline_ms() == 1000 + BANK_MS
    assert _said(pinpad.poll(1000 + BANK_MS)) == ENQ
    answer = _answer(pinpad, 3000)
    assert answer.result is Result.APPROVED
    assert (answer.amount_minor, answer.currency_number, answer.pos) == (1280, "156", 1)
    assert answer.report == "4111111111111111".ljust(55)
    assert answer.private == "000001    "
    assert pinpad.bank.funds_minor("visa") == 1_000_000 - 1_280
    assert pinpad.phase is Phase.IDLE


def test_a_large_payment_wants_the_pin_and_three_wrong_ones_block_the_card() -> None:
    pinpad = _asked(LARGE)
    pinpad.present("visa", Entry.CONTACTLESS, 0)
    assert pinpad.display == "ENTER PIN 500.00"
    assert pinpad.enter_pin("0000", 0) == []
    assert pinpad.enter_pin("1111", 0) == []
    assert _said(pinpad.enter_pin("2222", 0)) == ENQ
    assert _answer(pinpad, 0).result is Result.REFUSED
    pinpad.feed(ENQ + telium.encode_ask(LARGE) + EOT, 10)
    assert _said(pinpad.present("visa", Entry.CHIP, 10)) == ENQ  # blocked, also for the right PIN


def test_the_right_pin_after_a_wrong_one_pays() -> None:
    pinpad = _asked(LARGE)
    pinpad.present("visa", Entry.CHIP, 0)
    pinpad.enter_pin("0000", 0)
    pinpad.enter_pin("1234", 0)
    assert _said(pinpad.poll(BANK_MS)) == ENQ
    assert _answer(pinpad, BANK_MS).result is Result.APPROVED
    assert pinpad.bank.tries_left("visa") == 3


def test_a_card_without_funds_is_refused_and_a_refund_fills_it() -> None:
    pinpad = _asked()
    pinpad.present("poor", Entry.CONTACTLESS, 0)
    pinpad.poll(BANK_MS)
    assert _answer(pinpad, BANK_MS).result is Result.REFUSED
    refund = Ask(amount_minor=2_000, currency_number="156", kind=telium.Kind.REFUND)
    pinpad.feed(ENQ + telium.encode_ask(refund) + EOT, 0)
    pinpad.present("poor", Entry.CONTACTLESS, 0)
    pinpad.poll(BANK_MS)
    assert _answer(pinpad, BANK_MS).result is Result.APPROVED
    assert pinpad.bank.funds_minor("poor") == 2_000


def test_a_silent_bank_has_paid_and_the_answer_is_unverified() -> None:
    pinpad = _asked()
    pinpad.set_bank(BankLine.SILENT)
    pinpad.present("visa", Entry.CONTACTLESS, 0)
    assert pinpad.poll(BANK_MS) == []
    pinpad.poll(BANK_SILENCE_MS)
    assert _answer(pinpad, BANK_SILENCE_MS).result is Result.UNVERIFIED
    assert pinpad.bank.funds_minor("visa") == 1_000_000 - 1_280


@pytest.mark.parametrize(
    ("authorization", "result"),
    [
        (telium.Authorization.FREE, Result.APPROVED),
        (telium.Authorization.FORCED, Result.REFUSED),
    ],
)
def test_below_the_floor_a_pin_pad_without_a_bank_may_say_yes_unless_forced(
    authorization: telium.Authorization, result: Result
) -> None:
    ask = Ask(amount_minor=1_280, currency_number="156", authorization=authorization)
    pinpad = _asked(ask, PinPadProfile(floor_minor=2_000))
    pinpad.set_bank(BankLine.DOWN)
    pinpad.present("visa", Entry.CONTACTLESS, 0)
    pinpad.poll(BANK_MS)
    assert _answer(pinpad, BANK_MS).result is result


@pytest.mark.parametrize(
    "ask",
    [
        Ask(amount_minor=1_280, currency_number="392"),
        Ask(amount_minor=1_280, currency_number="156", mode=telium.MODE_CHEQUE),
    ],
)
def test_what_the_pin_pad_does_not_do_is_refused_without_a_card(ask: Ask) -> None:
    pinpad = _asked(ask)
    assert pinpad.phase is Phase.CALLING
    assert _answer(pinpad, 0).result is Result.REFUSED


def test_the_red_key_no_card_and_a_chip_card_taken_too_early_refuse() -> None:
    cancelled, forgotten, taken = _asked(), _asked(), _asked(LARGE)
    assert _said(cancelled.cancel(0)) == ENQ
    assert _said(forgotten.poll(CARD_WAIT_MS)) == ENQ
    taken.present("visa", Entry.CHIP, 0)
    taken.enter_pin("1234", 0)
    assert _said(taken.take_card(100)) == ENQ
    assert {_answer(pinpad, 0).result for pinpad in (cancelled, forgotten, taken)} == {
        Result.REFUSED
    }
    assert taken.bank.agreed == 0


def test_a_short_answer_at_once_says_nothing_of_the_payment() -> None:
    ask = Ask(amount_minor=100, currency_number="156", is_full=False, delay=telium.Delay.AT_ONCE)
    answer = _answer(_asked(ask), 0)
    assert (answer.result, answer.report) == (Result.UNVERIFIED, None)


def test_a_card_held_ready_is_read_when_it_is_asked_for_and_once() -> None:
    pinpad = TeliumPinPad()
    pinpad.hold("visa", Entry.CONTACTLESS)
    pinpad.feed(ENQ + telium.encode_ask(ASK) + EOT, 0)
    assert pinpad.next_deadline_ms() == HELD_MS
    assert pinpad.poll(HELD_MS) == []
    assert _said(pinpad.poll(HELD_MS + BANK_MS)) == ENQ
    assert _answer(pinpad, 0).result is Result.APPROVED
    pinpad.feed(ENQ + telium.encode_ask(ASK) + EOT, 0)
    assert pinpad.next_deadline_ms() == CARD_WAIT_MS


def test_a_busy_pin_pad_says_nak() -> None:
    assert _said(_asked().feed(ENQ, 0)) == NAK


def test_a_damaged_ask_is_refused_thrice_and_then_the_line_is_let_go() -> None:
    pinpad = TeliumPinPad()
    pinpad.feed(ENQ, 0)
    bad = bytearray(telium.encode_ask(ASK))
    bad[5] ^= 1
    assert _said(pinpad.feed(bytes(bad), 0)) == NAK
    assert _said(pinpad.feed(telium.encode(b"hello"), 0)) == NAK
    assert _said(pinpad.feed(bytes(bad), 0)) == EOT
    assert pinpad.phase is Phase.IDLE


def test_a_register_that_falls_silent_is_let_go() -> None:
    pinpad = TeliumPinPad()
    pinpad.feed(ENQ, 0)
    pinpad.feed(telium.encode_ask(ASK)[:9], 100)
    assert _said(pinpad.poll(100 + LINK_SILENCE_MS)) == NAK
    assert pinpad.poll(100 + 2 * LINK_SILENCE_MS) == []
    assert pinpad.phase is Phase.IDLE
    loaded = TeliumPinPad()
    loaded.feed(ENQ + telium.encode_ask(ASK), 0)
    loaded.poll(LINK_SILENCE_MS)
    assert (loaded.phase, loaded.ask) == (Phase.IDLE, None)


def test_an_answer_that_was_damaged_is_sent_again() -> None:
    pinpad = _asked()
    pinpad.cancel(0)
    first = _said(pinpad.feed(ACK, 0))
    assert _said(pinpad.feed(NAK, 0)) == first
    assert _said(pinpad.poll(ANSWER_WAIT_MS)) == first
    assert _said(pinpad.feed(NAK, 0)) == EOT
    assert (pinpad.phase, pinpad.answers_lost) == (Phase.IDLE, 1)


def test_an_answer_that_nobody_takes_is_lost_but_the_payment_is_not() -> None:
    pinpad = _asked()
    pinpad.present("visa", Entry.CONTACTLESS, 0)
    now_ms, calls = 0, b""
    while (due := pinpad.next_deadline_ms()) is not None:
        now_ms = due
        calls += _said(pinpad.poll(now_ms))
    assert calls == ENQ * 3 + EOT
    assert (pinpad.answers_lost, pinpad.bank.agreed) == (1, 1)


def test_a_power_cut_forgets_the_transaction_and_not_the_bank() -> None:
    pinpad = _asked()
    pinpad.present("visa", Entry.CONTACTLESS, 0)
    pinpad.poll(BANK_MS)
    assert pinpad.boot(BANK_MS) == []
    assert (pinpad.phase, pinpad.next_deadline_ms()) == (Phase.IDLE, None)
    assert (pinpad.answers_lost, pinpad.bank.agreed) == (1, 1)
    assert _said(pinpad.feed(ENQ, BANK_MS)) == ACK


def test_a_card_or_a_pin_that_is_not_asked_for_is_the_callers_mistake() -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        TeliumPinPad().present("visa", Entry.CHIP, 0)
    with pytest.raises(CallerError, match="no card 'amex'"):
        _asked().present("amex", Entry.CHIP, 0)
    with pytest.raises(CallerError, match="field_invalid"):
        _asked().enter_pin("1234", 0)


def test_every_phase_can_be_left() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(Phase)
    assert set(TRANSITIONS.values()) == set(Phase)
