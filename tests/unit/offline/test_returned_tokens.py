"""A token comes back: who bears it, what the books say, and what no token can do."""

from typing import Any

import pytest

from backend.merchants.service import ChangeMerchant
from backend.switches.model import SwitchKind
from backend.switches.service import Turn
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from tests.support.offline import HOUR_MS, OfflinePhone, earned, set_aside
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop


@pytest.fixture
def phone(shop: Shop) -> OfflinePhone:
    made = OfflinePhone(shop, shop.add_payer(balance_minor=30_000))
    made.fetch(10_000)
    return made


def back(shop: Shop, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The till's request arrives."""
    return shop.ask("payment.create", body, **options)


def bearer(shop: Shop, body: dict[str, Any]) -> str:
    wanted = body["payment_id"]
    [row] = [r for r in shop.rows("SELECT * FROM offline_return") if r["payment_id"] == wanted]
    return str(row["bearer"])


def code_of(answer: dict[str, Any]) -> str | None:
    return answer["error"]["code"] if "error" in answer else None


def test_money_is_set_aside_when_the_voucher_is_given(shop: Shop, phone: OfflinePhone) -> None:
    assert shop.payer_balance(phone.payer_id) == 20_000
    assert set_aside(shop, phone) == 10_000
    assert phone.fetch(10_000, voucher_id=phone.row["voucher_id"]) == phone.row
    assert shop.payer_balance(phone.payer_id) == 20_000


def test_a_token_is_paid_from_what_was_set_aside_days_later(
    shop: Shop, phone: OfflinePhone
) -> None:
    body = phone.accepted(4_000)
    shop.clock.at_ms += 60 * HOUR_MS
    answer = back(shop, body)
    assert (answer["state"], answer["payer_masked"]) == ("captured", "李*")
    assert bearer(shop, body) == "set_aside"
    assert set_aside(shop, phone) == 6_000
    assert earned(shop) == 4_000 - 24
    assert back(shop, body)["state"] == "captured"
    assert set_aside(shop, phone) == 6_000
    assert shop.verify().is_whole


def test_what_was_set_aside_pays_for_a_payer_who_is_frozen_since(
    shop: Shop, phone: OfflinePhone
) -> None:
    from backend.wallet.service import SetPayerStatus

    body = phone.accepted(4_000)
    shop.do(SetPayerStatus(payer_id=phone.payer_id, is_frozen=True))
    assert back(shop, body)["state"] == "captured"


def test_a_number_that_was_spent_before_is_the_payers_debt(shop: Shop, phone: OfflinePhone) -> None:
    first, second = phone.accepted(3_000, number=0), phone.accepted(3_000, number=0)
    assert back(shop, first)["state"] == back(shop, second)["state"] == "captured"
    assert (bearer(shop, first), bearer(shop, second)) == ("set_aside", "balance")
    assert shop.payer_balance(phone.payer_id) == 17_000
    assert set_aside(shop, phone) == 7_000
    shop.clock.at_ms += 200 * HOUR_MS
    assert phone.close() == 7_000
    with pytest.raises(CallerError, match="offline_voucher_refused"):
        phone.fetch(1_000)
    assert shop.verify().is_whole


def test_money_that_was_spent_before_is_the_payers_debt_under_any_number(
    shop: Shop, phone: OfflinePhone
) -> None:
    bodies = [phone.accepted(4_000) for _ in range(3)]
    assert [back(shop, body)["state"] for body in bodies] == ["captured"] * 3
    assert [bearer(shop, body) for body in bodies] == ["set_aside", "set_aside", "balance"]
    assert (set_aside(shop, phone), shop.payer_balance(phone.payer_id)) == (2_000, 16_000)
    assert shop.verify().is_whole


def test_beyond_the_balance_the_house_bears_up_to_its_guarantee_then_the_merchant(
    shop: Shop,
) -> None:
    phone = OfflinePhone(shop, shop.add_payer(balance_minor=10_000))
    phone.fetch(10_000)
    bodies = [phone.accepted(5_000, number=number) for number in (0, 1, 0, 1)]
    answers = [back(shop, body) for body in bodies]
    assert [bearer(shop, body) for body in bodies] == [
        "set_aside", "set_aside", "house", "merchant",
    ]  # fmt: skip
    assert [code_of(answer) for answer in answers] == [None, None, None, "offline_overspent"]
    assert shop.balance("O:LOSS:CNY") == shop.balance("O:OWN_PAYABLE:CNY") == 5_000
    assert earned(shop) == 15_000 - 3 * 30
    assert shop.verify().is_whole


STOP = Turn(
    kind=SwitchKind.MERCHANT, subject=MERCHANT, is_stopped=True, reason="complaints", actor="wang",
    channels=frozenset(),
)  # fmt: skip
CLOSE = ChangeMerchant(merchant_id=MERCHANT, status="closed")


@pytest.mark.parametrize("end", [STOP, CLOSE], ids=["stopped", "closed"])
def test_the_house_bears_nothing_for_a_merchant_that_is_stopped_or_closed_but_payers_still_pay(
    shop: Shop, end: Turn | ChangeMerchant
) -> None:
    phone = OfflinePhone(shop, shop.add_payer(balance_minor=10_000))
    phone.fetch(10_000)
    bodies = [phone.accepted(5_000, number=number) for number in (0, 1, 0)]
    shop.do(end)
    codes = [code_of(back(shop, body)) for body in bodies]
    assert codes == [None, None, "offline_overspent"]
    assert (shop.balance("O:LOSS:CNY"), earned(shop)) == (0, 10_000 - 2 * 30)
    assert shop.verify().is_whole


def test_a_refund_of_what_the_house_bore_comes_back_to_the_house(shop: Shop) -> None:
    phone = OfflinePhone(shop, shop.add_payer(balance_minor=10_000))
    phone.fetch(10_000)
    back(shop, phone.accepted(5_000, number=0))
    borne = phone.accepted(5_000, number=0)
    back(shop, borne)
    assert shop.refund(borne["payment_id"], 2_000)["state"] == "succeeded"
    assert shop.balance("O:LOSS:CNY") == 3_000
    assert shop.payer_balance(phone.payer_id) == 0
    assert shop.verify().is_whole


def test_a_refund_of_a_token_goes_to_the_balance_and_a_reversal_to_what_was_set_aside(
    shop: Shop, phone: OfflinePhone
) -> None:
    refunded, reversed_ = phone.accepted(2_000), phone.accepted(3_000)
    back(shop, refunded)
    back(shop, reversed_)
    assert shop.refund(refunded["payment_id"], 2_000)["state"] == "succeeded"
    assert shop.payer_balance(phone.payer_id) == 22_000
    undone = shop.ask("payment.reverse", {"payment_id": reversed_["payment_id"]})
    assert undone["state"] == "reversed"
    assert set_aside(shop, phone) == 8_000
    shop.clock.at_ms += 200 * HOUR_MS
    assert phone.close() == 8_000
    assert phone.close() == 0
    assert shop.payer_balance(phone.payer_id) == 30_000
    assert shop.verify().is_whole


def test_a_reversal_after_the_voucher_has_ended_goes_to_its_payer(
    shop: Shop, phone: OfflinePhone
) -> None:
    body = phone.accepted(3_000)
    shop.clock.at_ms = phone.row["return_until_ms"]
    assert back(shop, body)["state"] == "captured"
    shop.clock.at_ms += 1
    assert phone.close() == 7_000
    for _ in range(2):
        undone = shop.ask("payment.reverse", {"payment_id": body["payment_id"]})
        assert undone["state"] == "reversed"
    assert set_aside(shop, phone) == 0
    assert shop.payer_balance(phone.payer_id) == 30_000
    assert shop.verify().is_whole


@pytest.mark.parametrize(("hours", "code"), [(25, "offline_token_expired"), (200, "offline_late")])
def test_what_is_out_of_its_time_the_merchant_bears(
    shop: Shop, phone: OfflinePhone, hours: int, code: str
) -> None:
    if code == "offline_late":
        body = phone.accepted(1_000)
        shop.clock.at_ms += hours * HOUR_MS
    else:
        shop.clock.at_ms += hours * HOUR_MS
        body = phone.accepted(1_000)
    answer = back(shop, body)
    assert (answer["state"], code_of(answer)) == ("declined", code)
    assert bearer(shop, body) == "merchant"
    assert set_aside(shop, phone) == 10_000


def test_above_the_limit_of_one_payment_the_merchant_bears(shop: Shop, phone: OfflinePhone) -> None:
    body = phone.accepted(5_001)
    assert code_of(back(shop, body)) == "offline_limit_payment"
    assert set_aside(shop, phone) == 10_000


@pytest.mark.parametrize("what", ["stranger", "amount", "payment", "merchant", "garbage"])
def test_what_the_payer_did_not_sign_is_not_paid(
    shop: Shop, phone: OfflinePhone, what: str
) -> None:
    by_what: dict[str, dict[str, Any]] = {
        "stranger": {"key": generate("Ed25519")}, "amount": {"signed_minor": 999},
        "payment": {"payment_id": shop.id("pay")}, "merchant": {"merchant_id": OTHER_MERCHANT},
    }  # fmt: skip
    body = phone.accepted(1_000, **by_what.get(what, {}))
    if what == "garbage":
        body["offline_token"] = body["offline_token"][:-9]
        with pytest.raises(CallerError, match="offline_token_invalid"):
            back(shop, body)
        return
    assert code_of(back(shop, body)) == "offline_token_invalid"
    assert set_aside(shop, phone) == 10_000
    assert shop.rows("SELECT * FROM offline_return") == []


def test_a_voucher_is_given_within_limits_and_one_at_a_time(
    shop: Shop, phone: OfflinePhone
) -> None:
    with pytest.raises(CallerError, match="offline_voucher_open"):
        phone.fetch(1_000)
    other = OfflinePhone(shop, shop.add_payer(balance_minor=9_000))
    with pytest.raises(CallerError, match="amount_invalid"):
        other.fetch(10_001)
    with pytest.raises(CallerError, match="insufficient_balance"):
        other.fetch(9_001)
    assert other.fetch(9_000)["payer_class"] == "new"
    shop.clock.at_ms += 31 * 24 * HOUR_MS
    known = OfflinePhone(shop, phone.payer_id)
    phone.close()
    assert known.fetch(20_000)["payer_class"] == "known"
