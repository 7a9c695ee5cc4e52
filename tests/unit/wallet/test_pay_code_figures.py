"""What the documentation says of pay codes is what the code does."""

from pathlib import Path

from protocol.paycode import (
    COUNTERS_PER_STEP,
    ROUTES_MAX,
    STEP_MS,
    WRONG_CODES_MAX,
    WRONG_CODES_WINDOW_MS,
    find_code,
    make_code,
    wallet_secret,
)

PAGE = Path(__file__).resolve().parents[3] / "docs/wallet.md"
AT_MS = 1_000 * STEP_MS + 7
MASTER_KEY = b"k" * 32
DAY_MS = 24 * 3_600_000


def _power(value: float) -> str:
    """``2.7·10⁻⁸``."""
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}·10{str(int(power)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def test_the_chances_of_a_guess_are_those_of_the_page() -> None:
    secret = wallet_secret(MASTER_KEY, 47)
    around = [
        make_code(secret, route=47, at_ms=AT_MS + steps * STEP_MS, counter=counter)
        for steps in range(-6, 7)
        for counter in range(COUNTERS_PER_STEP)
    ]
    live = [code for code in around if find_code(MASTER_KEY, code, at_ms=AT_MS).status == "live"]
    assert len(set(live)) == 16
    by_route = len(live) / (6 * 10**8)
    at_random = by_route * 10**6 / ROUTES_MAX
    tries = WRONG_CODES_MAX * DAY_MS // WRONG_CODES_WINDOW_MS
    page = PAGE.read_text(encoding="utf-8")
    chances = (by_route, at_random, *(1 - (1 - chance) ** count for chance, count in (
        (by_route, tries), (at_random, tries), (at_random, 1_000 * tries)
    )))  # fmt: skip
    for chance in chances:
        assert f"| {_power(chance)} |" in page
    assert f"| {tries:,} |" in page
    assert f"once in {round(1 / (at_random * tries) / 365.25, -1):,.0f} years" in page
