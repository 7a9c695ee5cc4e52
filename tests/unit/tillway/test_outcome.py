"""The demo's accounts: a day is good only if every expectation held and the books are proved."""

import pytest

from tillway.demo.outcome import Case, Day, LedgerProof, percentile, said

GOOD = LedgerProof(balanced=True, reserve_equation=True, transfers=4)


def test_a_day_without_cases_or_without_a_proof_is_not_good() -> None:
    assert not Day(ledger=GOOD).ok
    assert not Day(cases=[Case("a", "x", "x")]).ok
    assert Day(cases=[Case("a", "x", "x")], ledger=GOOD).ok


def test_one_broken_expectation_breaks_the_day() -> None:
    day = Day(cases=[Case("a", "x", "x"), Case("b", "captured", "declined")], ledger=GOOD)
    assert not day.ok
    assert day.summary()["cases"][1] == {
        "name": "b",
        "expected": "captured",
        "actual": "declined",
        "ok": False,
    }


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
    [([], 50, None), ([7], 99, 7), ([1, 2, 3, 4], 50, 2), (list(range(1, 101)), 99, 99)],
)
def test_percentiles_are_by_nearest_rank(
    values: list[int], percent: int, wanted: int | None
) -> None:
    assert percentile(values, percent) == wanted


def test_an_outcome_names_the_code_of_a_refusal() -> None:
    assert said({"state": "captured"}) == "captured"
    assert said({"state": "declined", "error": {"code": "risk_velocity"}}) == (
        "declined (risk_velocity)"
    )
