"""Paying in e-CNY: final at once, in our wallet, refunded as a new payment back."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from backend.disputes.service import OpenDispute
from protocol.errors import CallerError
from tests.support.ecny import ECNY_TOKEN, EcnyWorld
from tests.support.shop import MERCHANT, Shop, bugs_in

pytestmark = pytest.mark.asyncio
WALLET, PENDING, LONG = "C:ECNY:CNY", f"C:MPEND:{MERCHANT}:CNY", "C:LONG:CNY"


@pytest.fixture
def world(migrated_url: str) -> Iterator[EcnyWorld]:
    shop = Shop(migrated_url)
    shop.add_merchant()
    world = EcnyWorld(shop)
    with capture_logs() as logs:
        yield world
    world.close()
    shop.close()
    assert not bugs_in(logs)


async def test_what_is_paid_lies_in_our_wallet_at_once(world: EcnyWorld) -> None:
    paid = world.shop.pay(world.wallet_payer(), 10_000)
    assert paid["state"] == "processing"
    await world.finish()
    assert world.state(paid["payment_id"]) == "captured"
    assert world.wallet_paid() == world.shop.balance(WALLET) == 10_000
    assert (world.shop.balance(PENDING), world.shop.balance("C:UNSWEPT:CNY")) == (9_940, 60)
    assert not world.shop.rows("SELECT id FROM ledger_account WHERE code = 'CH'")
    world.check_quiet()


async def test_the_wallet_s_limits_tell_the_till_why(world: EcnyWorld) -> None:
    payer = world.wallet_payer()

    async def said(amount_minor: int) -> str:
        paid = world.shop.pay(payer, amount_minor)
        await world.finish()
        found = world.shop.ask("payment.query", {"payment_id": paid["payment_id"]})
        return str(found["error"]["code"] if "error" in found else found["state"])

    assert await said(50_001) == "payer_limit_payment"
    assert [await said(50_000), await said(30_001)] == ["captured", "payer_limit_day"]
    assert await said(30_000) == "captured"
    world.night()
    assert [await said(20_001), await said(20_000)] == ["payer_limit_year", "captured"]
    assert world.shop.balance(WALLET) == 100_000
    world.check_quiet()


async def test_fifty_refunds_give_back_payment_and_fee_exactly(world: EcnyWorld) -> None:
    payment_id = world.shop.pay(world.wallet_payer(), 10_000)["payment_id"]
    await world.finish()
    for _ in range(50):
        assert world.shop.refund(payment_id, 200)["state"] == "processing"
        await world.finish()
    assert world.state(payment_id) == "refunded"
    for account in (WALLET, PENDING, "C:UNSWEPT:CNY", "O:MDR:CNY"):
        assert world.shop.balance(account) == 0
    assert world.wallet_paid() == 0
    world.check_quiet()


async def test_a_lost_answer_is_unknown_and_a_query_finds_it(world: EcnyWorld) -> None:
    payment_id = world.shop.pay(world.wallet_payer(), 500)["payment_id"]
    world.ecny.mishaps = ["silent"]
    await world.runner.run_due()
    assert world.state(payment_id) == "unknown"
    await world.finish()
    assert world.state(payment_id) == "captured"
    world.check_quiet()


async def test_an_order_that_comes_after_its_reversal_takes_nothing(world: EcnyWorld) -> None:
    payment_id = world.shop.pay(world.wallet_payer(), 500)["payment_id"]
    world.ecny.mishaps = ["late"]
    await world.runner.run_due()
    world.shop.ask("payment.reverse", {"payment_id": payment_id})
    await world.finish()
    world.ecny.deliver_late()
    assert world.state(payment_id) == "reversed"
    assert world.wallet_paid() == world.shop.balance(WALLET) == 0
    world.check_quiet()


async def test_a_till_that_gives_up_a_final_payment_has_it_refunded(world: EcnyWorld) -> None:
    """The operator reverses nothing that is final: the money is long and goes back anew."""
    payment_id = world.shop.pay(world.wallet_payer(), 500)["payment_id"]
    await world.finish()
    world.shop.ask("payment.reverse", {"payment_id": payment_id})
    await world.runner.run_due()
    assert (world.shop.balance(LONG), world.shop.balance(WALLET)) == (500, 500)
    await world.finish()
    assert world.state(payment_id) == "reversed"
    assert world.wallet_paid() == world.shop.balance(WALLET) == world.shop.balance(PENDING) == 0
    assert world.sagas(payment_id) == {payment_id: "settled", f"{payment_id}.back": "succeeded"}
    world.check_quiet()


async def test_a_refused_refund_undoes_what_it_began(world: EcnyWorld) -> None:
    payment_id = world.shop.pay(world.wallet_payer(), 10_000)["payment_id"]
    await world.finish()
    world.ecny.refuses = 1
    world.shop.refund(payment_id, 4_000)
    await world.finish()
    assert (world.shop.balance(PENDING), world.shop.balance(WALLET)) == (9_940, 10_000)
    world.check_quiet()


async def test_a_final_payment_cannot_be_disputed(world: EcnyWorld) -> None:
    payment_id = world.shop.pay(world.wallet_payer(), 10_000)["payment_id"]
    await world.finish()
    with pytest.raises(CallerError, match="payment_final"):
        world.shop.do(
            OpenDispute(
                dispute_id=world.shop.id("dsp"),
                payment_id=payment_id,
                amount_minor=1,
                currency="CNY",
                reason="not received",
                rules=world.shop.rules,
            )
        )


async def test_a_token_is_of_one_wallet_of_one_payer(world: EcnyWorld) -> None:
    world.wallet_payer()
    other = world.shop.add_payer()
    with pytest.raises(CallerError, match="instrument_taken"):
        world.shop.add_instrument(other, "ecny", token=ECNY_TOKEN)
