"""The picture of what is linked to a case, and the table beside it, from a graph as JSON."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backend.console.evidence_picture import SIZE, picture
from backend.console.limits import EVIDENCE_NODES_SHOWN

_DOT = 15
"""The largest shape's half."""


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Any]:
    """A subject, what hangs on it, what hangs on that; some of it more than once."""
    near, far = draw(st.integers(0, 25)), draw(st.integers(0, 80))
    hops = [0, *[1] * near, *[2] * (far if near else 0)]
    nodes = [
        {"kind": draw(st.sampled_from(["payer", "card", "device"])), "id": f"n{number}",
         "hops": hop, "is_cut": False}
        for number, hop in enumerate(hops)
    ]  # fmt: skip
    pairs = {(0, number) for number in range(1, near + 1)}
    pairs |= {(draw(st.integers(1, near)), number) for number in range(near + 1, len(nodes))}
    edges = [
        {"from": one, "to": other, "payments": draw(st.integers(0, 500)), "fraud": 0,
         "first_at_ms": 0, "last_at_ms": 1}
        for one, other in sorted(pairs)
    ]  # fmt: skip
    return {"nodes": nodes, "edges": edges}


@given(graphs())
def test_whatever_is_linked_fits_in_no_dot_hides_another_and_each_link_is_told_once(
    graph: dict[str, Any],
) -> None:
    drawn = picture(graph)
    assert [dot.number for dot in drawn.dots] == list(range(1, len(drawn.dots) + 1))
    assert len(drawn.dots) == min(len(graph["nodes"]), EVIDENCE_NODES_SHOWN)
    assert drawn.left_out == len(graph["nodes"]) - len(drawn.dots)
    for dot in drawn.dots:
        assert _DOT <= dot.x <= SIZE - _DOT
        assert drawn.top + _DOT <= dot.y <= drawn.top + drawn.height - _DOT
        assert all(link.number < dot.number for link in dot.links)
    for one in drawn.dots:
        for other in drawn.dots[one.number :]:
            assert (one.x - other.x) ** 2 + (one.y - other.y) ** 2 >= (1.4 * _DOT) ** 2
    assert drawn.height <= SIZE
    assert sum(len(dot.links) for dot in drawn.dots) == len(drawn.lines)
