"""Who works at the till: hired, given another PIN, let go, each written down."""

import asyncio
from pathlib import Path

import pytest

from terminal.counter.tending import StaffWish, tend_staff
from terminal.domain.pin import check_pin_form
from terminal.limits import PIN_FAILURES_MAX
from tests.support.counter_room import Room, refused
from tests.support.tills import CASHIER_PIN


def test_a_pin_is_kept_as_a_salted_slow_hash_only(tmp_path: Path) -> None:
    said = tend_staff(tmp_path, StaffWish(hires="阿芳"), lambda: "730915")
    assert [(each["name"], each["role"]) for each in said] == [("阿芳", "cashier")]
    tend_staff(tmp_path, StaffWish(hires="阿强"), lambda: "730915")
    assert b"730915" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert refused(lambda: tend_staff(tmp_path, StaffWish(hires="阿芳"), lambda: "5791")) == (
        "staff_exists"
    )
    assert tend_staff(tmp_path, StaffWish(leaves="阿芳"), lambda: "")[0]["name"] == "阿强"


@pytest.mark.parametrize(
    "pin", ["", "123", "1234", "9876", "7777", "123456789", "12a4", "１２５８"]
)
def test_a_pin_that_everybody_tries_first_is_refused(pin: str) -> None:
    assert refused(lambda: check_pin_form(pin)) == "staff_pin_weak"


def test_the_last_supervisor_stays_and_nobody_can_be_let_go_twice(room: Room) -> None:
    staffing = room.staffing
    assert refused(lambda: staffing.let_go(1, by_name="王店长")) == "staff_last"
    assert staffing.let_go(2, by_name="王店长").name == "小李"
    assert refused(lambda: staffing.let_go(2, by_name="王店长")) == "staff_unknown"
    assert refused(staffing.renew_pin(7, pin="730915", by_name="王店长")) == "staff_unknown"
    assert [each.name for each in room.sign_in.staff] == ["王店长"]


def test_a_forgotten_pin_is_renewed_by_the_rules_of_hiring_and_is_not_the_old_one(
    room: Room,
) -> None:
    staffing = room.staffing
    for _ in range(PIN_FAILURES_MAX):
        refused(room.sign_in.sign_in(2, "0000"))
    assert refused(staffing.renew_pin(2, pin="1234", by_name="王店长")) == "staff_pin_weak"
    assert refused(staffing.renew_pin(2, pin=CASHIER_PIN, by_name="王店长")) == "staff_pin_same"
    asyncio.run(staffing.renew_pin(2, pin="730915", by_name="王店长"))
    asyncio.run(room.sign_in.sign_in(2, "730915", new_pin="580246"))
    assert refused(room.sign_in.sign_in(2, CASHIER_PIN)) == "staff_pin_wrong"


def test_what_is_done_about_staff_is_written_down_with_who_signed(room: Room) -> None:
    staffing = room.staffing
    room.bench.clock.forward(60_000)
    asyncio.run(staffing.renew_pin(2, pin="730915", by_name="王店长"))
    staffing.let_go(2, by_name="王店长")
    refused(lambda: staffing.let_go(1, by_name="王店长"))
    acts = staffing.acts()
    assert [(each.act, each.name, each.by_name) for each in acts] == [
        ("left", "小李", "王店长"),
        ("pin_renewed", "小李", "王店长"),
        ("hired", "小李", "owner"),
        ("hired", "王店长", "owner"),
    ]
    assert acts[0].at_ms == room.bench.clock.now_ms()


def test_the_owner_of_the_device_renews_the_last_supervisor_s_pin_and_is_written_down(
    tmp_path: Path,
) -> None:
    tend_staff(tmp_path, StaffWish(hires="王店长", is_supervisor=True), lambda: "730915")
    assert refused(lambda: tend_staff(tmp_path, StaffWish(leaves="王店长"), lambda: "")) == (
        "staff_last"
    )
    forgotten = StaffWish(renews="王店长")
    assert refused(lambda: tend_staff(tmp_path, forgotten, lambda: "730915")) == "staff_pin_same"
    tend_staff(tmp_path, forgotten, lambda: "491702")
    told = tend_staff(tmp_path, StaffWish(looks_back=True), lambda: "")
    assert [(each["act"], each["name"]) for each in told] == [
        ("pin_renewed", "王店长"),
        ("hired", "王店长"),
    ]
    assert all(str(each["by_name"]).startswith("CLI") for each in told)


def test_who_is_named_at_the_command_line_works_here(tmp_path: Path) -> None:
    for wish in (StaffWish(leaves="阿芳"), StaffWish(renews="阿芳")):
        assert refused(lambda wish=wish: tend_staff(tmp_path, wish, lambda: "730915")) == (
            "staff_unknown"
        )
