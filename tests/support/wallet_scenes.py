"""Every screen of the wallet, reached as a person reaches it; for pictures, and for axe."""

from collections.abc import AsyncIterator

from playwright.async_api import Page

from backend.pay_page.model import STATIC_PATH
from backend.wallet.switches import Switch
from tests.support.backend import MERCHANT
from tests.support.wallet_phone import (
    CARD_NUMBER,
    MACHINE,
    PIN,
    Phone,
    add_finger,
    give_finger,
    open_wallet,
    shown_code,
)

Scene = tuple[str, Page]
LISTS = (
    "bills",
    "red-packets",
    "coupons",
    "cards",
    "transfers",
    "top-up",
    "withdraw",
    "cards/new",
    "pin-free",
    "pin-change",
    "contracts",
    "services",
)


async def scenes(phone: Phone, page: Page, language: str) -> AsyncIterator[Scene]:
    """All screens in one language, as (name, page)."""
    await phone.fill()
    mandate_id = await phone.agree("vending-07")
    await page.goto(f"{phone.base}/wallet?lang={language}")
    yield "sign-in", page
    await open_wallet(phone, page, language)
    yield "code", page
    await give_finger(page)
    await add_finger(phone, page)
    yield "passkeys", page
    await page.goto(f"{phone.base}/wallet/code")
    async for scene in _paying(phone, page, language):
        yield scene
    for name in ("me", *LISTS):
        await page.goto(f"{phone.base}/wallet/{name}")
        yield name.replace("cards/new", "card-new"), page
    await page.goto(f"{phone.base}/wallet/cards/new")
    await page.fill("#number", CARD_NUMBER)
    await page.fill("#phone", "13800138000")
    await page.click("button.primary")
    await page.wait_for_selector("#code")
    yield "card-code", page
    await page.goto(f"{phone.base}/wallet/top-up")
    await page.fill("#amount", "200")
    await page.click("button.primary")
    await page.wait_for_selector(".result")
    yield "topped-up", page
    await page.goto(f"{phone.base}/wallet/mandates")
    yield "mandates", page
    await page.click(f'[href$="{mandate_id}"]')
    yield "mandate", page
    await page.click("summary")
    yield "mandate-stop", page
    charged = await phone.charge(mandate_id, "vending-07")
    await page.goto(f"{phone.base}/wallet/bills/{charged}")
    yield "bill-explained", page
    async for scene in _signing(phone, page, language):
        yield scene
    await page.goto(f"{phone.base}/wallet/red-packets/new")
    await page.fill("#total", "20")
    await page.fill("#share_count", "2")
    yield "red-packet-new", page
    await page.fill("#packet_pin", PIN)
    await page.click("button.primary")
    await page.wait_for_selector(".envelope")
    await page.click(".last button")
    await page.wait_for_selector(".envelope + .muted, .envelope + ul")
    yield "red-packet", page
    await page.goto(f"{phone.base}/wallet/switches")
    await page.click('[data-switch="drop"] button')
    await page.wait_for_selector('[data-switch="drop"][data-on="yes"]')
    yield "switches", page
    async for scene in _elsewhere(phone, page):
        yield scene


async def _elsewhere(phone: Phone, page: Page) -> AsyncIterator[Scene]:
    """What any browser is shown that opens a shop's code; in both languages at once."""
    await page.goto(f"{phone.base}{STATIC_PATH}{await phone.hang_code()}")
    yield "code-amount", page
    await page.fill("#amount", "12.80")
    await page.click("button")
    await page.wait_for_selector(".go")
    yield "code-pay", page
    await page.goto(f"{phone.base}{STATIC_PATH}none")
    yield "code-refused", page
    await page.goto(f"{phone.base}/wallet/open")
    yield "open", page


async def _signing(phone: Phone, page: Page, language: str) -> AsyncIterator[Scene]:
    is_zh = language == "zh"
    contract_id, order_id = await phone.proposals(
        name="连续包月会员" if is_zh else "Membership",
        service="充电宝租借" if is_zh else "Power bank",
    )
    for name, place in (("contract", contract_id), ("service", order_id)):
        await page.goto(f"{phone.base}/wallet/{name}s/{place}")
        await page.wait_for_selector("[data-passkey]:not([hidden])")
        yield name, page
        await page.click("[data-passkey]")
        await page.wait_for_selector("[data-passkey]", state="detached")
    await page.goto(f"{phone.base}/wallet/agree?merchant_id={MERCHANT}&device={MACHINE}")
    for name, words in {"payment": "20", "day": "60", "ask": "10"}.items():
        await page.fill(f"#{name}", words)
    yield "agree", page
    await page.click("button.primary")
    await page.wait_for_selector("[data-passkey]:not([hidden])")
    yield "agree-terms", page
    await page.click("[data-passkey]")
    await page.wait_for_url("**/wallet/mandates/*")
    await page.goto(f"{phone.base}/wallet/offline")
    await page.fill("#amount", "80")
    yield "offline", page
    await page.click("[data-passkey]")
    await page.wait_for_url("**/wallet/offline/*")
    yield "voucher", page


async def _paying(phone: Phone, page: Page, language: str) -> AsyncIterator[Scene]:
    coffee, bicycle = ("咖啡", "自行车") if language == "zh" else ("Coffee", "Bicycle")
    await phone.sell(100_001, pay_code=await shown_code(page), description=bicycle)
    await page.wait_for_selector("[data-asked]")
    yield "asked", page
    await page.click("[data-asked]")
    await page.wait_for_selector("[data-pin]")
    await page.keyboard.type("111")
    yield "pin", page
    await page.keyboard.type("111")
    await page.wait_for_selector("[data-refusal]")
    yield "pin-wrong", page
    await page.keyboard.type(PIN)
    await page.wait_for_url("**/wallet/paid/*")
    yield "paid", page
    phone.let_codes_renew()
    await page.click("[data-back]")
    code = await shown_code(page)
    await phone.desk.switches.turn(phone.payer_id, Switch.EMPTY, is_on=True)
    await phone.sell(2_680, pay_code=code, description=coffee)
    await phone.desk.switches.turn(phone.payer_id, Switch.EMPTY, is_on=False)
    await page.wait_for_url("**/wallet/paid/*")
    yield "declined", page
    shown = await phone.sell(2_680, description=coffee)
    await page.goto(f"{phone.base}/wallet/scan")
    yield "scan", page
    await page.fill("#content", str(shown["code_url"]))
    await page.click("button.primary")
    await page.wait_for_selector("#coupon")
    yield "order", page
    await page.click("button.primary")
    await page.wait_for_url("**/wallet/paid/*")
    await page.click(".last .key:not(.primary)")
    await page.wait_for_url("**/wallet/bills/*")
    yield "bill", page
    await page.goto(f"{phone.base}/wallet/pay/{phone.id('pay')}")
    yield "refused", page
