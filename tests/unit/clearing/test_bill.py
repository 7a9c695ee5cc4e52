"""The merchant's bill: every line adds up, and nothing in it becomes a formula."""

import csv

from hypothesis import given
from hypothesis import strategies as st

from backend.clearing.bill import COLUMNS, BillLine, net_of, write_bill

lines = st.builds(
    BillLine,
    at_ms=st.integers(0, 2**41),
    kind=st.sampled_from(["付款 payment", "退款 refund"]),
    payment_id=st.just("pay_1"),
    refund_id=st.just(""),
    amount_minor=st.integers(-(10**9), 10**9),
    fee_minor=st.integers(-(10**6), 10**6),
    description=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20),
)


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(data.decode("utf-8-sig").splitlines()))


def minor(yuan: str) -> int:
    return int(yuan.replace(".", ""))


@given(st.lists(lines, max_size=8))
def test_the_summary_is_the_sum_of_the_lines(written: list[BillLine]) -> None:
    header, *rows, summary = read(write_bill(written, currency="CNY"))
    assert tuple(header) == COLUMNS
    assert len(rows) == len(written)
    for column in (4, 5, 6):
        assert minor(summary[column]) == sum(minor(row[column]) for row in rows)
    assert minor(summary[6]) == net_of(written)


def test_a_description_cannot_become_a_formula() -> None:
    line = BillLine(at_ms=0, kind="付款 payment", payment_id="p", refund_id="", amount_minor=1,
                    fee_minor=0, description="=cmd|'/c calc'!A1")  # fmt: skip
    assert read(write_bill([line], currency="CNY"))[1][7].startswith("'=")
