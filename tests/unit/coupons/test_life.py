"""A coupon's life outside payments: issued, chosen, voided, expired; over HTTP, too."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.coupons.model import (
    TRANSITIONS,
    CouponCommand,
    CouponEvent,
    CouponState,
    next_edge,
)
from backend.coupons.service import VoidCoupon
from backend.payments.expiry import expire_coupons
from protocol.errors import CallerError
from tests.support.coupons import DAY_MS, choose, confirm, events_of, issue, state_of
from tests.support.shop import OTHER_MERCHANT, Shop
from tests.support.wallet_http import OPERATOR, client_of, services_of


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with client_of(shop) as found:
        yield found


def wanted(shop: Shop, payer_id: str, **changes: Any) -> dict[str, Any]:
    now_ms = shop.clock.at_ms
    fields = {
        "coupon_id": shop.id("cpn"), "payer_id": payer_id, "amount_minor": 300, "currency": "CNY",
        "valid_from_ms": now_ms, "valid_until_ms": now_ms + DAY_MS,
    }  # fmt: skip
    return fields | changes


def test_every_state_and_command_has_its_edge_or_is_refused() -> None:
    for state in CouponState:
        for command in CouponCommand:
            if (state, command) in TRANSITIONS:
                assert next_edge(state, command).state is not state
            else:
                with pytest.raises(CallerError, match="coupon_state"):
                    next_edge(state, command)
    assert {edge.event for edge in TRANSITIONS.values()} == set(CouponEvent) - {CouponEvent.ISSUED}


def test_issuing_again_changes_nothing_and_other_content_is_a_conflict(shop: Shop) -> None:
    payer, coupon_id = shop.add_payer(), shop.id("cpn")
    issue(shop, payer, 300, coupon_id=coupon_id)
    issue(shop, payer, 300, coupon_id=coupon_id)
    assert events_of(shop, coupon_id) == ["Issued"]
    with pytest.raises(CallerError, match="idempotency_conflict"):
        issue(shop, payer, 301, coupon_id=coupon_id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"coupon_id": "cpn_1"}, "id_invalid"),
        ({"payer_id": "pyr_nobody"}, "payer_unknown"),
        ({"merchant_id": "mch_nobody"}, "merchant_unknown"),
        ({"merchant_id": OTHER_MERCHANT, "currency": "USD"}, "currency_mismatch"),
        ({"amount_minor": 0}, "amount_invalid"),
        ({"minimum_minor": -1}, "amount_invalid"),
        ({"valid_until_ms": 1}, "field_invalid"),
        ({"valid_from_ms": 0}, "field_invalid"),
    ],
)
def test_what_makes_no_sense_is_not_issued(shop: Shop, changes: dict[str, Any], code: str) -> None:
    fields: dict[str, Any] = {"payer_id": shop.add_payer(), "amount_minor": 300} | changes
    with pytest.raises(CallerError, match=code):
        issue(shop, **fields)
    assert shop.rows("SELECT * FROM coupon") == []


def test_a_voided_coupon_pays_nothing_and_a_used_one_is_not_voided(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    voided = choose(shop, payer, 300)
    for _ in range(2):
        assert shop.do(VoidCoupon(coupon_id=voided))["state"] == "voided"
    assert events_of(shop, voided) == ["Issued", "Voided"]
    assert "coupon_minor" not in shop.pay(payer, 1_000)
    used = issue(shop, payer, 300)
    assert confirm(shop, payer, 1_000, used)["coupon_minor"] == 300
    with pytest.raises(CallerError, match="coupon_state"):
        shop.do(VoidCoupon(coupon_id=used))


@pytest.mark.asyncio
async def test_the_clock_s_task_expires_unused_coupons_only(shop: Shop) -> None:
    payer, services = shop.add_payer(balance_minor=10_000), services_of(shop)
    used, short, long = (
        choose(shop, payer, 300), issue(shop, payer, 300),
        issue(shop, payer, 300, valid_until_ms=shop.clock.at_ms + DAY_MS + 1),
    )  # fmt: skip
    shop.pay(payer, 1_000)
    shop.clock.at_ms += DAY_MS
    assert (await expire_coupons(services), await expire_coupons(services)) == (1, 0)
    assert [state_of(shop, one) for one in (used, short, long)] == ["used", "expired", "issued"]


def test_an_operator_issues_and_voids_and_the_payer_sees_chooses_and_pays(
    shop: Shop, client: TestClient
) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    wallet = {"authorization": f"Bearer token of {payer}"}
    bodies = [wanted(shop, payer), wanted(shop, payer, merchant_id=OTHER_MERCHANT)]
    for body in bodies:
        made = client.post("/operator/v1/coupons", json=body, headers=OPERATOR)
        assert (made.status_code, made.json()["state"]) == (201, "issued")
    first, second = (body["coupon_id"] for body in bodies)
    shown = client.get("/wallet/v1/coupons", headers=wallet).json()
    assert ({one["coupon_id"] for one in shown["coupons"]}, shown["chosen"]) == (
        {first, second}, None,
    )  # fmt: skip
    chosen = client.post("/wallet/v1/coupons/chosen", json={"coupon_id": first}, headers=wallet)
    assert chosen.json() == {"chosen": first}
    assert shop.pay(payer, 1_000)["coupon_minor"] == 300
    used = client.get("/wallet/v1/coupons?state=used", headers=wallet).json()["coupons"]
    assert [one["coupon_id"] for one in used] == [first]
    [bill] = client.get("/wallet/v1/bills", headers=wallet).json()["bills"]
    assert (bill["amount_minor"], bill["coupon_minor"]) == (1_000, 300)
    voided = client.post(f"/operator/v1/coupons/{second}/void", headers=OPERATOR)
    assert voided.json()["state"] == "voided"
    told = client.get(f"/operator/v1/coupons/{second}", headers=OPERATOR).json()
    assert [one["event"] for one in told["timeline"]] == ["CouponIssued", "CouponVoided"]
    refused = client.post("/wallet/v1/coupons/chosen", json={"coupon_id": second}, headers=wallet)
    assert refused.json()["error"]["code"] == "coupon_invalid"
    none = client.post("/wallet/v1/coupons/chosen", json={"coupon_id": None}, headers=wallet)
    assert none.json() == {"chosen": None}


def test_a_wallet_names_a_coupon_in_its_confirmation(shop: Shop, client: TestClient) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    body = {
        "payment_id": shop.show_qr(1_000)["payment_id"], "attempt_id": shop.id("att"),
        "coupon_id": issue(shop, payer, 300),
    }  # fmt: skip
    wallet = {"authorization": f"Bearer token of {payer}"}
    for _ in range(2):
        paid = client.post("/wallet/v1/confirm", json=body, headers=wallet).json()
        assert (paid["state"], paid["coupon_minor"]) == ("captured", 300)
    assert shop.payer_balance(payer) == 9_300


def test_only_operators_issue_and_void(shop: Shop, client: TestClient) -> None:
    payer = shop.add_payer()
    coupon = issue(shop, payer, 300)
    wallet = {"authorization": f"Bearer token of {payer}"}
    for headers in (wallet, {}):
        for made in (
            client.post("/operator/v1/coupons", json=wanted(shop, payer), headers=headers),
            client.post(f"/operator/v1/coupons/{coupon}/void", headers=headers),
        ):
            assert made.json()["error"]["code"] == "not_authorized"
    assert state_of(shop, coupon) == "issued"
