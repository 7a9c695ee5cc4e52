"""The rules that stand before every set and that no set takes the place of: the block list, the cap
for one payment, and how often a payer may try. In the language of all rules (``guards.toml``).

Rule 1: they are asked in the order of the file, and the first that hits decides.
Rule 2: what they compare with is configured and comes as a fact, so that a decision keeps it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import nan

from backend.risk.rules.compiled import CompiledRules, Rule
from backend.risk.rules.language.fused import Fact
from backend.risk.rules.language.tree import Type
from backend.risk.rules.rule_file import read_set

GUARD_FIELDS: dict[str, Type] = {
    "payment.amount_minor": Type.INT,
    "list.block_payer": Type.BOOL,
    "limit.amount_minor_max": Type.INT,
    "limit.attempts": Type.INT,
    "limit.attempts_max": Type.INT,
}
"""``limit.attempts``: this payer's attempts within the window, counted in the database."""
_UNKNOWN = tuple((name, nan if kind.is_number else None) for name, kind in GUARD_FIELDS.items())
"""What stands for a fact that is not told."""


@cache
def guards() -> CompiledRules:
    """The guards, each tried with the facts that must fire it and those that must not."""
    text = files("backend.risk.rules").joinpath("guards.toml").read_text("utf-8")
    return read_set(text, GUARD_FIELDS).rules


def objection(facts: Mapping[str, Fact]) -> Rule | None:
    """The first guard that hits; what is not told is unknown and hits none."""
    row = [unknown if (value := facts.get(name)) is None else value for name, unknown in _UNKNOWN]
    return next(iter(guards().row(row)), None)
