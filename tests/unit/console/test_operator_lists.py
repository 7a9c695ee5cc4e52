"""The lists of payments and refunds for programs and commands: what the console's pages show."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from backend.devices.service import CreateStore
from backend.listing.filters import TypedFilter, TypedPayments, TypedRefunds
from backend.listing.schemas import PaymentQuery, RefundQuery
from protocol.errors import CallerError, OperatingError, from_code
from tests.support.console_world import ConsoleWorld
from tests.support.shop import MERCHANT, OTHER_MERCHANT
from tests.support.wallet_http import OPERATOR
from tests.unit.console.test_console_http import paid
from tests.unit.console.test_merchant_lists import enrolled, given_back
from tillway import operator_place, payment, refund

API = "/operator/v1"
FILTERS = {
    "payments": (
        "", "state=captured", "state=partially_refunded", "amount=10.00", "amount=3", "store=东门",
        f"merchant={MERCHANT}", f"merchant={OTHER_MERCHANT}", "merchant=nobody", "device=nowhere",
        "since=2026-11-23", "until=2026-11-22", "day=2026-11-23", "state=unknown",
    ),
    "refunds": (
        "", "state=succeeded", "state=failed", "amount=2.50", "store=东门", "who=ash", "who=nobody",
        f"merchant={MERCHANT}", f"merchant={OTHER_MERCHANT}", "since=2026-11-23",
        "until=2026-11-22",
    ),
}  # fmt: skip
IDS = {"payments": "payment_id", "refunds": "refund_id"}


@pytest.fixture
def shops(world: ConsoleWorld) -> ConsoleWorld:
    """Payments of several amounts, some given back, one refused, in a store that has a name."""
    world.add("ops", role="operator", merchant_id="")
    given_back(world, 100)
    given_back(world, 250)
    given_back(world, 1_001)
    paid(world, 300)
    [row, *_] = world.shop.rows("SELECT store FROM payment")
    world.shop.do(CreateStore(store=row["store"], merchant_id=MERCHANT, name="东门店"))
    return world


def asked(http: TestClient, path: str) -> Any:
    answer = http.get(f"{API}/{path}", headers=OPERATOR)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("name", FILTERS)
def test_a_program_gets_the_rows_the_sums_and_the_file_of_the_console_s_page(
    shops: ConsoleWorld, name: str
) -> None:
    page, program = shops.signed_in("ops"), shops.browser()
    seen = set()
    for query in FILTERS[name]:
        html = page.get(f"/console/{name}?{query}").text
        shown = re.findall(r"<code class=\"id\">((?:pay|rfd)_\w+)</code>", html)
        shown = [one for one in shown if one.startswith(IDS[name][0])]
        found = asked(program, f"{name}?{query}")
        assert [row[IDS[name]] for row in found[name]] == shown, query
        assert found["after"] is None
        assert found["sums"]["is_all"]
        assert sum(one["count"] for one in found["sums"]["by_state"]) == len(shown), query
        file = program.get(f"{API}/{name}/csv?{query}", headers=OPERATOR)
        assert file.headers["content-type"] == "text/csv; charset=utf-8"
        assert file.content == page.get(f"/console/{name}.csv?{query}").content
        seen.add(tuple(shown))
    assert len(seen) >= 4  # the filters told the rows apart


def test_a_payment_is_found_by_its_number(shops: ConsoleWorld) -> None:
    http, payment_id = shops.browser(), paid(shops, 777)
    [row] = asked(http, f"payments?number={payment_id}")["payments"]
    assert (row["payment_id"], row["amount_minor"]) == (payment_id, 777)
    assert asked(http, "payments?number=pay_0")["payments"] == []


@pytest.mark.parametrize("name", FILTERS)
def test_pages_go_on_by_key_and_the_first_alone_has_sums(shops: ConsoleWorld, name: str) -> None:
    http, whole = shops.browser(), asked(shops.browser(), name)[name]
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        answer = asked(http, f"{name}?limit=1&after={after}")
        assert (answer["sums"] is None) == bool(after)
        found += answer[name]
        after = answer["after"]
    assert found == whole
    assert len(found) >= 3


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("state=paid", "field_invalid", "state"),
        ("amount=1e3", "amount_invalid", "amount"),
        ("since=1", "date_invalid", "since"),
        ("until=9999-12-31", "date_invalid", "until"),
        ("after=1~x'y", "field_invalid", "after"),
        ("after=1", "field_invalid", "after"),
        ("limit=501", "field_invalid", "query.limit"),
        ("colour=red", "field_invalid", "query.colour"),
        (f"store={'x' * 201}", "field_invalid", "store"),
        ("merchant=%00", "field_invalid", "merchant"),
    ],
)
def test_a_filter_that_cannot_be_read_is_named(
    world: ConsoleWorld, query: str, code: str, field: str
) -> None:
    with world.browser() as http:
        for name in FILTERS:
            answer = http.get(f"{API}/{name}?{query}", headers=OPERATOR)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["detail"]) == (400, code, field)
            assert error["zh"]
            assert error["en"]


def test_a_name_that_several_have_is_refused_with_all_of_them(shops: ConsoleWorld) -> None:
    for store in ("s1", "s2"):
        shops.shop.do(CreateStore(store=store, merchant_id=MERCHANT, name="西门店"))
    answer = shops.browser().get(f"{API}/payments/csv?store=西门", headers=OPERATOR)
    error = answer.json()["error"]
    assert (error["code"], error["detail"]) == (
        "field_invalid", "store: 西门店 · s1, 西门店 · s2",
    )  # fmt: skip


def test_a_merchant_s_stores_are_listed_with_their_devices(shops: ConsoleWorld) -> None:
    shops.shop.do(CreateStore(store="s1", merchant_id=MERCHANT, name="西门店"))
    enrolled(shops.shop, "s1", "till1", "till2")
    stores = asked(shops.browser(), f"merchants/{MERCHANT}/stores")["stores"]
    [found] = [one for one in stores if one["store"] == "s1"]
    assert found == {"store": "s1", "name": "西门店", "device_count": 2, "online_count": 0}
    assert asked(shops.browser(), f"merchants/{OTHER_MERCHANT}/stores") == {"stores": []}


def test_nobody_else_reads_them(world: ConsoleWorld) -> None:
    for path in ("payments", "payments/csv", "refunds", "refunds/csv"):
        assert world.browser().get(f"{API}/{path}").status_code == 401


@pytest.mark.parametrize(
    ("typed", "query"), [(TypedPayments, PaymentQuery), (TypedRefunds, RefundQuery)]
)
def test_a_program_has_every_field_that_a_person_has(
    typed: type[TypedFilter], query: type[PaymentQuery | RefundQuery]
) -> None:
    assert set(query.model_fields) == set(typed.__slots__)


class Line:
    """The backend as commands reach it, without a socket."""

    http: TestClient
    is_cut = False

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def get(self, path: str) -> Any:
        answer = self.http.get(path, headers=OPERATOR)
        if answer.status_code != 200:
            error = answer.json()["error"]
            raise from_code(error["code"], error["detail"])
        return answer.json()

    def download(self, path: str, take: Callable[[bytes], None]) -> None:
        answer = self.http.get(path, headers=OPERATOR)
        take(answer.content)
        if self.is_cut:
            raise OperatingError("server_unreachable", "7 bytes are missing")


@pytest.fixture
def say(
    shops: ConsoleWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Give a command as an operator does."""
    Line.http, Line.is_cut = shops.browser(), False
    monkeypatch.setattr(operator_place, "JsonApi", Line)
    token = tmp_path / "token"
    token.write_text("operator")
    place = ["--url", "https://b", "--ca", "ca.crt", "--token-file", str(token)]
    apps = {"payment": payment.app, "refund": refund.app}
    return lambda group, *words: CliRunner().invoke(apps[group], [*words, *place])


def test_commands_list_what_is_wanted_and_say_how_to_go_on(say: Callable[..., Result]) -> None:
    told = say("refund", "list", "--state", "succeeded", "--limit", "1").output.splitlines()
    assert [told[0].split(), told[1][:4]] == [["succeeded", "2", "3.50", "CNY"], "rfd_"]
    assert told[2].startswith("more: --after ")
    rest = say("refund", "list", "--state", "succeeded", "--after", told[2].split()[-1])
    [line] = rest.output.splitlines()
    assert " 1.00 CNY  pay_" in line
    assert say("payment", "list", "--merchant", OTHER_MERCHANT).output == "none\n"
    three = say("payment", "list", "--amount", "3").output.splitlines()
    assert [three[0].split(), "3.00 CNY" in three[1]] == [["captured", "1", "3.00", "CNY"], True]


def test_a_command_says_which_field_is_wrong(say: Callable[..., Result]) -> None:
    refused = say("payment", "list", "--since", "yesterday").exception
    assert isinstance(refused, CallerError)
    assert (refused.code, refused.detail) == ("date_invalid", "since")


@pytest.mark.parametrize("group", ["payment", "refund"])
def test_a_file_has_its_name_once_it_is_whole(
    say: Callable[..., Result], tmp_path: Path, group: str
) -> None:
    out = tmp_path / "out.csv"
    Line.is_cut = True
    cut = say(group, "csv", "--out", str(out)).exception
    assert isinstance(cut, OperatingError)
    assert not list(tmp_path.glob("out*"))
    Line.is_cut = False
    assert say(group, "csv", "--out", str(out)).exit_code == 0
    assert out.read_bytes() == Line.http.get(f"{API}/{group}s/csv", headers=OPERATOR).content
