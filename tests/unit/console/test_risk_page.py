"""The operators' page of rules and models: what runs, its share, since when and by whom."""

import re

import pytest
from fastapi.testclient import TestClient

from backend.console.risk_words import RISK_NAMES
from backend.risk.models.card import KINDS
from backend.risk.models.lifecycle import ModelEvent, ModelState
from backend.risk.rules.lifecycle import SetCommand, SetEvent, SetState
from backend.risk.rules.service import MoveRules
from tests.support.console_world import ConsoleWorld
from tests.support.risk_scenes import LI, rules_and_models
from tests.support.shop import MERCHANT


@pytest.fixture
def operator(world: ConsoleWorld) -> TestClient:
    world.add("ops", role="operator", merchant_id="")
    return world.signed_in("ops")


def cards(http: TestClient, language: str = "en") -> dict[str, str]:
    """The page's cards as text, by their titles."""
    page = http.get(f"/console/risk?lang={language}")
    assert page.status_code == 200
    found = re.findall(r'<section class="card"><h2>(.+?)</h2>(.+?)</section>', page.text, re.DOTALL)
    return {title: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for title, text in found}


def test_what_runs_is_told_with_its_share_since_when_and_by_whom(
    world: ConsoleWorld, operator: TestClient
) -> None:
    made = rules_and_models(world.shop)
    told = cards(operator)
    live, canary = told["Live rules"], told["Candidate"]
    assert made["live"] in live
    assert "State Live" in live
    assert "95 % of the payments" in live
    assert made["canary"] in canary
    assert "State Canary" in canary
    assert "5 % of the payments" in canary
    assert "By 韩梅梅 大额" in live
    assert "Canary confirmed 5 % · 韩梅梅" in canary
    champion, challenger = told["Champion"], told["Challenger"]
    assert made["champion"] in champion
    assert "By 韩梅梅 回测更好" in champion
    assert made["challenger"] in challenger
    assert "nothing is decided by it" in challenger
    assert re.search(r"AUC 0\.\d{3} · Average precision 0\.\d{3} · Brier score 0\.\d{3}", champion)
    page = operator.get("/console/risk?lang=en").text
    assert made["draft"] in page
    assert made["registered"] in page
    assert "very_large_0" in page
    in_chinese = cards(operator, "zh")
    assert "5 % 的付款" in in_chinese["候选规则"]
    assert "确认为主模型 · 韩梅梅" in in_chinese["主模型"]


def test_a_set_in_shadow_decides_nothing_and_the_live_one_all(
    world: ConsoleWorld, operator: TestClient
) -> None:
    made = rules_and_models(world.shop)
    for set_id, command in ((made["canary"], "retire"), (made["draft"], "shadow")):
        word = SetCommand(command)
        world.shop.do(MoveRules(set_id=set_id, command=word, by=LI, words="w", share_bps=0))
    told = cards(operator)
    assert "100 % of the payments" in told["Live rules"]
    assert "Decides nothing; what it would say is noted" in told["Candidate"]


def test_before_anybody_has_brought_anything_the_shipped_rules_judge(operator: TestClient) -> None:
    told = cards(operator)
    assert "The rules that ship" in told["Live rules"]
    assert told["Candidate"] == "There is no candidate."
    assert told["Champion"] == "There is no champion: the rules judge alone."
    assert told["Challenger"] == "There is no challenger."


def test_to_a_merchant_and_to_nobody_the_page_does_not_exist(world: ConsoleWorld) -> None:
    world.add("li.na", merchant_id=MERCHANT)
    made = rules_and_models(world.shop)
    merchant = world.signed_in("li.na")
    page = merchant.get("/console/risk")
    assert page.status_code == 404
    assert made["live"] not in page.text
    assert 'href="/console/risk"' not in merchant.get("/console/today").text
    with world.browser() as nobody:
        assert made["live"] not in nobody.get("/console/risk").text


def test_every_state_step_and_kind_has_words() -> None:
    names = {f"rules.{state}" for state in SetState} | {f"model.{state}" for state in ModelState}
    assert names | {*SetEvent, *ModelEvent, *KINDS} <= RISK_NAMES.keys()
