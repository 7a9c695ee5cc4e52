"""e-CNY at the day's end: paid out once it was changed into the reserve, not before."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from backend.channels.model import ECNY
from backend.channels.wallet_statement import WalletStatement
from backend.db.tables import Row
from backend.ledger.chart import channel
from backend.reconciliation.breaks import BreakStep
from backend.reconciliation.cases import MoveBreak
from backend.reconciliation.repository import ReconciliationRepository
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord
from protocol.errors import OperatingError
from tests.support.channels import runner_of
from tests.support.clearing import World, clearing_world, day_end_of
from tests.support.ecny import ECNY_TOKEN, NearEcny, near_ecny
from tests.support.institutions import RESERVE
from tests.support.shop import MERCHANT
from tests.unit.clearing.conftest import pays_with

pytestmark = pytest.mark.asyncio
DAY, AFTER = date(2026, 9, 30), date(2026, 10, 8)
WALLET, PAYOUT_ACCOUNT = "C:ECNY:CNY", "6222000000001234"


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url, first_day=DAY) as made:
        near = near_ecny(made.shop, made.near.bank)
        made.channels[ECNY] = near
        made.runner = runner_of(made.shop, {**made.channels})
        made.day_end = day_end_of(made)
        yield made
        near.operator.house.books.close()


def ecny_of(world: World) -> NearEcny:
    near = world.channels[ECNY]
    assert isinstance(near, NearEcny)
    return near


async def sell(world: World, amount_minor: int, merchant_id: str = MERCHANT) -> str:
    shop = world.shop
    code = shop.code(pays_with(world, "ecny", ECNY_TOKEN))
    body = shop.create_body("pay_code", amount_minor, pay_code=code, merchant_id=merchant_id)
    answer = shop.ask("payment.create", body, merchant_id=merchant_id)
    await world.runner.settle(date.max)
    assert world.shop.balance(channel(ECNY, DAY.isoformat(), "CNY")) >= 0
    return str(answer["payment_id"])


async def test_each_day_closes_over_the_holiday_with_e_cny_changed_and_paid_out(
    world: World,
) -> None:
    earned = 0
    for number in range((AFTER - DAY).days):
        day = DAY + timedelta(days=number)
        await sell(world, 1_000 + number)
        earned += 1_000 + number - 6
        world.next_day()
        for _ in range(2):
            report = await world.day_end.run(day)
            assert (report["state"], report["channels"]["ECNY"]) == ("closed", 1_000 + number)
            assert report["reconciliation"]["breaks"] == 0
        assert world.shop.balance(WALLET) == 0
        assert world.at_bank(PAYOUT_ACCOUNT) == earned
    assert world.at_bank(RESERVE) == 0
    assert world.shop.verify().is_whole


async def test_what_the_operator_has_not_changed_is_not_paid_out(world: World) -> None:
    """The change is late by a day: the merchant waits, and then has all of it."""
    await sell(world, 10_000)
    world.next_day()
    near, agent = ecny_of(world), ecny_of(world).operator._agent
    near.operator._agent = Silent()
    report = await world.day_end.run(DAY)
    assert (report["channels"]["ECNY"], report["payouts"]) == (0, [])
    assert (await world.standing())["unpaid_minor"] == 9_940
    assert world.shop.balance(WALLET) == 10_000
    near.operator._agent = agent
    report = await world.day_end.run(DAY)
    assert (report["state"], report["channels"]["ECNY"]) == ("closed", 10_000)
    assert [(one["amount_minor"], one["state"]) for one in report["payouts"]] == [
        (9_940, "confirmed")
    ]
    assert world.at_bank(PAYOUT_ACCOUNT) == 9_940


async def test_a_refund_after_the_change_takes_it_out_of_the_reserve_again(world: World) -> None:
    payment_id = await sell(world, 10_000)
    other = world.shop.add_payer()
    assert await world.fund(other, 50_000) == "succeeded"
    world.next_day()
    await world.day_end.run(DAY)
    await sell(world, 3_000)
    world.sell(other, 20_000)
    world.shop.refund(payment_id, 5_000)
    await world.runner.settle(date.max)
    assert world.shop.balance(WALLET) == -2_000
    world.next_day()
    report = await world.day_end.run(DAY + timedelta(days=1))
    assert (report["state"], report["channels"]["ECNY"]) == ("closed", -2_000)
    assert world.shop.balance(WALLET) == 0
    assert world.shop.verify().is_whole


async def test_a_day_on_which_as_much_went_as_came_waits_for_nothing(world: World) -> None:
    first = await sell(world, 4_000)
    world.next_day()
    await world.day_end.run(DAY)
    await sell(world, 4_000)
    world.shop.refund(first, 4_000)
    await world.runner.settle(date.max)
    world.next_day()
    report = await world.day_end.run(DAY + timedelta(days=1))
    assert (report["state"], report["channels"]["ECNY"]) == ("closed", 0)
    assert (await world.standing())["unpaid_minor"] == 0


async def test_a_wallet_stated_otherwise_is_a_case_until_the_statement_is_right(
    world: World,
) -> None:
    payment_id = await sell(world, 10_000)
    world.shop.refund(payment_id, 4_000)
    await world.runner.settle(date.max)
    world.next_day()
    near, cases = ecny_of(world), ReconciliationRepository(world.shop.reader)
    with misstated(near, paid_minor=10_001, refunded_minor=4_001):
        for _ in range(2):
            report = await world.day_end.run(DAY)
            found = report["reconciliation"]
            assert (report["state"], found["breaks"]) == ("open", 2)
            assert found["kinds"] == ["WALLET"]
            assert sorted(told(row) for row in await cases.open_cases()) == [
                ("WALLET", "wallet ECNY", "ECNY.2026-09-30.paid", 10_000, 10_001, "waiting", 1),
                ("WALLET", "wallet ECNY", "ECNY.2026-09-30.refunded", 4_000, 4_001, "waiting", 1),
            ]
    report = await world.day_end.run(DAY)
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    assert await cases.open_cases() == []


async def test_a_wallet_that_nobody_states_keeps_the_day_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_day: date) -> None:
        raise OperatingError("timeout", "the operator")

    await sell(world, 10_000)
    world.next_day()
    with monkeypatch.context() as patch:
        patch.setattr(ecny_of(world), "wallet_statement", silent)
        report = await world.day_end.run(DAY)
    assert report["open_because"] == ["unheard: wallet ECNY: timeout: the operator"]
    assert (await world.day_end.run(DAY))["state"] == "closed"


async def test_a_person_ends_the_case_of_a_wallet_and_the_day_closes(world: World) -> None:
    await sell(world, 10_000)
    world.next_day()
    near, cases = ecny_of(world), ReconciliationRepository(world.shop.reader)
    with misstated(near, paid_minor=9_999, refunded_minor=0):
        assert (await world.day_end.run(DAY))["state"] != "closed"
        [row] = await cases.open_cases()
        end = MoveBreak(
            follows=row,
            step=BreakStep.RESOLVE,
            booked_on="2026-10-01",
            actor="li",
            words="their statement is wrong",
        )
        assert (await world.submit(end))["state"] == "resolved"
        assert (await world.day_end.run(DAY))["state"] == "closed"


def told(row: Row) -> tuple[Any, ...]:
    names = ("kind", "source", "reference", "ours_minor", "theirs_minor", "state", "event_count")
    return tuple(row[name] for name in names)


@contextmanager
def misstated(near: NearEcny, *, paid_minor: int, refunded_minor: int) -> Iterator[None]:
    """The operator's statement tells other sums than it told us payment by payment."""
    right = near.wallet_statement

    async def wrong(day: date) -> WalletStatement:
        stated = await right(day)
        return replace(stated, paid_minor=paid_minor, refunded_minor=refunded_minor)

    with patch.object(near, "wallet_statement", wrong):
        yield


class Silent:
    """A reserve bank that does not answer the operator."""

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        raise OperatingError("timeout", "no answer")
