"""Large-value reports: what the law wants to know of for its size alone. Pure.

PBOC order [2016] 3, article 5, as Yinfa [2018] 163 applies it to payment institutions and order
[2025] 10 leaves it: per customer, a day's transactions of one standard, single or together, the
boundary included, in and out each for itself; one that meets two standards is in two reports. A
report is due five business days after the day.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from backend.risk.aml.exchange import DOLLAR, NO_RATES, YUAN, counted
from backend.risk.aml.limits import REPORT_BUSINESS_DAYS_MAX
from backend.risk.aml.transfers import dates_of, in_cash, is_abroad, is_customer, is_natural
from backend.risk.table_faults import Fault

BusinessDayAfter = Callable[[date, int], date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """One line of article 5. ``natural``: for natural persons, organisations, or (none) both;
    ``abroad``: across the border, within it, or (none) both. Amounts in fen, and of foreign money
    in cents, from ``since`` on."""

    name: str
    since: date
    amount_minor_min: int
    dollars_minor_min: int
    is_cash: bool
    natural: bool | None = None
    abroad: bool | None = None


STANDARDS = (
    Standard(
        name="cash",
        since=date(2017, 7, 1),
        amount_minor_min=5_000_000,
        dollars_minor_min=1_000_000,
        is_cash=True,
    ),
    Standard(
        name="transfer_organisation",
        since=date(2017, 7, 1),
        amount_minor_min=200_000_000,
        dollars_minor_min=20_000_000,
        is_cash=False,
        natural=False,
    ),
    Standard(
        name="transfer_domestic",
        since=date(2017, 7, 1),
        amount_minor_min=50_000_000,
        dollars_minor_min=10_000_000,
        is_cash=False,
        natural=True,
        abroad=False,
    ),
    Standard(
        name="transfer_cross_border",
        since=date(2017, 7, 1),
        amount_minor_min=20_000_000,
        dollars_minor_min=1_000_000,
        is_cash=False,
        natural=True,
        abroad=True,
    ),
)
"""A standard that changes gets a second entry with its day; the latest begun counts."""


def large_value_reports(
    transfers: pl.DataFrame,
    *,
    business_day_after: BusinessDayAfter,
    standards: Sequence[Standard] = STANDARDS,
    rates: pl.DataFrame = NO_RATES,
) -> pl.DataFrame:
    """The reports of all days: ``account, day, direction, standard, amount_minor, count, date, due,
    tx_ids``, ordered by day, account, direction, standard. ``tx_ids`` are joined by blanks. Raises
    ``CallerError`` for a transfer whose ``ts`` says no date.

    Transfers with a ``currency`` may be of foreign money, which is added up by itself, in dollars;
    ``money`` then says of what a report is."""
    dated = transfers.with_columns(
        dates_of(transfers).alias("date"), in_cash(transfers).alias("cash")
    )
    sides = pl.concat([_side(dated, "out"), _side(dated, "in")])
    undated = sides.filter(pl.col("date").is_null())
    if len(undated):
        raise Fault("no date", "没有日期").of_transaction(undated["tx_id"][0], "ts").refusal()
    sides = counted(sides, rates)
    found = [
        _reports(sides, standard, until, money)
        for name in dict.fromkeys(standard.name for standard in standards)
        for standard, until in _dated([s for s in standards if s.name == name])
        for money in (YUAN, DOLLAR)
    ]
    reports = pl.concat(found).sort("day", "account", "direction", "standard", "money")
    due = {
        day: business_day_after(day, REPORT_BUSINESS_DAYS_MAX)
        for day in reports["date"].unique().sort()
    }
    named = ("money",) if "currency" in transfers.columns else ()
    return reports.with_columns(
        pl.col("date").replace_strict(due, return_dtype=pl.Date).alias("due")
    ).select(
        "account", "day", "direction", "standard", "amount_minor", "count", "date", "due", "tx_ids",
        *named,
    )  # fmt: skip


def _dated(standards: Sequence[Standard]) -> list[tuple[Standard, date]]:
    """Each version of a standard with the day from which the next one counts."""
    ordered = sorted(standards, key=lambda standard: standard.since)
    ends = [standard.since for standard in ordered[1:]] + [date.max]
    return list(zip(ordered, ends, strict=True))


def _side(transfers: pl.DataFrame, direction: str) -> pl.DataFrame:
    """One row a transfer for the customer on one side of it."""
    account = "src" if direction == "out" else "dst"
    kinds = transfers[f"{account}_kind"].unique().to_list()
    channels = transfers["channel"].unique().to_list()
    has_currency = "currency" in transfers.columns
    currency = (pl.col("currency") if has_currency else pl.lit(YUAN)).fill_null(YUAN)
    return transfers.select(
        pl.col(account).alias("account"),
        "tx_id",
        "day",
        "date",
        "amount",
        currency.alias("currency"),
        pl.lit(direction).alias("direction"),
        _read(f"{account}_kind", {kind: is_natural(kind) for kind in kinds}).alias("natural"),
        _read(f"{account}_kind", {kind: is_customer(kind) for kind in kinds}).alias("customer"),
        "cash",
        _read("channel", {channel: is_abroad(channel) for channel in channels}).alias("abroad"),
    ).filter("customer")


def _read(column: str, meanings: dict[str, bool]) -> pl.Expr:
    words = [word for word, is_meant in meanings.items() if is_meant]
    return pl.col(column).is_in(pl.Series(words, dtype=pl.String).implode())


def _reports(sides: pl.DataFrame, standard: Standard, until: date, money: str) -> pl.DataFrame:
    least = standard.amount_minor_min if money == YUAN else standard.dollars_minor_min
    meets = (
        (pl.col("money") == money)
        & (pl.col("cash") == standard.is_cash)
        & (pl.col("date") >= standard.since)
        & (pl.col("date") < until)
    )
    if standard.natural is not None:
        meets &= pl.col("natural") == standard.natural
    if standard.abroad is not None:
        meets &= pl.col("abroad") == standard.abroad
    return (
        sides.filter(meets)
        .group_by("account", "day", "direction", maintain_order=True)
        .agg(
            pl.col("amount").sum().alias("amount_minor"),
            pl.len().cast(pl.Int64).alias("count"),
            pl.col("date").min(),
            pl.col("tx_id").str.join(" ").alias("tx_ids"),
        )
        .filter(pl.col("amount_minor") >= least)
        .with_columns(pl.lit(standard.name).alias("standard"), pl.lit(money).alias("money"))
    )
