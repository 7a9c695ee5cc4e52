"""Models on a real database: kept whole, brought to use by two persons, and watched."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import text
from typer.testing import CliRunner

from backend.body_limit import BodyLimit
from backend.db.engine import open_engine
from backend.http_errors import status_of
from backend.risk.models import routes as model_routes
from backend.risk.models.card import ModelError
from backend.risk.models.lifecycle import TRANSITIONS, ModelCommand, ModelState, Role, next_edge
from backend.risk.models.limits import DRIFT_ROWS_MIN, MODEL_BYTES_MAX
from backend.risk.models.monitor import drift_of
from backend.risk.models.onnx_file import read_model
from backend.risk.models.repository import ModelRepository
from backend.risk.models.scorer import Scorer
from backend.risk.models.service import PAYMENT, MoveModel, RegisterModel
from backend.risk.models.train import Settings, train
from faces.routes import add_routes
from protocol.errors import CallerError, TillwayError
from tests.support.json_line import Line
from tests.support.models import DIGEST, small_inputs, small_model
from tests.support.shop import Shop
from tests.support.signing import phone_of, sign, signed
from tests.support.wallet_http import OPERATOR, operator_only, services_of
from tillway.risk import models
from tillway.risk.cli import app

LI, HAN = "李雷", "韩梅梅"
FOREST, TREE = small_model("random_forest"), small_model("decision_tree")


def _register(shop: Shop, content: bytes) -> str:
    command = RegisterModel.checked(content, purpose=PAYMENT, by=LI, words="trained last night")
    return str(shop.do(command)["model_id"])


def _move(shop: Shop, model_id: str, command: str, by: str = LI) -> dict[str, Any]:
    word = ModelCommand(command)
    row: dict[str, Any] = shop.do(MoveModel(model_id=model_id, command=word, by=by, words="why"))
    return row


def _crown(shop: Shop, model_id: str) -> None:
    for command, by in (("challenge", LI), ("propose", LI), ("confirm", HAN)):
        _move(shop, model_id, command, by)


@pytest.mark.parametrize(("state", "command"), list(product(ModelState, ModelCommand)))
def test_every_step_of_the_table_is_taken_and_every_other_refused(
    state: ModelState, command: ModelCommand
) -> None:
    if (state, command) in TRANSITIONS:
        assert next_edge(state.value, command) == TRANSITIONS[(state, command)]
    else:
        with pytest.raises(CallerError, match="model_state"):
            next_edge(state.value, command)


def test_a_model_goes_to_its_use_by_two_persons_and_the_one_before_makes_place(shop: Shop) -> None:
    forest, tree = _register(shop, FOREST), _register(shop, TREE)
    models = ModelRepository(shop.reader)
    assert models.in_role(PAYMENT, Role.CHAMPION, DIGEST) is None
    _crown(shop, forest)
    _move(shop, tree, "challenge")
    in_use = {role: models.in_role(PAYMENT, role, DIGEST) for role in Role}
    assert {role: found and found.model_id for role, found in in_use.items()} == {
        Role.CHAMPION: forest, Role.CHALLENGER: tree,
    }  # fmt: skip
    scored = in_use[Role.CHAMPION]
    assert scored is not None
    assert scored.score([1, 2, 3]) == Scorer.load(FOREST, DIGEST).score([1, 2, 3])
    _move(shop, tree, "propose")
    _move(shop, tree, "confirm", by=HAN)
    champion = models.in_role(PAYMENT, Role.CHAMPION, DIGEST)
    assert champion is not None
    assert champion.model_id == tree
    assert models.in_role(PAYMENT, Role.CHALLENGER, DIGEST) is None
    assert [event["event"] for event in models.events(forest)] == [
        "ModelRegistered", "ModelChallenged", "ModelProposed", "ModelPromoted", "ModelRetired",
    ]  # fmt: skip
    assert {row["model_id"]: row["state"] for row in models.models()} == {
        forest: "retired", tree: "champion",
    }  # fmt: skip
    assert models.scorer(forest, DIGEST).model_id == forest
    _crown(shop, forest)  # and back
    champion = models.in_role(PAYMENT, Role.CHAMPION, DIGEST)
    assert champion is not None
    assert champion.model_id == forest


@pytest.mark.parametrize("name", [LI, f" {LI} ", "李雷\u3000"])
def test_the_one_who_proposes_is_not_the_second_person(lite: Shop, name: str) -> None:
    model = _register(lite, FOREST)
    _move(lite, model, "challenge", HAN)
    _move(lite, model, "propose", LI)
    for command in ("confirm", "reject"):
        with pytest.raises(CallerError, match="model_same_person"):
            _move(lite, model, command, name)
    assert _move(lite, model, "reject", HAN)["state"] == "challenger"


def test_repeating_a_word_changes_nothing(lite: Shop) -> None:
    model = _register(lite, FOREST)
    assert _register(lite, FOREST) == model
    for command, by in (("challenge", LI), ("propose", LI), ("confirm", HAN)):
        assert _move(lite, model, command, by) == _move(lite, model, command, by)


def test_a_challenger_can_be_taken_out_and_a_champion_only_replaced(lite: Shop) -> None:
    forest, tree = _register(lite, FOREST), _register(lite, TREE)
    _crown(lite, forest)
    _move(lite, tree, "challenge")
    _move(lite, tree, "retire")
    assert ModelRepository(lite.reader).in_role(PAYMENT, Role.CHALLENGER, DIGEST) is None
    for model, command in ((forest, "retire"), (tree, "propose"), (tree, "confirm")):
        with pytest.raises(CallerError, match="model_s"):
            _move(lite, model, command, HAN)
    with pytest.raises(CallerError, match="field_invalid"):
        _move(lite, tree, "make_place")


def test_a_file_that_was_changed_in_the_database_is_not_loaded(lite: Shop) -> None:
    model = _register(lite, FOREST)
    engine = open_engine(lite.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE risk_model_file SET content = :c"), {"c": TREE})
    engine.dispose()
    models = ModelRepository(lite.reader)
    with pytest.raises(ModelError, match="not the one that was registered"):
        models.scorer(model, DIGEST)
    with pytest.raises(ModelError, match="no model"):
        models.scorer("0" * 64, DIGEST)


def test_a_refused_file_and_an_unnamed_person_change_nothing(lite: Shop) -> None:
    with pytest.raises(CallerError, match="model_refused: the file does not match its hash"):
        _register(lite, FOREST[:-1])
    for by, words in (("", "w"), ("x" * 65, "w"), ("x", ""), ("x", "w" * 501)):
        with pytest.raises(CallerError, match="field_invalid"):
            lite.do(RegisterModel.checked(FOREST, purpose=PAYMENT, by=by, words=words))
    with pytest.raises(CallerError, match="field_invalid"):
        RegisterModel.checked(FOREST, purpose="", by=LI, words="w")
    with pytest.raises(CallerError, match="model_not_found"):
        _move(lite, "0" * 64, "challenge")
    assert ModelRepository(lite.reader).models() == []


@pytest.fixture
def http(lite: Shop) -> Iterator[TestClient]:
    app = FastAPI()
    add_routes(app, model_routes.operator_router(services_of(lite), operator_only, sign))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=status_of(error))

    bounded = BodyLimit(app, bytes_max=1_000, larger={model_routes.MODELS: MODEL_BYTES_MAX})
    with TestClient(bounded, headers=OPERATOR) as client:
        yield client


def test_the_console_brings_a_model_and_sees_it(http: TestClient) -> None:
    query = {"by": LI, "words": "better on July"}
    brought = http.post(model_routes.MODELS, params=query, content=FOREST)
    assert brought.status_code == 201, brought.text
    model = brought.json()["model_id"]
    for word, by in (("challenge", LI), ("propose", LI), ("confirm", HAN)):
        said = {"by": by, "words": "w"} if word == "challenge" else signed(by, "w")
        moved = http.post(f"{model_routes.MODELS}/{model}/{word}", json=said)
        assert moved.status_code == 200, moved.text
    shown = http.get(f"{model_routes.MODELS}/{model}").json()
    assert (shown["state"], len(shown["events"])) == ("champion", 4)
    assert shown["card"]["metrics"]["auc"] > 0.8
    assert "feature_references" not in shown["card"]
    assert [row["model_id"] for row in http.get(model_routes.MODELS).json()["models"]] == [model]
    assert http.get(f"{model_routes.MODELS}/none").status_code == 404
    refused = http.post(model_routes.MODELS, params=query, content=FOREST[:-1])
    assert refused.json()["error"]["code"] == "model_refused"


def test_the_command_line_brings_a_model_to_its_use_by_two_persons(
    http: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "api_of", lambda *_: Line(http))
    token, files = tmp_path / "token", (tmp_path / "forest.onnx", tmp_path / "tree.onnx")
    token.write_text("operator\n")
    for file, content in zip(files, (FOREST, TREE), strict=True):
        file.write_bytes(content)

    def run(*words: str) -> str:
        place = ["--url", "https://b", "--ca", str(token), "--token-file", str(token)]
        done = CliRunner().invoke(app, ["models", *words, *place])
        assert done.exit_code == 0, done.output
        return done.output

    li, han = ("--by", LI, "--words", "七月更好"), ("--by", HAN, "--words", "同意")
    first, second = (*li, "--code", phone_of(LI)), (*han, "--code", phone_of(HAN))
    forest, tree = (run("register", str(file), *li).partition(":")[0] for file in files)
    steps = [
        ("challenge", li),
        ("propose", first),
        ("reject", second),
        ("propose", first),
        ("confirm", second),
    ]
    said = [run(word, forest, *who).split()[-1] for word, who in steps]
    assert said == ["challenger", "proposed", "challenger", "proposed", "champion"]
    assert run("challenge", tree, *li) == f"{tree}: challenger\n"
    assert run("retire", tree, *li) == f"{tree}: retired\n"
    listed = run("list").splitlines()
    assert {tuple(line.split()[:3]) for line in listed} == {
        (forest, "champion", "random_forest"), (tree, "retired", "decision_tree"),
    }  # fmt: skip
    shown = run("show", forest)
    assert "state: champion\n" in shown
    assert re.search(r"6  20\d\d-.*  ModelPromoted  proposed  champion  韩梅梅  同意", shown)
    assert "feature_references" not in shown


def test_only_the_model_s_own_path_takes_a_large_body(http: TestClient) -> None:
    too_large = http.post(f"{model_routes.MODELS}/x/retire", content=b"1" * 1_001)
    assert too_large.status_code == 413


def test_the_monitor_tells_which_input_has_moved() -> None:
    many = Settings(trees=100, leaf_rows_min=3, depth_max=8, honest_min=2_000)
    model = train(small_inputs(2_000), many, trained_at="2026-01-01T00:00:00Z")
    card, inputs = read_model(model), small_inputs(2_000, seed=9)
    probability = Scorer.load(model, DIGEST).score_many(inputs.matrix).probability
    same = drift_of(card, inputs.matrix, probability)
    assert same.is_known
    assert not same.is_alarming
    moved = inputs.matrix.copy()
    moved[:, 2] = 23
    found = drift_of(card, moved, probability)
    assert (found.features[0].name, found.features[0].word) == ("payment.hour", "changed")
    assert found.is_alarming
    assert not drift_of(
        card, moved[: DRIFT_ROWS_MIN - 1], probability[: DRIFT_ROWS_MIN - 1]
    ).is_known
    with pytest.raises(ValueError, match="a column a feature"):
        drift_of(card, np.zeros((3, 2)), np.zeros(3))
