"""``tillway risk evaluate``: what is scored, and that nothing later is ever seen."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score
from typer.testing import CliRunner

from backend.risk.evaluation.history import DAY_S, doubts, read_history
from backend.risk.evaluation.inputs import features_of
from backend.risk.evaluation.scoring import (
    QUIET_MAX,
    UNLEARNED_MAX,
    _below_the_rest,
    _known,
    _loud_share,
    _spells,
    score_days,
)
from backend.risk.models.scorer import Scorer
from backend.risk.models.train import Settings
from protocol.errors import CallerError
from tests.kit.command_line import tillway
from tests.support.handbook import SMALL, World, make_world, write_files
from tillway.risk.cli import app

FROM, TO = 30, 41
HAN = re.compile(r"[\u4e00-\u9fff]")
QUICK = Settings(trees=8, trees_per_part=4, honest_min=1_000, honest_per_fraud=3)
Frame = pl.DataFrame


@dataclass(frozen=True)
class Files:
    """The same world as files and as frames."""

    world: World
    transactions: Frame
    feed: Frame
    scores: dict[str, float]


def _scores(folder: Path, transactions: Frame, feed: Frame, to_day: int = TO) -> dict[str, float]:
    transactions.write_csv(folder / "tx.csv")
    feed.write_csv(folder / "feed.csv")
    history = read_history(folder / "tx.csv", folder / "feed.csv", to_day=to_day)
    found = score_days(history, features_of(history), from_day=FROM, to_day=to_day, settings=QUICK)
    ids = [history.tx_id[row] for row in found.rows]
    return dict(zip(ids, found.score.tolist(), strict=True))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("history")
    world = make_world(11, SMALL)
    paths = write_files(world, folder)
    transactions, feed = (pl.read_csv(path, infer_schema=False) for path in paths)
    return Files(world, transactions, feed, _scores(folder, transactions, feed))


def _day(column: str = "day") -> pl.Expr:
    return pl.col(column).cast(pl.Int64)


def test_the_days_that_are_asked_for_are_scored_and_the_frauds_stand_above(files: Files) -> None:
    world = files.world
    rows = np.nonzero((world.day >= FROM) & (world.day <= TO))[0]
    assert list(files.scores) == [str(row) for row in rows]
    score = np.array(list(files.scores.values()))
    amount = world.amount_minor[rows].astype(np.float64)
    found = average_precision_score(world.is_fraud[rows], score)
    assert found > average_precision_score(world.is_fraud[rows], amount) + 0.2


def test_later_rows_change_no_earlier_score(files: Files, tmp_path: Path) -> None:
    cut = FROM + 9
    shorter = files.transactions.filter(_day() <= cut)
    found = _scores(tmp_path, shorter, files.feed)
    assert found == {tx: score for tx, score in files.scores.items() if tx in found}
    assert len(found) == int(((files.world.day >= FROM) & (files.world.day <= cut)).sum())
    asked_less = _scores(tmp_path, files.transactions, files.feed, to_day=cut)
    assert asked_less == found


def test_what_comes_later_may_be_anything(files: Files, tmp_path: Path) -> None:
    """Later rows become absurd, and labels that are known later are turned round."""
    cut = FROM + 9
    is_later, later_s = _day() > cut, (cut + 1) * DAY_S
    odd = files.transactions.with_columns(
        amount=pl.when(is_later).then(pl.lit("9999.99")).otherwise("amount"),
        card_id=pl.when(is_later).then(pl.lit("1")).otherwise("card_id"),
        terminal_id=pl.when(is_later).then(pl.lit("7")).otherwise("terminal_id"),
    )
    turned = (1 - _day("fraud")).cast(pl.String)
    feed = files.feed.with_columns(
        fraud=pl.when(_day("available_at") >= later_s).then(turned).otherwise("fraud")
    )
    found = _scores(tmp_path, odd, feed)
    before = set(files.transactions.filter(_day() <= cut)["tx_id"]) & set(files.scores)
    assert {tx: found[tx] for tx in before} == {tx: files.scores[tx] for tx in before}
    assert found != files.scores


def test_a_longer_period_begins_with_the_same_spells() -> None:
    short, long = (list(_spells(np.arange(30, end), 30)) for end in (45, 71))
    assert short == [(day, day + 1) for day in range(30, 45)]
    assert long[:14] == short[:14]
    days = [day for first, after in long for day in range(first, after)]
    assert days == list(range(30, 71))
    late = 30 + (1 << 52)  # and nothing between: no day is asked for that has no row
    assert list(_spells(np.array([30, 48, late]), 30)) == [
        (30, 31), (47, 50), (late - (late - 44) % 3, late + 1)
    ]  # fmt: skip


def test_quiet_rows_stand_below_the_rest_in_the_order_of_their_chances() -> None:
    probability = np.array([0.1, 0.1, 0.05, 0.0, 0.7, 0.3])
    found = _below_the_rest(probability, 0.1, np.array([0.9, 0.1, 0.7, 0.99, 0.8, 0.0]))
    assert np.argsort(found).tolist() == [1, 2, 0, 3, 5, 4]
    assert found[:4].max() <= QUIET_MAX < found[4:].min()


@pytest.mark.parametrize(
    ("frauds", "rows", "share"), [(1, 1_000, 0.02), (8, 600, 0.04), (80, 200, 1.0)]
)
def test_three_rows_stand_out_for_each_fraud_and_never_fewer_than_one_in_fifty(
    frauds: int, rows: int, share: float
) -> None:
    model = SimpleNamespace(card=SimpleNamespace(frauds=frauds, rows=rows))
    assert _loud_share(cast("Scorer", model)) == share


def test_a_label_is_used_from_the_second_it_is_available(files: Files, tmp_path: Path) -> None:
    """All labels a second past the last row: the same as no label at all."""
    never = pl.lit((TO + 1) * DAY_S).cast(pl.String)
    late = _scores(tmp_path, files.transactions, files.feed.with_columns(available_at=never))
    assert late == _scores(tmp_path, files.transactions, files.feed.clear())
    assert max(late.values()) <= UNLEARNED_MAX


def test_the_order_of_the_file_is_kept_in_the_answer_and_changes_no_score(
    files: Files, tmp_path: Path
) -> None:
    shuffled = files.transactions.sample(fraction=1.0, shuffle=True, seed=3)
    feed = files.feed.sample(fraction=1.0, shuffle=True, seed=4)
    assert _scores(tmp_path, shuffled, feed) == files.scores


def test_a_feed_that_names_only_frauds_is_understood(files: Files, tmp_path: Path) -> None:
    found = _scores(tmp_path, files.transactions, files.feed.filter(pl.col("fraud") == "1"))
    world = files.world
    rows = np.array([int(tx) for tx in found])
    both = [
        average_precision_score(world.is_fraud[rows], list(scores.values()))
        for scores in (found, files.scores)
    ]
    assert both[0] > both[1] - 0.1


def test_a_label_counts_until_the_next_one_of_its_transaction(tmp_path: Path) -> None:
    rows = [{"tx_id": tx, "t_sec": 5, "day": 0, "card_id": "c", "terminal_id": "t",
             "amount": "1.00"} for tx in "ab"]  # fmt: skip
    Frame(rows).write_csv(tmp_path / "tx.csv")
    Frame(
        {
            "tx_id": [*"aabab"],
            "fraud": [0, 1, 1, 1, 1],
            "available_at": [90.0, 80.5, 70.0, 85.0, 95.0],
        }
    ).write_csv(tmp_path / "feed.csv")
    history = read_history(tmp_path / "tx.csv", tmp_path / "feed.csv", to_day=0)
    labels = history.labels
    told = zip(labels.rows, labels.is_fraud, labels.available_at, strict=True)
    assert [*told] == [(0, True, 81), (0, False, 90), (1, True, 70)]
    for at_s, known in ((80, [1]), (81, [0, 1]), (89, [0, 1])):
        rows_known, is_fraud = _known(history, at_s)
        assert (rows_known.tolist(), bool(is_fraud.all())) == (known, True)
    rows_known, is_fraud = _known(history, 90)
    assert dict(zip(rows_known.tolist(), is_fraud.tolist(), strict=True)) == {0: False, 1: True}


def test_a_moment_in_digits_of_another_script_is_no_calendar(tmp_path: Path) -> None:
    row = {"tx_id": "a", "ts": "١٥٢٢٧٨٥٦٠٠", "t_sec": 0, "day": 0,
           "card_id": "c", "terminal_id": "t", "amount": "1.00"}  # fmt: skip
    Frame([row]).write_csv(tmp_path / "tx.csv")
    (tmp_path / "feed.csv").write_text("tx_id,fraud,available_at\n")
    history = read_history(tmp_path / "tx.csv", tmp_path / "feed.csv", to_day=0)
    assert history.origin_s == 0


@pytest.mark.parametrize(
    "written",
    [
        "2018-04-03",
        "2018/04/03 20:00:00",
        "2018-04-03T20:00:00.123456+08:00",
        "1522785600",
        "1522785600.25",
        "1522785600250",
        "1522785600250000",
        "1522785600250000999",
    ],
)
def test_a_calendar_is_read_from_any_common_form_of_a_moment(tmp_path: Path, written: str) -> None:
    """Day 2 of the file is the third of April 2018, whatever the hour."""
    for hour in (0, 20, 23):
        row = {"tx_id": "a", "ts": written, "t_sec": 2 * DAY_S + hour * 3_600, "day": 2,
               "card_id": "c", "terminal_id": "t", "amount": "1.00"}  # fmt: skip
        if hour == 20 or written == "2018-04-03":
            Frame([row]).write_csv(tmp_path / "tx.csv")
            (tmp_path / "feed.csv").write_text("tx_id,fraud,available_at\n")
            history = read_history(tmp_path / "tx.csv", tmp_path / "feed.csv", to_day=9)
            assert history.origin_s == 17_622 * DAY_S


def test_what_is_allowed_and_seldom_meant_is_said(files: Files, tmp_path: Path) -> None:
    def said(transactions: Frame, feed: Frame, from_day: int = FROM) -> list[str]:
        transactions.write_csv(tmp_path / "tx.csv")
        feed.write_csv(tmp_path / "feed.csv")
        history = read_history(tmp_path / "tx.csv", tmp_path / "feed.csv", to_day=900)
        found = doubts(history, from_day=from_day)
        assert all(HAN.search(doubt.zh) for doubt in found)
        return [doubt.en for doubt in found]

    transactions, feed = files.transactions, files.feed
    assert said(transactions, feed) == []
    others = feed.head(30).with_columns(tx_id="z" + pl.col("tx_id"))
    assert said(transactions, pl.concat([feed, others])) == [
        "30 labels are of no transaction of the file"
    ]
    (late,) = said(transactions, feed.with_columns(_day("available_at") + 17_622 * DAY_S))
    assert late.startswith(f"none of {len(feed):,} labels is known before day {FROM}")
    assert said(transactions, feed.clear())[0].startswith("no label is known")
    assert said(transactions, feed, 800)[0].startswith("no transaction is of the days")


def test_a_label_that_nobody_will_know_is_none(files: Files, tmp_path: Path) -> None:
    known = _day("available_at") < FROM * DAY_S
    never = files.feed.with_columns(available_at=pl.when(known).then("available_at"))
    unsaid = files.feed.with_columns(fraud=pl.when(known).then("fraud"))
    assert _scores(tmp_path, files.transactions, unsaid, FROM + 1) == _scores(
        tmp_path, files.transactions, never, FROM + 1
    )
    assert _scores(tmp_path, files.transactions, never, FROM + 1) == _scores(
        tmp_path, files.transactions, files.feed.filter(known), FROM + 1
    )


def _no_frauds(transactions: Frame, feed: Frame) -> tuple[Frame, Frame]:
    return transactions, feed.with_columns(fraud=pl.lit("0"))


def _few_rows(transactions: Frame, feed: Frame) -> tuple[Frame, Frame]:
    return transactions.filter(_day() >= FROM).head(3), feed.head(3)


def _one_known_fraud(transactions: Frame, feed: Frame) -> tuple[Frame, Frame]:
    first = feed.filter((pl.col("fraud") == "1") & (_day("available_at") < FROM * DAY_S)).head(1)
    return transactions, pl.concat([first, feed.filter(pl.col("fraud") == "0")])


@pytest.mark.parametrize("change", [_no_frauds, _few_rows, _one_known_fraud])
def test_little_to_learn_from_still_gives_every_row_a_score(
    files: Files, tmp_path: Path, change: Callable[[Frame, Frame], tuple[Frame, Frame]]
) -> None:
    transactions, feed = change(files.transactions, files.feed)
    found = _scores(tmp_path, transactions, feed)
    assert len(found) == transactions.filter(_day().is_between(FROM, TO)).height
    assert all(0 <= score <= 1 for score in found.values())


def test_the_command_writes_the_scores_in_the_order_of_the_file(
    files: Files, tmp_path: Path
) -> None:
    small = files.transactions.filter(_day() <= FROM + 1).sample(fraction=0.3, seed=5, shuffle=True)
    paths = [tmp_path / "tx.parquet", tmp_path / "feed.csv", tmp_path / "out.csv"]
    small.write_parquet(paths[0])
    files.feed.write_csv(paths[1])
    words = ["evaluate", "--transactions", str(paths[0]), "--labels", str(paths[1]),
             "--from-day", str(FROM), "--to-day", str(FROM), "--out", str(paths[2])]  # fmt: skip
    run = CliRunner().invoke(app, words)
    assert run.exit_code == 0, run.output
    assert "transactions scored" in run.output
    scores = pl.read_csv(paths[2], infer_schema=False)
    assert scores.columns == ["tx_id", "score"]
    assert scores["tx_id"].to_list() == small.filter(_day() == FROM)["tx_id"].to_list()
    words[-3] = str(FROM - 1)
    assert isinstance(CliRunner().invoke(app, words).exception, CallerError)


def _bad(transactions: Frame, feed: Frame, **changed: str) -> tuple[Frame, Frame]:
    return transactions.with_columns(**{n: pl.lit(v) for n, v in changed.items()}), feed


def _known_too_early(transactions: Frame, feed: Frame) -> tuple[Frame, Frame]:
    return transactions, feed.with_columns(available_at=pl.lit("5"))


def _both(transactions: Frame, feed: Frame) -> tuple[Frame, Frame]:
    other = feed.head(1).with_columns(fraud=(1 - _day("fraud")).cast(pl.String))
    return transactions, pl.concat([feed, other])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (partial(_bad, day="3"), r"tx\.csv: row 1, column day: is not t_sec's"),
        (partial(_bad, amount="-3.00"), r"tx\.csv: row 1, column amount: '-3\.00' is below 0"),
        (partial(_bad, card_id=""), r"tx\.csv: row 1, column card_id: is missing"),
        (partial(_bad, t_sec="-1"), r"tx\.csv: row 1, column t_sec"),
        (partial(_bad, tx_id="5"), r"tx\.csv: row 2, column tx_id: '5' is there twice"),
        (_known_too_early, r"feed\.csv: row 1, column available_at: is before the transaction"),
        (_both, r"feed\.csv: tx_id \d+: two words that are known from second \d+ on"),
    ],
)
def test_a_bad_history_is_refused_with_its_row(
    files: Files, tmp_path: Path, change: Callable[..., tuple[Frame, Frame]], why: str
) -> None:
    transactions, feed = change(files.transactions.head(50), files.feed.head(50))
    with pytest.raises(CallerError, match=why) as refused:
        _scores(tmp_path, transactions, feed)
    assert HAN.search(refused.value.detail_zh)
    assert all(number in refused.value.detail_zh for number in re.findall(r"row (\d+)", why))


def test_a_command_says_in_both_languages_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "tx.csv").write_text(
        "tx_id,ts,t_sec,day,card_id,terminal_id,amount\n1,,5,0,c,t,1.00\n2,,6,0,c,t,much\n"
    )
    (tmp_path / "feed.csv").write_text("tx_id,fraud,available_at\n")
    words = ["--transactions", f"{tmp_path}/tx.csv", "--labels", f"{tmp_path}/feed.csv",
             "--out", f"{tmp_path}/scores.csv"]  # fmt: skip
    done = tillway("risk", "evaluate", *words, "--from-day", "0", "--to-day", "0")
    assert done.returncode == 2
    code, zh, en = done.stderr.splitlines()
    assert code == "table_invalid (tx.csv: row 2, column amount: 'much' is no decimal amount)"
    assert zh.endswith("tx.csv：第 2 行 amount 列：'much' 不是十进制金额")
    assert en.strip().startswith("The table file is wrong")
    turned = tillway("risk", "evaluate", *words, "--from-day", "1", "--to-day", "0")
    assert "--to-day 早于 --from-day" in turned.stderr


def test_rows_of_one_second_are_taken_by_their_number(tmp_path: Path) -> None:
    ids = ["10", "9", "100", "x"]
    rows = [{"tx_id": tx, "t_sec": 5, "day": 0, "card_id": "c", "terminal_id": "t",
             "amount": "1.00"} for tx in ids]  # fmt: skip
    Frame(rows).write_csv(tmp_path / "tx.csv")
    Frame({"tx_id": ["9"], "fraud": [1], "available_at": [5]}).write_csv(tmp_path / "feed.csv")
    history = read_history(tmp_path / "tx.csv", tmp_path / "feed.csv", to_day=0)
    assert list(history.tx_id) == ["9", "x", "10", "100"]
    assert history.place.tolist() == [1, 3, 0, 2]
    assert history.labels.rows.tolist() == [0]


@pytest.mark.parametrize(
    ("ts", "origin"),
    [
        ("2018-04-01 00:00:31", 1_522_540_800),
        ("2018-04-01T00:00:31.000", 1_522_540_800),
        ("2018/04/01 00:00", 1_522_540_800),
        ("1522540831", 1_522_540_800),
        ("1522540831000", 1_522_540_800),
        ("1522540831.0", 1_522_540_800),
        ("31", 0),
        ("yesterday", 0),
        ("1960-01-01 00:00:31", 0),
    ],
)
def test_the_calendar_begins_at_the_midnight_before_the_first_row(
    tmp_path: Path, ts: str, origin: int
) -> None:
    frame = Frame({"tx_id": ["a"], "ts": [ts], "t_sec": [31], "day": [0], "card_id": ["c"],
                   "terminal_id": ["t"], "amount": ["1.00"]})  # fmt: skip
    frame.write_csv(tmp_path / "tx.csv")
    Frame({"tx_id": ["b"], "fraud": [1], "available_at": [9]}).write_csv(tmp_path / "feed.csv")
    history = read_history(tmp_path / "tx.csv", tmp_path / "feed.csv", to_day=0)
    assert history.origin_s == origin
    assert len(history.labels.rows) == 0
