"""A payment's page shows how it was shared out: rounds, returns, and what went back by itself."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.sharing.sweep import carry_on_sharing
from tests.support.console_world import ConsoleWorld, console_world
from tests.support.merchant_caller import Caller, caller_of
from tests.support.migrated import migrated_sqlite
from tests.support.shop import OTHER_MERCHANT, Shop
from tests.support.wallet_http import services_of
from tests.unit.merchant_api.test_profit_sharing import (
    DAY_MS,
    MINUTE_MS,
    add,
    give_back,
    other_number,
    paid,
    share,
    to,
    unfreeze,
)


@pytest.fixture
def sharer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """A merchant's program, beside another merchant."""
    shop = Shop(migrated_sqlite(tmp_path / "shop.db"))
    shop.add_merchant()
    shop.add_merchant(OTHER_MERCHANT)
    with caller_of(shop, monkeypatch) as found:
        yield found
    shop.close()


@pytest.fixture
def looking(sharer: Caller) -> Iterator[ConsoleWorld]:
    """The console on the same books."""
    with console_world(sharer.shop) as found:
        found.add("li.na")
        yield found


def test_rounds_returns_and_the_rest_s_release_are_among_the_postings(
    sharer: Caller, looking: ConsoleWorld
) -> None:
    transaction_id, frozen = paid(sharer)
    mchid = other_number(sharer)
    add(sharer, "MERCHANT_ID", mchid)
    sharer.shop.clock.at_ms += MINUTE_MS
    for number, amount in (("P1", 200), ("P2", 100)):
        share(sharer, transaction_id, number, to("MERCHANT_ID", mchid, amount), last=False)
    give_back(sharer, "R1", mchid, 150)
    unfreeze(sharer, transaction_id, "P3")
    assert [rule for rule in _rules(looking, frozen) if "har" in rule] == [
        "Frozen for sharing", "Share paid", "Share paid", "Share given back", "Share given back",
        "Share released",
    ]  # fmt: skip


def test_what_the_clock_released_is_among_the_postings(
    sharer: Caller, looking: ConsoleWorld
) -> None:
    _, frozen = paid(sharer)
    sharer.shop.clock.at_ms += 30 * DAY_MS
    asyncio.run(carry_on_sharing(services_of(sharer.shop)))
    assert "Share released" in _rules(looking, frozen)


def _rules(looking: ConsoleWorld, frozen: str) -> list[str]:
    """What the page calls each posting, in order."""
    payment_id = frozen.split(":")[2]
    page = looking.signed_in("li.na").get(f"/console/payments/{payment_id}?lang=en").text
    postings = "".join(re.findall(r'<ol class="postings">(.*?)</ol>', page, re.DOTALL))
    return re.findall(r'<span class="small muted">([^<]*)</span>', postings)
