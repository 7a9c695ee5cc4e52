"""Large-value reports from our own ledger, and reports of suspicion at the command line."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from backend.clearing.calendar import Calendar
from backend.clearing.calendar_file import sign_calendar, signature_path
from backend.risk.aml import ledger_transfers as ledger_room
from backend.risk.aml.ledger_repository import LedgerMovements
from backend.risk.aml.ledger_transfers import ledger_transfers
from backend.risk.aml.reports import routes as report_routes
from backend.risk.cases.model import CaseClock
from faces.routes import add_routes
from protocol.crypto import generate
from protocol.errors import CallerError
from protocol.signed_note import NoteKey
from tests.support.disputes import pay_out, settle
from tests.support.json_line import Line
from tests.support.shop import Shop
from tests.support.signing import phone_of, sign
from tests.support.wallet_http import OPERATOR, operator_only, services_of
from tillway.risk import reports
from tillway.risk.cli import app

LI, HAN = "李雷", "韩梅梅"
LI_S, HAN_S = (("--by", name, "--code", phone_of(name)) for name in (LI, HAN))
"""Words of the two that count."""
LARGE = 50_000_000
"""Half a million yuan, from which on a natural person's transfers of a day are reported."""


def row(number: int, debit: str, credit: str, amount: int = 100) -> dict[str, Any]:
    return {"id": f"t:{number}", "debit": debit, "credit": credit, "amount_minor": amount,
            "business_date": "2026-11-24", "at_ms": number * 1_000}  # fmt: skip


def test_a_movement_is_a_transfer_between_customers_and_the_world() -> None:
    found = ledger_transfers(
        [
            row(1, "C:CH:NUCC.2026-11-24:CNY", "C:CUST:ann:CNY", 700),
            row(2, "C:CUST:ann:CNY", "C:MPEND:shop#3:CNY", 500),
            row(3, "C:MPEND:shop#3:CNY", "C:MAVAIL:shop:CNY"),
            row(4, "C:MPEND:shop:CNY", "C:UNSWEPT:CNY"),
            row(5, "C:FXPOS:CNY", "C:MPEND:shop:CNY", 9),
        ]
    )
    kept = found.select("src", "src_kind", "dst", "dst_kind", "amount", "channel").rows()
    assert kept == [
        ("C:CH:NUCC.2026-11-24:CNY", "bank", "ann", "person", 700, "transfer"),
        ("ann", "person", "shop", "organisation", 500, "transfer"),
        ("C:FXPOS:CNY", "bank", "shop", "organisation", 9, "cross_border"),
    ]
    assert found["ts"].unique().to_list() == ["2026-11-24"]


def test_more_transfers_than_memory_is_made_for_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_room, "LEDGER_TRANSFERS_MAX", 2)
    rows = [row(n, "C:CUST:ann:CNY", "C:MPEND:shop:CNY") for n in range(3)]
    assert len(ledger_transfers(rows[:2])) == 2
    with pytest.raises(CallerError, match="more than 2"):
        ledger_transfers(rows)


def test_the_command_reports_what_our_own_ledger_shows(shop: Shop, tmp_path: Path) -> None:
    ann = shop.add_payer(balance_minor=LARGE)  # topped up: in, on the boundary
    bob = shop.add_payer(balance_minor=LARGE - 1)  # a fen below
    first = shop.rules.business_date(shop.clock.at_ms)
    shop.pay(ann, 40_000)
    settle(shop)
    pay_out(shop)
    moved = list(LedgerMovements(shop.reader).of_days(date(2000, 1, 1), date(2100, 1, 1),
                                                      currency="CNY"))  # fmt: skip
    assert {ann, bob} <= {part for one in moved for part in one["credit"].split(":")}
    out = tmp_path / "reports.csv"
    words = ["large-value", "--database", shop.url, "--out", str(out), "--first-day", first]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = pl.read_csv(out).rows(named=True)
    assert [(one["account"], one["direction"], one["standard"]) for one in found] == [
        (ann, "in", "transfer_domestic")
    ]
    assert found[0]["amount"] == 500_000.0
    assert found[0]["date"] == first
    assert found[0]["tx_ids"].count(" ") == found[0]["count"] - 1


@pytest.mark.parametrize(
    "words",
    [[], ["--database", "sqlite:///x.db"],
     ["--database", "sqlite:///x.db", "--first-day", "2026-11-02", "--last-day", "2026-11-01"]],
)  # fmt: skip
def test_without_a_source_or_its_days_nothing_is_reported(words: list[str], tmp_path: Path) -> None:
    asked = CliRunner().invoke(app, ["large-value", "--out", str(tmp_path / "r.csv"), *words])
    assert isinstance(asked.exception, CallerError)
    assert asked.exception.code == "field_invalid"
    assert not (tmp_path / "r.csv").exists()


def reported_of(tmp_path: Path, day: str, *words: str) -> tuple[Result, str]:
    """The command on one large transfer of a day, and when its report is due."""
    file, out = tmp_path / "transfers.csv", tmp_path / "reports.csv"
    file.write_text(
        "tx_id,ts,t_sec,day,src,dst,src_kind,dst_kind,amount,channel\n"
        f"t1,{day} 10:00:00,36000,0,P1,A1,person,atm,60000.00,cash\n"
    )
    asked = ["large-value", "--transfers", str(file), "--out", str(out), *words]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    [report] = pl.read_csv(out).rows(named=True)
    return done, report["due"]


@pytest.mark.parametrize(
    ("day", "due", "year"),
    [
        ("2026-12-29", "2027-01-03", "2027"),  # two days of December, and three unknown ones
        ("2027-03-05", "2027-03-10", "2027"),
        ("9999-12-29", "9999-12-31", "9999"),
    ],
)
def test_beyond_the_calendar_reports_are_due_no_later_and_the_year_is_named(
    tmp_path: Path, day: str, due: str, year: str
) -> None:
    done, found = reported_of(tmp_path, day)
    assert found == due
    assert f"days off of {year} not known" in done.stderr
    assert f"{year} 年的放假安排未知" in done.stderr


def test_the_operators_calendar_says_when_later_reports_are_due(tmp_path: Path) -> None:
    signer, calendar = generate("Ed25519"), tmp_path / "calendar.toml"
    calendar.write_text("[2027]\nholidays = [2027-03-08]\nworkdays = []\n")
    signature_path(calendar).write_text(sign_calendar(calendar, "calendar.test", signer))
    key = NoteKey("calendar.test", signer.public).to_text()
    words = ("--calendar", str(calendar), "--calendar-key", key)
    done, found = reported_of(tmp_path, "2027-03-05", *words)
    assert found == "2027-03-15"
    assert not done.stderr


@pytest.fixture
def run(lite: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    web, token = FastAPI(), tmp_path / "token"
    clock = CaseClock(Calendar().is_business_day, 8 * 3_600_000)
    add_routes(web, report_routes.operator_router(services_of(lite), operator_only, clock, sign))
    token.write_text("operator\n")
    place = ["--url", "https://b", "--ca", str(token), "--token-file", str(token)]
    with TestClient(web, headers=OPERATOR) as client:
        monkeypatch.setattr(reports, "api_of", lambda *_: Line(client))

        def run(*words: str, exit_code: int = 0) -> str:
            env = {"COLUMNS": "250"}
            done = CliRunner().invoke(app, ["reports", *words, *place], env=env)
            assert done.exit_code == exit_code, done.output
            return done.output

        yield run


def test_two_people_bring_a_report_to_the_centre(lite: Shop, run: Any, tmp_path: Path) -> None:
    payer = lite.add_payer(balance_minor=10_000)
    payments = [str(lite.pay(payer, 300)["payment_id"]) for _ in range(2)]
    named = [word for one in payments for word in ("--payment", one)]
    subject = ("--subject", "payer", "--subject-id", payer, "--reason", "fan_in")
    report_id = run("raise", "--by", LI, *subject, *named).partition(":")[0]
    assert report_id in run("list")
    assert report_id not in run("list", "--state", "confirmed")
    assert run("propose", report_id, *LI_S, "--words", "查过").endswith("analysis\n")
    assert run("return", report_id, *HAN_S, "--words", "再查").endswith("alert\n")
    run("propose", report_id, *LI_S, "--words", "确实可疑")
    assert run("approve", report_id, *HAN_S, "--words", "同意").endswith("confirmed\n")
    out = tmp_path / "report.json"
    filing = ("--receipt", "AML-1", "--words", "已报", "--out", str(out))
    assert run("file", report_id, "--by", LI, *filing).endswith("filed\n")
    filed = json.loads(out.read_text("utf-8"))
    assert [one["payment_id"] for one in filed["payments"]] == payments
    assert (filed["analyst"], filed["decided_by"]) == (LI, HAN)
    again = tmp_path / "again.json"
    shown = run("show", report_id, "--out", str(again))
    assert again.read_bytes() == out.read_bytes()
    assert "ReportFiled" in shown
    assert report_id not in run("list")


def test_a_report_is_dismissed_with_the_reason(lite: Shop, run: Any) -> None:
    payer = lite.add_payer(balance_minor=10_000)
    paid = str(lite.pay(payer, 300)["payment_id"])
    subject = ("--subject", "payer", "--subject-id", payer, "--reason", "fan_in")
    report_id = run("raise", "--by", LI, *subject, "--payment", paid).partition(":")[0]
    run("propose", report_id, *LI_S, "--words", "查过")
    assert run("dismiss", report_id, *HAN_S, "--words", "生日礼物").endswith("dismissed\n")
    assert "生日礼物" in run("show", report_id)
