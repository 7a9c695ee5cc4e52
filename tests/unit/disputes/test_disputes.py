"""A payer wants the money back, and the merchant and its money wait for the decision."""

import json
from typing import Any

import pytest

from backend.disputes.cover import CollectCover
from backend.disputes.limits import EVIDENCES_PER_DISPUTE_MAX
from backend.disputes.model import DisputeCommand
from protocol.errors import CallerError
from tests.support.disputes import (
    MAVAIL,
    MPEND,
    OWED,
    collect,
    decide,
    dispute,
    give_evidence,
    opened,
    put_aside,
    settle,
)
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop

WIN, LOSE, WITHDRAW = DisputeCommand.WIN, DisputeCommand.LOSE, DisputeCommand.WITHDRAW


@pytest.fixture
def payer(shop: Shop) -> str:
    return shop.add_payer(balance_minor=50_000)


@pytest.fixture
def paid(shop: Shop, payer: str) -> str:
    """10,000 with a fee of 60, settled: 9,940 are available to the merchant."""
    payment_id = str(shop.pay(payer, 10_000)["payment_id"])
    settle(shop)
    return payment_id


def disputed(shop: Shop, payment_id: str) -> int:
    query = f"SELECT disputed_minor FROM payment WHERE payment_id = '{payment_id}'"
    return int(shop.rows(query)[0]["disputed_minor"])


def test_a_disputed_amount_is_put_aside_and_lost_to_the_payer(
    shop: Shop, payer: str, paid: str
) -> None:
    case = dispute(shop, paid, 4_000)
    assert (case["state"], case["cover_minor"]) == ("open", 0)
    assert (put_aside(shop, case), shop.balance(MAVAIL)) == (4_000, 5_940)
    lost = decide(shop, case, LOSE)
    assert lost["state"] == "lost"
    assert (put_aside(shop, case), shop.payer_balance(payer)) == (0, 44_000)
    assert shop.balance("C:UNSWEPT:CNY") == 60  # the fee stays
    assert disputed(shop, paid) == 4_000
    assert shop.verify().is_whole


@pytest.mark.parametrize("command", [WIN, WITHDRAW])
def test_a_dispute_that_ends_for_the_merchant_gives_the_money_back(
    shop: Shop, payer: str, paid: str, command: DisputeCommand
) -> None:
    case = dispute(shop, paid, 10_000 - 60)
    assert shop.balance(MAVAIL) == 0
    decide(shop, case, command)
    assert (put_aside(shop, case), shop.balance(MAVAIL)) == (0, 9_940)
    assert (shop.payer_balance(payer), disputed(shop, paid)) == (40_000, 0)
    assert dispute(shop, paid, 10_000)["state"] == "open"  # nothing of it is disputed any more
    assert shop.verify().is_whole


def test_own_money_covers_what_a_merchant_has_not_and_is_repaid_from_its_earnings(
    shop: Shop, payer: str, paid: str
) -> None:
    case = dispute(shop, paid, 10_000)
    assert case["cover_minor"] == 60
    assert (shop.balance(MAVAIL), shop.balance(OWED)) == (0, 60)
    assert shop.balance("C:OWN_DUE:CNY") == shop.balance("O:OWN_PAYABLE:CNY") == 60
    decide(shop, case, LOSE)
    assert (collect(shop).collected_minor, collect(shop).owed_minor) == (0, 60)
    shop.pay(payer, 50)
    settle(shop)
    first = collect(shop, collection_id=(collection_id := shop.id("cvr")))
    assert (first.collected_minor, first.owed_minor) == (50, 10)
    shop.pay(payer, 1_000)
    settle(shop)
    again = collect(shop, collection_id=collection_id)
    assert (again.collected_minor, again.owed_minor) == (50, 10)
    assert (collect(shop).collected_minor, shop.balance(MAVAIL)) == (10, 984)
    assert shop.balance("C:OWN_DUE:CNY") == shop.balance(OWED) == 0
    assert shop.verify().is_whole


def test_what_a_merchant_wins_back_repays_its_cover_first(shop: Shop, payer: str) -> None:
    unsettled = shop.pay(payer, 10_000)["payment_id"]
    case = dispute(shop, unsettled, 10_000)
    assert (case["cover_minor"], shop.balance(MPEND)) == (10_000, 9_940)
    decide(shop, case, WIN)
    assert (shop.balance(OWED), shop.balance(MAVAIL)) == (0, 0)
    assert shop.balance("C:OWN_DUE:CNY") == 0
    assert shop.verify().is_whole


def test_a_collection_has_an_id_of_its_own(shop: Shop, payer: str, paid: str) -> None:
    for wrong in (paid, "a b"):
        with pytest.raises(CallerError, match="id_invalid"):
            collect(shop, collection_id=wrong)
    dispute(shop, paid, 10_000)
    shop.pay(payer, 1_000)
    settle(shop)
    collection_id = shop.id("cvr")
    assert collect(shop, collection_id=collection_id).collected_minor == 60
    command = CollectCover(
        collection_id=collection_id, merchant_id=OTHER_MERCHANT, rules=shop.rules
    )
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.do(command)


def test_a_collection_that_found_nothing_may_be_asked_again_and_then_collects_once(
    shop: Shop, payer: str, paid: str
) -> None:
    dispute(shop, paid, 10_000)
    collection_id = shop.id("cvr")
    assert collect(shop, collection_id=collection_id).collected_minor == 0
    for _ in range(2):
        shop.pay(payer, 1_000)
        settle(shop)
        assert collect(shop, collection_id=collection_id).collected_minor == 60
    assert shop.verify().is_whole


def test_refunds_and_disputes_never_sum_to_more_than_was_paid(
    shop: Shop, payer: str, paid: str
) -> None:
    shop.pay(payer, 1_000)  # the merchant can give
    assert shop.refund(paid, 3_000)["state"] == "succeeded"
    with pytest.raises(CallerError, match="dispute_exceeds"):
        dispute(shop, paid, 7_001)
    case = dispute(shop, paid, 5_000)
    assert shop.refund(paid, 2_001)["error"]["code"] == "payment_disputed"
    assert shop.refund(paid, 7_001)["error"]["code"] == "refund_exceeds"
    assert shop.refund(paid, 1_000)["state"] == "succeeded"
    with pytest.raises(CallerError, match="dispute_exceeds"):
        dispute(shop, paid, 1_001)
    decide(shop, case, LOSE)
    assert shop.refund(paid, 1_001)["error"]["code"] == "payment_disputed"
    rest = shop.refund(paid, 1_000)
    assert rest["state"] == "succeeded"
    query = shop.ask("payment.query", {"payment_id": paid})
    assert (query["state"], query["refunded_minor"]) == ("partially_refunded", 5_000)
    assert shop.verify().is_whole


@pytest.mark.parametrize("is_refund_first", [True, False])
def test_a_refund_and_a_dispute_in_one_group_do_not_both_get_the_money(
    shop: Shop, paid: str, is_refund_first: bool
) -> None:
    body = {
        "refund_id": shop.id("rfd"), "payment_id": paid, "amount_minor": 6_000,
        "currency": "CNY", "till": "t",
    }  # fmt: skip
    refund = shop.command(shop.request("refund.create", body))
    case = opened(shop, paid, 6_000)
    commands = (refund, case) if is_refund_first else (case, refund)
    outcomes = shop.apply(*commands)
    refunded, disputes = outcomes if is_refund_first else outcomes[::-1]
    if is_refund_first:
        assert getattr(disputes.error, "code", "") == "dispute_exceeds"
    else:
        assert refunded.value()[1]["error"]["code"] == "payment_disputed"


def test_a_disputed_payment_is_not_undone(shop: Shop, payer: str) -> None:
    payment_id = shop.pay(payer, 1_000)["payment_id"]
    case = dispute(shop, payment_id, 1)
    answer = shop.ask("payment.reverse", {"payment_id": payment_id})
    assert (answer["state"], answer["error"]["code"]) == ("captured", "payment_disputed")
    decide(shop, case, WITHDRAW)
    assert shop.ask("payment.reverse", {"payment_id": payment_id})["state"] == "reversed"
    assert shop.verify().is_whole


def test_the_same_word_again_changes_nothing_and_another_one_is_refused(
    shop: Shop, payer: str, paid: str
) -> None:
    command = opened(shop, paid, 4_000)
    first, again = (shop.do(command) for _ in range(2))
    assert first == again
    with pytest.raises(CallerError, match="idempotency_conflict"):
        dispute(shop, paid, 4_001, dispute_id=first["dispute_id"])
    assert decide(shop, first, LOSE) == decide(shop, first, LOSE)
    with pytest.raises(CallerError, match="dispute_state"):
        decide(shop, first, WIN)
    with pytest.raises(CallerError, match="dispute_state"):
        give_evidence(shop, first, "too late")
    assert shop.payer_balance(payer) == 44_000


def test_a_balance_payment_has_no_settlement_date(shop: Shop, paid: str) -> None:
    case = dispute(shop, paid, 4_000)
    with pytest.raises(CallerError, match="field_invalid"):
        decide(shop, case, LOSE, "2026-11-30")
    assert put_aside(shop, case) == 4_000


def test_a_merchant_gives_evidence_in_its_own_case(shop: Shop, paid: str) -> None:
    case = dispute(shop, paid, 4_000)
    with pytest.raises(CallerError, match="dispute_not_found"):
        give_evidence(shop, case, "签收单", merchant_id=OTHER_MERCHANT)
    for text in ("", "x" * 2_001):
        with pytest.raises(CallerError, match="field_invalid"):
            give_evidence(shop, case, text)
    for _ in range(2):
        assert give_evidence(shop, case, "签收单")["state"] == "under_review"
    events = shop.rows("SELECT event, actor, evidence FROM dispute_event ORDER BY number")
    assert [tuple(row.values()) for row in events] == [
        ("DisputeOpened", "operator", ""),
        ("DisputeEvidenceGiven", f"merchant:{MERCHANT}", "签收单"),
    ]
    for number in range(EVIDENCES_PER_DISPUTE_MAX - 1):
        give_evidence(shop, case, f"page {number}")
    with pytest.raises(CallerError, match="dispute_state"):
        give_evidence(shop, case, "one more")


def test_the_merchants_server_is_told_of_each_step(shop: Shop, payer: str) -> None:
    shop.add_merchant("mch_7", notify_url="https://merchant.example/notify")
    body = shop.create_body("pay_code", 1_000, pay_code=shop.code(payer), merchant_id="mch_7")
    payment_id = shop.ask("payment.create", body, merchant_id="mch_7")["payment_id"]
    decide(shop, dispute(shop, payment_id, 400), LOSE)
    told = [json.loads(row["body"]) for row in shop.rows("SELECT body FROM outbox_callback")]
    steps = {one["event_type"]: one["resource"] for one in told if "dispute" in one["event_type"]}
    assert set(steps) == {"dispute.opened", "dispute.lost"}
    assert (steps["dispute.opened"]["state"], steps["dispute.opened"]["amount_minor"]) == (
        "open",
        400,
    )


def test_a_dispute_with_bad_fields_is_refused(shop: Shop, paid: str) -> None:
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"dispute_id": "dsp 1"}, "field_invalid"),
        ({"reason": ""}, "field_invalid"),
        ({"reference": "r" * 65}, "field_invalid"),
        ({"currency": "USD"}, "currency_mismatch"),
        ({"payment_id": "pay_1"}, "payment_not_found"),
    )
    for changes, code in wrong:
        with pytest.raises(CallerError, match=code):
            dispute(shop, **{"payment_id": paid, "amount_minor": 1, **changes})
