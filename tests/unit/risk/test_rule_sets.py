"""Sets of rules on a real database: drafted, brought to use by two persons, swapped whole."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import text
from structlog.testing import capture_logs
from typer.testing import CliRunner

from backend.body_limit import BodyLimit
from backend.db.engine import open_engine
from backend.http_errors import status_of
from backend.risk.rules import routes as rule_routes
from backend.risk.rules.compiled import RuleSetError
from backend.risk.rules.desk import RuleDesk
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.in_use import is_in_share
from backend.risk.rules.lifecycle import TRANSITIONS, SetCommand, SetState, next_edge
from backend.risk.rules.limits import FILE_BYTES_MAX
from backend.risk.rules.repository import RuleRepository
from backend.risk.rules.rule_file import row_of, shipped_set
from backend.risk.rules.service import DraftRules, MoveRules
from faces.routes import add_routes
from protocol.errors import CallerError, OperatingError, TillwayError
from tests.support.shop import Shop
from tests.support.signing import phone_of, sign, signed
from tests.support.wallet_http import OPERATOR, operator_only, services_of
from tillway.risk import rules as rules_cli
from tillway.risk.cli import app

LI, HAN = "李雷", "韩梅梅"
RULE = """
[[rule]]
id = "{name}"
when = "payment.amount_minor > {above}"
action = "decline"
severity = "medium"
owner = "risk"
zh = "太多。"
en = "Too much."
fires = {{ "payment.amount_minor" = 1000000 }}
holds = {{ "payment.amount_minor" = 1 }}
"""
ONE, TWO, THREE = (RULE.format(name=f"above_{n}", above=n * 100) for n in (1, 2, 3))
MUCH = row_of({"payment.amount_minor": 500_000}, FIELDS)


def drafted(shop: Shop, text: str) -> str:
    return str(shop.do(DraftRules.checked(text, by=LI, words="new"))["set_id"])


def move(shop: Shop, set_id: str, word: str, by: str = LI, share_bps: int = 0) -> dict[str, Any]:
    command = MoveRules(
        set_id=set_id, command=SetCommand(word), by=by, words="why", share_bps=share_bps
    )
    row: dict[str, Any] = shop.do(command)
    return row


def canary(shop: Shop, set_id: str, share_bps: int) -> None:
    move(shop, set_id, "shadow")
    move(shop, set_id, "propose_canary", LI, share_bps)
    move(shop, set_id, "confirm_canary", HAN, share_bps)


def live(shop: Shop, set_id: str) -> None:
    canary(shop, set_id, 500)
    move(shop, set_id, "propose_live", LI)
    move(shop, set_id, "confirm_live", HAN)


def desk_of(shop: Shop) -> RuleDesk:
    services = services_of(shop)
    return RuleDesk(
        run_read=services.run_read,
        repository=RuleRepository(shop.reader),
        clock=shop.clock,
        shipped_live=(),
        use=lambda _rules: None,
    )


def told(desk: RuleDesk, shop: Shop, payment_id: str = "p") -> tuple[list[str], list[str]]:
    found = desk.current.judge(payment_id, MUCH, now_ms=shop.clock.at_ms)
    return [rule.rule_id for rule in found.hits], [rule.rule_id for rule in found.beside_hits]


@pytest.mark.parametrize(("state", "command"), list(product(SetState, SetCommand)))
def test_every_step_of_the_table_is_taken_and_every_other_refused(
    state: SetState, command: SetCommand
) -> None:
    if (state, command) in TRANSITIONS:
        assert next_edge(state.value, command) == TRANSITIONS[(state, command)]
    else:
        with pytest.raises(CallerError, match="rules_state"):
            next_edge(state.value, command)


def test_a_set_goes_from_draft_to_live_and_the_desk_follows(shop: Shop) -> None:
    desk = desk_of(shop)
    asyncio.run(desk.load())
    shipped = shipped_set(FIELDS).version
    assert (desk.current.live.version, desk.current.candidate) == (shipped, None)
    one, two = drafted(shop, ONE), drafted(shop, TWO)
    live(shop, one)
    asyncio.run(desk.load())
    assert told(desk, shop) == (["above_1"], [])
    move(shop, two, "shadow")
    asyncio.run(desk.load())
    assert told(desk, shop) == (["above_1"], ["above_2"])
    move(shop, two, "propose_canary", LI, 10_000)
    asyncio.run(desk.load())
    assert told(desk, shop) == (["above_1"], ["above_2"])  # one person's word decides nothing
    move(shop, two, "confirm_canary", HAN, 10_000)
    asyncio.run(desk.load())
    assert told(desk, shop) == (["above_2"], ["above_1"])
    move(shop, two, "propose_live")
    move(shop, two, "confirm_live", HAN)
    asyncio.run(desk.load())
    assert told(desk, shop) == (["above_2"], [])
    repository = RuleRepository(shop.reader)
    assert [step["event"] for step in repository.events(one)] == [
        "RulesDrafted", "RulesShadowed", "RulesCanaryProposed", "RulesCanaryStarted",
        "RulesLiveProposed", "RulesWentLive", "RulesRetired",
    ]  # fmt: skip
    assert {row["set_id"]: row["state"] for row in repository.sets()} == {
        one: "retired", two: "live",
    }  # fmt: skip
    assert [rule.rule_id for rule in repository.compiled(one).rules] == ["above_1"]


def test_a_share_is_fixed_by_the_payment_and_about_as_large_as_asked() -> None:
    ids = [f"pay_{number}" for number in range(4_000)]
    found = {bps: {one for one in ids if is_in_share(one, "v", bps)} for bps in (0, 500, 2_500)}
    assert found[0] == set()
    assert 150 < len(found[500]) < 250
    assert found[500] < found[2_500]
    assert found[2_500] != {one for one in ids if is_in_share(one, "w", 2_500)}
    assert all(is_in_share(one, "v", 10_000) for one in ids)


def test_a_canary_judges_its_share_and_the_live_set_the_rest(lite: Shop) -> None:
    one, two = drafted(lite, ONE), drafted(lite, TWO)
    live(lite, one)
    canary(lite, two, 2_500)
    desk = desk_of(lite)
    asyncio.run(desk.load())
    for number in range(40):
        payment_id = f"pay_{number}"
        deciding, beside = told(desk, lite, payment_id)
        wanted = (["above_2"], ["above_1"])
        is_in = is_in_share(payment_id, two, 2_500)
        assert (deciding, beside) == (wanted if is_in else wanted[::-1])
    move(lite, two, "shadow", HAN)  # one person takes it back
    asyncio.run(desk.load())
    assert desk.current.share_bps == 0


@pytest.mark.parametrize("name", [LI, f" {LI} ", "李雷\u3000"])
def test_the_one_who_proposes_is_not_the_second_person(lite: Shop, name: str) -> None:
    one = drafted(lite, ONE)
    move(lite, one, "shadow")
    move(lite, one, "propose_canary", LI, 100)
    for command in ("confirm_canary", "reject"):
        with pytest.raises(CallerError, match="rules_same_person"):
            move(lite, one, command, name, 100)
    with pytest.raises(CallerError, match="share_bps: 100 is proposed"):
        move(lite, one, "confirm_canary", HAN, 10_000)
    move(lite, one, "confirm_canary", HAN, 100)
    move(lite, one, "propose_live", HAN)
    with pytest.raises(CallerError, match="rules_same_person"):
        move(lite, one, "confirm_live", HAN)
    assert move(lite, one, "reject", LI)["state"] == "canary"


def test_repeating_a_word_changes_nothing(lite: Shop) -> None:
    one = drafted(lite, ONE)
    assert drafted(lite, ONE) == one
    words = (("shadow", LI, 0), ("propose_canary", LI, 9), ("confirm_canary", HAN, 9),
             ("propose_live", LI, 0), ("confirm_live", HAN, 0))  # fmt: skip
    for command, by, share_bps in words:
        first = move(lite, one, command, by, share_bps)
        assert move(lite, one, command, by, share_bps) == first


def test_a_late_repetition_never_takes_the_next_step(lite: Shop) -> None:
    one = drafted(lite, ONE)
    canary(lite, one, 9)
    move(lite, one, "propose_live", LI)
    with pytest.raises(CallerError, match="rules_state"):
        move(lite, one, "confirm_canary", HAN, 9)


def test_a_canary_makes_no_place_and_a_live_set_is_only_replaced(lite: Shop) -> None:
    one, two, three = (drafted(lite, text) for text in (ONE, TWO, THREE))
    live(lite, one)
    canary(lite, two, 10)
    for set_id, command in ((three, "shadow"), (one, "retire"), (three, "propose_canary")):
        with pytest.raises(CallerError, match="rules_state"):
            move(lite, set_id, command, share_bps=1)
    move(lite, two, "retire")
    move(lite, three, "shadow")
    move(lite, two, "shadow")  # and back, in place of the other
    assert RuleRepository(lite.reader).roles(now_ms=0).candidate == two
    with pytest.raises(CallerError, match="field_invalid"):
        move(lite, three, "make_place")
    for share_bps in (0, 10_001):
        with pytest.raises(CallerError, match="share_bps"):
            move(lite, two, "propose_canary", LI, share_bps)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("", "rule_invalid: a file of rules holds"),
        (ONE + ONE, "rule_invalid: above_1: the id is taken"),
        (ONE.replace("> 100", "> __import__('os')"), "rule_invalid: above_1: line 1, column"),
        (
            ONE.replace("payment.amount_minor > 100", "payer.__class__ == 'x'"),
            "rule_invalid: above_1: line 1",
        ),
        ("#" * (FILE_BYTES_MAX + 1), "rules_too_large: more than"),
    ],
)
def test_a_hostile_file_is_refused_with_its_place_and_changes_nothing(
    lite: Shop, wrong: str, why: str
) -> None:
    with pytest.raises(CallerError, match=why):
        drafted(lite, wrong)
    assert RuleRepository(lite.reader).sets() == []


def test_a_text_that_was_changed_in_the_database_never_judges(lite: Shop) -> None:
    one, two = drafted(lite, ONE), drafted(lite, TWO)
    live(lite, one)
    desk = desk_of(lite)
    asyncio.run(desk.load())
    before = desk.current
    engine = open_engine(lite.url)
    with engine.begin() as connection:
        changed = {"c": ONE.replace("decline", "allow")}
        connection.execute(text("UPDATE risk_rule_text SET content = :c"), changed)
    engine.dispose()
    move(lite, two, "shadow")
    with pytest.raises(RuleSetError, match="not the one that was drafted"):
        asyncio.run(desk.load())
    assert desk.current is before
    with pytest.raises(RuleSetError, match="not the one"):  # a start does not guess
        asyncio.run(desk_of(lite).load())
    with pytest.raises(RuleSetError, match="no set"):
        RuleRepository(lite.reader).compiled("none")


def test_a_desk_that_runs_takes_up_news_and_outlives_a_database_that_is_away(lite: Shop) -> None:
    is_away = False

    async def run_read(read: Any) -> Any:
        if is_away:
            raise OperatingError("busy")
        return read()

    async def scene() -> None:
        nonlocal is_away
        desk = RuleDesk(
            run_read=run_read,
            repository=RuleRepository(lite.reader),
            clock=lite.clock,
            shipped_live=(),
            use=lambda _rules: None,
        )
        await desk.load()
        task = asyncio.create_task(desk.run())
        one = drafted(lite, ONE)
        live(lite, one)
        for is_away in (True, False):  # noqa: B007  # read by run_read
            desk.wake()
            for _ in range(20):
                await asyncio.sleep(0)
        assert desk.current.live.version == one
        task.cancel()

    with capture_logs() as logs:
        asyncio.run(scene())
    events = [log["event"] for log in logs if log["event"].startswith("rules_")]
    assert events == ["rules_loaded", "rules_not_read", "rules_loaded"]


class Line:
    """``JsonApi`` over a test's client."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def get(self, path: str) -> Any:
        return self._read(self._client.get(path)).json()

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._read(self._client.post(path, json=dict(body))).json()

    def call(self, method: str, path: str, body: bytes, media_type: str) -> bytes:
        headers = {"content-type": media_type}
        answer = self._client.request(method, path, content=body, headers=headers)
        return bytes(self._read(answer).content)

    def _read(self, answer: Any) -> Any:
        assert answer.status_code in {200, 201}, answer.text
        return answer


@pytest.fixture
def http(lite: Shop) -> Iterator[TestClient]:
    web, desk = FastAPI(), desk_of(lite)
    asyncio.run(desk.load())
    add_routes(web, rule_routes.operator_router(services_of(lite), operator_only, desk, sign))

    @web.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=status_of(error))

    bounded = BodyLimit(web, bytes_max=1_000, larger={rule_routes.RULES: FILE_BYTES_MAX})
    with TestClient(bounded, headers=OPERATOR) as client:
        yield client


def test_two_people_bring_a_set_live_at_the_command_line(
    http: TestClient, lite: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, file = tmp_path / "token", tmp_path / "rules.toml"
    token.write_text("operator\n")
    file.write_text(ONE, "utf-8")
    monkeypatch.setattr(rules_cli, "api_of", lambda *_: Line(http))
    monkeypatch.setattr(rules_cli, "now_ms", lite.clock.now_ms)

    def run(*words: str) -> str:
        place = ["--url", "https://b", "--ca", str(token), "--token-file", str(token)]
        done = CliRunner().invoke(app, ["rules", *words, *place], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    li = ("--by", LI, "--words", "查过")
    first = (*li, "--code", phone_of(LI))
    second = ("--by", HAN, "--words", "同意", "--code", phone_of(HAN))
    set_id = run("draft", str(file), *li).partition(":")[0]
    assert run("shadow", set_id, *li) == f"{set_id}: shadow\n"
    assert run("canary", set_id, *first, "--share-bps", "100").endswith("canary_proposed\n")
    assert run("reject", set_id, *second).endswith("shadow\n")
    run("canary", set_id, *first, "--share-bps", "50")
    assert run("approve-canary", set_id, *second, "--share-bps", "50").endswith("canary\n")
    assert run("propose", set_id, *first).endswith("live_proposed\n")
    assert run("approve", set_id, *second).endswith("live\n")
    assert "RulesWentLive" in run("show", set_id)
    assert run("text", set_id) == ONE
    assert "[[rule]]" in run("text", "shipped")
    assert re.search(
        r"proposed until 20\d\d-\d\d-\d\dT", run("suppress", "above_1", *first, "--hours", "2")
    )
    assert "suppression proposed: above_1" in run("sets")
    assert re.search(r"suppressed until 20\d\d-", run("approve-suppression", "above_1", *second))
    assert "suppressed: above_1" in run("sets")
    assert "decides" in run("release", "above_1", *li)
    listed = run("sets")
    assert "suppress" not in listed
    assert set_id in listed
    assert "candidate: none" in listed
    file.write_text(TWO, "utf-8")
    other = run("draft", str(file), *li).partition(":")[0]
    assert run("retire", other, *li).endswith("retired\n")


def test_http_says_what_is_wrong(http: TestClient) -> None:
    place, by = rule_routes.RULES, {"by": LI, "words": "w"}
    for unknown in (
        http.get(f"{place}/none"),
        http.post(f"{place}/none/shadow", json=by),
    ):
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "rules_not_found")
    assert http.get(place, headers={"authorization": "no"}).status_code in {401, 403}
    wrong = http.post(place, params=by, content=ONE.replace("> 100", "> x").encode())
    assert wrong.json()["error"]["code"] == "rule_invalid"
    assert "column 24: there is no fact 'x'" in wrong.text
    assert http.post(place, params=by, content=b"\xff").json()["error"]["code"] == "rule_invalid"
    for told in ({"words": "a\nb"}, {"by": "\x00"}, {"by": ""}):
        assert http.post(place, params=by | told, content=ONE.encode()).status_code == 422
    set_id = http.post(place, params=by, content=ONE.encode()).json()["set_id"]
    refused = http.post(f"{place}/{set_id}/confirm_live", json=signed(LI, "w"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "rules_state")
    assert http.post(f"{place}/{set_id}/make_place", json=by).status_code in {404, 405}
