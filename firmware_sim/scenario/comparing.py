"""Is a value as a scenario says? Equal, or at least, at most, or with words in it."""

import json
import re

from pydantic import JsonValue

_BOUND = re.compile(r"(>=|<=|>|<|!=)\s*(-?[0-9]+)")
_BOUND_BEGINS = (">", "<", "!=")


def is_as_said(value: JsonValue, said: JsonValue) -> bool:
    """Compare; ``">= 3"`` compares numbers and ``"contains …"`` looks into text and lists."""
    if not isinstance(said, str):
        return value == said
    bound = _BOUND.fullmatch(said.strip())
    if bound is not None and isinstance(value, int) and not isinstance(value, bool):
        limit = int(bound[2])
        return {
            ">=": value >= limit, "<=": value <= limit, ">": value > limit, "<": value < limit,
            "!=": value != limit,
        }[bound[1]]  # fmt: skip
    if said.startswith("contains "):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return said.removeprefix("contains ") in text
    return str(value) == said if isinstance(value, int) else value == said


def is_no_bound(value: JsonValue, said: JsonValue) -> bool:
    """Whether a number is to be compared with what begins as a bound and is none."""
    if not isinstance(said, str) or not isinstance(value, int) or isinstance(value, bool):
        return False
    word = said.strip()
    return word.startswith(_BOUND_BEGINS) and _BOUND.fullmatch(word) is None
