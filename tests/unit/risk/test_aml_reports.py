"""Reports of suspicious transactions: from the alert to the file, by two persons and in time."""

import itertools
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from backend.audit.model import first_broken
from backend.clearing.calendar import Calendar
from backend.http_errors import status_of
from backend.risk.aml.reports import routes
from backend.risk.aml.reports.limits import EVENTS_PER_REPORT_MAX, PAYMENTS_PER_REPORT_MAX
from backend.risk.aml.reports.model import (
    ENDED,
    TRANSITIONS,
    ReportCommand,
    ReportState,
    next_edge,
    standing,
)
from backend.risk.aml.reports.narrative import facts_of, sentences
from backend.risk.aml.reports.repository import ReportRepository
from backend.risk.aml.reports.service import AdvanceReport, RaiseReport
from backend.risk.cases.model import CaseClock, Standing, Subject
from faces.routes import add_routes
from protocol.errors import CallerError, TillwayError
from tests.support.shop import MERCHANT, Shop
from tests.support.signing import sign, signed
from tests.support.wallet_http import OPERATOR, operator_only, services_of

CLOCK = CaseClock(Calendar().is_business_day, 8 * 3_600_000)
LI, HAN = "李雷", "韩梅梅"
REPORTS = "/operator/v1/risk/reports"


def client_of(shop: Shop) -> TestClient:
    app = FastAPI()
    add_routes(app, routes.operator_router(services_of(shop), operator_only, CLOCK, sign))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=status_of(error))

    return TestClient(app, headers=OPERATOR)


def alert(shop: Shop, payer: str, *payments: str, **changes: Any) -> RaiseReport:
    fields: dict[str, Any] = {
        "report_id": shop.id("rpt"),
        "subject": Subject.PAYER,
        "subject_id": payer,
        "reason": "fan_in",
        "payments": payments,
        "clock": CLOCK,
        "actor": "aml",
    }
    return RaiseReport(**(fields | changes))


def step(report_id: str, command: ReportCommand, by: str, **more: str) -> AdvanceReport:
    return AdvanceReport(report_id=report_id, command=command, by=by, words="查过", **more)


def paid(shop: Shop, payer: str, *amounts: int) -> list[str]:
    return [str(shop.pay(payer, amount)["payment_id"]) for amount in amounts]


def test_every_state_and_command_is_an_edge_or_is_refused() -> None:
    for state, command in itertools.product(ReportState, ReportCommand):
        if (state, command) in TRANSITIONS:
            assert next_edge(state, command) is TRANSITIONS[state, command]
        else:
            with pytest.raises(CallerError, match="report_state"):
                next_edge(state, command)
    assert not {state for state, _ in TRANSITIONS} & ENDED


@pytest.mark.parametrize(
    ("state", "now_ms", "found"),
    [
        ("alert", 9, Standing.IN_TIME),
        ("alert", 10, Standing.WARNED),
        ("confirmed", 20, Standing.OVERDUE),
        ("filed", 20, Standing.DONE),
        ("dismissed", 20, Standing.DONE),
    ],
)
def test_a_report_warns_is_overdue_and_done(state: str, now_ms: int, found: Standing) -> None:
    assert standing(state=state, warn_at_ms=10, due_at_ms=20, now_ms=now_ms) is found


def test_an_alert_becomes_a_filed_report_by_two_persons(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    payments = paid(shop, payer, 10_000, 250)
    command = alert(shop, payer, *payments)
    body = {
        "report_id": command.report_id,
        "subject": "payer",
        "subject_id": payer,
        "reason": "fan_in",
        "payments": payments,
        "by": "aml",
    }
    path = f"{REPORTS}/{command.report_id}"
    with client_of(shop) as http:
        raised = http.post(REPORTS, json=body)
        assert raised.status_code == 201
        assert http.post(REPORTS, json=body).json() == raised.json()
        assert raised.json()["standing"] == "in_time"
        assert [row["report_id"] for row in http.get(REPORTS).json()["reports"]] == [
            command.report_id
        ]
        http.post(f"{path}/analyse", json=signed(LI, "无业务往来"))
        same = http.post(f"{path}/confirm", json=signed(LI, "同意") | {"by": "李雷 "})
        assert (same.status_code, same.json()["error"]["code"]) == (409, "report_same_person")
        assert http.post(f"{path}/confirm", json=signed(HAN, "同意")).status_code == 200
        draft = http.get(f"{path}/file")
        filing = {"by": HAN, "words": "已报送", "receipt": "R-1"}
        filed = http.post(f"{path}/file", json=filing).json()
        assert (filed["state"], filed["standing"], filed["receipt"]) == ("filed", "done", "R-1")
        assert http.post(f"{path}/file", json=filing).json() == filed
        assert http.get(f"{path}/file").text == draft.text
        assert http.get(REPORTS).json()["reports"] == []
        assert len(http.get(REPORTS, params={"state": "filed"}).json()["reports"]) == 1
        shown = http.get(path).json()
        assert http.get(f"{REPORTS}/{shop.id('rpt')}").status_code == 404
    assert [event["state_after"] for event in shown["events"]] == [
        "alert", "analysis", "confirmed", "filed",
    ]  # fmt: skip
    assert shown["first_broken_event"] is None
    content = json.loads(draft.text)
    assert [row["amount"] for row in content["payments"]] == ["100.00", "2.50"]
    assert content["analysis"] == "无业务往来"
    assert "2 payments of CNY 102.50 in all with 1 counterparties" in content["narrative"][0]["en"]


def test_the_clock_is_the_business_calendars(lite: Shop) -> None:
    payer = lite.add_payer(balance_minor=100_000)
    lite.clock.at_ms = int(datetime(2026, 9, 29, 4, tzinfo=UTC).timestamp() * 1000)
    row = lite.do(alert(lite, payer, *paid(lite, payer, 100)))
    calendar = Calendar()
    last = calendar.business_day_after(date(2026, 9, 29), 5)
    assert last > date(2026, 10, 8)

    def local(at_ms: int) -> date:
        return datetime.fromtimestamp((at_ms + CLOCK.day_offset_ms) / 1000, UTC).date()

    assert local(row["due_at_ms"] - 1) == last
    assert local(row["warn_at_ms"]) == calendar.business_day_after(date(2026, 9, 29), 3)


def test_a_report_is_returned_and_dismissed_and_stays_so(lite: Shop) -> None:
    payer = lite.add_payer(balance_minor=100_000)
    report_id = lite.do(alert(lite, payer, *paid(lite, payer, 100)))["report_id"]
    lite.do(step(report_id, ReportCommand.ANALYSE, LI))
    back = lite.do(step(report_id, ReportCommand.RETURN, HAN))
    assert (back["state"], back["analyst"], back["analysis"]) == ("alert", "", "")
    lite.do(step(report_id, ReportCommand.ANALYSE, HAN))
    with pytest.raises(CallerError, match="report_same_person"):
        lite.do(step(report_id, ReportCommand.DISMISS, HAN))
    dismissed = lite.do(step(report_id, ReportCommand.DISMISS, LI))
    assert lite.do(step(report_id, ReportCommand.DISMISS, LI)) == dismissed
    for command in ReportCommand:
        if command is not ReportCommand.DISMISS:
            with pytest.raises(CallerError, match="report_state"):
                lite.do(step(report_id, command, HAN))


def test_a_report_does_not_go_back_and_forth_for_ever(lite: Shop) -> None:
    payer = lite.add_payer(balance_minor=100_000)
    report_id = lite.do(alert(lite, payer, *paid(lite, payer, 100)))["report_id"]
    for number in range(EVENTS_PER_REPORT_MAX - 1):
        command, by = ((ReportCommand.ANALYSE, LI), (ReportCommand.RETURN, HAN))[number % 2]
        lite.do(step(report_id, command, by))
    with pytest.raises(CallerError, match="events enough"):
        lite.do(step(report_id, ReportCommand.RETURN, HAN))
    assert lite.do(step(report_id, ReportCommand.CONFIRM, HAN))["state"] == "confirmed"


def test_a_report_names_payments_of_its_subject_and_a_case_that_is_there(lite: Shop) -> None:
    payer, stranger = lite.add_payer(balance_minor=1_000), lite.add_payer(balance_minor=1_000)
    own, foreign = *paid(lite, payer, 100), *paid(lite, stranger, 100)
    for command, refused in (
        (alert(lite, payer, foreign), "field_invalid"),
        (alert(lite, payer), "field_invalid"),
        (alert(lite, payer, *[own] * (PAYMENTS_PER_REPORT_MAX + 1)), "field_invalid"),
        (alert(lite, payer, own, subject=Subject.CARD), "field_invalid"),
        (alert(lite, payer, own, actor=" "), "field_invalid"),
        (alert(lite, payer, own, report_id="rpt_1"), "field_invalid"),
        (alert(lite, payer, lite.id("pay")), "payment_not_found"),
        (alert(lite, payer, own, case_id=lite.id("cas")), "case_not_found"),
    ):
        with pytest.raises(CallerError, match=refused):
            lite.do(command)
    of_shop = lite.do(alert(lite, MERCHANT, own, foreign, subject=Subject.MERCHANT))
    with pytest.raises(CallerError, match="idempotency_conflict"):
        lite.do(alert(lite, payer, own, report_id=of_shop["report_id"]))
    with pytest.raises(CallerError, match="report_not_found"):
        lite.do(step(lite.id("rpt"), ReportCommand.ANALYSE, LI))


def test_a_changed_step_is_noticed(lite: Shop) -> None:
    payer = lite.add_payer(balance_minor=100_000)
    report_id = lite.do(alert(lite, payer, *paid(lite, payer, 100)))["report_id"]
    lite.do(step(report_id, ReportCommand.ANALYSE, LI))
    events = ReportRepository(lite.reader).events(report_id)
    assert first_broken(events) is None
    assert first_broken([events[0] | {"words": "another"}, *events[1:]]) == 1


def test_the_narrative_counts_what_is_in_the_payments() -> None:
    day_ms, at = 86_400_000, 1_000 * 86_400_000

    def row(number: int, at_ms: int, minor: int, currency: str = "CNY") -> dict[str, Any]:
        return {
            "payment_id": f"p{number}", "created_at_ms": at_ms, "amount_minor": minor,
            "currency": currency, "merchant_id": f"m{number % 2}", "payer_id": "y",
            "refunded_minor": 5 if number == 1 else 0,
        }  # fmt: skip

    rows = [row(1, at, 20_000), row(2, at + day_ms - 1, 30_001), row(3, at, 7, "USD")]
    yuan, dollars = facts_of(rows, subject_kind="payer", day_offset_ms=0)
    assert (yuan.count, yuan.total_minor, yuan.days, yuan.counterparties) == (2, 50_001, 1, 2)
    assert (yuan.at_night, yuan.round_amounts, yuan.returned_minor) == (1, 1, 5)
    assert yuan.largest == (("p2", 30_001), ("p1", 20_000))
    assert (dollars.currency, dollars.total_minor) == ("USD", 7)
    assert facts_of(rows[:2], subject_kind="merchant", day_offset_ms=day_ms // 24)[0].days == 2
    assert "共 CNY 500.01" in sentences(yuan)["zh"]
