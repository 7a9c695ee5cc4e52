"""What is linked to a case's subject as an SVG and as the table beside it, pure: a node has one
number in both, so that who cannot see the picture reads the same.

The subject stands in the middle, what is one hop away on a ring around it, what is farther on the
outer ring, near to what it hangs on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, pi, sin
from typing import Any

from backend.console.limits import EVIDENCE_NODES_SHOWN

SIZE = 380
_RINGS = (0, 92, 168)
_WIDTH_MAX, _MARGIN = 6, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a node of the table shares with one that stands before it."""

    number: int
    """The other node's."""
    payments: int
    fraud: int
    last_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A node: its place in the picture, and its row of the table."""

    number: int
    kind: str
    id: str
    hops: int
    is_cut: bool
    x: float
    y: float
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An edge between two dots, the thicker the more payments it has."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: int
    is_fraud: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The whole, in the picture's own units. ``left_out``: nodes that are farther away than those
    that are shown."""

    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    left_out: int
    size: int = SIZE

    @property
    def top(self) -> int:
        """The upper edge of the drawing: a margin above the highest node."""
        return int(min(dot.y for dot in self.dots)) - _MARGIN

    @property
    def height(self) -> int:
        """The height of the drawing: from ``top`` to a margin below the lowest node."""
        return int(max(dot.y for dot in self.dots)) + 1 + _MARGIN - self.top

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are in it, in the order of the table."""
        return tuple(dict.fromkeys(dot.kind for dot in self.dots))


def picture(graph: Mapping[str, Sequence[Mapping[str, Any]]]) -> Picture:
    """The nearest nodes of a graph (``evidence.shown``), and the edges between them."""
    nodes = graph["nodes"][:EVIDENCE_NODES_SHOWN]
    edges = [
        edge for edge in graph["edges"] if edge["from"] < len(nodes) and edge["to"] < len(nodes)
    ]
    places = _places(nodes, edges)
    dots = [
        Dot(
            number=number + 1,
            kind=node["kind"],
            id=node["id"],
            hops=node["hops"],
            is_cut=node["is_cut"],
            x=places[number][0],
            y=places[number][1],
        )
        for number, node in enumerate(nodes)
    ]
    for edge in edges:
        near, far = sorted((edge["from"], edge["to"]))
        link = Link(
            number=near + 1,
            payments=edge["payments"],
            fraud=edge["fraud"],
            last_at_ms=edge["last_at_ms"],
        )
        dots[far] = replace(dots[far], links=(*dots[far].links, link))
    return Picture(
        dots=tuple(dots),
        lines=tuple(_line(edge, places) for edge in edges),
        left_out=len(graph["nodes"]) - len(nodes),
    )


def _line(edge: Mapping[str, Any], places: Sequence[tuple[float, float]]) -> Line:
    (x1, y1), (x2, y2) = places[edge["from"]], places[edge["to"]]
    return Line(
        x1=x1,
        y1=y1,
        x2=x2,
        y2=y2,
        width=min(1 + edge["payments"] // 2, _WIDTH_MAX),
        is_fraud=edge["fraud"] > 0,
    )


def _places(
    nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> list[tuple[float, float]]:
    """Where each node stands. Those of a ring stand evenly; the outer ones in the order of what
    they hang on."""
    turns = dict.fromkeys(range(len(nodes)), 0.0)
    ring_of = [min(node["hops"], len(_RINGS) - 1) for node in nodes]
    for ring in range(1, len(_RINGS)):
        own = [number for number in turns if ring_of[number] == ring]
        own.sort(key=lambda number: (_hangs_at(number, edges, ring_of, turns), number))
        begin = _hangs_at(own[0], edges, ring_of, turns) if own else 0
        for place, number in enumerate(own):
            turns[number] = begin + place / len(own)
    return [_at(_RINGS[ring_of[number]], turn) for number, turn in turns.items()]


def _hangs_at(
    number: int,
    edges: Sequence[Mapping[str, Any]],
    ring_of: Sequence[int],
    turns: Mapping[int, float],
) -> float:
    """The turn of the first inner node that one is linked to."""
    ends = [(edge["from"], edge["to"]) for edge in edges if number in (edge["from"], edge["to"])]
    others = [first if second == number else second for first, second in ends]
    inner = [turns[other] for other in others if ring_of[other] < ring_of[number]]
    return min(inner, default=0.0)


def _at(radius: float, turn: float) -> tuple[float, float]:
    """A place on a ring, from the top on, in whole tenths."""
    angle = 2 * pi * turn - pi / 2
    middle = SIZE / 2
    return round(middle + radius * cos(angle), 1), round(middle + radius * sin(angle), 1)
