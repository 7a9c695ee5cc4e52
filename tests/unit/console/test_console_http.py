"""The console over HTTP: who comes in, whose data is shown, a refund from its page."""

import csv
import re
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from backend.console.limits import SESSION_IDLE_MS, SESSION_LIFE_MS, SIGN_IN_LOCK_MS
from backend.console.totp import STEP_MS
from tests.support.console_world import PASSWORD, ConsoleWorld, page_token
from tests.support.shop import MERCHANT, OTHER_MERCHANT

PAGES = ("/console/today", "/console/payments", "/console/payments.csv", "/console/payments/pay_1")


def summed(page: str) -> str:
    """What a list comes to, as a person reads it."""
    [found] = re.findall(r'<p class="totals">(.*?)</p>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found)


def paid(world: ConsoleWorld, amount_minor: int = 1_000, **fields: object) -> str:
    """A captured payment's id."""
    shop = world.shop
    payer = shop.add_payer(balance_minor=50_000)
    body = shop.create_body("pay_code", amount_minor, pay_code=shop.code(payer), **fields)
    assert shop.ask("payment.create", body)["state"] == "captured"
    return str(body["payment_id"])


def test_two_factors_and_each_code_once(world: ConsoleWorld) -> None:
    world.add("li.na")
    http = world.browser()
    assert world.sign_in(http, "li.na").headers["location"] == "/console/today"
    assert http.get("/console/today").status_code == 200
    cookie = next(one for one in http.cookies.jar if one.name == "console")
    assert cookie.secure
    assert cookie.has_nonstandard_attr("HttpOnly")
    again = world.browser()
    form = {"name": "li.na", "password": PASSWORD, "code": world.code("li.na")}
    replay = again.post("/console/sign-in", data=form)
    assert "sign_in_wrong" in replay.text
    assert "console" not in again.cookies
    assert world.sign_in(again, "li.na").status_code == 303


def test_what_a_sign_in_lacks_is_told_beside_its_field_and_is_no_try(world: ConsoleWorld) -> None:
    world.add("li.na")
    page = world.browser().get("/console?lang=en").text
    assert "novalidate" in page
    assert "pattern=" not in page
    for sent, words in (
        ({"password": ""}, {"password": "Enter your password."}),
        ({"code": "12a456"}, {"code": "Enter the six digits that your phone shows."}),
        (
            {"name": " ", "code": ""},
            {"name": "Enter your name.", "code": "Enter the six digits that your phone shows."},
        ),
    ):
        http = world.browser()
        http.get("/console?lang=en")
        form = {"name": "li.na", "password": PASSWORD, "code": "123456"} | sent
        answer = http.post("/console/sign-in", data=form)
        assert answer.status_code == 400
        found = dict(re.findall(r'id="wrong-(\w+)">([^<]*) <code', answer.text))
        assert found == words
        assert answer.text.count(" autofocus") == 1
        assert PASSWORD not in answer.text
        assert ('value="li.na"' in answer.text) == ("name" not in sent)
    assert world.shop.rows("SELECT * FROM audit_act WHERE kind = 'sign_in_failed'") == []


def test_a_refund_s_amount_is_asked_beside_its_field(world: ConsoleWorld) -> None:
    world.add("li.na")
    http = world.signed_in("li.na")
    path = f"/console/payments/{paid(world)}"
    page = http.get(f"{path}?lang=en").text
    assert 'maxlength="16" value="10.00">' in page
    form = {"page": page_token(page), "refund_id": world.shop.id("rfd"), "reason": "broken"}
    for amount, words in (
        ("", AMOUNT["en"]), ("x", AMOUNT["en"]), ("0", AMOUNT["en"]),
        ("10.01", "The refund is more than what is left to refund."),
    ):  # fmt: skip
        answer = http.post(f"{path}/refund/check", data=form | {"amount": amount})
        assert answer.status_code >= 400, amount
        assert f'maxlength="16" value="{amount}" aria-invalid="true"' in answer.text
        assert f'id="wrong-amount">{words}' in answer.text
        assert 'role="alert"' not in answer.text
        assert 'value="broken"' in answer.text


def test_one_is_not_told_as_many(world: ConsoleWorld) -> None:
    world.add("li.na")
    http = world.signed_in("li.na")
    first = paid(world)
    assert "1 payment<" in http.get("/console/today?lang=en").text
    paid(world)
    world.shop.refund(first, 100)
    page = http.get("/console/today?lang=en").text
    assert "2 payments<" in page
    assert "1 refund<" in page


def test_what_is_wrong_is_not_said(world: ConsoleWorld) -> None:
    world.add("li.na")
    http = world.browser()
    tries: list[Response] = [
        world.sign_in(http, "li.na", password="wrong horse battery"),
        world.sign_in(http, "li.na", code="000000"),
        *(
            http.post(
                "/console/sign-in", data={"name": name, "password": PASSWORD, "code": "123456"}
            )
            for name in ("nobody", "no body \U0001f600", "li.na.")
        ),
    ]
    assert len({re.sub(r'value="[^"]*"', "", one.text) for one in tries}) == 1
    assert "sign_in_wrong" in tries[0].text


def test_five_wrong_tries_lock_the_name_for_a_while(world: ConsoleWorld) -> None:
    world.add("li.na")
    http = world.browser()
    for _ in range(5):
        world.sign_in(http, "li.na", password="wrong horse battery")
    assert world.sign_in(http, "li.na").status_code != 303
    world.shop.clock.at_ms += SIGN_IN_LOCK_MS
    assert world.sign_in(http, "li.na").status_code == 303


def test_a_session_ends_by_idleness_by_age_by_its_person_and_by_the_operator(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    clock = world.shop.clock

    def is_in(http: TestClient) -> bool:
        return bool(http.get("/console/today", follow_redirects=False).status_code == 200)

    http = world.signed_in("li.na")
    clock.at_ms += SESSION_IDLE_MS
    assert is_in(http)
    clock.at_ms += SESSION_IDLE_MS
    assert is_in(http)
    clock.at_ms += SESSION_IDLE_MS + 1
    assert not is_in(http)
    http = world.signed_in("li.na")
    for _ in range(SESSION_LIFE_MS // SESSION_IDLE_MS):
        clock.at_ms += SESSION_IDLE_MS
        assert is_in(http)
    clock.at_ms += STEP_MS
    assert not is_in(http)
    http = world.signed_in("li.na")
    token, kept = page_token(http.get("/console/today").text), dict(http.cookies)
    http.post("/console/sign-out", data={"page": token})
    http.cookies.update(kept)
    assert not is_in(http)
    http = world.signed_in("li.na")
    headers = {"authorization": "Bearer operator"}
    http.post("/operator/v1/console/users/li.na/close", headers=headers)
    assert not is_in(http)
    assert world.sign_in(http, "li.na").status_code != 303


def test_nobody_sees_nothing(world: ConsoleWorld) -> None:
    http = world.browser()
    for path in PAGES:
        answer = http.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert (
        http.post("/console/payments/pay_1/refund", data={}, follow_redirects=False).status_code
        == 303
    )


def test_another_merchant_s_payment_is_not_found(world: ConsoleWorld) -> None:
    world.add("li.na")
    world.add("wang", merchant_id=OTHER_MERCHANT)
    payment_id = paid(world)
    own, other = world.signed_in("li.na"), world.signed_in("wang")
    assert payment_id in own.get("/console/payments").text
    assert payment_id in own.get("/console/payments.csv").text
    assert own.get(f"/console/payments/{payment_id}").status_code == 200
    for path in (f"/console/payments/{payment_id}", f"/console/payments?number={payment_id}"):
        unseen, none = other.get(path), other.get(path.replace(payment_id, "pay_0"))
        assert unseen.status_code == none.status_code == 404
        assert "payment_not_found" in unseen.text
    for path in ("payments", "payments.csv", "today", f"payments?merchant_id={MERCHANT}"):
        assert payment_id not in other.get(f"/console/{path}").text
    form = {"page": page_token(other.get("/console/today").text), "amount": "1",
            "refund_id": world.shop.id("rfd"), "reason": ""}  # fmt: skip
    for step in ("refund", "refund/check"):
        assert other.post(f"/console/payments/{payment_id}/{step}", data=form).status_code == 404


def test_a_refund_needs_the_page_s_token_and_happens_once(world: ConsoleWorld) -> None:
    world.add("li.na")
    payment_id = paid(world)
    http = world.signed_in("li.na")
    path = f"/console/payments/{payment_id}"
    page = http.get(path).text
    refund_id = re.search(r'name="refund_id" value="(\w+)"', page)
    assert refund_id is not None
    form = {"page": page_token(page), "refund_id": refund_id[1], "amount": "4.00", "reason": "坏了"}
    forged = (
        http.post(f"{path}/refund", data=form | {"page": "0" * 64}),
        http.post(f"{path}/refund", data={**form, "page": ""}),
        http.post(f"{path}/refund", data=form, headers={"sec-fetch-site": "cross-site"}),
    )
    assert all("not_authorized" in one.text for one in forged)
    assert "坏了" in http.post(f"{path}/refund/check", data=form).text
    assert "4.00" not in http.get(path).text
    for _ in range(2):
        assert http.post(f"{path}/refund", data=form, follow_redirects=False).status_code == 303
    after = http.get(path).text
    assert "−¥4.00" in http.get("/console/payments").text
    assert after.count("PaymentPartiallyRefunded") == 0
    assert "部分退款" in after
    too_much = form | {"refund_id": world.shop.id("rfd"), "amount": "6.01"}
    refused = http.post(f"{path}/refund", data=too_much)
    assert "refund_exceeds" in refused.text
    assert payment_id in refused.text
    for amount, code in (("0", "amount_invalid"), ("6.01", "refund_exceeds")):
        told = http.post(f"{path}/refund/check", data=form | {"amount": amount}).text
        assert code in told
        assert f'name="amount" inputmode="decimal" required maxlength="16" value="{amount}"' in told
    senseless = http.post(f"{path}/refund/check", data=form | {"amount": "four"})
    assert "amount_invalid" in senseless.text
    assert payment_id in senseless.text


def test_today_adds_up_and_unknowns_come_first(world: ConsoleWorld) -> None:
    world.add("li.na")
    paid(world, 10_000)
    paid(world, 5_000)
    page = world.signed_in("li.na").get("/console/today?lang=en").text
    assert "¥150.00" in page
    assert "¥0.90" in page
    assert "¥149.10" in page
    assert "No payment has an unknown outcome" in page
    assert page.count("<rect") == 2


def test_a_list_goes_on_by_key_and_shows_each_payment_once(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.console.money_list.ROWS_PER_PAGE", 2)
    world.add("li.na")
    wanted = [paid(world) for _ in range(5)]
    http, path, seen = world.signed_in("li.na"), "/console/payments", []
    while path:
        page = http.get(path).text
        seen += re.findall(r"<code class=\"id\">(pay_\w+)</code>", page)
        more = re.search(r'href="(/console/payments\?after=[^"]+)">', page)
        path = more[1] if more else ""
    assert sorted(seen) == sorted(wanted)
    rows = list(
        csv.DictReader(http.get("/console/payments.csv").text.lstrip("\ufeff").splitlines())
    )
    total = sum(Decimal(row["amount"]) for row in rows)
    told = summed(http.get("/console/payments?lang=en").text)
    assert told == f"¥{total} taken · {len(rows)} payments"
    for bad in ("after=1~x'y", "after=x~pay_1", "state=paid", "since=1", "amount=1e3"):
        assert http.get(f"/console/payments?{bad}").status_code == 400


def test_the_total_is_what_was_taken_and_names_what_was_not(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = world.shop
    world.add("li.na")
    world.add("ops", role="operator", merchant_id="")
    shop.refund(paid(world, 1_000), 250)
    shop.clock.at_ms += 1_000
    poor = shop.add_payer(balance_minor=1)
    body = shop.create_body("pay_code", 9_900, pay_code=shop.code(poor))
    assert shop.ask("payment.create", body)["state"] == "declined"
    shop.clock.at_ms += 1_000
    paid(world, 500)
    readers = [world.signed_in(name) for name in ("li.na", "ops")]
    for http in readers:
        told = summed(http.get("/console/payments?lang=en").text)
        assert told == "¥15.00 taken · 2 payments · of it given back ¥2.50 · Declined 1 (¥99.00)"
        none = summed(http.get("/console/payments?lang=en&state=declined").text)
        assert none == "¥0.00 taken · 0 payments · Declined 1 (¥99.00)"
        assert 'class="totals"' not in http.get("/console/payments?store=nowhere").text
    monkeypatch.setattr("backend.listing.paged.SUMMED_ROWS_MAX", 2)
    for http in readers:
        told = summed(http.get("/console/payments?lang=en").text)
        assert told.startswith("¥5.00 taken · 1 payment · Declined 1 (¥99.00)")
        assert told.endswith("The sum is of the newest 2")


def test_an_operator_sees_every_merchant_and_people_are_made_by_the_operator_s_token_alone(
    world: ConsoleWorld,
) -> None:
    payment_id = paid(world)
    assert world.add("ops", role="operator", merchant_id="").status_code == 201
    assert payment_id in world.signed_in("ops").get("/console/payments").text
    wrong = (
        world.add("ops", role="operator", merchant_id=""),
        world.add("x", role="operator"),
        world.add("x", merchant_id=""),
        world.add("x", merchant_id="mch_9"),
    )
    codes = [one.json()["error"]["code"] for one in wrong]
    assert codes == ["user_exists", "field_invalid", "field_invalid", "merchant_unknown"]
    wanted = {"name": "y", "role": "operator", "password": PASSWORD}
    refused = world.browser().post("/operator/v1/console/users", json=wanted)
    assert refused.json()["error"]["code"] == "not_authorized"


def test_pages_are_closed_to_scripts_and_frames_of_others(world: ConsoleWorld) -> None:
    answer = world.browser().get("/console")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert " style=" not in answer.text


def test_an_address_that_is_no_page_has_one_for_a_browser_and_json_for_a_program(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    page = {"accept": "text/html,*/*;q=0.8"}
    stranger = world.browser().get("/console/nowhere?lang=en", headers=page)
    assert (stranger.status_code, "no such page" in stranger.text) == (404, True)
    assert 'action="/console/sign-in"' in stranger.text
    http = world.signed_in("li.na")
    for lang, words in (("zh", "没有这个页面"), ("en", "There is no such page")):
        told = http.get(f"/console/nowhere?lang={lang}", headers=page)
        assert (told.status_code, words in told.text) == (404, True)
        assert 'href="/console/payments"' in told.text
    assert http.get("/console/staff/invite", headers=page).status_code == 405
    program = http.get("/console/nowhere")
    assert (program.status_code, program.json()["error"]["code"]) == (404, "route_unknown")


DATE = {"zh": "日期请写成 2026-11-28 的样子。", "en": "Write a date as 2026-11-28"}
AMOUNT = {
    "zh": "金额请写成 12.80 的样子，须大于零。", "en": "Write an amount as 12.80, above zero.",
}  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_filter_that_cannot_be_read_is_shown_again_with_what_is_wrong_beside_it(
    world: ConsoleWorld, lang: str
) -> None:
    payment_id = paid(world)
    world.add("li.na")
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    query = f"lang={lang}&since=28.11.2026&amount=12,80&store=corner"
    for path in ("payments", "refunds"):
        answer = http.get(f"/console/{path}?{query}")
        page = answer.text
        assert answer.status_code == 400
        for name, text in (("since", "28.11.2026"), ("amount", "12,80"), ("store", "corner")):
            assert f'name="{name}" value="{text}"' in page, (path, name)
        for name, words in (("since", DATE[lang]), ("amount", AMOUNT[lang])):
            assert re.search(rf'aria-describedby="wrong-{name}"', page), (path, name)
            assert re.search(rf'id="wrong-{name}">{words}', page), (path, name)
        assert page.count("aria-invalid") == 2
        assert page.count("autofocus") == 1
        assert payment_id not in page
        assert ".csv" not in page
        assert 'class="empty"' not in page
        assert "novalidate" in page
    audit = http.get(f"/console/audit?lang={lang}&until=yesterday&actor=li.na").text
    assert 'name="until" value="yesterday"' in audit
    assert 'name="actor" value="li.na"' in audit
    assert f'id="wrong-until">{DATE[lang]}' in audit
    merchant = world.signed_in("li.na")
    calls = merchant.get(f"/console/callbacks?lang={lang}&since=x&state=dead").text
    assert 'name="since" value="x"' in calls
    assert '<option value="dead" selected>' in calls
    assert f'id="wrong-since">{DATE[lang]}' in calls


def test_a_number_that_no_payment_has_costs_nobody_the_rest_of_the_filter(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    http = world.signed_in("li.na")
    answer = http.get("/console/payments?lang=en&number=pay_1&amount=12.80")
    assert answer.status_code == 404
    assert 'name="number" value="pay_1"' in answer.text
    assert 'name="amount" value="12.80"' in answer.text
    assert 'id="wrong-number">No payment has this number.' in answer.text
