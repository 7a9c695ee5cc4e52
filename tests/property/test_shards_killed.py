"""Random payments over three shards, killed between any two steps: nothing is lost or paid twice.

A step is a read of a peer, a commit, and the way from a commit to its answer. The test counts them
in a run that is not killed, then kills at every one in turn, begins again with no memory, lets
all callers try again with the same ids, and compares with what should have come of it.
"""

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from backend.shards.model import Order
from protocol.errors import CallerError
from tests.support.postgres import Cluster
from tests.support.shards import Fate, Killed, Shards, Shops, founded, open_shards, order

SEED = 20_260_930
USERS = [f"usr_{number}" for number in range(4)]
MERCHANTS = [f"mch_{number}" for number in range(6)]
CLOSED = "mch_2"
FUNDS = 4_000


def orders(dice: Random, count: int) -> list[Order]:
    return [
        order(f"pay_{number}", dice.choice(USERS), dice.choice(MERCHANTS), dice.randrange(1, 2_000))
        for number in range(count)
    ]


async def play(shards: Shards, fate: Fate, wanted: list[Order], dice: Random) -> None:
    """Callers pay, relays carry, in an order of the dice's; then the relays finish."""
    for one in wanted:
        fate.step()
        try:
            shards.pay(one)
        except CallerError as refused:
            assert refused.code == "insufficient_balance"
        fate.step()
        if dice.random() < 0.5:
            await dice.choice(shards.all).relay.step()
    await shards.carry()


def check(shards: Shards, wanted: list[Order]) -> None:
    """The books are whole, nothing is under way, and everybody has what the orders' ends say."""
    report = shards.report()
    assert report.breaks == []
    assert [shard.breaks for shard in report.shards] == [[], [], []]
    assert not report.under_way_minor
    spent: Counter[str] = Counter()
    earned: Counter[str] = Counter()
    for one in wanted:
        crosses = shards.home(one.user_id) is not shards.home(one.owner)
        stage = shards.stage(one)
        end = "returned" if crosses and one.owner == CLOSED else "credited"
        assert stage in (None, end)
        is_paid = stage == "credited" or (not crosses and shards.was_posted(one))
        if is_paid:
            spent[one.user_id] += one.amount_minor
            earned[one.owner] += one.amount_minor - one.fee_minor
    assert {user: shards.balance(user) for user in USERS} == {
        user: FUNDS - spent[user] for user in USERS
    }
    assert {shop: shards.balance(shop, "MPEND") for shop in MERCHANTS} == {
        shop: earned[shop] for shop in MERCHANTS
    }


def fund_all(urls: list[str]) -> None:
    with open_shards(urls) as shards:
        for user in USERS:
            shards.fund(user, FUNDS)


def run_killed(urls: list[str], wanted: list[Order], *, kill_at: int) -> Fate:
    """Play until the kill, then begin again and play to the end."""
    fate, shops = Fate(kill_at), Shops(frozenset({CLOSED}))
    try:
        with open_shards(urls, shops=shops, fate=fate) as shards:
            asyncio.run(play(shards, fate, wanted, Random(SEED)))
    except Killed:
        pass
    with open_shards(urls, shops=shops) as shards:
        asyncio.run(play(shards, Fate(), wanted, Random(kill_at)))
        check(shards, wanted)
    return fate


def test_killed_at_every_step_the_shards_end_whole(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    folder.mkdir()
    names = [f"shard{number}.db" for number in range(3)]
    first = [f"sqlite:///{folder / name}" for name in names]
    founded(first)
    fund_all(first)
    wanted = [
        order("pay_0", "usr_0", "mch_1", 1_000),  # crosses
        order("pay_1", "usr_2", CLOSED, 700),  # crosses, and comes back
        order("pay_2", "usr_1", "mch_4", 900),  # crosses the other way
        order("pay_3", "usr_0", "mch_4", 500),  # stays at home
        order("pay_4", "usr_0", "mch_5", FUNDS - 1_499),  # is one too much
    ]
    steps, kill_at = 1, 0
    while kill_at < steps:
        again = tmp_path / f"killed{kill_at}"
        shutil.copytree(folder, again)
        fate = run_killed([f"sqlite:///{again / name}" for name in names], wanted, kill_at=kill_at)
        if kill_at == 0:
            steps = fate.steps
        assert fate.is_dead == (kill_at > 0)
        shutil.rmtree(again)
        kill_at += 1
    assert steps > 30


@pytest.mark.postgres
def test_many_random_payments_on_postgresql_end_whole(postgres_cluster: Cluster) -> None:
    urls = [postgres_cluster.create_database(f"shards_killed_{number}") for number in range(3)]
    founded(urls)
    fund_all(urls)
    run_killed(urls, orders(Random(SEED + 1), 60), kill_at=75)
