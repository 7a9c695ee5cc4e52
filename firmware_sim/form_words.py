"""What a form says of the first of its words that is wrong, in English and in Chinese."""

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from firmware_sim.nearest import nearest

_ZH = {
    "missing": "必填",
    "extra_forbidden": "没有这个词",
    "greater_than_equal": "至少为 {ge}",
    "less_than_equal": "至多为 {le}",
    "greater_than": "须大于 {gt}",
    "less_than": "须小于 {lt}",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "至多 {max_length} 个字符",
    "string_pattern_mismatch": "格式须符合 {pattern}",
    "too_short": "至少 {min_length} 项",
    "too_long": "至多 {max_length} 项",
    "enum": "须是其中之一：{expected}",
    "literal_error": "须是其中之一：{expected}",
    "int_type": "须是整数",
    "int_parsing": "须是整数",
    "int_from_float": "须是整数",
    "float_type": "须是数字",
    "float_parsing": "须是数字",
    "string_type": "须是文字",
    "bool_type": "须是 true 或 false",
    "bool_parsing": "须是 true 或 false",
    "list_type": "须是一列",
    "dict_type": "须是一组名字和值",
    "model_type": "须是一组名字和值",
    "model_attributes_type": "须是一组名字和值",
    "json_invalid": "不是 JSON",
}
"""By pydantic's name of what is wrong. What our own forms say is a ``value_error``."""


_CHOICE = re.compile("'([^']*)'")


def said_of(first: ErrorDetails) -> tuple[str, str]:
    """What is wrong with a word, in both languages; in English twice where only that is known."""
    english = str(first["msg"]).removeprefix("Value error, ")
    chinese = _ZH.get(first["type"])
    if chinese is None:
        return english, english
    context = {name: str(value) for name, value in first.get("ctx", {}).items()}
    if "expected" not in context:
        return english, chinese.format(**context)
    choices, said = _CHOICE.findall(context["expected"]), str(first["input"])
    if near := nearest(said, choices):
        return f"not {said!r}; did you mean {near!r}?", f"不能是 {said!r}；是不是 {near!r}？"
    context["expected"] = "、".join(f"{one!r}" for one in choices)
    return english, chinese.format(**context)


def first_of(error: ValidationError) -> tuple[str, str]:
    """The same of the first word that is wrong, with its place."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    english, chinese = said_of(first)
    return (f"{where}: {english}", f"{where}：{chinese}") if where else (english, chinese)
