"""A hot merchant's pending money lies in sub-accounts; every sum is over all of them."""

from collections import Counter
from typing import Any

import pytest

from backend.ledger import rules
from backend.ledger.chart import merchant_available, merchant_pending
from backend.ledger.limits import LEGS_PER_POST_MAX, LEGS_READ_BACK_FIRST
from backend.merchants.limits import PENDING_SHARDS_MAX
from backend.merchants.service import ChangeMerchant, pending_owner, pending_owners
from protocol.errors import CallerError
from tests.support.books import Post
from tests.support.shop import MERCHANT, Shop

SHARDS = 4


def spread(shop: Shop, shards: int, merchant_id: str = MERCHANT) -> None:
    shop.do(ChangeMerchant(merchant_id=merchant_id, pending_shards=shards))


def pending(shop: Shop) -> dict[str, int]:
    rows = shop.rows("SELECT owner, credits_posted - debits_posted AS held FROM ledger_account"
                     " WHERE code = 'MPEND'")  # fmt: skip
    return {row["owner"]: row["held"] for row in rows}


def test_payments_spread_over_the_sub_accounts_and_each_keeps_its_own(shop: Shop) -> None:
    spread(shop, SHARDS)
    payer = shop.add_payer(balance_minor=100_000)
    for _ in range(12):
        shop.pay(payer, 1_000)
    held = pending(shop)
    assert sum(held.values()) == 12 * 994
    assert set(held) == {f"{MERCHANT}#{number}" for number in range(SHARDS)}
    kept = Counter(row["pending_owner"] for row in shop.rows("SELECT pending_owner FROM payment"))
    assert {owner: count * 994 for owner, count in kept.items()} == held
    assert shop.verify().is_whole


def test_a_payment_is_always_of_the_same_sub_account(shop: Shop) -> None:
    merchant = {"merchant_id": "m", "pending_shards": 32, "pending_shards_max": 32}
    ids = [shop.id("pay") for _ in range(3_200)]
    first = [pending_owner(merchant, one) for one in ids]
    assert first == [pending_owner(merchant, one) for one in ids]
    counts = Counter(first)
    assert set(counts) == {f"m#{number}" for number in range(32)}
    assert max(counts.values()) < 2 * 100
    assert pending_owner(merchant | {"pending_shards": 1}, ids[0]) == "m"


def test_a_reversal_takes_the_money_from_where_it_went(shop: Shop) -> None:
    spread(shop, SHARDS)
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 1_000)
    spread(shop, 2)
    answer = shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    assert answer["state"] == "reversed"
    assert set(pending(shop).values()) == {0}
    assert shop.payer_balance(payer) == 10_000


def test_a_refund_draws_on_all_sub_accounts_its_own_first(shop: Shop) -> None:
    spread(shop, SHARDS)
    payer = shop.add_payer(balance_minor=100_000)
    large = shop.pay(payer, 9_000)
    for _ in range(8):
        shop.pay(payer, 1_000)
    owner = shop.rows("SELECT pending_owner FROM payment WHERE amount_minor = 9000")
    spread(shop, 1)
    own = owner[0]["pending_owner"]
    before = pending(shop)
    assert shop.refund(large["payment_id"], 2_000)["state"] == "succeeded"
    assert before[own] - pending(shop)[own] == 2_000 - 12
    assert shop.refund(large["payment_id"], 7_000)["state"] == "succeeded"
    assert sum(pending(shop).values()) == 8 * 994
    for row in shop.rows("SELECT payment_id FROM payment WHERE amount_minor = 1000"):
        assert shop.refund(row["payment_id"], 1_000)["state"] == "succeeded"
    assert set(pending(shop).values()) == {0}
    assert shop.verify().is_whole


def test_no_sub_account_is_forgotten_when_there_are_fewer(shop: Shop) -> None:
    spread(shop, 8)
    spread(shop, 2)
    [row] = shop.rows(f"SELECT * FROM merchant WHERE merchant_id = '{MERCHANT}'")
    assert (row["pending_shards"], row["pending_shards_max"]) == (2, 8)
    assert pending_owners(row) == (MERCHANT, *(f"{MERCHANT}#{number}" for number in range(8)))
    assert pending_owners(row | {"pending_shards_max": 1}) == (MERCHANT,)


@pytest.mark.parametrize("shards", [0, -1, PENDING_SHARDS_MAX + 1])
def test_a_number_of_sub_accounts_that_cannot_be_settled_is_refused(
    shop: Shop, shards: int
) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        spread(shop, shards)


def test_a_name_too_long_for_sub_accounts_is_not_spread(shop: Shop) -> None:
    long = "m" * 62
    shop.add_merchant(long)
    spread(shop, 10, long)
    with pytest.raises(CallerError, match="field_invalid"):
        spread(shop, 11, long)


def emptied(shop: Shop, payer: str) -> tuple[dict[str, Any], str]:
    """A payment of today whose sub-account refunds of an earlier payment have emptied."""
    spread(shop, SHARDS)
    old = shop.pay(payer, 50_000)["payment_id"]
    parts = [(owner, held) for owner, held in pending(shop).items() if held]
    settled = rules.merchant_settled(
        rules.Event(shop.id("pyo"), "CNY", "2026-09-30"),
        merchant_id=MERCHANT,
        amount_minor=sum(held for _, held in parts),
        shards_minor=parts,
    )
    shop.do(Post(settled))
    [own] = [owner for owner, _ in parts]
    unwanted: dict[str, Any] = {}
    while not unwanted or len([held for held in pending(shop).values() if held]) < SHARDS:
        paid = shop.pay(payer, 1_000)
        if not unwanted and pending(shop)[own]:
            unwanted = paid
    while pending(shop)[own]:
        assert shop.refund(old, 500)["state"] == "succeeded"
    return unwanted, own


def test_a_reversal_borrows_from_the_other_sub_accounts_where_its_own_is_short(
    shop: Shop,
) -> None:
    payer = shop.add_payer(balance_minor=1_000_000)
    unwanted, own = emptied(shop, payer)
    before, had = shop.payer_balance(payer), sum(pending(shop).values())
    answer = shop.ask("payment.reverse", {"payment_id": unwanted["payment_id"]})
    assert (answer["state"], answer.get("error")) == ("reversed", None)
    assert shop.payer_balance(payer) == before + 1_000
    assert (pending(shop)[own], sum(pending(shop).values())) == (0, had - 994)
    assert shop.verify().is_whole


def test_a_reversal_is_refused_and_nothing_is_lent_where_all_sub_accounts_are_short(
    shop: Shop,
) -> None:
    payer = shop.add_payer(balance_minor=1_000_000)
    unwanted, _ = emptied(shop, payer)
    old = shop.rows("SELECT payment_id FROM payment WHERE amount_minor = 50000")[0]["payment_id"]
    while sum(pending(shop).values()) >= 994:
        assert shop.refund(old, 500)["state"] == "succeeded"
    before = pending(shop)
    answer = shop.ask("payment.reverse", {"payment_id": unwanted["payment_id"]})
    assert answer["error"]["code"] == "merchant_balance_short"
    assert pending(shop) == before
    assert shop.verify().is_whole


def test_the_most_an_undone_event_can_have_fits_into_one_post() -> None:
    """A refund drawn on every pending account and on what is available, with fee and coupon; and
    what a reversal gathers first."""
    merchant = {
        "merchant_id": "m",
        "pending_shards": PENDING_SHARDS_MAX,
        "pending_shards_max": PENDING_SHARDS_MAX,
    }
    owners = pending_owners(merchant)
    accounts = [
        *(merchant_pending(owner, "CNY") for owner in owners),
        merchant_available("m", "CNY"),
    ]
    event = rules.Event("evt_1", "CNY", "2026-10-01")
    started = rules.channel_refund_started(
        event,
        sources=[(account, 10) for account in accounts],
        fee_back_minor=1,
        coupon_back_minor=5,
    )
    assert LEGS_READ_BACK_FIRST < len(started) <= LEGS_PER_POST_MAX
    gathered = rules.pending_gathered(
        event, merchant_id=owners[0], parts_minor=[(owner, 1) for owner in owners[1:]]
    )
    assert len(gathered) == PENDING_SHARDS_MAX <= LEGS_PER_POST_MAX
