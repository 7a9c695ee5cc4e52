"""The evening of a day: windows, costs by the item, interest, the signed test of the reserve."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from backend.channels.facts import CostTerms
from backend.clearing.evening_repository import EveningRepository
from backend.clearing.reserve_test import ReserveTest, open_reserve_test
from backend.ledger import rules
from protocol.crypto.hashes import sha256
from protocol.errors import CallerError, OperatingError
from protocol.money import Money
from protocol.signed_note import NoteKey
from tests.support.books import Post
from tests.support.clearing import SIGNER, World, clearing_world, day_end_of
from tests.support.institutions import RESERVE

DAY = date(2026, 11, 23)
KEY = NoteKey("test.example/reserve", SIGNER.public)


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as found:
        yield found


class Said:
    """``NetPositionPort``: a channel that says a number."""

    def __init__(self, net_minor: int | None) -> None:
        self.net_minor = net_minor

    async def net_position(self, day: date) -> int | None:
        return self.net_minor


class Stamps:
    """``TimeStamper`` whose token is the digest, or who does not answer."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.is_down = is_down
        self.count = 0

    async def stamp(self, digest: bytes) -> bytes:
        if self.is_down:
            raise OperatingError("timeout", "the time stamper")
        self.count += 1
        return b"stamp" + digest


async def close(world: World, day: date = DAY) -> dict[str, Any]:
    world.day_end = day_end_of(world)
    return await world.day_end.run(day)


async def sell(world: World, topups: int = 1) -> None:
    for _ in range(topups):
        payer = world.shop.add_payer()
        assert await world.fund(payer, 50_000) == "succeeded"
    world.shop.pay(payer, 10_000)
    world.next_day()


def windows(world: World) -> dict[tuple[str, str], str]:
    return {
        (row["channel_id"], row["settlement_date"]): row["state"]
        for row in world.shop.rows("SELECT * FROM clearing_window")
    }


@pytest.mark.asyncio
async def test_a_closed_days_windows_are_settled_and_the_next_are_open(world: World) -> None:
    await sell(world)
    report = await close(world)
    assert report["state"] == "closed"
    by_channel = {one["channel_id"]: one for one in report["windows"]}
    assert (by_channel["NUCC"]["net_minor"], by_channel["NUCC"]["settled_minor"]) == (
        50_000, 50_000,
    )  # fmt: skip
    assert {one["state"] for one in report["windows"]} == {"settled"}
    assert by_channel["CUP"]["net_minor"] == 0  # a window of nothing closes, too
    assert windows(world)["NUCC", "2026-11-24"] == "open"
    assert len(windows(world)) == 2 * len(by_channel)


@pytest.mark.asyncio
async def test_a_channel_that_signs_another_net_keeps_the_day_open_until_it_agrees(
    world: World,
) -> None:
    await sell(world)
    world.nets = {"NUCC": Said(50_001)}
    report = await close(world)
    differs = {one["channel_id"]: one["differs_minor"] for one in report["windows"]}
    assert (report["state"], differs["NUCC"], differs["CUP"]) == ("open", 1, 0)
    assert windows(world)["NUCC", "2026-11-23"] == "closed"
    world.nets = {"NUCC": Said(50_000), "CUP": Said(None)}
    assert (await close(world))["state"] == "closed"
    assert windows(world)["NUCC", "2026-11-23"] == "settled"


@pytest.mark.asyncio
async def test_costs_below_a_fen_are_carried_and_posted_when_they_are_whole(world: World) -> None:
    world.prices = {"NUCC": CostTerms(item_micro=3_300)}
    await sell(world, topups=2)
    first = await close(world)
    assert first["channel_costs"] == [
        {"channel_id": "NUCC", "items": 2, "posted_minor": 0, "carried_micro": 6_600}
    ]
    await sell(world, topups=3)
    second = await close(world, date(2026, 11, 24))
    assert second["channel_costs"] == [
        {"channel_id": "NUCC", "items": 3, "posted_minor": 1, "carried_micro": 6_500}
    ]
    assert world.shop.balance("O:CHANNEL_COST:CNY") == 1
    assert world.shop.balance("O:COST_PAYABLE:CNY") == 1
    again = await close(world, date(2026, 11, 24))
    assert again["channel_costs"][0]["carried_micro"] == 6_500
    assert world.shop.balance("O:CHANNEL_COST:CNY") == 1
    assert await EveningRepository(world.shop.reader).carried_micro() == {"NUCC": 6_500}
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_interest_is_accrued_by_the_day_and_posted_when_the_bank_pays_it(
    world: World,
) -> None:
    await sell(world)
    report = await close(world)
    # The reserve was empty on the first evening: the channel paid the day after.
    assert report["interest"] == {"accrued_minor": 0, "paid_minor": 0, "unpaid_minor": 0}
    world.interest_bps = 3_600
    world.next_day()
    second = await close(world, date(2026, 11, 24))
    held = world.near.bank.balance(RESERVE).amount_minor
    assert second["interest"]["accrued_minor"] == held * 3_600 // (360 * 10_000)
    world.near.open("RESERVE-BANK", 1_000)
    with world.near.bank.transaction():
        day, seven = date(2026, 11, 25), Money(7, "CNY")
        world.near.bank.move("INT-20261124", "RESERVE-BANK", RESERVE, seven, day, "interest")
    again = await close(world, date(2026, 11, 24))
    assert again["state"] == "closed"
    assert again["interest"]["paid_minor"] == 7
    assert world.shop.balance("O:INTEREST:CNY") == 7
    assert (await close(world, date(2026, 11, 24)))["interest"]["paid_minor"] == 7
    world.next_day()
    swept = await close(world, date(2026, 11, 25))
    assert (swept["state"], swept["swept_minor"]) == ("closed", 7)
    assert world.shop.verify().is_whole


def notes(world: World) -> list[dict[str, Any]]:
    return [dict(row) for row in world.shop.rows("SELECT * FROM reserve_test ORDER BY number")]


@pytest.mark.asyncio
async def test_the_reserves_test_is_signed_stamped_and_kept_once(world: World) -> None:
    world.stamper = stamps = Stamps()
    await sell(world)
    report = await close(world)
    assert report["reserve_test"] == {
        "number": 1, "passed": True, "missing_minor": 0, "short_minor": 0, "strange": 0,
    }  # fmt: skip
    kept = notes(world)
    assert len(kept) == 1
    found = open_reserve_test(kept[0]["note"], KEY)
    assert found.statement_minor == world.at_bank(RESERVE) == found.liabilities_minor
    assert (found.day, found.books_minor, found.passed) == (
        "2026-11-23", found.statement_minor, True,
    )  # fmt: skip
    assert kept[0]["key"] == KEY.to_text()
    assert bytes(kept[0]["stamp"]) == b"stamp" + sha256(kept[0]["note"].encode())
    world.shop.clock.at_ms += 60_000
    await close(world)
    assert (len(notes(world)), stamps.count) == (1, 1)
    with pytest.raises(CallerError, match="signature_invalid"):
        open_reserve_test(kept[0]["note"].replace("books 4", "books 5"), KEY)


@pytest.mark.asyncio
async def test_a_time_stamper_that_is_down_does_not_hold_the_day(world: World) -> None:
    world.stamper = Stamps(is_down=True)
    await sell(world)
    assert (await close(world))["state"] == "closed"
    assert bytes(notes(world)[0]["stamp"]) == b""


@pytest.mark.asyncio
async def test_clients_money_that_is_not_there_keeps_the_day_open(world: World) -> None:
    """A fee was taken that nobody paid, by a movement of the reserve that is none of ours."""
    await sell(world)
    assert (await close(world))["state"] == "closed"
    event = rules.Event("strange", "CNY", "2026-11-24")
    wrong = [one._replace(rule="balance_paid") for one in rules.fees_swept(event, amount_minor=5)]
    world.shop.do(Post(wrong))
    report = await close(world)
    assert (report["state"], report["reserve_test"]["passed"]) == ("open", False)
    assert report["reserve_test"]["strange"] == 1
    assert [bool(row["passed"]) for row in notes(world)] == [True, False]


GOOD = ReserveTest(
    origin="o", day="2026-11-23", at_ms=1, statement_date="2026-11-24", statement_minor=100,
    books_minor=100, in_transit_minor=20, liabilities_minor=120, promised_later_minor=0,
    short_minor=0, strange=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"liabilities_minor": 121}, False),
        ({"liabilities_minor": 121, "promised_later_minor": 1}, True),
        ({"books_minor": 101}, False),
        ({"short_minor": 1}, False),
        ({"strange": 1}, False),
        ({"liabilities_minor": 0}, True),
        ({"in_transit_minor": -100, "liabilities_minor": 0}, True),
        ({"in_transit_minor": -101, "liabilities_minor": 0}, False),
    ],
)
def test_the_verdict_follows_from_the_numbers(changes: dict[str, int], passed: bool) -> None:
    values = {name: getattr(GOOD, name) for name in GOOD.__slots__}
    found = ReserveTest(**(values | changes))
    assert found.passed is passed
    text = found.to_text()
    assert ReserveTest.from_text(text) == found
    other = text.replace("passed", "fai1ed").replace("failed", "passed").replace("fai1ed", "failed")
    with pytest.raises(CallerError, match="proof_invalid"):
        ReserveTest.from_text(other)
