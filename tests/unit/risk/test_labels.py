"""What became known of payments, from chargebacks and from persons, and what comes of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from typer.testing import CliRunner

from backend.db import migrate
from backend.db.engine import open_engine
from backend.db.migrate import upgrade
from backend.db.reading import Reader
from backend.disputes.model import DisputeCommand
from backend.risk.cases import routes as case_routes
from backend.risk.cases.model import CaseClock
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.memory import rebuild
from backend.risk.judging.records import attempt_of, vector_of
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.scoring import Scoring
from backend.risk.labels import routes as label_routes
from backend.risk.labels.model import news, says_fraud
from backend.risk.labels.repository import LabelRepository
from backend.risk.labels.service import LabelPayment
from backend.risk.models.ledger_inputs import ledger_inputs, ledger_vectors
from backend.risk.models.payments_repository import TrainingRepository
from faces.routes import add_routes
from protocol.errors import CallerError
from tests.support.disputes import decide, dispute, settle
from tests.support.json_line import Line
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop
from tests.support.signing import sign, signed
from tests.support.wallet_http import OPERATOR, operator_only, services_of
from tillway.risk import labels
from tillway.risk.cli import app

LI, HAN = "李雷", "韩梅梅"
CASES = "/operator/v1/risk/cases"


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose payments the risk engine judges; nothing is late."""
    clock = CaseClock(lambda day: day.weekday() < 5, 8 * 3_600_000)
    shop = Shop(
        migrated_sqlite(tmp_path / "backend.db"),
        engine=Engine(RiskDesk(scoring=Scoring(lambda: 0)), clock),
    )
    shop.add_merchant()
    yield shop
    shop.close()


def by_hand(shop: Shop, paid: str, **changes: Any) -> LabelPayment:
    fields: dict[str, Any] = {
        "label_id": shop.id("lbl"), "payment_id": paid, "is_fraud": True, "by": LI,
        "reason": "持卡人来电",
    }  # fmt: skip
    return LabelPayment(**(fields | changes))


@pytest.mark.parametrize(
    "reason",
    ["fraudulent", "10.4 Fraud: card absent", "not_recognised", "unauthorized transaction",
     "No cardholder authorisation", "stolen card", "lost card", "盗刷", "非本人交易"],
)  # fmt: skip
def test_a_reason_that_calls_it_a_fraud_is_understood(reason: str) -> None:
    assert says_fraud(reason)


@pytest.mark.parametrize(
    "reason",
    ["goods_not_received", "duplicate", "not as described", "no fraud, late delivery", "非欺诈",
     "the parcel was lost", "recognised"],
)  # fmt: skip
def test_a_commercial_reason_is_no_fraud(reason: str) -> None:
    assert not says_fraud(reason)


def test_a_chargeback_for_fraud_labels_its_payment_and_the_payer_is_declined(judged: Shop) -> None:
    payer = judged.add_payer(balance_minor=50_000)
    paid = str(judged.pay(payer, 10_000)["payment_id"])
    settle(judged)
    case = dispute(judged, paid, 4_000, reason="fraudulent")
    judged.clock.at_ms += 60_000
    assert judged.pay(payer, 100)["state"] == "captured"  # the payer's word alone is no label
    decide(judged, case, DisputeCommand.LOSE)
    [label] = LabelRepository(judged.reader).labels()
    assert (label["payment_id"], label["origin"]) == (paid, case["dispute_id"])
    assert (label["source"], label["is_fraud"], label["reason"]) == ("dispute", 1, "fraudulent")
    assert label["available_at_ms"] == judged.clock.at_ms
    judged.clock.at_ms += 1_000
    assert judged.pay(payer, 100)["error"]["code"] == "risk_declined"
    [row] = judged.rows("SELECT risk FROM payment WHERE state = 'declined'")
    assert '"rule":"payer_known_fraud"' in row["risk"]
    training = TrainingRepository(judged.reader)
    assert training.labels(until_ms=judged.clock.at_ms) == [label]


def test_a_payment_declined_at_the_till_is_labelled_from_a_case_on_who_tried_to_pay(
    judged: Shop,
) -> None:
    clock = judged.engine.clock if judged.engine else pytest.fail("judged has an engine")
    payer = judged.add_payer(balance_minor=50_000)
    paid = str(judged.pay(payer, 10_000)["payment_id"])
    judged.do(by_hand(judged, paid))
    judged.clock.at_ms += 1_000
    declined = str(judged.pay(payer, 100)["payment_id"])
    stranger = judged.add_payer(balance_minor=50_000)
    foreign = str(judged.pay(stranger, 100)["payment_id"])
    app = FastAPI()
    add_routes(app, case_routes.operator_router(services_of(judged), operator_only, clock, sign))
    with TestClient(app, headers=OPERATOR, raise_server_exceptions=False) as http:

        def opened(subject: str, subject_id: str) -> str:
            case_id = judged.id("cas")
            for word, body in (
                ("", {"case_id": case_id, "subject": subject, "subject_id": subject_id,
                      "reason": "试卡", "by": LI}),
                (f"/{case_id}/assign", {"by": HAN, "to": LI}),
            ):  # fmt: skip
                assert http.post(f"{CASES}{word}", json=body).is_success
            return f"{CASES}/{case_id}"

        case = opened("payer", payer)
        found = http.get(f"{case}/evidence").json()
        assert {paid, declined} <= {item["subject"] for item in found["timeline"]["items"]}
        [till] = found["graph"]["edges"]
        assert (till["payments"], till["fraud"]) == (2, 1)
        word = signed(LI, "试卡") | {"outcome": "fraud"}
        assert not http.post(f"{case}/propose", json=word | {"payments": [foreign]}).is_success
        assert http.post(f"{case}/propose", json=word | {"payments": [declined]}).is_success
        assert http.post(f"{case}/confirm", json=signed(HAN, "同意")).is_success
        of_payment = opened("payment", declined)
        graph = http.get(f"{of_payment}/evidence", params={"hops": 0}).json()["graph"]
        assert [node["id"] for node in graph["nodes"]] == [payer]
    [label] = LabelRepository(judged.reader).of_payment(declined)
    assert (label["source"], label["is_fraud"]) == ("case", 1)
    known_ms = judged.clock.at_ms
    training = TrainingRepository(judged.reader)
    found = ledger_inputs(
        training.payments(from_ms=0, until_ms=known_ms + 1),
        training.labels(until_ms=known_ms),
        until_ms=known_ms + 1,
        kept=DecisionRepository(judged.reader).vectors(from_ms=0, until_ms=known_ms + 1),
    )
    assert (found.kept_rows, found.inputs.is_fraud.tolist()) == (2, [True, True])
    assert label not in training.labels(until_ms=known_ms - 1)


@pytest.mark.parametrize(
    ("words", "told", "frauds"),
    [((True, True), [1], 1.0), ((True, False, False), [1, 0], 0.0),
     ((True, True, False, False, True), [1, 0, 1], 1.0)],
)  # fmt: skip
def test_the_latest_word_about_a_payment_counts_once_online_and_in_training(
    judged: Shop, words: tuple[bool, ...], told: list[int], frauds: float
) -> None:
    payer = judged.add_payer(balance_minor=50_000)
    paid = str(judged.pay(payer, 10_000)["payment_id"])
    for second, is_fraud in enumerate(words):
        judged.clock.at_ms += 1_000 + second
        judged.do(by_hand(judged, paid, is_fraud=is_fraud))
    history = TrainingRepository(judged.reader)
    labels = history.labels(until_ms=judged.clock.at_ms)
    assert [row["is_fraud"] for row in news(labels)] == told
    judged.clock.at_ms += 1_000
    state = judged.pay(payer, 100).get("state", "declined")
    assert state == ("declined" if frauds else "captured")
    payments = history.payments(from_ms=0, until_ms=judged.clock.at_ms + 1)
    payments[-1] = {**payments[-1], "payer_id": payer}  # which a declined payment does not keep
    place = PAYMENT.names.index("payer.frauds_30d")
    computed = ledger_vectors(payments, labels, kept={})[-1][place]
    *_, last = DecisionRepository(judged.reader).since(0)
    assert vector_of(last)[place] == computed == frauds
    decided, given = DecisionRepository(judged.reader), LabelRepository(judged.reader)
    memory, _ = rebuild(decided, given, now_ms=judged.clock.at_ms)
    again = RiskDesk(scoring=Scoring(lambda: 0), memory=memory)
    probe = replace(attempt_of(last), at_ms=judged.clock.at_ms + 1)
    assert again.judge(probe, {}).vector[place] == frauds


@pytest.mark.parametrize(
    ("reason", "word"),
    [("goods_not_received", DisputeCommand.LOSE), ("fraudulent", DisputeCommand.WIN),
     ("fraudulent", DisputeCommand.WITHDRAW)],
)  # fmt: skip
def test_what_is_no_lost_fraud_labels_nothing(
    lite: Shop, reason: str, word: DisputeCommand
) -> None:
    paid = str(lite.pay(lite.add_payer(balance_minor=50_000), 10_000)["payment_id"])
    settle(lite)
    decide(lite, dispute(lite, paid, 4_000, reason=reason), word)
    assert LabelRepository(lite.reader).labels() == []


def test_the_labels_of_an_older_database_stay_those_of_their_cases(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        config = Config()
        scripts = Path(migrate.__file__).parent / "migrations"
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        command.upgrade(config, "risk_cases_0001")
        connection.execute(text("INSERT INTO risk_label VALUES ('pay_1', 'cas_1', 1, 5)"))
    engine.dispose()
    upgrade(database_url)
    with Reader.opened(database_url) as reader:
        [label] = LabelRepository(reader).of_payment("pay_1")
    assert label == {"payment_id": "pay_1", "origin": "cas_1", "is_fraud": 1, "available_at_ms": 5,
                     "source": "case", "actor": "", "reason": ""}  # fmt: skip


def test_a_person_labels_a_payment_and_the_latest_word_stands_first(shop: Shop) -> None:
    paid = str(shop.pay(shop.add_payer(balance_minor=1_000), 100)["payment_id"])
    first = by_hand(shop, paid)
    given = shop.do(first)
    assert (given["source"], given["actor"], given["origin"]) == ("operator", LI, first.label_id)
    assert shop.do(first) == given  # repeated
    shop.clock.at_ms += 1_000
    shop.do(by_hand(shop, paid, is_fraud=False, by=HAN, reason="认错了"))
    found = LabelRepository(shop.reader).of_payment(paid)
    assert [(row["is_fraud"], row["actor"]) for row in found] == [(0, HAN), (1, LI)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"by": " "}, "field_invalid"), ({"reason": ""}, "field_invalid"),
     ({"reason": "x" * 201}, "field_invalid"), ({"label_id": "lbl_1"}, "field_invalid"),
     ({"payment_id": "pay_unknown"}, "payment_not_found")],
)  # fmt: skip
def test_a_label_without_a_person_a_reason_or_a_payment_is_refused(
    lite: Shop, changes: dict[str, str], code: str
) -> None:
    paid = str(lite.pay(lite.add_payer(balance_minor=1_000), 100)["payment_id"])
    with pytest.raises(CallerError) as caught:
        lite.do(by_hand(lite, paid, **changes))
    assert caught.value.code == code
    assert LabelRepository(lite.reader).labels() == []


def test_one_label_id_is_one_word(lite: Shop) -> None:
    paid = str(lite.pay(lite.add_payer(balance_minor=1_000), 100)["payment_id"])
    first = by_hand(lite, paid)
    lite.do(first)
    with pytest.raises(CallerError, match="label_id"):
        lite.do(by_hand(lite, paid, label_id=first.label_id, is_fraud=False))


def test_the_command_line_labels_a_payment_and_shows_it(
    lite: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = str(lite.pay(lite.add_payer(balance_minor=1_000), 100)["payment_id"])
    web, token = FastAPI(), tmp_path / "token"
    add_routes(web, label_routes.operator_router(services_of(lite), operator_only))
    token.write_text("operator\n")
    place = ["--url", "https://b", "--ca", str(token), "--token-file", str(token)]
    with TestClient(web, headers=OPERATOR) as client:
        monkeypatch.setattr(labels, "api_of", lambda *_: Line(client))

        def run(*words: str) -> str:
            done = CliRunner().invoke(app, ["label", *words, *place], env={"COLUMNS": "200"})
            assert done.exit_code == 0, done.output
            return done.output

        who = ("--by", LI, "--reason", "持卡人来电")
        assert run("give", paid, "fraud", *who).endswith(f"{paid} fraud\n")
        shown = run("show", paid)
        assert "operator" in shown
        assert "持卡人来电" in shown
        body = {"label_id": lite.id("lbl"), "payment_id": paid, "is_fraud": "yes", "by": LI,
                "reason": "x"}  # fmt: skip
        assert client.post("/operator/v1/risk/labels", json=body).status_code == 422
    refused = CliRunner().invoke(app, ["label", "give", paid, "perhaps", *who, *place])
    assert isinstance(refused.exception, CallerError)
