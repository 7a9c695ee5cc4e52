"""A payment that was given back in many parts stays a page that one can read: a few of each, what
did not arrive first, and the others folded away."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backend.console.limits import FEW_POSTINGS, FEW_ROWS, FEW_STEPS
from backend.console.payment_story import Line, Parted, parted
from backend.notify.model import Tried
from backend.notify.service import ClaimCallbacks, NoteDelivered
from faces.words import Words
from tests.support.console_world import ConsoleWorld, console_world
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop

PARTS = 12


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleWorld]:
    monkeypatch.setattr("backend.console.model.SCRYPT_LOG2_N", 4)
    shop = Shop(migrated_sqlite(tmp_path / "shop.db"))
    shop.add_merchant(notify_url="https://shop.example/news")
    with capture_logs(), console_world(shop) as found:
        found.add("li.na")
        yield found
    shop.close()


def test_a_few_are_shown_and_the_others_folded_with_what_did_not_arrive_first(
    world: ConsoleWorld,
) -> None:
    shop = world.shop
    payment_id = shop.pay(shop.add_payer(balance_minor=5_000), 5_000)["payment_id"]
    for _ in range(PARTS):
        shop.clock.at_ms += 60_000
        shop.refund(payment_id, 100)
    rows = shop.rows("SELECT callback_id FROM outbox_callback ORDER BY created_at_ms")
    waits, *arrived = [str(row["callback_id"]) for row in rows]
    assert len(arrived) == PARTS
    shop.do(ClaimCallbacks(callback_ids=tuple(arrived)))
    for one in arrived:
        shop.do(NoteDelivered(callback_id=one, tried=Tried(status=204, duration_ms=9)))
    page = world.signed_in("li.na").get(f"/console/payments/{payment_id}?lang=en").text
    assert re.findall(r"/console/callbacks/(\w+)", page) == [waits, *arrived[::-1]]
    postings = len(shop.rows("SELECT id FROM ledger_transfer WHERE rule <> 'top_up'"))
    folded = {
        head: int(count)
        for head, count in re.findall(
            r"<section class=\"card\"><h2>([^<]+)</h2>(?:(?!</section>).)*"
            r"<summary>The others \((\d+)\)</summary>",
            page,
            re.DOTALL,
        )
    }
    lines = len(re.findall(r'<li class="(?:own|beside)"><div>', page)) - 1  # the settlement
    assert folded.pop("What happened") == lines - 2 * FEW_STEPS
    assert folded == {
        "Postings": postings - FEW_POSTINGS,
        "Refunds": PARTS - FEW_ROWS,
        "Callbacks": len(rows) - FEW_ROWS,
    }


def test_what_is_short_has_nothing_between() -> None:
    lines = [Line(at_ms=number, words=Words("", "")) for number in range(8)]
    assert parted(lines[:7], 3) == Parted(lines[:7])
    assert parted(lines, 3) == Parted(lines[:3], lines[3:5], lines[5:])


def test_each_attempt_s_outcome_is_told_in_words(world: ConsoleWorld) -> None:
    shop = world.shop
    body = shop.create_body("merchant_qr", 500)
    shop.ask("payment.create", body)
    [row] = shop.rows("SELECT payment_id FROM payment")
    page = world.signed_in("li.na").get(f"/console/payments/{row['payment_id']}?lang=en").text
    attempts = page[page.index("<h2>Attempts</h2>") :]
    assert "Awaiting payer" in attempts
    assert "awaiting_payer" not in attempts


def test_each_callback_s_link_has_a_name_of_its_own(world: ConsoleWorld) -> None:
    shop = world.shop
    payment_id = shop.pay(shop.add_payer(balance_minor=5_000), 5_000)["payment_id"]
    for _ in range(2):
        shop.clock.at_ms += 60_000
        shop.refund(payment_id, 100)
    http = world.signed_in("li.na")
    for path in (f"payments/{payment_id}", "callbacks"):
        page = http.get(f"/console/{path}?lang=en").text
        names = re.findall(r'href="/console/callbacks/\w+" aria-label="([^"]+)"', page)
        assert len(set(names)) == len(names) == 3, path
