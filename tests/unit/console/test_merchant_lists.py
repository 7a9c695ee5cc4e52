"""A merchant's refunds, stores and devices on its pages."""

import re

import pytest

from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore, EnrolDevice, NewKey, ReportPresence
from protocol.crypto import generate
from tests.support.console_world import ConsoleWorld
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop
from tests.unit.console.test_console_http import paid, summed


def given_back(world: ConsoleWorld, amount_minor: int) -> str:
    """A refund's id; it is a second later."""
    answer = world.shop.refund(paid(world), amount_minor)
    world.shop.clock.at_ms += 1_000
    return str(answer["refund_id"])


def test_refunds_are_narrowed_paged_and_exported(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("li.na")
    world.add("wang", merchant_id=OTHER_MERCHANT)
    world.add("ops", role="operator", merchant_id="")
    first, second = given_back(world, 100), given_back(world, 250)
    too_much = given_back(world, 1_001)
    http = world.signed_in("li.na")

    def listed(query: str) -> list[str]:
        page = http.get(f"/console/refunds?{query}").text
        return re.findall(r"<code class=\"id\">(rfd_\w+)</code>", page)

    assert listed("") == [too_much, second, first]
    assert listed("state=failed") == [too_much]
    assert listed("amount=2.50") == [second]
    assert listed("until=2026-11-22") == []
    for bad in ("state=gone", "amount=x", "since=1", "after=1~x'y", "until=9999-12-31"):
        assert http.get(f"/console/refunds?{bad}").status_code == 400
    for edge in ("0001-01-01", "1969-12-31", "3000-01-01", "9999-12-31"):
        for path in ("settlements", "bills", "payments"):
            query = f"{path}?until={edge}"
            assert "date_invalid" in http.get(f"/console/{query}").text, query
    for edge in ("1970-01-01", "2999-12-31"):
        assert http.get(f"/console/settlements?until={edge}").status_code == 200
    lines = http.get("/console/refunds.csv?state=succeeded").content.decode("utf-8-sig")
    assert [line.split(",")[0] for line in lines.splitlines()] == ["refund_id", second, first]
    assert ",2.50," in lines
    operator = world.signed_in("ops")
    for query in ("", f"merchant={MERCHANT}"):
        for reader in (http, operator):
            told = summed(reader.get(f"/console/refunds?lang=en&{query}").text)
            assert told == "¥3.50 given back · 2 refunds · Failed 1 (¥10.01)"
    with monkeypatch.context() as few:
        few.setattr("backend.listing.paged.SUMMED_ROWS_MAX", 2)
        for reader in (http, operator):
            told = summed(reader.get("/console/refunds?lang=en").text)
            newest = "¥2.50 given back · 1 refund · Failed 1 (¥10.01) The sum is of the newest 2"
            assert told == newest
    other = world.signed_in("wang")
    assert "rfd_" not in other.get("/console/refunds").text
    assert "rfd_" not in other.get("/console/refunds.csv").text
    assert second in world.signed_in("ops").get("/console/refunds").text
    monkeypatch.setattr("backend.console.money_list.ROWS_PER_PAGE", 2)
    more = re.search(r'href="/console/refunds\?(after=[^"]+)">', http.get("/console/refunds").text)
    assert more is not None
    assert listed(more[1]) == [first]


def enrolled(shop: Shop, store: str, *tids: str) -> None:
    for tid in tids:
        key = generate("Ed25519").public
        new = NewKey(suite=key.suite.name, public_key=key.public, kid=key.kid)
        shop.do(
            EnrolDevice(
                tid=tid, kind=DeviceKind.TERMINAL, store=store, key=new, actor="t", is_active=True
            )
        )


def test_a_merchant_sees_its_own_devices_with_what_was_heard_of_them(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("li.na")
    shop = world.shop
    assert "<tr" not in world.signed_in("li.na").get("/console/stores").text
    for store, merchant_id in (("s1", MERCHANT), ("s2", MERCHANT), ("s9", OTHER_MERCHANT)):
        shop.do(CreateStore(store=store, merchant_id=merchant_id, name=f"店 {store}"))
    enrolled(shop, "s1", "pos1", "pos2")
    enrolled(shop, "s2", "pos3")
    enrolled(shop, "s9", "pos9")
    for tid, is_online, depth in (("pos1", True, 0), ("pos2", False, 7)):
        shop.do(
            ReportPresence(
                hub="pos1", tid=tid, is_online=is_online, boot_epoch=1, spool_depth=depth,
                at_ms=shop.clock.at_ms,
            )
        )  # fmt: skip
    http = world.signed_in("li.na")
    page = http.get("/console/stores?lang=en").text
    rows = re.findall(r"<tr[^>]*><td[^>]*><code>(\w+)</code>.*?</tr>", page)
    assert rows == ["pos1", "pos2", "pos3"]
    assert re.findall(r'class="figure">([^<]+)<', page) == ["1 / 2", "0 / 1"]
    told = re.findall(r"<tr[^>]*><td[^>]*><code>\w+</code>.*?</tr>", page)
    words = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one)) for one in told]
    assert "online — 0" in words[0]
    assert "offline — 7" in words[1]
    assert "not heard of —" in words[2]
    monkeypatch.setattr("backend.console.merchant_list_pages.ROWS_PER_PAGE", 2)
    more = re.search(r'href="(/console/stores\?after=[^"]+)">', http.get("/console/stores").text)
    assert more is not None
    assert re.findall(r"<tr[^>]*><td[^>]*><code>(\w+)</code>", http.get(more[1]).text) == ["pos3"]
    assert http.get("/console/stores?after=x'~y").status_code == 400
