"""What is linked to a case's subject: a graph of payers, cards and devices, and one timeline. Pure.

Rule 1: the graph is walked level by level from the subject; every level, every node's neighbours
        and the whole are bounded, and what is cut says so.
Rule 2: the evidence is of what happened before the moment it is asked for, and not of a guess at
        what will.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.risk.cases.limits import (
    EVENTS_PER_TIMELINE_MAX,
    HOPS_MAX,
    NEIGHBOURS_PER_NODE_MAX,
    NODES_PER_GRAPH_MAX,
)
from protocol.errors import CallerError

LINKED = {"payer": "payer_id", "card": "instrument_id", "device": "device"}
"""The kinds of nodes, and the column of a payment that names one."""


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """Something that payments have in common."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Edge:
    """Two nodes that were seen in the same payments; none for a card that has not paid yet."""

    nodes: tuple[Node, Node]
    payments: int
    fraud: int
    """How many of them are labelled fraud."""
    first_at_ms: int
    last_at_ms: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One node's links, the latest first, and whether there are more than were looked at."""

    edges: tuple[Edge, ...]
    is_cut: bool


@dataclass(slots=True)
class Graph:
    """What was found: each node with how many hops it is away, and every edge once."""

    hops: dict[Node, int]
    edges: dict[tuple[Node, Node], Edge] = field(default_factory=dict)
    cut: set[Node] = field(default_factory=set)
    """Nodes of which not every neighbour is here."""


def explore(start: Node, *, hops: int, look: Callable[[Node], Surroundings]) -> Graph:
    """The graph within so many hops of a node (rule 1). ``field_invalid`` for more than
    ``HOPS_MAX``."""
    if not 0 <= hops <= HOPS_MAX:
        raise CallerError("field_invalid", f"hops: 0 to {HOPS_MAX}")
    graph = Graph({start: 0})
    level = [start]
    for hop in range(1, hops + 1):
        found: list[Node] = []
        for node in level:
            found += _take(graph, node, look(node), hop)
        level = found
    return graph


def _take(graph: Graph, node: Node, near: Surroundings, hop: int) -> list[Node]:
    """Put a node's links into the graph; the nodes that are new in it."""
    new: list[Node] = []
    if near.is_cut or len(near.edges) > NEIGHBOURS_PER_NODE_MAX:
        graph.cut.add(node)
    for edge in near.edges[:NEIGHBOURS_PER_NODE_MAX]:
        other = edge.nodes[1] if edge.nodes[0] == node else edge.nodes[0]
        if other not in graph.hops:
            if len(graph.hops) >= NODES_PER_GRAPH_MAX:
                graph.cut.add(node)
                continue
            graph.hops[other] = hop
            new.append(other)
        first, second = sorted(edge.nodes)
        graph.edges.setdefault((first, second), edge)
    return new


def surroundings(
    node: Node,
    payments: Sequence[Mapping[str, Any]],
    *,
    frauds: Iterable[str],
    is_cut: bool,
    kept: Iterable[tuple[Node, int]] = (),
) -> Surroundings:
    """A node's links from its payments (``payment_id``, ``created_at_ms`` and the columns of
    ``LINKED``), and from what it keeps or is kept by since when, a payer's cards, without a payment
    among these."""
    is_fraud = set(frauds)
    seen: dict[Node, list[Mapping[str, Any]]] = {}
    for payment in payments:
        for kind, column in LINKED.items():
            other = Node(kind, payment[column] or "")
            if other.id and other != node:
                seen.setdefault(other, []).append(payment)
    edges = [_edge(node, other, rows, is_fraud) for other, rows in seen.items()]
    edges += [Edge((node, to), 0, 0, since, since) for to, since in kept if to not in seen]
    edges.sort(key=lambda edge: (-edge.last_at_ms, edge.nodes))
    return Surroundings(tuple(edges), is_cut)


def _edge(
    node: Node, other: Node, payments: Sequence[Mapping[str, Any]], is_fraud: set[str]
) -> Edge:
    times = [payment["created_at_ms"] for payment in payments]
    fraud = sum(payment["payment_id"] in is_fraud for payment in payments)
    return Edge((node, other), len(payments), fraud, min(times), max(times))


def timeline(*sources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What happened, from all sources, in order of time; the latest if there is too much. An item
    has ``at_ms``, ``kind``, ``subject`` and ``what``; ``counts`` says how many of each kind there
    were before anything was cut."""
    items = [item for source in sources for item in source]
    items.sort(key=lambda item: (item["at_ms"], item["kind"], item["subject"], item["number"]))
    return {
        "items": items[-EVENTS_PER_TIMELINE_MAX:],
        "is_cut": len(items) > EVENTS_PER_TIMELINE_MAX,
        "counts": dict(Counter(item["kind"] for item in items)),
    }


def shown(graph: Graph) -> dict[str, Any]:
    """The graph as JSON: nodes by distance, edges by their places among the nodes."""
    nodes = sorted(graph.hops, key=lambda node: (graph.hops[node], node))
    place = {node: number for number, node in enumerate(nodes)}
    return {
        "nodes": [
            {"kind": n.kind, "id": n.id, "hops": graph.hops[n], "is_cut": n in graph.cut}
            for n in nodes
        ],
        "edges": [
            {
                "from": place[first],
                "to": place[second],
                "payments": edge.payments,
                "fraud": edge.fraud,
                "first_at_ms": edge.first_at_ms,
                "last_at_ms": edge.last_at_ms,
            }
            for (first, second), edge in sorted(graph.edges.items())
        ],
    }
