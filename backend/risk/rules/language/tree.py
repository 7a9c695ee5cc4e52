"""A checked condition. Every node knows its type and is a value, so equal parts are equal. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """What a part of a condition is."""

    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    BOOL = "bool"

    @property
    def is_number(self) -> bool:
        """Whether it can be reckoned with."""
        return self in {Type.INT, Type.DOUBLE}


Constant = int | float | str | bool


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the text."""

    type: Type
    value: Constant


@dataclass(frozen=True, slots=True)
class Field:
    """A fact by its dotted name."""

    type: Type
    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``+ - * / %`` of two numbers of one type."""

    type: Type
    sign: str
    left: "Node"
    right: "Node"


AGAINST = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
"""Each sign of a comparison, and the one that is true where it is false."""


@dataclass(frozen=True, slots=True)
class Compared:
    """``== != < <= > >=`` of two numbers, texts or truths."""

    sign: str
    left: "Node"
    right: "Node"
    type: Type = Type.BOOL


@dataclass(frozen=True, slots=True)
class OneOf:
    """``left in [...]`` of numbers or texts."""

    left: "Node"
    items: tuple[Constant, ...]
    type: Type = Type.BOOL


@dataclass(frozen=True, slots=True)
class TextTest:
    """``startsWith``, ``endsWith`` or ``contains`` of a text and a text that stands there."""

    name: str
    left: "Node"
    part: str
    type: Type = Type.BOOL


@dataclass(frozen=True, slots=True)
class Size:
    """How many characters a text has."""

    left: "Node"
    type: Type = Type.INT


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a fact is known."""

    field: Field
    type: Type = Type.BOOL


@dataclass(frozen=True, slots=True)
class Not:
    """``!``."""

    left: "Node"
    type: Type = Type.BOOL


@dataclass(frozen=True, slots=True)
class Joined:
    """``&&`` or ``||``."""

    sign: str
    left: "Node"
    right: "Node"
    type: Type = Type.BOOL


@dataclass(frozen=True, slots=True)
class Chosen:
    """``condition ? left : right``."""

    type: Type
    condition: "Node"
    left: "Node"
    right: "Node"


Node = (
    Literal | Field | Arithmetic | Compared | OneOf | TextTest | Size | Has | Not | Joined | Chosen
)


def children_of(node: Node) -> tuple[Node, ...]:
    """The parts of a node."""
    match node:
        case Literal() | Field():
            return ()
        case Has(field=field):
            return (field,)
        case Arithmetic(left=left, right=right) | Compared(left=left, right=right):
            return (left, right)
        case Joined(left=left, right=right):
            return (left, right)
        case Chosen(condition=condition, left=left, right=right):
            return (condition, left, right)
        case OneOf(left=left) | TextTest(left=left) | Size(left=left) | Not(left=left):
            return (left,)


def size_of(node: Node) -> int:
    """How many parts a condition has, members of lists included."""
    members = len(node.items) if isinstance(node, OneOf) else 0
    return 1 + members + sum(map(size_of, children_of(node)))


def fields_of(node: Node) -> set[str]:
    """The names of the facts that a condition reads."""
    if isinstance(node, Field):
        return {node.name}
    return set().union(*(fields_of(child) for child in children_of(node)))
