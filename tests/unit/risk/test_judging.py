"""A payment is judged before its money moves; what it was judged by is kept and gives the same."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import compress
from typing import Any

import pytest
from sqlalchemy import text

from backend.db.engine import open_engine
from backend.merchants.service import ChangeMerchant
from backend.risk.cases.model import CaseClock
from backend.risk.cases.repository import CaseFilter, CaseRepository
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging import repository
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.live import LIVE_BY_DEFAULT
from backend.risk.judging.memory import rebuild
from backend.risk.judging.model import Attempt, decide
from backend.risk.judging.records import attempt_of, explanation, vector_of
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.scoring import Scoring
from backend.risk.labels.repository import LabelRepository
from backend.risk.labels.service import LabelPayment
from backend.risk.lists.model import Entry, ListKind, ListName
from backend.risk.lists.service import PutOnList, SetBlock
from backend.risk.rules.compiled import Action, Rule, Severity
from backend.risk.rules.desk import RuleDesk
from backend.risk.rules.guards import guards
from backend.risk.rules.in_use import Judgement as Judged
from backend.risk.rules.lifecycle import SetCommand
from backend.risk.rules.repository import RuleRepository
from backend.risk.rules.service import DraftRules, MoveRules
from protocol.clock import DAY_MS
from protocol.errors import CallerError
from tests.support.shop import MERCHANT, Shop
from tests.support.wallet_http import services_of

LIVE = (
    *LIVE_BY_DEFAULT,
    "payer_burst_1m",
    "just_below_cap",
    "first_payment_large",
    "trusted_payer",
)


@pytest.fixture
def desk() -> RiskDesk:
    return RiskDesk(LIVE)


@pytest.fixture
def shop(migrated_url: str, desk: RiskDesk) -> Iterator[Shop]:
    clock = CaseClock(lambda day: day.weekday() < 5, 8 * 3600 * 1000)
    shop = Shop(migrated_url, engine=Engine(desk, clock))
    shop.add_merchant()
    yield shop
    shop.close()


def decisions(shop: Shop) -> list[dict[str, Any]]:
    return list(DecisionRepository(shop.reader).since(0))


def rule(name: str, action: Action) -> Rule:
    return Rule(rule_id=name, when="true", action=action, severity=Severity.LOW, owner="test",
                zh="测试。", en="A test.")  # fmt: skip


def attempt(entry: str = "payer_code", *, is_confirmed: bool = False) -> Attempt:
    return Attempt(attempt_id="att_1", payment_id="pay_1", at_ms=1, amount_minor=1, currency="CNY",
                   payer_id="p", card="", device="d", merchant_id="m", store="s",
                   method="balance", entry=entry, is_confirmed=is_confirmed)  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "decided"),
    [
        ([], Action.ALLOW),
        ([Action.REVIEW, Action.CHALLENGE], Action.CHALLENGE),
        ([Action.LIMIT, Action.CHALLENGE], Action.LIMIT),
        ([Action.ALLOW, Action.CHALLENGE, Action.REVIEW], Action.ALLOW),
        ([Action.ALLOW, Action.DECLINE], Action.DECLINE),
    ],
)
def test_the_hardest_live_action_decides(actions: list[Action], decided: Action) -> None:
    hits = [rule(action.value, action) for action in actions]
    assert decide(Judged(version="v", hits=tuple(hits))).action is decided
    in_shadow = decide(Judged(version="v", hits=(), noted=tuple(hits)))
    assert in_shadow.action is Action.ALLOW
    assert in_shadow.shadow == tuple(hit.rule_id for hit in hits)


@pytest.mark.parametrize(
    ("entry", "is_confirmed", "refusal"),
    [
        ("payer_code", False, "pin_required"),
        ("merchant_code", False, "pin_required"),
        ("mandate", False, "risk_declined"),
        ("payer_code", True, None),
    ],
)
def test_a_challenge_asks_for_what_is_lacking(
    entry: str, is_confirmed: bool, refusal: str | None
) -> None:
    decision = decide(Judged(version="v", hits=(rule("a", Action.CHALLENGE),)))
    assert decision.refusal(attempt(entry, is_confirmed=is_confirmed)) == refusal


def test_a_rule_that_is_not_known_cannot_be_live() -> None:
    with pytest.raises(ValueError, match="no rule 'nonsense'"):
        RiskDesk(("nonsense",))


def test_a_payment_keeps_what_it_was_judged_by(shop: Shop, desk: RiskDesk) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    assert shop.pay(payer, 1_280)["state"] == "captured"
    shop.clock.at_ms += 60_000
    shop.pay(payer, 2_560)
    first, second = decisions(shop)
    told = explanation(second, desk)
    features = told["features"]
    assert isinstance(features, dict)
    assert (features["payer.count_1h"], features["payer.amount_ratio_30d"]) == (1.0, 2.0)
    assert features["payer.since_last_s"] == 60.0
    assert told["is_repeated"] is True
    assert told["facts"]["payment.entry"] == "payer_code"  # type: ignore[index]
    assert first["action"] == "allow"
    assert "first_payment_large" not in first["live"]


@pytest.mark.parametrize(
    ("kind", "column", "rule"),
    [(ListKind.STORE, "store", "blocked_store"), (ListKind.DEVICE, "device", "blocked_device"),
     (ListKind.MERCHANT, "merchant_id", "blocked_merchant")],
)  # fmt: skip
def test_what_is_on_the_block_list_takes_no_payment(
    shop: Shop, kind: ListKind, column: str, rule: str
) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 100)["state"] == "captured"
    value = decisions(shop)[0][column]
    entry = Entry(list_name=ListName.BLOCK, kind=kind, value=value, reason="盗刷", owner="risk")
    shop.do(PutOnList(entry=entry, by="李雷"))
    shop.clock.at_ms += 1_000
    assert shop.pay(payer, 100)["error"]["code"] == "risk_declined"
    assert decisions(shop)[-1]["rule"] == rule


def test_what_a_merchant_sells_is_a_fact_once_somebody_has_said_it(
    shop: Shop, desk: RiskDesk
) -> None:
    payer = shop.add_payer(balance_minor=500_000)
    finger = {"kind": "fingerprint", "reference": "f"}
    for category in ("", "7995", "5411"):
        shop.do(ChangeMerchant(merchant_id=MERCHANT, category_code=category))
        shop.clock.at_ms += 1_000
        assert shop.pay(payer, 120_000, verification=finger)["state"] == "captured"
        row = decisions(shop)[-1]
        assert json.loads(row["facts"]).get("merchant.category", "") == category
        hits = {*row["live"].split(), *row["shadow"].split()}
        assert ("merchant_cash_like" in hits) is (category == "7995")
        assert explanation(row, desk)["is_repeated"] is True
    shop.add_merchant("mch_casino", category_code="7995")
    for wrong in ("799", "79951", "79a5", "７９９５"):
        with pytest.raises(CallerError, match="category_code: 4 digits"):
            shop.add_merchant("mch_other", category_code=wrong)
        with pytest.raises(CallerError, match="category_code: 4 digits"):
            shop.do(ChangeMerchant(merchant_id=MERCHANT, category_code=wrong))


def test_a_changed_byte_of_a_decision_is_seen_when_it_is_judged_again(
    shop: Shop, desk: RiskDesk
) -> None:
    payer = shop.add_payer(balance_minor=900_000)
    finger = {"kind": "fingerprint", "reference": "f"}
    assert shop.pay(payer, 490_000, verification=finger)["state"] == "captured"
    [row] = decisions(shop)
    assert explanation(row, desk)["is_repeated"] is True
    assert explanation({**row, "amount_minor": 100}, desk)["is_repeated"] is False
    assert explanation({**row, "rules_version": "older"}, desk)["is_repeated"] is None


def test_a_payer_with_a_known_fraud_is_declined_with_the_reason(shop: Shop, desk: RiskDesk) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 100)["state"] == "captured"
    [first] = decisions(shop)
    known_ms = shop.clock.at_ms + 60_000
    desk.learn(str(first["payment_id"]), is_fraud=True, available_at_ms=known_ms)
    assert shop.pay(payer, 100)["state"] == "captured"  # not known yet
    shop.clock.at_ms = known_ms
    answer = shop.pay(payer, 100)
    assert answer["error"]["code"] == "risk_declined"
    [row] = shop.rows("SELECT risk FROM payment WHERE state = 'declined'")
    assert '"rule":"payer_known_fraud"' in row["risk"]
    assert shop.payer_balance(payer) == 99_800


def test_a_large_first_payment_under_a_mandate_is_declined(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=900_000)
    mandate = shop.add_mandate(payer, limit_payment_minor=400_000, limit_day_minor=400_000)
    body = shop.create_body("mandate", 300_000, mandate_id=mandate)
    answer = shop.ask("payment.create", body, device="vend1")
    assert answer["error"]["code"] == "risk_declined"
    [row] = shop.rows("SELECT risk FROM payment WHERE state = 'declined'")
    assert '"rule":"first_payment_large"' in row["risk"]


def test_a_rule_that_asks_for_a_person_opens_a_case_and_lets_the_payment_through(
    shop: Shop,
) -> None:
    payer = shop.add_payer(balance_minor=900_000)
    for amount in (150_000, 495_000):
        shop.clock.at_ms += 3_600_000
        code = shop.code(payer)
        body = shop.create_body("pay_code", amount, pay_code=code,
                                verification={"kind": "fingerprint", "reference": "f"})  # fmt: skip
        assert shop.ask("payment.create", body)["state"] == "captured"
    [case] = CaseRepository(shop.reader).queue(CaseFilter(), now_ms=shop.clock.at_ms)
    assert (case["subject_id"], case["reason"]) == (payer, "just_below_cap")


def test_the_block_list_decides_before_the_rules_and_is_kept(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    shop.do(SetBlock(payer_id=payer, is_on=True, reason="fraud"))
    assert shop.pay(payer, 100)["error"]["code"] == "risk_declined"
    [row] = decisions(shop)
    assert (row["action"], row["rule"]) == ("decline", "payer_blocked")
    desk = shop.engine.desk if shop.engine else RiskDesk()
    guarded = explanation(row, desk)["guards"]
    assert guarded == {"rule": "payer_blocked", "version": guards().version, "is_repeated": True}
    freed = row["facts"].replace('"list.block_payer":true', '"list.block_payer":false')
    assert explanation({**row, "facts": freed}, desk)["guards"]["is_repeated"] is False  # type: ignore[index]
    shop.do(SetBlock(payer_id=payer, is_on=False, reason="found"))
    assert shop.pay(payer, 100)["state"] == "captured"
    [_, second] = decisions(shop)
    assert explanation(second, desk)["guards"] == guarded | {"rule": None}
    assert explanation({**second, "facts": "{}"}, desk)["guards"] is None


@pytest.mark.parametrize("is_upgraded", [False, True])
def test_a_desk_that_is_told_the_stored_decisions_judges_as_if_it_had_never_stopped(
    shop: Shop, desk: RiskDesk, is_upgraded: bool
) -> None:
    payers = [shop.add_payer(balance_minor=100_000) for _ in range(3)]
    for number in range(20):
        shop.clock.at_ms += 40_000 + number * 997
        shop.pay(payers[number % 3], 100 + number * 50)
    last = decisions(shop)[-1]
    if is_upgraded:  # the features were others
        engine = open_engine(shop.url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE risk_decision SET feature_digest = 'older'"))
        engine.dispose()
    memory, count = rebuild(
        DecisionRepository(shop.reader), LabelRepository(shop.reader), now_ms=shop.clock.at_ms
    )
    again = RiskDesk(LIVE, memory=memory)
    assert count == 20
    probe = attempt_of(last)
    here, there = desk.judge(probe, {}), again.judge(probe, {})
    assert repr(here.vector) == repr(there.vector)
    assert here.decision == there.decision
    assert len(vector_of(last)) == len(here.vector)


def test_who_was_seen_long_ago_is_known_after_a_restart(
    shop: Shop, desk: RiskDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "DECISIONS_COUNTED_TOGETHER", 2)
    back, thief, gone = payers = [shop.add_payer(balance_minor=100_000) for _ in range(3)]
    begin_ms = shop.clock.at_ms
    for payer, day in ((back, 0), (thief, 1), (gone, 2), (back, 3), (back, 3), (back, 50)):
        shop.clock.at_ms = begin_ms + day * DAY_MS
        paid = str(shop.pay(payer, 100 + day)["payment_id"])
        if payer == thief:
            shop.do(
                LabelPayment(
                    label_id=shop.id("lbl"),
                    payment_id=paid,
                    is_fraud=True,
                    by="李雷",
                    reason="试卡",
                )
            )
    now_ms = begin_ms + 100 * DAY_MS
    stored = DecisionRepository(shop.reader), LabelRepository(shop.reader)
    memory, count = rebuild(*stored, now_ms=now_ms)
    assert count == 0
    again = RiskDesk(LIVE, memory=memory)
    template = attempt_of(decisions(shop)[0])
    is_told = [name != "payer.amount_to_median" for name in PAYMENT.names]
    for number in range(6):  # each as it was found, and after a payment more
        probe = replace(
            template, attempt_id=f"att_{number}", payment_id=f"pay_{number}",
            payer_id=payers[number % 3], at_ms=now_ms + number * DAY_MS,
        )  # fmt: skip
        online, found = (one.judge(probe, {}).vector for one in (desk, again))
        assert repr([*compress(found, is_told)]) == repr([*compress(online, is_told)])
        days = {name: value / 86_400 for name, value in zip(PAYMENT.names, found, strict=True)}
        assert days["payer.since_first_s"] == 100 + number - number % 3
        assert days["merchant.since_fraud_s"] == 99 + number
        if number == 0:
            assert days["payer.since_last_s"] == 50
        for one in (desk, again):
            one.remember(probe)


@pytest.mark.parametrize("behind_ms", [0, 4_000])
def test_a_label_is_told_again_to_the_attempt_that_it_was_given_to(
    shop: Shop, desk: RiskDesk, behind_ms: int
) -> None:
    thief, honest = (shop.add_payer(balance_minor=100_000) for _ in range(2))
    shop.pay(thief, 100)
    [first] = decisions(shop)
    at_ms = shop.clock.at_ms
    second = {**first, "attempt_id": shop.id("att"), "payer_id": honest, "at_ms": at_ms + 60_000}
    label = {"payment_id": first["payment_id"], "origin": "lbl_1", "is_fraud": 1,
             "available_at_ms": at_ms + 1_000 - behind_ms}  # fmt: skip

    class Stored:
        """What both repositories would read."""

        def since(self, _: int) -> Iterator[dict[str, object]]:
            return iter((first, second))

        def labels(self, *, after: tuple[int, str, str]) -> list[dict[str, object]]:
            return [label] if after[0] < 0 else []

        def of_payments(self, _: object, *, before_ms: int) -> list[dict[str, object]]:
            return []

        def seen_before(self, _: int) -> Iterator[tuple[str, str, int, int]]:
            return iter(())

    online = RiskDesk(LIVE, scoring=Scoring(lambda: 0))
    online.remember(attempt_of(first))
    online.learn(str(first["payment_id"]), is_fraud=True, available_at_ms=at_ms + 1_000 - behind_ms)
    online.remember(attempt_of(second))
    stored: Any = Stored()
    memory, count = rebuild(stored, stored, now_ms=at_ms)
    again = RiskDesk(LIVE, scoring=Scoring(lambda: 0), memory=memory)
    assert count == 2
    for row, known in ((first, True), (second, False)):
        probe = replace(attempt_of(row), at_ms=at_ms + 120_000)
        here, there = online.judge(probe, {}), again.judge(probe, {})
        assert repr(here.vector) == repr(there.vector)
        assert ("payer_known_fraud" in {*here.decision.live, *here.decision.shadow}) is known


def test_an_attempt_that_was_undone_is_not_remembered(shop: Shop, desk: RiskDesk) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer))
    request = shop.request("payment.create", body)
    first, second = shop.apply(shop.command(request), shop.command(request))
    assert first.value() == second.value()
    assert len(decisions(shop)) == 1
    probe = attempt_of(decisions(shop)[0])
    assert desk.judge(probe, {}).vector[5] == 1.0  # one attempt within the minute, not two


OWN = """
[[rule]]
id = "{name}"
when = "{when}"
action = "decline"
severity = "medium"
owner = "risk"
zh = "太多。"
en = "Too much."
fires = {{ {fires} }}
holds = {{ "payment.amount_minor" = 1 }}
"""


TO_LIVE = (("propose_canary", "李雷"), ("confirm_canary", "韩梅梅"),
           ("propose_live", "李雷"), ("confirm_live", "韩梅梅"))  # fmt: skip


def shadowed(shop: Shop, desk: RiskDesk, text: str) -> str:
    """Draft a set and let it judge in shadow."""
    set_id = str(shop.do(DraftRules.checked(text, by="李雷", words="new"))["set_id"])
    shop.do(MoveRules(set_id=set_id, command=SetCommand.SHADOW, by="李雷", words="w"))
    take_up(shop, desk)
    return set_id


def bring_live(shop: Shop, desk: RiskDesk, set_id: str) -> None:
    """Two persons bring a set in shadow live."""
    for word, by in TO_LIVE:
        command = SetCommand(word)
        shop.do(MoveRules(set_id=set_id, command=command, by=by, words="w", share_bps=1))
    take_up(shop, desk)


def take_up(shop: Shop, desk: RiskDesk) -> None:
    services = services_of(shop)
    rules = RuleDesk(run_read=services.run_read, repository=RuleRepository(shop.reader),
                     clock=shop.clock, shipped_live=desk.live, use=desk.use)  # fmt: skip
    asyncio.run(rules.load())


def test_an_operator_s_set_in_shadow_is_noted_and_once_live_decides(
    shop: Shop, desk: RiskDesk
) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    text = OWN.format(name="mine", when="payment.amount_minor > 500",
                      fires='"payment.amount_minor" = 501')  # fmt: skip
    set_id = shadowed(shop, desk, text)
    assert shop.pay(payer, 600)["state"] == "captured"
    [row] = decisions(shop)
    assert f"{set_id}:mine" in str(row["shadow"]).split()
    assert explanation(row, desk)["is_repeated"] is True
    bring_live(shop, desk, set_id)
    shop.clock.at_ms += 60_000
    assert shop.pay(payer, 600)["error"]["code"] == "risk_declined"
    declined = decisions(shop)[-1]
    assert (declined["rules_version"], declined["rule"]) == (set_id, "mine")
    fresh = RiskDesk(LIVE)  # knows only what ships
    assert explanation(declined, fresh)["is_repeated"] is None
    older = {set_id: RuleRepository(shop.reader).compiled(set_id)}
    assert explanation(declined, fresh, older)["is_repeated"] is True
    assert explanation({**declined, "amount_minor": 1}, fresh, older)["is_repeated"] is False


def test_a_listed_merchant_and_payer_are_facts_of_the_payment(shop: Shop, desk: RiskDesk) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    text = OWN.format(name="listed", when="list.block_merchant && list.grey_payer",
                      fires='"list.block_merchant" = true, "list.grey_payer" = true')  # fmt: skip
    bring_live(shop, desk, shadowed(shop, desk, text))
    for list_name, kind, value in ((ListName.BLOCK, ListKind.MERCHANT, MERCHANT),
                                   (ListName.GREY, ListKind.PAYER, payer)):  # fmt: skip
        assert shop.pay(payer, 100)["state"] == "captured"
        entry = Entry(list_name=list_name, kind=kind, value=value, reason="r", owner="risk")
        shop.do(PutOnList(entry=entry, by="李雷"))
    assert shop.pay(payer, 100)["error"]["code"] == "risk_declined"


def test_the_block_list_refuses_from_the_first_day(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    entry = Entry(list_name=ListName.BLOCK, kind=ListKind.MERCHANT, value=MERCHANT, reason="r",
                  owner="risk")  # fmt: skip
    shop.do(PutOnList(entry=entry, by="李雷"))
    assert shop.pay(payer, 100)["error"]["code"] == "risk_declined"
    assert decisions(shop)[-1]["rule"] == "blocked_merchant"
