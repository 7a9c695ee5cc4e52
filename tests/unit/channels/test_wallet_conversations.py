"""Payments and refunds through other wallets, from a scanned code to the books at rest: the runner
of conversations, the real adapter, real HTTP, the gateway."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from backend.channels.model import ALIPAY, CUP_QR, PayOrder
from backend.disputes.service import OpenDispute
from backend.payments.sealed_codes import open_code
from backend.sagas.limits import LEASE_MS, PAY_PATIENCE_MS
from backend.sagas.repository import SagaRepository
from backend.sagas.runner import SagaRunner
from backend.sagas.service import ClaimSagas
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.acp_world import AcpWorld, acp_world
from tests.support.alipay_world import OPENING_MINOR, AlipayWorld, alipay_world
from tests.support.channels import runner_of
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MASTER_KEY, MERCHANT, Shop, bugs_in

DAY = "2026-11-23"
pytestmark = pytest.mark.asyncio
World = AlipayWorld | AcpWorld


@dataclass(frozen=True)
class Wallet:
    """What differs between the wallets."""

    channel: str
    world: Callable[..., AbstractAsyncContextManager[World]]
    account: str
    payer: str
    foreign_code: str
    """Has this wallet's form, and is nobody's."""
    masked: Callable[[str], str]

    def __str__(self) -> str:
        return self.channel


WALLETS = (
    Wallet(
        channel=ALIPAY,
        world=alipay_world,
        account="ALIPAY",
        payer="支付宝 Alipay lil***@example.com",
        foreign_code="281234567890123456",
        masked=lambda code: f"28****…{code[-4:]}",
    ),
    Wallet(
        channel=CUP_QR,
        world=acp_world,
        account="CUPQR",
        payer="云闪付 UnionPay",
        foreign_code="6212345678901234567",
        masked=lambda _: "****",
    ),
)


@dataclass
class Street:
    """A shop, and another wallet's payer in front of its till."""

    wallet: Wallet
    world: World
    shop: Shop
    runner: SagaRunner

    def pay(self, amount_minor: int, code: str | None = None) -> dict[str, Any]:
        shown = self.world.code() if code is None else code
        body = self.shop.create_body("pay_code", amount_minor, pay_code=shown)
        return self.shop.ask("payment.create", body)

    def found(self, payment_id: str) -> dict[str, Any]:
        return self.shop.ask("payment.query", {"payment_id": payment_id})

    def events(self, saga_id: str) -> list[str]:
        return [row["event"] for row in SagaRepository(self.shop.reader).timeline(saga_id)]

    async def finish(self) -> None:
        for _ in range(40):
            if not await self.runner.settle(date.max):
                return
            self.shop.clock.at_ms += 60_000
        raise AssertionError("a conversation does not end")

    def check_quiet(self) -> None:
        assert self.shop.verify().is_whole
        assert not self.shop.rows("SELECT id FROM ledger_hold WHERE state = 'pending'")
        there = OPENING_MINOR - self.world.left_minor()
        assert self.shop.balance(f"C:CH:{self.wallet.account}.{DAY}:CNY") == there


@pytest_asyncio.fixture(params=WALLETS, ids=str)
async def street(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Street]:
    wallet: Wallet = request.param
    shop = Shop(migrated_sqlite(tmp_path / "db"))
    shop.add_merchant()
    with capture_logs() as logs:
        async with wallet.world(shop.clock, open_code=partial(open_code, MASTER_KEY)) as world:
            runner = runner_of(shop, {wallet.channel: world.adapter})
            yield Street(wallet, world, shop, runner)
    shop.close()
    assert not bugs_in(logs)


async def test_a_scanned_code_is_charged_and_the_books_say_so(street: Street) -> None:
    begun = street.pay(10_000)
    assert begun["state"] == "processing"
    await street.finish()
    found = street.found(begun["payment_id"])
    assert (found["state"], found["payer_masked"]) == ("captured", street.wallet.payer)
    assert street.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 9_940
    assert street.events(begun["payment_id"]) == ["SagaPlanned", "SagaSent", "SagaSucceeded"]
    street.check_quiet()


async def test_the_scanned_code_stands_nowhere_in_the_database(street: Street) -> None:
    code = street.world.code()
    begun = street.pay(1_000, code)
    kept = street.shop.rows("SELECT token FROM saga")[0]["token"]
    assert code not in kept
    assert open_code(MASTER_KEY, begun["payment_id"], kept) == code
    [attempt] = street.shop.rows("SELECT code_masked FROM payment_attempt")
    assert attempt["code_masked"] == street.wallet.masked(code)


async def test_what_is_delayed_past_the_cut_off_is_of_the_next_day(street: Street) -> None:
    street.world.arm(delay_past_cutoff=1)
    begun = street.pay(10_000)
    await street.finish()
    [saga] = street.shop.rows("SELECT settlement_date FROM saga")
    assert saga["settlement_date"] == "2026-11-24"
    assert street.found(begun["payment_id"])["state"] == "captured"
    assert street.shop.balance(f"C:CH:{street.wallet.account}.2026-11-24:CNY") == 10_000


@pytest.mark.parametrize(
    ("fault", "spoil"),
    [
        ("amount_off_by_one", lambda rows: [(rows[0][0], rows[0][1] + 1), rows[1]]),
        ("row_missing", lambda rows: rows[:1]),
        ("row_twice", lambda rows: [*rows, rows[0]]),
    ],
)
async def test_a_spoilt_file_is_read_as_it_stands(
    street: Street, fault: str, spoil: Callable[[Any], Any]
) -> None:
    paid = [(str(street.pay(amount)["payment_id"]), amount) for amount in (1_000, 2_000)]
    await street.finish()
    await street.world.next_day()

    async def rows() -> list[tuple[str, int]]:
        with await street.world.adapter.day_file(date.fromisoformat(DAY)) as file:
            return [(row.reference, row.signed_minor) for row in file.rows()]

    true = await rows()
    assert sorted(true) == sorted(paid)
    street.world.arm(**{fault: 1})
    assert await rows() == spoil(true)
    assert await rows() == true


@pytest.mark.parametrize(
    ("amount_minor", "is_foreign", "error"),
    [(200_000, False, "insufficient_balance"), (1_000, True, "pay_code_expired")],
)
async def test_a_refusal_tells_the_till_why(
    street: Street, amount_minor: int, is_foreign: bool, error: str
) -> None:
    begun = street.pay(amount_minor, street.wallet.foreign_code if is_foreign else None)
    await street.finish()
    found = street.found(begun["payment_id"])
    assert (found["state"], found["error"]["code"]) == ("declined", error)
    street.check_quiet()


async def test_a_code_is_for_one_payment(street: Street) -> None:
    code = street.world.code()
    street.pay(1_000, code)
    await street.finish()
    second = street.pay(1_000, code)
    await street.finish()
    assert street.found(second["payment_id"])["state"] == "declined"
    assert street.world.left_minor() == OPENING_MINOR - 1_000


async def test_a_payer_who_must_confirm_is_waited_for(street: Street) -> None:
    payment_id = street.pay(60_000)["payment_id"]
    await street.runner.run_due()
    assert street.found(payment_id)["state"] == "processing"
    [waiting] = street.world.waiting()
    street.world.confirm(waiting)
    street.shop.clock.at_ms += 5_000
    await street.runner.run_due()
    assert street.found(payment_id)["state"] == "captured"
    street.check_quiet()


async def test_a_payer_who_does_not_confirm_pays_nothing(street: Street) -> None:
    payment_id = street.pay(60_000)["payment_id"]
    for _ in range(12):
        await street.runner.run_due()
        street.shop.clock.at_ms += PAY_PATIENCE_MS // 4
    found = street.found(payment_id)
    assert found["state"] == "reversed"
    assert street.events(payment_id)[-2:] == ["SagaGivenUp", "SagaReversed"]
    assert street.world.left_minor() == OPENING_MINOR
    street.check_quiet()


async def test_a_cashier_who_waits_no_longer_closes_the_trade(street: Street) -> None:
    payment_id = street.pay(60_000)["payment_id"]
    await street.runner.run_due()
    undone = street.shop.ask("payment.reverse", {"payment_id": payment_id})
    assert undone["state"] == "reversed"
    await street.finish()
    assert street.world.waiting() == []
    assert street.world.left_minor() == OPENING_MINOR
    street.check_quiet()


async def test_an_answer_that_is_lost_is_asked_for(street: Street) -> None:
    street.world.arm(drop_answer_after_commit=1)
    payment_id = street.pay(2_000)["payment_id"]
    await street.runner.run_due()
    assert street.found(payment_id)["state"] == "unknown"
    await street.finish()
    assert street.found(payment_id)["state"] == "captured"
    assert street.world.left_minor() == OPENING_MINOR - 2_000
    street.check_quiet()


@pytest.mark.parametrize("fault", ["be_down", "bad_signature", "unknown_status", "arrive_late"])
async def test_whatever_happens_on_the_way_both_say_the_same_in_the_end(
    street: Street, fault: str
) -> None:
    street.world.arm(**{fault: 2})
    payment_id = street.pay(3_000)["payment_id"]
    await street.finish()
    is_paid = street.found(payment_id)["state"] == "captured"
    assert street.world.left_minor() == OPENING_MINOR - 3_000 * is_paid
    street.check_quiet()


async def test_a_process_that_died_after_asking_asks_again_and_charges_once(street: Street) -> None:
    payment_id = street.pay(2_000)["payment_id"]
    [claimed] = street.shop.do(ClaimSagas(saga_ids=(payment_id,)))
    row = claimed.row
    order = PayOrder(payment_id, row["token"], Money(2_000, "CNY"), row["created_at_ms"])
    await street.world.adapter.pay(order)  # and nobody lives to note the answer
    street.shop.clock.at_ms += LEASE_MS + 1
    await street.finish()
    assert street.found(payment_id)["state"] == "captured"
    assert street.world.left_minor() == OPENING_MINOR - 2_000
    street.check_quiet()


async def test_a_till_that_gives_up_gets_the_payer_the_money_back(street: Street) -> None:
    payment_id = street.pay(4_000)["payment_id"]
    await street.finish()
    undone = street.shop.ask("payment.reverse", {"payment_id": payment_id})
    assert undone["state"] == "reversed"
    await street.finish()
    assert street.world.left_minor() == OPENING_MINOR
    street.check_quiet()


async def test_refunds_in_parts_go_back_through_the_wallet_with_their_fee(street: Street) -> None:
    payment_id = street.pay(10_000)["payment_id"]
    await street.finish()
    for amount_minor in (4_000, 6_000):
        refund = street.shop.refund(payment_id, amount_minor)
        assert refund["state"] == "processing"
        street.world.arm(drop_answer_after_commit=1)
        await street.finish()
    assert street.found(payment_id)["state"] == "refunded"
    assert street.world.left_minor() == OPENING_MINOR
    assert street.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 0
    street.check_quiet()


async def test_a_wallet_without_a_channel_is_named_to_the_cashier(street: Street) -> None:
    declined = street.pay(1_000, "911234567890123456")
    assert (declined["state"], declined["error"]["code"]) == ("declined", "wallet_not_taken")


async def test_a_days_file_is_what_our_books_have(street: Street) -> None:
    kept = [street.pay(minor)["payment_id"] for minor in (10_000, 2_500)]
    await street.finish()
    refund = street.shop.refund(kept[0], 1_000)
    cancelled = street.pay(700)["payment_id"]
    await street.finish()
    street.shop.ask("payment.reverse", {"payment_id": cancelled})
    await street.finish()
    with pytest.raises(Exception, match="day_not_closed"):
        await street.world.adapter.settle(date(2026, 11, 23))
    await street.world.next_day()
    await street.world.adapter.settle(date(2026, 11, 23))
    with await street.world.adapter.day_file(date(2026, 11, 23)) as file:
        rows = {row.reference: (row.kind, row.signed_minor) for row in file.rows()}
    assert rows == {
        kept[0]: ("payment", 10_000),
        kept[1]: ("payment", 2_500),
        refund["refund_id"]: ("refund", -1_000),
    }
    assert street.world.reserve_bank.nets("RESERVE-TILLWAY") == {
        f"STL-{street.wallet.account}-20261123": 11_500
    }


async def test_another_wallets_payer_disputes_there_and_not_here(street: Street) -> None:
    payment_id = street.pay(10_000)["payment_id"]
    await street.finish()
    dispute = OpenDispute(
        dispute_id=street.shop.id("dsp"),
        payment_id=payment_id,
        amount_minor=10_000,
        currency="CNY",
        reason="not as described",
        actor="operator",
        rules=street.shop.rules,
    )
    with pytest.raises(CallerError, match="dispute_elsewhere"):
        street.shop.do(dispute)
