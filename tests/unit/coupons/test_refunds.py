"""What refunds give to the payer and what to us: pure, and in the books, beside disputes."""

import random

import pytest

from backend.coupons.model import coupon_back
from protocol.limits import REFUNDS_PER_PAYMENT_MAX
from tests.support.coupons import choose, own_money
from tests.support.disputes import dispute
from tests.support.shop import MERCHANT, Shop


def half_up(part: int, paid: int, price: int) -> int:
    """refund × paid / price, written as people do it by hand."""
    whole, rest = divmod(part * paid, price)
    return whole + (rest * 2 >= price)


@pytest.mark.parametrize("seed", range(300))
def test_however_a_price_is_given_back_the_payer_never_gets_more_than_was_paid_and_in_the_end_all(
    seed: int,
) -> None:
    """Up to fifty parts, any of which may be refused later and is then given again."""
    luck = random.Random(seed)
    price = luck.choice([luck.randint(2, 60), luck.randint(60, 10_000_000)])
    coupon = luck.randint(1, price)
    standing: list[tuple[int, int]] = []
    is_exact = True
    for number in range(REFUNDS_PER_PAYMENT_MAX):
        before, returned = (sum(one[part] for one in standing) for part in (0, 1))
        if before == price:
            break
        is_last = number == REFUNDS_PER_PAYMENT_MAX - 1
        refund = price - before if is_last else luck.randint(1, price - before)
        back = coupon_back(
            price_minor=price, coupon_minor=coupon, returned_minor=returned,
            before_minor=before, refund_minor=refund,
        )  # fmt: skip
        assert 0 <= back <= refund
        standing.append((refund, back))
        payer = before + refund - returned - back
        assert returned + back <= coupon
        assert payer <= price - coupon
        if is_exact:
            assert payer == half_up(before + refund, price - coupon, price)
        if not is_last and luck.random() < 0.2:
            standing.pop(luck.randrange(len(standing)))
            is_exact = False
    assert sum(one for one, _ in standing) == price
    assert sum(back for _, back in standing) == coupon


def test_fifty_refunds_give_back_exactly_what_was_paid_the_coupon_and_the_fee(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    choose(shop, payer, 333)
    payment_id = shop.pay(payer, 1_000)["payment_id"]
    given = 0
    for number in range(50):
        part = 1_000 - 49 * 20 if number == 49 else 20
        assert shop.refund(payment_id, part)["state"] == "succeeded"
        given += part
        assert shop.payer_balance(payer) == 10_000 - 667 + half_up(given, 667, 1_000)
        assert own_money(shop) == (333 - given + half_up(given, 667, 1_000),) * 3
    assert (shop.payer_balance(payer), own_money(shop)) == (10_000, (0, 0, 0))
    assert shop.balance(f"C:MPEND:{MERCHANT}:CNY") == shop.balance("C:UNSWEPT:CNY") == 0
    [row] = shop.rows("SELECT * FROM payment")
    assert (row["state"], row["coupon_returned_minor"]) == ("refunded", 333)
    assert shop.verify().is_whole


@pytest.mark.parametrize("seed", range(6))
def test_random_payments_and_refunds_leave_the_books_whole(shop: Shop, seed: int) -> None:
    luck = random.Random(seed)
    payer = shop.add_payer(balance_minor=1_000_000)
    price = luck.randint(1, 90_000)
    coupon = luck.randint(1, 100_000)
    choose(shop, payer, coupon)
    paid = shop.pay(payer, price)
    used, left = min(coupon, price), price
    assert shop.payer_balance(payer) == 1_000_000 - price + used
    while left:
        part = luck.randint(1, left) if luck.random() < 0.9 else left
        assert shop.refund(paid["payment_id"], part)["state"] == "succeeded"
        left -= part
        back = half_up(price - left, price - used, price)
        assert shop.payer_balance(payer) == 1_000_000 - price + used + back
        due, owed, promo = own_money(shop)
        assert due == owed == promo == used - (price - left - back)
    assert shop.payer_balance(payer) == 1_000_000
    assert shop.verify().is_whole


def test_what_the_payer_disputes_and_has_back_is_never_more_than_was_paid(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    choose(shop, payer, 250)
    payment_id = shop.pay(payer, 1_000)["payment_id"]
    assert shop.refund(payment_id, 200)["state"] == "succeeded"  # 150 of it the payer's
    dispute(shop, payment_id, 500)
    refused = shop.refund(payment_id, 200)  # 150 more; only 100 are left that are not disputed
    assert (refused["state"], refused["error"]["code"]) == ("failed", "payment_disputed")
    assert shop.refund(payment_id, 133)["state"] == "succeeded"
    assert shop.payer_balance(payer) == 10_000 - 750 + 250
    assert shop.refund(payment_id, 2)["error"]["code"] == "payment_disputed"
