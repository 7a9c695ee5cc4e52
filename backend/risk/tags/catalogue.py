"""All tags, and how they are tried on facts. Pure."""

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from backend.risk.devices.attributes import ATTRIBUTES
from backend.risk.rules.facts import PAYMENT_FACTS
from backend.risk.rules.language.columns import Column, Columns, Texts
from backend.risk.rules.language.parser import parse_condition
from backend.risk.rules.language.tree import Node, Type
from backend.risk.tags.account_days import account_day_tags
from backend.risk.tags.combined import combined_tags
from backend.risk.tags.families import FAMILIES
from backend.risk.tags.signals import signal_sets
from backend.risk.tags.taxonomy import Source, Tag


@cache
def all_tags() -> tuple[Tag, ...]:
    """Every tag, in the order of the taxonomy; no name twice."""
    tags = [
        *(tag for family in FAMILIES for tag in family.tags()),
        *combined_tags(),
        *account_day_tags(),
    ]
    assert len({tag.name for tag in tags}) == len(tags)
    return tuple(tags)


@cache
def payment_fields() -> Mapping[str, Type]:
    """The facts of a payment that tags may read: what rules read of it, the signals, and which of
    its device's attributes had changed."""
    signals = {name: Type.DOUBLE for one in signal_sets().values() for name in one.names}
    changed = {f"device.changed_{attribute.name}": Type.BOOL for attribute in ATTRIBUTES}
    return signals | changed | {fact.name: fact.type for fact in PAYMENT_FACTS}


def fields_of(source: Source) -> Mapping[str, Type]:
    """The facts that tags of this source may read."""
    if source is Source.PAYMENT:
        return payment_fields()
    return {fact: Type.DOUBLE for tag in account_day_tags() for fact in tag.reads}


@cache
def conditions(source: Source) -> Mapping[str, Node]:
    """The checked condition of each tag of a source."""
    fields = fields_of(source)
    return {
        tag.name: parse_condition(tag.when, fields) for tag in all_tags() if tag.source is source
    }


def fired(
    source: Source, facts: Mapping[str, Column], rows: int
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """For each tag, the rows that it is true of. A fact that is not given is unknown."""
    table = Columns(_complete(source, facts, rows), rows)
    for name, condition in conditions(source).items():
        yield name, table.is_true(condition)


def _complete(source: Source, facts: Mapping[str, Column], rows: int) -> dict[str, Column]:
    unknown: dict[Type, Column] = {
        Type.INT: np.full(rows, np.nan),
        Type.DOUBLE: np.full(rows, np.nan),
        Type.BOOL: np.full(rows, -1, np.int8),
        Type.STRING: Texts.of([None] * rows),
    }
    return {name: facts.get(name, unknown[kind]) for name, kind in fields_of(source).items()}
