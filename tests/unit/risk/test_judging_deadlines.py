"""Each stage of judging has a deadline: what hangs or is late is done without, and says so."""

import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from backend.observability.metrics import Metrics
from backend.risk.cases.model import CaseClock
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.bounded import BoundedCaller
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.limits import FEATURES_NS_MAX, PAUSE_NS, RULES_NS_MAX, STUCK_CALLERS_MAX
from backend.risk.judging.model import Attempt
from backend.risk.judging.records import explanation, vector_of
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.scoring import Scoring
from backend.risk.models.scorer import Score
from backend.risk.rules.compiled import compile_rules
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.in_use import RulesInUse
from backend.risk.rules.language.fused import Fact
from backend.risk.rules.rule_file import shipped_rules
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop

AMOUNT = PAYMENT.names.index("payment.amount_minor")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def desk(metrics: Metrics) -> RiskDesk:
    return RiskDesk(("model_high",), scoring=Scoring(watch=metrics))


@pytest.fixture
def shop(tmp_path: Path, desk: RiskDesk) -> Iterator[Shop]:
    clock = CaseClock(lambda day: day.weekday() < 5, 8 * 3600 * 1000)
    shop = Shop(migrated_sqlite(tmp_path / "backend.db"), engine=Engine(desk, clock))
    shop.add_merchant()
    yield shop
    shop.close()


def an_attempt() -> Attempt:
    return Attempt(
        attempt_id="att_1", payment_id="pay_1", at_ms=1, amount_minor=1, currency="CNY",
        payer_id="p", card="", device="d", merchant_id="m", store="s", method="balance",
        entry="payer_code", is_confirmed=False,
    )  # fmt: skip


class Hanging:
    """A model that does not answer before it is let go."""

    model_id = "h"

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.has_gone = threading.Event()
        self.calls = 0

    def score(self, vector: Sequence[float]) -> Score:
        self.calls += 1
        assert self.may_go.wait(30)
        self.has_gone.set()
        return Score(0.99, 1.0, 0.5, (0.5,) * len(vector))


def test_a_model_that_hangs_holds_up_one_payment_for_its_deadline_and_none_after_it(
    shop: Shop, desk: RiskDesk, metrics: Metrics
) -> None:
    model = Hanging()
    desk.scoring.use(model)
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 500)["state"] == "captured"
    assert shop.pay(payer, 500)["state"] == "captured"
    assert not model.may_go.is_set()
    assert model.calls == 1
    rows = list(DecisionRepository(shop.reader).since(0))
    assert [row["trouble"] for row in rows] == ["model_cut_off", "model_paused"]
    assert [row["model_id"] for row in rows] == ["", ""]
    assert explanation(rows[0], desk)["is_repeated"] is True
    assert b'tillway_risk_troubles_total{trouble="model_cut_off"} 1.0' in metrics.render()
    model.may_go.set()


def test_a_challenger_that_hangs_changes_no_decision_and_is_counted(
    shop: Shop, desk: RiskDesk, metrics: Metrics
) -> None:
    model = Hanging()
    desk.challenger = Scoring(watch=metrics, name="challenger")
    desk.challenger.use(model)
    payer = shop.add_payer(balance_minor=100_000)
    for _ in range(3):
        assert shop.pay(payer, 500)["state"] == "captured"
    assert not model.may_go.is_set()
    assert model.calls == 1
    rows = list(DecisionRepository(shop.reader).since(0))
    assert all("challenger" not in row["trouble"] for row in rows)
    told = metrics.render()
    assert b'tillway_risk_troubles_total{trouble="challenger_cut_off"} 1.0' in told
    assert b'tillway_risk_troubles_total{trouble="challenger_paused"} 2.0' in told
    model.may_go.set()


def test_with_every_stage_slow_at_once_the_deciding_rules_still_decide(
    shop: Shop, desk: RiskDesk
) -> None:
    """Late features, late rules, a model and a challenger that hang: the payer on the list is
    declined, the other is not, and each decision says what it lacked."""
    model, now = Hanging(), [0]

    def slow_clock() -> int:
        now[0] += max(FEATURES_NS_MAX, RULES_NS_MAX) + 1
        return now[0]

    desk.live = frozenset({"blocked_payer"})
    desk.use(RulesInUse(live=desk.shipped, candidate=desk.shipped, live_only=desk.live))
    desk.scoring.monotonic_ns = slow_clock
    desk.scoring.use(model)
    desk.challenger.use(model)
    facts: dict[str, Fact] = {"list.block_payer": True}
    blocked = desk.judge(an_attempt(), facts)
    honest = desk.judge(an_attempt(), {})
    assert blocked.decision.action == "decline"
    assert honest.decision.action == "allow"
    for judgement, word in ((blocked, "model_cut_off"), (honest, "model_paused")):
        assert judgement.trouble.split() == ["features_late", "rules_late", word]
    model.may_go.set()


def test_a_late_answer_is_thrown_away_and_the_model_is_asked_again_after_the_pause() -> None:
    model, now = Hanging(), [0]
    scoring = Scoring(lambda: now[0])
    scoring.use(model)
    assert scoring.score([1.0]).trouble == "model_cut_off"
    now[0] += PAUSE_NS
    assert scoring.score([1.0]).trouble == "model_paused"  # it still hangs
    model.may_go.set()
    assert model.has_gone.wait(30)
    deadline = time.monotonic() + 30
    while (told := scoring.score([2.0])).trouble and time.monotonic() < deadline:
        time.sleep(0.001)
    assert (told.probability, model.calls) == (0.99, 2)


def test_models_that_hang_one_after_another_take_a_bounded_number_of_threads() -> None:
    scoring, models = Scoring(), [Hanging() for _ in range(STUCK_CALLERS_MAX + 3)]
    told = []
    for model in models:
        scoring.use(model)
        told.append(scoring.score([1.0]).trouble)
    begun = STUCK_CALLERS_MAX + 1
    assert told == ["model_cut_off"] * begun + ["model_paused"] * 2
    assert [model.calls for model in models] == [1] * begun + [0] * 2
    for model in models:
        model.may_go.set()


def test_features_that_take_too_long_are_cut_short_and_unknown(
    shop: Shop, desk: RiskDesk, metrics: Metrics
) -> None:
    now = [0]
    desk.scoring.monotonic_ns = lambda: now[0]
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 500)["state"] == "captured"

    def slow_clock() -> int:
        now[0] += FEATURES_NS_MAX // 3
        return now[0]

    desk.scoring.monotonic_ns = slow_clock
    assert shop.pay(payer, 600)["state"] == "captured"
    known, cut = [vector_of(row) for row in DecisionRepository(shop.reader).since(0)]
    assert cut[AMOUNT] == 600.0
    assert sum(value == value for value in cut) < sum(value == value for value in known)
    [_, row] = DecisionRepository(shop.reader).since(0)
    assert "features_late" in row["trouble"].split()
    assert explanation(row, desk)["is_repeated"] is True
    assert b'tillway_risk_troubles_total{trouble="features_late"} 1.0' in metrics.render()


def test_rules_that_decide_nothing_are_not_asked_when_the_deciding_ones_took_too_long() -> None:
    desk, now = RiskDesk(), [0]
    rules = [one.rule for one in shipped_rules(FIELDS) if one.rule.rule_id == "blocked_payer"]
    other = compile_rules(rules, FIELDS)
    desk.use(RulesInUse(live=desk.shipped, candidate=other, live_only=desk.live))
    attempt = an_attempt()
    desk.scoring.monotonic_ns = lambda: now[0]
    facts: dict[str, Fact] = {"list.block_payer": True}
    quick = desk.judge(attempt, facts)
    assert quick.trouble == ""
    assert any(name.startswith(f"{other.version}:") for name in quick.decision.shadow)

    def slow_clock() -> int:
        now[0] += RULES_NS_MAX + 1
        return now[0]

    desk.scoring.monotonic_ns = slow_clock
    slow = desk.judge(attempt, facts)
    assert "rules_late" in slow.trouble.split()
    assert slow.decision.live == quick.decision.live
    assert not any(name.startswith(f"{other.version}:") for name in slow.decision.shadow)


@pytest.mark.parametrize("word", ["returns", "raises"])
def test_a_bounded_call_gives_what_the_work_gives(word: str) -> None:
    caller = BoundedCaller()
    if word == "returns":
        assert [caller.call(partial(int, n), seconds_max=30) for n in range(3)] == [0, 1, 2]
    else:
        with pytest.raises(RuntimeError, match="the runtime is gone"):
            caller.call(_broken, seconds_max=30)
        assert caller.call(lambda: 4, seconds_max=30) == 4


def _broken() -> None:
    raise RuntimeError("the runtime is gone")
