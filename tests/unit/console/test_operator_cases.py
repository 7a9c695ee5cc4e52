"""The operators' pages of risk cases: the queue, one case with its evidence, two persons."""

import re

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from backend.console.case_words import CASE_NAMES
from backend.console.limits import ROWS_PER_PAGE
from backend.devices.model import TRANSITIONS, DeviceKind
from backend.risk.cases.model import CaseEvent, CaseState, Outcome, Severity, Standing, Subject
from backend.risk.labels.repository import LabelRepository
from tests.support.case_scenes import HAN, LI, confirmed, proposed, raised
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.shop import MERCHANT
from tests.support.things import enrol_device

DAY_MS = 86_400_000
MARKUP = re.compile(r"<[^>]+>")


@pytest.fixture
def first(world: ConsoleWorld) -> TestClient:
    world.add("zhou", role="operator", merchant_id="", rank="clerk")
    return world.signed_in("zhou")


@pytest.fixture
def second(world: ConsoleWorld) -> TestClient:
    world.add("qian", role="operator", merchant_id="", rank="clerk")
    return world.signed_in("qian")


def text_of(page: Response) -> str:
    body = page.text.partition("<main")[2]
    return " ".join(MARKUP.sub(" ", body).split())


def sent(http: TestClient, case_id: str, act: str, **fields: str) -> Response:
    page = http.get(f"/console/cases/{case_id}?lang=en")
    form = {"page": page_token(page.text)} | fields
    return http.post(f"/console/cases/{case_id}/{act}", data=form)


def listed(http: TestClient, query: str = "") -> list[str]:
    page = http.get(f"/console/cases?lang=en&{query}")
    assert page.status_code == 200
    return re.findall(r'<a href="/console/cases/(cas_\w+)"', page.text)


def test_the_first_due_leads_the_queue_and_each_filter_narrows_it(
    world: ConsoleWorld, first: TestClient
) -> None:
    shop = world.shop
    payer = shop.add_payer(balance_minor=100_000)
    old = raised(shop, Subject.PAYER, payer)
    shop.clock.at_ms += 10 * DAY_MS
    world.sign_in(first, "zhou")
    young = raised(shop, Subject.DEVICE, "till-1", source="devices", reason="clone")
    bad = raised(shop, Subject.MERCHANT, MERCHANT, severity=Severity.CRITICAL, reason="举报")
    done = raised(shop, Subject.CARD, "card-1", source="operator")
    proposed(shop, done, Outcome.INCONCLUSIVE)
    confirmed(shop, done)
    assert listed(first) == [old, *sorted((young, bad))]
    assert listed(first, "severity=critical") == [bad]
    assert listed(first, "standing=overdue") == [old]
    assert listed(first, "state=decided") == [done]
    assert listed(first, f"assignee={LI}") == []
    assert listed(first, f"state=decided&assignee={LI}") == [done]
    told = text_of(first.get("/console/cases?lang=en"))
    assert "3 undecided · 1 due soon · 1 overdue" in told
    assert "The device seems to be a copy of another" in told
    refused = first.get("/console/cases?lang=en&severity=deadly")
    assert refused.status_code == 400
    assert 'id="wrong-severity"' in refused.text
    world.shop.clock.at_ms += 1


def test_a_long_queue_is_read_page_by_page_in_either_direction(
    world: ConsoleWorld, first: TestClient
) -> None:
    shop = world.shop
    made = [
        raised(shop, Subject.CARD, f"card-{number}", source="operator")
        for number in range(ROWS_PER_PAGE + 3)
    ]
    for state, settle in (("", False), ("decided", True)):
        if settle:
            for case_id in made:
                proposed(shop, case_id, Outcome.INCONCLUSIVE)
                confirmed(shop, case_id)
        page = first.get(f"/console/cases?state={state}")
        more = re.search(r'href="/console/cases\?([^"]*after=[^"]+?)#found"', page.text)
        assert more is not None
        beginning, end = (
            listed(first, f"state={state}"),
            listed(first, more[1].replace("&amp;", "&")),
        )
        assert len(beginning) == ROWS_PER_PAGE
        assert [*beginning, *end] == sorted(made, reverse=settle)


def test_two_persons_decide_a_case_and_the_payments_are_labelled(
    world: ConsoleWorld, first: TestClient, second: TestClient
) -> None:
    shop = world.shop
    payer = shop.add_payer(balance_minor=100_000)
    paid = [str(shop.pay(payer, amount)["payment_id"]) for amount in (1_280, 990)]
    case_id = raised(shop, Subject.PAYER, payer, severity=Severity.HIGH, reference=paid[0])
    assert "Take it" in text_of(first.get(f"/console/cases/{case_id}?lang=en"))
    told = text_of(sent(first, case_id, "take"))
    assert "The case is yours to look into." in told
    assert "very_large" in told.partition("What to do")[0], "why, before anything else"
    assert "Given to zhou 11" in told, "who takes it for himself is named once"
    assert "¥12.80" in told
    told = text_of(second.get(f"/console/cases/{case_id}?lang=en"))
    assert "It is looked into by zhou" in told
    assert "Propose the outcome" not in told
    told = text_of(
        sent(first, case_id, "propose", outcome="fraud", words="The payer rang.",
             others=paid[1], **{paid[0]: "on"})
    )  # fmt: skip
    assert "a second person confirms it" in told
    assert "You have proposed the outcome" in told
    refused = sent(first, case_id, "confirm", words="I agree with myself")
    assert refused.status_code == 409
    assert "case_same_person" in refused.text
    assert LabelRepository(shop.reader).labels() == []
    told = text_of(sent(second, case_id, "confirm", words="The shop says so, too."))
    assert "The case is decided" in told
    assert "Confirmed by qian" in told
    labels = LabelRepository(shop.reader).labels()
    assert {row["payment_id"]: row["is_fraud"] for row in labels} == dict.fromkeys(paid, 1)
    acts = [
        (row["actor"], row["what"], row["subject"], row["reason"])
        for row in shop.rows("SELECT * FROM audit_act WHERE kind = 'case' ORDER BY number")
    ]
    assert acts == [
        ("console:zhou", "take", f"case {case_id}", ""),
        ("console:zhou", "propose", f"case {case_id}", "The payer rang."),
        ("console:qian", "confirm", f"case {case_id}", "The shop says so, too."),
    ]
    page = first.get("/console/audit?lang=en")
    assert "state Waits for the second person → Decided" in text_of(page)
    assert f'href="/console/cases/{case_id}"' in page.text


def test_the_second_person_sends_it_back_and_the_first_puts_it_back(
    world: ConsoleWorld, first: TestClient, second: TestClient
) -> None:
    payer = world.shop.add_payer()
    case_id = raised(world.shop, Subject.PAYER, payer)
    sent(first, case_id, "take")
    sent(first, case_id, "propose", outcome="suspicious", words="Many small sums")
    told = text_of(sent(second, case_id, "reject", words="Ask the shop first"))
    assert "It is back with whoever looks into it." in told
    assert "Ask the shop first" in told
    told = text_of(sent(first, case_id, "note", words="The shop does not answer"))
    assert "The shop does not answer" in told
    assert "The case is in the queue again." in text_of(sent(first, case_id, "put-back"))
    assert listed(second, "state=open") == [case_id]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"words": "why"}, "outcome", "Choose an outcome."),
        ({"outcome": "inconclusive"}, "words", "Say why, in 2,000 characters at most."),
        ({"outcome": "fraud", "words": "why"}, "payments", "choose them"),
        ({"outcome": "fraud", "words": "why", "others": "pay_1"}, "payments", "is no payment"),
        ({"outcome": "suspicious", "words": "why", "others": "PAID"}, "payments", "name none"),
    ],
)
def test_what_an_outcome_lacks_is_said_beside_the_field_and_nothing_typed_is_lost(
    world: ConsoleWorld, first: TestClient, fields: dict[str, str], field: str, words: str
) -> None:
    payer = world.shop.add_payer(balance_minor=10_000)
    paid = str(world.shop.pay(payer, 100)["payment_id"])
    case_id = raised(world.shop, Subject.PAYER, payer)
    sent(first, case_id, "take")
    fields = {name: value.replace("PAID", paid) for name, value in fields.items()}
    refused = sent(first, case_id, "propose", **fields)
    assert refused.status_code in {400, 404}
    [told] = re.findall(rf'<span class="wrong" id="wrong-{field}">(.+?)<code', refused.text)
    assert words in told
    for typed in fields.values():
        assert typed in refused.text
    assert "Looked into" in text_of(refused)


def test_what_is_linked_is_drawn_and_told_by_the_same_numbers(
    world: ConsoleWorld, first: TestClient
) -> None:
    shop = world.shop
    enrol_device(shop, "pos1", DeviceKind.TERMINAL)
    payer, friend = (shop.add_payer(balance_minor=10_000) for _ in range(2))
    paid = str(shop.pay(payer, 100)["payment_id"])
    shop.pay(friend, 200)
    other = raised(shop, Subject.PAYER, payer, source="operator")
    proposed(shop, other, Outcome.FRAUD, paid)
    shop.clock.at_ms += 1_000
    confirmed(shop, other)
    case_id = raised(shop, Subject.PAYER, payer)
    page = first.get(f"/console/cases/{case_id}?lang=en").text
    [drawn] = re.findall(r'<svg class="links-of"[^>]*role="img".+?</svg>', page, re.DOTALL)
    assert "aria-label" in drawn.partition(">")[0]
    titles = re.findall(r"<title>(\w+) (\S+)</title>", drawn)
    numbers = re.findall(r"<text[^>]*>(\d+)</text>", drawn)
    table = page.partition('class="list cards linked"')[2].partition("</table>")[0]
    rows = [
        " ".join(MARKUP.sub(" ", row).split())
        for row in re.findall(r"<tr role=row>(.+?)</tr>", table, re.DOTALL)[1:]
    ]
    assert len(rows) == len(titles) == len(numbers)
    for number, (kind, name), row in zip(numbers, titles, rows, strict=True):
        assert row.startswith(f"{number} {kind} ")
        assert name in row
    assert titles[0] == ("Payer", payer)
    assert ("Payer", friend) in titles
    assert any("→ 1 · 1 payment, of them fraud 1" in row for row in rows)
    assert drawn.count("<line") == drawn.count('class="fraud"') + 1
    assert "Labelled fraud" in page


def test_a_case_that_is_decided_is_only_looked_at(world: ConsoleWorld, first: TestClient) -> None:
    case_id = raised(world.shop, Subject.PAYER, world.shop.add_payer())
    proposed(world.shop, case_id, Outcome.INCONCLUSIVE)
    confirmed(world.shop, case_id)
    page = first.get(f"/console/cases/{case_id}?lang=en")
    assert "What to do" not in text_of(page)
    assert text_of(page).partition("What is linked")[0].count("Decided") == 1
    assert f"Confirmed by {HAN}" in text_of(page)
    refused = sent(first, case_id, "take")
    assert (refused.status_code, "case_state" in refused.text) == (409, True)


def test_the_overview_counts_the_cases_that_wait_and_leads_to_those_that_are_overdue(
    world: ConsoleWorld, first: TestClient
) -> None:
    def tile() -> tuple[str, str]:
        page = first.get("/console/overview?lang=en").text
        found = re.search(r'<a class="card tile ?\w*" href="(/console/cases[^"]*)">(.+?)</a>', page)
        assert found is not None
        return found[1], " ".join(MARKUP.sub(" ", found[2]).split())

    assert tile() == ("/console/cases#found", "Risk cases 0")
    late = raised(world.shop, Subject.PAYER, world.shop.add_payer())
    world.shop.clock.at_ms += 10 * DAY_MS
    world.sign_in(first, "zhou")
    raised(world.shop, Subject.DEVICE, "till-1", source="devices", reason="clone")
    where, told = tile()
    assert told == "Risk cases 2 1 overdue"
    assert listed(first, where.partition("?")[2].partition("#")[0]) == [late]


def test_a_payment_leads_to_its_cases_and_a_case_to_its_payments(
    world: ConsoleWorld, first: TestClient
) -> None:
    shop = world.shop
    payer = shop.add_payer(balance_minor=100_000)
    paid, other = (str(shop.pay(payer, amount)["payment_id"]) for amount in (1_280, 990))

    def cases_of(payment_id: str) -> set[str]:
        page = first.get(f"/console/payments/{payment_id}").text
        return set(re.findall(r'href="/console/cases/(cas_\w+)"', page))

    assert cases_of(paid) == set()
    about = raised(shop, Subject.PAYMENT, paid, source="operator")
    of_payer = raised(shop, Subject.PAYER, payer, reference=paid)
    of_merchant = raised(shop, Subject.MERCHANT, MERCHANT, source="operator")
    raised(shop, Subject.PAYER, shop.add_payer())
    assert cases_of(paid) == {about, of_payer, of_merchant}
    assert cases_of(other) == {of_payer, of_merchant}
    told = text_of(first.get(f"/console/payments/{paid}?lang=en"))
    assert "Risk cases" in told
    for case_id, outcome, named in (
        (of_merchant, Outcome.INCONCLUSIVE, ()),
        (of_payer, Outcome.FRAUD, (other,)),
    ):
        proposed(shop, case_id, outcome, *named)
        confirmed(shop, case_id)
    assert cases_of(paid) == {about, of_payer}, "it was raised over this payment"
    assert cases_of(other) == {of_payer}, "it labels this payment"
    for case_id, payment_id in ((about, paid), (of_payer, paid), (of_payer, other)):
        assert (
            f'href="/console/payments/{payment_id}"' in first.get(f"/console/cases/{case_id}").text
        )
    world.add("li.na")
    page = world.signed_in("li.na").get(f"/console/payments/{paid}?lang=en").text
    assert "Risk cases" not in page
    assert "/console/cases" not in page


def test_who_may_only_look_and_merchants_can_do_nothing(
    world: ConsoleWorld, first: TestClient
) -> None:
    case_id = raised(world.shop, Subject.PAYER, world.shop.add_payer())
    world.add("viewer", role="operator", merchant_id="", rank="viewer")
    world.add("li.na")
    viewer, merchant = world.signed_in("viewer"), world.signed_in("li.na")
    assert "Take it" not in text_of(viewer.get(f"/console/cases/{case_id}?lang=en"))
    assert "rank_insufficient" in sent(viewer, case_id, "take").text
    for path in ("/console/cases", f"/console/cases/{case_id}"):
        assert merchant.get(path).status_code == 404
    token = page_token(merchant.get("/console/today").text)
    answer = merchant.post(f"/console/cases/{case_id}/take", data={"page": token})
    assert answer.status_code == 404
    assert 'href="/console/cases"' not in merchant.get("/console/today").text
    forged = first.post(f"/console/cases/{case_id}/take", data={"page": "0" * 64})
    assert forged.status_code == 401
    lost = first.get("/console/cases/cas_00000000000000000000000000?lang=en")
    assert lost.status_code == 404
    assert "open it from the list of cases" in lost.text
    assert '<a class="button" href="/console/cases">← Risk cases</a>' in lost.text
    assert '"/console/cases"' not in merchant.get("/console/cases/cas_1").text
    assert listed(first, "state=open") == [case_id]


def test_everything_that_a_case_can_be_has_words() -> None:
    wanted = {f"subject.{one}" for one in Subject} | {f"severity.{one}" for one in Severity}
    wanted |= {f"standing.{one}" for one in Standing} | {f"case.{one}" for one in CaseState}
    wanted |= {f"{kind}.{one}" for one in Outcome for kind in ("outcome", "means")}
    wanted |= {edge.event for edge in TRANSITIONS.values()} | {*CaseEvent}
    assert wanted <= CASE_NAMES.keys()
