"""How many tags there are, can be computed, were ever true, and are made use of.

``defined``: the taxonomy names it. ``implemented``: its condition is checked, and all that it reads
is computed. ``fired``: it was true at least once of what was looked at. ``used``: all that it reads
is read by a shipped rule or is an input of a model.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from backend.risk.aml.account_days import KEYS, numbers, own_numbers, sides_of
from backend.risk.features.catalogue import PAYMENT
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.rule_file import shipped_set
from backend.risk.tags.catalogue import all_tags, conditions, fired, payment_fields
from backend.risk.tags.ledger import LedgerRows, payment_facts
from backend.risk.tags.taxonomy import Category, Source, Tag

Times = Mapping[str, int]
"""How often each tag was true."""
_PROBE = {"tx_id": ["1", "2"], "t_sec": [0, 60], "day": [0, 0], "src": ["a", "b"],
          "dst": ["b", "c"], "src_kind": ["person", "person"], "dst_kind": ["person", "person"],
          "amount": [100, 100], "channel": ["transfer", "transfer"]}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One category's numbers of tags."""

    category: str
    defined: int
    implemented: int
    fired: int
    used: int


def fired_of_payments(rows: LedgerRows) -> Times:
    """Of how many payments each tag is true."""
    return _times(Source.PAYMENT, payment_facts(rows), len(rows.payments))


def fired_of_transfers(transfers: pl.DataFrame) -> Times:
    """Of how many account-days each tag is true."""
    days = own_numbers(sides_of(transfers))
    facts = {f"account.{name}": _numbers(days[name]) for name in numbers(days)}
    return _times(Source.ACCOUNT_DAY, facts, len(days))


def report(*times: Times) -> list[Line]:
    """A line a category, and one of all."""
    counted = {name: number for one in times for name, number in one.items()}
    groups: list[tuple[str, list[Tag]]] = [
        (category.value, [tag for tag in all_tags() if tag.category is category])
        for category in Category
    ]
    return [_line(name, tags, counted) for name, tags in (*groups, ("all", list(all_tags())))]


def is_implemented(tag: Tag) -> bool:
    """Whether it can be tried and all that it reads is computed."""
    return tag.name in conditions(tag.source) and set(tag.reads) <= _computed(tag.source)


def is_used(tag: Tag) -> bool:
    """Whether a shipped rule or a model reads the same."""
    return tag.source is Source.ACCOUNT_DAY or set(tag.reads) <= _judged_by()


def _line(name: str, tags: list[Tag], counted: Times) -> Line:
    return Line(
        name,
        len(tags),
        sum(map(is_implemented, tags)),
        sum(counted.get(tag.name, 0) > 0 for tag in tags),
        sum(map(is_used, tags)),
    )


def _times(source: Source, facts: Mapping[str, object], rows: int) -> Times:
    found: Counter[str] = Counter()
    for name, mask in fired(source, facts, rows):  # type: ignore[arg-type]
        found[name] = int(np.count_nonzero(mask))
    return found


def _numbers(column: pl.Series) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    values = column.cast(pl.Float64).to_numpy(writable=True)
    values[~np.isfinite(values)] = np.nan
    return values


@cache
def _computed(source: Source) -> frozenset[str]:
    """Every fact that there is code for; the account's are tried with two transfers."""
    if source is Source.PAYMENT:
        return frozenset(payment_fields())
    days = own_numbers(sides_of(pl.DataFrame(_PROBE)))
    return frozenset(f"account.{name}" for name in set(days.columns) - set(KEYS))


@cache
def _judged_by() -> frozenset[str]:
    """What shipped rules read, and the inputs of the payments' model."""
    return shipped_set(FIELDS).fields | set(PAYMENT.names)
