"""A PIN that somebody else has set: it opens nothing but the choice of an own one."""

import asyncio
import itertools
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import CallerError
from terminal.adapters.system import SystemClock
from terminal.counter.people import People
from terminal.counter.tending import JOURNAL_FILE, StaffWish, tend_staff
from terminal.domain.pin import TRANSITIONS, PinState, PinStep, set_pin
from terminal.domain.staff_acts import StaffDeed
from terminal.journal.database import open_database
from tests.support.tills import CASHIER_PIN, SUPERVISOR_PIN, Till, hire_both, running_till

GIVEN, OWN = "860247", "730915"


@pytest.mark.parametrize(("state", "step"), list(itertools.product(PinState, PinStep)))
def test_every_step_leads_somewhere_and_is_written_down(state: PinState, step: PinStep) -> None:
    edge = TRANSITIONS[(state, step)]
    assert set_pin(state, step) == (edge.state, edge.deed)
    assert (edge.state is PinState.OWN) == (step is PinStep.CHOOSE)
    assert (edge.deed is StaffDeed.HIRED) == (state is PinState.NONE)


async def said(till: Till, path: str, **body: Any) -> tuple[int, str]:
    status, told = await till.post(path, **body)
    return status, told["error"]["code"] if "error" in told else ""


@pytest.mark.asyncio
async def test_who_is_hired_chooses_a_pin_before_anything_else_and_once_only(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        _, hired = await till.post("staff", name="Mei", pin=GIVEN, role="supervisor")
        assert hired["pin"] == "given"
        who = {"staff_id": hired["staff_id"], "pin": GIVEN}
        assert await said(till, "session", **who) == (403, "staff_pin_given")
        assert till.counter.sign_in.session() is None, "nobody is at the till"
        leave: dict[str, Any] = {"path": "staff/2/leave", "approval": who}
        assert await said(till, **leave) == (403, "staff_pin_given")
        for new_pin, code in ((GIVEN, "staff_pin_same"), ("1234", "staff_pin_weak")):
            assert (await said(till, "session", **who, new_pin=new_pin))[1] == code
        wrong = {**who, "pin": OWN, "new_pin": OWN}
        assert await said(till, "session", **wrong) == (403, "staff_pin_wrong")
        assert till.counter.sign_in.session() is None
        assert await said(till, "session", **who, new_pin=OWN) == (200, "")
        assert till.counter.sign_in.signed_in() is not None
        assert await said(till, "session", **who) == (403, "staff_pin_wrong")
        assert await said(till, "session", **{**who, "pin": OWN}) == (200, "")
        assert await said(till, "staff/2/leave", approval={**who, "pin": OWN}) == (200, "")
        acts = [(each["act"], each["by_name"]) for each in await till.get("api/staff/acts")]
        assert acts[:3] == [("left", "Mei"), ("pin_chosen", "Mei"), ("hired", "API")]


@pytest.mark.asyncio
async def test_a_new_pin_is_asked_to_be_changed_unless_its_person_signed_for_it(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        by = {"staff_id": 1, "pin": SUPERVISOR_PIN}
        await till.post("staff/2/pin", pin=GIVEN, approval=by)
        assert await said(till, "session", staff_id=2, pin=GIVEN) == (403, "staff_pin_given")
        assert await said(till, "session", staff_id=2, pin=GIVEN, new_pin=OWN) == (200, "")
        _, told = await till.post("staff/1/pin", pin=GIVEN, approval=by)
        assert told["pin"] == "own"
        assert await said(till, "session", staff_id=1, pin=GIVEN) == (200, "")
        _, told = await till.post("staff/1/pin", pin=OWN)
        assert told["pin"] == "given", "by a program, which is nobody"


@pytest.mark.asyncio
async def test_whose_pin_another_renews_is_at_the_till_no_longer_and_goes_on_with_an_own_one(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.post("session", staff_id=2, pin=CASHIER_PIN)
        before = till.counter.sign_in.session()
        await till.post("staff/1/pin", pin=GIVEN)
        assert till.counter.sign_in.signed_in() is not None, "that was another's"
        await till.post("staff/2/pin", pin=GIVEN)
        assert till.counter.sign_in.signed_in() is None
        assert await said(till, "session", staff_id=2, pin=CASHIER_PIN) == (403, "staff_pin_wrong")
        assert await said(till, "session", staff_id=2, pin=GIVEN) == (403, "staff_pin_given")
        assert await said(till, "session", staff_id=2, pin=GIVEN, new_pin=OWN) == (200, "")
        after = till.counter.sign_in.session()
        assert before is not None
        assert after is not None
        assert after.since_ms == before.since_ms, "the session goes on"


@pytest.mark.asyncio
async def test_who_renews_the_own_pin_stays_at_the_till(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.post("session", staff_id=1, pin=SUPERVISOR_PIN)
        by = {"staff_id": 1, "pin": SUPERVISOR_PIN}
        await till.post("staff/1/pin", pin=GIVEN, approval=by)
        assert till.counter.sign_in.signed_in() is not None


def test_the_command_line_says_whose_pin_it_is(tmp_path: Path) -> None:
    for wish, pin, state in (
        (StaffWish(hires="阿芳"), GIVEN, "given"),
        (StaffWish(renews="阿芳", is_own_pin=True), OWN, "own"),
        (StaffWish(renews="阿芳"), GIVEN, "given"),
    ):
        assert [each["pin"] for each in tend_staff(tmp_path, wish, partial(str, pin))] == [state]
    hires = StaffWish(hires="王店长", is_supervisor=True, is_own_pin=True)
    assert [each["pin"] for each in tend_staff(tmp_path, hires, lambda: OWN)] == ["given", "own"]


def test_staff_from_before_this_was_asked_keep_their_pins(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL_FILE
    tend_staff(tmp_path, StaffWish(hires="阿芳"), lambda: GIVEN)
    with closing(sqlite3.connect(path)) as old:
        old.execute("ALTER TABLE staff DROP COLUMN pin")
        for later in ("answers_age", "answers_subject", "refunds_payment"):
            old.execute(f"DROP INDEX {later}")
        old.execute("PRAGMA user_version = 14")
    with closing(open_database(path)) as database:
        assert [each.pin for each in People(database, SystemClock()).all()] == [PinState.OWN]


def test_a_choice_is_refused_for_whoever_left_meanwhile(tmp_path: Path) -> None:
    async def left() -> None:
        async with running_till(tmp_path) as till:
            hire_both(till.people)
            staff = till.people.one(2)
            till.people.leave(2, by_name="王店长")
            await till.counter.staffing.choose_pin(staff, OWN)

    with pytest.raises(CallerError, match="staff_unknown"):
        asyncio.run(left())
