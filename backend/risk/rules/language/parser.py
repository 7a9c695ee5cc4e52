"""From a text to a checked condition. Pure.

The grammar is CEL's (spec of Common Expression Language, "Syntax") without maps, messages,
timestamps, macros over lists and null; the checks are these:

Rule 1: every name is a known fact; a function is one of the few that there are.
Rule 2: numbers are compared across int and double, and reckoned with only within one of them.
Rule 3: what stands in a list, and what a text is tested for, stands there as a literal.
Rule 4: a fact may be unknown. What is reckoned from an unknown is unknown; ``&&`` and ``||`` give
an answer where one side alone decides it, as CEL does with its errors; a rule whose condition is
unknown does not hit. A division by zero and a number beyond 2^53 are unknown.
"""

from collections.abc import Mapping, Sequence

from backend.risk.rules.language.tokens import RuleError, Token, Word, tokens_of
from backend.risk.rules.language.tree import (
    Arithmetic,
    Chosen,
    Compared,
    Constant,
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
    children_of,
)
from backend.risk.rules.limits import (
    DEPTH_MAX,
    EXACT_INTEGER_MAX,
    LIST_ITEMS_MAX,
    NODES_MAX,
)

Fields = Mapping[str, Type]

_TESTS = ("startsWith", "endsWith", "contains")
_LEVELS = {"<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4, "in": 4, "+": 5, "-": 5,
           "*": 6, "/": 6, "%": 6, "&&": 3, "||": 2, "?": 1}  # fmt: skip
_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
        "loop", "package", "namespace", "null", "return", "var", "void", "while",
    }
)  # fmt: skip


def parse_condition(text: str, fields: Fields) -> Node:
    """The condition of a rule. Raises ``RuleError``."""
    parser = _Parser(text, fields)
    node = parser.expression(0)
    parser.expect_end()
    if node.type is not Type.BOOL:
        raise RuleError(0, text, f"a condition is true or false, this is {node.type}")
    return node


def has_choice(node: Node) -> bool:
    """Whether ``? :`` stands anywhere in it."""
    return isinstance(node, Chosen) or any(has_choice(child) for child in children_of(node))


def _is_truth(token: Token, left: Node, right: Node) -> bool:
    """``x == true``: a truth is compared with one that stands there."""
    both = left.type is right.type is Type.BOOL
    return both and token.value in {"==", "!="} and isinstance(right, Literal)


class _Parser:
    """Precedence climbing over the words; ``_depth`` and ``_nodes`` keep it small."""

    def __init__(self, text: str, fields: Fields) -> None:
        self._text = text
        self._fields = fields
        self._words = list(tokens_of(text))
        self._place = 0
        self._depth = 0
        self._nodes = 0

    def expression(self, level: int) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._error(self._next(), f"nested deeper than {DEPTH_MAX}")
        left = self._unary()
        while True:
            token = self._peek()
            sign = token.value if token.word in {Word.SIGN, Word.NAME} else ""
            found = _LEVELS.get(sign, 0)
            if found <= level:
                self._depth -= 1
                return left
            self._next()
            left = self._infix(left, token, found)

    def expect_end(self) -> None:
        token = self._next()
        if token.word is not Word.END:
            raise self._error(token, f"{token.value!r} was not expected here")

    def _infix(self, left: Node, token: Token, level: int) -> Node:
        self._count(token)
        match token.value:
            case "?":
                return self._chosen(left, token)
            case "in":
                return self._one_of(left, token)
        right = self.expression(level)
        match token.value:
            case "&&" | "||":
                self._want(token, left.type is right.type is Type.BOOL, left, right)
                return Joined(token.value, left, right)
            case "+" | "-" | "*" | "/" | "%":
                fits = left.type is right.type and left.type.is_number
                if token.value == "%":
                    fits = fits and left.type is Type.INT
                self._want(token, fits, left, right)
                return Arithmetic(left.type, token.value, left, right)
            case _:
                return self._compared(left, token, right)

    def _compared(self, left: Node, token: Token, right: Node) -> Node:
        both_numbers = left.type.is_number and right.type.is_number
        both_texts = left.type is right.type is Type.STRING
        self._want(token, both_numbers or both_texts or _is_truth(token, left, right), left, right)
        if isinstance(right, Literal) and left.type is Type.BOOL:
            return left if right.value is (token.value == "==") else Not(left)
        return Compared(token.value, left, right)

    def _chosen(self, condition: Node, token: Token) -> Node:
        left = self.expression(0)
        self._sign(":")
        right = self.expression(0)
        self._want(token, condition.type is Type.BOOL and left.type is right.type, left, right)
        if has_choice(condition):
            raise self._error(token, "a choice may not depend on another choice")
        return Chosen(left.type, condition, left, right)

    def _one_of(self, left: Node, token: Token) -> Node:
        self._sign("[")
        items: list[Constant] = []
        while self._peek().value != "]" or self._peek().word is not Word.SIGN:
            at = self._peek()
            item = self.expression(0)
            if not isinstance(item, Literal):
                raise self._error(at, "a list holds plain values")
            if item.type is not left.type and not (item.type.is_number and left.type.is_number):
                raise self._error(at, f"{item.type} in a list for {left.type}")
            items.append(item.value)
            if len(items) > LIST_ITEMS_MAX:
                raise self._error(at, f"a list of more than {LIST_ITEMS_MAX}")
            if self._peek().value != ",":
                break
            self._next()
        self._sign("]")
        if not items:
            raise self._error(token, "the list is empty")
        if left.type is Type.BOOL:
            return self._one_of_truths(left, items, token)
        return OneOf(left, tuple(items))

    def _one_of_truths(self, left: Node, items: Sequence[Constant], token: Token) -> Node:
        """A truth in a list is that truth or its opposite. One that is in a list of both is true
        where it is known; only a fact may be asked so, as all else would be asked twice."""
        if len(set(items)) == 1:
            return left if items[0] is True else Not(left)
        if not isinstance(left, Field):
            raise self._error(token, "both truths are in the list")
        return Joined("||", left, Not(left))

    def _unary(self) -> Node:
        token = self._peek()
        if token.word is Word.SIGN and token.value in {"!", "-"}:
            self._next()
            self._count(token)
            self._depth += 1
            if self._depth > DEPTH_MAX:
                raise self._error(token, f"nested deeper than {DEPTH_MAX}")
            inner = self._unary()
            self._depth -= 1
            return self._signed(token, inner)
        return self._tests(self._primary())

    def _signed(self, token: Token, inner: Node) -> Node:
        if token.value == "!":
            self._want(token, inner.type is Type.BOOL, inner)
            return Not(inner)
        self._want(token, inner.type.is_number, inner)
        if isinstance(inner, Literal) and not isinstance(inner.value, str):
            return Literal(inner.type, -inner.value)
        zero = Literal(inner.type, 0 if inner.type is Type.INT else 0.0)
        return Arithmetic(inner.type, "-", zero, inner)

    def _tests(self, node: Node) -> Node:
        """Method calls after a value: ``x.startsWith("a")``."""
        while self._peek().value == "." and self._peek().word is Word.SIGN:
            self._next()
            name = self._next()
            if name.value not in _TESTS:
                raise self._error(name, f"there is no {name.value!r} of a {node.type}")
            self._want(name, node.type is Type.STRING, node)
            self._sign("(")
            part = self._next()
            if part.word is not Word.TEXT:
                raise self._error(part, f"{name.value} wants a text that stands there")
            self._sign(")")
            node = TextTest(name.value, node, part.value)
        return node

    def _primary(self) -> Node:
        token = self._next()
        self._count(token)
        match token.word:
            case Word.INTEGER:
                return self._integer(token)
            case Word.DOUBLE:
                return Literal(Type.DOUBLE, float(token.value))
            case Word.TEXT:
                return Literal(Type.STRING, token.value)
            case Word.NAME:
                return self._name(token)
            case Word.SIGN if token.value == "(":
                inner = self.expression(0)
                self._sign(")")
                return inner
        wanted = "the end" if token.word is Word.END else repr(token.value)
        raise self._error(token, f"a value was expected, not {wanted}")

    def _integer(self, token: Token) -> Node:
        if len(token.value) > 16 or int(token.value) > EXACT_INTEGER_MAX:
            raise self._error(token, "a whole number beyond 2^53")
        return Literal(Type.INT, int(token.value))

    def _name(self, token: Token) -> Node:
        if token.value in {"true", "false"}:
            return Literal(Type.BOOL, token.value == "true")
        if token.value in _RESERVED:
            raise self._error(token, f"{token.value!r} is not part of the language")
        if self._peek().value == "(" and self._peek().word is Word.SIGN:
            return self._function(token)
        return self._field(token)

    def _function(self, token: Token) -> Node:
        self._next()
        if token.value == "has":
            inner = self._next()
            found: Node = Has(self._field(inner))
        elif token.value == "size":
            at = self._peek()
            text = self.expression(0)
            self._want(at, text.type is Type.STRING, text)
            found = Size(text)
        else:
            raise self._error(token, f"there is no function {token.value!r}")
        self._sign(")")
        return found

    def _field(self, first: Token) -> Field:
        """The dotted name of a fact, the longest that is known."""
        if first.word is not Word.NAME:
            raise self._error(first, "the name of a fact was expected")
        name = first.value
        while name not in self._fields:
            dot = self._peek()
            part = self._words[min(self._place + 1, len(self._words) - 1)]
            if dot.value != "." or dot.word is not Word.SIGN or part.word is not Word.NAME:
                raise self._error(first, f"there is no fact {name!r}")
            self._place += 2
            name = f"{name}.{part.value}"
        return Field(self._fields[name], name)

    def _peek(self) -> Token:
        return self._words[self._place]

    def _next(self) -> Token:
        token = self._words[self._place]
        self._place = min(self._place + 1, len(self._words) - 1)
        return token

    def _sign(self, sign: str) -> None:
        token = self._next()
        if token.word is not Word.SIGN or token.value != sign:
            raise self._error(token, f"{sign!r} was expected")

    def _count(self, token: Token) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise self._error(token, f"more than {NODES_MAX} parts")

    def _want(self, token: Token, fits: bool, *nodes: Node) -> None:
        if not fits:
            types = " and ".join(node.type for node in nodes)
            raise self._error(token, f"{token.value!r} does not fit {types}")

    def _error(self, token: Token, why: str) -> RuleError:
        return RuleError(token.at, self._text, why)
