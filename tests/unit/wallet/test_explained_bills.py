"""What a thing says of a payment, as its payer reads it: each word in the page's language only."""

import re
from dataclasses import replace

import pytest

from backend.wallet_page.explaining import explained
from hub.ocpp.paying import explain, refund_body
from protocol.messages import Explanation
from terminal import metering, vending
from terminal.domain import parking
from terminal.ports import Selection
from terminal.profile import Item
from tests.unit.hub_ocpp.test_model import RUNNING
from tests.unit.terminal.fakes import profile

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]+")
OF_BOTH = {"kWh"}


def vended() -> Explanation | None:
    items = (Item(item="energy", zh="能量饮料", en="Energy drink", amount_minor=350),)
    return vending.select(profile(items=items, methods=("mandate",)), "energy", 1).explanation


def metered() -> Explanation | None:
    bought = Selection("days", 900, tag="30")
    return metering.wishes_of(profile(methods=("mandate",)), 300, bought, 1)[0].explanation


def parked() -> Explanation:
    return parking.explain(parking.Tariff(per_minute_minor=10), entered_s=1, left_s=601)


def charged(reason: str) -> Explanation:
    return explain(replace(RUNNING, last_wh=1_916, ended_at_ms=70_000, end_reason=reason))


@pytest.mark.parametrize(
    ("said", "zh", "en"),
    [
        (vended(), [("能量饮料", "1 件 × 3.50")], [("Energy drink", "1 × 3.50")]),
        (metered(), [("预付用电", "3 天 × 3.00")], [("Prepaid power", "3 days × 3.00")]),
        (parked(), [("停车", "10 分钟 × 0.10")], [("Parking", "10 min × 0.10")]),
        (
            charged("EmergencyStop"),
            [("电量", "0.916 kWh × 1.50"), ("占用时间", "1 分钟 × 0.06")],
            [("Energy", "0.916 kWh × 1.50"), ("Time", "1 min × 0.06")],
        ),
    ],
    ids=["vending", "meter", "parking", "charger"],
)
def test_a_bill_names_what_was_taken_in_the_language_of_its_page(
    said: Explanation, zh: list[tuple[str, str]], en: list[tuple[str, str]]
) -> None:
    shown = explained(said.to_map(), lambda minor, _: f"{minor // 100}.{minor % 100:02}", "CNY")
    assert shown is not None
    assert [(line.what.zh, line.text.zh) for line in shown.lines] == zh
    assert [(line.what.en, line.text.en) for line in shown.lines] == en
    assert not set(LATIN.findall(f"{shown.reason.zh}{zh}")) - OF_BOTH
    assert not CHINESE.search(f"{shown.reason.en}{en}")


@pytest.mark.parametrize(
    ("reason", "zh"),
    [("EmergencyStop", "按下了急停按钮"), ("PowerLoss", "充电桩断电"), ("Local", "正常结束")],
)
def test_a_charge_that_was_cut_short_does_not_say_that_it_ended_well(reason: str, zh: str) -> None:
    shown = explained(charged(reason).to_map(), lambda minor, _: f"{minor}", "CNY")
    assert shown is not None
    assert shown.reason.zh == zh


def test_what_a_thing_calls_by_a_word_that_nobody_knows_is_shown_by_that_word() -> None:
    line = {"what": "water", "quantity": 2, "unit": "m3", "price_minor": 300, "amount_minor": 600}
    said = {"reason": "x", "began_at_ms": 1, "ended_at_ms": 2, "lines": [line]}
    shown = explained(said, lambda minor, _: f"{minor}", "CNY")
    assert shown is not None
    assert (shown.lines[0].what.zh, shown.lines[0].text.zh) == ("water", "2 m3 × 300")


def test_what_comes_back_of_a_charge_says_why_in_both_languages() -> None:
    ended = replace(RUNNING, refund_id="rfd_01M8HX5XHZMHSRFQX0SDWEDDMX", prepaid_minor=2_000,
                    payment_id="pay_01M8HX5XHZMHSRFQX0SDWEDDMX", amount_minor=413)  # fmt: skip
    told = "预付 20.00 CNY，实用 4.13 CNY Paid ahead 20.00 CNY, used 4.13 CNY"
    assert refund_body(ended).reason == told
