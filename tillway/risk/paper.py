"""Amounts as a person writes them."""

import polars as pl


def yuan(table: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    """The table with a column of minor units as a text in yuan, exact to the fen."""
    minor = pl.col(column)
    whole, part = (minor // 100).cast(pl.String), (minor % 100).cast(pl.String).str.zfill(2)
    return table.with_columns((whole + "." + part).alias(column)).rename({column: name})
