"""Notice before a debit, where the payer's signature asks for it."""

from typing import Any

import pytest

from backend.mandates.limits import NOTICE_VALID_MS, NOTICES_OPEN_MAX
from backend.mandates.model import MandateCommand, Notice, Use, notice_for
from protocol.errors import CallerError
from tests.support.mandates import (
    DAY_MS,
    HOUR_MS,
    announce,
    mandate_row,
    merchant_says,
    outcome,
    refuse,
    undo,
    use,
    withdraw,
)
from tests.support.shop import OTHER_MERCHANT, START_MS, Shop


@pytest.fixture
def payer(shop: Shop) -> str:
    return shop.add_payer(balance_minor=50_000)


@pytest.fixture
def mandate(shop: Shop, payer: str) -> str:
    """Above 200 the payer wants to know a day before."""
    return shop.add_mandate(payer, notice_hours=24, notice_above_minor=200)


def status_of(shop: Shop, notice: dict[str, Any]) -> str:
    query = f"SELECT status FROM mandate_notice WHERE notice_id = '{notice['notice_id']}'"
    return str(shop.rows(query)[0]["status"])


def test_a_debit_comes_after_its_notice_has_stood_and_uses_it_up(shop: Shop, mandate: str) -> None:
    assert outcome(use(shop, mandate, 201)) == "mandate_notice_required"
    notice = announce(shop, mandate, 800)
    assert notice["debit_from_ms"] == START_MS + DAY_MS
    assert outcome(use(shop, mandate, 800)) == "mandate_notice_too_early"
    shop.clock.at_ms += DAY_MS - 1
    assert outcome(use(shop, mandate, 800)) == "mandate_notice_too_early"
    shop.clock.at_ms += 1
    assert outcome(use(shop, mandate, 801)) == "mandate_notice_required"
    paid = use(shop, mandate, 700)
    assert outcome(paid) == "captured"
    (row,) = shop.rows("SELECT * FROM mandate_notice")
    assert (row["status"], row["payment_id"]) == ("used", paid["payment_id"])
    assert outcome(use(shop, mandate, 700)) == "mandate_notice_required"


def test_a_small_debit_needs_no_notice_and_uses_none(shop: Shop, mandate: str) -> None:
    notice = announce(shop, mandate, 800)
    shop.clock.at_ms += DAY_MS
    assert outcome(use(shop, mandate, 200)) == "captured"
    assert status_of(shop, notice) == "announced"
    with pytest.raises(CallerError, match="mandate_notice_unasked"):
        announce(shop, mandate, 200)


def test_a_notice_ends_with_its_window(shop: Shop, mandate: str) -> None:
    announce(shop, mandate, 800)
    shop.clock.at_ms += DAY_MS + NOTICE_VALID_MS
    assert outcome(use(shop, mandate, 800)) == "mandate_notice_required"


def test_a_payer_refuses_an_announced_debit(shop: Shop, mandate: str, payer: str) -> None:
    notice_id = announce(shop, mandate, 800)["notice_id"]
    with pytest.raises(CallerError, match="notice_not_found"):
        refuse(shop, shop.add_payer(), notice_id)
    for _ in range(2):
        assert refuse(shop, payer, notice_id)["status"] == "refused"
    shop.clock.at_ms += DAY_MS
    assert outcome(use(shop, mandate, 800)) == "mandate_notice_required"
    with pytest.raises(CallerError, match="notice_state"):
        withdraw(shop, notice_id)
    events = shop.rows("SELECT event, actor, subject_id FROM mandate_event WHERE number = 3")
    assert [tuple(row.values()) for row in events] == [
        ("DebitNoticeRefused", f"payer:{payer}", notice_id)
    ]


def test_a_used_notice_is_not_refused_any_more(shop: Shop, mandate: str, payer: str) -> None:
    notice_id = announce(shop, mandate, 800)["notice_id"]
    shop.clock.at_ms += DAY_MS
    use(shop, mandate, 800)
    with pytest.raises(CallerError, match="notice_state"):
        refuse(shop, payer, notice_id)


def test_a_merchant_withdraws_its_own_notice_only(shop: Shop, mandate: str) -> None:
    notice = announce(shop, mandate, 800)
    with pytest.raises(CallerError, match="notice_not_found"):
        withdraw(shop, notice["notice_id"], merchant_id=OTHER_MERCHANT)
    assert withdraw(shop, notice["notice_id"])["status"] == "withdrawn"
    assert mandate_row(shop, mandate)["open_notices"] == "[]"


def test_the_notice_of_an_undone_debit_stands_again(shop: Shop, mandate: str) -> None:
    notice = announce(shop, mandate, 800)
    shop.clock.at_ms += DAY_MS
    paid = use(shop, mandate, 800)
    undo(shop, paid)
    undo(shop, paid)
    assert status_of(shop, notice) == "announced"
    assert outcome(use(shop, mandate, 800)) == "captured"
    assert outcome(use(shop, mandate, 800)) == "mandate_notice_required"


def test_a_debit_uses_the_smallest_notice_that_covers_it() -> None:
    def notice(name: str, amount_minor: int, from_ms: int) -> Notice:
        return Notice(
            notice_id=name, amount_minor=amount_minor, debit_from_ms=from_ms, debit_until_ms=99
        )

    def found(amount_minor: int, now_ms: int) -> str | None:
        use = Use(
            merchant_id="m", device="d", amount_minor=amount_minor, currency="CNY",
            now_ms=now_ms, day="2026-12-01",
        )  # fmt: skip
        chosen = notice_for(use, notices)
        return None if chosen is None else chosen.notice_id

    notices = [notice("large", 900, 1), notice("later", 500, 9), notice("small", 500, 2)]
    assert [found(400, now_ms) for now_ms in (0, 1, 2, 9, 98, 99)] == [
        None, "large", "small", "small", "small", None,
    ]  # fmt: skip
    assert (found(501, 9), found(901, 9)) == ("large", None)


def test_the_same_announcement_again_changes_nothing(shop: Shop, mandate: str) -> None:
    first = announce(shop, mandate, 800)
    shop.clock.at_ms += HOUR_MS
    assert announce(shop, mandate, 800, notice_id=first["notice_id"]) == first
    with pytest.raises(CallerError, match="idempotency_conflict"):
        announce(shop, mandate, 801, notice_id=first["notice_id"])


def test_an_announcement_outside_the_mandate_is_refused(shop: Shop, mandate: str) -> None:
    for changes, code in (
        ({"amount_minor": 1_001}, "mandate_limit_payment"),
        ({"amount_minor": 0}, "amount_invalid"),
        ({"currency": "USD"}, "currency_mismatch"),
        ({"merchant_id": OTHER_MERCHANT}, "mandate_not_found"),
        ({"notice_id": "ntc_1"}, "field_invalid"),
        ({"description": "长" * 300}, "field_invalid"),
    ):
        with pytest.raises(CallerError, match=code):
            announce(shop, mandate, **({"amount_minor": 500} | changes))


def test_nothing_is_announced_that_could_never_be_debited(shop: Shop, mandate: str) -> None:
    shop.clock.at_ms = START_MS + 29 * DAY_MS
    with pytest.raises(CallerError, match="mandate_inactive"):
        announce(shop, mandate, 500)
    shop.clock.at_ms = START_MS
    merchant_says(shop, mandate, MandateCommand.TERMINATE)
    with pytest.raises(CallerError, match="mandate_inactive"):
        announce(shop, mandate, 500)


def test_a_mandate_has_few_open_notices_and_those_of_the_past_make_room(
    shop: Shop, mandate: str
) -> None:
    for _ in range(NOTICES_OPEN_MAX):
        announce(shop, mandate, 500)
    with pytest.raises(CallerError, match="notices_open"):
        announce(shop, mandate, 500)
    shop.clock.at_ms += DAY_MS + NOTICE_VALID_MS
    announce(shop, mandate, 500)


def test_the_limits_hold_also_for_an_announced_debit(shop: Shop, mandate: str) -> None:
    for _ in range(3):
        announce(shop, mandate, 1_000)
    shop.clock.at_ms += DAY_MS
    states = [outcome(use(shop, mandate, 1_000)) for _ in range(3)]
    assert states == ["captured", "captured", "mandate_limit_day"]
