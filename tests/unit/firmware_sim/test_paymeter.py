"""A prepaid meter takes a token once, counts down, and switches off at the end."""

from collections.abc import Callable

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.conformance.check import Check, CheckFailedError
from firmware_sim.conformance.paymeter import CHECKS
from firmware_sim.conformance.running import DEVICE, SimulatedPerson
from firmware_sim.conformance.virtual import VirtualWire
from firmware_sim.devices.device import Output
from firmware_sim.devices.paymeter.meter import PayMeter
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.paymeter import KIND
from protocol.framing import modbus
from protocol.framing import paymeter as at
from protocol.framing.gate import words
from protocol.framing.modbus import Adu
from protocol.framing.openpaygo import make_token

KEY = bytes.fromhex("a29ab82edc5fbbc41ec9530f6dac86b1")
DAY_MS = 86_400_000


def meter(credit_minutes: int = 60) -> PayMeter:
    made = PayMeter(1, KEY, credit_minutes)
    made.boot(0)
    return made


def test_a_token_is_taken_once_and_the_days_go_by() -> None:
    one = meter()
    token = make_token(KEY, count=2, days=3)
    one.enter(token, 0)
    assert (one.result, one.credit_minutes, one.count) == (at.TAKEN, 60 + 3 * 1_440, 2)
    one.enter(token, 1_000)
    assert (one.result, one.taken) == (at.USED_BEFORE, 1)
    one.poll(DAY_MS)
    assert one.credit_minutes == 60 + 2 * 1_440
    due = one.next_deadline_ms()
    assert due == 3 * DAY_MS + 3_600_000
    one.poll(due)
    assert (one.credit_minutes, one.is_on) == (0, False)


def test_without_power_no_time_goes_by_and_what_was_taken_stays() -> None:
    one = meter()
    one.poll(600_000)
    one.boot(10 * DAY_MS)
    assert one.credit_minutes == 50


def test_who_looks_at_the_meter_sees_what_is_left_now() -> None:
    with VirtualBoard(board_with("paymeter", device=DEVICE)) as board:
        board.pass_time(20 * 60_000)
        assert board.state(DEVICE)["credit_minutes"] == 39  # it had power before the board began


@pytest.mark.parametrize("is_unplugged", [False, True])
def test_a_power_cut_gives_no_time_back(*, is_unplugged: bool) -> None:
    """Goal: nobody asks the meter anything, and it still knows what was used until the cut."""
    with VirtualBoard(board_with("paymeter", device=DEVICE)) as board:
        board.pass_time(20 * 60_000)
        if is_unplugged:
            board.call(lambda one: one.unplug(DEVICE))
            board.call(lambda one: one.plug(DEVICE))
        else:
            board.call(lambda one: one.power(DEVICE, on=False))
            board.pass_time(60 * 60_000)
            board.call(lambda one: one.power(DEVICE, on=True))
        assert board.state(DEVICE)["credit_minutes"] == 39  # it had power before the board began


def test_an_odd_count_sets_what_is_left() -> None:
    one = meter(10_000)
    one.enter(make_token(KEY, count=3, days=1), 0)
    assert one.credit_minutes == 1_440


def test_wrong_tokens_lock_the_meter_for_a_while() -> None:
    one = meter()
    for _ in range(5):
        one.enter("123456789", 0)
        assert one.result == at.WRONG
    good = make_token(KEY, count=2, days=1)
    one.enter(good, 1_000)
    assert one.result == at.LOCKED
    one.enter(good, 60_000)
    assert one.result == at.TAKEN


def test_a_token_comes_over_the_line() -> None:
    one = meter()
    digits = int(make_token(KEY, count=2, days=1))
    entering = modbus.write_registers(1, at.HOLDING_TOKEN, words(digits))
    [output] = one.feed(modbus.encode(entering), 0)
    [answer] = modbus.FrameParser("response").feed(output.payload)
    assert isinstance(answer, Adu)
    assert (answer.refusal, one.result) == (None, at.TAKEN)


def checked(check: Check) -> None:
    with VirtualBoard(board_with("paymeter", device=DEVICE)) as board:
        check.run(VirtualWire(board, DEVICE, KIND.decoder()), SimulatedPerson(board))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_simulated_meter_holds_each_check(check: Check) -> None:
    checked(check)


BREAKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "registers": lambda patch: patch.setattr(PayMeter, "cells", lambda *_: [0, 9, 0, 0, 0]),
    "counts_down": lambda patch: patch.setattr(PayMeter, "settle", lambda *_: None),
    "half": lambda patch: patch.setattr(PayMeter, "write", lambda *_: None),
    "wrong": lambda patch: patch.setattr(PayMeter, "enter", lambda *_: None),
    "part": lambda patch: patch.setattr(
        PayMeter, "_read", lambda _, asked, __: Adu(1, asked.function, b"\x02\x00\x09")
    ),
    "none": lambda patch: patch.setattr(PayMeter, "_refuse", lambda _, asked, __: asked),
    "function": lambda patch: patch.setattr(
        PayMeter, "_refuse", lambda _, asked, __: modbus.refuse(asked, 4)
    ),
    "crc": lambda patch: patch.setattr(PayMeter, "_hear", lambda *_: []),
    "unit": lambda patch: patch.setattr(PayMeter, "_hear", lambda *_: [Output(0, b"\x01", 9_600)]),
    "address": lambda patch: patch.setattr(PayMeter, "raise_coil", lambda *_: None),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_check_finds_what_it_is_made_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [check] = [one for one in CHECKS if one.id == f"paymeter.{name}"]
    BREAKS[name](monkeypatch)
    with pytest.raises(CheckFailedError):
        checked(check)
