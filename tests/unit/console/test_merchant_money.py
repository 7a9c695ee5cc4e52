"""A merchant's money on its pages: to the fen what the ledger has, on both databases."""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.clearing import World, clearing_world
from tests.support.console_world import ConsoleWorld, console_world, page_token
from tests.support.merchant_caller import caller_of
from tests.support.shop import MERCHANT, OTHER_MERCHANT
from tests.unit.console.test_console_http import summed

ASKED = ("金额请写成 12.80 的样子，须大于零。", "超过可提现的金额。")
PAGES = (
    "settlements", "settlements/2026-11-24", "payouts", "bills", "bills/2026-11-24/trade.csv",
)  # fmt: skip


@pytest.fixture
def books(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as found:
        found.shop.add_merchant(OTHER_MERCHANT)
        yield found


@pytest.fixture
def console(books: World) -> Iterator[ConsoleWorld]:
    with console_world(books.shop) as found:
        found.add("li.na")
        yield found


async def two_days(books: World) -> tuple[date, date]:
    """A closed day with a refund, and a day that runs; both have sales."""
    payer = await books.payer_since_yesterday()
    first = books.today
    sold = books.sell(payer, 10_000)
    books.sell(payer, 2_345)
    assert books.shop.refund(sold, 4_000)["state"] == "succeeded"
    books.next_day()
    books.sell(payer, 777)
    assert (await books.day_end.run(first))["state"] == "closed"
    return first, books.today


def fen(text: str) -> int:
    """``¥1,234.50`` or ``−¥0.60``."""
    digits = re.sub(r"[^0-9]", "", text)
    return -int(digits) if "−" in text else int(digits)


def cells(html: str, day: date) -> list[str]:
    """The row of a day, as a person reads it."""
    row = re.search(rf"<tr[^>]*><td[^>]*><a[^>]*>{day}</a>.*?</tr>", html, re.DOTALL)
    assert row is not None
    return [re.sub(r"<[^>]+>", " ", one).strip() for one in re.findall(r"<td.*?</td>", row[0])]


def figures(html: str) -> list[str]:
    return re.findall(r'class="figure">([^<]+)<', html)


@pytest.mark.asyncio
async def test_days_and_balances_are_the_ledger_s(books: World, console: ConsoleWorld) -> None:
    first, today = await two_days(books)
    http = console.signed_in("li.na")
    page = http.get("/console/settlements?lang=en").text
    available, pending, on_its_way = map(fen, figures(page))
    assert available == books.shop.balance(f"C:MAVAIL:{MERCHANT}:CNY") == 0
    assert pending == books.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 777 - 5
    paid_out = books.at_bank("6222000000001234")
    assert on_its_way == 0
    closed, running = cells(page, first), cells(page, today)
    gross, refunds, fees, net = map(fen, closed[1:5])
    assert (gross, refunds, fees) == (12_345, -4_000, -50)
    assert net == gross + refunds + fees == paid_out
    assert "Settled" in closed[5]
    sold, back, fee, left = 12_345 + 777, 4_000, 50 + 5, net + 777 - 5
    assert [fen(one) for one in summed(page).split(" · ")[:4]] == [sold, -back, -fee, left]
    assert summed(page).endswith("3 payments · 1 refund or reversal")
    assert "2 payments · 1 refund or reversal" in closed[0]
    assert running[0].endswith("1 payment")
    assert f"¥{paid_out // 100}.{paid_out % 100:02}" in closed[6]
    assert "Paid out" in closed[6]
    assert list(map(fen, (running[1], running[4]))) == [777, 772]
    assert "In progress" in running[5]
    day = http.get(f"/console/settlements/{first}").text
    assert "¥82.95" in day
    told = http.get(f"/console/settlements/{first}?lang=en").text
    assert "<dd>2 payments · 1 refund or reversal</dd>" in told
    listed = http.get(f"/console/payments?day={first}").text
    assert len(re.findall("<tr[^>]*><td", listed)) == 2
    assert http.get("/console/settlements?until=2026-10-01").status_code == 200
    assert "bill_not_ready" in http.get("/console/settlements/2026-10-01").text


@pytest.mark.asyncio
async def test_money_is_taken_out_in_two_steps_and_once(
    books: World, console: ConsoleWorld
) -> None:
    await money_that_came_back(books)
    available = f"C:MAVAIL:{MERCHANT}:CNY"
    had = books.shop.balance(available)
    http = console.signed_in("li.na")
    page = http.get("/console/settlements").text
    form = {
        "page": page_token(page),
        "payout_id": _value(page, "payout_id"),
        "amount": "20.00",
    }
    for wrong in ("0", "-1", "9999999", "1e3", ""):
        refused = http.post("/console/payouts/check", data=form | {"amount": wrong})
        assert f'maxlength="16" value="{wrong}" aria-invalid="true"' in refused.text
        assert ASKED[wrong == "9999999"] in refused.text
        assert 'role="alert"' not in refused.text
        assert refused.status_code == 400, wrong
    sure = http.post("/console/payouts/check", data=form).text
    assert "¥20.00" in sure
    assert books.shop.balance(available) == had
    for _ in range(2):
        answer = http.post("/console/payouts", data=form)
        assert answer.url.path == "/console/payouts"
        assert form["payout_id"] in answer.text
    assert books.shop.balance(available) == had - 2_000
    acts = books.shop.rows("SELECT actor, subject FROM audit_act WHERE kind = 'withdrawal'")
    assert acts == [{"actor": "console:li.na", "subject": f"payout {form['payout_id']}"}]
    other = http.post("/console/payouts", data=form | {"amount": "19.00"})
    assert "idempotency_conflict" in other.text
    foreign = console.add("wang", merchant_id=OTHER_MERCHANT)
    assert foreign.status_code == 201
    theirs = console.signed_in("wang")
    token = page_token(theirs.get("/console/settlements").text)
    taken = theirs.post("/console/payouts", data=form | {"page": token})
    assert "idempotency_conflict" in taken.text
    assert form["payout_id"] not in theirs.get("/console/payouts").text
    assert books.shop.verify().is_whole


async def money_that_came_back(books: World) -> None:
    """Available, and not paid out again by itself."""
    _, today = await two_days(books)
    (payout,) = books.shop.rows("SELECT payout_id FROM payout")
    books.near.give_back(payout["payout_id"])
    books.next_day()
    assert (await books.day_end.run(today))["state"] == "closed"


def _value(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', html)
    assert found is not None
    return found[1]


@pytest.mark.asyncio
async def test_bills_are_byte_by_byte_those_of_the_merchant_s_program(
    books: World, console: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, today = await two_days(books)
    http = console.signed_in("li.na")
    plain = bill(http, f"{first}/trade.csv")
    with caller_of(books.shop, monkeypatch) as caller:
        for asked, path in (
            (f"tradebill?bill_date={first}&bill_type=ALL", f"{first}/trade.csv"),
            (f"tradebill?bill_date={first}&bill_type=REFUND", f"{first}/trade.csv?type=REFUND"),
            (f"fundflowbill?bill_date={first}", f"{first}/fund-flow.csv"),
        ):
            promised: dict[str, Any] = caller.ask("GET", f"/v3/bill/{asked}").json()
            mine = bill(http, path)
            assert hashlib.sha1(mine).hexdigest() == promised["hash_value"]
        number = caller.made["mchid"]
    assert number.encode() in bill(http, f"{first}/trade.csv?number={number}")
    assert number.encode() not in plain
    assert (
        "merchant_unknown" in http.get(f"/console/bills/{first}/trade.csv?number=1600000000").text
    )
    page = http.get("/console/bills?lang=en").text
    assert f"not before {today.replace(day=today.day + 1)} 00:00" in re.sub(r"\s+", " ", page)
    assert f"/console/bills/{today}/" not in page
    assert "bill_not_ready" in http.get(f"/console/bills/{today}/trade.csv").text
    assert http.get(f"/console/bills/{first}/secret.csv").status_code == 404
    assert http.get(f"/console/bills/{first}/trade.csv?type=NONE").status_code == 400


def bill(http: TestClient, path: str) -> bytes:
    answer = http.get(f"/console/bills/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    return bytes(answer.content)


def test_to_an_operator_a_merchant_s_money_pages_do_not_exist(console: ConsoleWorld) -> None:
    console.add("ops", role="operator", merchant_id="")
    http = console.signed_in("ops")
    for page in PAGES:
        assert http.get(f"/console/{page}").status_code == 404
    token = page_token(http.get("/console/overview").text)
    for path in ("payouts", "payouts/check"):
        assert http.post(f"/console/{path}", data={"page": token}).status_code == 404


def test_a_filter_stays_when_the_language_changes(console: ConsoleWorld) -> None:
    page = console.signed_in("li.na").get("/console/payments?since=2026-11-01&store=a%26b&lang=zh")
    switch = re.search(r'href="([^"]+)" lang="en"', page.text)
    assert switch is not None
    assert switch[1] == "/console/payments?since=2026-11-01&amp;store=a%26b&amp;lang=en"
    assert 'type="date"' not in page.text
