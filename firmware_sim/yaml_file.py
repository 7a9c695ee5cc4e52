"""YAML that people write: read strictly, and refused by file and line.

Rule 1: a refusal names the file, the line and, for a wrong key, the nearest valid one.
Rule 2: words are words: only ``true`` and ``false`` are truth values, only whole numbers are
numbers (``on``, ``12:30`` and ``007`` stay text), and a key is said once.
Rule 3: no anchors, no tags: a file of a few lines must not become a gigabyte.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, JsonValue, ValidationError

from firmware_sim.form_words import said_of
from firmware_sim.limits import YAML_BYTES_MAX, YAML_DEPTH_MAX
from protocol.errors import CallerError

Place = tuple[str | int, ...]
Form = TypeVar("Form", bound=BaseModel)
_WHOLE_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})|0x[0-9a-fA-F]{1,16}")
_NOTHING = frozenset({"", "~", "null"})
_TRUTHS = {"true": True, "false": False}


class HexNumber(int):
    """A number that was written with ``0x``: where digits are meant, it is none of them."""


class _PlainLoader(yaml.SafeLoader):
    """Resolves nothing by itself: what a plain word means is said below."""


_PlainLoader.yaml_implicit_resolvers = {}


@dataclass(frozen=True, slots=True)
class YamlFile:
    """What a file says, and on which line."""

    name: str
    value: JsonValue
    _lines: dict[Place, int]

    def line_of(self, place: Place) -> int:
        """The line of a value, or of the nearest one around it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def refusal(self, place: Place, why: str, why_zh: str) -> CallerError:
        """The error that names the place."""
        where, line = ".".join(map(str, place)), self.line_of(place)
        said = f"{self.name}:{line}: {where + ': ' if where else ''}{why}"
        zh = f"{self.name} 第 {line} 行：{where + '：' if where else ''}{why_zh}"
        return CallerError("config_invalid", said, detail_zh=zh)

    def validated(self, form: type[Form], value: JsonValue, place: Place = ()) -> Form:
        """``value``, which stands at ``place``, as ``form``; raises ``config_invalid``."""
        if not isinstance(value, dict):
            why = "here belong keys with values, such as 'name: pos'"
            raise self.refusal(place, why, "这里须是键和值，例如 'name: pos'")
        try:
            return form.model_validate(value)
        except ValidationError as error:
            wrong = error.errors()  # a misspelt key also lacks the right one: that is said first
            first = next((one for one in wrong if one["type"] == "extra_forbidden"), wrong[0])
            inner = (*place, *first["loc"])
            if first["type"] == "extra_forbidden":
                raise self.unknown_key(inner, _keys_at(form, first["loc"][:-1])) from error
            raise self.refusal(inner, *said_of(first)) from error

    def unknown_key(self, place: Place, valid: list[str]) -> CallerError:
        """The error for a key that nobody knows."""
        near = difflib.get_close_matches(str(place[-1]), valid, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"here may stand {', '.join(valid)}"
        hint_zh = f"是不是 {near[0]!r}？" if near else f"这里可以写 {'、'.join(valid)}"
        return self.refusal(place, f"there is no such key; {hint}", f"没有这个键；{hint_zh}")


def read_yaml(path: Path) -> YamlFile:
    """Read a file; raises ``CallerError("config_invalid")`` with file, line and reason."""
    try:
        with path.open("rb") as file:
            content = file.read(YAML_BYTES_MAX + 1)
    except OSError as error:
        raise CallerError("config_invalid", f"{path}: {error.strerror}") from error
    if len(content) > YAML_BYTES_MAX:
        raise CallerError(
            "config_invalid",
            f"{path.name}: at most {YAML_BYTES_MAX} bytes",
            detail_zh=f"{path.name}：最多 {YAML_BYTES_MAX} 字节",
        )
    return parse_yaml(content, path.name)


def parse_yaml(content: bytes, name: str) -> YamlFile:
    """As ``read_yaml``, of bytes that were read already."""
    try:
        text = content.decode()
        for event in yaml.parse(text, _PlainLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise CallerError(
                    "config_invalid",
                    f"{name}:{line}: no anchors and no tags here",
                    detail_zh=f"{name} 第 {line} 行：这里不能用锚和标签",
                )
        node = yaml.compose(text, _PlainLoader)
    except UnicodeDecodeError as error:
        raise CallerError(
            "config_invalid", f"{name}: not UTF-8", detail_zh=f"{name}：不是 UTF-8"
        ) from error
    except RecursionError as error:
        raise CallerError(
            "config_invalid", f"{name}: nested too deep", detail_zh=f"{name}：嵌套太深"
        ) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CallerError(
            "config_invalid",
            f"{name}:{line}: {error.problem}",
            detail_zh=f"{name} 第 {line} 行：不是 YAML（{error.problem}）",
        ) from error
    except yaml.YAMLError as error:
        raise CallerError(
            "config_invalid", f"{name}: {error}", detail_zh=f"{name}：不是 YAML（{error}）"
        ) from error
    lines: dict[Place, int] = {}
    value = _plain(node, (), lines, name) if node is not None else {}
    return YamlFile(name, value, lines)


def _plain(node: yaml.Node, place: Place, lines: dict[Place, int], name: str) -> JsonValue:
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    if len(place) > YAML_DEPTH_MAX:
        raise CallerError(
            "config_invalid",
            f"{name}:{line}: nested too deep",
            detail_zh=f"{name} 第 {line} 行：嵌套太深",
        )
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, (*place, number), lines, name) for number, item in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        rows: dict[str, JsonValue] = {}
        for key, value in node.value:
            word, at = key.value, key.start_mark.line + 1
            if not isinstance(word, str):
                raise CallerError(
                    "config_invalid",
                    f"{name}:{at}: a key is a word",
                    detail_zh=f"{name} 第 {at} 行：键须是一个词",
                )
            if word in rows:
                raise CallerError(
                    "config_invalid",
                    f"{name}:{at}: {word!r} stands here twice",
                    detail_zh=f"{name} 第 {at} 行：{word!r} 写了两次",
                )
            lines[(*place, word)] = at
            rows[word] = _plain(value, (*place, word), lines, name)
        return rows
    return _scalar(node)


def _scalar(node: yaml.Node) -> JsonValue:
    assert isinstance(node, yaml.ScalarNode)
    word: str = node.value
    if node.style is not None:  # in quotes, or a block of text
        return word
    if word in _NOTHING:
        return None
    if word in _TRUTHS:
        return _TRUTHS[word]
    if not _WHOLE_NUMBER.fullmatch(word):
        return word
    return HexNumber(word, 0) if word.startswith("0x") else int(word)


def _keys_at(form: object, place: Place) -> list[str]:
    """The keys of the form that stands at a place within ``form``: a field's own, an item's of a
    list or a mapping, all of what may stand there where there is a choice."""
    if isinstance(form, type) and issubclass(form, BaseModel):
        if not place:
            return list(form.model_fields)
        field = form.model_fields.get(str(place[0]))
        return _keys_at(field.annotation, place[1:]) if field is not None else []
    origin, choices = get_origin(form), get_args(form)
    if origin is Annotated:
        return _keys_at(choices[0], place)
    if origin in (list, tuple, dict) and choices:
        return _keys_at(choices[-1], place[1:]) if place else []
    keys = [key for choice in choices for key in _keys_at(choice, place)]
    if not keys and place:  # which of the choices it is stands in the place, too
        keys = [key for choice in choices for key in _keys_at(choice, place[1:])]
    return list(dict.fromkeys(keys))
