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


def pending(balance_minor: int, earned: dict[str, int], *cycles: tuple[str, str]) -> Pending:
    return Pending(
        merchant_id="m",
        currency="CNY",
        balance_minor=balance_minor,
        earned_minor=earned,
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
        (date(2026, 10, 7), date(2026, 9, 30)),
        (date(2026, 10, 8), date(2026, 10, 8)),
        (date(2026, 9, 30), date(2026, 9, 30)),
    ],
)
def test_only_dates_since_the_last_business_day_can_wait(today: date, first: date) -> None:
    assert first_waiting(CALENDAR, through=today - timedelta(days=1), today=today) == first


@pytest.mark.parametrize("seed", range(40))
def test_forty_random_merchants_get_all_their_money_and_none_of_it_early(seed: int) -> None:
    """Sales, refunds and changes of cycle on 25 days around a long holiday, runs at odd times; a
    tally by hand says the most that may have become available, and the least in the end."""
    luck = random.Random(seed)
    cycles = [("", luck.choice(("D+0", "D+1", "T+1")))]
    balance, out, earned = 0, 0, Counter[str]()
    for number in range(25):
        today = FIRST + timedelta(days=number)
        if luck.random() < 0.15:
            tomorrow = (today + timedelta(days=1)).isoformat()
            cycles.append((tomorrow, luck.choice(("D+0", "D+1", "T+1"))))
        for _ in range(luck.randrange(4)):
            part = luck.randrange(1, 500)
            part = part if luck.random() < 0.7 else -min(part, balance)
            balance += part
            earned[today.isoformat()] += part
            through = today - timedelta(days=luck.randrange(2))
            since = first_waiting(CALENDAR, through=through, today=today).isoformat()
            recent = {day: sum_ for day, sum_ in earned.items() if day >= since}
            now = settled(pending(balance, recent, *cycles), through, today)
            balance, out = balance - now, out + now
            assert out <= _most(earned, cycles, today), f"seed {seed}, {today}"
    end = FIRST + timedelta(days=60)
    assert settled(pending(balance, {}, *cycles), end - timedelta(days=1), end) == balance


def _most(earned: Counter[str], cycles: list[tuple[str, str]], today: date) -> int:
    """All that was ever earned on dates that are due, before anything was given back."""
    return sum(
        max(sum_, 0)
        for day, sum_ in earned.items()
        if CALENDAR.settles_on(date.fromisoformat(day), cycle_on(cycles, day)) <= today
    )
