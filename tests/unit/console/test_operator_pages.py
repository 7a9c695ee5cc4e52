"""The operators' pages: to a merchant they do not exist; each has its one action."""

import json
import re
from typing import Any

from backend.channels.model import NUCC
from backend.clearing.evening_commands import KeepReserveTest
from backend.clearing.run import SaveDay
from backend.clearing.verdict import REASONS
from backend.console.break_words import BREAK_NAMES
from backend.console.operator_flows import by_channel, spark, waiting
from backend.console.posting_words import POSTING_NAMES
from backend.console.words import STEPS
from backend.ledger import rules
from backend.notify.model import Tried
from backend.notify.service import ClaimCallbacks, NoteFailed
from backend.observability.flows import Flow, FlowMeter, Outcome, Span, figures
from backend.reconciliation.breaks import BreakClass, BreakStep
from backend.wallet.model import PinFreeDay, WalletRules
from protocol.payment import Event
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.open_breaks import open_break
from tests.support.shop import MERCHANT, Shop

FILTER = re.compile(r'<form class="filters.+?</form>', re.DOTALL)
PAGES = ("overview", "flows", "devices", "letters", "breaks")


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


def test_to_a_merchant_they_do_not_exist(world: ConsoleWorld) -> None:
    world.add("li.na")
    callback_id, break_id = dead_letter(world.shop), open_break(world.shop)
    http = world.signed_in("li.na")
    form = {"page": page_token(http.get("/console/today").text), "words": "it is fine"}
    answers = [http.get(f"/console/{page}") for page in PAGES if page != "breaks"]
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
    assert figures == ["0", "0", "—", "0", "1", "1", "0 / 0"]
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


def test_a_day_that_is_open_says_why_in_words(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    assert "2026-11-21" not in http.get("/console/breaks").text
    reasons = ["unheard: ADVBANK: file_rejected: line 3: <columns>", "reserve_test: failed"]
    for day, state, because in (("2026-11-20", "closed", []), ("2026-11-21", "open", reasons)):
        report = json.dumps({"open_because": because})
        world.shop.do(SaveDay(business_date=day, state=state, report=report))
    page = http.get("/console/breaks?lang=en").text
    assert "2026-11-21 is open" in page
    assert "2026-11-20" not in page
    assert "A channel was not heard, or its file refused: " in page
    assert "ADVBANK: file_rejected: line 3: &lt;columns&gt;" in page
    assert "备付金检验未通过" in http.get("/console/breaks?lang=zh").text
    assert all(f"open.{kind}" in BREAK_NAMES for kind in REASONS)


def test_a_dead_letter_is_sent_again_by_name(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    callback_id = dead_letter(world.shop)
    http = world.signed_in("ops")
    page = http.get("/console/letters?lang=en").text
    assert "It answered HTTP 500" in page
    link = page[page.index(f'<a href="/console/callbacks/{callback_id}" ') :]
    opened, shown = link[: link.index("</a>")].split(">")
    assert shown == "Payment captured"
    assert 'aria-label="Payment captured 20' in opened, "each link is named by its moment, too"
    assert callback_id in http.get("/console/letters?merchant=mch_news&kind=payment.captured").text
    beyond = http.get("/console/letters?lang=en&until=2020-01-01").text
    assert callback_id not in beyond
    assert "No callback matches" in beyond
    wrong = http.get("/console/letters?since=soon")
    assert 'id="wrong-since"' in wrong.text
    path = f"/console/letters/{callback_id}/replay"
    assert "not_authorized" in http.post(path, data={"page": "0" * 64}).text
    assert callback_id not in http.post(path, data={"page": page_token(page)}).text
    assert world.shop.rows("SELECT state FROM outbox_callback")[0]["state"] == "pending"
    actors = world.shop.rows("SELECT actor FROM outbox_try WHERE outcome = 'replayed'")
    assert actors == [{"actor": "console:ops"}]


def test_who_may_only_look_is_told_what_is_proposed_and_offered_nothing(
    world: ConsoleWorld,
) -> None:
    world.add("ops", role="operator", merchant_id="")
    world.add("looker", role="operator", merchant_id="", rank="viewer")
    break_id = open_break(
        world.shop, BreakStep.POST, kind=BreakClass.DUPLICATE, source=f"channel {NUCC}",
        ours_minor=None, channel_reference="their-1",
    )  # fmt: skip
    callback_id = dead_letter(world.shop)
    acting, looking = world.signed_in("ops"), world.signed_in("looker")
    for path, words in (
        ("breaks", "Give back to the payer"),
        (f"breaks/{break_id}", "Give back to the payer"),
        ("letters", callback_id),
        (f"callbacks/{callback_id}", callback_id),
    ):
        acted, looked = (
            http.get(f"/console/{path}?lang=en").text.partition("<main")[2]
            for http in (acting, looking)
        )
        assert words in acted, path
        assert 'method="post"' in acted, path
        assert words in looked, path
        assert "method=" not in looked, path
        assert "<button" not in FILTER.sub("", looked), path


def test_every_posting_rule_step_and_its_details_have_words() -> None:
    posting = {name for name in rules.__all__ if name[0].islower()} - {"reversed_transfers"}
    names = {f"rule.{name}" for name in posting | {"reversed"}}
    assert sorted(names ^ {name for name in POSTING_NAMES if name.startswith("rule.")}) == []
    assert {event.value for event in Event} == set(STEPS)


def test_why_a_payer_is_asked_is_told_in_words(world: ConsoleWorld) -> None:
    limits, big = WalletRules(), 10**9
    spent, often = PinFreeDay(spent_minor=big), PinFreeDay(count=limits.pin_free_day_count)
    for day, merchant_limit_minor in ((spent, 0), (spent, big), (often, big)):
        why = limits.code_reason(1, day, merchant_limit_minor=merchant_limit_minor)
        assert f"why.{why}" in POSTING_NAMES
    world.add("ops", role="operator", merchant_id="")
    shop = world.shop
    shop.add_merchant("mch_small", biometric_above_minor=100)
    payer = shop.add_payer(balance_minor=90_000)
    code = shop.code(payer)
    body = shop.create_body("pay_code", 500, pay_code=code, merchant_id="mch_small")
    payment_id = shop.ask("payment.create", body, merchant_id="mch_small")["payment_id"]
    page = world.signed_in("ops").get(f"/console/payments/{payment_id}?lang=zh").text
    assert "原因" in page
    assert "超过单笔免密限额" in page
    assert "above the limit" not in page


def test_flows_show_what_was_measured_and_what_the_books_say(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    payer = world.shop.add_payer(balance_minor=5_000)
    world.shop.pay(payer, 500)
    page = http.get("/console/flows?lang=en").text
    assert page.count('class="spark"') == len(Flow)
    differences = re.findall(r" · CNY</td>.*?<span class=\"badge (\w+)\">", page)
    assert differences
    assert set(differences) == {"paid"}
    assert "No payment has an unknown outcome" in page
    assert http.get("/console/flows?span=1y").status_code == 400


def test_a_flow_s_bars_show_every_request_and_every_failure() -> None:
    meter, now_ms = FlowMeter(), 60_000 * 100
    for number in range(100):
        meter.note(Flow.WALLET, Outcome.DONE, took_ms=1, at_ms=now_ms - 60_000 * (number % 2))
    meter.note(Flow.WALLET, Outcome.FAILED, took_ms=1, at_ms=now_ms)
    span = Span.until(now_ms, minutes=15, parts=15)
    [flow] = [one for one in figures(meter.sums(span), parts=15) if one.flow is Flow.WALLET]
    drawn = spark(flow)
    assert [bar for bar in drawn.bars if bar[1]] == [(104, 35, 0), (112, 36, 3)]


def test_unknowns_are_told_by_channel_the_oldest_first_and_the_fullest_spool_too() -> None:
    rows: list[dict[str, Any]] = [
        {"channel_id": None, "created_at_ms": 50},
        {"channel_id": "NUCC", "created_at_ms": 10},
        {"channel_id": "NUCC", "created_at_ms": 90},
    ]
    told = by_channel(rows, 100)
    assert [(one["channel_id"], one["count"], one["oldest_ms"]) for one in told] == [
        ("NUCC", 2, 90),
        ("", 1, 50),
    ]
    devices = [
        {"tid": tid, "kind": kind, "spool_depth": depth}
        for tid, kind, depth in (("a", "terminal", 0), ("h", "hub", None), ("b", "terminal", 3))
    ]
    assert [row["tid"] for row in waiting(devices)] == ["b", "h"]
