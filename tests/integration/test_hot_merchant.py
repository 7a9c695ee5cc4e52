"""A hot merchant on one PostgreSQL: two backends take its payments, a third settles meanwhile."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import date
from itertools import count

import pytest

from backend.merchants.service import ChangeMerchant
from tests.support.clearing import clearing_world
from tests.support.postgres import Cluster
from tests.support.shop import Shop

PAYMENTS, RUNS, SHARDS = 40, 6, 8
NET = 994
pytestmark = pytest.mark.postgres


@pytest.fixture
def shared_url(postgres_cluster: Cluster, postgres_template: str) -> str:
    return postgres_cluster.create_database("hot_merchant", template=postgres_template)


def test_two_writers_and_a_settlement_at_once_lose_nothing_of_a_hot_merchant(
    shared_url: str,
) -> None:
    with clearing_world(shared_url, first_day=date(2026, 9, 29)) as world:
        bank_account = world.add_merchant("hot", "D+0")
        world.shop.do(ChangeMerchant(merchant_id="hot", pending_shards=SHARDS))
        asyncio.run(world.payer_since_yesterday())
        tills = [Shop(shared_url, clock=copy(world.shop.clock)) for _ in range(2)]
        payers = []
        for number, till in enumerate(tills, 1):
            till._numbers = count(number * 1_000_000)
            payers.append(till.add_payer(balance_minor=1_000 * PAYMENTS))

        def sell(number: int) -> int:
            till, payer = tills[number], payers[number]
            done = 0
            for _ in range(PAYMENTS):
                body = till.create_body(
                    "pay_code", 1_000, pay_code=till.code(payer), merchant_id="hot"
                )
                answer = till.ask("payment.create", body, merchant_id="hot")
                done += answer["state"] == "captured"
            return done

        def settle() -> int:
            reports = [asyncio.run(world.day_end.run_within()) for _ in range(RUNS)]
            return sum(report["merchants_settled"] for report in reports)

        with ThreadPoolExecutor(3) as pool:
            sold = [pool.submit(sell, number) for number in (0, 1)]
            settled = pool.submit(settle)
            assert [one.result() for one in sold] == [PAYMENTS, PAYMENTS]
            assert settled.result() > 0
        for till in tills:
            till.close()
        whole = 2 * PAYMENTS * NET
        assert sum(held(world.shop, "MPEND").values()) + moved(world.shop) == whole
        used = [owner for owner in held(world.shop, "MPEND") if owner.startswith("hot#")]
        assert len(used) == SHARDS
        today = world.today
        world.next_day()
        asyncio.run(world.day_end.run(today))
        assert sum(held(world.shop, "MPEND").values()) == 0
        assert moved(world.shop) == whole
        assert world.at_bank(bank_account) == whole
        assert world.shop.verify().is_whole


def held(shop: Shop, code: str) -> dict[str, int]:
    rows = shop.rows("SELECT owner, credits_posted - debits_posted AS held FROM ledger_account"
                     f" WHERE code = '{code}'")  # fmt: skip
    return {row["owner"]: int(row["held"]) for row in rows}


def moved(shop: Shop) -> int:
    """What settlements have made available."""
    [row] = shop.rows("SELECT coalesce(sum(amount_minor), 0) AS sum FROM settlement")
    return int(row["sum"])
