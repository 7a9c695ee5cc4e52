"""What the law wants for its size, exactly; and what looks like laundering, from what is known."""

import os
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from backend.clearing.calendar import Calendar
from backend.risk.aml import detection
from backend.risk.aml.account_days import counterparties_of, own_numbers, sides_of
from backend.risk.aml.detection import honest_rows_kept, score_account_days
from backend.risk.aml.exchange import read_rates
from backend.risk.aml.flows import NAMES, flow_features
from backend.risk.aml.large_value import STANDARDS, Standard, large_value_reports
from backend.risk.aml.transfers import read_transfers
from protocol.errors import CallerError
from tests.support.transfer_flows import laundering_account_days, transfers_of_a_town
from tillway.risk.cli import app
from tillway.risk.paper import yuan

START = date(2026, 9, 28)


def transfer(
    number: int, day: int, src: str, dst: str, minor: int, channel: str = "wallet"
) -> dict[str, object]:
    kinds = {"P": "person", "C": "company", "M": "merchant", "A": "atm"}
    return {
        "tx_id": f"t{number}",
        "ts": f"{START + timedelta(days=day)} 10:00:00",
        "t_sec": day * 86_400 + 36_000 + number,
        "day": day,
        "src": src,
        "dst": dst,
        "src_kind": kinds[src[0]],
        "dst_kind": kinds[dst[0]],
        "amount": minor,
        "channel": channel,
    }


def reports_of(
    rows: list[dict[str, object]], standards: tuple[Standard, ...] = STANDARDS
) -> pl.DataFrame:
    return large_value_reports(
        pl.DataFrame(rows),
        business_day_after=Calendar().business_day_after,
        standards=standards,
    )


def keys_of(reports: pl.DataFrame) -> set[tuple[object, ...]]:
    columns = reports.select("account", "day", "direction", "standard", "amount_minor")
    return set(columns.iter_rows())


@pytest.mark.parametrize(
    ("src", "dst", "minor", "channel", "found"),
    [
        ("A0", "P1", 5_000_000, "cash", {("P1", "in", "cash")}),
        ("A0", "P1", 4_999_999, "cash", set()),
        ("P1", "P2", 50_000_000, "wallet",
         {("P1", "out", "transfer_domestic"), ("P2", "in", "transfer_domestic")}),
        ("P1", "P2", 49_999_999, "wallet", set()),
        ("P1", "C2", 20_000_000, "cross_border", {("P1", "out", "transfer_cross_border")}),
        ("C1", "P2", 200_000_000, "bank",
         {("C1", "out", "transfer_organisation"), ("P2", "in", "transfer_domestic")}),
        ("C1", "M2", 199_999_999, "bank", set()),
    ],
)  # fmt: skip
def test_the_edge_of_every_standard_is_included(
    src: str, dst: str, minor: int, channel: str, found: set[tuple[str, str, str]]
) -> None:
    reports = reports_of([transfer(1, 0, src, dst, minor, channel)])
    assert {(a, d, s) for a, _, d, s, _ in keys_of(reports)} == found


@pytest.mark.parametrize(
    ("kind", "channel", "standard"),
    [
        ("个人", "转账", "transfer_domestic"),
        ("I", "interbank", "transfer_domestic"),
        ("natural_person", "cross_bank", "transfer_domestic"),
        ("customer", "跨境汇款", "transfer_cross_border"),
        ("legal_person", "wallet", "transfer_organisation"),
        ("Non-natural person", "wallet", "transfer_organisation"),
        ("business_user", "wallet", "transfer_organisation"),
        ("retailer", "wallet", "transfer_organisation"),
        ("企业客户", "转账", "transfer_organisation"),
        ("broker", "wallet", "transfer_organisation"),
        ("个人", "现金", "cash"),
    ],
)
def test_a_kind_and_a_channel_are_read_in_the_words_of_the_file(
    kind: str, channel: str, standard: str
) -> None:
    row = transfer(1, 0, "P1", "A0", 200_000_000, channel)
    reports = reports_of([row | {"src_kind": kind, "dst_kind": "bank"}])
    assert reports.select("account", "standard").rows() == [("P1", standard)]


@pytest.mark.parametrize("desk", ["cash", "ATM", "cash_desk", "teller", "现金"])
def test_what_a_cash_desk_gives_is_cash_whatever_the_channel_is_called(desk: str) -> None:
    row = transfer(1, 0, "A0", "P1", 6_000_000, "branch") | {"src_kind": desk}
    assert keys_of(reports_of([row])) == {("P1", 0, "in", "cash", 6_000_000)}


def test_a_day_is_added_up_for_each_side_and_standard_and_no_further() -> None:
    reports = reports_of(
        [
            transfer(1, 0, "P1", "P2", 30_000_000),
            transfer(2, 0, "P1", "P3", 20_000_000),
            transfer(3, 0, "P4", "P1", 49_000_000),
            transfer(4, 1, "P1", "P2", 49_000_000),
            transfer(5, 1, "P1", "A0", 4_000_000, "cash"),
        ]
    )
    assert keys_of(reports) == {("P1", 0, "out", "transfer_domestic", 50_000_000)}
    assert reports["tx_ids"].to_list() == ["t1 t2"]


def test_a_report_is_due_five_business_days_later_over_the_holiday() -> None:
    [due] = reports_of([transfer(1, 2, "P1", "C1", 60_000_000)])["due"]
    assert due == Calendar().business_day_after(date(2026, 9, 30), 5)
    assert due > date(2026, 10, 8)


def test_a_standard_that_changes_counts_from_its_day() -> None:
    cash = STANDARDS[0]
    lower = Standard(
        name="cash", since=START + timedelta(days=1), amount_minor_min=1_000_000,
        dollars_minor_min=100_000, is_cash=True,
    )  # fmt: skip
    rows = [transfer(day, day, "A0", "P1", 2_000_000, "cash") for day in (0, 1, 2)]
    found = keys_of(reports_of(rows, (cash, lower)))
    assert {day for _, day, *_ in found} == {1, 2}


@pytest.mark.parametrize(
    "written",
    [
        lambda at, _: f"{at:%Y/%m/%d %H:%M}",
        lambda at, _: f"{at:%Y-%m-%dT%H:%M:%S+08:00}",
        lambda _, epoch_s: f"{epoch_s}",
        lambda _, epoch_s: f"{epoch_s}.0",
        lambda _, epoch_s: f"{epoch_s * 1_000}",
        lambda _, epoch_s: f"{(epoch_s - 8 * 3_600) * 1_000_000}",
    ],
)
def test_a_date_is_read_however_a_tool_writes_it(written: Callable[[datetime, int], str]) -> None:
    rows = [transfer(day, day, "P1", "C1", 60_000_000) for day in range(4)]
    plain = reports_of(rows)
    for row in rows:
        at = datetime.fromisoformat(f"{row['ts']}")
        row["ts"] = written(at, int(at.replace(tzinfo=UTC).timestamp()))
    assert len(plain) == 4
    assert reports_of(rows).equals(plain)


def test_a_transfer_without_a_date_is_named() -> None:
    row = transfer(7, 0, "P1", "P2", 1) | {"ts": "yesterday"}
    with pytest.raises(CallerError, match="t7"):
        reports_of([row])


ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["P1", "P2", "C1", "A0"]),
        st.sampled_from(["P1", "P2", "C1", "A0"]),
        st.sampled_from([1, 2_500_000, 5_000_000, 19_999_999, 25_000_000, 100_000_000]),
        st.sampled_from(["cash", "wallet", "cross_border"]),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(max_examples=40)
@given(ROWS)
def test_reports_are_those_of_a_plain_sum(drawn: list[tuple[int, str, str, int, str]]) -> None:
    rows = [transfer(n, *row[:4], channel=row[4]) for n, row in enumerate(drawn)]
    sums: dict[tuple[str, int, str, str], int] = defaultdict(int)
    for day, src, dst, minor, channel in drawn:
        for account, direction in ((src, "out"), (dst, "in")):
            if account == "A0":
                continue
            if channel == "cash" or "A0" in {src, dst}:
                standard = "cash"
            elif account[0] == "C":
                standard = "transfer_organisation"
            elif channel == "wallet":
                standard = "transfer_domestic"
            else:
                standard = "transfer_cross_border"
            sums[account, day, direction, standard] += minor
    edges = {
        "cash": 5_000_000,
        "transfer_organisation": 200_000_000,
        "transfer_domestic": 50_000_000,
        "transfer_cross_border": 20_000_000,
    }
    wanted = {(*key, total) for key, total in sums.items() if total >= edges[key[3]]}
    assert keys_of(reports_of(rows)) == wanted


def foreign(number: int, currency: str | None, minor: int, *, day: int = 0) -> dict[str, object]:
    return transfer(number, day, "A0", "P1", minor, "cash") | {"currency": currency}


def rates_of(folder: Path, *lines: str) -> pl.DataFrame:
    path = folder / "rates.csv"
    path.write_text("\n".join(("date,currency,dollars", *lines)))
    return read_rates(path)


def test_foreign_money_is_added_up_by_itself_in_dollars_at_the_rate_of_its_day(
    tmp_path: Path,
) -> None:
    rates = rates_of(tmp_path, "2026-09-01,EUR,1.25", f"{START + timedelta(days=1)},EUR,1.10",
                     "2026-09-01,JPY,0.0066666")  # fmt: skip
    rows = [
        foreign(1, "USD", 500_000), foreign(2, "EUR", 400_000),  # 10,000.00 dollars together
        foreign(3, "CNY", 4_999_999), foreign(4, None, 1),  # yuan, the edge of its own
        foreign(5, "EUR", 909_090, day=1),  # 9,999.99 at the later rate
        foreign(6, "JPY", 150_000_000, day=2), foreign(7, "JPY", 1, day=2),  # 9,999.90
    ]  # fmt: skip
    reports = large_value_reports(
        pl.DataFrame(rows, schema_overrides={"currency": pl.String}),
        business_day_after=Calendar().business_day_after, rates=rates,
    )  # fmt: skip
    told = reports.select("day", "standard", "amount_minor", "money", "tx_ids").rows()
    assert told == [(0, "cash", 5_000_000, "CNY", "t3 t4"), (0, "cash", 1_000_000, "USD", "t1 t2")]


def test_foreign_money_without_a_rate_or_a_name_refuses_the_file(tmp_path: Path) -> None:
    rates = rates_of(tmp_path, "2026-10-01,EUR,1.25")
    for currency, why in (("EUR", "no rate of EUR"), ("euro", "not like CNY")):
        with pytest.raises(CallerError, match=f"t9.*{why}"):
            large_value_reports(
                pl.DataFrame([foreign(9, currency, 1)]),
                business_day_after=Calendar().business_day_after, rates=rates,
            )  # fmt: skip
    bad = {"soon,EUR,1": "no date", "2026-10-01,eu,1": "no currency",
           "2026-10-01,EUR,2": "there twice", "2026-10-02,EUR,0": "dollars"}  # fmt: skip
    for line, why in bad.items():
        with pytest.raises(CallerError, match=why):
            rates_of(tmp_path, "2026-10-01,EUR,1.25", line)


def test_amounts_are_written_in_yuan_to_the_fen() -> None:
    table = yuan(pl.DataFrame({"amount_minor": [5, 123_456, 100]}), "amount_minor", "amount")
    assert table["amount"].to_list() == ["0.05", "1234.56", "1.00"]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    path = tmp_path_factory.mktemp("aml") / "transfers.csv"
    transfers_of_a_town(4, persons=400, days=40, cases=48).write_csv(path)
    return read_transfers(path)


def test_laundering_is_found_among_honest_look_alikes(
    town: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "TREES_MAX", 20)
    blind = town.with_columns(
        laundering=pl.when(pl.col("day") < 28).then(pl.col("laundering")),
        case_id=pl.when(pl.col("day") < 28).then(pl.col("case_id")),
    )
    scored = score_account_days(blind, labels_until_day=28, from_day=28)
    told = score_account_days(town, labels_until_day=28, from_day=28)
    assert told.days.equals(scored.days)  # a later label is not read
    first_day = scored.days["day"].min()
    assert isinstance(first_day, int)
    assert first_day >= 28
    alerts = scored.days.filter(pl.col("score") >= scored.alert_from)
    raised = set(alerts.select("account", "day").iter_rows())
    truth = list(laundering_account_days(town.filter(pl.col("day") >= 28)))
    dirty = {(account, day) for account, day, _ in truth}
    cases = {case for _, _, case in truth}
    found = {case for account, day, case in truth if (account, day) in raised}
    assert len(raised & dirty) >= 0.7 * len(raised)
    assert len(found) >= 0.8 * len(cases)


@pytest.mark.parametrize(
    ("honest", "laundering", "kept"),
    [(1_000, 3, 1_000), (900_000, 3, 50_000), (900_000, 10_000, 250_000)],
)
def test_few_cases_are_told_from_many_honest_days(honest: int, laundering: int, kept: int) -> None:
    assert honest_rows_kept(honest, laundering) == kept


def test_the_models_threads_wait_without_a_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    path = tmp_path / "transfers.csv"
    pl.DataFrame([transfer(1, 0, "P1", "P2", 100)]).write_csv(path)
    words = ["aml", "--transfers", str(path), "--labels-until-day", "1", "--from-day", "1"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "alerts.csv")])
    assert isinstance(done.exception, CallerError)
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


LATER = pl.col("day") >= 32


def test_nothing_later_and_no_order_of_the_file_changes_a_score(
    town: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "TREES_MAX", 12)
    tied = town.with_columns(t_sec=pl.col("t_sec") // 600 * 600)
    words = {"channel": "barter", "src_kind": "broker", "dst_kind": "attorney"}

    def scores(transfers: pl.DataFrame) -> pl.DataFrame:
        found = score_account_days(transfers, labels_until_day=28, from_day=28).days
        return found.filter(pl.col("day") < 32)

    before = scores(tied)
    assert before["score"].n_unique() > 20
    assert scores(tied.filter(~LATER)).equals(before)
    assert scores(tied.sample(fraction=1.0, shuffle=True, seed=3)).equals(before)
    in_new_words = tied.with_columns(
        pl.when(LATER).then(pl.lit(word)).otherwise(name).alias(name)
        for name, word in words.items()
    )
    assert scores(in_new_words).equals(before)


def test_a_later_transfer_changes_no_number_of_an_earlier_day(town: pl.DataFrame) -> None:
    def numbers_of(transfers: pl.DataFrame) -> np.ndarray:
        sides = sides_of(transfers)
        days = own_numbers(sides)
        whole = days.join(counterparties_of(days, sides), on=("account", "day"), how="left")
        early = whole.filter(pl.col("day") < 20).sort("account", "day").drop("account")
        return early.cast(pl.Float64).fill_null(float("nan")).to_numpy()

    some = town.filter(pl.col("day") < 25)
    early = numbers_of(some.filter(pl.col("day") < 20))
    np.testing.assert_allclose(numbers_of(some), early, rtol=1e-9)


def test_without_a_known_case_there_is_nothing_to_learn_from(town: pl.DataFrame) -> None:
    with pytest.raises(CallerError, match="day 1 is labelled"):
        score_account_days(town.filter(pl.col("laundering") == 0), labels_until_day=1, from_day=2)


@pytest.mark.parametrize("is_laundering", [0, 1])
def test_a_file_of_one_kind_of_days_teaches_nothing(is_laundering: int) -> None:
    rows = [transfer(n, n, "P1", "P2", 100 + n) for n in range(9)]
    rows = [{**row, "laundering": is_laundering, "case_id": "c"} for row in rows]
    with pytest.raises(CallerError, match="labelled" if not is_laundering else "are all"):
        score_account_days(pl.DataFrame(rows), labels_until_day=6, from_day=6)
    unlabelled = pl.DataFrame(rows).drop("laundering", "case_id")
    with pytest.raises(CallerError, match="no column laundering"):
        score_account_days(unlabelled, labels_until_day=6, from_day=6)


def test_a_town_whose_days_lack_whole_numbers_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Persons pay one shop that pays nobody: most numbers of the other side are of no row."""
    monkeypatch.setattr(detection, "TREES_MAX", 2)
    rows = [
        transfer(n, n // 10, f"P{n % 5}", "M0", 100 + n)
        | {"laundering": int(n % 9 == 0), "case_id": f"c{n % 4}"}
        for n in range(120)
    ]
    scored = score_account_days(pl.DataFrame(rows), labels_until_day=9, from_day=9)
    assert len(scored.days) == 3 * 6
    assert scored.days["score"].is_between(0, 1).all()


def test_a_transfer_of_nothing_is_a_transfer() -> None:
    """It carries nothing on, and nothing is carried on of it."""
    told = [(0, "P1", "P2", 0), (60, "P2", "P3", 500), (120, "P3", "P4", 0), (180, "P4", "P5", 0)]
    found = pl.DataFrame(flow_features(told, size=len(told)), schema=list(NAMES))
    assert found["depth"].to_list() == [1] * 4
    assert found["ratio_in"].to_list() == [-1, -1, 0, -1]


def test_a_file_without_a_row_has_no_report(tmp_path: Path) -> None:
    path = tmp_path / "transfers.csv"
    path.write_text("tx_id,ts,t_sec,day,src,dst,src_kind,dst_kind,amount,channel\n")
    reports = large_value_reports(
        read_transfers(path), business_day_after=Calendar().business_day_after
    )
    assert not len(reports)


def test_seconds_may_be_counted_from_midnight(tmp_path: Path) -> None:
    """The first transfer of a later day comes after the last of an earlier one."""
    rows = [transfer(n, n // 2, "P1", "P2", 100) for n in range(8)]
    whole, of_day = tmp_path / "whole.csv", tmp_path / "of_day.csv"
    pl.DataFrame(rows).write_csv(whole)
    pl.DataFrame(rows).with_columns(pl.col("t_sec") % 86_400).write_csv(of_day)
    assert read_transfers(of_day).equals(read_transfers(whole))
    one_day = pl.DataFrame(rows).filter(pl.col("day") == 0)
    one_day.write_csv(whole)
    assert read_transfers(whole)["t_sec"].to_list() == one_day["t_sec"].to_list()


def test_a_bad_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(
        "tx_id,ts,t_sec,day,src,dst,src_kind,dst_kind,amount,channel\n"
        "t1,2026-09-28 10:00:00,36000,0,a,b,person,person,12.50,wallet\n"
        "t2,2026-09-28 10:00:00,36000,0,a,b,person,person,-1,wallet\n"
    )
    with pytest.raises(CallerError, match="row 2, column amount"):
        read_transfers(path)


def test_a_transfer_is_not_counted_twice(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    line = "t1,2026-09-28 10:00:00,36000,0,a,b,person,person,60000.00,cash\n"
    path.write_text("tx_id,ts,t_sec,day,src,dst,src_kind,dst_kind,amount,channel\n" + 2 * line)
    with pytest.raises(CallerError, match="row 2, column tx_id: 't1' is there twice"):
        read_transfers(path)
