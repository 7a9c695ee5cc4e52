"""The conditions of a set as Python functions: facts in, the numbers of the rules that hit out.

Each function asks some of the conditions: building one holds the interpreter, and whoever wants to
know of one rule need not ask all. It is built from the checked tree as a syntax tree of its own. No
word of a rule becomes code: facts are places of a tuple, and texts and numbers are constants.

A condition is asked two ways, whether it is true and whether it is false; unknown is neither. An
unknown number is NaN, so that every comparison of it fails, and an unknown text or truth is None.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from math import fmod, nan
from typing import cast

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
    fields_of,
    size_of,
)
from backend.risk.rules.limits import EXACT_INTEGER_MAX, FUSED_PARTS_MAX

Fact = float | str | bool | None
Hits = Callable[[Sequence[Fact]], list[int]]

_COMPARED: dict[str, ast.cmpop] = {
    "<": ast.Lt(), "<=": ast.LtE(), ">": ast.Gt(), ">=": ast.GtE(), "==": ast.Eq(),
}  # fmt: skip
_TEXTS = {
    "==": "same", "!=": "other", "<": "before", "<=": "not_after", ">": "after",
    ">=": "not_before",
}  # fmt: skip


def fuse(conditions: Sequence[Node], places: Mapping[str, int]) -> list[tuple[int, Hits]]:
    """Functions of all conditions, each with the number of its first; ``places`` says where in
    their argument a fact stands."""
    fused: list[tuple[int, Hits]] = []
    begin = size = 0
    for number, node in enumerate(conditions):
        more = size_of(node)
        if number > begin and size + more > FUSED_PARTS_MAX:
            fused.append((begin, _fused(begin, conditions[begin:number], places)))
            begin, size = number, 0
        size += more
    fused.append((begin, _fused(begin, conditions[begin:], places)))
    return fused


def _fused(first: int, conditions: Sequence[Node], places: Mapping[str, int]) -> Hits:
    used = sorted(set().union(*(fields_of(node) for node in conditions)))
    builder = _Builder({name: f"f{number}" for number, name in enumerate(used)})
    body: list[ast.stmt] = [
        _assign(local, ast.Subscript(_load("facts"), ast.Constant(places[name]), ast.Load()))
        for name, local in builder.locals.items()
    ]
    body.append(_assign("hits", ast.List([], ast.Load())))
    for number, node in enumerate(conditions, first):
        hit = ast.Call(
            ast.Attribute(_load("hits"), "append", ast.Load()), [ast.Constant(number)], []
        )
        body.append(ast.If(builder.is_true(node), [ast.Expr(hit)], []))
    body.append(ast.Return(_load("hits")))
    arguments = ast.arguments([], [ast.arg("facts")], None, [], [], None, [])
    function = ast.FunctionDef("judge", arguments, body, [], None, None)
    module = ast.fix_missing_locations(ast.Module([function], []))
    names: dict[str, object] = {"__builtins__": {}, **_FUNCTIONS}
    exec(compile(module, "<rules>", "exec"), names)  # noqa: S102  (built above, from no text)
    return cast(Hits, names["judge"])


class _Builder:
    """Python expressions for the nodes. ``locals`` names the local of each fact."""

    def __init__(self, local_names: dict[str, str]) -> None:
        self.locals = local_names

    def is_true(self, node: Node) -> ast.expr:
        match node:
            case Literal():
                return ast.Constant(node.value is True)
            case Field():
                return ast.Compare(self.value(node), [ast.Is()], [ast.Constant(value=True)])
            case Has(field=field):
                return _is_known(self.value(field), field.type)
            case Not(left=left):
                return self.is_false(left)
            case Joined(sign="&&"):
                return _and(self.is_true(node.left), self.is_true(node.right))
            case Joined():
                return _or(self.is_true(node.left), self.is_true(node.right))
            case Chosen():
                return _or(
                    _and(self.is_true(node.condition), self.is_true(node.left)),
                    _and(self.is_false(node.condition), self.is_true(node.right)),
                )
            case Compared():
                return self._compared(node.sign, node.left, node.right)
            case OneOf(left=left, items=items):
                return ast.Compare(self.value(left), [ast.In()], [_members(items)])
            case TextTest():
                return self._text_test(node)
        raise AssertionError(node)

    def is_false(self, node: Node) -> ast.expr:
        match node:
            case Literal():
                return ast.Constant(node.value is False)
            case Field():
                return ast.Compare(self.value(node), [ast.Is()], [ast.Constant(value=False)])
            case Has():
                return ast.UnaryOp(ast.Not(), self.is_true(node))
            case Not(left=left):
                return self.is_true(left)
            case Joined(sign="&&"):
                return _or(self.is_false(node.left), self.is_false(node.right))
            case Joined():
                return _and(self.is_false(node.left), self.is_false(node.right))
            case Chosen():
                return _or(
                    _and(self.is_true(node.condition), self.is_false(node.left)),
                    _and(self.is_false(node.condition), self.is_false(node.right)),
                )
            case Compared():
                return self._compared(AGAINST[node.sign], node.left, node.right)
            case OneOf(left=left, items=items):
                return ast.Call(_load("not_in"), [self.value(left), _members(items)], [])
            case TextTest():
                name = f"not_{node.name}"
                return ast.Call(_load(name), [self.value(node.left), ast.Constant(node.part)], [])
        raise AssertionError(node)

    def value(self, node: Node) -> ast.expr:
        """A number, NaN if unknown; a text or truth, None if unknown."""
        match node:
            case Literal():
                return ast.Constant(node.value)
            case Field(name=name):
                return _load(self.locals[name])
            case Arithmetic():
                left, right = self.value(node.left), self.value(node.right)
                function = _ARITHMETIC[node.type, node.sign]
                return ast.Call(_load(function), [left, right], [])
            case Size(left=left):
                return ast.Call(_load("size"), [self.value(left)], [])
            case Chosen():
                unknown = ast.Constant(None) if not node.type.is_number else _load("nan")
                otherwise = ast.IfExp(
                    self.is_false(node.condition), self.value(node.right), unknown
                )
                return ast.IfExp(self.is_true(node.condition), self.value(node.left), otherwise)
        raise AssertionError(node)

    def _compared(self, sign: str, left: Node, right: Node) -> ast.expr:
        a, b = self.value(left), self.value(right)
        # None is equal to no text, so that asks nothing more; but it has no place before or after.
        is_plain = left.type.is_number or (sign == "==" and isinstance(right, Literal))
        if is_plain and sign in _COMPARED:
            return ast.Compare(a, [_COMPARED[sign]], [b])
        function = "differ" if left.type.is_number else _TEXTS[sign]
        return ast.Call(_load(function), [a, b], [])

    def _text_test(self, node: TextTest) -> ast.expr:
        return ast.Call(_load(node.name), [self.value(node.left), ast.Constant(node.part)], [])


def _is_known(value: ast.expr, kind: Type) -> ast.expr:
    if kind.is_number:
        return ast.Compare(value, [ast.Eq()], [value])
    return ast.Compare(value, [ast.IsNot()], [ast.Constant(None)])


def _members(items: Sequence[object]) -> ast.expr:
    return ast.Constant(cast(bool, frozenset(items)))  # a set is a constant like another


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _and(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BoolOp(ast.And(), [left, right])


def _or(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BoolOp(ast.Or(), [left, right])


def _exact(value: float) -> float:
    """A whole number, or unknown where it is not told from its neighbours."""
    return value if -EXACT_INTEGER_MAX <= value <= EXACT_INTEGER_MAX else nan


def _divided(a: float, b: float) -> float:
    return a / b if b else nan


def _divided_whole(a: float, b: float) -> float:
    return (a - fmod(a, b)) / b if b else nan


def _remainder(a: float, b: float) -> float:
    return fmod(a, b) if b else nan


def _size(text: str | None) -> float:
    return nan if text is None else len(text)


def _known(test: Callable[..., bool]) -> Callable[..., bool]:
    """A test that fails where an argument is unknown."""
    return lambda a, b: a is not None and b is not None and test(a, b)


def _not_in(value: Fact, items: frozenset[object]) -> bool:
    return value is not None and value == value and value not in items


_FUNCTIONS: dict[str, object] = {
    "differ": lambda a, b: a < b or a > b,  # NaN is unequal to all, but unknown
    "not_in": _not_in,
    "same": _known(operator.eq),
    "other": _known(operator.ne),
    "before": _known(operator.lt),
    "not_after": _known(operator.le),
    "after": _known(operator.gt),
    "not_before": _known(operator.ge),
    "startsWith": _known(str.startswith),
    "endsWith": _known(str.endswith),
    "contains": _known(operator.contains),
    "not_startsWith": _known(lambda text, part: not text.startswith(part)),
    "not_endsWith": _known(lambda text, part: not text.endswith(part)),
    "not_contains": _known(lambda text, part: part not in text),
    "nan": nan,
    "size": _size,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": _divided,
    "add_whole": lambda a, b: _exact(a + b),
    "subtract_whole": lambda a, b: _exact(a - b),
    "multiply_whole": lambda a, b: _exact(a * b),
    "divide_whole": _divided_whole,
    "remainder": _remainder,
}
_ARITHMETIC = {
    (Type.DOUBLE, "+"): "add",
    (Type.DOUBLE, "-"): "subtract",
    (Type.DOUBLE, "*"): "multiply",
    (Type.DOUBLE, "/"): "divide",
    (Type.INT, "+"): "add_whole",
    (Type.INT, "-"): "subtract_whole",
    (Type.INT, "*"): "multiply_whole",
    (Type.INT, "/"): "divide_whole",
    (Type.INT, "%"): "remainder",
}
