"""The champion scores a payment in its transaction; without it the rules judge, and say so."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.observability.metrics import Metrics
from backend.risk.cases.model import CaseClock
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging import scoring
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.limits import (
    PAUSE_NS,
    SCORING_NS_MAX,
    TROUBLE_MAX,
)
from backend.risk.judging.model_desk import ModelDesk
from backend.risk.judging.records import explanation
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.scoring import Scored, ScoredPayment, Scoring, doubles_of
from backend.risk.models.calibration import Calibration
from backend.risk.models.comparison import compare
from backend.risk.models.ledger_inputs import HONEST_AFTER_MS
from backend.risk.models.lifecycle import ModelCommand, Role
from backend.risk.models.repository import ModelRepository
from backend.risk.models.scorer import Score
from backend.risk.models.service import MoveModel, RegisterModel
from backend.risk.models.train import Inputs, Settings, train
from tests.support.shop import Shop
from tests.support.wallet_http import services_of
from tillway.risk.cli import app

AMOUNT = PAYMENT.names.index("payment.amount_minor")
LARGE_MINOR = 6_000


@cache
def amount_model() -> bytes:
    """The file of a forest that has learnt that large amounts are frauds."""
    luck = np.random.default_rng(7)
    matrix = np.full((1_500, len(PAYMENT.names)), np.nan)
    matrix[:, AMOUNT] = luck.uniform(100, 8_000, len(matrix))
    is_fraud = (matrix[:, AMOUNT] > 5_000) & (luck.random(len(matrix)) < 0.99)
    inputs = Inputs(PAYMENT.names, PAYMENT.digest, matrix, is_fraud)
    settings = Settings(trees=10, leaf_rows_min=2, depth_max=4, honest_min=500)
    return train(inputs, settings, trained_at="2026-01-01T00:00:00Z")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is late, however busy the machine is: test_judging_deadlines has what is."""
    monkeypatch.setattr(scoring, "SCORING_WAIT_S_MAX", 10)


@pytest.fixture
def desk(metrics: Metrics) -> RiskDesk:
    champion, challenger = (Scoring(lambda: 0, metrics, name=n) for n in ("model", "challenger"))
    return RiskDesk(("model_high",), scoring=champion, challenger=challenger)


@pytest.fixture
def shop(migrated_url: str, desk: RiskDesk) -> Iterator[Shop]:
    clock = CaseClock(lambda day: day.weekday() < 5, 8 * 3600 * 1000)
    shop = Shop(migrated_url, engine=Engine(desk, clock))
    shop.add_merchant()
    yield shop
    shop.close()


def champion(shop: Shop, content: bytes) -> str:
    command = RegisterModel.checked(content, purpose="payment", by="李雷", words="trained")
    model_id = str(shop.do(command)["model_id"])
    for word, by in (("challenge", "李雷"), ("propose", "李雷"), ("confirm", "韩梅梅")):
        shop.do(MoveModel(model_id=model_id, command=ModelCommand(word), by=by, words="w"))
    return model_id


def load(shop: Shop, desk: RiskDesk) -> None:
    models = ModelDesk(
        run_read=services_of(shop).run_read,
        repository=ModelRepository(shop.reader),
        in_use={Role.CHAMPION: desk.scoring, Role.CHALLENGER: desk.challenger},
    )
    asyncio.run(models.load())


def test_the_champion_s_score_is_kept_bit_for_bit_and_decides_by_a_rule(
    shop: Shop, desk: RiskDesk
) -> None:
    model_id = champion(shop, amount_model())
    load(shop, desk)
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 500)["state"] == "captured"
    assert shop.pay(payer, LARGE_MINOR)["error"]["code"] == "risk_declined"
    small, large = DecisionRepository(shop.reader).since(0)
    scorer = ModelRepository(shop.reader).scorer(model_id, PAYMENT.digest)
    told = explanation(large, desk, scorers={model_id: scorer})
    assert (told["rule"], told["is_repeated"], told["trouble"]) == ("model_high", True, "")
    score = told["score"]
    assert isinstance(score, dict)
    assert score["is_repeated"] is True
    total = score["base"]
    for part in score["contributions"].values():
        total += part
    assert total == score["raw"]
    assert told["facts"]["model.probability"] == score["probability"] > 0.8  # type: ignore[index]
    changed = large["score"][:-1] + bytes([large["score"][-1] ^ 1])
    again = explanation({**large, "score": changed}, desk, scorers={model_id: scorer})
    assert again["score"]["is_repeated"] is False  # type: ignore[index]
    assert small["model_id"] == model_id
    assert small["action"] == "allow"


@cache
def other_model() -> bytes:
    """One that has learnt less: a single shallow tree."""
    luck = np.random.default_rng(8)
    matrix = np.full((1_000, len(PAYMENT.names)), np.nan)
    matrix[:, AMOUNT] = luck.uniform(100, 8_000, len(matrix))
    inputs = Inputs(PAYMENT.names, PAYMENT.digest, matrix, matrix[:, AMOUNT] < 2_000)
    settings = Settings(kind="decision_tree", leaf_rows_min=2, depth_max=2, honest_min=500)
    return train(inputs, settings, trained_at="2026-01-01T00:00:00Z")


def test_the_challenger_scores_each_payment_beside_the_champion_and_decides_none(
    shop: Shop, desk: RiskDesk, metrics: Metrics
) -> None:
    champion_id = champion(shop, amount_model())
    command = RegisterModel.checked(other_model(), purpose="payment", by="李雷", words="cheaper")
    other_id = str(shop.do(command)["model_id"])
    shop.do(MoveModel(model_id=other_id, command=ModelCommand.CHALLENGE, by="李雷", words="w"))
    load(shop, desk)
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 500)["state"] == "captured"  # a fraud to the challenger alone
    assert "error" in shop.pay(payer, LARGE_MINOR)
    small, large = DecisionRepository(shop.reader).since(0)
    kept = ModelRepository(shop.reader)
    scorers = {name: kept.scorer(name, PAYMENT.digest) for name in (champion_id, other_id)}
    told = explanation(small, desk, scorers=scorers)
    beside = told["challenger"]
    assert isinstance(beside, dict)
    assert (beside["model_id"], beside["is_repeated"]) == (other_id, True)
    assert beside["probability"] > 0.8
    assert told["facts"]["model.probability"] == told["score"]["probability"] < 0.5  # type: ignore[index]
    assert (large["model_id"], large["challenger_id"]) == (champion_id, other_id)
    changed = small["challenger_score"][:-1] + bytes([small["challenger_score"][-1] ^ 1])
    again = explanation({**small, "challenger_score": changed}, desk, scorers=scorers)
    assert again["challenger"]["is_repeated"] is False  # type: ignore[index]
    found = CliRunner().invoke(app, ["models", "compare", "--database", shop.url,
                                     "--days", "60", "--until", "2026-12-01"])  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "2 payments, 0 frauds, 0 honest" in found.output
    assert champion_id[:12] in found.output
    assert other_id[:12] in found.output


def test_a_challenger_that_breaks_changes_no_decision(
    shop: Shop, desk: RiskDesk, metrics: Metrics
) -> None:
    model = Slow()
    model.answer = broken
    desk.challenger.use(model)
    assert shop.pay(shop.add_payer(balance_minor=1_000), 500)["state"] == "captured"
    [row] = DecisionRepository(shop.reader).since(0)
    assert (row["challenger_id"], row["challenger_score"], row["trouble"]) == ("", b"", "")
    assert b'tillway_risk_troubles_total{trouble="challenger_failed"} 1.0' in metrics.render()


def scored(name: str, at_ms: int, champion: float, challenger: float) -> ScoredPayment:
    return ScoredPayment(payment_id=name, at_ms=at_ms, champion_id="a", challenger_id="b",
                         champion=champion, challenger=challenger)  # fmt: skip


def test_the_comparison_knows_who_was_right_by_the_latest_labels_and_by_silence() -> None:
    until_ms = HONEST_AFTER_MS + 100
    rows = [scored("old", 1, 0.1, 0.9), scored("bad", 2, 0.9, 0.1), scored("new", 200, 0.5, 0.5),
            scored("cleared", 201, 0.2, 0.8)]  # fmt: skip
    said = (("bad", 1), ("cleared", 1), ("cleared", 0), ("gone", 1))
    labels = [{"payment_id": name, "is_fraud": is_fraud} for name, is_fraud in said]
    [pair] = compare(rows, labels, until_ms=until_ms)
    assert (pair.payments, pair.frauds, pair.honest) == (4, 1, 2)
    assert (pair.champion.auc, pair.challenger.auc) == (1.0, 0.0)
    assert (pair.champion.top_frauds, pair.challenger.top_frauds) == (1, 0)
    assert pair.moved == pytest.approx((0.8 + 0.8 + 0 + 0.6) / 4)
    assert pair.champion.brier == pytest.approx((0.01 + 0.01 + 0.04) / 3)
    [little] = compare(rows[2:3], [], until_ms=until_ms)
    assert (little.champion.auc, little.champion.average_precision) == (None, None)
    assert compare([], labels, until_ms=until_ms) == []


def test_a_champion_that_cannot_be_loaded_leaves_the_rules_and_each_decision_says_so(
    shop: Shop, desk: RiskDesk, metrics: Metrics
) -> None:
    champion(shop, train(
        replace(_inputs_of_another_set(), feature_digest="0" * 64),
        Settings(trees=3, honest_min=100), trained_at="2026-01-01T00:00:00Z",
    ))  # fmt: skip
    load(shop, desk)
    payer = shop.add_payer(balance_minor=100_000)
    assert shop.pay(payer, 500)["state"] == "captured"
    [row] = DecisionRepository(shop.reader).since(0)
    assert (row["model_id"], row["trouble"]) == ("", "model_missing")
    assert b'tillway_risk_troubles_total{trouble="model_missing"} 1.0' in metrics.render()


def _inputs_of_another_set() -> Inputs:
    luck = np.random.default_rng(1)
    matrix = luck.uniform(0, 1, (300, 1))
    return Inputs(("amount",), "", matrix, matrix[:, 0] > 0.7)


class Slow:
    """A model that takes as long as it is told, or breaks."""

    model_id = "m"

    def __init__(self) -> None:
        self.now_ns = 0
        self.takes_ns = 0
        self.calls = 0
        self.answer: Callable[[], float] = lambda: 0.5
        self.raw = 1.0

    def score(self, vector: Sequence[float]) -> Score:
        self.calls += 1
        self.now_ns += self.takes_ns
        return Score(self.answer(), self.raw, 0.5, (0.5,))


def broken() -> float:
    raise RuntimeError("the runtime is gone")


@pytest.mark.parametrize("answer", [broken, lambda: float("nan")])
def test_a_model_that_breaks_is_left_out_for_a_while(answer: Callable[[], float]) -> None:
    model = Slow()
    scoring = Scoring(lambda: model.now_ns)
    scoring.use(model)
    model.answer = answer
    told = [scoring.score([1.0]) for _ in range(TROUBLE_MAX + 1)]
    assert told == [Scored(trouble="model_failed")] * TROUBLE_MAX + [Scored(trouble="model_paused")]
    assert model.calls == TROUBLE_MAX
    model.now_ns += PAUSE_NS
    model.answer = lambda: 0.5
    assert scoring.score([1.0]).probability == 0.5


@pytest.mark.parametrize("raw", [float("nan"), float("inf"), float("-inf")])
def test_a_raw_value_that_is_no_number_says_nothing_whatever_its_probability(raw: float) -> None:
    model = Slow()
    scoring = Scoring(lambda: model.now_ns)
    scoring.use(model)
    model.raw = raw
    model.answer = lambda: Calibration().probability(raw)
    assert scoring.score([1.0]) == Scored(trouble="model_failed")


def test_a_late_score_is_used_and_marked_and_slowness_that_stays_leaves_the_model_out() -> None:
    model = Slow()
    scoring = Scoring(lambda: model.now_ns)
    scoring.use(model)
    model.takes_ns = SCORING_NS_MAX + 1
    late = [scoring.score([1.0]) for _ in range(TROUBLE_MAX)]
    assert {(one.probability, one.trouble) for one in late} == {(0.5, "model_late")}
    assert late[0].doubles == doubles_of(Score(0.5, 1.0, 0.5, (0.5,)))
    assert scoring.score([1.0]).trouble == "model_paused"
    model.now_ns += PAUSE_NS
    model.takes_ns = 0
    assert [scoring.score([1.0]).trouble for _ in range(5)] == [""] * 5


def test_where_no_model_is_in_use_nothing_is_missed() -> None:
    assert Scoring().score([1.0]) == Scored()
