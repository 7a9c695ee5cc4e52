"""The pure parts: pay codes, risk rules, fee plans, dates, addresses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.merchants.model import FeePlan, check_notify_url, masked_account
from backend.payments.model import PaymentRules
from backend.risk.limits import RECENT_PAYMENTS_MAX
from backend.risk.model import RiskRules, guard_facts, judge, remembered
from backend.risk.rules.guards import guards
from backend.wallet.model import hash_pin, hash_token, masked_name, route_of
from protocol import paycode
from protocol.errors import CallerError
from protocol.paycode import (
    COUNTERS_PER_STEP,
    ROUTES_MAX,
    STEP_MS,
    Position,
    expires_at_ms,
    find_code,
    make_code,
    mask,
    wallet_secret,
)

MASTER = bytes(range(32))
ROUTE = 4_711
SECRET = wallet_secret(MASTER, ROUTE)
AT_MS = 1_795_406_400_000


@given(st.integers(0, ROUTES_MAX - 1), st.integers(0, 2**42), st.integers(0, COUNTERS_PER_STEP - 1))
def test_a_live_code_leads_back_to_its_route_and_position(
    route: int, at_ms: int, counter: int
) -> None:
    code = make_code(wallet_secret(MASTER, route), route=route, at_ms=at_ms, counter=counter)
    found = find_code(MASTER, code, at_ms=at_ms)
    assert len(code) == 18
    assert "10" <= code[:2] <= "15"
    assert (found.status, found.route) == ("live", route)
    assert found.position == Position(at_ms // STEP_MS, counter)


@given(st.text(max_size=30))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert find_code(MASTER, text, at_ms=AT_MS).status == "invalid"


@pytest.mark.parametrize(
    ("later_ms", "status"),
    [
        (-2 * STEP_MS, "invalid"),
        (-STEP_MS, "live"),
        (0, "live"),
        (2 * STEP_MS, "live"),
        (3 * STEP_MS, "expired"),
        (39 * STEP_MS, "expired"),
        (41 * STEP_MS, "invalid"),
    ],
)
def test_a_code_lives_about_a_minute(later_ms: int, status: str) -> None:
    code = make_code(SECRET, route=ROUTE, at_ms=AT_MS)
    assert find_code(MASTER, code, at_ms=AT_MS + later_ms).status == status


def test_the_code_that_a_wallet_shows_first_is_found_first(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    code_at = paycode._code

    def noted(keyed: Any, route: int, position: Position) -> str:
        looked.append(position)
        return code_at(keyed, route, position)

    code = make_code(SECRET, route=ROUTE, at_ms=AT_MS)
    monkeypatch.setattr(paycode, "_code", noted)
    assert find_code(MASTER, code, at_ms=AT_MS).status == "live"
    assert len(looked) == 1


def test_a_code_dies_when_its_wallet_was_told() -> None:
    code = make_code(SECRET, route=ROUTE, at_ms=AT_MS)
    end_ms = expires_at_ms(Position(AT_MS // STEP_MS, 0))
    assert find_code(MASTER, code, at_ms=end_ms - 1).status == "live"
    assert find_code(MASTER, code, at_ms=end_ms).status == "expired"


def test_every_digit_of_a_code_counts() -> None:
    code = make_code(SECRET, route=ROUTE, at_ms=AT_MS)
    for at in range(18):
        other = code[:at] + str((int(code[at]) + 1) % 10) + code[at + 1 :]
        assert find_code(MASTER, other, at_ms=AT_MS).status == "invalid"


def test_another_master_key_makes_other_codes() -> None:
    code = make_code(SECRET, route=ROUTE, at_ms=AT_MS)
    assert find_code(bytes(32), code, at_ms=AT_MS).status == "invalid"


def test_a_masked_code_shows_six_digits() -> None:
    assert mask("134711000012345678") == "13****…5678"
    assert mask("12345") == "****"


RULES = RiskRules(amount_minor_max=1_000, velocity_count_max=2, velocity_window_ms=1_000)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, "none"),
        ({"amount_minor": 1_000}, "none"),
        ({"amount_minor": 1_001}, "amount_over_cap"),
        ({"is_blocked": True}, "payer_blocked"),
        ({"is_blocked": True, "amount_minor": 1_001}, "payer_blocked"),
        ({"recent_ms": (AT_MS - 10, AT_MS - 5)}, "too_many_attempts"),
        ({"recent_ms": (AT_MS - 1_000, AT_MS - 5)}, "none"),
    ],
)
def test_the_first_rule_that_objects_decides(changes: dict[str, Any], rule: str) -> None:
    told: dict[str, Any] = {"amount_minor": 1, "is_blocked": False, "recent_ms": ()} | changes
    is_blocked = told.pop("is_blocked")
    verdict = judge(guard_facts(RULES, now_ms=AT_MS, **told) | {"list.block_payer": is_blocked})
    assert (verdict.rule, verdict.is_allowed) == (rule, rule == "none")
    assert verdict.version == guards().version
    assert verdict.is_allowed or (verdict.zh and verdict.en and verdict.code)


def test_what_is_remembered_of_a_payer_is_bounded() -> None:
    recent: tuple[int, ...] = ()
    for step in range(200):
        recent = remembered(recent, AT_MS + step, window_ms=10_000)
    assert len(recent) == RECENT_PAYMENTS_MAX
    assert remembered(recent, AT_MS + 100_000, window_ms=10_000) == (AT_MS + 100_000,)


@pytest.mark.parametrize("bad", [{"velocity_count_max": 65}, {"amount_minor_max": 0}])
def test_senseless_risk_limits_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RiskRules(**bad)


@given(
    amount=st.integers(1, 10**7),
    rate=st.integers(0, 120),
    least=st.integers(0, 50),
    cap=st.integers(0, 5_000),
    cuts=st.lists(st.integers(1, 10**6), max_size=20),
)
def test_refunds_give_back_exactly_the_fee_and_never_more(
    amount: int, rate: int, least: int, cap: int, cuts: list[int]
) -> None:
    plan = FeePlan(version=1, rate_bps=rate, min_minor=least, cap_minor=max(cap, least))
    fee, before, back = plan.fee(amount), 0, 0
    for cut in [*cuts, amount]:
        part = min(cut, amount - before)
        if part == 0:
            break
        step = plan.returned(amount_minor=amount, before_minor=before, refund_minor=part)
        assert step >= 0
        before, back = before + part, back + step
        assert back <= fee
    assert (before, back) == (amount, fee)


def test_a_fee_keeps_between_its_least_and_its_cap() -> None:
    plan = FeePlan(version=1, rate_bps=60, min_minor=5, cap_minor=100)
    assert [plan.fee(amount) for amount in (3, 100, 1_000, 10_000, 100_000)] == [3, 5, 6, 60, 100]


@pytest.mark.parametrize("bad", [{"rate_bps": -1}, {"rate_bps": 1_001}, {"min_minor": 9}])
def test_a_senseless_fee_plan_is_refused(bad: dict[str, Any]) -> None:
    fields = {"version": 1, "rate_bps": 60, "cap_minor": 8} | bad
    with pytest.raises(CallerError, match="field_invalid"):
        FeePlan(**fields)


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a/b", "http://", "https://u:p@a/b", "https://a/b?c=d", "https://a/b#c",
     "https://a:0/", "http://[::1", "https://" + "a" * 300, "file:///etc/passwd", "//a/b"],
)  # fmt: skip
def test_an_address_that_callbacks_must_not_go_to_is_refused(url: str) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        check_notify_url(url)


def test_accounts_and_names_are_masked() -> None:
    assert masked_account("6222000000001234") == "****1234"
    assert masked_account("1234") == "****"
    assert (masked_name("李雷"), masked_name("Alexandra"), masked_name("X")) == ("李*", "A**", "X*")


def test_the_shops_day_begins_at_its_own_midnight() -> None:
    rules = PaymentRules(code_master_key=MASTER)
    assert rules.business_date(1_795_449_599_999) == "2026-11-23"
    assert rules.business_date(1_795_449_600_000) == "2026-11-24"


def test_a_pin_has_six_digits_and_its_own_salt() -> None:
    first = hash_pin("123456", b"a" * 16)
    assert first == hash_pin("123456", b"a" * 16)
    assert first != hash_pin("123456", b"b" * 16)
    for bad in ("12345", "1234567", "12345a", "１２３４５６"):
        with pytest.raises(CallerError, match="field_invalid"):
            hash_pin(bad, b"a" * 16)


def test_secrets_do_not_show_in_the_text_of_a_command() -> None:
    assert MASTER.hex() not in repr(PaymentRules(code_master_key=MASTER))
    assert "code_master_key" not in repr(PaymentRules(code_master_key=MASTER))
    assert len(hash_token("x")) == 32
    assert route_of("pyr_1", 0) != route_of("pyr_1", 1)
