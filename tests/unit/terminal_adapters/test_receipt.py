"""Goal: the receipt says what happened, in both languages, within the paper.

Method: print the bytes on the simulated printer and read the paper.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from firmware_sim.devices.escpos import EscPosPrinter, PrinterProfile
from firmware_sim.devices.paper import TextLine
from firmware_sim.devices.receipt import Receipt
from protocol.money import Money
from terminal.receipt import ReceiptContent, ReceiptItem, build_receipt, columns_of, shown

PAID = ReceiptContent(
    merchant="晨光咖啡 Morning Coffee",
    till="till-1",
    state="paid",
    amount=Money(4580, "CNY"),
    payment_id="pay_01JZ8Q4W3T5Y7V9X1B2C3D4E5F",
    at=datetime(2026, 3, 1, 9, 30, 5, tzinfo=UTC),
    items=(
        ReceiptItem("拿铁咖啡（大杯）", 2, Money(3600, "CNY")),
        ReceiptItem("Croissant", 1, Money(980, "CNY")),
    ),
    method="付款码 pay code",
    payer_masked="**明",
)


def _paper(content: ReceiptContent, width_mm: int = 80) -> Receipt:
    printer = EscPosPrinter(PrinterProfile(width_dots={58: 384, 80: 576}[width_mm]))
    printer.feed(build_receipt(content, width_mm=58 if width_mm == 58 else 80), 0)
    assert printer.unknown_commands == 0
    [receipt] = printer.receipts
    return receipt


def test_a_paid_receipt_names_merchant_items_total_and_payment() -> None:
    text = _paper(PAID).to_text()
    for words in ("晨光咖啡", "支付成功 PAID", "拿铁咖啡（大杯） x2", "36.00", "￥45.80", "**明",
                  "2026-03-01 09:30:05", PAID.payment_id):  # fmt: skip
        assert words in text
    assert "COPY" not in text


def test_a_coupon_s_part_and_what_the_payer_paid_stand_below_the_total() -> None:
    content = replace(PAID, coupon_minor=300)
    lines = [" ".join(line.split()) for line in _paper(content).to_text().splitlines()]
    at = lines.index("合计 Total ￥45.80")
    assert lines[at + 1 : at + 3] == ["优惠 Coupon -3.00", "实付 Paid ￥42.80"]
    for state in ("declined", "reversed"):
        assert "Coupon" not in _paper(replace(content, state=state)).to_text()
    assert "Coupon" not in _paper(PAID).to_text()


def test_the_payment_id_can_be_scanned_off_the_receipt() -> None:
    assert _paper(PAID).codes == [PAID.payment_id.encode()]


@pytest.mark.parametrize("width_mm", [58, 80])
def test_no_line_is_wider_than_the_paper(width_mm: int) -> None:
    long = ReceiptItem(
        "一件名字非常非常长长长长长长长长长长长长长长长长长长的商品", 3, Money(1, "CNY")
    )
    content = replace(PAID, items=(long,), error_code="risk_velocity")
    width_dots = {58: 384, 80: 576}[width_mm]
    for block in _paper(content, width_mm).blocks:
        if isinstance(block, TextLine):
            assert sum(span.width_dots for span in block.spans) <= width_dots


def test_a_declined_receipt_gives_code_and_advice_in_both_languages() -> None:
    text = _paper(replace(PAID, state="declined", error_code="insufficient_balance")).to_text()
    assert "支付失败 DECLINED" in text
    assert "[insufficient_balance]" in text
    assert "余额不足，请顾客更换支付方式。" in text
    assert "The balance is not enough" in text


def test_an_unknown_outcome_forbids_paying_again() -> None:
    text = _paper(replace(PAID, state="unknown")).to_text()
    assert "结果未知 OUTCOME" in text
    assert "请勿重复付款" in text
    assert "Do not pay again" in text


def test_a_copy_says_so_and_a_refund_names_both_numbers() -> None:
    content = replace(PAID, state="refund", refund_id="rfd_1", is_copy=True, items=())
    text = _paper(content).to_text()
    assert "补打 COPY" in text
    assert "退款 REFUND" in text
    assert "rfd_1" in text
    assert PAID.payment_id in text


def test_a_name_cannot_smuggle_a_command_to_the_printer() -> None:
    evil = replace(PAID, merchant="shop\x1bp\x00\x19\x19", items=())
    printer = EscPosPrinter()
    printer.feed(build_receipt(evil), 0)
    assert printer.drawer_kicks == 0


def test_amounts_are_shown_by_their_currency() -> None:
    assert shown(Money(1280, "CNY")) == "￥12.80"
    assert shown(Money(500, "JPY")) == "500 JPY"


def test_chinese_takes_two_columns() -> None:
    assert columns_of("收a￥") == 5
