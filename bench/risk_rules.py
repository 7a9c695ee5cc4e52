"""Rules one by one and over columns, beside the Rust implementation of CEL on the same conditions
and facts in the same run. Both sides must hit the same before either is timed."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import cel
import numpy as np

from backend.risk.rules.compiled import Action, Rule, Severity, compile_rules
from backend.risk.rules.language.columns import Column
from backend.risk.rules.language.fused import Fact
from backend.risk.rules.language.tree import Type
from bench.result import Result

SEED = 20_261_128
RULES, ROWS, ROUNDS = 68, 2_000, 5
COLUMN_ROWS = 200_000
FIELDS = tuple(f"payer.count_{number}" for number in range(24))
"""Every fact is told: CEL has no word for an unknown one."""


def run(scale: float = 1.0) -> list[Result]:
    """All figures."""
    luck = random.Random(SEED)
    conditions = [_condition(luck, number) for number in range(RULES)]
    ours = compile_rules([_rule(number, when) for number, when in enumerate(conditions)], _fields())
    rows = [[luck.uniform(0, 30) for _ in FIELDS] for _ in range(max(round(ROWS * scale), 200))]
    contexts = [_context(row) for row in rows]
    programs = [cel.compile(when) for when in conditions]

    def ours_of(row: list[Fact]) -> list[int]:
        return [int(rule.rule_id[1:]) for rule in ours.row(row)]

    def theirs_of(context: cel.Context) -> list[int]:
        return [n for n, program in enumerate(programs) if program.execute(context) is True]

    for row, context in zip(rows, contexts, strict=True):
        assert ours_of(list(row)) == theirs_of(context)
    plain = [list[Fact](row) for row in rows]
    one, other = _per_row(ours.row, plain), _per_row(theirs_of, contexts)
    per_second = _columns(ours.columns, max(round(COLUMN_ROWS * scale), 10_000))
    told = f"{RULES} rules, {len(FIELDS)} facts"
    return [
        Result("rules, one payment, fused", one * 1e6, "us", told),
        Result("rules, one payment, Rust CEL compiled", other * 1e6, "us", told),
        Result("rules, fused against Rust CEL", other / one, "x", "how much sooner"),
        Result("rules, payments/s over columns", per_second, "1/s", f"{told}; replay's way"),
    ]


def _condition(luck: random.Random, number: int) -> str:
    """Two or three comparisons, as the shipped rules have."""
    names = luck.sample(FIELDS, 3)
    first, second, third = (
        f"{name} {luck.choice(['>=', '<', '>'])} {luck.uniform(1, 29):.2f}" for name in names
    )
    return f"{first} && {second}" if number % 2 else f"({first} || {second}) && {third}"


def _rule(number: int, when: str) -> Rule:
    return Rule(rule_id=f"r{number}", when=when, action=Action.REVIEW, severity=Severity.LOW,
                owner="bench", zh="测量。", en="Measured.")  # fmt: skip


def _fields() -> dict[str, Type]:
    return dict.fromkeys(FIELDS, Type.DOUBLE)


def _context(row: list[float]) -> cel.Context:
    told: dict[str, dict[str, float]] = {}
    for name, value in zip(FIELDS, row, strict=True):
        entity, signal = name.split(".")
        told.setdefault(entity, {})[signal] = value
    return cel.Context(told)


def _per_row(judge: Callable[[Any], object], rows: Sequence[object]) -> float:
    """Seconds a row: the median of the rounds."""
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for row in rows:
            judge(row)
        taken.append((time.perf_counter() - begin) / len(rows))
    return median(taken)


def _columns(judge: Callable[[Mapping[str, Column], int], object], size: int) -> float:
    luck = np.random.default_rng(SEED)
    columns: dict[str, Column] = {name: luck.uniform(0, 30, size) for name in FIELDS}
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        judge(columns, size)
        taken.append(time.perf_counter() - begin)
    return size / median(taken)
