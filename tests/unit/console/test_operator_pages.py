"""The operators' pages: to a merchant they do not exist; each has its one action."""

import json
import re

import pytest

from backend.channels.model import ECNY, NUCC
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
from backend.reconciliation.breaks import Break, BreakClass, BreakEvent, BreakState, BreakStep
from backend.reconciliation.cases import MoveBreak, TakeUpBreak
from backend.reconciliation.routes import Returned
from backend.wallet.model import PinFreeDay, WalletRules
from protocol.payment import Event
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.shop import MERCHANT, Shop

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


def open_break(
    shop: Shop,
    step: BreakStep = BreakStep.HAND_OVER,
    *,
    kind: BreakClass = BreakClass.AMOUNT,
    source: str = "bank",
    reference: str = "ref-1",
    ours_minor: int | None = 1_000,
    theirs_minor: int | None = 1_200,
    channel_reference: str = "",
) -> str:
    """A difference that was found; by default what the bank has more, in a person's hands."""
    found = Break(
        kind, source, reference, ours_minor, theirs_minor, channel_reference=channel_reference
    )
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
    assert f'<a href="/console/callbacks/{callback_id}">Payment captured</a>' in page
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
    for language, both in (
        ("zh", "四个汉字或两个单词"),
        ("en", "two words or four Chinese characters"),
    ):
        assert both in http.get(f"/console/breaks?lang={language}").text
    path, form = f"/console/breaks/{break_id}/resolve", {"page": page_token(page)}
    for words in ("", "fine"):
        assert "field_invalid" in http.post(path, data=form | {"words": words}).text
    assert break_id not in http.post(path, data=form | {"words": "the bank corrects it"}).text
    events = world.shop.rows("SELECT actor, words FROM reconciliation_case_event ORDER BY number")
    assert events[-1] == {"actor": "operator:ops", "words": "the bank corrects it"}


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
        assert "<button" not in looked, path


def test_each_break_has_one_proposed_action_which_is_done_with_a_reason(
    world: ConsoleWorld,
) -> None:
    world.add("ops", role="operator", merchant_id="")
    shop = world.shop
    long = {"kind": BreakClass.LONG_MISSING_ORDER, "source": "channel NUCC", "ours_minor": None}
    short = {
        "kind": BreakClass.SHORT_MISSING_CHANNEL, "source": "channel NUCC", "theirs_minor": None,
    }  # fmt: skip
    pooled = open_break(shop, BreakStep.POOL, reference="ref-2", **short)  # type: ignore[arg-type]
    found = {
        "resolve": open_break(shop),
        "assign": open_break(shop, BreakStep.POST, reference="ref-3", **long),  # type: ignore[arg-type]
        "write_off": open_break(shop, BreakStep.POST, reference="ref-4", **short),  # type: ignore[arg-type]
    }
    http = world.signed_in("ops")
    page = http.get("/console/breaks").text
    assert sorted(re.findall(r"/console/breaks/(brk_\w+)/resolve", page)) == sorted(found.values())
    form = {"page": page_token(page), "words": "the shop told us"}
    assert "break_state" in http.post(f"/console/breaks/{pooled}/resolve", data=form).text
    path = f"/console/breaks/{found['assign']}/resolve"
    for wrong, code in (
        ({}, "field_invalid"),
        ({"owner": "bank", "owner_id": MERCHANT}, "field_invalid"),
        ({"owner": "merchant", "owner_id": "mch_9"}, "merchant_unknown"),
    ):
        assert code in http.post(path, data=form | wrong).text
    for break_id in found.values():
        owner = {"owner": "merchant", "owner_id": MERCHANT}
        answer = http.post(f"/console/breaks/{break_id}/resolve", data=form | owner)
        assert answer.status_code == 200
    states = {
        row["break_id"]: row["state"] for row in shop.rows("SELECT * FROM reconciliation_case")
    }
    assert [states[found[step]] for step in found] == ["resolved", "resolved", "written_off"]
    kept = shop.rows("SELECT what, reason FROM audit_act WHERE kind = 'break' ORDER BY number")
    assert [row["what"] for row in kept] == list(found)
    assert {row["reason"] for row in kept} == {"the shop told us"}


def test_what_a_channel_took_twice_is_given_back_or_assigned_and_its_page_tells_why(
    world: ConsoleWorld,
) -> None:
    world.add("ops", role="operator", merchant_id="")
    first, second = (
        open_break(
            world.shop, BreakStep.POST, kind=BreakClass.DUPLICATE, source=f"channel {NUCC}",
            reference=reference, ours_minor=None, channel_reference=f"TRX-{reference}",
        )
        for reference in ("pay_1", "pay_2")
    )  # fmt: skip
    http = world.signed_in("ops")
    queue = http.get("/console/breaks?lang=en").text
    assert sorted(re.findall(r"/console/breaks/(brk_\w+)/return", queue)) == sorted((first, second))
    assert "/resolve" not in queue
    page = http.get(f"/console/breaks/{first}?lang=en").text
    assert all(text in page for text in ("TRX-pay_1", "NetsUnion", "its own number", "by itself"))
    form = {"page": page_token(page), "words": "the shop told us"}
    assert (
        "field_invalid"
        in http.post(f"/console/breaks/{first}/return", data=form | {"words": "x"}).text
    )
    assert first not in re.findall(
        r"(brk_\w+)/return", http.post(f"/console/breaks/{first}/return", data=form).text
    )
    owner = {"owner": "merchant", "owner_id": MERCHANT}
    http.post(f"/console/breaks/{second}/resolve", data=form | owner)
    rows = world.shop.rows("SELECT break_id, state FROM reconciliation_case")
    assert {row["break_id"]: row["state"] for row in rows} == {
        first: "returning", second: "resolved",
    }  # fmt: skip
    page = http.get(f"/console/breaks/{first}?lang=en").text
    assert "The channel was asked to give it back" in page
    assert "/return" not in page
    kept = world.shop.rows("SELECT what FROM audit_act WHERE kind = 'break' ORDER BY number")
    assert [row["what"] for row in kept] == ["ask_back", "assign"]
    assert "break_unknown" in http.get("/console/breaks/brk_none").text


def test_a_file_without_a_number_of_its_own_says_so(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    break_id = open_break(
        world.shop, BreakStep.POST, kind=BreakClass.DUPLICATE, source=f"channel {NUCC}",
        ours_minor=None,
    )  # fmt: skip
    page = world.signed_in("ops").get(f"/console/breaks/{break_id}?lang=en").text
    assert "tells no number of its own" in page
    assert f"{break_id}/resolve" in page
    assert f"{break_id}/return" not in page


def test_what_a_channel_has_refused_three_times_is_to_be_assigned(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    break_id = open_break(
        world.shop, BreakStep.POST, kind=BreakClass.DUPLICATE, source=f"channel {NUCC}",
        ours_minor=None, channel_reference="TRX-9",
    )  # fmt: skip
    http = world.signed_in("ops")
    path = f"/console/breaks/{break_id}?lang=en"
    assert "several times" not in http.get(path).text
    for step in (BreakStep.ASK_BACK, BreakStep.KEEP) * 3:
        [row] = world.shop.rows("SELECT * FROM reconciliation_case")
        world.shop.do(MoveBreak(follows=row, step=step, booked_on=row["business_date"]))
    page = http.get(path).text
    assert "refused to give it back several times" in page
    assert page.index(f"{break_id}/resolve") < page.index(f"{break_id}/return")
    queue = http.get("/console/breaks?lang=en").text
    assert f"{break_id}/resolve" in queue
    assert f"{break_id}/return" not in queue


@pytest.mark.parametrize(
    ("words", "is_reason"),
    [("重复扣款", True), ("已 与渠道，核对", True), ("by fax", True), ("退款", False),
     ("fine", False), ("。。。。", False), ("  ", False)],
)  # fmt: skip
def test_a_reason_is_two_words_or_four_chinese_characters(words: str, is_reason: bool) -> None:
    if is_reason:
        assert Returned(by="li", words=words).words
    else:
        with pytest.raises(ValueError, match="words"):
            Returned(by="li", words=words)


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


def test_every_break_state_step_and_source_has_words(world: ConsoleWorld) -> None:
    names = [kind.value for kind in BreakClass]
    names += [f"break.{state}" for state in BreakState]
    names += [f"happened.{event}" for event in BreakEvent]
    names += [
        f"source.wallet {ECNY}",
        *(f"channel.{one}" for one in world.shop.rules.routing.facts),
    ]
    assert [name for name in names if name not in BREAK_NAMES] == []


def test_breaks_go_on_by_key_either_way(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.console.operations_desk.ROWS_PER_PAGE", 2)
    world.add("ops", role="operator", merchant_id="")
    made = [open_break(world.shop, reference=f"ref-{number}") for number in range(5)]
    http = world.signed_in("ops")
    for first in ("/console/breaks", "/console/breaks?sort=newest"):
        path, seen = first, []
        while path:
            page = http.get(path).text
            seen += re.findall(r"/console/breaks/(brk_\w+)/resolve", page)
            more = re.search(r'class="button" href="(/console/breaks\?after=[^"]+)"', page)
            path = more[1].replace("&amp;", "&") if more else ""
        assert sorted(seen) == sorted(made)
        assert seen in (sorted(made), sorted(made, reverse=True))
    for bad in ("after=x", "after=2026-11-28~", "after=2026-13-01~brk_1"):
        assert http.get(f"/console/breaks?{bad}").status_code == 400
    for bad in ("sort=x", "page=x", "page=1234567"):
        assert http.get(f"/console/devices?{bad}").status_code == 400


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
    rows = [
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
