"""Lists on a real database, over HTTP and at the command line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import text
from typer.testing import CliRunner

from backend.db import migrate
from backend.db.engine import open_engine
from backend.db.migrate import upgrade
from backend.db.reading import Reader
from backend.db.working_set import WorkingSet
from backend.http_errors import status_of
from backend.risk.lists import limits, model
from backend.risk.lists import routes as list_routes
from backend.risk.lists.model import Entry, ListKind, ListName, is_card_number
from backend.risk.lists.repository import ListRepository
from backend.risk.lists.service import (
    LIST_FACTS,
    PutOnList,
    SetBlock,
    TakeOffList,
    list_facts,
    list_reads,
)
from backend.risk.rules.facts import FIELDS
from faces.routes import add_routes
from protocol.errors import CallerError, TillwayError
from tests.support.shop import START_MS, Shop
from tests.support.wallet_http import OPERATOR, operator_only, services_of
from tillway.risk import lists
from tillway.risk.cli import app

LI = "李雷"
DAY_MS = 86_400_000
PAN = "4111 1111 1111 1111"


def entry(**changes: Any) -> Entry:
    told: dict[str, Any] = {
        "list_name": ListName.BLOCK, "kind": ListKind.PAYER, "value": "payer-1",
        "reason": "盗刷", "owner": "risk",
    }  # fmt: skip
    return Entry(**(told | changes))


def put(shop: Shop, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = shop.do(PutOnList(entry=entry(**changes), by=LI))
    return row


class Ask:
    """What a payment asks of the lists, as a command."""

    def __init__(self, subjects: dict[ListKind, str]) -> None:
        self._subjects = subjects

    def reads(self) -> Any:
        return list_reads(self._subjects)

    def decide(self, ws: WorkingSet, now_ms: int) -> dict[str, bool]:
        return list_facts(ws, self._subjects, now_ms)


def facts_true(shop: Shop, **subjects: str) -> set[str]:
    found = shop.do(Ask({ListKind(kind): value for kind, value in subjects.items()}))
    assert set(found) == {name for name in FIELDS if name.startswith("list.")}
    return {name for name, is_so in found.items() if is_so}


def test_every_fact_of_the_rules_is_told_by_a_list(shop: Shop) -> None:
    for fact, list_name, kind in LIST_FACTS:
        if kind is ListKind.ADDRESS:
            continue  # see below
        until_ms = shop.clock.at_ms + DAY_MS
        put(shop, list_name=list_name, kind=kind, value=f"a {kind}", until_ms=until_ms)
        assert facts_true(shop, **{kind.value: f"a {kind}"}) == {fact}
        assert facts_true(shop, **{kind.value: "another"}) == set()


def test_a_value_is_on_one_list_and_an_entry_ends(shop: Shop) -> None:
    put(shop)
    assert facts_true(shop, payer="payer-1", card="") == {"list.block_payer"}
    put(shop, list_name=ListName.GREY, until_ms=START_MS + DAY_MS)
    shop.clock.at_ms = START_MS + DAY_MS - 1
    assert facts_true(shop, payer="payer-1") == {"list.grey_payer"}
    repository = ListRepository(shop.reader)
    assert len(repository.entries(ListName.GREY, now_ms=shop.clock.at_ms)) == 1
    assert repository.entries(ListName.BLOCK, now_ms=shop.clock.at_ms) == []
    shop.clock.at_ms += 1
    assert facts_true(shop, payer="payer-1") == set()
    assert repository.entries(ListName.GREY, now_ms=shop.clock.at_ms) == []
    found = repository.events(ListKind.PAYER, "payer-1")
    assert [(step["list_before"], step["list_after"]) for step in found] == [
        ("block", "grey"), ("", "block"),
    ]  # fmt: skip


def test_what_is_taken_off_is_on_no_list_and_stays_told(lite: Shop) -> None:
    first = put(lite)
    assert put(lite) == first
    off = TakeOffList(kind=ListKind.PAYER, value="payer-1", reason="误报", by=LI)
    assert lite.do(off)["list_name"] == ""
    assert lite.do(off) == lite.do(off)
    assert facts_true(lite, payer="payer-1") == set()
    told = ListRepository(lite.reader).events(ListKind.PAYER, "payer-1")
    assert [step["reason"] for step in told] == ["误报", "盗刷"]
    with pytest.raises(CallerError, match="list_entry_not_found"):
        lite.do(TakeOffList(kind=ListKind.PAYER, value="payer-2", reason="x", by=LI))


@pytest.mark.parametrize(
    ("kind", "why", "zh"), [(ListKind.NAME, "risk screen looks", "筛查"),
                            (ListKind.ADDRESS, "network address", "网络地址")]
)  # fmt: skip
def test_what_no_payment_tells_is_refused_in_words_and_what_was_listed_can_be_taken_off(
    lite: Shop, monkeypatch: pytest.MonkeyPatch, kind: ListKind, why: str, zh: str
) -> None:
    with pytest.raises(CallerError, match=why) as refused:
        put(lite, kind=kind, value="Ｌｉ  Lei")
    assert zh in refused.value.detail_zh
    with monkeypatch.context() as earlier:
        earlier.setattr(model, "_UNTOLD", {})
        put(lite, kind=kind, value="Ｌｉ  Lei")
    row = ListRepository(lite.reader).entry(kind, " li lei")
    assert row is not None
    assert row["value"] == "li lei"  # in another width, case and spacing it is the same
    taken = lite.do(TakeOffList(kind=kind, value="LI LEI", reason="误报", by=LI))
    assert taken["list_name"] == ""


@pytest.mark.parametrize("written", [" payer-1", "payer-1 ", "\u3000payer-1\u00a0"])
def test_an_id_that_was_copied_with_blanks_is_the_id(lite: Shop, written: str) -> None:
    put(lite, value=written)
    assert facts_true(lite, payer="payer-1") == {"list.block_payer"}
    lite.do(TakeOffList(kind=ListKind.PAYER, value=f"{written} ", reason="误报", by=LI))
    assert facts_true(lite, payer="payer-1") == set()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"value": " "}, "value"),
        ({"value": "\ufeffpayer-1"}, "nobody sees"),
        ({"kind": ListKind.DEVICE, "value": "dev\u200b_1"}, "nobody sees"),
        ({"value": "x" * (limits.VALUE_CHARS_MAX + 1)}, "value"),
        ({"reason": ""}, "reason"),
        ({"owner": "x" * (limits.OWNER_CHARS_MAX + 1)}, "owner"),
        ({"until_ms": START_MS}, "until_ms is over"),
        ({"list_name": ListName.ALLOW}, "at most 366 days"),
        ({"list_name": ListName.ALLOW, "until_ms": START_MS + 367 * DAY_MS}, "at most 366 days"),
        ({"kind": ListKind.CARD, "value": PAN}, "named by its instrument"),
        ({"value": PAN.replace(" ", "")}, "named by its instrument"),
        ({"kind": ListKind.CARD, "value": "6222020200112233445"}, "named by its instrument"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(lite: Shop, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(CallerError, match=why):
        put(lite, **changes)
    with pytest.raises(CallerError, match="by"):
        lite.do(PutOnList(entry=entry(), by=" "))
    assert lite.rows("SELECT value FROM risk_list_entry") == []


def test_a_card_number_is_told_by_its_check_digit() -> None:
    assert is_card_number(PAN)
    assert not is_card_number(PAN[:-1] + "2")
    assert not is_card_number("4111")
    assert not is_card_number("payer4111111111111111")


class Line:
    """``JsonApi`` over a test's client."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def get(self, path: str) -> Any:
        return self._read(self._client.get(path))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._read(self._client.post(path, json=dict(body)))

    def _read(self, answer: Any) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def http(lite: Shop) -> Iterator[TestClient]:
    web = FastAPI()
    add_routes(web, list_routes.operator_router(services_of(lite), operator_only))

    @web.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=status_of(error))

    with TestClient(web, headers=OPERATOR) as client:
        yield client


def test_the_command_line_puts_shows_and_takes_off(
    lite: Shop, http: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("operator\n")
    monkeypatch.setattr(lists, "api_of", lambda *_: Line(http))

    def run(*words: str) -> str:
        place = ["--url", "https://b", "--ca", str(token), "--token-file", str(token)]
        done = CliRunner().invoke(app, ["lists", *words, *place], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    monkeypatch.setattr("backend.risk.lists.repository.ENTRIES_PER_PAGE_MAX", 1)
    why = ("--by", LI, "--reason", "电话举报")
    assert run("put", "block", "device", "d-1", *why) == "device d-1: block\n"
    put(lite, value="payer-9")
    listed = run("list", "block")
    assert "d-1" in listed
    assert "payer-9" in listed
    assert listed.count("│ -  ") == 2, "until somebody takes it off"
    assert run("put", "grey", "device", "d-1", *why, "--days", "36500").endswith("grey\n")
    assert "block  grey  李雷  电话举报" in run("show", "device", "d-1")
    assert run("take-off", "device", "d-1", *why) == "device d-1: on no list\n"


def test_only_an_operator_sees_lists_and_what_is_unknown_is_said(http: TestClient) -> None:
    place = list_routes.LISTS
    assert http.get(f"{place}/block", headers={"authorization": "no"}).status_code in {401, 403}
    unknown = http.post(f"{place}/look_up", json={"kind": "payer", "value": "nobody"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "list_entry_not_found")
    assert http.post(f"{place}/look_up", json={"kind": "x", "value": "y"}).status_code == 422


def test_a_payer_is_blocked_and_freed_on_the_one_block_list(lite: Shop) -> None:
    payer = lite.add_payer(balance_minor=1_000)
    lists = ListRepository(lite.reader)
    assert lite.do(SetBlock(payer_id=payer, is_on=False, reason="nothing to do")) is False
    assert lists.entry(ListKind.PAYER, payer) is None
    assert lite.do(SetBlock(payer_id=payer, is_on=True, reason="stolen phone")) is True
    assert lite.pay(payer, 100)["error"]["code"] == "risk_declined"
    [entry] = lists.entries(ListName.BLOCK, now_ms=lite.clock.at_ms)
    assert (entry["value"], entry["reason"], entry["owner"]) == (payer, "stolen phone", "operator")
    assert lite.do(SetBlock(payer_id=payer, is_on=False, reason="phone found")) is False
    assert lite.pay(payer, 100)["state"] == "captured"
    trusted = Entry(list_name=ListName.ALLOW, kind=ListKind.PAYER, value=payer, reason="r",
                    owner="o", until_ms=lite.clock.at_ms + 1_000)  # fmt: skip
    lite.do(PutOnList(entry=trusted, by="李雷"))
    lite.do(SetBlock(payer_id=payer, is_on=False, reason="again"))
    row = lists.entry(ListKind.PAYER, payer)
    assert row is not None
    assert row["list_name"] == "allow"  # freeing takes nobody off another list


def test_payers_of_the_older_block_list_are_blocked_on_the_lists(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        config = Config()
        scripts = Path(migrate.__file__).parent / "migrations"
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        for revision in ("risk_lists_0001", "payments_0001"):
            command.upgrade(config, revision)
        for payer, until_ms, is_on in (("new", 0, 1), ("trusted", 9, 1), ("longer", 0, 1),
                                       ("freed", 0, 0)):  # fmt: skip
            connection.execute(text("INSERT INTO risk_block VALUES (:p, 'why', :u, :o, 5)"),
                               {"p": payer, "u": until_ms, "o": is_on})  # fmt: skip
        for value, list_name, until_ms in (("trusted", "allow", 7), ("longer", "block", 7)):
            connection.execute(
                text("INSERT INTO risk_list_entry (kind, value, list_name, reason, owner, until_ms,"
                     " updated_at_ms, event_count)"
                     " VALUES ('payer', :v, :l, 'r', 'o', :u, 1, 1)"),
                {"v": value, "l": list_name, "u": until_ms},
            )  # fmt: skip
    engine.dispose()
    upgrade(database_url)
    with Reader.opened(database_url) as reader:
        lists = ListRepository(reader)
        rows = {row["value"]: row for row in lists.entries(ListName.BLOCK, now_ms=0)}
        assert {name: row["until_ms"] for name, row in rows.items()} == {
            "new": 0, "trusted": 9, "longer": 0,
        }  # fmt: skip
        assert {row["reason"] for row in rows.values()} == {"why"}
        assert [rows[name]["event_count"] for name in ("new", "trusted")] == [1, 2]
        [event] = lists.events(ListKind.PAYER, "trusted")
        assert (event["number"], event["list_before"], event["actor"]) == (2, "allow", "operator")
