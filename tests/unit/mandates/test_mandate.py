"""A device pays by itself: under the payer's signature, within limits, by that device only."""

from typing import Any

import pytest

from backend.mandates.model import MandateCommand, Side
from backend.mandates.service import ChangeMandate, CreateMandate
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText, open_mandate, sign_mandate
from tests.support.mandates import use
from tests.support.shop import MERCHANT, START_MS, Shop

DAY_MS = 24 * 3_600_000


def test_a_device_takes_within_the_limits(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer)
    assert use(shop, mandate, 1_000)["state"] == "captured"
    over = use(shop, mandate, 1_001)
    assert (over["state"], over["error"]["code"]) == ("declined", "mandate_limit_payment")
    assert use(shop, mandate, 1_000)["state"] == "captured"
    assert use(shop, mandate, 501)["error"]["code"] == "mandate_limit_day"
    assert use(shop, mandate, 500)["state"] == "captured"
    assert shop.payer_balance(payer) == 7_500


def test_the_days_limit_holds_within_one_group_and_starts_anew_next_day(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer)
    bodies = [shop.create_body("mandate", 1_000, mandate_id=mandate) for _ in range(3)]
    requests = [shop.request("payment.create", body, device="vend1") for body in bodies]
    outcomes = shop.apply(*(shop.command(request) for request in requests))
    states = [outcome.value()[1]["state"] for outcome in outcomes]
    assert states == ["captured", "captured", "declined"]
    shop.clock.at_ms += DAY_MS
    assert use(shop, mandate, 1_000)["state"] == "captured"


def test_a_reversed_payment_no_longer_counts(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer, limit_payment_minor=2_500)
    paid = use(shop, mandate, 2_500)
    assert use(shop, mandate, 1)["error"]["code"] == "mandate_limit_day"
    shop.ask("payment.reverse", {"payment_id": paid["payment_id"]}, device="vend1")
    assert use(shop, mandate, 2_500)["state"] == "captured"


def test_only_the_mandates_device_may_use_it(shop: Shop) -> None:
    mandate = shop.add_mandate(shop.add_payer(balance_minor=10_000))
    assert use(shop, mandate, 1, device="vend2")["error"]["code"] == "mandate_device"


def test_a_suspended_mandate_pays_nothing_until_resumed(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer)

    def change(command: MandateCommand) -> None:
        shop.do(ChangeMandate(side=Side.PAYER, party_id=payer, mandate_id=mandate, command=command))

    change(MandateCommand.SUSPEND)
    change(MandateCommand.SUSPEND)
    assert use(shop, mandate, 1)["error"]["code"] == "mandate_inactive"
    change(MandateCommand.RESUME)
    assert use(shop, mandate, 1)["state"] == "captured"
    change(MandateCommand.TERMINATE)
    with pytest.raises(CallerError, match="mandate_inactive"):
        change(MandateCommand.RESUME)
    assert use(shop, mandate, 1)["error"]["code"] == "mandate_inactive"


def test_a_mandate_pays_only_while_it_is_valid(shop: Shop) -> None:
    mandate = shop.add_mandate(shop.add_payer(balance_minor=10_000))
    shop.clock.at_ms = START_MS - 1
    assert use(shop, mandate, 1)["error"]["code"] == "mandate_inactive"
    shop.clock.at_ms = START_MS + 30 * DAY_MS
    assert use(shop, mandate, 1)["error"]["code"] == "mandate_inactive"


def test_an_unknown_mandate_is_not_found(shop: Shop) -> None:
    assert use(shop, shop.id("mdt"), 1)["error"]["code"] == "mandate_not_found"


def text_of(shop: Shop, payer: str, **changes: Any) -> MandateText:
    fields: dict[str, Any] = {
        "mandate_id": shop.id("mdt"), "payer_id": payer, "merchant_id": MERCHANT,
        "device": "vend1", "currency": "CNY", "limit_payment_minor": 10, "limit_day_minor": 100,
        "valid_from_ms": START_MS, "valid_until_ms": START_MS + DAY_MS,
    }  # fmt: skip
    return MandateText(**(fields | changes))


def test_a_mandate_needs_its_own_payers_signature(shop: Shop) -> None:
    payer, other = shop.add_payer(), shop.add_payer()
    text = text_of(shop, payer)
    for signer, name in ((shop.keys[other], payer), (shop.keys[other], other)):
        with pytest.raises(CallerError, match="mandate_signature"):
            shop.do(CreateMandate(payer_id=name, signed=sign_mandate(text, signer)))
    signed = sign_mandate(text, shop.keys[payer])
    for at in range(len(signed)):
        damaged = bytearray(signed)
        damaged[at] ^= 1
        with pytest.raises(CallerError):
            open_mandate(bytes(damaged), shop.keys[payer].public)
    assert shop.do(CreateMandate(payer_id=payer, signed=signed))["status"] == "active"
    assert shop.do(CreateMandate(payer_id=payer, signed=signed))["status"] == "active"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"limit_day_minor": 9}, "mandate_limits"),
        ({"limit_month_minor": 99}, "mandate_limits"),
        ({"notice_above_minor": 5}, "field_invalid"),
        ({"fee_minor": 5}, "mandate_term_unknown"),
        ({"valid_until_ms": START_MS}, "mandate_validity"),
        ({"valid_until_ms": START_MS + 4 * 366 * DAY_MS}, "mandate_validity"),
        ({"merchant_id": "nobody"}, "merchant_unknown"),
        ({"currency": "USD"}, "currency_mismatch"),
        ({"device": "a/b"}, "field_invalid"),
    ],
)
def test_a_mandate_with_bad_terms_is_refused(
    shop: Shop, changes: dict[str, Any], code: str
) -> None:
    payer = shop.add_payer()
    signed = sign_mandate(text_of(shop, payer, **changes), shop.keys[payer])
    with pytest.raises(CallerError, match=code):
        shop.do(CreateMandate(payer_id=payer, signed=signed))


@pytest.mark.parametrize("suite", ["SM2-SM3", "ES256", "Ed25519"])
def test_a_mandate_can_be_signed_in_every_suite(shop: Shop, suite: str) -> None:
    key = generate(suite)
    text = text_of(shop, "pyr_1")
    assert open_mandate(sign_mandate(text, key), key.public) == text
