"""A sale, as the agent plays it: signed answers only, doubts stay doubts."""

from collections.abc import Iterator
from typing import Any

import pytest

from protocol.errors import CallerError
from protocol.scanned import USUAL_FORMS, ScanTable
from terminal.effects import ReadFinger, ScanCode, StopDevices, Transmit, TryOtherHub
from terminal.inputs import (
    Cancel,
    CodeScanned,
    FingerMatched,
    FingerRefused,
    LinkDown,
    LinkUp,
    Reprint,
    ScanFailed,
    StartSale,
)
from terminal.slip import receipt_bytes
from tests.unit.terminal.fakes import (
    BACKEND_KEY,
    CODE,
    HUB_KEY,
    STRANGER_KEY,
    Bench,
    opened,
    refusal,
    sell,
    sign,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.power_cut()


def test_a_pay_code_sale_is_stored_sent_answered_and_printed(bench: Bench) -> None:
    bench.feed(StartSale(amount_minor=1280, currency="CNY", method="pay_code"))
    assert bench.kind == "scanning"
    scan = bench.others[-1]
    assert isinstance(scan, ScanCode)
    bench.feed(CodeScanned(scan.payment_id, CODE))
    assert bench.kind == "sending"
    create = bench.sent_of("payment.create")[0]
    body = opened(create).body
    assert body["pay_code"] == CODE
    assert body["amount_minor"] == 1280
    bench.answer(bench.result("captured", to=create, payer_masked="张*", paid_at_ms=5))
    screen = bench.agent.screen()
    assert (screen.kind, screen.amount, screen.payer) == ("paid", "12.80", "张*")
    assert bench.printed() == ["paid"]
    row = bench.journal.request(create.request_id)
    assert row is not None
    assert row.body is None  # the pay code does not lie about


@pytest.mark.parametrize(("took_ms", "ahead_ms"), [(800, 60_000), (2_001, None)])
def test_a_quick_answer_tells_how_far_the_clock_is_from_the_backends(
    took_ms: int, ahead_ms: int | None, bench: Bench
) -> None:
    bench.feed(StartSale(amount_minor=1280, currency="CNY", method="pay_code"))
    scan = bench.others[-1]
    assert isinstance(scan, ScanCode)
    bench.feed(CodeScanned(scan.payment_id, CODE))
    create = bench.sent_of("payment.create")[0]
    halfway_ms = bench.clock.now_ms() + took_ms // 2
    bench.wait(took_ms)
    body = {"payment_id": scan.payment_id, "state": "captured", "amount_minor": 1280}
    body |= {"currency": "CNY", "method": "pay_code"}
    answered_at_ms = halfway_ms - 60_000
    bench.answer(sign("payment.result", body, request_id=create.request_id, at_ms=answered_at_ms))
    assert bench.kind == "paid"
    assert bench.agent.clock_ahead_ms == ahead_ms


def test_a_coupon_s_part_is_kept_and_stands_on_the_receipt(bench: Bench) -> None:
    create = sell(bench)
    bench.answer(bench.result("captured", to=create, coupon_minor=300))
    [receipt] = bench.receipts
    assert receipt.facts["coupon_minor"] == 300
    sale = bench.journal.sale(opened(create).body["payment_id"])
    assert sale is not None
    assert sale.coupon_minor == 300
    assert "优惠 Coupon".encode("gb18030") in receipt_bytes(receipt.facts)


def test_a_decline_shows_its_own_words_and_a_new_sale_has_new_ids(bench: Bench) -> None:
    create = sell(bench)
    bench.answer(
        bench.result(
            "declined",
            to=create,
            error={"code": "insufficient_balance", "retry": "never", "zh": "x", "en": "y"},
        )
    )
    screen = bench.agent.screen()
    assert screen.kind == "declined"
    assert screen.error is not None
    assert screen.error.code == "insufficient_balance"
    assert "余额不足" in screen.error.words.zh
    again = sell(bench)
    assert opened(again).body["payment_id"] != opened(create).body["payment_id"]
    assert opened(again).body["attempt_id"] != opened(create).body["attempt_id"]


def test_silence_makes_it_unknown_and_then_it_is_asked_about(bench: Bench) -> None:
    create = sell(bench)
    bench.wait(4_999)
    assert bench.kind == "sending"
    bench.wait(2)
    screen = bench.agent.screen()
    assert screen.kind == "unknown"
    assert "do not charge again" in screen.title.en
    assert [button.action for button in screen.buttons] == ["query", "reverse", "park"]
    assert bench.printed() == ["unknown"]
    query = bench.sent_of("payment.query")[0]
    bench.wait(25_000)
    assert len(bench.sent_of("payment.query")) == 4
    bench.answer(bench.result("captured", to=query))
    assert bench.kind == "paid"
    assert bench.printed() == ["unknown", "paid"]
    bench.answer(bench.result("captured", to=create))  # the late first answer changes nothing
    assert bench.printed() == ["unknown", "paid"]


def test_hub_without_backend_means_unknown_not_declined(bench: Bench) -> None:
    create = sell(bench)
    bench.answer(refusal(create.request_id, "backend_unreachable"))
    assert bench.kind == "unknown"
    assert bench.agent.screen().error.code == "backend_unreachable"  # type: ignore[union-attr]
    bench.wait(5_000)
    assert bench.sent_of("payment.query")


@pytest.mark.parametrize("code", ["busy", "envelope_stale", "envelope_replayed"])
def test_refused_envelope_goes_again_with_the_same_ids_in_a_new_one(
    bench: Bench, code: str
) -> None:
    create = sell(bench)
    bench.answer(refusal(create.request_id, code))
    assert bench.kind == "sending"
    bench.wait(1_000)
    first, second = (opened(parcel) for parcel in bench.sent_of("payment.create"))
    assert (first.request_id, dict(first.body)) == (second.request_id, dict(second.body))
    assert second.counter > first.counter
    assert second.nonce != first.nonce


@pytest.mark.parametrize(
    ("code", "is_left"),
    [("envelope_stale", True), ("spool_unwritable", True), ("busy", False)],
)
def test_a_hub_whose_clock_or_disk_may_be_what_is_wrong_is_left_for_another(
    bench: Bench, code: str, is_left: bool
) -> None:
    create = sell(bench)
    bench.others.clear()
    bench.answer(refusal(create.request_id, code))
    assert (TryOtherHub() in bench.others) is is_left
    bench.others.clear()
    bench.answer(refusal(create.request_id, "envelope_stale", key=BACKEND_KEY))
    assert TryOtherHub() not in bench.others


@pytest.mark.parametrize("code", ["busy", "spool_unwritable"])
def test_a_hub_that_takes_nothing_is_told_in_the_tills_own_words_until_it_answers_the_same_payment(
    bench: Bench, code: str
) -> None:
    create = sell(bench)
    assert bench.agent.screen().error is None
    bench.answer(refusal(create.request_id, code))
    shown = bench.agent.screen()
    assert (shown.kind, [button.action for button in shown.buttons]) == ("sending", ["cancel"])
    assert shown.error is not None
    assert shown.error.code == code
    assert ("磁盘" in shown.error.words.zh) is (code == "spool_unwritable")
    assert "自动重试同一笔" in shown.error.words.zh
    assert "tried again by itself" in shown.error.words.en
    bench.wait(1_000)
    again = bench.sent_of("payment.create")[-1]
    assert again.request_id == create.request_id
    bench.answer(bench.result("captured", to=again))
    assert bench.kind == "paid"
    assert bench.agent.screen().error is None


def test_who_does_not_wait_for_a_busy_hub_cancels_and_nothing_of_it_stays(bench: Bench) -> None:
    create = sell(bench)
    bench.answer(refusal(create.request_id, "busy"))
    bench.feed(Cancel())
    sale = bench.journal.sale(str(opened(create).body["payment_id"]))
    assert sale is not None
    assert (sale.state, sale.error_code) == ("cancelled", None)


def test_backoff_grows_by_doubling(bench: Bench) -> None:
    create = sell(bench)
    gaps = []
    for step in range(4):
        before = bench.clock.ticks
        count = len(bench.sent_of("payment.create"))
        bench.answer(refusal(create.request_id, "busy", at_ms=step))
        while len(bench.sent_of("payment.create")) == count:
            bench.wait(100)
        gaps.append(bench.clock.ticks - before)
    assert gaps == [1_000, 2_000, 4_000, 8_000]


@pytest.mark.parametrize("code", ["signature_invalid", "device_revoked", "device_suspended"])
def test_refusal_of_a_request_never_accepted_is_final(bench: Bench, code: str) -> None:
    create = sell(bench)
    bench.answer(refusal(create.request_id, code))
    assert bench.kind == "declined"
    assert bench.agent.screen().error.code == code  # type: ignore[union-attr]


def test_same_refusal_is_no_answer_while_an_earlier_envelope_may_have_been_accepted(
    bench: Bench,
) -> None:
    create = sell(bench)
    bench.answer(refusal(create.request_id, "envelope_replayed"))
    bench.wait(1_000)
    bench.answer(refusal(create.request_id, "device_revoked"))
    assert bench.kind == "unknown"


def test_a_refusal_delivered_twice_counts_once(bench: Bench) -> None:
    create = sell(bench)
    bench.answer(refusal(create.request_id, "envelope_replayed"))
    bench.wait(1_000)
    same = refusal(create.request_id, "busy")
    bench.answer(same)
    bench.answer(same)
    row = bench.journal.request(create.request_id)
    assert row is not None
    assert (row.sends, row.refusals) == (2, 1)


def test_payment_not_found_sends_the_create_again_and_its_result_decides(bench: Bench) -> None:
    create = sell(bench)
    bench.wait(5_000)
    query = bench.sent_of("payment.query")[0]
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    assert bench.kind == "unknown"
    again = bench.sent_of("payment.create")[-1]
    assert again.request_id == create.request_id
    assert opened(again).body == opened(create).body
    bench.answer(bench.result("captured", to=again))
    assert bench.kind == "paid"


def test_nothing_leaves_while_the_line_is_down_and_cancel_is_then_local(bench: Bench) -> None:
    bench.feed(LinkDown())
    bench.feed(StartSale(amount_minor=100, currency="CNY", method="merchant_qr"))
    assert bench.kind == "offline"
    bench.wait(20_000)
    assert bench.kind == "offline"
    assert not bench.sent_of("payment.create")
    bench.feed(Cancel())
    assert bench.kind == "keypad"
    bench.feed(LinkUp())
    assert not bench.sent_of("payment.create")


def test_what_waited_for_the_line_is_sent_when_it_is_back(bench: Bench) -> None:
    bench.feed(LinkDown())
    bench.feed(StartSale(amount_minor=100, currency="CNY", method="merchant_qr"))
    bench.feed(LinkUp())
    assert len(bench.sent_of("payment.create")) == 1


def test_a_finger_is_asked_for_above_the_limit_and_goes_with_the_request() -> None:
    bench = Bench(biometric_above_minor=1000)
    bench.feed(StartSale(amount_minor=1001, currency="CNY", method="pay_code"))
    subject = bench.agent.screen().subject or ""
    bench.feed(CodeScanned(subject, CODE))
    assert bench.kind == "verifying"
    assert isinstance(bench.others[-1], ReadFinger)
    assert not bench.sent_of("payment.create")
    bench.feed(FingerMatched(subject, score=90, slot=3))
    body = opened(bench.sent_of("payment.create")[0]).body
    assert body["verification"] == {"kind": "fingerprint", "score": 90, "slot": 3}
    bench.power_cut()


@pytest.mark.parametrize("code", ["biometric_mismatch", "biometric_unavailable"])
def test_without_the_right_finger_nothing_is_sent_and_paper_says_why(code: str) -> None:
    bench = Bench(biometric_above_minor=1000)
    bench.feed(StartSale(amount_minor=1001, currency="CNY", method="pay_code"))
    subject = bench.agent.screen().subject or ""
    bench.feed(CodeScanned(subject, CODE))
    bench.feed(FingerRefused(subject, code))
    assert bench.kind == "declined"
    assert not bench.sent_of("payment.create")
    assert bench.receipts[-1].facts["error_code"] == code
    assert bench.agent.recent(1)[0].error_code == code
    bench.power_cut()


def test_no_code_goes_back_to_the_choice_with_the_reason(bench: Bench) -> None:
    bench.feed(StartSale(amount_minor=1, currency="CNY", method="pay_code"))
    subject = bench.agent.screen().subject or ""
    bench.feed(ScanFailed(subject, "scan_timeout"))
    screen = bench.agent.screen()
    assert (screen.kind, screen.error.code) == ("choosing", "scan_timeout")  # type: ignore[union-attr]
    bench.feed(Cancel())
    assert bench.kind == "keypad"
    assert isinstance(bench.others[-1], StopDevices)
    bench.feed(CodeScanned(subject, CODE))  # the scanner was slower than the cashier
    assert bench.kind == "keypad"
    assert not bench.sent_of("payment.create")


def test_another_wallets_payer_shows_no_finger_here() -> None:
    taken = ScanTable(USUAL_FORMS, ("wechat", "alipay"))
    bench = Bench(biometric_above_minor=1000, scan_table=taken)
    bench.feed(StartSale(amount_minor=1001, currency="CNY", method="pay_code"))
    bench.feed(CodeScanned(bench.agent.screen().subject or "", "281234567890123456"))
    body = opened(bench.sent_of("payment.create")[0]).body
    assert body["pay_code"] == "281234567890123456"
    assert body.get("verification") is None
    bench.power_cut()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("6901234567892", "pay_code_invalid"),
        ("https://qr.alipay.com/bax01", "merchant_code_scanned"),
        ("6212345678901234567", "wallet_not_taken"),
    ],
)
def test_what_is_no_pay_code_of_ours_is_not_sent_and_the_cashier_hears_why(
    bench: Bench, text: str, code: str
) -> None:
    bench.feed(StartSale(amount_minor=1, currency="CNY", method="pay_code"))
    bench.feed(CodeScanned(bench.agent.screen().subject or "", text))
    screen = bench.agent.screen()
    assert (screen.kind, screen.error.code) == ("choosing", code)  # type: ignore[union-attr]
    assert not bench.sent_of("payment.create")


def test_the_line_end_that_a_scanner_adds_is_not_sent(bench: Bench) -> None:
    bench.feed(StartSale(amount_minor=1, currency="CNY", method="pay_code"))
    bench.feed(CodeScanned(bench.agent.screen().subject or "", f"{CODE}\r\n"))
    assert opened(bench.sent_of("payment.create")[0]).body["pay_code"] == CODE


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (StartSale(amount_minor=0, currency="CNY"), "amount_invalid"),
        (StartSale(amount_minor=-1, currency="CNY"), "amount_invalid"),
        (StartSale(amount_minor=10**9, currency="CNY"), "amount_invalid"),
        (StartSale(amount_minor=1, currency="USD"), "currency_unsupported"),
        (StartSale(amount_minor=1, currency="XXX"), "currency_unsupported"),
        (StartSale(amount_minor=1, currency="CNY", method="barter"), "field_invalid"),
    ],
)
def test_a_bad_wish_is_refused_and_changes_nothing(
    bench: Bench, wish: StartSale, code: str
) -> None:
    with pytest.raises(CallerError) as refused:
        bench.feed(wish)
    assert refused.value.code == code
    assert bench.kind == "keypad"


def forged(bench: Bench, create: Transmit) -> dict[str, bytes]:
    sale = bench.agent.recent(1)[0]
    body: dict[str, Any] = {
        "payment_id": sale.payment_id,
        "state": "captured",
        "amount_minor": sale.amount_minor,
        "currency": sale.currency,
        "method": sale.method,
    }
    good = sign("payment.result", body, request_id=create.request_id)
    hello = bench.sent_of("device.hello")[0].request_id
    other = {**body, "amount_minor": 1}
    elsewhere = {**body, "payment_id": "pay_00000000000000000000000000"}
    return {
        "a stranger's key": sign("payment.result", body, key=STRANGER_KEY),
        "the hub's key": sign("payment.result", body, request_id=create.request_id, key=HUB_KEY),
        "another device": sign("payment.result", body, device="pos-2"),
        "another store": sign("payment.result", body, store="store-2"),
        "another request": sign("payment.result", body, request_id=hello),
        "an unknown request": sign("payment.result", body, request_id="req_" + "0" * 26),
        "another amount": sign("payment.result", other, request_id=create.request_id),
        "another payment": sign("payment.result", elsewhere),
        "a flipped bit": good[:-1] + bytes([good[-1] ^ 1]),
        "a truncated answer": good[:-9],
        "noise": b"\xff" * 40,
        "nothing": b"",
    }


def test_a_forged_answer_is_refused_counted_and_changes_nothing(bench: Bench) -> None:
    create = sell(bench)
    for count, (name, data) in enumerate(forged(bench, create).items(), start=1):
        bench.answer(data)
        assert bench.kind == "sending", name
        assert sum(bench.agent.refused_answers.values()) == count, name
    assert bench.printed() == []


def test_the_backend_outranks_a_hub_that_said_no(bench: Bench) -> None:
    create = sell(bench)
    bench.answer(refusal(create.request_id, "device_revoked"))
    assert bench.kind == "declined"
    bench.answer(bench.result("captured"))
    assert bench.kind == "paid"
    assert bench.printed() == ["declined", "paid"]


def test_a_reprint_is_marked_copy(bench: Bench) -> None:
    create = sell(bench)
    bench.answer(bench.result("captured", to=create))
    bench.feed(Reprint(bench.agent.recent(1)[0].payment_id))
    assert "is_copy" not in bench.receipts[0].facts
    assert bench.receipts[1].facts["is_copy"] is True
