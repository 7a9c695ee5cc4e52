"""A history of transactions and the feed of what they turned out to be, read from two files.

Rule 1: rows are taken in the order of time, those of one second by their id (9 before 10), whatever
        the order of the file; so a shuffled file is the same history.
Rule 2: a label of a transaction that the file does not have is left aside (and counted), and so is
        one that nobody will know (no ``available_at``) or that says nothing (no ``fraud``); one
        that was known before its transaction is refused with its place. Of a second that is not
        whole, the next one counts.
Rule 3: a transaction may have several labels: each counts until the next is available. One that
        repeats the word before it says nothing; two words at one second are refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backend.risk.features.columns import Events
from backend.risk.features.label_columns import Labels
from backend.risk.features.limits import VALUE_MAX
from backend.risk.table_faults import Fault
from backend.risk.tables_io import TableColumn, read_table
from backend.risk.written_times import epoch_seconds

DAY_S = 86_400
DAYS_MAX = 40_000
SECONDS_MAX = DAYS_MAX * DAY_S

TRANSACTION_COLUMNS = (
    TableColumn(name="tx_id", kind="text", is_unique=True),
    TableColumn(name="ts", kind="text", is_nullable=True, is_optional=True),
    TableColumn(name="t_sec", kind="integer", minimum=0, maximum=SECONDS_MAX),
    TableColumn(name="day", kind="integer", minimum=0, maximum=DAYS_MAX),
    TableColumn(name="card_id", kind="text"),
    TableColumn(name="terminal_id", kind="text"),
    TableColumn(name="amount", kind="amount_minor", minimum=0, maximum=VALUE_MAX),
)
LABEL_COLUMNS = (
    TableColumn(name="tx_id", kind="text"),
    TableColumn(name="fraud", kind="flag", is_nullable=True),
    TableColumn(
        name="available_at", kind="seconds_up", minimum=0, maximum=SECONDS_MAX, is_nullable=True
    ),
)

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class History:
    """Rows in the order of time. ``place`` is a row's place in the file; ``origin_s`` is the first
    day's midnight since 1970, for the calendar."""

    tx_id: Sequence[str]
    place: Integers
    t_sec: Integers
    card: Integers
    terminal: Integers
    amount_minor: Integers
    labels: Labels
    """``available_at`` on the clock of ``t_sec``."""
    origin_s: int = 0
    labels_unmatched: int = 0
    """Labels of transactions that the file does not have."""

    @property
    def day(self) -> Integers:
        """Days from the first, which is 0."""
        return self.t_sec // DAY_S

    @property
    def events(self) -> Events:
        """For the feature set of cards and terminals."""
        columns = {
            "amount_minor": self.amount_minor,
            "card": self.card,
            "terminal": self.terminal,
        }
        return Events(self.t_sec + self.origin_s, columns)

    @property
    def dated_labels(self) -> Labels:
        """The labels on the clock of ``events``."""
        found = self.labels
        return Labels(found.rows, found.is_fraud, found.available_at + self.origin_s)


def read_history(transactions: Path, feed: Path, *, to_day: int) -> History:
    """Both files up to the end of ``to_day``. Raises ``CallerError`` ``table_invalid``."""
    table = read_table(transactions, TRANSACTION_COLUMNS)
    labels = read_table(feed, LABEL_COLUMNS)
    unmatched = labels.join(table.select("tx_id"), on="tx_id", how="anti").height
    other_day = Fault("is not t_sec's", "与 t_sec 不符")
    _refuse_first(transactions, table["day"] != table["t_sec"] // DAY_S, "day", other_day)
    table = table.with_row_index("place").filter(pl.col("day") <= to_day)
    table = table.sort("t_sec", pl.col("tx_id").str.len_bytes(), "tx_id")
    rows = pl.DataFrame({"tx_id": table["tx_id"], "row": np.arange(len(table)),
                         "t_sec": table["t_sec"]})  # fmt: skip
    known = labels.join(rows, on="tx_id", how="left", maintain_order="left")
    too_early = Fault("is before the transaction", "早于该笔交易")
    _refuse_first(feed, known["available_at"] < known["t_sec"], "available_at", too_early)
    known = _in_turn(
        feed, known.filter(pl.all_horizontal(pl.col("row", "fraud", "available_at").is_not_null()))
    )
    return History(
        table["tx_id"].to_list(),
        table["place"].cast(pl.Int64).to_numpy(),
        table["t_sec"].to_numpy(),
        _codes(table["card_id"]),
        _codes(table["terminal_id"]),
        table["amount"].to_numpy(),
        Labels(known["row"].to_numpy(), known["fraud"].to_numpy() == 1,
               known["available_at"].to_numpy()),
        _origin_s(table),
        unmatched,
    )  # fmt: skip


def doubts(history: History, *, from_day: int) -> list[Fault]:
    """What is allowed in two files and seldom meant, for whoever asked for scores."""
    found, known = [], history.labels.available_at
    if count := history.labels_unmatched:
        found.append(
            Fault(
                f"{count:,} labels are of no transaction of the file",
                f"{count:,} 条标签在交易文件中没有对应的交易",
            )
        )
    if not len(known) or known.min() > from_day * DAY_S:
        none, none_zh = (
            (f"none of {len(known):,} labels is", f"{len(known):,} 条标签无一")
            if len(known)
            else ("no label is", "没有标签")
        )
        found.append(
            Fault(
                f"{none} known before day {from_day}, so its amount is all that a row is scored by "
                "at first; available_at are seconds on the clock of t_sec",
                f"{none_zh}在第 {from_day} 天之前可知，起初只能按金额评分；"
                "available_at 是与 t_sec 同一时钟的秒数",
            )
        )
    if not (history.day >= from_day).any():
        last, last_zh = (
            (f"; the latest is of day {history.day[-1]}", f"，最晚的是第 {history.day[-1]} 天")
            if len(history.day)
            else ("", "")
        )
        found.append(
            Fault(
                f"no transaction is of the days that were asked for{last}",
                f"所要的日子里没有交易{last_zh}",
            )
        )
    return found


def _in_turn(feed: Path, known: pl.DataFrame) -> pl.DataFrame:
    """The labels by row and then as they became known, each another word than the one before."""
    of_one = ("row", "available_at")
    known = known.sort(*of_one)
    words = pl.col("fraud").n_unique().over(of_one)
    for tx_id, second in known.filter(words > 1).select("tx_id", "available_at").head(1).rows():
        raise Fault(
            f"tx_id {tx_id}: two words that are known from second {second} on",
            f"tx_id {tx_id}：同在第 {second} 秒可知的两个相反标签",
        ).refusal(feed.name)
    return known.filter(
        (pl.col("fraud") != pl.col("fraud").shift(1).over("row")).fill_null(value=True)
    )


def _codes(names: pl.Series) -> Integers:
    return names.rank("dense").cast(pl.Int64).to_numpy()


def _origin_s(table: pl.DataFrame) -> int:
    """Midnight of the first day by the date of the earliest row; 0 where no date can be read."""
    if not len(table) or "ts" not in table.columns or table["ts"][0] is None:
        return 0
    dated = _since_1970_s(table["ts"].head(1))
    if dated is None:
        return 0
    days: int = (dated - table["t_sec"][0] + DAY_S // 2) // DAY_S
    return max(0, days) * DAY_S


def _since_1970_s(text: pl.Series) -> int | None:
    """Of a date with or without a time, or of the seconds since 1970, or their thousandth,
    millionth or billionth parts."""
    counted = epoch_seconds(text)[0]
    if counted is not None:
        return int(counted)
    written = text.str.slice(0, 19).str.replace("T", " ").str.replace_all("/", "-")
    written = written.str.replace(
        r"^\d{4}-\d{2}-\d{2}$", "${0} 11:59:59"
    )  # of that day, whatever t_sec
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"):
        dated = written.str.to_datetime(form, strict=False).dt.epoch("s")[0]
        if dated is not None:
            return int(dated)
    return None


def _refuse_first(path: Path, bad: pl.Series, column: str, why: Fault) -> None:
    bad = bad.fill_null(value=False)
    if bad.any():
        row = bad.arg_max()
        assert row is not None
        raise why.at(row + 1, column).refusal(path.name)
