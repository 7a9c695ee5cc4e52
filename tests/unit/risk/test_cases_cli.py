"""``tillway risk cases`` against a backend without a socket."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from backend.clearing.calendar import Calendar
from backend.db.engine import open_engine
from backend.risk.cases import routes as case_routes
from backend.risk.cases.model import CaseClock
from faces.routes import add_routes
from tests.support.json_line import Line
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, shop_of_two
from tests.support.signing import phone_of, sign
from tests.support.wallet_http import OPERATOR, operator_only, services_of
from tillway.risk import cases
from tillway.risk.cli import app

LI, HAN = "李雷", "韩梅梅"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_of_two(migrated_sqlite(tmp_path / "backend.db")) as shop:
        yield shop


@pytest.fixture
def run(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    web = FastAPI()
    clock = CaseClock(Calendar().is_business_day, 8 * 3_600_000)
    add_routes(web, case_routes.operator_router(services_of(shop), operator_only, clock, sign))
    token = tmp_path / "token"
    token.write_text("operator\n")
    with TestClient(web, headers=OPERATOR) as client:
        monkeypatch.setattr(cases, "api_of", lambda *_: Line(client))

        def run(*words: str, exit_code: int = 0, typed: str = "", columns: int = 200) -> str:
            place = ["--url", "https://b", "--ca", str(token), "--token-file", str(token)]
            told = ["cases", *words, *place]
            done = CliRunner().invoke(app, told, env={"COLUMNS": str(columns)}, input=f"{typed}\n")
            assert done.exit_code == exit_code, done.output
            return done.output

        yield run


def test_two_people_decide_a_case_at_the_command_line(shop: Shop, run: Any) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    payment = str(shop.pay(payer, 100)["payment_id"])
    subject = ("--subject", "payer", "--subject-id", payer)
    opened = run("open", "--by", LI, *subject, "--reason", "电话举报", "--severity", "high")
    case_id = opened.partition(":")[0]
    assert "undecided: 1  warned: 0  overdue: 0" in run("list")
    assert case_id not in run("list", "--standing", "overdue")
    assert case_id in run("of", payment)
    run("of", "pay_0", exit_code=1)
    assert case_id not in run("list", "--severity", "low")
    assert case_id in run("list", "--severity", "high", "--state", "open")
    assert run("assign", case_id, "--by", HAN, "--to", LI).endswith("assigned\n")
    outcome = ("--outcome", "fraud", "--payment", payment)
    first = ("--by", LI, "--code", phone_of(LI))
    second = ("--by", HAN, "--code", phone_of(HAN))
    assert run("note", case_id, "--by", LI, "--words", "已致电").endswith("assigned\n")
    assert run("propose", case_id, *first, "--words", "查过", *outcome).endswith("proposed\n")
    assert run("reject", case_id, *second, "--words", "再查").endswith("assigned\n")
    said = run("propose", case_id, "--by", LI, "--words", "确实", *outcome, typed=phone_of(LI))
    assert said.endswith("proposed\n"), "who names no code is asked for it"
    assert run("confirm", case_id, *second, "--words", "同意").endswith("decided\n")
    seen = run("show", case_id)
    assert f"payer {payer}" in seen
    assert "CaseDecided" in seen
    opened = datetime.fromtimestamp(shop.clock.at_ms // 1000, UTC).isoformat()
    assert f"opened_at: {opened}\n" in seen
    assert f"1  {opened}  CaseOpened" in seen
    assert str(shop.clock.at_ms) not in seen
    assert shop.rows("SELECT is_fraud FROM risk_label") == [{"is_fraud": 1}]


def test_a_step_that_was_tampered_with_is_told_by_the_exit_code(shop: Shop, run: Any) -> None:
    payer = shop.add_payer()
    subject = ("--subject", "payer", "--subject-id", payer)
    case_id = run("open", "--by", LI, *subject, "--reason", "x").partition(":")[0]
    run("assign", case_id, "--by", HAN, "--to", LI)
    engine = open_engine(shop.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE risk_case_event SET actor = 'nobody' WHERE number = 1")
    engine.dispose()
    assert "first_broken_event: 1" in run("show", case_id, exit_code=1)


def test_a_list_in_a_narrow_window_can_be_copied_from(shop: Shop, run: Any) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    subject = ("--subject", "payer", "--subject-id", payer)
    opened = run("open", "--by", LI, *subject, "--reason", "电话举报", "--severity", "high")
    case_id = opened.partition(":")[0]
    listed = run("list", columns=80)
    (row,) = [line for line in listed.splitlines() if case_id in line]
    assert payer in row
    assert "…" not in listed
