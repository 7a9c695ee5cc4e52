"""Is a value as a scenario says? Equal, or at least, at most, or with words in it."""

import json
import re

from pydantic import JsonValue

from firmware_sim.frames import masked_numbers

_BOUND = re.compile(r"(>=|<=|>|<|!=)\s*(-?[0-9]+)")
_BOUND_BEGINS = (">", "<", "!=")


def is_as_said(value: JsonValue, said: JsonValue) -> bool:
    """Compare; ``">= 3"`` compares numbers and ``"contains …"`` looks into text and lists. Digits
    that a file says without quotes are the same as those with them."""
    if not isinstance(said, str):
        is_text = isinstance(value, str) and type(said) is int
        return value == (str(said) if is_text else said)
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


def is_so_masked(value: JsonValue, said: JsonValue) -> bool:
    """The same of a field of a frame, which holds of a long number only its ends."""
    if is_as_said(value, said):
        return True
    is_word = isinstance(said, str) or type(said) is int
    return is_word and is_as_said(value, masked_numbers(str(said)))


def is_no_bound(value: JsonValue, said: JsonValue) -> bool:
    """Whether a number is to be compared with what begins as a bound and is none."""
    if not isinstance(said, str) or not isinstance(value, int) or isinstance(value, bool):
        return False
    word = said.strip()
    return word.startswith(_BOUND_BEGINS) and _BOUND.fullmatch(word) is None
