"""The operators' pages of breaks: each has its one proposed action, done with a reason."""

import re

import pytest

from backend.channels.model import ECNY, NUCC
from backend.console.break_words import BREAK_NAMES
from backend.reconciliation.breaks import BreakClass, BreakEvent, BreakState, BreakStep
from backend.reconciliation.cases import MoveBreak
from backend.reconciliation.routes import Returned
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.open_breaks import open_break
from tests.support.shop import MERCHANT


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
