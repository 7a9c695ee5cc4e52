"""Transfers between accounts as a table, and what their kinds and channels mean.

Files name kinds and channels in words of their own; the words are read here and nowhere else.
"""

import re
from collections.abc import Callable
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

_NATURAL = re.compile(
    r"person|natural|individual|consumer|payer|user|retail|customer|household|citizen|employee"
    r"|^[ip]$|个人|自然人|用户|客户|居民|消费者"
)
_ORGANISATION = re.compile(
    r"legal|corporat|company|companies|business|enterprise|firm|merchant|shop|store|retailer"
    r"|organi[sz]ation|non[ _-]?natural|法人|企业|公司|商户|商家|商店|机构|单位|非自然"
)
_CASH_DESK = re.compile(r"^(cash|atm|teller|till|vault|现金)([ _-].*)?$")
_NOBODY = re.compile(r"^(bank|external|ext|world|outside|system|central|none|-|银行|外部)$")
_CASH = re.compile(r"cash|\batm\b|counter|withdraw|deposit|现金|取现|存现|柜台")
_ABROAD = re.compile(
    r"cross(?![ _-]?bank)|border|abroad|overseas|foreign|swift|internat|intl|remit"
    r"|跨境|境外|海外|国际"
)


def read_transfers(path: Path) -> pl.DataFrame:
    """The file's transfers in its order, amounts in minor units. Raises ``CallerError``."""
    found = read_table(path, (*COLUMNS, *FOREIGN, *LABELS))
    if (found["t_sec"] < DAY_S).all():  # of several days: counted from each one's midnight
        found = found.with_columns(t_sec=pl.col("t_sec") + DAY_S * pl.col("day"))
    return found


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
    organisation's, and one that names an organisation too, as a legal person's."""
    word = _word(kind)
    return bool(_NATURAL.search(word)) and not _ORGANISATION.search(word)


def is_customer(kind: str) -> bool:
    """Whether the account is one of ours to report on: not a till, a bank or the world outside."""
    return not (is_cash_desk(kind) or _NOBODY.match(_word(kind)))


def is_cash_desk(kind: str) -> bool:
    """Whether the account stands for notes: whatever comes from it or goes to it is cash."""
    return bool(_CASH_DESK.match(_word(kind)))


def is_cash(channel: str) -> bool:
    """Whether money comes or goes as notes by what its channel is called."""
    return bool(_CASH.search(_word(channel)))


def in_cash(transfers: pl.DataFrame) -> pl.Series:
    """Whether each transfer was in notes, by its channel or by the kind of either account."""

    def says(column: str, is_meant: Callable[[str], bool]) -> pl.Series:
        words = transfers[column]
        return words.is_in([word for word in words.unique() if is_meant(word)])

    by_kind = says("src_kind", is_cash_desk) | says("dst_kind", is_cash_desk)
    return says("channel", is_cash) | by_kind


def is_abroad(channel: str) -> bool:
    """Whether the transfer crosses the border."""
    return bool(_ABROAD.search(_word(channel)))


def _word(written: str) -> str:
    return written.strip().lower()
