"""One code for every wallet: our own scans it, another wallet's browser is sent to its own code, a
static code asks for the amount first. Real adapters, real gateways, the app in this process."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from structlog.testing import capture_logs

from backend.channels.model import ALIPAY, CUP_QR
from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.pay_page import routes
from backend.pay_page.desk import PageDesk
from backend.pay_page.model import typed_minor, wallet_of
from backend.pay_page.service import OpenByWallet
from backend.payments.confirm import ConfirmByPayer, ScanPayment
from backend.payments.tables import PAYMENT
from backend.rate_limit import RateLimit
from backend.wallet.model import scanned_payment_id
from faces.routes import add_routes
from protocol.errors import CallerError
from tests.support.acp_world import AcpWorld, acp_world
from tests.support.alipay_world import OPENING_MINOR, AlipayWorld, alipay_world
from tests.support.channels import runner_of
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MERCHANT, Shop, bugs_in
from tests.support.wallet_http import OPERATOR, operator_only, services_of

PAGE = "https://pay.example"
WECHAT, PLAIN = "Mozilla/5.0 MicroMessenger/8.0.50", "Mozilla/5.0 Firefox/140"
IN_ALIPAY = "Mozilla/5.0 AlipayClient/10.5.90"
IN_UNIONPAY = "Mozilla/5.0 (com.unionpay.chsp) (cordova 4.5.4) UnionPay/1.0 CloudPay"


@dataclass
class Street:
    """A shop with a page, both gateways, and a browser."""

    shop: Shop
    alipay: AlipayWorld
    unionpay: AcpWorld
    runner: Any
    browser: httpx2.AsyncClient

    async def open(self, path: str, agent: str = PLAIN) -> httpx2.Response:
        return await self.browser.get(path, headers={"user-agent": agent})

    def shown(self, amount_minor: int = 1_280) -> tuple[str, str]:
        """A code on a till: the payment's id and what it says."""
        said = self.shop.show_qr(amount_minor)
        return str(said["payment_id"]), str(said["code_url"])

    def state(self, payment_id: str) -> str:
        return str(self.shop.ask("payment.query", {"payment_id": payment_id})["state"])

    async def pass_s(self, seconds: int) -> None:
        self.shop.clock.at_ms += seconds * 1_000
        await self.runner.run_due()

    async def finish(self) -> None:
        for _ in range(40):
            if not await self.runner.settle(date.max):
                return
            self.shop.clock.at_ms += 60_000
        raise AssertionError("a conversation does not end")


def the_app(shop: Shop, runner: Any) -> FastAPI:
    desk = PageDesk(services_of(shop), runner.carry_on)
    tries = RateLimit(
        now_ms=shop.clock.now_ms, window_ms=60_000, each_max=20, all_max=100, callers_max=10
    )
    app = FastAPI()
    add_routes(app, routes.router(desk, tries))
    add_routes(app, routes.operator_router(desk, operator_only))
    return app


@asynccontextmanager
async def opened_street(url: str) -> AsyncIterator[Street]:
    shop = Shop(url)
    shop.rules = replace(shop.rules, page_url=PAGE)
    shop.add_merchant()
    with capture_logs() as logs:
        async with AsyncExitStack() as opened:
            alipay = await opened.enter_async_context(alipay_world(shop.clock))
            unionpay = await opened.enter_async_context(acp_world(shop.clock))
            runner = runner_of(shop, {ALIPAY: alipay.adapter, CUP_QR: unionpay.adapter})
            transport = httpx2.ASGITransport(the_app(shop, runner))
            browser = httpx2.AsyncClient(transport=transport, base_url=PAGE)
            await opened.enter_async_context(browser)
            yield Street(shop, alipay, unionpay, runner, browser)
    assert shop.verify().is_whole
    shop.close()
    assert not bugs_in(logs)


@pytest_asyncio.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    async with opened_street(migrated_sqlite(tmp_path / "db")) as street:
        yield street


@pytest.mark.asyncio
async def test_our_own_wallet_scans_the_same_code(street: Street) -> None:
    payment_id, url = street.shown()
    assert url == f"{PAGE}/q/p/{payment_id}"
    assert scanned_payment_id(url) == payment_id
    for agent in (WECHAT, PLAIN):
        page = await street.open(url, agent)
        assert page.status_code == 200
        assert "CNY 12.80" in page.text
        assert f"tillway://pay?id={payment_id}" in page.text
    assert street.state(payment_id) == "awaiting_payer"


@pytest.mark.asyncio
async def test_alipay_is_sent_to_its_own_code_and_pays_there(street: Street) -> None:
    payment_id, url = street.shown()
    sent = await street.open(url, IN_ALIPAY)
    assert sent.status_code == 303
    address = sent.headers["location"]
    assert address.startswith("https://qr.alipay.com/bax")
    assert street.state(payment_id) == "processing"
    assert (await street.open(url, IN_ALIPAY)).headers["location"] == address
    await street.pass_s(4)
    assert street.state(payment_id) == "processing"
    street.alipay.confirm(address)
    await street.pass_s(4)
    assert street.state(payment_id) == "captured"
    assert street.alipay.left_minor() == OPENING_MINOR - 1_280
    for agent in (PLAIN, IN_ALIPAY):
        assert "Paid" in (await street.open(url, agent)).text


@pytest.mark.asyncio
async def test_unionpay_is_sent_to_its_own_code_and_pays_there(street: Street) -> None:
    payment_id, url = street.shown(2_560)
    sent = await street.open(url, IN_UNIONPAY)
    assert sent.headers["location"].startswith("https://qr.95516.com/")
    street.unionpay.confirm(sent.headers["location"])
    await street.pass_s(4)
    assert street.state(payment_id) == "captured"
    refund = street.shop.refund(payment_id, 560)
    await street.finish()
    found = street.shop.ask("refund.query", {"refund_id": refund["refund_id"]})
    assert found["state"] == "succeeded"
    assert street.unionpay.left_minor() == OPENING_MINOR - 2_000


@pytest.mark.asyncio
async def test_a_payment_is_with_one_wallet_at_a_time(street: Street) -> None:
    payment_id, url = street.shown()
    assert (await street.open(url, IN_ALIPAY)).status_code == 303
    for agent in (IN_UNIONPAY, WECHAT, PLAIN):
        page = await street.open(url, agent)
        assert page.status_code == 200
        assert "another wallet" in page.text
        assert "tillway://" not in page.text
    assert street.state(payment_id) == "processing"
    scanned = ScanPayment(payment_id=payment_id, payer_id="pyr_1", rules=street.shop.rules)
    with pytest.raises(CallerError, match="payment_processing"):
        street.shop.do(scanned)


@pytest.mark.asyncio
async def test_our_payer_who_was_refused_does_not_learn_who_paid(street: Street) -> None:
    payment_id, url = street.shown()
    confirm = ConfirmByPayer(
        payment_id=payment_id,
        attempt_id=street.shop.id("att"),
        payer_id=street.shop.add_payer(),
        is_pin_verified=True,
        rules=street.shop.rules,
    )
    assert street.shop.do(confirm)[1]["error"]["code"] == "insufficient_balance"
    street.alipay.confirm((await street.open(url, IN_ALIPAY)).headers["location"])
    await street.pass_s(4)
    _, said = street.shop.do(confirm)
    assert said["state"] == "captured"
    assert "payer_masked" not in said


@dataclass(frozen=True)
class OfAProgram:
    """Makes a payment an order of a merchant's program."""

    payment_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYMENT, self.payment_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # a command's shape
        ws.update(PAYMENT, self.payment_id, notify_form="v3")


@pytest.mark.asyncio
async def test_an_order_of_a_merchants_program_is_for_our_own_wallet_alone(street: Street) -> None:
    payment_id, url = street.shown()
    street.shop.do(OfAProgram(payment_id))
    page = await street.open(url, IN_ALIPAY)
    assert page.status_code == 200
    assert f"tillway://pay?id={payment_id}" in page.text
    by_alipay = OpenByWallet(
        payment_id=payment_id,
        attempt_id=street.shop.id("att"),
        wallet="alipay",
        rules=street.shop.rules,
    )
    with pytest.raises(CallerError, match="wallet_not_taken"):
        street.shop.do(by_alipay)
    assert street.state(payment_id) == "awaiting_payer"


@pytest.mark.asyncio
async def test_a_code_that_nobody_scans_in_time_takes_nothing(street: Street) -> None:
    payment_id, url = street.shown()
    address = (await street.open(url, IN_ALIPAY)).headers["location"]
    await street.pass_s(5 * 60)
    await street.finish()
    assert street.state(payment_id) == "reversed"
    with pytest.raises(Exception, match="no such trade"):
        street.alipay.confirm(address)
    assert not street.shop.rows("SELECT id FROM ledger_hold WHERE state = 'pending'")


@pytest.mark.asyncio
async def test_a_till_that_gives_up_closes_the_other_wallets_code(street: Street) -> None:
    payment_id, url = street.shown()
    address = (await street.open(url, IN_ALIPAY)).headers["location"]
    undone = street.shop.ask("payment.reverse", {"payment_id": payment_id})
    assert undone["state"] == "reversed"
    await street.finish()
    with pytest.raises(Exception, match="no such trade"):
        street.alipay.confirm(address)


@pytest.mark.asyncio
async def test_a_gateway_that_is_silent_leaves_the_page_without_an_address(street: Street) -> None:
    payment_id, url = street.shown()
    street.alipay.arm(be_down=1)
    page = await street.open(url, IN_ALIPAY)
    assert page.status_code == 200
    assert street.state(payment_id) == "unknown"
    await street.finish()
    assert street.state(payment_id) == "reversed"


@pytest.mark.asyncio
async def test_what_is_no_code_of_ours_says_so_in_both_languages(street: Street) -> None:
    for path in ("/q/p/pay_00000000000000000000000000", "/q/p/x", "/q/s/nothing"):
        page = await street.open(path, IN_ALIPAY)
        assert page.status_code == 404
    assert "ask the shop" in page.text


@pytest.mark.asyncio
async def test_a_static_code_asks_for_the_amount_and_goes_on_by_wallet(migrated_url: str) -> None:
    async with opened_street(migrated_url) as street:
        await sell_by_static_code(street)


async def sell_by_static_code(street: Street) -> None:
    wanted = {"merchant_id": MERCHANT, "label": "柜台一"}
    address = "/operator/v1/static-codes"
    with pytest.raises(CallerError, match="not_authorized"):
        await street.browser.post(address, json=wanted)
    made = (await street.browser.post(address, json=wanted, headers=OPERATOR)).json()
    page = await street.open(made["url"], IN_ALIPAY)
    assert "金额" in page.text
    for wrong in ("0", "", "1.005", "-3", "1e3", "9" * 8):
        refused = await street.browser.post(made["url"], data={"amount": wrong})
        assert refused.status_code == 400
    began = await street.browser.post(
        made["url"], data={"amount": "23.5"}, headers={"user-agent": IN_ALIPAY}
    )
    assert began.status_code == 303
    sent = await street.open(began.headers["location"], IN_ALIPAY)
    street.alipay.confirm(sent.headers["location"])
    await street.pass_s(4)
    [row] = street.shop.rows("SELECT state, amount_minor, description FROM payment")
    assert tuple(row.values()) == ("captured", 2_350, "柜台一")
    stopped = await street.browser.post(f"{address}/{made['code_id']}/stop", headers=OPERATOR)
    assert stopped.json()["status"] == "stopped"
    assert (await street.open(made["url"])).status_code == 404
    listed = await street.browser.get(f"{address}?merchant_id={MERCHANT}", headers=OPERATOR)
    assert [one["code_id"] for one in listed.json()["codes"]] == [made["code_id"]]


@pytest.mark.asyncio
async def test_who_opens_too_often_waits(street: Street) -> None:
    _, url = street.shown()
    answers = [await street.open(url) for _ in range(21)]
    assert [one.status_code for one in answers] == [200] * 20 + [503]
    assert "请稍等片刻再试，不会重复付款" in answers[-1].text
    assert "wait a moment and try again" in answers[-1].text


@pytest.mark.parametrize(
    ("agent", "wallet"),
    [(WECHAT, "wechat"), (IN_ALIPAY, "alipay"), (IN_UNIONPAY, "unionpay"), (PLAIN, ""), ("", "")],
)
def test_a_wallet_is_known_by_its_browser(agent: str, wallet: str) -> None:
    assert wallet_of(agent) == wallet


@pytest.mark.parametrize(
    ("text", "minor"), [("1", 100), (" 0.1 ", 10), ("12.80", 1_280), ("0.00", None), ("１", None)]
)
def test_what_somebody_types_is_an_amount_or_nothing(text: str, minor: int | None) -> None:
    assert typed_minor(text) == minor
