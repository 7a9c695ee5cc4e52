"""Which pending money is due: by date and cycle, never early, never left behind."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from backend.clearing.calendar import Calendar
from backend.clearing.due import Pending, due, first_waiting, settled_now, waiting
from backend.merchants.model import cycle_on

CALENDAR = Calendar()
FIRST = date(2026, 9, 25)
CYCLES = ("D+0", "D+1", "D+4", "T+0", "T+1", "T+3", "T+10")


def pending(
    balance_minor: int,
    earned: dict[str, int],
    *cycles: tuple[str, str],
    unpaid: dict[str, int] | None = None,
) -> Pending:
    return Pending(
        merchant_id="m",
        currency="CNY",
        balance_minor=balance_minor,
        earned_minor=earned,
        unpaid_minor=unpaid or {},
        available_minor=0,
        cycles=cycles or (("", "T+1"),),
    )


def settled(found: Pending, through: date, today: date) -> int:
    result = due(found, CALENDAR, through=through, today=today)
    return 0 if result is None else settled_now(result, found.balance_minor)


def test_money_given_back_is_taken_from_what_is_due_first() -> None:
    """100 of the 30th is due on the 8th; 60 went back on the 1st and 30 came on the 8th itself."""
    books = pending(70, {"2026-09-30": 100, "2026-10-01": -60, "2026-10-08": 30})
    assert settled(books, date(2026, 10, 7), date(2026, 10, 8)) == 40


def test_what_comes_in_after_a_look_at_the_books_is_not_settled_with_it() -> None:
    books = pending(140, {"2026-11-24": 40}, ("", "D+1"))
    found = due(books, CALENDAR, through=date(2026, 11, 23), today=date(2026, 11, 24))
    assert found is not None
    assert settled_now(found, 140) == 100
    assert settled_now(found, 140 + 500) == 100
    assert settled_now(found, 40 + 30) == 30


def test_a_date_that_waits_keeps_its_earnings_though_another_that_waits_gave_back() -> None:
    """100 of the 1st is due; of the 2nd and 3rd, both of a slower cycle, -60 and 30 wait."""
    cycles = (("", "D+1"), ("2026-10-02", "T+1"))
    books = pending(70, {"2026-10-02": -60, "2026-10-03": 30}, *cycles)
    assert settled(books, date(2026, 10, 2), date(2026, 10, 3)) == 40


def test_what_a_channel_has_not_paid_waits_though_its_date_is_due_and_all_else_goes_on() -> None:
    """Of the 22nd and 23rd, both due, 40 and 5 are still with channels."""
    books = pending(
        150, {"2026-11-24": 20}, ("", "D+1"), unpaid={"2026-11-22": 40, "2026-11-23": 5}
    )
    assert settled(books, date(2026, 11, 23), date(2026, 11, 24)) == 85


def test_what_waits_for_its_date_and_its_channel_is_held_back_once() -> None:
    """The 24th left 20, because 30 of an earlier date went back on it; its card's 50 are not in."""
    books = pending(120, {"2026-11-24": 20}, ("", "D+1"), unpaid={"2026-11-24": 50})
    assert settled(books, date(2026, 11, 23), date(2026, 11, 24)) == 70


def test_a_change_of_cycle_leaves_earlier_dates_theirs() -> None:
    cycles = (("", "T+1"), ("2026-10-02", "D+1"))
    books = pending(111, {"2026-10-01": 100, "2026-10-02": 10, "2026-10-03": 1}, *cycles)
    assert settled(books, date(2026, 10, 2), date(2026, 10, 3)) == 10
    after = pending(101, {"2026-10-01": 100, "2026-10-03": 1}, *cycles)
    assert [(one.business_date, one.settles_on) for one in
            waiting(after, CALENDAR, date(2026, 10, 3))] == [
        ("2026-10-01", "2026-10-08"), ("2026-10-03", "2026-10-04"),
    ]  # fmt: skip


def test_beyond_the_calendar_money_waits_and_is_named() -> None:
    books = pending(300, {"2026-12-31": 200})
    found = due(books, CALENDAR, through=date(2027, 1, 4), today=date(2027, 1, 5))
    assert found is not None
    assert (found.last_date, found.unscheduled) == ("2026-12-30", ("2026-12-31",))
    assert settled_now(found, 300) == 100
    assert waiting(books, CALENDAR, date(2027, 1, 5))[0].settles_on is None


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 10, 7), date(2026, 9, 17)),
        (date(2026, 10, 8), date(2026, 9, 18)),
        (date(2026, 9, 30), date(2026, 9, 17)),
    ],
)
def test_only_dates_of_the_last_ten_business_days_can_wait(today: date, first: date) -> None:
    assert first_waiting(CALENDAR, through=today - timedelta(days=1), today=today) == first


@pytest.mark.parametrize("seed", range(40))
def test_forty_random_merchants_get_all_their_money_and_none_of_it_early(seed: int) -> None:
    """Sales, refunds and changes of cycle on 25 days around a long holiday, runs at odd times; a
    tally by hand says the most that may have become available, and the least in the end."""
    luck = random.Random(seed)
    cycles = [("", luck.choice(CYCLES))]
    balance, out, earned, most = 0, 0, Counter[str](), Counter[str]()
    for number in range(25):
        today = FIRST + timedelta(days=number)
        if luck.random() < 0.15:
            tomorrow = (today + timedelta(days=1)).isoformat()
            cycles.append((tomorrow, luck.choice(CYCLES)))
        for _ in range(luck.randrange(4)):
            part = luck.randrange(1, 500)
            part = part if luck.random() < 0.7 else -min(part, balance)
            balance += part
            earned[today.isoformat()] += part
            most[today.isoformat()] = max(most[today.isoformat()], earned[today.isoformat()])
            through = today - timedelta(days=luck.randrange(2))
            since = first_waiting(CALENDAR, through=through, today=today).isoformat()
            recent = {day: sum_ for day, sum_ in earned.items() if day >= since}
            now = settled(pending(balance, recent, *cycles), through, today)
            balance, out = balance - now, out + now
            assert out <= _most(most, cycles, today), f"seed {seed}, {today}"
    end = FIRST + timedelta(days=60)
    assert settled(pending(balance, {}, *cycles), end - timedelta(days=1), end) == balance


def _most(most: Counter[str], cycles: list[tuple[str, str]], today: date) -> int:
    """The most that dates which are due had ever earned: what was given back later the same day,
    after it was paid out within the day, came out of money that still waits."""
    return sum(
        sum_
        for day, sum_ in most.items()
        if CALENDAR.settles_on(date.fromisoformat(day), cycle_on(cycles, day)) <= today
    )
