"""A town's money for some weeks: wages, rent, shopping, friends, look-alikes of crime, and cases of
laundering in eight shapes. Made from a seed; every number is drawn, none is a threshold of ours."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl

DAY_S = 86_400
START = datetime(2026, 3, 2)  # noqa: DTZ001  (the town has one clock)
SHAPES = (
    "structuring", "fan_in", "fan_out", "pass_through", "cycle", "scatter_gather", "dormant",
    "cash_out",
)  # fmt: skip


@dataclass
class Town:
    """The books while they are written. ``hardness`` 0 to 1 makes crime quieter."""

    luck: random.Random
    persons: int
    days: int
    hardness: float
    rows: list[tuple[int, str, str, int, str, int, str]] = field(default_factory=list)
    cases: int = 0

    def pay(self, at: float, src: str, dst: str, yuan: float, channel: str, case: str = "") -> None:
        if 0 <= at < self.days * DAY_S:
            fen = max(100, round(yuan * 100))
            self.rows.append((int(at), src, dst, fen, channel, int(bool(case)), case))

    def person(self) -> str:
        return f"P{self.luck.randrange(self.persons)}"

    def hour(self, day: int, early: float = 8, late: float = 22) -> float:
        return day * DAY_S + self.luck.uniform(early, late) * 3600


def transfers_of_a_town(
    seed: int, *, persons: int, days: int, cases: int, hardness: float = 0.0
) -> pl.DataFrame:
    """The transfers in order of time, as a file of them has: amounts in yuan as text."""
    town = Town(random.Random(seed), persons, days, hardness)
    _shopping(town)
    _wages(town)
    _rent_and_utilities(town)
    _friends(town)
    _look_alikes(town)
    for number in range(cases):
        _case(town, SHAPES[number % len(SHAPES)], f"case{number}")
    return _table(town)


def _table(town: Town) -> pl.DataFrame:
    rows = sorted(town.rows)
    kinds = {"P": "person", "M": "merchant", "C": "company", "A": "atm"}
    return pl.DataFrame(
        {
            "tx_id": [f"t{n}" for n in range(len(rows))],
            "ts": [f"{START + timedelta(seconds=row[0]):%Y-%m-%d %H:%M:%S}" for row in rows],
            "t_sec": [row[0] for row in rows],
            "day": [row[0] // DAY_S for row in rows],
            "src": [row[1] for row in rows],
            "dst": [row[2] for row in rows],
            "src_kind": [kinds[row[1][0]] for row in rows],
            "dst_kind": [kinds[row[2][0]] for row in rows],
            "amount": [f"{row[3] // 100}.{row[3] % 100:02d}" for row in rows],
            "channel": [row[4] for row in rows],
            "laundering": [row[5] for row in rows],
            "case_id": [row[6] for row in rows],
        }
    )


def _shopping(town: Town) -> None:
    luck = town.luck
    for person in range(town.persons):
        rate, wealth = luck.uniform(0.1, 0.6), luck.lognormvariate(3.6, 0.5)
        shops = [f"M{luck.randrange(max(4, town.persons // 20))}" for _ in range(8)]
        day = luck.expovariate(rate)
        while day < town.days:
            yuan = wealth * luck.lognormvariate(0, 0.8)
            town.pay(town.hour(int(day)), f"P{person}", luck.choice(shops), yuan, "qr")
            day += luck.expovariate(rate)


def _wages(town: Town) -> None:
    luck = town.luck
    for person in range(town.persons):
        employer = f"C{person // 120}"
        wage, payday = luck.lognormvariate(8.9, 0.4), luck.randrange(4, 12)
        for month in range(town.days // 30 + 1):
            town.pay(town.hour(month * 30 + payday, 9, 11), employer, f"P{person}", wage, "bank")


def _rent_and_utilities(town: Town) -> None:
    luck = town.luck
    landlords = max(2, town.persons // 60)
    for person in range(town.persons):
        if luck.random() < 0.4:
            landlord, rent = f"P{luck.randrange(landlords)}", luck.lognormvariate(7.7, 0.3)
            due = luck.randrange(1, 28)
            for month in range(town.days // 30 + 1):
                town.pay(town.hour(month * 30 + due), f"P{person}", landlord, rent, "wallet")
        if luck.random() < 0.25:
            for month in range(town.days // 30 + 1):
                atm_day = month * 30 + luck.randrange(30)
                town.pay(
                    town.hour(atm_day), f"P{person}", "A0", 100 * luck.randrange(2, 40), "cash"
                )


def _friends(town: Town) -> None:
    luck = town.luck
    for person in range(town.persons):
        friends = [
            f"P{(person + step) % town.persons}"
            for step in (1, 2, -1, luck.randrange(3, 40), luck.randrange(town.persons))
        ]
        rate = luck.uniform(0.02, 0.15)
        day = luck.expovariate(rate)
        while day < town.days:
            friend, yuan = luck.choice(friends), luck.lognormvariate(4.6, 1.1)
            at = town.hour(int(day))
            town.pay(at, f"P{person}", friend, yuan, "wallet")
            if luck.random() < 0.15:  # the change comes back
                town.pay(at + luck.uniform(600, 40_000), friend, f"P{person}", yuan / 2, "wallet")
            day += luck.expovariate(rate)


def _look_alikes(town: Town) -> None:
    """Honest things with the shapes of crime: collections, market days, house deals, gifts."""
    luck = town.luck
    for _ in range(max(4, town.persons * town.days // 9000)):
        day, centre = luck.randrange(town.days), town.person()
        kind = luck.choice(("collection", "gifts", "house", "market", "round_trip", "savings"))
        if kind == "collection":  # in from many, out to a shop
            each, number = luck.lognormvariate(5, 0.5), luck.randrange(8, 40)
            for _ in range(number):
                town.pay(town.hour(day), town.person(), centre, each, "wallet")
            town.pay(town.hour(day + 1), centre, "M1", each * number, "wallet")
        elif kind == "gifts":
            for _ in range(luck.randrange(8, 30)):
                yuan: float = luck.choice((66, 88, 188, 200, 520))
                town.pay(town.hour(day), centre, town.person(), yuan, "wallet")
        elif kind == "house":
            price = luck.lognormvariate(11.5, 0.5)
            for _ in range(luck.randrange(1, 4)):
                town.pay(town.hour(day), town.person(), centre, price / 3, "bank")
            town.pay(town.hour(day + luck.randrange(3)), centre, town.person(), price, "bank")
        elif kind == "market":
            for _ in range(luck.randrange(20, 80)):
                town.pay(town.hour(day), town.person(), centre, luck.lognormvariate(3.5, 0.7), "qr")
        elif kind == "round_trip":
            friend, yuan = town.person(), luck.lognormvariate(8, 0.7)
            town.pay(town.hour(day), centre, friend, yuan, "wallet")
            town.pay(town.hour(day + 1), friend, centre, yuan, "wallet")
        else:
            for _ in range(luck.randrange(2, 6)):
                yuan = luck.choice((9000, 10_000, 20_000, 45_000, 49_000))
                town.pay(town.hour(day), "A0", centre, yuan, "cash")


def _case(town: Town, shape: str, case: str) -> None:
    luck = town.luck
    start = luck.randrange(1, town.days - 4)
    total = luck.lognormvariate(11.3, 0.5) * (1 - 0.6 * town.hardness)
    spread = 1 + 2 * town.hardness
    _SHAPES[shape](town, case, start, total, spread)


def _mules(town: Town, number: int) -> list[str]:
    return town.luck.sample([f"P{n}" for n in range(town.persons)], number)


def _structuring(town: Town, case: str, day: int, total: float, spread: float) -> None:
    [mule] = _mules(town, 1)
    at = float(day)
    while total > 0:
        yuan = town.luck.uniform(0.86, 0.995) * 50_000
        town.pay(town.hour(int(at)), "A0", mule, yuan, "cash", case)
        at += town.luck.uniform(0.2, 0.8) * spread
        total -= yuan


def _fan(town: Town, case: str, day: int, total: float, spread: float, *, inwards: bool) -> None:
    mules = _mules(town, town.luck.randrange(9, 26))
    centre, others = mules[0], mules[1:]
    for other in others:
        yuan = total / len(others) * town.luck.uniform(0.7, 1.3)
        at = town.hour(day + int(town.luck.uniform(0, 2) * spread), 0, 24)
        src, dst = (other, centre) if inwards else (centre, other)
        town.pay(at, src, dst, yuan, "wallet", case)
    if inwards:
        town.pay(town.hour(day + int(2 * spread)), centre, mules[1], total * 0.9, "bank", case)


def _pass_through(town: Town, case: str, day: int, total: float, spread: float) -> None:
    chain = _mules(town, town.luck.randrange(4, 8))
    at = town.hour(day)
    for src, dst in pairwise(chain):
        town.pay(at, src, dst, total, "wallet", case)
        total *= town.luck.uniform(0.93, 0.995)
        at += town.luck.uniform(600, 20_000) * spread


def _cycle(town: Town, case: str, day: int, total: float, spread: float) -> None:
    ring = _mules(town, town.luck.randrange(3, 7))
    at = town.hour(day)
    for src, dst in zip(ring, [*ring[1:], ring[0]], strict=True):
        town.pay(at, src, dst, total * town.luck.uniform(0.94, 1), "wallet", case)
        at += town.luck.uniform(3600, 50_000) * spread


def _scatter_gather(town: Town, case: str, day: int, total: float, spread: float) -> None:
    mules = _mules(town, town.luck.randrange(7, 16))
    first, last, middle = mules[0], mules[1], mules[2:]
    for mule in middle:
        yuan = total / len(middle) * town.luck.uniform(0.8, 1.2)
        at = town.hour(day)
        town.pay(at, first, mule, yuan, "wallet", case)
        later = at + town.luck.uniform(1800, 60_000) * spread
        town.pay(later, mule, last, yuan * 0.98, "wallet", case)


def _dormant(town: Town, case: str, day: int, total: float, spread: float) -> None:
    sleeper = f"PD{case}"
    sources = _mules(town, town.luck.randrange(3, 7))
    for source in sources:
        town.pay(town.hour(day), source, sleeper, total / len(sources), "bank", case)
    left = total * 0.95
    while left > 0:
        yuan = min(left, town.luck.uniform(5000, 20_000))
        town.pay(town.hour(day + 1 + int(spread - 1)), sleeper, town.person(), yuan, "wallet", case)
        left -= yuan


def _cash_out(town: Town, case: str, day: int, total: float, spread: float) -> None:
    shop = f"M{town.luck.randrange(max(4, town.persons // 20))}"
    for mule in _mules(town, town.luck.randrange(4, 10)):
        for _ in range(town.luck.randrange(2, 5)):
            yuan = town.luck.choice((3000, 5000, 8000, 10_000)) - town.luck.choice((0, 0, 1, 12))
            at = town.hour(day + int(town.luck.uniform(0, 2) * spread), 0, 24)
            town.pay(at, mule, shop, yuan, "qr", case)


def _fan_in(town: Town, case: str, day: int, total: float, spread: float) -> None:
    _fan(town, case, day, total, spread, inwards=True)


def _fan_out(town: Town, case: str, day: int, total: float, spread: float) -> None:
    _fan(town, case, day, total, spread, inwards=False)


_SHAPES: dict[str, Callable[[Town, str, int, float, float], None]] = dict(
    zip(
        SHAPES,
        (_structuring, _fan_in, _fan_out, _pass_through, _cycle, _scatter_gather, _dormant,
         _cash_out),
        strict=True,
    )
)  # fmt: skip


def laundering_account_days(transfers: pl.DataFrame) -> Iterator[tuple[str, int, str]]:
    """The truth: account, day and case of each customer's day that took part."""
    dirty = transfers.filter(pl.col("laundering") == 1)
    for side in ("src", "dst"):
        for account, day, case in dirty.select(side, "day", "case_id").unique().iter_rows():
            if account != "A0":
                yield account, day, case
