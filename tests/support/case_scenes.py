"""Risk cases in every state, for the console's pages of them: what a rule, a device's reading and a
person wanted somebody to look at."""

from collections.abc import AsyncIterator

from playwright.async_api import Page

from backend.clearing.calendar import Calendar
from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore, EnrolDevice, NewKey
from backend.payments.model import DAY_OFFSET_MS
from backend.risk.cases.model import CaseClock, Outcome, Severity, Subject
from backend.risk.cases.service import (
    Alarm,
    AnswerProposal,
    AssignCase,
    OpenCase,
    ProposeOutcome,
)
from tests.support.shop import Shop

RING = "merchant-5001"
DAY_MS = 86_400_000
CLOCK = CaseClock(Calendar().is_business_day, DAY_OFFSET_MS)
LI, HAN = "li.lei", "han.mm"


def raised(
    shop: Shop,
    subject: Subject,
    subject_id: str,
    *,
    source: str = "decision",
    severity: Severity = Severity.MEDIUM,
    reason: str = "very_large",
    reference: str = "",
) -> str:
    """A case's id."""
    alarm = Alarm(
        case_id=shop.id("cas"), source=source, subject=subject, subject_id=subject_id,
        severity=severity, reason=reason, reference=reference,
    )  # fmt: skip
    return str(shop.do(OpenCase(alarm=alarm, clock=CLOCK))["case_id"])


def proposed(shop: Shop, case_id: str, outcome: Outcome, *payments: str) -> None:
    """The first person's word."""
    shop.do(AssignCase(case_id=case_id, by=LI, to=LI))
    words = "付款人来电否认" if outcome is Outcome.FRAUD else "已核对，无异常"
    shop.do(ProposeOutcome(case_id=case_id, by=LI, outcome=outcome, words=words, payments=payments))


def confirmed(shop: Shop, case_id: str) -> None:
    """The second person's."""
    shop.do(AnswerProposal(case_id=case_id, by=HAN, is_agreed=True, words="同意"))


def some_cases(shop: Shop, odd: str) -> None:
    """A ring of payers at two kiosks of a merchant of its own, one of them a known fraud; cases of
    each state, the first of them overdue, one about an ``odd`` payment. The shop's clock stands
    where it stood."""
    now_ms = shop.clock.at_ms
    shop.clock.at_ms = now_ms - 12 * DAY_MS
    payers = _ring(shop)
    fraud = raised(shop, Subject.PAYER, payers[1], reason="test_then_spend")
    paid = [
        row["payment_id"]
        for row in shop.rows(f"SELECT payment_id FROM payment WHERE payer_id = '{payers[1]}'")
    ]
    proposed(shop, fraud, Outcome.FRAUD, *paid)
    shop.clock.at_ms += 60_000
    confirmed(shop, fraud)
    high = Severity.HIGH
    raised(shop, Subject.PAYER, payers[0], severity=high, reason="store_crowd_1h")
    shop.clock.at_ms = now_ms - 4 * DAY_MS
    clone = raised(
        shop, Subject.DEVICE, "till-east-2", source="devices", severity=high, reason="clone"
    )
    proposed(shop, clone, Outcome.INCONCLUSIVE)
    shop.clock.at_ms = now_ms
    raised(shop, Subject.PAYER, payers[2], reason="testing_small_amounts")
    ring = raised(
        shop, Subject.MERCHANT, RING, source="operator", severity=Severity.CRITICAL,
        reason="顾客来电：疑似套现",
    )  # fmt: skip
    proposed(shop, ring, Outcome.SUSPICIOUS)
    raised(shop, Subject.PAYMENT, odd, source="operator", reason="持卡人与银行卡姓名不符")


def _ring(shop: Shop) -> list[str]:
    """Its payers; each pays at both kiosks, and three of them keep a card."""
    shop.add_merchant(RING, name="云集数码")
    for number in (1, 2):
        tid, store = f"kiosk-{number}", f"store-kiosk-{number}"
        shop.do(CreateStore(store=store, merchant_id=RING, name=f"云集 {number} 号柜"))
        key = NewKey(suite="Ed25519", public_key=bytes(32), kid=tid.encode())
        shop.do(
            EnrolDevice(
                tid=tid, kind=DeviceKind.TERMINAL, store=store, key=key, actor="operator",
                is_active=True,
            )
        )  # fmt: skip
    payers = [
        shop.add_payer(balance_minor=90_000, name=name) for name in ("赵四", "钱五", "孙六", "周七")
    ]
    for number, payer in enumerate(payers):
        for turn in range(1 + number % 3):
            shop.clock.at_ms += 7 * 60_000
            body = shop.create_body(
                "pay_code",
                990 + 500 * turn + 70 * number,
                pay_code=shop.code(payer),
                merchant_id=RING,
            )
            shop.ask(
                "payment.create", body, merchant_id=RING, device=f"kiosk-{1 + (turn + number) % 2}"
            )
        if number:
            shop.add_instrument(payer, "card", token=f"tok_of_the_ring_{number}", is_default=False)
    return payers


async def case_scenes(base: str, page: Page) -> AsyncIterator[str]:
    """The names of the screens, each while it is shown; an operator is signed in. The case that is
    due first is taken, another waits for the second person."""
    await page.goto(f"{base}/cases")
    yield "cases"
    await page.click("main tbody a >> nth=0")
    await page.wait_for_selector("svg.links-of")
    take = page.locator("form[action$='/take'] button")
    if await take.count():
        await take.click()
    await page.wait_for_selector("form[action$='/propose']")
    yield "case"
    await page.goto(f"{base}/cases?severity=critical")
    await page.click("main tbody a >> nth=0")
    await page.wait_for_selector("form[action$='/confirm']")
    yield "case-second"
