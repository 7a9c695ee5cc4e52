"""Words of a condition, each with its place. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from backend.risk.rules.limits import EXPRESSION_CHARS_MAX, TEXT_CHARS_MAX


class RuleError(ValueError):
    """A condition that cannot be: where it goes wrong (1 is the first line and column), and why."""

    def __init__(self, at: int, text: str, why: str) -> None:
        before = text[:at]
        self.line = before.count("\n") + 1
        self.column = at - (before.rfind("\n") + 1) + 1
        self.why = why
        super().__init__(f"line {self.line}, column {self.column}: {why}")


class Word(StrEnum):
    """What a word is."""

    NAME = "name"
    INTEGER = "integer"
    DOUBLE = "double"
    TEXT = "text"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word: ``value`` of a text is what stands between its quotes, escapes undone."""

    word: Word
    value: str
    at: int


_PATTERN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<double>\d+\.\d+(?:[eE][+-]?\d{1,3})?)
      | (?P<integer>\d+)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:()\[\],.])""",
    re.VERBOSE | re.ASCII,  # CEL's digits are 0 to 9
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


def tokens_of(text: str) -> Iterator[Token]:
    """The words of a condition and one END. Raises ``RuleError``."""
    if len(text) > EXPRESSION_CHARS_MAX:
        raise RuleError(0, text, f"longer than {EXPRESSION_CHARS_MAX} characters")
    at = 0
    while at < len(text):
        found = _PATTERN.match(text, at)
        if found is None:
            raise RuleError(at, text, f"{text[at]!r} is not part of the language")
        if found.lastgroup != "space":
            yield _token(found, text)
        at = found.end()
    yield Token(Word.END, "", len(text))


def _token(found: re.Match[str], text: str) -> Token:
    word = Word(found.lastgroup or "")
    if word is not Word.TEXT:
        return Token(word, found.group(), found.start())
    inside, at = found.group()[1:-1], found.start()
    if len(inside) > TEXT_CHARS_MAX:
        raise RuleError(at, text, f"a text longer than {TEXT_CHARS_MAX} characters")

    def plain(escape: re.Match[str]) -> str:
        if escape.group(1) not in _ESCAPES:
            raise RuleError(at + 1 + escape.start(), text, f"unknown escape {escape.group()!r}")
        return _ESCAPES[escape.group(1)]

    return Token(word, re.sub(r"\\(.)", plain, inside), at)
