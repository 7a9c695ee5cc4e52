"""Whatever order tokens come back in, and however often: nothing is lost, nothing charged twice."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.offline import HOUR_MS, OfflinePhone, earned, set_aside
from tests.support.shop import Shop, shop_of_two

AMOUNTS = st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 5)), min_size=1, max_size=8)


@st.composite
def returns(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[int]]:
    """Tokens (amount, number), and the order of their arrivals, some of them more than once."""
    tokens = draw(AMOUNTS)
    order = draw(st.permutations(range(len(tokens))))
    again = draw(st.lists(st.sampled_from(range(len(tokens))), max_size=4))
    return tokens, [*order, *again]


def play(shop: Shop, tokens: list[tuple[int, int]], order: list[int], spare: int) -> None:
    phone = OfflinePhone(shop, shop.add_payer(balance_minor=10_000 + spare))
    phone.fetch(10_000)
    bodies = [phone.accepted(amount, number=number) for amount, number in tokens]
    before, loss = earned(shop), shop.balance("O:LOSS:CNY")
    last: dict[str, Any] = {}
    for index in order:
        answer = shop.ask("payment.create", bodies[index])
        payment_id = answer["payment_id"]
        assert last.setdefault(payment_id, answer["state"]) == answer["state"]
    rows = [row for row in shop.rows("SELECT * FROM offline_return") if row["payment_id"] in last]
    assert len(rows) == len(tokens), "each token has one bearer"
    sums = {name: sum(row["amount_minor"] for row in rows if row["bearer"] == name)
            for name in ("set_aside", "balance", "house", "merchant")}  # fmt: skip
    assert set_aside(shop, phone) == 10_000 - sums["set_aside"]
    assert shop.payer_balance(phone.payer_id) == spare - sums["balance"]
    assert shop.balance("O:LOSS:CNY") - loss == sums["house"] <= phone.row["guarantee_minor"]
    paid = [row for row in rows if row["bearer"] != "merchant"]
    fees = sum((row["amount_minor"] * 60 + 5_000) // 10_000 for row in paid)
    assert earned(shop) - before == sum(row["amount_minor"] for row in paid) - fees
    numbers = [number for _, number in tokens]
    is_honest = len(set(numbers)) == len(numbers) and sum(a for a, _ in tokens) <= 10_000
    if is_honest:
        assert sums["set_aside"] == sum(amount for amount, _ in tokens)
    shop.clock.at_ms += 200 * HOUR_MS
    assert phone.close() == 10_000 - sums["set_aside"]
    assert set_aside(shop, phone) == 0


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    with shop_of_two(migrated_url) as shop:
        yield shop


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=returns(), spare=st.sampled_from([0, 3_000, 20_000]))
def test_whatever_comes_back_in_whatever_order_every_fen_has_one_bearer(
    shop: Shop, story: tuple[list[tuple[int, int]], list[int]], spare: int
) -> None:
    play(shop, *story, spare)
    assert shop.verify().is_whole
