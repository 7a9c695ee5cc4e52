"""The operators' pages: to a merchant they do not exist; each has its one action."""

import re

from backend.clearing.evening_commands import KeepReserveTest
from backend.notify.model import Tried
from backend.notify.service import ClaimCallbacks, NoteFailed
from backend.reconciliation.breaks import Break, BreakClass, BreakStep
from backend.reconciliation.cases import TakeUpBreak
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.shop import MERCHANT, Shop

PAGES = ("overview", "devices", "letters", "breaks")


def dead_letter(shop: Shop) -> str:
    """A callback that was given up."""
    shop.add_merchant("mch_news", notify_url="https://shop.example/news")
    payer = shop.add_payer(balance_minor=5_000)
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer), merchant_id="mch_news")
    assert shop.ask("payment.create", body, merchant_id="mch_news")["state"] == "captured"
    callback_id = str(shop.rows("SELECT callback_id FROM outbox_callback")[0]["callback_id"])
    shop.do(ClaimCallbacks(callback_ids=(callback_id,)))
    shop.do(NoteFailed(callback_id=callback_id, tried=Tried("status 500"), gaps_ms=()))
    return callback_id


def open_break(shop: Shop) -> str:
    """What the bank has more than we, in a person's hands."""
    found = Break(BreakClass.AMOUNT, "bank", "ref-1", 1_000, 1_200)
    step = BreakStep.HAND_OVER
    day = shop.rules.business_date(shop.clock.at_ms)
    row = shop.do(
        TakeUpBreak(found=found, business_date=day, currency="CNY", step=step, booked_on=day)
    )
    return str(row["break_id"])


def test_to_a_merchant_they_do_not_exist(world: ConsoleWorld) -> None:
    world.add("li.na")
    callback_id, break_id = dead_letter(world.shop), open_break(world.shop)
    http = world.signed_in("li.na")
    form = {"page": page_token(http.get("/console/today").text), "words": "it is fine"}
    answers = [http.get(f"/console/{page}") for page in PAGES]
    answers += [
        http.post(f"/console/letters/{callback_id}/replay", data=form),
        http.post(f"/console/breaks/{break_id}/resolve", data=form),
    ]
    assert [one.status_code for one in answers] == [404] * len(answers)
    assert all("route_unknown" in one.text for one in answers)
    assert world.shop.rows("SELECT state FROM outbox_callback")[0]["state"] == "dead"


def test_an_operator_sees_how_everything_stands(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    dead_letter(world.shop)
    open_break(world.shop)
    http = world.signed_in("ops")
    assert http.get("/console").url.path == "/console/overview"
    page = http.get("/console/overview?lang=en").text
    figures = re.findall(r'class="figure">([^<]+)<', page)
    assert figures == ["0", "0", "—", "1", "1", "0 / 0"]
    assert "Debits equal credits" in page
    assert MERCHANT not in page


def test_the_newest_reserve_test_is_shown(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    for day, number, passed, word in (
        ("2026-11-21", 0, True, "Passed"),
        ("2026-11-22", 0, True, "Passed"),
        ("2026-11-22", 1, False, "Failed"),
    ):
        kept = KeepReserveTest(
            day=day, last_number=number, passed=passed, note="", key="", stamp=b""
        )
        world.shop.do(kept)
        page = http.get("/console/overview?lang=en").text
        assert f'<span class="figure">{word}</span><span class="small">{day}' in page


def test_a_dead_letter_is_sent_again_by_name(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    callback_id = dead_letter(world.shop)
    http = world.signed_in("ops")
    page = http.get("/console/letters").text
    assert "status 500" in page
    path = f"/console/letters/{callback_id}/replay"
    assert "not_authorized" in http.post(path, data={"page": "0" * 64}).text
    assert callback_id not in http.post(path, data={"page": page_token(page)}).text
    assert world.shop.rows("SELECT state FROM outbox_callback")[0]["state"] == "pending"
    actors = world.shop.rows("SELECT actor FROM outbox_try WHERE outcome = 'replayed'")
    assert actors == [{"actor": "console:ops"}]


def test_a_break_is_closed_with_a_reason_by_name(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    break_id = open_break(world.shop)
    http = world.signed_in("ops")
    page = http.get("/console/breaks").text
    assert "¥12.00" in page
    path, form = f"/console/breaks/{break_id}/resolve", {"page": page_token(page)}
    for words in ("", "fine"):
        assert "field_invalid" in http.post(path, data=form | {"words": words}).text
    assert break_id not in http.post(path, data=form | {"words": "the bank corrects it"}).text
    events = world.shop.rows("SELECT actor, words FROM reconciliation_case_event ORDER BY number")
    assert events[-1] == {"actor": "operator:ops", "words": "the bank corrects it"}
