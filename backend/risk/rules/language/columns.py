"""The same conditions over columns of facts: one mask a rule. See ``fused`` for one row.

Numbers are doubles with NaN for unknown; truths are -1 for unknown, else 0 or 1; texts are places
in a list of the values, -1 for unknown, so that a text is tested once for all its rows. A part that
several rules share is computed once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.risk.rules.language.tree import (
    AGAINST,
    Arithmetic,
    Chosen,
    Compared,
    Field,
    Has,
    Joined,
    Literal,
    Node,
    Not,
    OneOf,
    Size,
    TextTest,
    Type,
)
from backend.risk.rules.limits import EXACT_INTEGER_MAX

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts: which value stands in each row, -1 for none."""

    codes: NDArray[np.int64]
    values: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> "Texts":
        """From plain texts."""
        values = tuple(dict.fromkeys(text for text in texts if text is not None))
        place = {text: number for number, text in enumerate(values)}
        codes = [-1 if text is None else place[text] for text in texts]
        return cls(np.array(codes, np.int64), values)

    def where(self, hits: Sequence[bool]) -> Mask:
        """The rows whose value is one of those that hit."""
        found: Mask = np.append(np.array(hits, np.bool_), np.array(False))[self.codes]
        return found


Column = Numbers | NDArray[np.int8] | Texts


class Columns:
    """Facts by name, and what was computed from them so far."""

    def __init__(self, facts: Mapping[str, Column], rows: int) -> None:
        self._facts = facts
        self._rows = rows
        self._true: dict[Node, Mask] = {}
        self._false: dict[Node, Mask] = {}
        self._numbers: dict[Node, Numbers] = {}
        self._texts: dict[Node, Texts] = {}

    def is_true(self, node: Node) -> Mask:
        """The rows in which a condition is true."""
        found = self._true.get(node)
        if found is None:
            found = self._true[node] = self._truth(node, wanted=True)
        return found

    def is_false(self, node: Node) -> Mask:
        """The rows in which it is false; in the rest it is unknown."""
        found = self._false.get(node)
        if found is None:
            found = self._false[node] = self._truth(node, wanted=False)
        return found

    def _truth(self, node: Node, *, wanted: bool) -> Mask:
        ask, against = (self.is_true, self.is_false) if wanted else (self.is_false, self.is_true)
        match node:
            case Literal(value=value):
                return np.full(self._rows, value is wanted)
            case Field(name=name):
                return np.asarray(self._facts[name] == int(wanted), np.bool_)
            case Has(field=field):
                return self._known(field) if wanted else ~self._known(field)
            case Not(left=left):
                return against(left)
            case Joined():
                is_and = (node.sign == "&&") == wanted
                first, second = ask(node.left), ask(node.right)
                return first & second if is_and else first | second
            case Chosen():
                return (self.is_true(node.condition) & ask(node.left)) | (
                    self.is_false(node.condition) & ask(node.right)
                )
            case OneOf():
                return self._one_of(node, wanted=wanted)
            case TextTest():
                texts = self._text(node.left)
                return texts.where([_test(node, text) is wanted for text in texts.values])
            case Compared():
                return self._compared(node, wanted=wanted)
        raise AssertionError(node)

    def _known(self, field: Field) -> Mask:
        if field.type.is_number:
            return ~np.isnan(self._number(field))
        fact = self._facts[field.name]
        codes: NDArray[np.int64] = fact.codes if isinstance(fact, Texts) else fact.astype(np.int64)
        return codes >= 0

    def _one_of(self, node: OneOf, *, wanted: bool) -> Mask:
        if node.left.type.is_number:
            values = self._number(node.left)
            found = np.isin(values, np.array(node.items, np.float64))
            return found if wanted else ~found & ~np.isnan(values)
        texts = self._text(node.left)
        return texts.where([(text in node.items) is wanted for text in texts.values])

    def _compared(self, node: Compared, *, wanted: bool) -> Mask:
        sign = node.sign if wanted else AGAINST[node.sign]
        if node.left.type.is_number:
            a, b = self._number(node.left), self._number(node.right)
            compared: Mask = (a < b) | (a > b) if sign == "!=" else _NUMBERS[sign](a, b)
            return compared
        left, right = self._text(node.left), self._text(node.right)
        pairs = left.codes * (len(right.values) + 1) + right.codes
        known = (left.codes >= 0) & (right.codes >= 0)
        kinds, place = np.unique(pairs[known], return_inverse=True)
        width = len(right.values) + 1
        hits = [
            _compare_texts(sign, left.values[kind // width], right.values[kind % width])
            for kind in kinds.tolist()
        ]
        found = np.zeros(self._rows, np.bool_)
        found[known] = np.array(hits, np.bool_)[place]
        return found

    def _number(self, node: Node) -> Numbers:
        found = self._numbers.get(node)
        if found is None:
            with np.errstate(all="ignore"):
                found = self._numbers[node] = self._reckoned(node)
        return found

    def _reckoned(self, node: Node) -> Numbers:
        match node:
            case Literal(value=value):
                return np.full(self._rows, float(value))
            case Field(name=name):
                return np.asarray(self._facts[name], np.float64)
            case Size(left=left):
                texts = self._text(left)
                sizes = np.array([*(len(text) for text in texts.values), np.nan], np.float64)
                counted: Numbers = sizes[texts.codes]
                return counted
            case Chosen():
                chosen = np.full(self._rows, np.nan)
                for mask, side in (
                    (self.is_true(node.condition), node.left),
                    (self.is_false(node.condition), node.right),
                ):
                    chosen[mask] = self._number(side)[mask]
                return chosen
            case Arithmetic():
                found = _ARITHMETIC[node.sign](
                    self._number(node.left), self._number(node.right), node.type
                )
                if node.type is Type.INT:
                    found = np.where(np.abs(found) <= EXACT_INTEGER_MAX, found, np.nan)
                return found
        raise AssertionError(node)

    def _text(self, node: Node) -> Texts:
        found = self._texts.get(node)
        if found is None:
            found = self._texts[node] = self._read(node)
        return found

    def _read(self, node: Node) -> Texts:
        match node:
            case Literal(value=value):
                return Texts(np.zeros(self._rows, np.int64), (str(value),))
            case Field(name=name):
                fact = self._facts[name]
                assert isinstance(fact, Texts)
                return fact
            case Chosen():
                left, right = self._text(node.left), self._text(node.right)
                values = tuple(dict.fromkeys((*left.values, *right.values)))
                codes = np.full(self._rows, -1, np.int64)
                for mask, side in (
                    (self.is_true(node.condition), left),
                    (self.is_false(node.condition), right),
                ):
                    moved = np.array([*(values.index(v) for v in side.values), -1], np.int64)
                    codes[mask] = moved[side.codes][mask]
                return Texts(codes, values)
        raise AssertionError(node)


_NUMBERS = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
}  # fmt: skip


def _compare_texts(sign: str, a: str, b: str) -> bool:
    return {
        "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b,
    }[sign]  # fmt: skip


def _test(node: TextTest, text: str) -> bool:
    match node.name:
        case "startsWith":
            return text.startswith(node.part)
        case "endsWith":
            return text.endswith(node.part)
        case _:
            return node.part in text


def _divided(a: Numbers, b: Numbers, kind: Type) -> Numbers:
    quotient = (a - np.fmod(a, b)) / b if kind is Type.INT else a / b
    found: Numbers = np.where(b != 0, quotient, np.nan)
    return found


_ARITHMETIC: dict[str, Callable[[Numbers, Numbers, Type], Numbers]] = {
    "+": lambda a, b, _: a + b,
    "-": lambda a, b, _: a - b,
    "*": lambda a, b, _: a * b,
    "/": _divided,
    "%": lambda a, b, _: np.where(b != 0, np.fmod(a, b), np.nan),
}
