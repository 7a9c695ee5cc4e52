"""Every kind of receipt that the agent stores can be printed, in both languages."""

import pytest

from terminal.slip import receipt_bytes

FACTS = {
    "merchant_zh": "小店", "merchant_en": "Corner Shop", "till": "1", "amount_minor": 1280,
    "currency": "CNY", "payment_id": "pay_0123", "at_ms": 1_790_000_000_000, "method": "pay_code",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "zh", "en"),
    [
        ("paid", "支付成功", "PAID"),
        ("declined", "支付失败", "DECLINED"),
        ("unknown", "结果未知", "UNKNOWN"),
        ("reversed", "已撤销", "REVERSED"),
        ("closed", "已关闭", "CLOSED"),
        ("expired", "已过期", "EXPIRED"),
        ("refund", "退款", "REFUND"),
        ("refund_failed", "退款失败", "REFUND FAILED"),
    ],
)
def test_each_kind_has_its_title_in_both_languages(kind: str, zh: str, en: str) -> None:
    printed = receipt_bytes({**FACTS, "kind": kind})
    assert zh.encode("gb18030") in printed
    assert en.encode() in printed


@pytest.mark.parametrize(
    ("place", "label"),
    [
        (None, "收银台 Till"),
        ("till", "收银台 Till"),
        ("vending", "售货机 Machine"),
        ("parking", "停车出口 Exit"),
        ("meter", "电表 Meter"),
    ],
)
def test_a_receipt_says_what_it_is_of(place: str | None, label: str) -> None:
    facts = (
        FACTS if place is None else {**FACTS, "place": place}
    )  # None: stored by an older program
    assert label.encode("gb18030") in receipt_bytes({**facts, "kind": "paid"})


def test_copies_recoveries_and_errors_are_marked() -> None:
    facts = {**FACTS, "kind": "declined", "is_copy": True, "is_recovered": True}
    printed = receipt_bytes({**facts, "error_code": "insufficient_balance"})
    assert "补打 COPY".encode("gb18030") in printed
    assert b"RECOVERED" in printed
    assert "余额不足".encode("gb18030") in printed


def test_a_code_that_we_do_not_know_does_not_stop_the_printer() -> None:
    assert receipt_bytes({**FACTS, "kind": "declined", "error_code": "of_the_future"})
