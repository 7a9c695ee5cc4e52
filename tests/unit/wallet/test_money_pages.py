"""Money in and out by the wallet's pages, bills month by month, and the code as a barcode."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
import zxingcpp
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from backend.shop_time import shown_time
from backend.topups.repository import TopUpRepository
from backend.topups.service import TopUps
from backend.wallet.limits import PIN_LOCK_MS
from backend.wallet.model import WalletRules
from backend.wallet.switches import SetSwitch, Switch
from backend.wallet_page.barcode import HEIGHT_MODULES, QUIET_MODULES, bar_picture, bar_widths
from backend.wallet_page.bills import latest_months, month_of
from backend.wallet_page.routes import router
from faces.routes import add_routes
from protocol.errors import CallerError
from tests.support.channel_world import ChannelWorld
from tests.support.shop import Shop
from tests.support.wallet_http import add_wallet, client_of, services_of


@pytest.fixture
def world(migrated_url: str) -> Iterator[ChannelWorld]:
    """A shop whose payers have cards, with a clearing house beside it."""
    shop = Shop(migrated_url, wallet=WalletRules(failure_switches=True))
    shop.add_merchant()
    world = ChannelWorld(shop)
    yield world
    world.close()
    shop.close()


@pytest.fixture
def browser(world: ChannelWorld) -> Iterator[TestClient]:
    services = services_of(world.shop)
    topups = TopUps(
        submit=services.submit,
        carry_on=world.runner.carry_on,
        repository=TopUpRepository(world.shop.reader),
        rules=world.shop.rules,
    )
    app = FastAPI()
    add_routes(app, router(services, topups))
    with TestClient(app, base_url="https://wallet.example", follow_redirects=False) as client:
        yield client


def enter(browser: TestClient, payer: str) -> dict[str, Any]:
    browser.post("/wallet/sign-in", data={"token": f"token of {payer}"})
    return {"page": field_of(browser.get("/wallet/me").text, "page")}


def field_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, name
    return found[1]


def test_a_card_is_added_pays_is_topped_up_from_and_removed(
    world: ChannelWorld, browser: TestClient
) -> None:
    payer = world.card_payer()
    other = world.shop.add_payer()
    page = enter(browser, payer)
    [card] = [row["instrument_id"] for row in world.shop.rows("SELECT * FROM instrument")]
    form = page | {"instrument_id": card, "amount": "12.34"}
    form["topup_id"] = field_of(browser.get("/wallet/top-up").text, "topup_id")
    for _ in range(2):
        assert "充值成功" in browser.post("/wallet/top-up", data=form).text
    assert world.shop.payer_balance(payer) == 1_234
    again = {"topup_id": world.shop.id("top")}
    for changes, code in (
        ({"amount": "x"}, "amount_invalid"),
        ({"instrument_id": "ins_1"}, "instrument_unknown"),
        ({"topup_id": form["topup_id"], "amount": "1"}, "idempotency_conflict"),
    ):
        assert code in browser.post("/wallet/top-up", data=form | again | changes).text
    refused = browser.post("/wallet/top-up", data=form | again | {"amount": "0"}).text
    assert "每次 0.01 至 50000.00 元，最多两位小数。" in refused
    too_much = browser.post("/wallet/top-up", data=form | again | {"amount": "50000.01"}).text
    assert "amount_invalid" in too_much
    enter(browser, other)
    theirs = enter(browser, other) | {"instrument_id": card, "amount": "1"} | again
    assert "instrument_unknown" in browser.post("/wallet/top-up", data=theirs).text
    page = enter(browser, payer)
    assert browser.post(f"/wallet/cards/{card}/remove", data=page).status_code == 303
    assert "instrument_unknown" in browser.post("/wallet/top-up", data=form | again).text
    new = {"kind": "card", "bank": "招商银行", "last4": "8888", "token": "agr_wallet_0002"}
    new["instrument_id"] = world.shop.id("ins")
    headers = {"authorization": f"Bearer token of {payer}"}
    with client_of(world.shop) as api:
        for changes in (
            {"token": "6225881234567890"}, {"last4": "88"}, {"token": "agr_6225 8812 3456 7890"},
        ):  # fmt: skip
            told = api.post("/wallet/v1/instruments", json=new | changes, headers=headers)
            assert told.status_code in {400, 422}
        assert api.post("/wallet/v1/instruments", json=new, headers=headers).status_code == 201
    assert "8888" in browser.get("/wallet/cards").text
    assert browser.get("/wallet/cards/new").status_code == 404


def test_what_a_bank_refused_is_told_in_the_reader_s_language(
    world: ChannelWorld, browser: TestClient
) -> None:
    payer = world.card_payer()
    form = enter(browser, payer) | {"amount": "12.34"}
    [row] = world.shop.rows("SELECT instrument_id FROM instrument")
    form |= {"instrument_id": row["instrument_id"]}
    for language, sentence in (("zh", "账户余额不足"), ("en", "The account has too little money")):
        form["topup_id"] = field_of(browser.get("/wallet/top-up").text, "topup_id")
        told = browser.post(
            f"/wallet/top-up?lang={language}", data=form | {"amount": "49999.99"}
        ).text
        assert f"{sentence} <code>AM04</code>" in told, told


def test_no_time_of_an_address_is_too_far_away(world: ChannelWorld, browser: TestClient) -> None:
    payer = world.card_payer()
    enter(browser, payer)
    for before_ms in (-(10**30), 0, 10**30):
        assert browser.get(f"/wallet/bills?before_ms={before_ms}").status_code == 200
    headers = {"authorization": f"Bearer token of {payer}"}
    with client_of(world.shop) as api:
        for query in (f"before_ms={10**30}", f"from_ms={10**30}"):
            assert api.get(f"/wallet/v1/bills?{query}", headers=headers).status_code == 200


def test_an_empty_list_says_what_to_do(world: ChannelWorld, browser: TestClient) -> None:
    enter(browser, world.shop.add_payer())
    for path, advice in (
        ("bills", "Show a cashier your pay code"), ("coupons", "stands here"),
        ("transfers", "until you take it"), ("mandates", "By the button below"),
        ("red-packets", "type the number"),
    ):  # fmt: skip
        page = browser.get(f"/wallet/{path}?lang=en").text
        assert 'class="empty"' in page, path
        assert advice in page, path


def test_taking_money_out_needs_the_pin_and_is_told_as_it_stands(
    world: ChannelWorld, browser: TestClient
) -> None:
    shop = world.shop
    with client_of(shop) as http:
        made = add_wallet(http, shop)
    payer = made["payer_id"]
    shop.top_up(payer, 50_000)
    card = shop.add_instrument(payer, "card", token="agr_wallet_0003")
    browser.post("/wallet/sign-in", data={"token": made["token"]})
    page = {"page": field_of(browser.get("/wallet/me").text, "page")}
    form = page | {"instrument_id": card, "amount": "100", "pin": "000000"}
    form["withdrawal_id"] = field_of(browser.get("/wallet/withdraw").text, "withdrawal_id")
    assert "pin_wrong" in browser.post("/wallet/withdraw", data=form).text
    refused = browser.post("/wallet/withdraw?lang=en", data=form | {"amount": "0"}).text
    assert "amount_invalid" in refused
    assert "From 0.01 to 50000.00 yuan at a time" in refused
    assert shop.payer_balance(payer) == 50_000
    for _ in range(2):
        sent = browser.post("/wallet/withdraw", data=form | {"pin": "246810"})
        assert sent.headers["location"] == "/wallet/withdraw"
    assert shop.payer_balance(payer) == 40_000
    told = browser.get("/wallet/withdraw?lang=zh").text
    assert "处理中" in told
    assert "−100.00" in told


def test_a_wrong_pin_tells_how_many_tries_are_left_and_a_locked_one_until_when(
    world: ChannelWorld, browser: TestClient
) -> None:
    shop = world.shop
    with client_of(shop) as http:
        made = add_wallet(http, shop)
    browser.post("/wallet/sign-in", data={"token": made["token"]})
    form = {"page": field_of(browser.get("/wallet/me").text, "page"), "limit": "50"}

    def told(pin: str) -> str:
        page = browser.post("/wallet/pin-free?lang=en", data=form | {"pin": pin}).text
        found = re.search(r"data-refusal>([^<]+) <code>(\w+)", page)
        return "" if found is None else f"{found[2]}: {found[1]}"

    wrong = "pin_wrong: The payment PIN is wrong; enter it again. Several wrong ones lock it."
    assert told("000000") == f"{wrong} 4 tries are left."
    assert told("246810") == ""
    lines = [told("000000") for _ in range(5)]
    assert lines[:3] == [f"{wrong} {left} tries are left." for left in (4, 3, 2)]
    assert lines[3] == f"{wrong} One try is left."
    until = shown_time(shop.clock.at_ms + PIN_LOCK_MS, "%H:%M")
    locked = f"Too many wrong PINs: the PIN is locked until {until}."
    assert lines[4] == f"pin_wrong: {locked}"
    assert told("246810") == f"pin_locked: {locked}"
    assert locked in browser.get("/wallet/me").text
    shop.clock.at_ms += PIN_LOCK_MS
    assert "PIN is locked" not in browser.get("/wallet/me").text
    assert told("246810") == ""


def test_a_payer_lowers_the_limit_without_a_pin_by_the_pin(
    world: ChannelWorld, browser: TestClient
) -> None:
    shop = world.shop
    with client_of(shop) as http:
        made = add_wallet(http, shop)
    browser.post("/wallet/sign-in", data={"token": made["token"]})
    page = {"page": field_of(browser.get("/wallet/me").text, "page"), "pin": "246810"}
    for limit, chosen in (("50", 5_000), ("0", 0), ("", None)):
        sent = browser.post("/wallet/pin-free", data=page | {"limit": limit})
        assert sent.headers["location"] == "/wallet/pin-free"
        assert [row["chosen_minor"] for row in shop.rows("SELECT * FROM pin_free")] == [chosen]
    for changes, code in (
        ({"limit": "ten"}, "amount_invalid"),
        ({"limit": "100000"}, "amount_invalid"),
        ({"limit": "50", "pin": "000000"}, "pin_wrong"),
    ):
        assert code in browser.post("/wallet/pin-free", data=page | changes).text
    assert "¥1000.00" in browser.get("/wallet/pin-free").text  # left of the day


def test_what_a_shown_code_pays_above_the_limit_of_a_scanned_one_is_explained(
    world: ChannelWorld, browser: TestClient
) -> None:
    payer = world.shop.add_payer(balance_minor=50_000)
    house_minor = world.shop.rules.wallet.pin_free_minor
    assert world.shop.pay(payer, house_minor + 1)["state"] == "captured"
    enter(browser, payer)
    page = browser.get("/wallet/pin-free?lang=en").text
    assert "Scanned, one payment up to" in page
    assert "limit counts, or yours if you set a lower one here" in page


def test_a_bank_that_is_asked_for_an_unknown_agreement_declines(world: ChannelWorld) -> None:
    payer = world.card_payer()
    world.shop.do(SetSwitch(payer_id=payer, switch=Switch.BANK, is_on=True))
    payment_id = world.shop.pay(payer, 700)["payment_id"]
    asyncio.run(world.finish())
    [row] = world.shop.rows(f"SELECT * FROM payment WHERE payment_id = '{payment_id}'")
    assert (row["state"], row["error_code"]) == ("declined", "channel_declined")
    world.shop.do(SetSwitch(payer_id=payer, switch=Switch.BANK, is_on=False))
    payment_id = world.shop.pay(payer, 700)["payment_id"]
    asyncio.run(world.finish())
    [row] = world.shop.rows(f"SELECT * FROM payment WHERE payment_id = '{payment_id}'")
    assert row["state"] == "captured"


def test_bills_are_those_of_a_month_and_one_tells_its_refunds(
    world: ChannelWorld, browser: TestClient
) -> None:
    shop = world.shop
    payer = shop.add_payer(balance_minor=5_000)
    payment_id = shop.pay(payer, 1_280)["payment_id"]
    shop.refund(payment_id, 280)
    enter(browser, payer)
    now = shop.clock.at_ms
    this, *_, other = latest_months(now)
    assert month_of(this)[0] <= now < month_of(this)[1]
    assert payment_id in browser.get(f"/wallet/bills?month={this}").text
    assert "10.00" in browser.get(f"/wallet/bills?month={this}").text
    assert payment_id not in browser.get(f"/wallet/bills?month={other}").text
    assert payment_id in browser.get("/wallet/bills?month=yesterday").text
    told = browser.get(f"/wallet/bills/{payment_id}").text
    assert "2.80" in told
    assert payment_id[-8:] in told


def test_a_month_begins_and_ends_at_midnight_in_china() -> None:
    first, after = month_of("2024-02")
    assert after - first == 29 * 24 * 3_600_000
    assert first % 86_400_000 == 16 * 3_600_000
    assert month_of("2026-12")[1] == month_of("2027-01")[0]


@pytest.mark.parametrize("digits", ["134567890123456789", "00", "109999999999999999"])
def test_the_barcode_is_read_by_another_s_decoder(digits: str) -> None:
    scale = 3
    widths = bar_widths(digits)
    whole = sum(widths) + 2 * QUIET_MODULES
    picture = Image.new("L", (whole * scale, HEIGHT_MODULES * scale), 255)
    draw, at = ImageDraw.Draw(picture), QUIET_MODULES
    for place, width in enumerate(widths):
        if place % 2 == 0:
            box = (at * scale, 0, (at + width) * scale - 1, HEIGHT_MODULES * scale)
            draw.rectangle(box, fill=0)
        at += width
    [found] = zxingcpp.read_barcodes(picture)
    assert (found.text, found.format) == (digits, zxingcpp.BarcodeFormat.Code128)
    assert f'viewBox="0 0 {whole} ' in bar_picture(digits)


@pytest.mark.parametrize("digits", ["123", "12a4", "１２"])
def test_what_is_not_pairs_of_digits_is_no_barcode(digits: str) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        bar_widths(digits)
