"""Times as files write them. Pure."""

import polars as pl

_COUNT = r"^([0-9]{9,10}(?:[0-9]{3}){0,3})(?:\.[0-9]*)?$"
_DIGITS_OF_SECONDS = 8
"""At least one more: seconds have nine or ten, their thousandth parts three more, and so on."""


def epoch_seconds(text: pl.Series) -> pl.Series:
    """Whole seconds since 1970 where a text counts them, or their thousandth, millionth or
    billionth parts; null where it does not."""
    digits = text.str.extract(_COUNT)
    thousands = (digits.str.len_bytes().cast(pl.Int64) - _DIGITS_OF_SECONDS) // 3
    return digits.cast(pl.Int64) // (1_000**thousands)
