"""``tillway risk train``: from the ledger's rows to a model's file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.db.reading import Reader
from backend.risk.cases.model import CaseClock
from backend.risk.features.catalogue import PAYMENT
from backend.risk.features.stream import FeatureState
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.repository import DecisionRepository
from backend.risk.labels.tables import LABEL
from backend.risk.models.ledger_inputs import HONEST_AFTER_MS, ledger_inputs, ledger_vectors
from backend.risk.models.payments_repository import TrainingRepository
from backend.risk.models.scorer import Scorer
from protocol.errors import CallerError
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, shop_of_two
from tillway.risk.cli import app

DAY_MS = 86_400_000
NOW_MS = 100 * DAY_MS


def _payment(number: int, at_ms: int, **changed: Any) -> dict[str, Any]:
    row = {"payment_id": f"p{number}", "created_at_ms": at_ms, "amount_minor": 100 + number,
           "payer_id": f"u{number % 3}", "instrument_id": None, "device": "d1",
           "merchant_id": f"m{number % 2}", "store": "s1"}  # fmt: skip
    return {**row, **changed}


def _label(number: int, at_ms: int, *, is_fraud: bool) -> dict[str, Any]:
    return {"payment_id": f"p{number}", "available_at_ms": at_ms, "is_fraud": int(is_fraud)}


def test_a_payment_has_the_features_it_had_online() -> None:
    payments = [_payment(n, NOW_MS - HONEST_AFTER_MS - (40 - n) * DAY_MS) for n in range(40)]
    known_ms = payments[20]["created_at_ms"]
    labels = [_label(3, known_ms, is_fraud=True), _label(4, known_ms, is_fraud=False)]
    inputs = ledger_inputs(payments, labels, until_ms=NOW_MS, kept={}).inputs
    state = FeatureState(PAYMENT)
    for number, row in enumerate(payments):
        if number == 20:
            for label in (3, 4):
                state.learn(payments[label]["created_at_ms"], _event(payments[label]),
                            is_fraud=label == 3, available_at=known_ms)  # fmt: skip
        vector = state.observe(row["created_at_ms"], _event(row))
        assert np.array_equal(vector, inputs.matrix[number], equal_nan=True), number
    assert np.nonzero(inputs.is_fraud)[0].tolist() == [3]
    assert inputs.feature_digest == PAYMENT.digest


def _event(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["amount_minor"], row["payer_id"], row["instrument_id"], row["device"],
            row["merchant_id"], row["store"], None, None, None)  # fmt: skip


def test_the_latest_label_holds_and_the_young_and_silent_teach_nothing() -> None:
    payments = [
        _payment(0, NOW_MS - HONEST_AFTER_MS - 1),
        _payment(1, NOW_MS - HONEST_AFTER_MS),
        _payment(2, NOW_MS - DAY_MS),
        _payment(3, NOW_MS - DAY_MS),
    ]
    labels = [
        _label(2, NOW_MS - 900, is_fraud=False),
        _label(3, NOW_MS - 800, is_fraud=True),
        _label(2, NOW_MS - 700, is_fraud=True),
        _label(3, NOW_MS - 600, is_fraud=False),
        _label(9, NOW_MS - 500, is_fraud=True),
    ]
    inputs = ledger_inputs(payments, labels, until_ms=NOW_MS, kept={}).inputs
    amounts = inputs.matrix[:, PAYMENT.names.index("payment.amount_minor")]
    assert amounts.tolist() == [100, 102, 103]
    assert inputs.is_fraud.tolist() == [False, True, False]


def test_vectors_that_were_judged_by_are_taken_and_only_the_others_computed() -> None:
    payments = [_payment(n, NOW_MS - HONEST_AFTER_MS - (9 - n) * DAY_MS) for n in range(6)]
    plain = ledger_inputs(payments, [], until_ms=NOW_MS, kept={})
    assert (plain.kept_rows, plain.computed_rows) == (0, 6)
    told = np.arange(len(PAYMENT.names), dtype="<f8") + 0.25
    mixed = ledger_inputs(
        payments, [], until_ms=NOW_MS, kept={"p1": told.tobytes(), "gone": told.tobytes()}
    )
    assert (mixed.kept_rows, mixed.computed_rows) == (1, 5)
    assert np.array_equal(mixed.inputs.matrix[1], told)
    others = [0, 2, 3, 4, 5]
    assert np.array_equal(mixed.inputs.matrix[others], plain.inputs.matrix[others], equal_nan=True)


def test_training_takes_the_very_doubles_of_the_decisions(tmp_path: Path) -> None:
    clock = CaseClock(lambda day: day.weekday() < 5, 0)
    shop = Shop(migrated_sqlite(tmp_path / "backend.db"), engine=Engine(RiskDesk(), clock))
    shop.add_merchant()
    payer = shop.add_payer(balance_minor=1_000_000)
    paid = []
    for number in range(6):
        paid.append(shop.pay(payer, 1_000 + number)["payment_id"])
        shop.clock.at_ms += 61_000
    shop.do(_Labels(paid))
    decisions = DecisionRepository(shop.reader)
    kept = decisions.vectors(from_ms=0, until_ms=2**52)
    assert kept == {row["payment_id"]: row["vector"] for row in decisions.since(0)}
    history = TrainingRepository(shop.reader)
    payments = history.payments(from_ms=0, until_ms=2**52)
    labels = history.labels(until_ms=2**52)
    both = [ledger_inputs(payments, labels, until_ms=shop.clock.at_ms, kept=one)
            for one in (kept, {})]  # fmt: skip
    assert [one.kept_rows for one in both] == [6, 0]
    assert np.array_equal(both[0].inputs.matrix, both[1].inputs.matrix, equal_nan=True)
    words = ["train", "--database", shop.url, "--out", str(tmp_path / "m.onnx"), "--days", "3650",
             "--until", "2027-01-01", "--kind", "decision_tree"]  # fmt: skip
    learned = CliRunner().invoke(app, words)
    assert "features as judged" in learned.output, learned.output
    shop.close()


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    """On SQLite and on PostgreSQL."""
    with shop_of_two(migrated_url) as shop:
        yield shop


class _Labels:
    """A command that writes labels as a decided case does."""

    def __init__(self, payments: list[str]) -> None:
        self._payments = payments

    def reads(self) -> list[Any]:
        return []

    def decide(self, ws: Any, now_ms: int) -> None:
        for number, payment_id in enumerate(self._payments):
            ws.insert(LABEL, {"payment_id": payment_id, "origin": "cas_1",
                              "is_fraud": number % 2, "available_at_ms": now_ms})  # fmt: skip


def test_the_command_learns_from_the_ledger_and_writes_a_model(shop: Shop, tmp_path: Path) -> None:
    payer = shop.add_payer(balance_minor=1_000_000)
    paid = []
    for number in range(6):
        paid.append(shop.pay(payer, 1_000 + number)["payment_id"])
        shop.clock.at_ms += 61_000
    out = tmp_path / "model.onnx"
    words = ["train", "--database", shop.url, "--out", str(out), "--days", "3650",
             "--until", "2027-01-01", "--kind", "decision_tree"]  # fmt: skip
    nothing = CliRunner().invoke(app, words)
    assert isinstance(nothing.exception, CallerError)
    assert nothing.exception.code == "training_impossible"
    shop.do(_Labels(paid))
    with Reader.opened(shop.url) as reader:
        history = TrainingRepository(reader)
        rows = history.payments(from_ms=0, until_ms=2**52)
        assert [row["payment_id"] for row in rows] == paid
        assert history.payments(from_ms=0, until_ms=rows[2]["created_at_ms"]) == rows[:2]
    learned = CliRunner().invoke(app, words)
    assert learned.exit_code == 0, learned.output
    card = Scorer.load(out.read_bytes(), PAYMENT.digest).card
    assert (card.rows, card.frauds, card.trained_at) == (6, 3, "2027-01-01T00:00:00Z")
    assert isinstance(CliRunner().invoke(app, [*words[:-1], "oracle"]).exception, CallerError)
    look = ["drift", "--database", shop.url, "--model", str(out), "--until", "2027-01-01",
            "--days", "90"]  # fmt: skip
    watched = CliRunner().invoke(app, look)
    assert watched.exit_code == 0, watched.output
    assert "6 payments of 90 days" in watched.output
    assert "too few payments to say" in watched.output
    out.write_bytes(out.read_bytes()[:-1])
    refused = CliRunner().invoke(app, look).exception
    assert isinstance(refused, CallerError)
    assert refused.code == "model_refused"


def test_a_new_database_has_no_history(tmp_path: Path) -> None:
    url = migrated_sqlite(tmp_path / "backend.db")
    with Reader.opened(url) as reader:
        history = TrainingRepository(reader)
        assert history.payments(from_ms=0, until_ms=2**52) == []
        assert history.labels(until_ms=2**52) == []
    assert ledger_vectors([], [], kept={}).shape == (0, len(PAYMENT.names))
