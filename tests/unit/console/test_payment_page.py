"""A payment's page: its timeline whole, postings in words, and why it was let through."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from backend.console.feature_words import feature_words
from backend.console.payment_judgement import judged
from backend.console.payment_story import ended, ledger_events
from backend.disputes.service import OpenDispute
from backend.listing.export import PAYMENTS
from backend.payments.model import DAY_OFFSET_MS
from backend.risk.cases.model import CaseClock
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from tests.support.channel_world import ChannelWorld
from tests.support.console_world import ConsoleWorld, console_world, page_token
from tests.support.migrated import migrated_sqlite
from tests.support.shop import OTHER_MERCHANT, Shop
from tests.unit.console.test_console_http import paid


@pytest.fixture
def judging(tmp_path: Path) -> Iterator[ConsoleWorld]:
    """A shop whose risk engine judges."""
    engine = Engine(RiskDesk(), CaseClock(lambda _: True, DAY_OFFSET_MS))
    shop = Shop(migrated_sqlite(tmp_path / "shop.db"), engine=engine)
    shop.add_merchant()
    with capture_logs(), console_world(shop) as found:
        found.add("li.na")
        found.add("ops", role="operator", merchant_id="")
        yield found
    shop.close()


def test_operators_read_why_it_was_let_through_and_merchants_only_that_it_was(
    judging: ConsoleWorld,
) -> None:
    path = f"/console/payments/{paid(judging)}?lang=en"
    seen = judging.signed_in("ops").get(path).text
    assert "Judged again" in seen
    assert "the same again" in seen
    assert "features were unknown" in seen
    assert "payer: speed between places (km/h)" in seen
    hidden = judging.signed_in("li.na").get(path).text
    assert "Allowed" in hidden
    for secret in ("Judged again", "features were unknown", "payer: speed"):
        assert secret not in hidden


def test_postings_name_accounts_in_words_and_break_at_colons(world: ConsoleWorld) -> None:
    world.add("li.na")
    page = world.signed_in("li.na").get(f"/console/payments/{paid(world)}?lang=en").text
    assert "Merchant, pending" in page
    assert "C:<wbr>MPEND:<wbr>" in page
    assert "Paid from the balance" in page
    assert "Waits" in page or "In progress" in page


def test_an_attempt_that_waited_for_a_bank_ended_as_its_payment_did() -> None:
    first = {"outcome": "declined", "error_code": "pin_wrong"}
    waited = {"outcome": "processing", "error_code": None}
    payment = {"state": "declined", "error_code": "insufficient_balance"}
    assert ended([first, waited], payment) == [
        first, {"outcome": "declined", "error_code": "insufficient_balance"},
    ]  # fmt: skip
    still = {"state": "processing", "error_code": None}
    assert ended([waited], still) == [waited]


def test_no_fee_is_told_of_what_was_not_paid(world: ConsoleWorld) -> None:
    world.add("li.na")
    payment_id = paid(world)
    (row,) = world.shop.rows(f"SELECT * FROM payment WHERE payment_id = '{payment_id}'")
    fee = PAYMENTS.columns.index("fee")
    assert PAYMENTS.cells(row)[fee] != "0.00"
    assert PAYMENTS.cells({**row, "paid_at_ms": None})[fee] == "0.00"


def test_a_channel_s_postings_are_all_there_with_the_hold_let_go_and_the_refund_taken(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    shop = world.shop
    channels = ChannelWorld(shop)
    try:
        payer = channels.card_payer()
        declined = shop.pay(payer, channels.card_minor + 1)["payment_id"]
        asyncio.run(channels.finish())
        taken = shop.pay(payer, 1_000)["payment_id"]
        asyncio.run(channels.finish())
        refund = shop.refund(taken, 400)["refund_id"]
        asyncio.run(channels.finish())
    finally:
        channels.close()
    http = world.signed_in("li.na")
    for payment_id, keys, words in (
        (declined, [declined], "let go"),
        (taken, [taken, refund], "Refund accepted"),
    ):
        page = http.get(f"/console/payments/{payment_id}?lang=en").text
        posted = [
            row["id"]
            for row in shop.rows("SELECT id FROM ledger_transfer")
            if row["id"].startswith(tuple(keys))
        ]
        shown = "".join(re.findall(r'<ol class="postings">(.*?)</ol>', page, re.DOTALL))
        assert shown.count("<li>") == len(posted), sorted(posted)
        assert words in shown


def test_every_end_of_what_the_ledger_keeps_for_a_payment_is_asked_for() -> None:
    events = ledger_events(
        "pay_1",
        sagas=[{"saga_id": "pay_1"}, {"saga_id": "pay_1.back"}, {"saga_id": "rfd_1"}],
        refunds=[{"refund_id": "rfd_1"}, {"refund_id": "rfd_2"}],
        disputes=[{"dispute_id": "dsp_1"}],
    )
    assert len(set(events)) == len(events)
    assert {
        "pay_1", "pay_1.released", "pay_1.long", "pay_1.back.accepted", "rfd_1.refused", "rfd_2",
        "dsp_1", "dsp_1.withdrawn",
    } <= set(events)  # fmt: skip


def test_a_dispute_stands_in_the_timeline_and_the_merchant_answers_it(world: ConsoleWorld) -> None:
    world.add("li.na")
    world.add("wang", merchant_id=OTHER_MERCHANT)
    payment_id, shop = paid(world), world.shop
    dispute_id = shop.id("dsp")
    shop.do(
        OpenDispute(
            dispute_id=dispute_id, payment_id=payment_id, amount_minor=400, currency="CNY",
            reason="not_received", rules=shop.rules,
        )
    )  # fmt: skip
    http, path = world.signed_in("li.na"), f"/console/payments/{payment_id}"
    page = http.get(f"{path}?lang=en").text
    assert "Disputed by the payer" in page
    form = {"page": page_token(page), "evidence": "货已送达。\r\n签收单 17 号。"}
    answer = http.post(f"{path}/disputes/{dispute_id}/answer", data=form)
    assert answer.url.path == path
    assert "货已送达。 签收单 17 号。" in answer.text
    assert "The merchant has answered" in answer.text
    [kept] = shop.rows("SELECT state FROM dispute")
    assert kept["state"] == "under_review"
    long = http.post(f"{path}/disputes/{dispute_id}/answer", data=form | {"evidence": "证" * 2_000})
    assert long.status_code == 200
    empty = http.post(f"{path}/disputes/{dispute_id}/answer", data=form | {"evidence": " "})
    assert empty.status_code == 400
    other = http.post(f"{path}/disputes/{shop.id('dsp')}/answer", data=form)
    assert "dispute_not_found" in other.text
    theirs = world.signed_in("wang")
    foreign = form | {"page": page_token(theirs.get("/console/today").text)}
    assert theirs.post(f"{path}/disputes/{dispute_id}/answer", data=foreign).status_code == 404


@pytest.mark.parametrize("name", PAYMENT.names)
def test_every_feature_has_words(name: str) -> None:
    words = feature_words(name)
    assert words.en != name
    assert re.search(r"[\u4e00-\u9fff]", words.zh)


def test_contributions_are_told_the_largest_first_with_what_was_known() -> None:
    first, second, third = PAYMENT.names[:3]
    told: dict[str, Any] = {
        "at_ms": 0, "action": "review", "rule": "r", "rules_version": "v", "is_repeated": True,
        "hits": [], "guards": None, "features": {first: 1280.0}, "trouble": "", "challenger": None,
        "score": {
            "model_id": "ab" * 32, "probability": 0.1234, "is_repeated": None,
            "contributions": {first: 0.2, second: -0.8, third: 0.0},
        },
    }  # fmt: skip
    [one] = judged([told])
    assert one.score is not None
    assert one.score.probability == "12.3%"
    assert [
        (part.value, part.effect, part.raises, part.width) for part in one.score.contributions
    ] == [
        ("", "-0.800", False, 100),
        ("1280", "+0.200", True, 25),
    ]
    assert len(one.unknown) == len(PAYMENT.names) - 1
