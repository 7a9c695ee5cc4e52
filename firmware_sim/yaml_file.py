"""YAML that people write: read strictly, and refused by file and line.

Rule 1: a refusal names the file, the line and, for a wrong word, the nearest valid one; of a form
it tells all that is wrong.
Rule 2: words are words: only ``true`` and ``false`` are truth values, only whole numbers are
numbers (``on``, ``12:30`` and ``007`` stay text), and a key is said once.
Rule 3: no anchors, no tags: a file of a few lines must not become a gigabyte.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails
from yaml.reader import ReaderError

from firmware_sim.form_words import said_of
from firmware_sim.limits import YAML_BYTES_MAX, YAML_DEPTH_MAX
from firmware_sim.nearest import nearest
from firmware_sim.wrongs import FileWrongError, Wrong

Place = tuple[str | int, ...]
Form = TypeVar("Form", bound=BaseModel)
_WHOLE_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})|0x[0-9a-fA-F]{1,16}")
_NOTHING = frozenset({"", "~", "null"})
_TRUTHS = {"true": True, "false": False}
_UNKNOWN, _MISSING = "extra_forbidden", "missing"


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
        return self._lines.get(self._known(place), 1)

    def _known(self, place: Place) -> Place:
        while place and place not in self._lines:
            place = place[:-1]
        return place

    def refusal(self, place: Place, why: str, why_zh: str) -> FileWrongError:
        """The error that names the place."""
        where, line = ".".join(map(str, place)), self.line_of(place)
        said, said_zh = (f"{where}: {why}", f"{where}：{why_zh}") if where else (why, why_zh)
        return _wrong(self.name, line, said, said_zh)

    def validated(self, form: type[Form], value: JsonValue, place: Place = ()) -> Form:
        """``value``, which stands at ``place``, as ``form``; raises ``FileWrongError``."""
        if not isinstance(value, dict):
            why = "here belong keys with values, such as 'name: pos'"
            raise self.refusal(place, why, "这里须是键和值，例如 'name: pos'")
        try:
            return form.model_validate(value)
        except ValidationError as error:
            raise FileWrongError(self._wrongs(form, error.errors(), place)) from error

    def _wrongs(
        self, form: type[BaseModel], errors: list[ErrorDetails], place: Place
    ) -> list[Wrong]:
        """All that is wrong with a form: one thing of each value, and a key that is misspelt does
        not lack, too."""
        wrongs: list[Wrong] = []
        told: set[Place] = set()
        for one in sorted(errors, key=lambda one: one["type"] != _UNKNOWN):
            inner = (*place, *one["loc"])
            is_there = one["type"] != _MISSING
            at = self._known(inner) if is_there else inner
            if at in told:
                continue
            told.add(at)
            if one["type"] != _UNKNOWN:
                wrongs += self.refusal(inner, *_said_of(one)).wrongs
                continue
            valid = _keys_at(form, one["loc"][:-1])
            told.add((*inner[:-1], nearest(str(inner[-1]), valid) or ""))
            wrongs += self.unknown_key(inner, valid).wrongs
        return wrongs

    def unknown_key(self, place: Place, valid: list[str]) -> FileWrongError:
        """The error for a key that nobody knows."""
        near = nearest(str(place[-1]), valid)
        hint = f"did you mean {near!r}?" if near else f"here may stand {', '.join(valid)}"
        hint_zh = f"是不是 {near!r}？" if near else f"这里可以写 {'、'.join(valid)}"
        return self.refusal(place, f"there is no such key; {hint}", f"没有这个键；{hint_zh}")


def read_yaml(path: Path) -> YamlFile:
    """Read a file; raises ``FileWrongError`` with file, line and reason."""
    try:
        with path.open("rb") as file:
            content = file.read(YAML_BYTES_MAX + 1)
    except OSError as error:
        raise _wrong(str(path), 0, f"{error.strerror}", f"读不了（{error.strerror}）") from error
    if len(content) > YAML_BYTES_MAX:
        most = YAML_BYTES_MAX
        raise _wrong(path.name, 0, f"at most {most} bytes", f"最多 {most} 字节")
    return parse_yaml(content, path.name)


def parse_yaml(content: bytes, name: str) -> YamlFile:
    """As ``read_yaml``, of bytes that were read already."""
    try:
        text = content.decode()
        for event in yaml.parse(text, _PlainLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise _wrong(name, line, "no anchors and no tags here", "这里不能用锚和标签")
        node = yaml.compose(text, _PlainLoader)
    except UnicodeDecodeError as error:
        raise _wrong(name, 0, "not UTF-8", "不是 UTF-8") from error
    except RecursionError as error:
        raise _wrong(name, 0, "nested too deep", "嵌套太深") from error
    except yaml.MarkedYAMLError as error:
        line, column = _at(error.problem_mark)
        why = f"column {column}: {error.problem}"
        raise _wrong(name, line, why, f"不是 YAML（第 {column} 列：{error.problem}）") from error
    except ReaderError as error:
        read = text[: error.position]
        line, column = read.count("\n") + 1, error.position - read.rfind("\n")
        why = f"column {column}: no file of words holds the character {error.character:04X}"
        why_zh = f"第 {column} 列：文字文件里不能有字符 {error.character:04X}"
        raise _wrong(name, line, why, why_zh) from error
    lines: dict[Place, int] = {}
    value = _plain(node, (), lines, name) if node is not None else {}
    return YamlFile(name, value, lines)


def _at(mark: yaml.Mark | None) -> tuple[int, int]:
    """Line and column, counted from 1."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _wrong(name: str, line: int, why: str, why_zh: str) -> FileWrongError:
    """What is wrong with a file; line 0 is the whole of it."""
    at, at_zh = (f"{name}:{line}", f"{name} 第 {line} 行") if line else (name, name)
    return FileWrongError([Wrong(name, line, f"{at}: {why}", f"{at_zh}：{why_zh}")])


def _plain(node: yaml.Node, place: Place, lines: dict[Place, int], name: str) -> JsonValue:
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    if len(place) > YAML_DEPTH_MAX:
        raise _wrong(name, line, "nested too deep", "嵌套太深")
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, (*place, number), lines, name) for number, item in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        rows: dict[str, JsonValue] = {}
        for key, value in node.value:
            word, at = key.value, key.start_mark.line + 1
            if not isinstance(word, str):
                raise _wrong(name, at, "a key is a word", "键须是一个词")
            if word in rows:
                raise _wrong(name, at, f"{word!r} stands here twice", f"{word!r} 写了两次")
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


def _said_of(error: ErrorDetails) -> tuple[str, str]:
    """As ``said_of``; where digits without quotes stand for text, how to write them."""
    told = error["input"]
    if error["type"] != "string_type" or type(told) is not int:
        return said_of(error)
    return f"text of digits stands in quotes: '{told}'", f"只有数字的文字须加引号：'{told}'"


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
