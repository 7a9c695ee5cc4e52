"""Two backends debit under one mandate at the same time: in two groups, its limits still hold."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.risk.model import RiskRules
from tests.support.mandates import DAY_MS, announce, mandate_row, outcome
from tests.support.postgres import Cluster
from tests.support.shop import Shop

ROUNDS, GROUP = 6, 4
pytestmark = pytest.mark.postgres


def test_two_groups_that_race_never_pass_a_limit_or_use_a_notice_twice(
    postgres_cluster: Cluster,
    postgres_template: str,
) -> None:
    url = postgres_cluster.create_database("mandate_rivals", template=postgres_template)
    shops = tuple(Shop(url, risk=RiskRules(velocity_count_max=64)) for _ in range(2))
    first = shops[0]
    first.add_merchant()
    payer = first.add_payer(balance_minor=100_000)
    plain = first.add_mandate(
        payer, limit_payment_minor=100, limit_day_minor=2_000, limit_month_minor=2_500
    )
    asking = first.add_mandate(payer, notice_hours=1, notice_above_minor=0)
    for _ in range(3):
        announce(first, asking, 100)
    bodies = [
        [
            first.create_body("mandate", 100, mandate_id=(plain, asking)[number % 2])
            for number in range(ROUNDS * GROUP * 2)
        ]
        for _ in shops
    ]
    for shop in shops:
        shop.clock.at_ms += DAY_MS
    requests = [
        [first.request("payment.create", body, device="vend1") for body in half] for half in bodies
    ]

    def spend(number: int) -> list[str]:
        shop, waiting = shops[number], requests[number]
        found = []
        for start in range(0, len(waiting), GROUP):
            group = [shop.command(one) for one in waiting[start : start + GROUP]]
            found += [outcome(done.value()[1]) for done in shop.apply(*group)]
        return found

    with ThreadPoolExecutor(2) as pool:
        spent = list(pool.map(spend, (0, 1)))
    by_plain = [one for half in spent for one in half[0::2]]
    by_asking = [one for half in spent for one in half[1::2]]
    assert (by_plain.count("captured"), set(by_plain)) == (20, {"captured", "mandate_limit_day"})
    assert by_asking.count("captured") == 3
    assert set(by_asking) == {"captured", "mandate_notice_required"}
    assert mandate_row(first, plain)["spent_month_minor"] == 2_000
    assert first.payer_balance(payer) == 100_000 - 2_300
    assert first.verify().is_whole
    for shop in shops:
        shop.close()
