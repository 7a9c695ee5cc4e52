"""What is put aside on a ledger over two databases lies with the merchant or payer whose it is,
wherever the name of the case or the voucher would have fallen."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from backend.disputes.model import DisputeCommand
from backend.ledger.rules import Event, dispute_opened
from backend.shards.founding import own_place
from backend.shards.model import Place
from backend.shards.service import seals_of
from backend.shards.verify import verify_shards
from protocol.errors import OperatingError
from tests.support.books import DATE, Post
from tests.support.disputes import OWED, collect, decide, dispute, pay_out, put_aside, settle
from tests.support.offline import HOUR_MS, OfflinePhone, earned, set_aside
from tests.support.postgres import Cluster
from tests.support.shards import founded
from tests.support.shop import MERCHANT, Shop

pytestmark = pytest.mark.postgres
TRIES = 8
"""Enough that their own names fall on both shards."""


@dataclass(frozen=True)
class Sharded:
    """A shop on one of two shards."""

    place: Place
    shop: Shop

    def payer(self, balance_minor: int) -> str:
        """One who lives here."""
        payer_id = self.shop.add_payer()
        while not self.is_home_of(payer_id):
            payer_id = self.shop.add_payer()
        self.shop.top_up(payer_id, balance_minor)
        return payer_id

    def is_home_of(self, owner: str) -> bool:
        return self.place.map.shard_of(owner) == self.place.number


@pytest.fixture
def shards(postgres_cluster: Cluster, postgres_template: str) -> Iterator[list[Sharded]]:
    """Both, the merchant's first. In the end all books and places are proved."""
    names = [f"put_aside_{number}" for number in range(2)]
    urls = [postgres_cluster.create_database(name, template=postgres_template) for name in names]
    founded(urls)
    found = []
    with ExitStack() as stack:
        for url in urls:
            place = own_place(url, urls)
            shop = Shop(url, seals=seals_of(place), first_id=1_000 * place.number)
            stack.callback(shop.close)
            found.append(Sharded(place, shop))
        in_order = list(found)
        found.sort(key=lambda one: not one.is_home_of(MERCHANT))
        found[0].shop.add_merchant()
        yield found
        report = verify_shards([one.shop.reader for one in in_order])
        assert report.breaks == []
        assert report.is_whole
    for name in names:
        postgres_cluster.drop_database(name)


def test_disputes_are_opened_covered_won_and_lost_with_their_merchant(
    shards: list[Sharded],
) -> None:
    home, shop = shards[0], shards[0].shop
    payer_id = home.payer(90_000)
    cases = []
    for number in range(TRIES):
        payment_id = str(shop.pay(payer_id, 10_000)["payment_id"])
        settle(shop)
        if number == 0:
            pay_out(shop)  # nothing is left: own money covers the first
        cases.append(dispute(shop, payment_id, 4_000))
        assert put_aside(shop, cases[-1]) == 4_000
    assert {home.is_home_of(case["dispute_id"]) for case in cases} == {True, False}
    assert shop.balance(OWED) == 4_000
    for number, case in enumerate(cases):
        decide(shop, case, DisputeCommand.WIN if number % 2 else DisputeCommand.LOSE)
        assert put_aside(shop, case) == 0
    assert shop.payer_balance(payer_id) == 90_000 - TRIES * 10_000 + TRIES // 2 * 4_000
    collect(shop)
    assert shop.balance(OWED) == 0


def test_prepaid_money_lies_with_its_payer(shards: list[Sharded]) -> None:
    for one in shards:
        phones = [OfflinePhone(one.shop, one.payer(10_000)) for _ in range(TRIES)]
        vouchers = [phone.fetch(6_000)["voucher_id"] for phone in phones]
        assert {one.is_home_of(voucher_id) for voucher_id in vouchers} == {True, False}
        assert {set_aside(one.shop, phone) for phone in phones} == {6_000}
        if one.is_home_of(MERCHANT):
            for phone in phones:
                assert one.shop.ask("payment.create", phone.accepted(4_000))["state"] == "captured"
            assert earned(one.shop) == TRIES * (4_000 - 24)
        one.shop.clock.at_ms += 1_000 * HOUR_MS
        rest_minor = 2_000 if one.is_home_of(MERCHANT) else 6_000
        assert {phone.close() for phone in phones} == {rest_minor}
        balances = {one.shop.payer_balance(phone.payer_id) for phone in phones}
        assert balances == {4_000 + rest_minor}


def test_nothing_is_put_aside_where_the_merchant_does_not_live(shards: list[Sharded]) -> None:
    shop = shards[1].shop
    for number in range(TRIES):
        case_id = f"dsp_astray_{number}"
        legs = dispute_opened(
            Event(case_id, "CNY", DATE),
            merchant_id=MERCHANT,
            case_id=case_id,
            amount_minor=500,
            cover_minor=500,
        )
        with pytest.raises(OperatingError, match="internal"):
            shop.do(Post(legs))
