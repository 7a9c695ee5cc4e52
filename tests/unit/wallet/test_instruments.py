"""A payer's cards and fund accounts over HTTP: added, chosen, paid with, removed."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.instruments.limits import INSTRUMENTS_PER_PAYER_MAX
from protocol.errors import CallerError
from tests.support.shop import Shop
from tests.support.wallet_http import client_of

CARD = {"kind": "card", "bank": "招商银行", "last4": "1234", "token": "tok_payers_card"}


class Phone:
    """A wallet of a payer who has a balance, too."""

    def __init__(self, shop: Shop, http: TestClient) -> None:
        self.shop, self.http = shop, http
        self.payer_id = shop.add_payer(balance_minor=10_000)
        self.headers = {"authorization": f"Bearer token of {self.payer_id}"}

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        address = f"/wallet/v1/{path}"
        return self.http.request(method, address, json=body, headers=self.headers).json()

    def add(self, **changes: Any) -> Any:
        fields = {"instrument_id": self.shop.id("ins")} | CARD | changes
        return self.call("POST", "instruments", fields)

    def confirm(self, **changes: Any) -> Any:
        shown = self.shop.show_qr(500)
        body = {"payment_id": shown["payment_id"], "attempt_id": self.shop.id("att")}
        return self.call("POST", "confirm", body | changes)


@pytest.fixture
def phone(shop: Shop) -> Iterator[Phone]:
    with client_of(shop) as client:
        yield Phone(shop, client)


def funding(shop: Shop, payment_id: str) -> str:
    [row] = shop.rows(f"SELECT funding FROM payment WHERE payment_id = '{payment_id}'")
    return str(row["funding"])


def test_an_instrument_is_added_listed_and_removed_and_its_token_is_never_shown(
    phone: Phone,
) -> None:
    added = phone.add()
    assert added["last4"] == "1234"
    assert phone.call("GET", "instruments") == {"instruments": [added], "default": "balance"}
    assert "token" not in added
    removed = phone.call("DELETE", f"instruments/{added['instrument_id']}")
    assert removed["status"] == "removed"
    assert phone.call("GET", "instruments")["instruments"] == []


def test_adding_again_changes_nothing_and_other_content_is_a_conflict(phone: Phone) -> None:
    instrument_id = phone.shop.id("ins")
    first = phone.add(instrument_id=instrument_id)
    assert phone.add(instrument_id=instrument_id) == first
    other = phone.add(instrument_id=instrument_id, last4="9999")
    assert other["error"]["code"] == "idempotency_conflict"


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "6222021234567890123"},
        {"token": "tok_6222021234567890"},
        {"token": "card_4111-1111-1111-1111"},
        {"token": "tok_4111_1111_1111_1111"},
        {"bank": "6222 0212 3456 7890 123"},
        {"bank": "６２２２０２１２３４５６７８９０"},
        {"last4": "12a4"},
        {"bank": "6222021234567890123"},
        {"kind": "cash"},
    ],
)
def test_what_looks_like_a_card_number_is_not_taken(phone: Phone, changes: dict[str, Any]) -> None:
    assert "instrument_id" not in phone.add(**changes)
    assert phone.call("GET", "instruments")["instruments"] == []


def test_the_default_pays_a_pay_code_and_a_confirmation_may_name_another(phone: Phone) -> None:
    shop = phone.shop
    card = phone.add()["instrument_id"]
    assert shop.pay(phone.payer_id, 100)["state"] == "captured"
    assert phone.call("POST", "instruments/default", {"instrument_id": card}) == {"default": card}
    by_card = shop.pay(phone.payer_id, 100)
    assert (by_card["state"], funding(shop, by_card["payment_id"])) == ("processing", "card")
    assert phone.confirm()["state"] == "processing"
    assert phone.confirm(instrument_id="balance")["state"] == "captured"
    phone.call("POST", "instruments/default", {"instrument_id": "balance"})
    assert phone.confirm(instrument_id=card)["state"] == "processing"
    assert phone.confirm()["state"] == "captured"


def test_a_token_is_one_payers_for_ever(phone: Phone) -> None:
    mine = phone.add()["instrument_id"]
    assert phone.add()["kind"] == "card"
    theirs = phone.shop.add_payer()
    for _ in range(2):
        with pytest.raises(CallerError, match="instrument_taken"):
            phone.shop.add_instrument(theirs, "card", token=CARD["token"])
        phone.call("DELETE", f"instruments/{mine}")
    assert phone.shop.add_instrument(theirs, "fund", token=CARD["token"])


def test_a_confirmation_under_way_is_not_sent_twice(phone: Phone) -> None:
    card = phone.add()["instrument_id"]
    shown = phone.shop.show_qr(500)
    for _ in range(2):
        body = {"payment_id": shown["payment_id"], "attempt_id": phone.shop.id("att")}
        answer = phone.call("POST", "confirm", body | {"instrument_id": card})
        assert answer["state"] == "processing"
    assert len(phone.shop.rows("SELECT saga_id FROM saga WHERE kind = 'pay'")) == 1


def test_removing_the_default_leaves_the_balance(phone: Phone) -> None:
    card = phone.add()["instrument_id"]
    phone.call("POST", "instruments/default", {"instrument_id": card})
    phone.call("DELETE", f"instruments/{card}")
    assert phone.call("GET", "instruments")["default"] == "balance"
    assert phone.confirm(instrument_id=card)["error"]["code"] == "instrument_unknown"
    assert phone.shop.pay(phone.payer_id, 100)["state"] == "captured"


def test_another_payer_s_instrument_is_unknown(phone: Phone) -> None:
    theirs = phone.shop.add_payer()
    other = phone.shop.add_instrument(theirs, "card", token="tok_of_others")
    assert phone.confirm(instrument_id=other)["error"]["code"] == "instrument_unknown"
    for method, path, body in (
        ("POST", "instruments/default", {"instrument_id": other}),
        ("DELETE", f"instruments/{other}", None),
    ):
        assert phone.call(method, path, body)["error"]["code"] == "instrument_unknown"


def test_a_payer_has_so_many_instruments_and_no_more(phone: Phone) -> None:
    added = [phone.add() for _ in range(INSTRUMENTS_PER_PAYER_MAX + 1)]
    assert added[-1]["error"]["code"] == "instrument_count_exceeded"
    phone.call("DELETE", f"instruments/{added[0]['instrument_id']}")
    assert phone.add()["status"] == "active"


def test_without_a_configured_channel_an_instrument_pays_nothing(phone: Phone) -> None:
    card = phone.add()["instrument_id"]
    phone.call("POST", "instruments/default", {"instrument_id": card})
    phone.shop.rules = type(phone.shop.rules)(code_master_key=phone.shop.rules.code_master_key)
    declined = phone.shop.pay(phone.payer_id, 100)
    assert (declined["state"], declined["error"]["code"]) == ("declined", "channel_unavailable")
