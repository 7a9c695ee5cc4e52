"""A till without anybody to ask: which tokens it takes, what it says, and how they come back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.domain.effects import Mode
from hub.words import seal_state
from protocol.errors import CallerError
from terminal.effects import TryOtherHub
from terminal.inputs import (
    Cancel,
    ChooseMethod,
    CodeScanned,
    Dismiss,
    HubStateArrived,
    LinkDown,
    LinkUp,
    StartRefund,
    StartSale,
)
from terminal.slip import receipt_bytes
from tests.support.offline_phone import HOUR_MS, Phone, hub_word
from tests.unit.terminal.fakes import (
    BACKEND_KEY,
    HUB_KEY,
    STORE,
    STRANGER_KEY,
    Bench,
    opened,
    refusal,
)


def hear(bench: Bench, mode: Mode = "offline", **changes: Any) -> None:
    """The hub speaks."""
    bench.feed(HubStateArrived(hub_word(mode, bench.clock.now_ms(), **changes)))


def phone_of(bench: Bench, **changes: Any) -> Phone:
    """A phone that has fetched its voucher now."""
    return Phone(bench.clock.now_ms(), **changes)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "journal.db", methods=("pay_code", "offline_token"))
    hear(made)
    yield made
    made.power_cut()


def sell(bench: Bench, amount_minor: int) -> str:
    """Ask for it offline; what the till shows."""
    bench.feed(StartSale(amount_minor=amount_minor, currency="CNY"))
    bench.feed(ChooseMethod("offline_token"))
    assert bench.kind == "offline_scan"
    shown = bench.agent.screen().code_url
    assert shown is not None
    return shown


def scan(bench: Bench, text: str) -> None:
    current = bench.agent.current()
    assert current is not None
    bench.feed(CodeScanned(current.payment_id, text))


def accept(bench: Bench, phone: Phone, asked_minor: int, /, **changes: Any) -> None:
    scan(bench, phone.sign(sell(bench, asked_minor), **changes))


def refused_with(bench: Bench) -> str | None:
    """Why the token was not taken: the cashier chooses again."""
    screen = bench.agent.screen()
    assert screen.kind == "choosing"
    assert screen.error is not None
    assert screen.error.words.zh
    return screen.error.code


def test_a_token_is_accepted_and_kept_and_goes_to_the_hub_at_once(bench: Bench) -> None:
    accept(bench, phone_of(bench), 3_000)
    assert bench.kind == "accepted_offline"
    body = opened(bench.sent_of("payment.create")[-1]).body
    assert (body["method"], body["amount_minor"]) == ("offline_token", 3_000)
    assert body["accepted_at_ms"] == bench.clock.now_ms()
    assert bench.printed() == ["accepted_offline"]
    screen = bench.agent.screen()
    assert (screen.offline_count, screen.offline_minor, screen.unknown_count) == (1, 3_000, 0)
    bench.feed(Dismiss())
    assert bench.kind == "keypad"


def test_the_receipt_says_paid_offline_and_who_bears_what(bench: Bench) -> None:
    accept(bench, phone_of(bench), 3_000)
    paper = receipt_bytes(bench.receipts[-1].facts).decode("gb18030", "ignore")
    for words in ("PAID OFFLINE", "￥50.00", "由商户承担", "the merchant the rest"):
        assert words in paper


def test_it_is_paid_when_the_backend_says_so_and_only_then_refunded(bench: Bench) -> None:
    accept(bench, phone_of(bench), 3_000)
    sale = bench.agent.recent(1)[0]
    bench.feed(Dismiss())
    with pytest.raises(CallerError):
        bench.feed(StartRefund(payment_id=sale.payment_id))
    bench.answer(bench.result("captured", to=bench.sent_of("payment.create")[-1]))
    assert bench.agent.recent(1)[0].state == "paid"
    assert bench.printed() == ["accepted_offline"], "whoever paid has gone, with a receipt"
    bench.feed(StartRefund(payment_id=sale.payment_id))
    assert bench.kind == "refund_sending"


def test_what_comes_back_unpaid_is_told_with_its_reason(bench: Bench) -> None:
    accept(bench, phone_of(bench), 3_000)
    error = CallerError("offline_overspent").to_wire()
    bench.answer(bench.result("declined", to=bench.sent_of("payment.create")[-1], error=error))
    sale = bench.agent.recent(1)[0]
    assert (sale.state, sale.error_code) == ("declined", "offline_overspent")
    assert bench.printed()[-1] == "declined"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": STRANGER_KEY}, "offline_token_invalid"),
        ({"by": STRANGER_KEY}, "offline_token_invalid"),
        ({"amount_minor": 2_999}, "offline_token_other"),
        ({"merchant_id": "m-2"}, "offline_token_other"),
        ({"number": 20}, "offline_token_used"),
    ],
)
def test_a_token_that_does_not_hold_is_refused(
    bench: Bench, changes: dict[str, Any], code: str
) -> None:
    accept(bench, phone_of(bench), 3_000, **changes)
    assert refused_with(bench) == code
    assert bench.agent.recent(1) == []


@pytest.mark.parametrize("text", ["TWO1.", "TWO1.!!", "TWO1.oA", "134567890123456789", "x" * 999])
def test_garbage_is_refused(bench: Bench, text: str) -> None:
    sell(bench, 100)
    scan(bench, text)
    assert refused_with(bench) == "offline_token_invalid"


def test_an_expired_voucher_is_refused(bench: Bench) -> None:
    phone = phone_of(bench)
    bench.wait(HOUR_MS + 1)
    accept(bench, phone, 3_000)
    assert refused_with(bench) == "offline_token_expired"


def test_the_limits_of_payment_class_and_device(bench: Bench) -> None:
    phone = phone_of(bench)
    accept(bench, phone, 5_001)
    assert refused_with(bench) == "offline_limit_payment"
    accept_again(bench, phone, 4_500)
    accept_again(bench, phone, 4_500)
    accept_again(bench, phone_of(bench, voucher_id="ofv_01ARZ3NDEKTSV4RRFFQ69G5FAW"), 1)
    assert refused_with(bench) == "offline_limit_device"


def accept_again(bench: Bench, phone: Phone, amount_minor: int) -> None:
    """Leave what is shown, and take another."""
    if bench.kind == "choosing":
        bench.feed(Cancel())
    accept(bench, phone, amount_minor)


def test_a_class_that_the_store_does_not_name_is_refused(bench: Bench) -> None:
    accept(bench, phone_of(bench, payer_class="known"), 1)
    assert refused_with(bench) == "offline_limit_payment"


def test_what_is_left_for_the_store_counts(bench: Bench) -> None:
    hear(bench, store_minor_left=4_000)
    accept(bench, phone_of(bench), 3_000)
    accept_again(bench, phone_of(bench, voucher_id="ofv_01ARZ3NDEKTSV4RRFFQ69G5FAW"), 1_001)
    assert refused_with(bench) == "offline_limit_store"


@pytest.mark.parametrize("is_cut", [False, True])
def test_what_was_accepted_counts_for_the_store_though_the_hubs_clock_is_fast(
    bench: Bench, is_cut: bool
) -> None:
    word = hub_word("offline", bench.clock.now_ms() + HOUR_MS, store_minor_left=4_000)
    bench.feed(HubStateArrived(word))
    bench.wait(1_000)
    accept(bench, phone_of(bench), 3_000)
    if is_cut:
        bench.power_cut()
        bench.boot(link_up=False)
    else:
        bench.feed(Dismiss())
        bench.feed(HubStateArrived(word))  # retained, and brought again
    accept(bench, phone_of(bench, voucher_id="ofv_01ARZ3NDEKTSV4RRFFQ69G5FAW"), 1_001)
    assert refused_with(bench) == "offline_limit_store"


def test_a_number_and_the_money_of_a_voucher_are_spent_here_once(bench: Bench) -> None:
    hear(bench, device_minor_max=100_000)
    phone = phone_of(bench)
    accept(bench, phone, 5_000)
    accept_again(bench, phone_of(bench), 1_000)  # a copy of the phone begins at number 0 again
    assert refused_with(bench) == "offline_token_used"
    accept_again(bench, phone, 5_000)
    accept_again(bench, phone, 1)
    assert refused_with(bench) == "offline_token_used"


def test_a_hub_that_has_lost_the_backend_is_to_be_left_for_another(bench: Bench) -> None:
    bench.others.clear()
    for mode in ("degraded", "offline"):
        hear(bench, mode)
        assert bench.others.count(TryOtherHub()) == 1
        bench.others.clear()
    hear(bench, "online")
    assert TryOtherHub() not in bench.others


def test_no_token_is_asked_for_while_somebody_can_be_asked(bench: Bench) -> None:
    hear(bench, "online")
    bench.feed(StartSale(amount_minor=100, currency="CNY"))
    assert [button.action for button in bench.agent.screen().buttons] == ["pay_code", "cancel"]
    with pytest.raises(CallerError, match="offline_not_needed"):
        bench.feed(ChooseMethod("offline_token"))


def test_a_way_that_cannot_be_taken_offline_is_refused_in_words(bench: Bench) -> None:
    bench.feed(StartSale(amount_minor=100, currency="CNY"))
    assert [button.action for button in bench.agent.screen().buttons] == ["offline_token", "cancel"]
    with pytest.raises(CallerError, match="offline_not_this_way"):
        bench.feed(ChooseMethod("pay_code"))


def test_limits_that_are_too_old_or_were_never_heard_allow_nothing(bench: Bench) -> None:
    bench.wait(25 * HOUR_MS)
    bench.feed(StartSale(amount_minor=100, currency="CNY"))
    with pytest.raises(CallerError, match="offline_unavailable"):
        bench.feed(ChooseMethod("offline_token"))
    fresh = Bench(methods=("offline_token",), link_up=False)
    fresh.feed(StartSale(amount_minor=100, currency="CNY"))
    with pytest.raises(CallerError, match="offline_unavailable"):
        fresh.feed(ChooseMethod("offline_token"))
    fresh.power_cut()


def test_without_a_line_it_waits_through_a_power_cut_and_goes_when_the_line_is_back(
    bench: Bench,
) -> None:
    bench.feed(LinkDown())
    accept(bench, phone_of(bench), 3_000)
    assert bench.sent_of("payment.create") == []
    bench.power_cut()
    bench.clock.forward(30 * HOUR_MS)
    bench.boot(link_up=False)
    assert bench.kind == "keypad"
    assert bench.agent.screen().offline_count == 1
    bench.wait(6 * HOUR_MS)
    bench.feed(LinkUp())
    [sent] = bench.sent_of("payment.create")
    bench.answer(bench.result("captured", to=sent))
    assert bench.agent.recent(1)[0].state == "paid"


def test_after_a_power_cut_without_the_hub_its_last_word_still_counts(bench: Bench) -> None:
    bench.power_cut()
    bench.boot(link_up=False)
    accept(bench, phone_of(bench), 3_000)
    assert bench.kind == "accepted_offline"


def test_what_a_broker_says_for_a_hub_that_is_gone_leaves_its_limits(bench: Bench) -> None:
    hear(bench, mode="online")
    started_ms = bench.clock.now_ms() - HOUR_MS
    will = seal_state("offline", started_ms, store=STORE, epoch=1, key=HUB_KEY, is_will=True)
    bench.feed(HubStateArrived(will))
    accept(bench, phone_of(bench), 3_000)
    assert bench.kind == "accepted_offline"


def test_that_a_store_takes_nothing_offline_any_more_outlives_a_power_cut(bench: Bench) -> None:
    said_ms = bench.clock.now_ms() + 1_000
    word = seal_state("offline", said_ms, store=STORE, epoch=2, key=HUB_KEY)
    bench.feed(HubStateArrived(word))
    for is_booted in (False, True):
        if is_booted:
            bench.power_cut()
            bench.boot(link_up=False)
        bench.feed(StartSale(amount_minor=100, currency="CNY"))
        with pytest.raises(CallerError, match="offline_unavailable"):
            bench.feed(ChooseMethod("offline_token"))


def test_nobody_is_asked_before_the_backend_is_back_then_at_once(bench: Bench) -> None:
    accept(bench, phone_of(bench), 3_000)
    bench.wait(10 * 60_000)
    assert bench.sent_of("payment.query") == []
    hear(bench, "online")
    query = bench.sent_of("payment.query")[-1]
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    assert len(bench.sent_of("payment.create")) == 2, "proved void, so it is made again"
    bench.answer(bench.result("captured", to=bench.sent_of("payment.create")[-1]))
    assert bench.agent.recent(1)[0].state == "paid"


def test_a_till_that_is_suspended_keeps_its_money_until_it_is_heard_again(bench: Bench) -> None:
    accept(bench, phone_of(bench), 3_000)
    create = bench.sent_of("payment.create")[-1]
    bench.answer(refusal(create.request_id, "device_suspended"))
    assert bench.kind == "accepted_offline"
    bench.wait(60_000)
    assert len(bench.sent_of("payment.create")) > 1
