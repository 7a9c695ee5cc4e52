"""What one program changes of a shop counts from the next payment on in another, which has the
shop's rows in memory."""

from collections.abc import Iterator

import pytest

from backend.merchants.service import AddFeePlan, ChangeMerchant
from backend.switches.model import SwitchKind
from backend.switches.service import Turn
from tests.support.shop import MERCHANT, Shop


@pytest.fixture
def other(shop: Shop) -> Iterator[Shop]:
    """A second program on the same database."""
    other = Shop(shop.url, first_id=10_000)
    yield other
    other.close()


def turned(*, is_stopped: bool) -> Turn:
    return Turn(
        kind=SwitchKind.MERCHANT,
        subject=MERCHANT,
        is_stopped=is_stopped,
        reason="audit",
        actor="operator",
        channels=frozenset(),
    )


def test_a_merchant_that_another_program_closes_earns_nothing_more(shop: Shop, other: Shop) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 1_000)["state"] == "captured"
    other.do(ChangeMerchant(merchant_id=MERCHANT, status="closed"))
    assert shop.pay(payer, 1_000)["state"] == "declined"
    other.do(ChangeMerchant(merchant_id=MERCHANT, status="active"))
    assert shop.pay(payer, 1_000)["state"] == "captured"


def test_a_switch_that_another_program_turns_stops_at_once(shop: Shop, other: Shop) -> None:
    """The switch's row is new: that there was none is remembered, too."""
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 1_000)["state"] == "captured"
    other.do(turned(is_stopped=True))
    assert shop.pay(payer, 1_000)["state"] == "declined"
    other.do(turned(is_stopped=False))
    assert shop.pay(payer, 1_000)["state"] == "captured"


def test_a_fee_that_another_program_agrees_is_charged(shop: Shop, other: Shop) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    shop.pay(payer, 10_000)
    other.do(
        AddFeePlan(
            merchant_id=MERCHANT,
            rate_bps=100,
            min_minor=0,
            cap_minor=0,
            valid_from_ms=shop.clock.at_ms,
        )
    )
    shop.pay(payer, 10_000)
    charged = shop.rows("SELECT fee_minor FROM payment ORDER BY fee_plan_version")
    assert [row["fee_minor"] for row in charged] == [60, 100]
