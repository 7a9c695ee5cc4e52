"""The second factor against the standard's own vectors; CSV cells, amounts, charts."""

import asyncio
import json
from typing import Any

import pytest

from backend.console.act_words import ACT_NAMES
from backend.console.acts_shown import actor_of, changes, subject_of
from backend.console.break_words import BREAK_NAMES, BREAK_WORDS
from backend.console.chart import day_chart
from backend.console.face import page_time
from backend.console.merchant_words import MERCHANT_NAMES, MERCHANT_WORDS
from backend.console.model import check_password
from backend.console.operator_words import OPERATOR_NAMES, OPERATOR_WORDS
from backend.console.risk_words import RISK_NAMES, RISK_WORDS
from backend.console.totp import STEP_MS, code_at, secret_uri, step_of
from backend.console.words import NAMES, WORDS
from backend.listing.export import PAYMENTS, csv_pages
from backend.listing.filters import minor_of
from backend.spreadsheet import safe_cell
from protocol.errors import CallerError

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at_s", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"),
     (2_000_000_000, "279037"), (20_000_000_000, "353130")],
)  # fmt: skip
def test_codes_are_those_of_rfc_6238_appendix_b(at_s: int, code: str) -> None:
    assert code_at(SECRET, at_s // 30) == code


def test_a_code_is_good_one_step_early_or_late_and_no_further() -> None:
    now_ms = 1_700_000_000_000
    step = now_ms // STEP_MS
    for drift in (-1, 0, 1):
        assert step_of(SECRET, code_at(SECRET, step + drift), now_ms=now_ms) == step + drift
    for drift in (-2, 2):
        assert step_of(SECRET, code_at(SECRET, step + drift), now_ms=now_ms) is None
    assert step_of(SECRET, "", now_ms=now_ms) is None
    assert step_of(SECRET, "一二三四五六", now_ms=now_ms) is None


def test_a_phone_reads_the_uri() -> None:
    uri = secret_uri(SECRET, "li.na")
    assert uri.startswith("otpauth://totp/Tillway%3Ali.na?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_never_begins_as_a_formula(text: str) -> None:
    assert safe_cell(text).startswith("'")
    assert safe_cell("晨光") == "晨光"


def test_an_export_is_read_page_by_page_until_it_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.listing.export.EXPORT_ROWS_PER_READ", 2)
    row: dict[str, Any] = {
        "payment_id": "pay_1", "created_at_ms": 0, "paid_at_ms": 0, "state": "captured",
        "method": "pay_code", "store": "s", "device": "d", "amount_minor": 1280,
        "refunded_minor": 0, "fee_minor": 8, "currency": "CNY", "payer_masked": None,
        "description": '=HYPERLINK("x"),"y"', "merchant_id": "m1",
    }  # fmt: skip
    asked = []

    async def read(place: Any, limit: int) -> list[dict[str, Any]]:
        asked.append((place, limit))
        return [row] * (2 if len(asked) < 3 else 1)

    async def whole() -> bytes:
        return b"".join([one async for one in csv_pages(PAYMENTS, read)])

    lines = asyncio.run(whole()).decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + 5
    assert len(asked) == 3
    assert asked[0][0] is None
    assert lines[1].endswith(',12.80,0.00,0.08,CNY,,"\'=HYPERLINK(""x""),""y""",m1')


@pytest.mark.parametrize(
    ("text", "minor"), [("12.80", 1280), ("12.8", 1280), ("¥12", 1200), ("0.01", 1)]
)
def test_an_amount_is_read_exactly(text: str, minor: int) -> None:
    assert minor_of(text) == minor
    assert minor_of("12", "JPY") == 12


@pytest.mark.parametrize("text", ["", "-1", "1.", ".5", "1.234", "1e3", "1,000", "٣", "9" * 20])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(CallerError, match="amount_invalid"):
        minor_of(text)


def test_the_highest_hour_fills_the_chart_and_the_lowest_is_seen() -> None:
    chart = day_chart({9: 1_000_000, 23: 1})
    assert [bar.height for bar in chart.bars if bar.height] == [chart.height, 2]
    assert chart.bars[23].x + chart.bar_width == chart.width
    assert all(bar.height == 0 for bar in day_chart({}).bars)


@pytest.mark.parametrize("password", ["", "elevenchars", "aaaaaaaaaaaaaaaa", "x" * 129])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(CallerError, match="password_weak"):
        check_password(password)


def test_no_catalogue_hides_a_word_of_another() -> None:
    catalogues = (
        (WORDS, MERCHANT_WORDS, OPERATOR_WORDS, BREAK_WORDS, RISK_WORDS),
        (NAMES, MERCHANT_NAMES, OPERATOR_NAMES, ACT_NAMES, BREAK_NAMES, RISK_NAMES),
    )
    for one in catalogues:
        together = {name for words in one for name in words}
        assert len(together) == sum(map(len, one))


def test_an_act_is_told_in_words_and_what_has_none_as_it_is() -> None:
    assert subject_of("merchant number 1900000001 5A").words.zh == "接口商户号"
    assert subject_of("merchant mch_1").name == "mch_1"
    assert subject_of("/operator/v1/payers/pyr_1/close").name == "pyr_1/close"
    assert subject_of("/operator/v1/comets/1").name == "/operator/v1/comets/1"
    assert subject_of("comet 7").name == "comet 7"
    assert actor_of("device:console-li.na") == actor_of("console:li.na")
    assert (actor_of("console:li").name, actor_of("cron").name) == ("li", "cron")
    after = {"amount_minor": 1280, "currency": "CNY", "state": "comet", "tail": 3, "epoch": 2}
    act = {
        "kind": "refund",
        "before": '{"amount_minor":5,"currency":"CNY"}',
        "after": json.dumps(after),
    }
    told = {one.field.en: (one.before and one.before.en, one.after.zh) for one in changes(act)}
    assert told == {
        "amount": ("0.05 CNY", "12.80 CNY"), "state": (None, "comet"), "tail": (None, "3"),
    }  # fmt: skip
    assert changes({"kind": "key", "before": "", "after": '{"cut'})[0].after.en == '{"cut'


def test_a_short_time_tells_its_year_where_that_is_not_this_year() -> None:
    at_ms = 1_798_732_799_000  # 2026-12-31 23:59:59 in China
    assert page_time(at_ms, "%m-%d %H:%M", now_ms=at_ms) == "12-31 23:59"
    assert page_time(at_ms, "%m-%d %H:%M", now_ms=at_ms + 1_000) == "2026-12-31 23:59"
    assert page_time(at_ms, "%H:%M:%S", now_ms=at_ms + 1_000) == "23:59:59"
