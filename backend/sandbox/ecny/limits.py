"""What a wallet of a class may hold and pay, from a dated table (``wallet_limits.toml``), and the
operator's own bounds."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

from protocol.errors import CallerError

CLASSES = (1, 2, 3, 4)
LENT_MINOR_MAX = 50_000_000
"""500,000 yuan: what the operator lends to a payment institution's wallet within a day, so that a
refund need not wait for payments. It is taken from the reserve at the day's change."""


@dataclass(frozen=True, slots=True)
class WalletLimits:
    """One class's limits in fen from a day on; 0: none."""

    valid_from: date
    wallet_class: int
    payment_minor: int
    day_minor: int
    year_minor: int
    balance_minor: int


class LimitTable:
    """The limits by class and day."""

    def __init__(self, rows: Iterable[WalletLimits]) -> None:
        self._rows = sorted(rows, key=lambda row: row.valid_from, reverse=True)

    def on(self, wallet_class: int, day: date) -> WalletLimits:
        """The limits in force; ``config_invalid`` for a day before the table begins."""
        for row in self._rows:
            if row.wallet_class == wallet_class and row.valid_from <= day:
                return row
        raise CallerError("config_invalid", f"no limits of class {wallet_class} on {day}")


def read_limits(text: str) -> LimitTable:
    """A table in TOML; ``config_invalid`` for anything else."""
    try:
        return LimitTable(_row(row) for row in tomllib.loads(text)["limits"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise CallerError("config_invalid", f"wallet limits: {error}") from None


def default_limits() -> LimitTable:
    """The table that comes with the program."""
    return read_limits(files(__package__).joinpath("wallet_limits.toml").read_text("utf-8"))


def _row(row: dict[str, Any]) -> WalletLimits:
    names = ("payment_minor", "day_minor", "year_minor", "balance_minor")
    amounts = [row[name] for name in names]
    is_good = (
        type(row["from"]) is date
        and row["class"] in CLASSES
        and all(type(amount) is int and amount >= 0 for amount in amounts)
    )
    if not is_good:
        raise ValueError(f"{row}")
    return WalletLimits(row["from"], row["class"], *amounts)
