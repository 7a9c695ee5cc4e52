"""Callbacks for programs and commands: by the fields of the console's page, of all merchants."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from backend.listing.filters import TypedCallbacks
from backend.listing.schemas import CallbackPageQuery
from protocol.errors import CallerError
from tests.support.callbacks import PutCallback, dead_letter
from tests.support.console_world import ConsoleWorld
from tests.support.shop import MERCHANT, OTHER_MERCHANT
from tests.support.wallet_http import OPERATOR
from tests.unit.console.test_operator_lists import Line, asked
from tillway import callback, operator_place

DAY_MS = 24 * 3_600_000


class Acting(Line):
    """Commands that change something, too."""

    def post(self, path: str, _body: Any = None) -> Any:
        answer = self.http.post(path, headers=OPERATOR)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def three(world: ConsoleWorld) -> list[str]:
    """One given up, another merchant's a day later, and one of a refund that waits; the latest
    first."""
    dead = dead_letter(world.shop, 1)
    world.shop.clock.at_ms += DAY_MS
    other = str(world.shop.do(PutCallback(number=2, merchant_id=OTHER_MERCHANT)))
    world.shop.clock.at_ms += 1_000
    waits = str(world.shop.do(PutCallback(number=3, event_type="refund.succeeded")))
    return [waits, other, dead]


def test_they_are_found_by_what_the_page_asks_and_without_a_merchant_too(
    world: ConsoleWorld, three: list[str]
) -> None:
    waits, other, dead = three
    [first_day] = {row["created_at_ms"] for row in asked_rows(world, "state=dead")}
    on = world.shop.rules.business_date(first_day)
    for query, found in (
        ("", three),
        (f"merchant={MERCHANT}", [waits, dead]),
        ("merchant=nobody", []),
        ("state=dead", [dead]),
        ("kind=refund.succeeded", [waits]),
        (f"until={on}", [dead]),
        (f"since={on}&kind=payment.captured", [other, dead]),
        ("until=2026-01-01", []),
    ):
        assert [row["callback_id"] for row in asked_rows(world, query)] == found, query


def test_pages_go_on_behind_the_last_row(world: ConsoleWorld, three: list[str]) -> None:
    with world.browser() as http:
        first = asked(http, "callbacks?limit=2")
        rest = asked(http, f"callbacks?limit=2&after={first['after']}")
        whole = asked(http, "callbacks?limit=3")
    told = [row["callback_id"] for row in (*first["callbacks"], *rest["callbacks"])]
    assert (told, rest["after"], whole["after"]) == (three, None, None)
    assert "body" not in first["callbacks"][0]


@pytest.mark.parametrize(
    ("query", "field"),
    [("since=yesterday", "since"), ("state=lost", "state"), ("after=soon", "after")],
)
def test_what_cannot_be_read_is_named(world: ConsoleWorld, query: str, field: str) -> None:
    with world.browser() as http:
        answer = http.get(f"/operator/v1/callbacks?{query}", headers=OPERATOR)
    assert answer.status_code == 400
    assert answer.json()["error"]["detail"] == field


def test_a_program_has_every_field_that_a_person_has() -> None:
    assert set(CallbackPageQuery.model_fields) == {*TypedCallbacks.__slots__, "after", "limit"}


def test_a_command_finds_one_shows_it_and_sends_it_again(
    world: ConsoleWorld, three: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = three[-1]
    Acting.http = world.browser()
    monkeypatch.setattr(operator_place, "JsonApi", Acting)
    (tmp_path / "token").write_text("operator")
    place = ["--url", "https://b", "--ca", "ca.crt", "--token-file", str(tmp_path / "token")]

    def say(*words: str) -> Result:
        return CliRunner().invoke(callback.app, [*words, *place])

    [line, more] = say("list", "--merchant", MERCHANT, "--limit", "1").output.splitlines()
    assert line.split()[0] == three[0]
    [line] = say("list", "--merchant", MERCHANT, "--after", more.split()[-1]).output.splitlines()
    assert line.startswith(f"{dead}  ")
    assert line.endswith(f"{MERCHANT}  status 500")
    assert json.loads(say("show", dead).output)["tries"][0]["error"] == "status 500"
    assert say("replay", dead).output == f"{dead} is pending\n"
    assert say("list", "--state", "dead").output == "none\n"
    refused = say("list", "--since", "yesterday").exception
    assert isinstance(refused, CallerError)
    assert (refused.code, refused.detail) == ("date_invalid", "since")


def asked_rows(world: ConsoleWorld, query: str) -> list[dict[str, Any]]:
    with world.browser() as http:
        found: list[dict[str, Any]] = asked(http, f"callbacks?{query}")["callbacks"]
    return found
