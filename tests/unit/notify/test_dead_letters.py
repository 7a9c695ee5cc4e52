"""Dead letters: listed in pages, looked at with their history, sent again, by HTTP and by hand."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from backend.notify import dead_letters
from backend.notify.cli import app
from backend.notify.figures import CallbackFigures
from backend.notify.limits import CALLBACK_GAPS_MS
from backend.notify.model import Place
from backend.notify.repository import CallbackRepository
from backend.observability.metrics import Metrics
from backend.shop_time import shown_time
from protocol.errors import CallerError
from tests.support.callbacks import PutCallback, dead_letter
from tests.support.shop import OTHER_MERCHANT, START_MS, Shop
from tests.support.wallet_http import OPERATOR, client_of, services_of

PATH = "/operator/v1/dead-letters"
DAY_MS = 86_400_000
PAN = "6222021234567890128"


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with client_of(shop) as client:
        client.headers.update(OPERATOR)
        yield client


def listed(client: TestClient, **query: Any) -> list[str]:
    """The ids of all pages."""
    ids: list[str] = []
    after = ""
    while True:
        page = client.get(PATH, params={**query, "after": after}).json()
        ids += [row["callback_id"] for row in page["dead_letters"]]
        after = page["after"]
        if after is None:
            return ids


def cli(shop: Shop, *words: str) -> Result:
    found = CliRunner(env={"COLUMNS": "20"}).invoke(
        app, [words[0], "--database", shop.url, *words[1:]]
    )
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def test_pages_hold_every_dead_letter_once_the_last_given_up_first(
    shop: Shop, client: TestClient
) -> None:
    dead = [dead_letter(shop, number) for number in range(5)]
    shop.do(PutCallback(number=9))
    assert listed(client, limit=2) == dead[::-1]
    assert listed(client, limit=5) == dead[::-1]
    [row] = client.get(PATH, params={"limit": 1}).json()["dead_letters"]
    assert row["died_at_ms"] == shop.clock.at_ms - 1_000
    assert "body" not in row


def test_those_given_up_in_one_moment_are_told_apart(shop: Shop, client: TestClient) -> None:
    dead = set()
    for number in range(3):
        shop.clock.at_ms = START_MS
        dead.add(dead_letter(shop, number))
    found = listed(client, limit=1)
    assert (len(found), set(found)) == (3, dead)


def test_a_filter_narrows_by_merchant_event_and_the_dates_they_were_given_up(
    shop: Shop, client: TestClient
) -> None:
    first = dead_letter(shop, 1)
    other = dead_letter(shop, 2, merchant_id=OTHER_MERCHANT)
    shop.clock.at_ms += 2 * DAY_MS
    refund = dead_letter(shop, 3, event_type="refund.succeeded")
    assert listed(client) == [refund, other, first]
    assert listed(client, merchant=OTHER_MERCHANT) == [other]
    assert listed(client, kind="refund.succeeded") == [refund]
    last = shown_time(shop.clock.at_ms - 1_000, "%Y-%m-%d")
    assert listed(client, since=last) == [refund]
    assert listed(client, until=last, kind="payment.captured") == [other, first]
    before = shown_time(shop.clock.at_ms - DAY_MS, "%Y-%m-%d")
    assert listed(client, until=before) == [other, first]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"since": "soon"}, "date_invalid"),
        ({"merchant": "mch_"}, "field_invalid"),
        ({"since_ms": "1"}, "since_ms"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_and_not_left_out(
    client: TestClient, query: dict[str, str], code: str
) -> None:
    refused = client.get(PATH, params=query)
    assert refused.status_code in {400, 422}
    assert code in refused.text


@pytest.mark.parametrize("text", ["soon", "1.", f"{'9' * 16}.evt_1", "².evt_1", "-1.evt_1"])
def test_a_page_that_nobody_gave_out_is_refused(text: str) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        Place.read(text)


def test_one_is_shown_with_its_masked_body_and_every_try(shop: Shop, client: TestClient) -> None:
    secret = {"pay_code": "134711234908172635", "note": f"card {PAN}", "amount_minor": 500}
    dead = dead_letter(shop, 1, resource=secret)
    shown = client.get(f"{PATH}/{dead}").json()
    assert shown["body"]["resource"] == {
        "pay_code": "***", "note": "card ***0128", "amount_minor": 500,
    }  # fmt: skip
    assert PAN in shop.rows("SELECT body FROM outbox_callback")[0]["body"], "what is sent is whole"
    tries = shown["tries"][::-1]
    assert [one["number"] for one in tries] == list(range(1, len(CALLBACK_GAPS_MS) + 2))
    gaps = [one["next_try_ms"] - one["at_ms"] for one in tries[:-1]]
    assert tuple(gaps) == CALLBACK_GAPS_MS
    assert tries[-1]["next_try_ms"] is None
    assert {one["error"] for one in tries} == {"status 500"}


def test_a_replay_begins_anew_and_is_remembered_with_its_author(
    shop: Shop, client: TestClient
) -> None:
    dead = dead_letter(shop, 1)
    assert client.post(f"{PATH}/{dead}/replay").json() == {"callback_id": dead, "state": "pending"}
    assert client.post(f"{PATH}/{dead}/replay").json()["state"] == "pending"
    shown = client.get(f"{PATH}/{dead}").json()
    assert (shown["state"], shown["failed_tries"], shown["try_count"]) == ("pending", 0, 17)
    newest, before = shown["tries"][:2]
    assert (newest["outcome"], newest["actor"]) == ("replayed", "operator")
    assert (newest["at_ms"], newest["next_try_ms"]) == (shop.clock.at_ms, shop.clock.at_ms)
    assert (before["outcome"], before["number"]) == ("failed", 16)
    assert listed(client) == []


def test_an_unknown_callback_is_said(client: TestClient) -> None:
    for method, tail in (("GET", ""), ("POST", "/replay")):
        answer = client.request(method, f"{PATH}/evt_nobody{tail}").json()
        assert answer["error"]["code"] == "callback_unknown"


def test_those_that_match_are_replayed_and_no_others(
    shop: Shop, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = [dead_letter(shop, number) for number in range(3)]
    other = dead_letter(shop, 9, merchant_id=OTHER_MERCHANT)
    assert client.post(f"{PATH}/replay", json={}).json()["error"]["code"] == "field_invalid"
    monkeypatch.setattr(dead_letters, "DEAD_LETTERS_PER_REPLAY_MAX", 2)
    wanted = {"merchant": "mch_1001"}
    first = client.post(f"{PATH}/replay", json=wanted).json()
    assert first == {"replayed": [mine[2], mine[1]], "remaining": 1}
    assert client.post(f"{PATH}/replay", json=wanted).json()["remaining"] == 0
    assert listed(client) == [other]
    assert client.post(f"{PATH}/replay", json={"all": True}).json()["replayed"] == [other]


def test_by_hand_they_are_listed_shown_and_replayed_alike(shop: Shop) -> None:
    dead = [dead_letter(shop, number) for number in range(2)]
    other = dead_letter(shop, 9, merchant_id=OTHER_MERCHANT)
    said = cli(shop, "list", "--limit", "1", "--merchant", "mch_1001").output
    assert f"--after {shop_place(shop, dead[1])}" in said
    assert said.count(dead[1]) == 2
    later = datetime.fromtimestamp(shop.clock.at_ms // 1000 + 1, UTC)
    assert "evt_" not in cli(shop, "list", "--since", f"{later:%Y-%m-%dT%H:%M:%S}").output
    shown = json.loads(cli(shop, "show", dead[0]).output)
    assert (shown["callback_id"], len(shown["tries"])) == (dead[0], 16)
    assert cli(shop, "replay", dead[0]).output == f"{dead[0]}: pending\n"
    assert "still match: 0" in cli(shop, "replay", "--merchant", "mch_1001").output
    states = shop.rows("SELECT callback_id, state FROM outbox_callback WHERE state = 'dead'")
    assert states == [{"callback_id": other, "state": "dead"}]
    actors = shop.rows("SELECT actor FROM outbox_try WHERE outcome = 'replayed'")
    assert actors == [{"actor": f"cli:uid-{os.getuid()}"}] * 2
    missing = cli(shop, "replay", "evt_nobody")
    assert (missing.exit_code, "not found" in missing.output) == (1, True)


def shop_place(shop: Shop, callback_id: str) -> str:
    query = f"SELECT next_try_ms FROM outbox_callback WHERE callback_id = '{callback_id}'"
    return f"{shop.rows(query)[0]['next_try_ms']}.{callback_id}"


@pytest.mark.parametrize("words", [(), ("evt_1", "--all"), ("evt_1", "--merchant", "mch_1001")])
def test_by_hand_nothing_is_replayed_that_was_not_meant(words: tuple[str, ...]) -> None:
    with pytest.raises(CallerError, match="--all"):
        CliRunner().invoke(app, ["replay", "--database", "none", *words], catch_exceptions=False)


@pytest.mark.asyncio
async def test_the_outbox_is_told_in_numbers(shop: Shop) -> None:
    dead_letter(shop, 1)
    shop.do(PutCallback(number=2))
    shop.clock.at_ms += 6_500
    services, metrics = services_of(shop), Metrics()
    figures = CallbackFigures(
        repository=CallbackRepository(shop.reader),
        run_read=services.run_read,
        clock=shop.clock,
        metrics=metrics,
    )
    await figures.read()
    said = metrics.render().decode()
    assert 'tillway_callbacks{state="pending"} 1.0' in said
    assert 'tillway_callbacks{state="dead"} 1.0' in said
    assert "tillway_callbacks_oldest_seconds 6.0" in said
    assert "tillway_callbacks_overdue_seconds 6.0" in said
