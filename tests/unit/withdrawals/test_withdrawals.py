"""Payers take their money out: taken at once, paid out by the channel, given back if it refuses."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.channels.facts import DEFAULT_FACTS
from backend.cli import app
from backend.destinations.model import DestinationKind
from backend.destinations.service import FileDestination, WithdrawDestination
from backend.routing.model import Routing
from backend.wallet.model import hash_pin
from backend.withdrawals.model import (
    TRANSITIONS,
    WithdrawalRules,
    WithdrawalState,
    WithdrawalStep,
    next_state,
)
from backend.withdrawals.service import OrderWithdrawal
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN, ChannelWorld, quiet_channel_world
from tests.support.wallet_http import OPERATOR, client_of

FREE = WithdrawalRules().free_minor
CH = "C:CH:NUCC.2026-11-23:CNY"


@pytest.fixture
def world(migrated_url: str) -> Iterator[ChannelWorld]:
    with quiet_channel_world(migrated_url) as world:
        yield world


class Saver:
    """A payer with a balance and a bank account."""

    def __init__(self, world: ChannelWorld, balance_minor: int = 500_000) -> None:
        self.world, self.shop = world, world.shop
        self.payer_id = self.shop.add_payer(balance_minor=balance_minor)
        self.account = self.shop.add_instrument(
            self.payer_id, "card", token=CARD_TOKEN, is_default=False
        )

    def withdraw(self, minor: int, **changes: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "withdrawal_id": self.shop.id("wdr"),
            "payer_id": self.payer_id,
            "instrument_id": self.account,
            "amount": Money(minor, "CNY"),
            "rules": self.shop.rules,
        }
        row: dict[str, Any] = self.shop.do(OrderWithdrawal(**(fields | changes)))
        return row

    def state(self, withdrawal_id: str) -> str:
        [row] = self.shop.rows(f"SELECT * FROM withdrawal WHERE withdrawal_id = '{withdrawal_id}'")
        return str(row["state"])

    @property
    def balance(self) -> int:
        return self.shop.payer_balance(self.payer_id)


def arrived(world: ChannelWorld) -> int:
    return -world.charged()


def check_ended(world: ChannelWorld) -> None:
    assert world.shop.balance("C:PAYOUT:CNY") == 0
    assert world.shop.balance("C:UNSWEPT:CNY") == world.shop.balance("O:DUE_CLIENT:CNY")
    world.check_quiet()


@pytest.mark.asyncio
async def test_money_is_taken_at_once_and_owed_to_the_channel_when_it_has_paid(
    world: ChannelWorld,
) -> None:
    saver = Saver(world)
    row = saver.withdraw(80_000)
    assert (row["state"], row["fee_minor"]) == ("processing", 0)
    assert (saver.balance, world.shop.balance("C:PAYOUT:CNY")) == (420_000, 80_000)
    assert world.shop.balance(CH) == 500_000  # the payer's top-up
    await world.finish()
    assert saver.state(row["withdrawal_id"]) == "succeeded"
    assert arrived(world) == 80_000
    assert world.shop.balance(CH) == 420_000
    assert world.shop.balance("C:RESERVE:CNY") == 0
    check_ended(world)


@pytest.mark.asyncio
async def test_an_account_that_is_not_filed_any_more_is_paid_nothing(world: ChannelWorld) -> None:
    saver = Saver(world)
    customer = DestinationKind.CUSTOMER
    world.shop.do(WithdrawDestination(kind=customer, holder_id=saver.account, actor="operator"))
    with pytest.raises(CallerError, match="destination_not_allowed"):
        saver.withdraw(80_000)
    assert saver.balance == 500_000
    check_ended(world)
    world.shop.do(
        FileDestination(
            kind=customer, holder_id=saver.account, account_no=saver.account,
            account_name="李雷", actor="operator",
        )
    )  # fmt: skip
    assert saver.withdraw(80_000)["state"] == "processing"


@pytest.mark.asyncio
async def test_above_the_allowance_a_fee_is_taken_and_a_refusal_gives_all_back(
    world: ChannelWorld,
) -> None:
    saver = Saver(world)
    saver.withdraw(FREE)
    await world.finish()
    world.card.refuses = 1
    refused = saver.withdraw(50_000)
    assert refused["fee_minor"] == 50
    assert saver.balance == 500_000 - FREE - 50_050
    await world.finish()
    assert saver.state(refused["withdrawal_id"]) == "rejected"
    assert saver.balance == 500_000 - FREE
    assert world.shop.balance("O:WITHDRAWAL_FEE:CNY") == 0
    paid = saver.withdraw(50_000)
    await world.finish()
    assert paid["fee_minor"] == 50
    assert arrived(world) == FREE + 50_000
    assert world.shop.balance("O:WITHDRAWAL_FEE:CNY") == 50
    check_ended(world)


@pytest.mark.asyncio
async def test_a_refused_withdrawal_gives_its_allowance_back(world: ChannelWorld) -> None:
    saver = Saver(world)
    world.card.refuses = 1
    saver.withdraw(FREE)
    await world.finish()
    assert saver.withdraw(FREE)["fee_minor"] == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("mishaps", [["silent"], ["lost"], ["silent", "lost", "silent"], ["late"],
                                     ["unsent", "silent"]])  # fmt: skip
async def test_whatever_is_lost_on_the_way_it_arrives_once(
    world: ChannelWorld, mishaps: list[Any]
) -> None:
    saver = Saver(world)
    row = saver.withdraw(30_000)
    world.card.mishaps = list(mishaps)
    await world.runner.run_due()
    assert saver.state(row["withdrawal_id"]) == "unknown"
    assert world.shop.balance("C:PAYOUT:CNY") == 30_000
    await world.finish()
    world.card.deliver_late()
    assert saver.state(row["withdrawal_id"]) == "succeeded"
    assert arrived(world) == 30_000
    check_ended(world)


def test_the_same_order_again_changes_nothing_and_other_content_is_a_conflict(
    world: ChannelWorld,
) -> None:
    saver = Saver(world)
    withdrawal_id = world.shop.id("wdr")
    first = saver.withdraw(1_000, withdrawal_id=withdrawal_id)
    assert saver.withdraw(1_000, withdrawal_id=withdrawal_id) == first
    assert saver.balance == 499_000
    with pytest.raises(CallerError, match="idempotency_conflict"):
        saver.withdraw(1_001, withdrawal_id=withdrawal_id)


def test_only_the_payer_s_own_bank_account_is_paid(world: ChannelWorld) -> None:
    saver = Saver(world)
    other = world.shop.add_payer()
    theirs = world.shop.add_instrument(other, "card", token="tok_of_others")
    fund = world.shop.add_instrument(saver.payer_id, "fund", token="tok_my_fund_1")
    for instrument_id in (theirs, fund, "6222021234567890123"):
        with pytest.raises(CallerError, match="instrument_unknown"):
            saver.withdraw(1_000, instrument_id=instrument_id)
    assert saver.balance == 500_000
    assert not world.shop.rows("SELECT * FROM withdrawal")


def test_what_the_balance_does_not_hold_with_its_fee_is_not_taken(world: ChannelWorld) -> None:
    saver = Saver(world, balance_minor=FREE + 5)
    with pytest.raises(CallerError, match="insufficient_balance"):
        saver.withdraw(FREE + 1)
    assert saver.balance == FREE + 5
    assert not world.shop.rows("SELECT * FROM withdrawal_allowance")


def test_without_a_channel_that_pays_out_nothing_is_taken(world: ChannelWorld) -> None:
    saver = Saver(world)
    facts = {name: one for name, one in DEFAULT_FACTS.items() if name != "NUCC"}
    world.shop.rules = replace(world.shop.rules, routing=Routing(facts=facts))
    with pytest.raises(CallerError, match="channel_unavailable"):
        saver.withdraw(1_000)
    assert saver.balance == 500_000


@pytest.mark.parametrize(
    ("amount", "before", "fee"),
    [
        (FREE, 0, 0),
        (FREE + 1, 0, 10),
        (FREE, FREE, 100),
        (10_499, FREE, 10),
        (10_500, FREE, 11),
        (1, FREE, 10),
        (200_000, FREE - 50_000, 150),
    ],
)
def test_the_fee_is_a_rate_of_what_is_above_the_allowance_and_no_less_than_the_least(
    amount: int, before: int, fee: int
) -> None:
    assert WithdrawalRules().fee(amount, withdrawn_minor=before) == fee


def test_a_rule_out_of_range_is_refused() -> None:
    for changes in ({"fee_bps": 101}, {"free_minor": -1}, {"amount_minor_max": 0}):
        with pytest.raises(ValueError, match="out of range"):
            WithdrawalRules(**changes)


def test_every_step_of_the_table_is_taken_and_no_other() -> None:
    for state, step in product(WithdrawalState, WithdrawalStep):
        expected = TRANSITIONS.get((state, step))
        if expected is None:
            with pytest.raises(CallerError, match="payment_state"):
                next_state(state, step)
        else:
            assert next_state(state, step) is expected


@pytest.mark.asyncio
async def test_a_wallet_asks_with_its_pin_and_operators_look(world: ChannelWorld) -> None:
    saver = Saver(world)
    payer = {"authorization": f"Bearer token of {saver.payer_id}"}
    body: dict[str, Any] = {
        "withdrawal_id": world.shop.id("wdr"),
        "instrument_id": saver.account,
        "amount_minor": 1_200,
        "pin": "246810",
    }
    hashed = hash_pin(body["pin"], b"s" * 16).hex()
    engine = world.shop._engine
    with engine.begin() as connection:
        stored = f"X'{hashed}'" if engine.dialect.name == "sqlite" else f"'\\x{hashed}'::bytea"
        connection.exec_driver_sql(f"UPDATE payer SET pin_hash = {stored}")
    with client_of(world.shop) as http:
        wrong = http.post("/wallet/v1/withdrawals", json=body | {"pin": "000000"}, headers=payer)
        assert wrong.json()["error"]["code"] == "pin_wrong"
        asked = http.post("/wallet/v1/withdrawals", json=body, headers=payer).json()
        assert (asked["state"], asked["fee_minor"]) == ("processing", 0)
        await world.finish()
        path = f"/wallet/v1/withdrawals/{body['withdrawal_id']}"
        assert http.get(path, headers=payer).json()["state"] == "succeeded"
        stranger = {"authorization": f"Bearer token of {world.shop.add_payer()}"}
        assert http.get(path, headers=stranger).json()["error"]["code"] == "payment_not_found"
        listed = http.get("/wallet/v1/withdrawals", headers=payer).json()["withdrawals"]
        assert [row["withdrawal_id"] for row in listed] == [body["withdrawal_id"]]
        seen = http.get(
            f"/operator/v1/withdrawals/{body['withdrawal_id']}", headers=OPERATOR
        ).json()
        assert (seen["payer_id"], seen["settlement_date"]) == (saver.payer_id, "2026-11-23")
        of_payer = f"/operator/v1/withdrawals?payer_id={saver.payer_id}"
        assert len(http.get(of_payer, headers=OPERATOR).json()["withdrawals"]) == 1
        assert http.get("/operator/v1/withdrawals/wdr_x", headers=OPERATOR).status_code == 400
    run, options = CliRunner(env={"COLUMNS": "20"}), ["--database", world.shop.url]
    told = run.invoke(app, ["withdrawals", "list", saver.payer_id, *options])
    assert (told.exit_code, "succeeded" in told.output) == (0, True)
    assert body["withdrawal_id"] in told.output
    assert run.invoke(app, ["withdrawals", "list", "pyr_nobody", *options]).exit_code == 1
