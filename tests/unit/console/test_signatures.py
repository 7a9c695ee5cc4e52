"""The words of two persons by a program: each is a person's of the console, whose phone says so."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from backend.console.desk import PeopleDesk
from backend.console.limits import SIGN_IN_TRIES_MAX
from backend.console.signatures import Signatures
from backend.console.totp import STEP_MS
from backend.http_errors import install
from backend.observability.metrics import Metrics
from backend.risk.aml.reports import routes as report_routes
from backend.risk.aml.reports.model import BY_SECOND_PERSON, ReportCommand
from backend.risk.cases import routes as case_routes
from backend.risk.cases.model import Subject
from backend.risk.models import lifecycle as model_lifecycle
from backend.risk.models import routes as model_routes
from backend.risk.rules import lifecycle as rule_lifecycle
from backend.risk.rules import routes as rule_routes
from faces.routes import add_routes
from tests.support.case_scenes import CLOCK, raised
from tests.support.console_world import ConsoleWorld, a_risk_desk, page_token
from tests.support.signing import sign
from tests.support.wallet_http import OPERATOR, operator_only, services_of

CASES = "/operator/v1/risk/cases"


@pytest.fixture
def program(world: ConsoleWorld) -> Iterator[TestClient]:
    """Who has the operator's token, and knows everybody's name."""
    services, app = services_of(world.shop), FastAPI()
    install(app, Metrics())
    by_phone = Signatures(services, PeopleDesk(services))
    add_routes(app, case_routes.operator_router(services, operator_only, CLOCK, by_phone))
    for name, rank in (("zhou", "clerk"), ("qian", "owner"), ("looker", "viewer")):
        world.add(name, role="operator", merchant_id="", rank=rank)
    world.add("li.na")
    with TestClient(app, headers=OPERATOR) as http:
        yield http


class Case:
    """One that zhou looks into."""

    def __init__(self, world: ConsoleWorld, program: TestClient) -> None:
        self._world, self._program = world, program
        self.id = raised(world.shop, Subject.PAYER, world.shop.add_payer())
        assert self.said("assign", by="zhou", to="zhou").is_success

    def said(self, word: str, **body: Any) -> Response:
        """What a program sends, as it is."""
        return self._program.post(f"{CASES}/{self.id}/{word}", json=body)

    def signed(self, word: str, by: str, *, phone: str = "", **more: Any) -> Response:
        """A word with the code that a phone shows next, the person's own or another's."""
        self._world.shop.clock.at_ms += STEP_MS
        code = self._world.code(phone or by.strip())
        return self.said(word, by=by, code=code, words="why", **more)

    def at_the_console(self, name: str, word: str) -> str:
        http = self._world.signed_in(name)
        page = page_token(http.get(f"/console/cases/{self.id}").text)
        return http.post(f"/console/cases/{self.id}/{word}", data={"page": page, "words": "w"}).text


@pytest.fixture
def case(world: ConsoleWorld, program: TestClient) -> Case:
    return Case(world, program)


def code_of(answer: Response) -> str:
    return str(answer.json()["error"]["code"])


def test_nobody_confirms_their_own_proposal_by_being_one_person_here_and_another_there(
    case: Case,
) -> None:
    proposed = case.signed("propose", "zhou", outcome="inconclusive")
    assert proposed.json()["state"] == "proposed"
    assert "case_same_person" in case.at_the_console("zhou", "confirm")
    assert code_of(case.signed("confirm", " ZHOU", phone="zhou")) == "signatory_unknown"
    assert code_of(case.signed("confirm", " zhou ", phone="zhou")) == "case_same_person"
    for name in ("李雷", "qian2", "", "li.na"):
        wanted = "signatory_unknown" if name else "field_invalid"
        assert code_of(case.signed("confirm", name, phone="zhou")) == wanted
    assert code_of(case.signed("confirm", "qian", phone="zhou")) == "console_code_wrong"
    assert code_of(case.signed("confirm", "looker")) == "rank_insufficient"
    assert code_of(case.said("confirm", by="qian", words="why")) == "field_invalid"
    decided = case.signed("confirm", "qian").json()
    assert (decided["state"], decided["proposed_by"], decided["decided_by"]) == (
        "decided", "zhou", "qian",
    )  # fmt: skip


def test_what_was_proposed_at_the_console_is_not_confirmed_by_the_same_person_s_program(
    case: Case, world: ConsoleWorld
) -> None:
    http = world.signed_in("zhou")
    page = page_token(http.get(f"/console/cases/{case.id}").text)
    form = {"page": page, "outcome": "inconclusive", "words": "w"}
    assert http.post(f"/console/cases/{case.id}/propose", data=form).status_code == 200
    for word in ("confirm", "reject"):
        assert code_of(case.signed(word, "zhou")) == "case_same_person"
        assert code_of(case.signed(word, "李雷", phone="zhou")) == "signatory_unknown"
    assert case.signed("reject", "qian").json()["state"] == "assigned"


def test_a_code_says_one_word_and_too_many_wrong_ones_none(case: Case, world: ConsoleWorld) -> None:
    world.shop.clock.at_ms += STEP_MS
    word = {"by": "zhou", "code": world.code("zhou"), "words": "w", "outcome": "inconclusive"}
    assert case.said("propose", **word).is_success
    assert code_of(case.said("propose", **word)) == "console_code_wrong"
    for _ in range(SIGN_IN_TRIES_MAX):
        assert code_of(case.signed("confirm", "qian", phone="zhou")) == "console_code_wrong"
    assert code_of(case.signed("confirm", "qian")) == "console_code_wrong", "locked for a while"


def test_who_was_let_go_says_no_word(case: Case, world: ConsoleWorld) -> None:
    path = "/operator/v1/console/users/qian/close"
    assert case.signed("propose", "zhou", outcome="inconclusive").is_success
    with world.browser() as http:
        assert http.post(path, headers=OPERATOR).is_success
    assert code_of(case.signed("confirm", "qian")) == "signatory_unknown"


def test_every_word_of_two_persons_asks_for_the_phone(world: ConsoleWorld) -> None:
    services, app = services_of(world.shop), FastAPI()
    rules, desk = rule_routes.RULES, a_risk_desk()
    for router in (
        case_routes.operator_router(services, operator_only, CLOCK, sign),
        report_routes.operator_router(services, operator_only, CLOCK, sign),
        model_routes.operator_router(services, operator_only, sign),
        rule_routes.operator_router(services, operator_only, desk, sign),  # type: ignore[arg-type]
    ):
        add_routes(app, router)
    told = app.openapi()
    asking = set()
    for path, acts in told["paths"].items():
        body = acts.get("post", {}).get("requestBody", {}).get("content", {})
        named = body.get("application/json", {}).get("schema", {}).get("$ref", "")
        schema = told["components"]["schemas"].get(named.rpartition("/")[2], {})
        if "code" in schema.get("required", ()):
            asking.add(path)
    reports = {ReportCommand.ANALYSE, *BY_SECOND_PERSON}
    assert asking == (
        {f"{CASES}/{{case_id}}/{word}" for word in ("propose", "confirm", "reject")}
        | {f"/operator/v1/risk/reports/{{report_id}}/{one.value}" for one in reports}
        | {
            f"{model_routes.MODELS}/{{model_id}}/{one.value}"
            for one in model_lifecycle.WORDS_OF_TWO
        }
        | {f"{rules}/{{set_id}}/{one.value}" for one in rule_lifecycle.WORDS_OF_TWO}
        | {f"{rules}/suppress", f"{rules}/confirm_suppression"}
    )
