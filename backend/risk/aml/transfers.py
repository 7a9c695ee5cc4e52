"""Transfers between accounts as a table, and what their kinds and channels mean.

Files name kinds and channels in words of their own; the words are read here and nowhere else.
"""

import re
from pathlib import Path

import polars as pl

from backend.risk.tables_io import TableColumn, read_table
from backend.risk.written_times import epoch_seconds

DAY_S = 86_400

COLUMNS = (
    TableColumn(name="tx_id", kind="text", is_unique=True),
    TableColumn(name="ts", kind="text"),
    TableColumn(name="t_sec", kind="integer", minimum=0),
    TableColumn(name="day", kind="integer", minimum=0),
    TableColumn(name="src", kind="text"),
    TableColumn(name="dst", kind="text"),
    TableColumn(name="src_kind", kind="text"),
    TableColumn(name="dst_kind", kind="text"),
    TableColumn(name="amount", kind="amount_minor", minimum=0),
    TableColumn(name="channel", kind="text"),
)
FOREIGN = (TableColumn(name="currency", kind="text", is_nullable=True, is_optional=True),)
LABELS = (
    TableColumn(name="laundering", kind="flag", is_nullable=True, is_optional=True),
    TableColumn(name="case_id", kind="text", is_nullable=True, is_optional=True),
)

_NATURAL = re.compile(r"person|natural|individual|consumer|payer|user|retail|customer|household")
_NOBODY = re.compile(r"^(cash|atm|bank|external|world|outside|system|central|none|-)$")
_CASH = re.compile(r"cash|\batm\b|counter|withdraw|deposit")
_ABROAD = re.compile(r"cross|border|abroad|overseas|foreign|swift|internat|intl|remit")


def read_transfers(path: Path) -> pl.DataFrame:
    """The file's transfers in its order, amounts in minor units. Raises ``CallerError``."""
    return read_table(path, (*COLUMNS, *FOREIGN, *LABELS))


def dates_of(transfers: pl.DataFrame) -> pl.Series:
    """The date of each, null where ``ts`` has none: as it begins, or where it counts the seconds
    since 1970, that of ``day``, so that the clock's zone makes no other day of it."""
    ts = transfers["ts"]
    begins = ts.str.slice(0, 10).str.replace_all("/", "-").str.to_date("%Y-%m-%d", strict=False)
    if not begins.null_count():
        return begins
    first_day = (epoch_seconds(ts) - transfers["t_sec"] + DAY_S // 2) // DAY_S
    counted = (first_day + transfers["day"]).cast(pl.Int32, strict=False).cast(pl.Date)
    return begins.zip_with(begins.is_not_null(), counted)


def is_natural(kind: str) -> bool:
    """Whether accounts of the kind belong to natural persons. A kind that says nothing is an
    organisation's."""
    return bool(_NATURAL.search(kind.lower()))


def is_customer(kind: str) -> bool:
    """Whether the account is one of ours to report on: not a till, a bank or the world outside."""
    return not _NOBODY.match(kind.lower().strip())


def is_cash(channel: str) -> bool:
    """Whether money comes or goes as notes."""
    return bool(_CASH.search(channel.lower()))


def is_abroad(channel: str) -> bool:
    """Whether the transfer crosses the border."""
    return bool(_ABROAD.search(channel.lower()))
