"""The wallet's main stories in a real browser, against a running backend over TLS."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from backend.wallet.switches import Switch
from tests.support.axe import faults, needs_axe
from tests.support.browser import opened_page
from tests.support.wallet_phone import (
    PHONE,
    PIN,
    Phone,
    add_finger,
    give_finger,
    open_wallet,
    running_phone,
    shown_code,
)
from tests.support.wallet_scenes import scenes

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
TOO_WIDE = "() => Number(document.getElementById('main').scrollWidth > innerWidth)"
ABOVE_MINOR = 100_001  # the merchant's limit for a code alone is 1,000 yuan


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def phone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Phone]:
    async with running_phone(tmp_path_factory.mktemp("wallet")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with opened_page(browser, viewport=PHONE, ignore_https_errors=True) as opened:
        yield opened


async def test_a_code_pays_a_little_at_once_and_much_after_the_pin(
    phone: Phone, page: Page
) -> None:
    await open_wallet(phone, page)
    code = await shown_code(page)
    assert (await phone.sell(1_280, pay_code=code, description="咖啡"))["state"] == "captured"
    await page.wait_for_url("**/wallet/paid/*")
    assert "12.80" in await page.inner_text("main")
    await page.click("[data-back]")
    await page.wait_for_selector("[data-code]")
    again = await shown_code(page)
    assert again != code
    sold = await phone.sell(ABOVE_MINOR, pay_code=again, description="自行车")
    assert sold["state"] == "awaiting_payer"
    await page.click("[data-asked]")
    assert "街角小店" in await page.inner_text("main")
    assert "1000.01" in await page.inner_text("main")
    await page.keyboard.type("111111")
    assert "支付密码错误" in await page.inner_text("[data-refusal]")
    for digit in PIN:
        await page.tap(f'[data-pin="{digit}"]')
    await page.wait_for_url("**/wallet/paid/*")
    assert await phone.state(sold["payment_id"]) == "captured"
    assert await page.get_attribute("body", "data-mood") == "paid"
    assert all(url.startswith(phone.base) for url in page.asked)  # type: ignore[attr-defined]


async def test_the_pay_code_is_whole_on_a_small_phone(phone: Phone, page: Page) -> None:
    await page.set_viewport_size({"width": 320, "height": 640})
    await open_wallet(phone, page)
    await page.wait_for_selector("[data-code]")
    paper = await page.locator(".paper").bounding_box()
    assert paper is not None
    for part in (".qr svg", ".bars svg", ".digits code"):
        box = await page.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= paper["x"] + 8, part
        assert box["x"] + box["width"] <= paper["x"] + paper["width"] - 8, part


async def test_a_pasted_code_shows_merchant_and_amount_and_is_paid_also_without_a_script(
    browser: Browser, phone: Phone
) -> None:
    async with opened_page(
        browser, viewport=PHONE, ignore_https_errors=True, java_script_enabled=False
    ) as page:
        await open_wallet(phone, page, "en")
        shown = await phone.sell(2_680, description="Coffee")
        await page.click('[href="/wallet/scan"]')
        await page.fill("#content", "https://elsewhere.example/x")
        await page.click("button.primary")
        assert "code_not_payable" in await page.inner_text("[data-refusal]")
        await page.fill("#content", str(shown["code_url"]))
        await page.click("button.primary")
        await page.wait_for_url("**/wallet/pay/*")
        told = await page.inner_text("main")
        assert "街角小店" in told
        assert "26.80" in told
        assert "Coffee" in told
        assert await phone.state_seen(shown["payment_id"]) == "awaiting_payer"
        await page.focus("button.primary")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/wallet/paid/*")
        assert await phone.state(shown["payment_id"]) == "captured"
        await page.goto(f"{phone.base}/wallet/bills")
        assert "26.80" in await page.inner_text("main")
        dear = await phone.sell(ABOVE_MINOR, description="Bicycle")
        await page.goto(f"{phone.base}/wallet/scan")
        await page.fill("#content", str(dear["code_url"]))
        await page.click("button.primary")
        await page.click("button.primary")
        await page.fill('[name="pin"]', "111111")
        await page.keyboard.press("Enter")
        assert "enter it again" in await page.inner_text("[data-refusal]")
        assert await page.is_editable('[name="pin"]')


async def test_a_finger_pays_in_place_of_the_pin_where_the_address_has_a_name(
    phone: Phone, page: Page
) -> None:
    await open_wallet(phone, page)
    finger = await give_finger(page)
    await add_finger(phone, page)
    sold = await phone.sell(20_001, description="耳机")
    await page.goto(f"{phone.base}/wallet/pay/{sold['payment_id']}")
    await page.click("button.primary")
    await finger.is_known(is_known=False)
    await page.click("[data-passkey]")
    assert "没有完成" in await page.inner_text("[data-refusal]")
    assert await phone.state_seen(sold["payment_id"]) == "awaiting_payer"
    await finger.is_known(is_known=True)
    await page.click("[data-passkey]")
    await page.wait_for_url("**/wallet/paid/*")
    assert await phone.state(sold["payment_id"]) == "captured"
    await page.goto(f"{phone.base}/wallet/red-packets/new")
    await page.fill("#total", "0")
    await page.click("[data-passkey]")
    assert "amount_invalid" in await page.inner_text("[data-refusal]")
    await page.fill("#total", "6.66")
    await page.click("[data-passkey]")
    await page.wait_for_selector(".envelope")
    await page.goto(f"{phone.numbered}/wallet")
    await page.fill("#token", phone.token)
    await page.click("button.primary")
    await page.goto(f"{phone.numbered}/wallet/passkeys")
    assert phone.base in await page.inner_text("main")
    assert await page.locator("[data-passkey-new]").count() == 0
    await page.goto(f"{phone.base}/wallet/passkeys")
    await page.fill("#passkey_name", "旧手机 Old phone")
    await page.fill("#passkey_pin", "000000")
    await page.click("[data-passkey-add]")
    await page.wait_for_selector("[data-refusal]")
    assert await page.input_value("#passkey_pin") == "", "the right one has room"
    assert await page.input_value("#passkey_name") == "旧手机 Old phone"
    await page.click("summary")
    for width in (320, 390):
        await page.set_viewport_size({"width": width, "height": 844})
        name = await page.locator(".rows strong").bounding_box()
        assert name is not None
        assert name["height"] < 40, "the name is on one line beside what changes it"
    await page.click(".stop .danger")
    await page.wait_for_selector(".empty")


async def test_what_a_field_lacks_is_said_in_the_page_s_language_and_not_in_the_browser_s(
    phone: Phone, page: Page
) -> None:
    await open_wallet(phone, page)
    for language, missing, wrong in (
        ("zh", "请填写这一项。", "支付密码是六位数字。"),
        ("en", "Please fill this in.", "The PIN has six digits."),
    ):
        await page.goto(f"{phone.base}/wallet/red-packets/new?lang={language}")
        total, pin = page.locator("#total"), page.locator("#packet_pin")
        await page.click("button.primary")
        assert await total.evaluate("(one) => one.validationMessage") == missing
        await total.fill("1")
        assert await total.evaluate("(one) => one.validity.valid")
        await pin.press_sequentially("12")
        await page.click("button.primary")
        assert await pin.evaluate("(one) => one.validationMessage") == wrong
        await pin.press_sequentially("3456")
        assert await pin.evaluate("(one) => one.validity.valid")


async def test_a_refused_payment_and_a_stopped_mandate_are_over(phone: Phone, page: Page) -> None:
    mandate_id = await phone.agree("vend-1")
    await open_wallet(phone, page)
    sold = await phone.sell(ABOVE_MINOR, pay_code=await shown_code(page))
    await page.click("[data-asked]")
    await page.click(".danger")
    await page.wait_for_url("**/wallet/paid/*")
    assert "payer_refused" in await page.inner_text("main")
    assert await phone.state(sold["payment_id"]) == "declined"
    await page.goto(f"{phone.base}/wallet/mandates/{mandate_id}")
    assert "100.00" in await page.inner_text(".facts")
    await page.click("summary")
    await page.click("[data-stop]")
    await page.wait_for_selector("summary", state="detached")
    assert "已停止" in await page.inner_text("main")


async def test_a_shown_code_that_is_declined_for_want_of_money_says_so_on_the_phone_that_shows_it(
    phone: Phone, page: Page
) -> None:
    phone.let_codes_renew()
    await open_wallet(phone, page)
    code = await shown_code(page)
    await phone.desk.switches.turn(phone.payer_id, Switch.EMPTY, is_on=True)
    sold = await phone.sell(1_990, pay_code=code, description="茶")
    await phone.desk.switches.turn(phone.payer_id, Switch.EMPTY, is_on=False)
    assert sold["state"] == "declined"
    await page.wait_for_url(f"**/wallet/paid/{sold['payment_id']}")
    told = await page.inner_text("main")
    for words in ("没有付款", "19.90", "街角小店", "余额不足", "充值"):
        assert words in told, words
    assert await page.get_attribute(".last .key:not(.primary)", "href") == "/wallet/top-up"
    await page.click("[data-back]")
    assert await shown_code(page) != code
    assert page.url.endswith("/wallet/code"), "it is told once"


async def test_a_payment_whose_answer_is_dropped_is_paid_and_stands_in_the_bills(
    phone: Phone, page: Page
) -> None:
    await open_wallet(phone, page)
    await page.goto(f"{phone.base}/wallet/switches")
    await page.click('[data-switch="drop"] button')
    await page.wait_for_selector('[data-switch="drop"][data-on="yes"]')
    shown = await phone.sell(1_990, description="茶")
    await page.goto(f"{phone.base}/wallet/pay/{shown['payment_id']}")
    await page.click("button.primary", no_wait_after=True)
    await phone.until_captured(shown["payment_id"])
    other = await page.context.new_page()  # the first one may still be trying
    await other.goto(f"{phone.base}/wallet/switches")
    await other.click('[data-switch="drop"] button')
    await other.wait_for_selector('[data-switch="drop"][data-on="no"]')
    await other.goto(f"{phone.base}/wallet/bills")
    assert "19.90" in await other.inner_text("main")
    assert await other.locator("[data-failing]").count() == 0


@pytest.mark.parametrize("script", [True, False])
async def test_a_payment_that_its_bank_has_yet_to_answer_shows_its_end_by_itself(
    browser: Browser, phone: Phone, *, script: bool
) -> None:
    await phone.fill()
    options = {"viewport": PHONE, "ignore_https_errors": True, "java_script_enabled": script}
    async with opened_page(browser, **options) as page:
        await open_wallet(phone, page)
        shown = await phone.sell(2_200, description="面")
        await page.goto(f"{phone.base}/wallet/pay/{shown['payment_id']}")
        await page.select_option("#instrument", index=1)
        phone.clearing.house.faults.arm({"be_slow": 3})
        await page.click("button.primary")
        await page.wait_for_selector("h1:has-text('处理中')")
        await page.wait_for_selector("h1:has-text('付款成功')")
    assert await phone.state(shown["payment_id"]) == "captured"


@needs_axe
async def test_every_screen_is_readable_and_fits_the_phone_in_either_language(
    browser: Browser, tmp_path: Path
) -> None:
    wrong: list[str] = []
    async with (
        running_phone(tmp_path, shop="Corner Shop") as phone,
        opened_page(browser, viewport=PHONE, ignore_https_errors=True) as page,
        opened_page(browser, viewport=PHONE, ignore_https_errors=True) as beside,
    ):
        async for name, shown in scenes(phone, page, "en"):
            wrong += [f"{name}: {fault}" for fault in await faults(shown)]
            wrong += [f"{name} is too wide" for _ in range(await shown.evaluate(TOO_WIDE))]
            address = shown.url.partition("?")[0]
            if name == "code":
                await open_wallet(phone, beside, "zh")
            await beside.goto(f"{address}?lang=zh")
            assert await beside.get_attribute("html", "lang") == "zh-CN"
            wrong += [f"{name} zh: {fault}" for fault in await faults(beside)]
            wrong += [f"{name} zh is too wide" for _ in range(await beside.evaluate(TOO_WIDE))]
    assert not wrong, "\n".join(sorted(set(wrong)))
