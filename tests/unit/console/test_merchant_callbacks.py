"""A merchant's callbacks on its pages: every try, and sending again what was given up."""

import re

import pytest

from backend.notify.model import Tried
from backend.notify.service import ClaimCallbacks, NoteDelivered, NoteFailed
from tests.support.callbacks import PutCallback
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.shop import MERCHANT, Shop

NEWS = "mch_news"
PAN = "6222021234567890128"


def told(world: ConsoleWorld) -> str:
    """The callback of a payment to a merchant that wants news; it was claimed."""
    shop = world.shop
    payer = shop.add_payer(balance_minor=5_000)
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer), merchant_id=NEWS)
    assert shop.ask("payment.create", body, merchant_id=NEWS)["state"] == "captured"
    rows = shop.rows("SELECT callback_id FROM outbox_callback ORDER BY created_at_ms DESC")
    callback_id = str(rows[0]["callback_id"])
    shop.do(ClaimCallbacks(callback_ids=(callback_id,)))
    shop.clock.at_ms += 2_000
    return callback_id


def failed(shop: Shop, callback_id: str, *gaps_ms: int) -> None:
    tried = Tried("status 503", status=503, duration_ms=42)
    shop.do(NoteFailed(callback_id=callback_id, tried=tried, gaps_ms=gaps_ms))


def cells(html: str) -> list[list[str]]:
    """The rows of a page's table, as a person reads them."""
    rows = re.findall(r"<tr[^>]*><td.*?</tr>", html, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", " ", one).strip() for one in re.findall(r"<td.*?</td>", row)]
        for row in rows
    ]


def a_person(world: ConsoleWorld) -> None:
    world.shop.add_merchant(NEWS, notify_url="https://shop.example/secret-path")
    assert world.add("mei", merchant_id=NEWS).status_code == 201


def test_every_try_is_shown_and_what_was_given_up_is_sent_again(world: ConsoleWorld) -> None:
    a_person(world)
    callback_id = told(world)
    http, path = world.signed_in("mei"), f"/console/callbacks/{callback_id}"
    failed(world.shop, callback_id, 15_000)
    page = http.get(f"{path}?lang=en").text
    [row] = cells(page)
    assert row[2:] == ["HTTP 503", "42 ms", "It answered HTTP 503"]
    assert "Next try" in page
    assert "Send again" not in page
    assert http.post(f"{path}/replay", data={"page": "0" * 64}).status_code == 401
    failed(world.shop, callback_id)
    page = http.get(path).text
    assert len(cells(page)) == 2
    again = http.post(f"{path}/replay", data={"page": page_token(page)})
    assert again.url.path == path
    assert re.search(r"<td[^>]*>mei <span[^>]*>console", again.text)
    [stands] = world.shop.rows("SELECT state FROM outbox_callback")
    assert stands["state"] == "pending"
    world.shop.clock.at_ms += 1_000
    taken = Tried(status=204, duration_ms=17)
    world.shop.do(NoteDelivered(callback_id=callback_id, tried=taken))
    newest = cells(http.get(path).text)[0]
    assert newest[1:4] == ["Delivered", "HTTP 204", "17 ms"]
    assert "secret-path" not in http.get(path).text + http.get("/console/callbacks").text
    assert "shop.example" in http.get("/console/callbacks").text


def test_what_it_says_is_masked_and_leads_to_its_payment(world: ConsoleWorld) -> None:
    a_person(world)
    secret = {"pay_code": "134711234908172635", "note": f"card {PAN}", "payment_id": "pay_1"}
    put = world.shop.do(PutCallback(number=1, merchant_id=NEWS, resource=secret))
    page = world.signed_in("mei").get(f"/console/callbacks/{put}").text
    assert 'href="/console/payments/pay_1"' in page
    assert "card " in page
    assert PAN not in page
    assert secret["pay_code"] not in page


def test_the_list_is_narrowed_and_another_merchant_s_are_not_found(world: ConsoleWorld) -> None:
    a_person(world)
    first = told(world)
    failed(world.shop, first)
    second = told(world)
    http = world.signed_in("mei")

    def listed(query: str) -> list[str]:
        return re.findall(
            r"<code[^>]*>(evt_\w+)</code>", http.get(f"/console/callbacks?{query}").text
        )

    assert listed("") == [second, first]
    assert listed("state=dead") == [first]
    assert listed("state=pending&kind=payment.captured") == [second]
    assert listed("kind=refund.failed") == []
    assert listed("until=2026-11-22") == listed("since=2026-11-25") == []
    assert listed("since=2026-11-23&until=2026-11-23") == [second, first]
    for bad in ("state=lost", "since=1", "after=x", "until=2026-1-1"):
        assert http.get(f"/console/callbacks?{bad}").status_code == 400
    world.add("li.na", merchant_id=MERCHANT)
    other = world.signed_in("li.na")
    assert first not in other.get("/console/callbacks").text
    token = page_token(other.get("/console/today").text)
    path = f"/console/callbacks/{first}"
    assert other.get(path).status_code == 404
    assert other.post(f"{path}/replay", data={"page": token}).status_code == 404
    states = world.shop.rows("SELECT DISTINCT state FROM outbox_callback ORDER BY state")
    assert [row["state"] for row in states] == ["dead", "pending"]
    world.add("ops", role="operator", merchant_id="")
    operator = world.signed_in("ops")
    assert operator.get(path).status_code == 200
    assert operator.get("/console/callbacks").status_code == 404


def test_pages_of_callbacks_go_on_by_key(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_person(world)
    wanted = {told(world) for _ in range(3)}
    for module in ("merchant_callback_pages", "merchant_callbacks_desk"):
        monkeypatch.setattr(f"backend.console.{module}.ROWS_PER_PAGE", 2)
    http, path, seen = world.signed_in("mei"), "/console/callbacks", []
    while path:
        page = http.get(path).text
        seen += re.findall(r"<code[^>]*>(evt_\w+)</code>", page)
        more = re.search(r'href="(/console/callbacks\?after=[^"]+)">', page)
        path = more[1] if more else ""
    assert sorted(seen) == sorted(wanted)
