"""A merchant's program finds what its merchant took and gave back, by the console's filter."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.listing.paged import payment_list, refund_list
from backend.payments.list_repository import PaymentFilter
from backend.refunds.repository import RefundFilter
from tests.support.merchant_caller import Caller, caller_of
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop
from tests.support.wallet_http import services_of
from tests.unit.merchant_api.test_orders_and_codes import PAY, code_of, pay, query
from tests.unit.merchant_api.test_sandbox import refund

LISTS = "/v3/tillway"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """Of a merchant that has tills, too; beside it another merchant that sells."""
    shop = Shop(migrated_sqlite(tmp_path / "shop.db"))
    shop.add_merchant()
    shop.add_merchant(OTHER_MERCHANT)
    payer = shop.add_payer(balance_minor=50_000)
    body = shop.create_body("pay_code", 900, pay_code=shop.code(payer), merchant_id=OTHER_MERCHANT)
    shop.ask("payment.create", body, merchant_id=OTHER_MERCHANT)
    with caller_of(shop, monkeypatch) as found:
        yield found
    shop.close()


def asked(program: Caller, path: str) -> dict[str, Any]:
    answer = program.ask("GET", f"{LISTS}/{path}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_its_orders_have_their_numbers_and_what_a_till_took_has_none(program: Caller) -> None:
    shop = program.shop
    payer = shop.add_payer(balance_minor=50_000)
    at_till = shop.pay(payer, 250)["payment_id"]
    shop.clock.at_ms += 1_000
    made = program.ask("POST", f"{PAY}/native", program.order("order-0001"))
    ordered = pay(program, made.json()["code_url"], payer)["payment_id"]
    shop.clock.at_ms += 1_000
    assert refund(program, "refund-1", 500).status_code == 200
    found = asked(program, "payments")
    assert [row["payment_id"] for row in found["payments"]] == [ordered, at_till]
    assert {row["merchant_id"] for row in found["payments"]} == {MERCHANT}
    numbers = {
        "mchid": program.made["mchid"],
        "out_trade_no": "order-0001",
        "transaction_id": query(program)["transaction_id"],
    }
    assert [row["v3"] for row in found["payments"]] == [numbers, None]
    [sum_] = found["sums"]["each"]
    assert (sum_["count"], sum_["amount_minor"], sum_["refunded_minor"]) == (2, 1_530, 500)
    [row] = asked(program, "refunds")["refunds"]
    told = program.ask("GET", "/v3/refund/domestic/refunds/refund-1").json()
    assert row["payment_id"] == ordered
    assert row["v3"] == {
        "mchid": program.made["mchid"],
        "out_refund_no": "refund-1",
        "refund_id": told["refund_id"],
    }


def test_what_is_asked_narrows_and_pages_go_on(program: Caller) -> None:
    shop = program.shop
    payer = shop.add_payer(balance_minor=50_000)
    paid = []
    for amount in (100, 200, 300):
        paid.append(shop.pay(payer, amount)["payment_id"])
        shop.clock.at_ms += 1_000
    today = shop.rules.business_date(shop.clock.at_ms)
    for asking, found in (
        ("amount=2.00", [paid[1]]),
        (f"since={today}", paid[::-1]),
        ("until=2026-01-01", []),
        ("state=declined", []),
        (f"number={paid[0]}", [paid[0]]),
    ):
        rows = asked(program, f"payments?{asking}")["payments"]
        assert [row["payment_id"] for row in rows] == found, asking
    first = asked(program, "payments?limit=2")
    rest = asked(program, f"payments?limit=2&after={first['after'].replace('~', '%7E')}")
    told = [row["payment_id"] for row in (*first["payments"], *rest["payments"])]
    assert (told, rest["after"], rest["sums"]) == (paid[::-1], None, None)


def test_the_parts_of_a_file_are_signed_and_together_the_console_s_export(
    program: Caller,
) -> None:
    shop = program.shop
    payer = shop.add_payer(balance_minor=50_000)
    for amount in (100, 200, 300):
        paid = shop.pay(payer, amount, description="=1+1")["payment_id"]
        shop.refund(paid, 50)
        shop.clock.at_ms += 1_000
    services = services_of(shop)
    for path, export in (
        ("payments", payment_list(services).csv(PaymentFilter(merchant_id=MERCHANT))),
        ("refunds", refund_list(services).csv(RefundFilter(merchant_id=MERCHANT))),
    ):
        told, after = b"", ""
        for _ in range(2):
            asking = f"limit=2&after={after}" if after else "limit=2"
            answer = program.ask("GET", f"{LISTS}/{path}/csv?{asking}")
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == "text/csv; charset=utf-8"
            program.check(answer)
            told += answer.content
            after = answer.headers.get("Tillway-After", "").replace("~", "%7E")
        assert after == ""
        assert told == asyncio.run(_whole(export))
        assert told.count(b"\n") == 4
    foreign = program.ask("GET", f"{LISTS}/payments/csv?merchant={OTHER_MERCHANT}")
    assert code_of(foreign) == (400, "PARAM_ERROR")


async def _whole(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


@pytest.mark.parametrize(
    ("asking", "field"),
    [
        ("payments?since=yesterday", "/since"),
        ("payments?amount=x", "/amount"),
        ("payments?state=lost", "/state"),
        ("payments?after=soon", "/after"),
        ("payments?limit=501", "/limit"),
        ("payments/csv?limit=1001", "/limit"),
        ("refunds/csv?since=soon", "/since"),
        (f"payments?merchant={OTHER_MERCHANT}", "/merchant"),
        ("refunds?until=2026-13-01", "/until"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(program: Caller, asking: str, field: str) -> None:
    answer = program.ask("GET", f"{LISTS}/{asking}")
    assert code_of(answer) == (400, "PARAM_ERROR")
    detail = answer.json()["detail"]
    assert (detail["field"], detail["location"]) == (field, "query")


def test_nobody_finds_another_merchant_s(program: Caller) -> None:
    [row] = program.shop.rows("SELECT payment_id FROM payment")
    assert asked(program, "payments")["payments"] == []
    assert asked(program, f"payments?number={row['payment_id']}")["payments"] == []
    given = program.shop.refund(row["payment_id"], 100, merchant_id=OTHER_MERCHANT)
    assert given["state"] == "succeeded"
    assert asked(program, "refunds")["refunds"] == []
    unsigned = program.ask("GET", f"{LISTS}/payments", signature="AAAA")
    assert code_of(unsigned) == (401, "SIGN_ERROR")
