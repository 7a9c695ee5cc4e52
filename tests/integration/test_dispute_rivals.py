"""Two backends refund and dispute the same payments at the same time: no fen goes back twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.db.command import Command, Outcome
from tests.support.disputes import opened, settle
from tests.support.postgres import Cluster
from tests.support.shop import Shop

PAYMENTS, AMOUNT = 8, 1_000
ASKED_MAX = 30
pytestmark = pytest.mark.postgres


def test_a_refund_and_a_dispute_that_race_do_not_both_get_the_money(
    postgres_cluster: Cluster, postgres_template: str
) -> None:
    url = postgres_cluster.create_database("dispute_rivals", template=postgres_template)
    refunding, disputing = Shop(url), Shop(url)
    refunding.add_merchant()
    payer = refunding.add_payer(balance_minor=50_000)
    paid = [refunding.pay(payer, AMOUNT)["payment_id"] for _ in range(PAYMENTS)]
    settle(refunding)
    refunding.clock.at_ms += 60_000
    refunding.pay(payer, 10_000)  # the merchant can always give
    cases = [opened(refunding, payment_id, AMOUNT * 6 // 10) for payment_id in paid]
    bodies = [
        {"refund_id": refunding.id("rfd"), "payment_id": payment_id, "currency": "CNY",
         "amount_minor": AMOUNT * 6 // 10, "till": "t"}
        for payment_id in paid
    ]  # fmt: skip
    requests = [refunding.request("refund.create", body) for body in bodies]

    def refund() -> list[bool]:
        answers = [decided(refunding, refunding.command(request)).value() for request in requests]
        return [answer["state"] == "succeeded" for _, answer in answers]

    def dispute() -> list[bool]:
        codes = [getattr(decided(disputing, case).error, "code", "") for case in cases]
        assert set(codes) <= {"", "dispute_exceeds"}
        return [not code for code in codes]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(refund), pool.submit(dispute)
        winners = list(zip(first.result(), second.result(), strict=True))
    assert all(sum(pair) == 1 for pair in winners)
    assert refunding.verify().is_whole
    for shop in (refunding, disputing):
        shop.close()


def decided(shop: Shop, command: Command) -> Outcome:
    """The word on a command; whoever is told that the books are busy asks the same again."""
    for _ in range(ASKED_MAX):
        [outcome] = shop.apply(command)
        if getattr(outcome.error, "code", "") != "busy":
            return outcome
    raise AssertionError("busy all the time")
