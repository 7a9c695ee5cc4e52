"""Signing in at the till: PINs, locks, who may sign, who may leave."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from terminal.limits import IDLE_LOCK_MS, PIN_FAILURES_MAX, PIN_LOCK_MS
from tests.support.counter_room import Room, refused
from tests.support.tills import CASHIER_PIN, SUPERVISOR_PIN, hire_both, running_till
from tests.unit.terminal.fakes import CODE


def test_a_right_pin_opens_a_session_and_idleness_locks_it(room: Room) -> None:
    asyncio.run(room.sign_in.sign_in(2, CASHIER_PIN))
    assert room.sign_in.signed_in()
    room.bench.clock.forward(IDLE_LOCK_MS - 1)
    room.sign_in.touch()
    room.bench.clock.forward(IDLE_LOCK_MS - 1)
    assert room.sign_in.signed_in()
    room.bench.clock.forward(1)
    assert room.sign_in.signed_in() is None
    assert room.sign_in.session()
    asyncio.run(room.sign_in.sign_in(2, CASHIER_PIN))
    assert room.sign_in.signed_in()


def test_too_many_wrong_pins_lock_the_person_and_nobody_else(room: Room) -> None:
    for _ in range(PIN_FAILURES_MAX - 1):
        assert refused(room.sign_in.sign_in(2, "0000")) == "staff_pin_wrong"
    assert refused(room.sign_in.sign_in(2, "0000")) == "staff_locked"
    assert refused(room.sign_in.sign_in(2, CASHIER_PIN)) == "staff_locked"
    asyncio.run(room.sign_in.sign_in(1, SUPERVISOR_PIN))
    room.bench.clock.forward(PIN_LOCK_MS)
    asyncio.run(room.sign_in.sign_in(2, CASHIER_PIN))
    assert not room.sign_in.staff[1].failures


def test_many_guesses_at_once_count_as_many(room: Room) -> None:
    async def guess() -> list[Any]:
        tries = (room.sign_in.sign_in(2, f"{pin:04d}") for pin in range(PIN_FAILURES_MAX + 1))
        return await asyncio.gather(*tries, return_exceptions=True)

    assert asyncio.run(guess())[-1].code == "staff_locked"


def test_only_a_supervisor_signs(room: Room) -> None:
    assert refused(room.sign_in.approved(2, CASHIER_PIN)) == "staff_supervisor"
    assert asyncio.run(room.sign_in.approved(1, SUPERVISOR_PIN)).name == "王店长"


@pytest.mark.asyncio
async def test_nobody_signs_out_over_an_open_payment_or_keys_goods_that_are_not_named(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        draft = (await till.get("api/draft"))["draft_id"]
        status, said = await till.post("draft/goods", draft_id=draft, code="6901234567892")
        assert (status, said["error"]["code"]) == (400, "goods_unknown")
        till.backend.state = "unknown"
        till.scanner.show(CODE)
        await till.post("sales", amount_minor=1280, method="pay_code")
        await till.screen("unknown")
        status, said = await till.post("session/end")
        assert (status, said["error"]["code"]) == (409, "staff_spool")
        assert till.counter.sign_in.signed_in()
