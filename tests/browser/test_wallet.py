"""The wallet's main stories in a real browser, against a running backend over TLS."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support.browser import opened_page
from tests.support.wallet_phone import PHONE, PIN, Phone, open_wallet, running_phone, shown_code

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
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
