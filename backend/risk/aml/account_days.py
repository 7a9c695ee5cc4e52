"""An account's day as numbers: what went in and out, how, with whom, and against what is usual of
it. Day ``d`` looks at transfers up to its end and at none that comes later.

Rule 1: transfers are taken in the order of time, those of one second by their id (9 before 10),
        whatever the order of the file.
Rule 2: a kind or channel is numbered when it is first seen, so a later word moves no number.
"""

import polars as pl

from backend.risk.aml.flows import NAMES, flow_features
from backend.risk.aml.transfers import in_cash, is_abroad, is_customer, is_natural

KEYS = ("account", "day")
NIGHT_ENDS_S = 6 * 3600
ROUND_MINOR = 10_000
"""Whole hundreds of yuan."""
EDGES_MINOR = (1_000_000, 5_000_000, 20_000_000, 50_000_000)
"""Amounts above which somebody looks or reports: 10,000, 50,000, 200,000 and 500,000 yuan."""
BELOW = 0.8
PERIODS = (3, 7, 30)
"""Days before the day that it is compared with."""


def numbers(days: pl.DataFrame) -> list[str]:
    """The columns that a model reads."""
    return [name for name in days.columns if name not in KEYS]


def own_numbers(sides: pl.DataFrame) -> pl.DataFrame:
    """One row for each account's day with a transfer: ``account, day``, then its numbers and how
    they compare with the days before."""
    return _with_history(sides.group_by(KEYS).agg(*_aggregates()).sort(KEYS))


def counterparties_of(days: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """The same numbers of whom each account dealt with on the day, to one hop."""
    return of_counterparties(days.select(*KEYS, *OF_COUNTERPARTIES), sides)


def sides_of(transfers: pl.DataFrame) -> pl.DataFrame:
    """Two rows a transfer, one for who pays and one for who is paid; tills, banks and the world
    outside have none. The transfers may come in any order."""
    ordered = in_order(transfers)
    told = zip(*(ordered[name] for name in ("t_sec", "src", "dst", "amount")), strict=True)
    flows = pl.DataFrame(flow_features(told, size=len(ordered)), schema=list(NAMES))
    plain = ordered.select(
        "t_sec", "day", "src", "dst", "src_kind", "dst_kind", "amount", "channel"
    ).hstack(flows)
    sides = plain.select(pl.concat_list("src_kind", "dst_kind").explode()).to_series()
    kinds, channels = _as_they_came(sides), _as_they_came(plain["channel"])
    amount = pl.col("amount").cast(pl.Float64)
    plain = plain.with_columns(
        amount=amount,
        is_night=(pl.col("t_sec") % 86_400 < NIGHT_ENDS_S).cast(pl.Float64),
        is_round=(pl.col("amount") % ROUND_MINOR == 0).cast(pl.Float64),
        is_cash=in_cash(ordered).cast(pl.Float64),
        is_abroad=_read("channel", {one: float(is_abroad(one)) for one in channels}),
        channel_code=_read("channel", {one: float(n) for n, one in enumerate(channels)}),
        is_below=pl.any_horizontal(
            (amount >= edge * BELOW) & (amount < edge) for edge in EDGES_MINOR
        ).cast(pl.Float64),
    )
    natural = {kind: float(is_natural(kind)) for kind in kinds}
    codes = {kind: float(n) for n, kind in enumerate(kinds)}
    return pl.concat(
        plain.with_columns(
            account=pl.col(mine),
            other=pl.col(theirs),
            is_out=pl.lit(float(mine == "src")),
            kind=_read(f"{mine}_kind", codes),
            other_natural=_read(f"{theirs}_kind", natural),
        )
        .filter(pl.col(f"{mine}_kind").is_in([kind for kind in kinds if is_customer(kind)]))
        .drop("src", "dst", "src_kind", "dst_kind", "channel")
        for mine, theirs in (("src", "dst"), ("dst", "src"))
    )


def in_order(transfers: pl.DataFrame) -> pl.DataFrame:
    """The transfers as they are taken (rule 1)."""
    return transfers.sort("t_sec", pl.col("tx_id").str.len_bytes(), "tx_id")


def _as_they_came(words: pl.Series) -> list[str]:
    return words.unique(maintain_order=True).to_list()


def _read(column: str, meanings: dict[str, float]) -> pl.Expr:
    return pl.col(column).replace_strict(meanings, return_dtype=pl.Float64)


def _aggregates() -> list[pl.Expr]:
    found = [pl.col("kind").first(), pl.col("channel_code").n_unique().alias("channels")]
    for name, is_out in (("out", 1.0), ("in", 0.0)):
        mine = pl.col("is_out") == is_out
        amount = pl.col("amount").filter(mine)
        found += [
            mine.sum().cast(pl.Float64).alias(f"{name}_count"),
            amount.sum().alias(f"{name}_sum"),
            amount.max().alias(f"{name}_max"),
            amount.min().alias(f"{name}_min"),
            (amount.std() / amount.mean()).alias(f"{name}_spread"),
            pl.col("other").filter(mine).n_unique().alias(f"{name}_others"),
            *(
                pl.col(flag).filter(mine).mean().alias(f"{name}_{flag}")
                for flag in (
                    "is_night", "is_round", "is_cash", "is_abroad", "is_below", "is_new_pair",
                    "other_natural", "channel_code",
                )
            ),
            *(pl.col(flow).filter(mine).max().alias(f"{name}_{flow}_max") for flow in NAMES),
            *(
                pl.col(flow).filter(mine).min().alias(f"{name}_{flow}_min")
                for flow in ("gap_in_s", "src_idle_s", "dst_idle_s")
            ),
            (pl.col("amount") * pl.col("is_below")).filter(mine).sum().alias(f"{name}_below_sum"),
        ]  # fmt: skip
    return found


def _with_history(days: pl.DataFrame) -> pl.DataFrame:
    """What the account did in the days before, and how the day compares."""
    first = days.with_columns(
        idle_days=(pl.col("day") - pl.col("day").shift(1).over("account")),
        age_days=(pl.col("day") - pl.col("day").first().over("account")),
        active_days=pl.int_range(pl.len()).over("account"),
        in_out=pl.col("in_sum") / pl.col("out_sum"),
    )
    for period in PERIODS:
        before = (
            days.select(*KEYS, "in_sum", "out_sum", "in_count", "out_count", "in_others")
            .rolling(index_column="day", period=f"{period}i", group_by="account", closed="left")
            .agg(
                *(
                    pl.col(name).sum().alias(f"{name}_{period}d")
                    for name in ("in_sum", "out_sum", "in_count", "out_count", "in_others")
                )
            )
        )
        first = first.join(before, on=KEYS, how="left", maintain_order="left")
    return first.with_columns(
        *(
            (pl.col(name) / (pl.col(f"{name}_30d") / pl.col("active_days").clip(1, 30))).alias(
                f"{name}_to_usual"
            )
            for name in ("in_sum", "out_sum", "in_count", "out_count")
        ),
        through_3d=(pl.col("out_sum") + pl.col("out_sum_3d"))
        / (pl.col("in_sum") + pl.col("in_sum_3d")),
    )


OF_COUNTERPARTIES = (
    "out_count", "in_count", "out_others", "in_others", "in_sum", "out_sum", "age_days",
    "idle_days", "through_3d", "in_sum_to_usual", "in_same_origin_max", "out_depth_max",
)  # fmt: skip


def of_counterparties(values: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """The mean and the largest of each value over an account-day's counterparties of that day, in
    and out apart."""
    names = [name for name in values.columns if name not in KEYS]
    pairs = sides.select(*KEYS, "other", "is_out").unique(maintain_order=True)
    theirs = values.rename({"account": "other"})
    joined = pairs.join(theirs, on=("other", "day"), how="inner", maintain_order="left")
    return joined.group_by(KEYS, maintain_order=True).agg(
        *(
            aggregate(pl.col(name).filter(pl.col("is_out") == is_out)).alias(
                f"{side}_{name}_of_others_{what}"
            )
            for side, is_out in (("out", 1.0), ("in", 0.0))
            for name in names
            for what, aggregate in (("mean", pl.Expr.mean), ("max", pl.Expr.max))
        )
    )
