"""The layout of a bill: what anybody types stays one value of one line, and is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.bills import paper
from backend.bills.fund_flow import Movement, names
from backend.bills.trade import BillType, LineState, TradeLine, write_trade_bill
from tests.support import bills
from tests.support.bills import read_bill

OFFSET_MS = 8 * 3_600_000


def a_line(**changes: object) -> TradeLine:
    fields: dict[str, object] = {
        "state": LineState.SUCCESS,
        "at_ms": 1_790_740_800_000,
        "paid_at_ms": 1_790_740_800_000,
        "merchant_id": "mch_1",
        "device": "pos1",
        "payment_id": "pay_1",
        "payer": "*雷",
        "method": "pay_code",
        "funding": "balance",
        "amount_minor": 1_280,
        "coupon_minor": 0,
        "fee_minor": 8,
        "rate_bps": 60,
    }
    return TradeLine(**(fields | changes))  # type: ignore[arg-type]


def written(*lines: TradeLine, bill_type: BillType = BillType.ALL) -> bytes:
    found = write_trade_bill(lines, bill_type, currency="CNY", offset_ms=OFFSET_MS)
    return "".join(found).encode()


@pytest.mark.parametrize(
    ("bill_type", "columns", "count"),
    [
        (BillType.ALL, bills.ALL, 27),
        (BillType.SUCCESS, bills.SUCCESS, 20),
        (BillType.REFUND, bills.REFUND, 29),
    ],
)
def test_an_empty_bill_has_the_names_of_its_type_and_a_summary(
    bill_type: BillType, columns: str, count: int
) -> None:
    found = read_bill(written(bill_type=bill_type))
    assert (found.header, found.rows, found.summary_header) == (columns, [], bills.TRADE_SUMMARY)
    assert len(columns.split(",")) == count
    assert list(found.summary.values()) == [
        "0", "0.00", "0.00", "0.00", "0.00000", "0.00", "0.00",
    ]  # fmt: skip


def test_a_payment_s_line_is_byte_for_byte_what_the_documentation_shows() -> None:
    data = written(a_line(description="可乐", attached="sto_1"))
    assert data.split(b"\r\n")[1].decode() == (
        "`2026-09-30 12:00:00,`,`mch_1,`0,`pos1,`pay_1,`pay_1,`*雷,`MICROPAY,`SUCCESS,`CFT,`CNY,"
        "`12.80,`0.00,`0,`0,`0.00,`0.00,`,`,`可乐,`sto_1,`0.08000,`0.60%,`12.80,`0.00,`"
    )
    assert data.split(b"\r\n")[3] == b"`1,`12.80,`0.00,`0.00,`0.08000,`12.80,`0.00"


def test_a_refund_s_line_has_its_own_amounts_and_a_negative_fee() -> None:
    refund = a_line(
        state=LineState.REFUND, at_ms=1_790_740_860_000, ended_at_ms=1_790_740_864_000,
        return_id="rfd_1", amount_minor=500, coupon_minor=100, fee_minor=3, funding="card",
    )  # fmt: skip
    lines = written(refund, bill_type=BillType.REFUND).decode().split("\r\n")
    assert lines[1] == (
        "`2026-09-30 12:00:00,`,`mch_1,`0,`pos1,`pay_1,`pay_1,`*雷,`MICROPAY,`REFUND,`OTHERS,`CNY,"
        "`0.00,`0.00,`2026-09-30 12:01:00,`2026-09-30 12:01:04,`rfd_1,`rfd_1,`5.00,`1.00,"
        "`ORIGINAL,`SUCCESS,`,`,`-0.03000,`0.60%,`0.00,`5.00,`"
    )
    assert lines[3] == "`1,`0.00,`5.00,`1.00,`-0.03000,`0.00,`5.00"
    assert written(refund).decode().split("\r\n")[1].startswith("`2026-09-30 12:01:00,")


@given(st.lists(st.text(max_size=30), max_size=4))
def test_whatever_is_typed_stays_one_value_of_one_line(typed: list[str]) -> None:
    found = read_bill(written(*(a_line(description=text, attached=text) for text in typed)))
    assert len(found.rows) == len(typed)
    for row, text in zip(found.rows, typed, strict=True):
        assert row["商品名称"] == row["商户数据包"] == paper.typed(text)
        assert (row["手续费"], row["订单金额"]) == ("0.08000", "12.80")


def test_a_comma_a_line_s_end_and_a_backtick_are_told_apart_from_the_layout() -> None:
    assert paper.typed("a,b\r\nc`d\x00") == "a，b\\r\\nc'd "  # the full-width comma


@pytest.mark.parametrize(
    ("event_id", "rule", "name"),
    [
        ("mtr_1", "merchant_packet_sent", "商家转账"),
        ("mtr_1.ended", "merchant_packet_expired", "商家转账退回"),
        ("rpk_1", "merchant_packet_sent", "现金红包"),
        ("rpk_1.expired", "merchant_packet_expired", "现金红包退回"),
    ],
)
def test_what_a_merchant_gives_is_named_by_what_it_is(event_id: str, rule: str, name: str) -> None:
    moved = Movement(
        at_ms=0,
        transfer_id=f"{event_id}:1",
        rule=rule,
        counter_account="C:REDPKT:CNY",
        amount_minor=-100,
    )
    assert names(moved)[1] == name
