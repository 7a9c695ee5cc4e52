"""What the merchants' pages show, for pictures and for axe: two closed days before this morning, a
withdrawal, stores with devices, a dispute, a merchant number; and the screens over them."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from playwright.async_api import Page

from backend.clearing.due import Due
from backend.clearing.model import Outcome
from backend.clearing.payouts import PayOut, Withdraw
from backend.clearing.settlement import ResolvePayout, SettleMerchant
from backend.clearing.tables import CLEARING_DAY
from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore, EnrolDevice, NewKey, ReportPresence
from backend.disputes.service import OpenDispute
from backend.ledger import rules
from backend.payments.model import DAY_OFFSET_MS
from backend.risk.cases.model import CaseClock
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.models.scorer import Score
from protocol.crypto import generate
from tests.support.books import Post
from tests.support.channel_world import CARD_TOKEN
from tests.support.shop import MERCHANT, Shop

DAY_MS = 86_400_000
_SALES = {3: (2_890, 1_280, 15_600, 990), 2: (4_500, 32_800, 1_280), 1: (6_600, 9_900, 860, 2_450)}
"""By how many days ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closed:
    """A day that its run has closed."""

    day: str

    def reads(self) -> Iterable[Read]:
        return [(CLEARING_DAY, self.day)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        row = {"business_date": self.day, "state": "closed", "runs": 1, "report": "{}"}
        ws.insert(CLEARING_DAY, row | {"updated_at_ms": now_ms})


def days_before(shop: Shop, payer: str, now_ms: int) -> None:
    """Three days of sales; two of them settled and paid out, the third closed since midnight."""
    today = date.fromisoformat(shop.rules.business_date(now_ms))
    event = rules.Event("STL-NUCC-20261123", "CNY", f"{today}")
    paid_in = rules.channel_settled(
        event, channel_id="NUCC", settlement_date="2026-11-23", amount_minor=900_000
    )
    shop.do(Post(paid_in))
    for back, amounts in _SALES.items():
        shop.clock.at_ms = now_ms - back * DAY_MS
        paid = [str(shop.pay(payer, amount)["payment_id"]) for amount in amounts]
        if back == 2:
            shop.refund(paid[1], 2_800)
        day = today - timedelta(days=back)
        shop.clock.at_ms += DAY_MS // 4
        shop.do(_Closed(day=f"{day}"))
        if back > 1:
            _settle(shop, f"{day}", is_paid=back == 3)
    _withdraw(shop, f"{today}")


def _settle(shop: Shop, day: str, *, is_paid: bool) -> None:
    settle = SettleMerchant(
        merchant_id=MERCHANT,
        currency="CNY",
        due=Due(last_date=day, open_minor=10**9, reserved_minor=0, unscheduled=()),
        number=0,
        run_day=day,
        payout_id=shop.id("pyo"),
        execution_date=day,
    )
    shop.do(settle)
    outcome, reason = (Outcome.CONFIRM, "") if is_paid else (Outcome.REJECT, "AC04")
    resolve = ResolvePayout(
        payout_id=settle.payout_id, outcome=outcome, reason=reason, business_date=day
    )
    shop.do(resolve)


def _withdraw(shop: Shop, day: str) -> None:
    """A part of what the bank would not take, again."""
    payout = PayOut(
        payout_id=shop.id("pyo"),
        merchant_id=MERCHANT,
        amount_minor=20_000,
        currency="CNY",
        run_day=day,
        execution_date=day,
    )
    shop.do(Withdraw(payout=payout))


def stores_and_devices(shop: Shop) -> None:
    """Two stores; one till of three has lost the line."""
    for store, name in (("store-east", "晨光东门店"), ("store-west", "晨光西门店")):
        shop.do(CreateStore(store=store, merchant_id=MERCHANT, name=name))
    devices = (
        ("hub-east", DeviceKind.HUB, "store-east", True, 0),
        ("till-east-1", DeviceKind.TERMINAL, "store-east", True, 0),
        ("till-east-2", DeviceKind.TERMINAL, "store-east", False, 3),
        ("till-west-1", DeviceKind.TERMINAL, "store-west", None, 0),
    )
    for tid, kind, store, is_online, depth in devices:
        key = generate("Ed25519").public
        new = NewKey(suite=key.suite.name, public_key=key.public, kid=key.kid)
        shop.do(
            EnrolDevice(tid=tid, kind=kind, store=store, key=new, actor="operator", is_active=True)
        )
        if is_online is not None:
            shop.do(
                ReportPresence(
                    hub="hub-east", tid=tid, is_online=is_online, boot_epoch=1, spool_depth=depth,
                    at_ms=shop.clock.at_ms,
                )
            )  # fmt: skip


def dispute(shop: Shop, payment_id: str) -> None:
    """A payer says that nothing came."""
    shop.do(
        OpenDispute(
            dispute_id=shop.id("dsp"), payment_id=payment_id, amount_minor=1_200, currency="CNY",
            reason="goods not received", rules=shop.rules,
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Model:
    """A model that looks at the amount, the hour and how often the payer pays."""

    model_id: str = "5e" * 32

    def score(self, vector: Sequence[float]) -> Score:
        parts = [0.0] * len(vector)
        parts[0], parts[1], parts[6], parts[7], parts[25] = 0.812, -0.347, 0.291, 0.118, -0.052
        return Score(0.173, sum(parts) - 2.386, -2.386, tuple(parts))


def an_engine() -> Engine:
    """A risk engine with a model."""
    desk = RiskDesk()
    desk.scoring.use(_Model())
    return Engine(desk, CaseClock(lambda _: True, DAY_OFFSET_MS))


def by_card(shop: Shop) -> str:
    """A payment that is at a channel, which has not answered."""
    payer = shop.add_payer(name="王芳")
    shop.add_instrument(payer, "card", token=CARD_TOKEN)
    return str(shop.pay(payer, 45_000)["payment_id"])


async def merchant_scenes(
    base: str, page: Page, disputed: str, given_up: str, code: Callable[[], str]
) -> AsyncIterator[str]:
    """The names of the screens, each while it is shown; an owner of the merchant is signed in,
    whose phone shows a ``code``."""
    for name in (
        "refunds",
        "settlements",
        "payouts",
        "bills",
        "breaks",
        "callbacks",
        "stores",
        "keys",
    ):
        await page.goto(f"{base}/{name}")
        yield "own-breaks" if name == "breaks" else name
    await page.goto(f"{base}/settlements")
    await page.click("main table a >> nth=1")
    yield "settlement-day"
    await page.goto(f"{base}/settlements")
    await page.click("main form.stack button")
    yield "withdraw"
    await page.goto(f"{base}/callbacks/{given_up}")
    yield "callback"
    await page.goto(f"{base}/payments/{disputed}")
    yield "payment-disputed"
    await page.goto(f"{base}/keys")
    renewing = page.locator("form[action$='/secrets/v3']").first
    await renewing.locator("[name='code']").fill(code())
    await renewing.locator("button").click()
    await page.wait_for_selector(".big-code")
    yield "secret"
