"""From 2026-09-30 to 2026-10-08: every way of paying, every evening closed, nothing unexplained."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend.channels.model import ADVANCING_BANK, CUP, ECNY, FUND, NUCC
from backend.disputes.model import DisputeCommand
from backend.sandbox.institution.orders import OVERCHARGES
from protocol.money import Money
from tests.support.banks import RESERVE
from tests.support.channels import Mishap
from tests.support.disputes import decide, dispute
from tests.support.holiday import DAYS, FIRST, SHOP_ACCOUNT, T1, T1_ACCOUNT, Holiday, holiday
from tests.support.migrated import migrated_sqlite

pytestmark = pytest.mark.asyncio


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Holiday]:
    url = migrated_sqlite(tmp_path / "backend.db")
    with holiday(url) as made:
        yield made


async def a_day(shop: Holiday) -> None:
    """Top-up, a payment of every funding, and a part of most given back."""
    number = (shop.today - FIRST).days
    assert await shop.world.fund(shop.payers["balance"], 20_000 + number) == "succeeded"
    assert await shop.world.fund(shop.payers["card"], 5_000) == "succeeded"
    paid = {
        "balance": await shop.pay("balance", 3_000 + number),
        "card": await shop.pay("card", 4_001 + number),
        "unionpay": await shop.pay("unionpay", 5_003 + number),
        "fund": await shop.pay("fund", 6_007 + number),
        "ecny": await shop.pay("ecny", 2_009 + number),
    }
    paid["coupon"] = await shop.with_coupon(2_500, 700)
    paid["advance"] = await shop.by_own_advance(1_100)
    await shop.pay("balance", 1_500, T1)
    for payment_id in paid.values():
        assert shop.state(payment_id) == "captured"
        await shop.refund(payment_id, 101 + number)
    await shop.withdraw(1_000 + number)


async def straddle(shop: Holiday) -> None:
    """A second before each channel's cut-off, and at it."""
    shop.at(16, 59, 59)
    await shop.pay("fund", 311)
    shop.at(17)
    await shop.pay("fund", 313)
    shop.at(22, 59, 59)
    await shop.pay("unionpay", 317)
    shop.at(23)
    await shop.pay("unionpay", 331)
    shop.at(23, 59, 59)
    await shop.pay("card", 337)


def check_evening(shop: Holiday, report: dict[str, Any]) -> None:
    """The books hold, the reserve's test is signed and passed, both reserves agree."""
    books = shop.world.shop
    assert books.verify().is_whole
    assert books.balance("C:RESERVE:CNY") == shop.banks.at_reserve(RESERVE)
    assert books.balance("C:UNSWEPT:CNY") == books.balance("O:DUE_CLIENT:CNY")
    assert books.balance("C:OWN_DUE:CNY") == books.balance("O:OWN_PAYABLE:CNY")
    assert books.balance("C:SHORT:CNY") == 0
    *_, test = shop.rows(
        f"SELECT * FROM reserve_test WHERE business_date = '{report['day']}' ORDER BY number"
    )
    assert test["passed"], test
    assert test["note"]


async def test_nine_days_with_every_way_of_paying_close_without_a_break(shop: Holiday) -> None:
    disputed: list[tuple[str, dict[str, Any]]] = []
    for day in DAYS:
        assert shop.today == day
        shop.at(12)
        await a_day(shop)
        if day == date(2026, 10, 2):
            shop.banks.a.house.faults.arm({"return_later": 1})
        if day == date(2026, 10, 4):
            shop.banks.a.mark(SHOP_ACCOUNT, "AC06")
        if day == date(2026, 10, 5):
            shop.banks.a.mark(SHOP_ACCOUNT, "")
        if disputed and day == date(2026, 10, 3):
            lose(shop, *disputed[0])
            decide(shop.world.shop, disputed[1][1], DisputeCommand.WIN)
        await straddle(shop)
        report = await shop.close()
        assert report["reconciliation"]["kinds"] == [], (day, report["reconciliation"])
        assert report["reconciliation"]["breaks"] == 0
        assert report["state"] == "closed", report
        check_evening(shop, report)
        if day == FIRST:
            disputed = [dispute_of(shop, "card", 1_000), dispute_of(shop, "unionpay", 1_200)]
    check_holiday(shop)


MISHAPS: dict[str, tuple[str, tuple[Mishap, ...]]] = {
    NUCC: ("card", ("lost", "silent", "late", "unsent")),
    CUP: ("unionpay", ("lost", "silent", "late", "unsent")),
    ADVANCING_BANK: ("fund", ("lost", "silent", "late")),
    ECNY: ("ecny", ("lost", "silent", "late")),
}
"""What befalls a payer's order on its way, one after the other, each day."""
SPOILT = [
    (channel_id, fault)
    for fault in ("amount_off_by_one", "row_missing", "row_twice")
    for channel_id in (NUCC, CUP, ADVANCING_BANK, FUND, ECNY)
]
"""Every fault of a file at every channel: two of them an evening, on two channels."""
OVERCHARGED = [
    (channel_id, fault) for fault in OVERCHARGES for channel_id in (NUCC, CUP, ADVANCING_BANK)
]
"""Who takes too much, one a day from the first; two days later it is asked to give it back."""
PAYERS = {NUCC: "card", CUP: "unionpay", ADVANCING_BANK: "fund"}
NAMED = {
    "charge_twice": {"DUPLICATE"},
    "charge_unasked": {"LONG_MISSING_ORDER"},
    "amount_off_by_one": {"AMOUNT"},
    "row_missing": {"SHORT_MISSING_CHANNEL", "REFUND_PENDING"},
    "row_twice": {"DUPLICATE"},
}


def named(shop: Holiday, day: date) -> dict[str, Counter[str]]:
    """What the first run of a day found at each channel: class → how many. That the money does not
    bear a wrong file out is left aside."""
    found: dict[str, Counter[str]] = {}
    for row in shop.rows(
        "SELECT source, kind FROM reconciliation_break"
        f" WHERE business_date = '{day}' AND run = 1 AND kind <> 'FUNDS'"
    ):
        found.setdefault(row["source"], Counter())[row["kind"]] += 1
    return found


async def meet_mishaps(shop: Holiday) -> None:
    """An order of every channel is lost, or its answer, or it comes too late."""
    for channel_id, (name, ways) in MISHAPS.items():
        channel = shop.world.channels[channel_id]
        for number, way in enumerate(ways):
            shop.world.shop.clock.at_ms += 61_000
            channel.mishaps = [way]
            payment_id = await shop.pay(name, 200 + number)
            for _ in range(12):
                shop.world.shop.clock.at_ms += 61_000
                await shop.carry_on()
            assert channel.mishaps == []
            channel.deliver_late()
            assert shop.state(payment_id) in {"captured", "reversed", "declined"}


async def test_nine_days_with_every_fault_end_with_everything_explained(shop: Holiday) -> None:
    struck: Counter[tuple[str, str]] = Counter()
    spoilt = list(SPOILT)
    for number, day in enumerate(DAYS):
        shop.at(12)
        await a_day(shop)
        await meet_mishaps(shop)
        wanted = [spoilt.pop() for _ in range(2 if len(spoilt) > 1 else len(spoilt))]
        too_much = OVERCHARGED[number : number + 1]
        for channel_id, fault in too_much:
            shop.world.channels[channel_id].overcharges.arm({fault: 1})
            await shop.pay(PAYERS[channel_id], 420 + number)
        for channel_id, fault in wanted:
            shop.faults[channel_id].arm({fault: 1})
        report = await shop.close()
        found = named(shop, day)
        all_wanted = wanted + too_much
        assert set(found) == {f"channel {channel_id}" for channel_id, _ in all_wanted}, (day, found)
        assert sum(kinds.total() for kinds in found.values()) == len(all_wanted), found
        for channel_id, fault in all_wanted:
            [kind, *_] = NAMED[fault] & found[f"channel {channel_id}"].keys()
            found[f"channel {channel_id}"][kind] -= 1
            struck[channel_id, fault] += 1
        if wanted:
            assert report["state"] == "open"
            shop.banks.near.silent = number % 2
            await shop.world.day_end.run(day)
            assert shop.banks.near.silent == 0, "an answer was lost"
            report = await shop.world.day_end.run(day)
        kinds = sorted(kind for _, fault in too_much for kind in NAMED[fault])
        assert (report["reconciliation"]["kinds"], report["state"]) == (kinds, "closed"), report
        again = await shop.world.day_end.run(day)
        assert again["reconciliation"]["kinds"] == kinds
        check_evening(shop, again)
    assert set(struck) == {*SPOILT, *OVERCHARGED}
    given_back = shop.rows("SELECT state FROM saga WHERE kind = 'return'")
    assert [row["state"] for row in given_back] == ["succeeded"] * len(OVERCHARGED)
    assert shop.world.shop.balance("C:LONG:CNY") == 0
    check_payers(shop)


def dispute_of(shop: Holiday, name: str, amount_minor: int) -> tuple[str, dict[str, Any]]:
    """A payer's bank disputes a part of the payer's first payment."""
    [row, *_] = shop.rows(
        f"SELECT payment_id FROM payment WHERE payer_id = '{shop.payers[name]}'"
        " ORDER BY created_at_ms"
    )
    return row["payment_id"], dispute(shop.world.shop, row["payment_id"], amount_minor)


def lose(shop: Holiday, payment_id: str, case: dict[str, Any]) -> None:
    """The channel takes a lost dispute's money back on its present day."""
    amount = Money(case["amount_minor"], "CNY")
    book = shop.world.channels[NUCC].book
    book.charge_back(case["dispute_id"], payment_id, amount, day=shop.today)
    decide(shop.world.shop, case, DisputeCommand.LOSE, shop.today.isoformat())


def check_holiday(shop: Holiday) -> None:
    """Windows, merchants, payers and our own money at the end of it."""
    books = shop.world.shop
    for channel_id in (NUCC, CUP, ADVANCING_BANK):
        assert {shop.window(channel_id, day) for day in DAYS} == {"settled"}
        open_days = shop.rows(
            f"SELECT id FROM ledger_account WHERE id LIKE 'C:CH:{channel_id}.%'"
            " AND debits_posted <> credits_posted"
        )
        after_cut_off = {CUP: 1, ADVANCING_BANK: 1}
        assert len(open_days) == after_cut_off.get(channel_id, 0), open_days
    check_paid_after_a_business_day(shop)
    states = Counter(row["state"] for row in shop.rows("SELECT state FROM payout"))
    assert states["returned"] == states["rejected"] == 1
    assert books.balance("O:ADVANCE:CNY") == 0, "the last advance is repaid on 10-09"
    check_payers(shop)


def check_payers(shop: Holiday) -> None:
    """What left payers' accounts is what our books say; the fund's payer pays by both its lines."""
    for channel_id in (NUCC, CUP, ECNY):
        assert shop.charged(channel_id) == spent(shop, channel_id)
    by_fund = spent(shop, ADVANCING_BANK) + spent(shop, FUND)
    assert shop.charged(ADVANCING_BANK) == by_fund


def check_paid_after_a_business_day(shop: Holiday) -> None:
    """What a T+1 merchant sold from 09-30 on, over the whole holiday, comes on 10-08."""
    a_day_minor = 1_500 - 9  # 0.6 % of it
    paid = shop.rows(
        "SELECT business_date, amount_minor, execution_date, state FROM payout"
        f" WHERE merchant_id = '{T1}' ORDER BY business_date"
    )
    assert [tuple(row.values()) for row in paid] == [
        ("2026-10-07", 8 * a_day_minor, "2026-10-08", "confirmed"),
        ("2026-10-08", a_day_minor, "2026-10-09", "confirmed"),
    ]
    assert shop.at_shop(T1_ACCOUNT) == 9 * a_day_minor


def spent(shop: Holiday, channel_id: str) -> int:
    """By our books, what the payer has spent through a channel, net of what went back."""
    [row] = shop.rows(
        "SELECT coalesce(sum(CASE kind WHEN 'pay' THEN amount_minor WHEN 'top_up' THEN 0"
        " WHEN 'return' THEN 0"
        " ELSE -amount_minor END), 0) AS minor FROM saga"
        f" WHERE channel_id = '{channel_id}' AND state = 'succeeded'"
    )
    [lost] = shop.rows(
        "SELECT coalesce(sum(amount_minor), 0) AS minor FROM dispute"
        f" WHERE state = 'lost' AND channel_id = '{channel_id}'"
    )
    return int(row["minor"]) - int(lost["minor"])
