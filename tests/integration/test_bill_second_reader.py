"""Our bills, read by npm's wechatpay-axios-plugin: a merchant's library that nobody here wrote. (Of
the Python ones, wechatpayv3 and wechatpy hand a bill on as it comes and read none.)"""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.bills.fund_flow import Movement, write_fund_flow
from backend.bills.trade import BillType, LineState, TradeLine, write_trade_bill
from tests.support.bills import ReadBill, read_bill

LIBRARY = Path(sys.prefix) / "npm_readers" / "node_modules" / "wechatpay-axios-plugin"
RUNNER = Path(__file__).parents[1] / "support" / "bill_reader.js"
OFFSET_MS = 8 * 3_600_000
TYPED = ["", "可乐", "a,b", 'say "hi"', "=1+1", "`tick`", "two\r\nlines", ",`", "尾,"]


def library_reads(bill: bytes) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None or not (LIBRARY / "package.json").is_file():
        pytest.skip(
            "node or npm's wechatpay-axios-plugin is not installed: make test does so where it can"
        )
    run = subprocess.run(
        [node, str(RUNNER), str(LIBRARY)], input=bill, capture_output=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def agree(bill: bytes) -> ReadBill:
    """The library reads what the documentation's rules read."""
    ours, theirs = read_bill(bill), library_reads(bill)
    assert theirs == {"rows": ours.rows, "summary": ours.summary}
    return ours


def random_lines(luck: random.Random, count: int) -> list[TradeLine]:
    return [
        TradeLine(
            state=luck.choice(list(LineState)),
            at_ms=1_790_740_800_000 + number,
            paid_at_ms=1_790_740_800_000,
            ended_at_ms=luck.choice([None, 1_790_740_900_000]),
            merchant_id="mch_1",
            device="pos1",
            payment_id=f"pay_{number}",
            payer="*雷",
            method=luck.choice(["pay_code", "merchant_qr", "mandate"]),
            funding=luck.choice(["balance", "card", "fund", "ecny"]),
            amount_minor=luck.randrange(1, 10**9),
            coupon_minor=luck.randrange(0, 100),
            fee_minor=luck.randrange(0, 10**6),
            rate_bps=luck.randrange(0, 300),
            return_id=f"rfd_{number}",
            description=luck.choice(TYPED),
            attached=luck.choice(TYPED),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("bill_type", list(BillType))
@pytest.mark.parametrize("count", [0, 1, 200])
def test_a_merchant_s_library_reads_our_trade_bills(bill_type: BillType, count: int) -> None:
    lines = random_lines(random.Random(count), count)
    text = write_trade_bill(lines, bill_type, currency="CNY", offset_ms=OFFSET_MS)
    assert len(agree("".join(text).encode()).rows) == count


def test_a_merchant_s_library_reads_our_fund_flow_bills() -> None:
    moves = [
        Movement(
            at_ms=1_790_740_800_000 + number,
            transfer_id=f"pay_{number}:1",
            rule="balance_paid",
            counter_account="C:CUST:pyr_1:CNY",
            amount_minor=100 * number - 500,
        )
        for number in range(20)
        if number != 5
    ]
    text = write_fund_flow(
        moves, merchant_id="mch_1", currency="CNY", opening_minor=1_000, offset_ms=OFFSET_MS
    )
    found = agree("".join(text).encode())
    assert found.rows[-1]["账户结余(元)"] == f"{10 + sum(n - 5 for n in range(20))}.00"
