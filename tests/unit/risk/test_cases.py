"""Cases on a real database: raised, looked into, decided by two people, and learnt from."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from backend.clearing.calendar import Calendar
from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore, EnrolDevice, NewKey
from backend.http_errors import status_of
from backend.risk.cases import routes as case_routes
from backend.risk.cases.limits import EVENTS_PER_CASE_MAX, REASONS_PER_CASE_MAX
from backend.risk.cases.model import CaseClock, Outcome, Severity, Subject
from backend.risk.cases.repository import CaseRepository
from backend.risk.cases.service import (
    Alarm,
    AnswerProposal,
    AssignCase,
    NoteCase,
    OpenCase,
    ProposeOutcome,
)
from backend.risk.labels.repository import LabelRepository
from faces.routes import add_routes
from protocol.crypto.keys import generate
from protocol.errors import CallerError, TillwayError
from tests.support.channel_world import CARD_TOKEN
from tests.support.shop import MERCHANT, Shop
from tests.support.signing import sign, signed
from tests.support.wallet_http import OPERATOR, operator_only, services_of

CLOCK = CaseClock(Calendar().is_business_day, 8 * 3_600_000)
LI, HAN = "李雷", "韩梅梅"
DAY_MS = 86_400_000
CASES = "/operator/v1/risk/cases"


@pytest.fixture
def lite_payer(lite: Shop) -> str:
    return lite.add_payer(balance_minor=100_000)


@pytest.fixture
def payer(shop: Shop) -> str:
    return shop.add_payer(balance_minor=100_000)


@pytest.fixture
def http(shop: Shop) -> Iterator[TestClient]:
    app = FastAPI()
    add_routes(app, case_routes.operator_router(services_of(shop), operator_only, CLOCK, sign))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=status_of(error))

    with TestClient(app, headers=OPERATOR) as client:
        yield client


def raised(shop: Shop, payer: str, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "case_id": shop.id("cas"),
        "source": "decision",
        "subject": Subject.PAYER,
        "subject_id": payer,
        "severity": Severity.MEDIUM,
        "reason": "card_testing",
    }
    row: dict[str, Any] = shop.do(OpenCase(alarm=Alarm(**(fields | changes)), clock=CLOCK))
    return row


def proposed(shop: Shop, case_id: str, outcome: Outcome, *payments: str) -> dict[str, Any]:
    shop.do(AssignCase(case_id=case_id, by=HAN, to=LI))
    row: dict[str, Any] = shop.do(
        ProposeOutcome(case_id=case_id, by=LI, outcome=outcome, words="查过", payments=payments)
    )
    return row


def enrol(shop: Shop, tid: str) -> None:
    store = f"store-of-{MERCHANT}"
    shop.do(CreateStore(store=store, merchant_id=MERCHANT, name="店"))
    key = generate("Ed25519").public
    new = NewKey(suite=key.suite.name, public_key=key.public, kid=key.kid)
    shop.do(
        EnrolDevice(
            tid=tid, kind=DeviceKind.TERMINAL, store=store, key=new, actor="test", is_active=True
        )
    )


def answer(case_id: str, by: str, *, is_agreed: bool = True) -> AnswerProposal:
    return AnswerProposal(case_id=case_id, by=by, is_agreed=is_agreed, words="同意")


def test_two_people_decide_and_the_labels_are_known_from_then_on(shop: Shop, payer: str) -> None:
    payments = [str(shop.pay(payer, amount)["payment_id"]) for amount in (100, 200, 300)]
    case_id = raised(shop, payer)["case_id"]
    shop.clock.at_ms += 5_000
    assert proposed(shop, case_id, Outcome.FRAUD, *payments[:2])["state"] == "proposed"
    labels = LabelRepository(shop.reader).labels
    assert labels() == []
    shop.clock.at_ms += 5_000
    decided = shop.do(answer(case_id, HAN))
    assert (decided["state"], decided["decided_by"]) == ("decided", HAN)
    found = labels()
    assert {row["payment_id"]: row["is_fraud"] for row in found} == dict.fromkeys(payments[:2], 1)
    assert {row["available_at_ms"] for row in found} == {shop.clock.at_ms}
    last = found[0]
    behind = labels(after=(last["available_at_ms"], last["payment_id"], last["origin"]))
    assert behind == found[1:]
    assert shop.do(answer(case_id, HAN)) == decided  # repeated


def test_whoever_proposed_the_outcome_cannot_confirm_or_reject_it(
    lite: Shop, lite_payer: str
) -> None:
    case_id = raised(lite, lite_payer)["case_id"]
    proposed(lite, case_id, Outcome.INCONCLUSIVE)
    for is_agreed in (True, False):
        with pytest.raises(CallerError, match="case_same_person"):
            lite.do(answer(case_id, f" {LI} ", is_agreed=is_agreed))


def test_only_the_assignee_proposes_and_a_rejected_outcome_labels_nothing(
    lite: Shop, lite_payer: str
) -> None:
    payment = str(lite.pay(lite_payer, 100)["payment_id"])
    case_id = raised(lite, lite_payer)["case_id"]
    with pytest.raises(CallerError, match="case_not_assignee"):
        lite.do(ProposeOutcome(case_id=case_id, by=LI, outcome=Outcome.INCONCLUSIVE, words="不明"))
    proposed(lite, case_id, Outcome.FRAUD, payment)
    back = lite.do(answer(case_id, HAN, is_agreed=False))
    assert (back["state"], back["outcome"], back["payments"]) == ("assigned", "", "[]")
    assert LabelRepository(lite.reader).labels() == []
    proposed(lite, case_id, Outcome.GENUINE, payment)
    lite.do(answer(case_id, HAN))
    assert [row["is_fraud"] for row in LabelRepository(lite.reader).labels()] == [0]


def test_alarms_about_one_subject_join_its_case_until_it_is_decided(
    lite: Shop, lite_payer: str
) -> None:
    first = raised(lite, lite_payer)
    lite.clock.at_ms += DAY_MS
    joined = raised(lite, lite_payer, severity=Severity.HIGH, reason="velocity")
    assert joined["case_id"] == first["case_id"]
    assert (joined["severity"], joined["raised_count"]) == ("high", 2)
    assert joined["due_at_ms"] == first["due_at_ms"]
    assert raised(lite, lite_payer, severity=Severity.LOW)["severity"] == "high"
    other = raised(lite, lite_payer, source="aml")
    assert other["case_id"] != first["case_id"]
    for _ in range(REASONS_PER_CASE_MAX + 5):
        raised(lite, lite_payer)
    events = CaseRepository(lite.reader).events(first["case_id"])
    assert len(events) == REASONS_PER_CASE_MAX
    proposed(lite, first["case_id"], Outcome.SUSPICIOUS)
    lite.do(answer(first["case_id"], HAN))
    assert raised(lite, lite_payer)["case_id"] not in {first["case_id"], other["case_id"]}


def test_the_same_case_opened_twice_is_one_and_another_under_its_id_is_refused(
    lite: Shop, lite_payer: str
) -> None:
    case_id = lite.id("cas")
    first = raised(lite, lite_payer, case_id=case_id)
    assert raised(lite, lite_payer, case_id=case_id) == first
    with pytest.raises(CallerError, match="idempotency_conflict"):
        raised(lite, "pyr_other", case_id=case_id)


def test_a_decision_labels_payments_of_the_cases_subject_only(lite: Shop, lite_payer: str) -> None:
    stranger = lite.add_payer(balance_minor=1_000)
    foreign = str(lite.pay(stranger, 100)["payment_id"])
    own = str(lite.pay(lite_payer, 100)["payment_id"])
    case_id = raised(lite, lite_payer)["case_id"]
    for outcome, payments in (
        (Outcome.FRAUD, (foreign,)),
        (Outcome.FRAUD, (own, foreign)),
        (Outcome.FRAUD, ()),
        (Outcome.SUSPICIOUS, (own,)),
    ):
        with pytest.raises(CallerError, match="field_invalid"):
            proposed(lite, case_id, outcome, *payments)
    with pytest.raises(CallerError, match="payment_not_found"):
        proposed(lite, case_id, Outcome.FRAUD, lite.id("pay"))


def test_a_case_about_a_payment_labels_that_payment(lite: Shop, lite_payer: str) -> None:
    payment = str(lite.pay(lite_payer, 100)["payment_id"])
    case_id = raised(lite, payment, subject=Subject.PAYMENT)["case_id"]
    proposed(lite, case_id, Outcome.FRAUD)
    lite.do(answer(case_id, HAN))
    labels = LabelRepository(lite.reader).labels()
    assert [(row["payment_id"], row["is_fraud"]) for row in labels] == [(payment, 1)]


def test_a_case_is_released_reassigned_and_noted_but_not_for_ever(
    lite: Shop, lite_payer: str
) -> None:
    case_id = raised(lite, lite_payer)["case_id"]
    taken = lite.do(AssignCase(case_id=case_id, by=LI, to=LI))
    assert lite.do(AssignCase(case_id=case_id, by=HAN, to="李雷 ")) == taken
    assert lite.do(AssignCase(case_id=case_id, by=HAN, to=HAN))["assignee"] == HAN
    free = lite.do(AssignCase(case_id=case_id, by=HAN, to=""))
    assert (free["state"], free["assignee"]) == ("open", "")
    assert lite.do(AssignCase(case_id=case_id, by=HAN, to="")) == free
    notes = [NoteCase(case_id=case_id, by=LI, words="看过") for _ in range(EVENTS_PER_CASE_MAX)]
    outcomes = lite.apply(*notes)
    refused = [one for one in outcomes if isinstance(one.error, CallerError)]
    assert 0 < len(refused) < 10
    with pytest.raises(CallerError, match="case_state"):
        lite.do(AssignCase(case_id=case_id, by=LI, to=LI))
    with pytest.raises(CallerError, match="case_not_found"):
        lite.do(NoteCase(case_id=lite.id("cas"), by=LI, words="看过"))


def test_the_console_sees_the_queue_its_clock_and_every_step(
    shop: Shop, payer: str, http: TestClient
) -> None:
    body = {
        "case_id": shop.id("cas"), "subject": "payer", "subject_id": payer,
        "reason": "电话举报", "by": LI,
    }  # fmt: skip
    assert http.post(CASES, json=body).status_code == 201
    path = f"{CASES}/{body['case_id']}"
    assert http.post(f"{path}/note", json={"by": LI, "words": "已致电"}).json()["state"] == "open"
    shop.clock.at_ms += 4 * DAY_MS
    late = raised(shop, payer, source="aml")["case_id"]
    queue = http.get(CASES).json()
    assert [case["case_id"] for case in queue["cases"]] == [body["case_id"], late]
    assert [case["standing"] for case in queue["cases"]] == ["warned", "in_time"]
    assert (queue["undecided"], queue["warned"], queue["overdue"]) == (2, 1, 0)
    shop.clock.at_ms += 5 * DAY_MS
    seen = http.get(CASES, params={"standing": "overdue"}).json()["cases"]
    assert [case["case_id"] for case in seen] == [body["case_id"]]
    for word, content in (
        ("assign", {"by": HAN, "to": LI}),
        ("propose", signed(LI, "不明") | {"outcome": "inconclusive"}),
        ("reject", signed(HAN, "再查")),
        ("propose", signed(LI, "仍不明") | {"outcome": "inconclusive"}),
        ("confirm", signed(HAN, "同意")),
    ):
        assert http.post(f"{path}/{word}", json=content).status_code == 200, word
    shown = http.get(path).json()
    assert (shown["state"], shown["standing"], shown["first_broken_event"]) == (
        "decided", "done", None,
    )  # fmt: skip
    assert [step["event"] for step in shown["events"]] == [
        "CaseOpened", "CaseNoted", "CaseAssigned", "CaseOutcomeProposed", "CaseOutcomeRejected",
        "CaseOutcomeProposed", "CaseDecided",
    ]  # fmt: skip
    assert [case["case_id"] for case in http.get(CASES).json()["cases"]] == [late]
    assert len(http.get(CASES, params={"standing": "done"}).json()["cases"]) == 1
    again = http.post(f"{path}/note", json={"by": LI, "words": "晚了"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "case_state")
    assert http.get(f"{CASES}/{shop.id('cas')}").status_code == 404
    assert http.get(CASES, headers={"authorization": "Bearer x"}).status_code == 401


def test_the_queue_is_read_a_page_at_a_time_and_by_how_bad_it_is(
    shop: Shop, payer: str, http: TestClient
) -> None:
    made = [raised(shop, f"card-{number}", subject=Subject.CARD)["case_id"] for number in range(5)]
    bad = raised(shop, payer, severity=Severity.CRITICAL)["case_id"]
    seen: list[str] = []
    after: str | None = ""
    for _ in range(3):
        page = http.get(CASES, params={"limit": 2, "after": after}).json()
        seen += [case["case_id"] for case in page["cases"]]
        after = page["after"]
    assert (seen, after) == (sorted([*made, bad]), None)
    [worst] = http.get(CASES, params={"severity": "critical"}).json()["cases"]
    assert worst["case_id"] == bad
    assert http.get(CASES, params={"after": "x~y"}).status_code == 400


def test_the_evidence_links_payers_by_their_cards_and_tills(
    shop: Shop, payer: str, http: TestClient
) -> None:
    enrol(shop, "pos1")
    friend = shop.add_payer(balance_minor=10_000)
    stranger = shop.add_payer(balance_minor=10_000)
    first = str(shop.pay(payer, 100)["payment_id"])
    shop.pay(friend, 100)
    body = shop.create_body("pay_code", 100, pay_code=shop.code(stranger))
    shop.ask("payment.create", body, device="pos9")
    card = shop.add_instrument(payer, "card", token=CARD_TOKEN, is_default=False)
    shop.clock.at_ms += 1_000
    case_id = raised(shop, payer)["case_id"]
    proposed(shop, case_id, Outcome.FRAUD, first)
    shop.clock.at_ms += 1_000
    shop.do(answer(case_id, HAN))
    found = http.get(f"{CASES}/{case_id}/evidence").json()
    graph, line = found["graph"], found["timeline"]
    near = {(node["kind"], node["id"]): node["hops"] for node in graph["nodes"]}
    assert near[("payer", payer)] == 0
    assert near[("card", card)] == near[("device", "pos1")] == 1
    assert near[("payer", friend)] == 2
    assert ("payer", stranger) not in near
    by_till = [e for e in graph["edges"] if e["payments"] == 1 and e["fraud"] == 1]
    assert len(by_till) == 1
    assert line["counts"]["case"] == 4
    assert line["counts"]["label"] == 1
    times = [item["at_ms"] for item in line["items"]]
    assert times == sorted(times)
    by_device = raised(shop, "pos1", subject=Subject.DEVICE)["case_id"]
    found = http.get(f"{CASES}/{by_device}/evidence", params={"hops": 1}).json()
    assert {node["id"] for node in found["graph"]["nodes"]} == {"pos1", payer, friend}
    assert found["timeline"]["counts"]["device"] == 1
    by_card = raised(shop, card, subject=Subject.CARD)["case_id"]
    found = http.get(f"{CASES}/{by_card}/evidence", params={"hops": 1}).json()
    assert [node["id"] for node in found["graph"]["nodes"]] == [card, payer]
    of_payment = raised(shop, first, subject=Subject.PAYMENT)["case_id"]
    found = http.get(f"{CASES}/{of_payment}/evidence", params={"hops": 0}).json()
    assert [node["id"] for node in found["graph"]["nodes"]] == [payer]
    assert line["items"][-1]["kind"] == "label"
