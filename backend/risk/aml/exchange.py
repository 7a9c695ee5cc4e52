"""Foreign amounts in dollars, as the standards of large-value reports count them. Pure.

Rule 1: a transfer counts at the latest rate of its currency that is not after its date; the dollar
        is itself. Where there is none, the file is refused: a report is never left out for want
        of a rate.
Rule 2: each amount is rounded to the cent, half up, before amounts are added.
"""

from pathlib import Path

import polars as pl

from backend.risk.table_faults import Fault
from backend.risk.tables_io import TableColumn, read_table

YUAN, DOLLAR = "CNY", "USD"
RATE_COLUMNS = (
    TableColumn(name="date", kind="text"),
    TableColumn(name="currency", kind="text"),
    TableColumn(name="dollars", kind="number", minimum=1e-9, maximum=1e9),
)
NO_RATES = pl.DataFrame(schema={"date": pl.Date, "currency": pl.String, "dollars": pl.Float64})
_CURRENCY = r"^[A-Z]{3}$"


def read_rates(path: Path) -> pl.DataFrame:
    """``date``, ``currency`` and ``dollars``: how many one unit is worth from that day on. Raises
    ``CallerError`` ``table_invalid``."""
    table = read_table(path, RATE_COLUMNS)
    rates = table.with_columns(pl.col("date").str.to_date("%Y-%m-%d", strict=False))
    for column, is_bad in (
        ("date", rates["date"].is_null()),
        ("currency", ~rates["currency"].str.contains(_CURRENCY)),
        ("date", rates.select("date", "currency").is_duplicated()),
    ):
        if is_bad.any():
            row = (is_bad.arg_max() or 0) + 1
            value = repr(table[column][row - 1])
            why = Fault(f"{value} is no {column}, or is there twice", f"{value} 不合规或重复出现")
            raise why.at(row, column).refusal(path.name)
    return rates


def counted(sides: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """Rows with ``tx_id, date, amount, currency`` with ``money``, yuan or dollars, and the amount
    in hundredths of it. Raises ``CallerError`` ``table_invalid``."""
    currency = pl.col("currency")
    odd = sides.filter(~currency.str.contains(_CURRENCY))
    if len(odd):
        why = Fault("not like CNY", "须形如 CNY")
        raise why.of_transaction(odd["tx_id"][0], "currency").refusal()
    is_yuan = currency == YUAN
    dated = sides.with_row_index("place").sort("date")
    dated = dated.join_asof(
        rates.sort("date"), on="date", by="currency", strategy="backward", check_sortedness=False
    )
    dollars = pl.when(currency == DOLLAR).then(1.0).otherwise("dollars")
    lacking = dated.filter(~is_yuan & dollars.is_null())
    if len(lacking):
        row = lacking.row(0, named=True)
        money, day = row["currency"], row["date"]
        why = Fault(f"no rate of {money} by {day}", f"到 {day} 没有 {money} 的汇率")
        raise why.of_transaction(row["tx_id"], "currency").refusal()
    cents = (pl.col("amount") * dollars + 0.5).floor().cast(pl.Int64)
    return (
        dated.with_columns(
            amount=pl.when(is_yuan).then("amount").otherwise(cents),
            money=pl.when(is_yuan).then(pl.lit(YUAN)).otherwise(pl.lit(DOLLAR)),
        )
        .sort("place")
        .drop("place", "dollars")
    )
