"""A case's table of states, its clock, its second person and its chain. Pure."""

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.model import chain, first_broken
from backend.clearing.calendar import Calendar
from backend.risk.cases.evidence import Edge, Node, Surroundings, explore, surroundings, timeline
from backend.risk.cases.limits import (
    EVENTS_PER_TIMELINE_MAX,
    HOPS_MAX,
    NEIGHBOURS_PER_NODE_MAX,
    NODES_PER_GRAPH_MAX,
)
from backend.risk.cases.model import (
    TRANSITIONS,
    CaseClock,
    CaseCommand,
    CaseState,
    Standing,
    check_assignee,
    check_second_person,
    next_edge,
)
from protocol.errors import CallerError

SHANGHAI_MS = 8 * 3_600_000
DAY_MS = 86_400_000
CLOCK = CaseClock(Calendar().is_business_day, SHANGHAI_MS)


def at(day: str, hour: int = 12) -> int:
    """Epoch milliseconds of an hour in the shop."""
    days = (date.fromisoformat(day) - date(1970, 1, 1)).days
    return days * DAY_MS + hour * 3_600_000 - SHANGHAI_MS


@pytest.mark.parametrize(("state", "command"), list(product(CaseState, CaseCommand)))
def test_every_pair_of_state_and_command_leads_on_or_is_refused(
    state: CaseState, command: CaseCommand
) -> None:
    edge = TRANSITIONS.get((state, command))
    if edge is not None:
        assert next_edge(state, command) is edge
        return
    with pytest.raises(CallerError, match="case_state"):
        next_edge(state, command)


def test_a_decided_case_stays_as_it_was_decided() -> None:
    assert not [key for key in TRANSITIONS if key[0] is CaseState.DECIDED]


def test_the_clock_counts_five_business_days_over_a_holiday_and_a_make_up_sunday() -> None:
    # The National Day of 2026 is 1 to 7 October; Sunday 20 September and Saturday 10 October work.
    limits = CLOCK.deadlines(at("2026-09-29"))
    assert limits.warn_at_ms == at("2026-10-09", 0)  # 30 September, 8 and 9 October
    assert limits.due_at_ms == at("2026-10-13", 0)  # 10 and 12 October follow


def test_a_case_warns_on_the_third_day_and_is_overdue_when_the_fifth_is_over() -> None:
    limits = CLOCK.deadlines(at("2026-11-23", 23))  # a Monday
    stands = limits.standing
    assert stands(state="open", now_ms=at("2026-11-25", 23)) is Standing.IN_TIME
    assert stands(state="open", now_ms=at("2026-11-26", 0)) is Standing.WARNED
    assert stands(state="proposed", now_ms=at("2026-11-30", 23)) is Standing.WARNED
    assert stands(state="proposed", now_ms=at("2026-12-01", 0)) is Standing.OVERDUE
    assert stands(state="decided", now_ms=at("2026-12-09")) is Standing.DONE


def test_where_the_calendar_ends_each_day_counts_so_that_no_deadline_is_late() -> None:
    limits = CLOCK.deadlines(at("2099-01-02"))
    assert limits.due_at_ms == at("2099-01-08", 0)


@pytest.mark.parametrize(
    "other",
    [
        "李雷", " 李雷 ", "李 雷", "李\u200b雷", "Ｌi Lei", "LI  LEI", "LiLei",
        "李雷\ufe0f", "李\u034f雷", "李雷\u3164", "\u2800李雷", "李\U000e0100雷", "li\u180b lei",
    ],
)  # fmt: skip
def test_nobody_becomes_a_second_person_by_writing_the_name_otherwise(other: str) -> None:
    first = "李雷" if "李" in other else "li lei"
    with pytest.raises(CallerError, match="case_same_person"):
        check_second_person(first, by=other)
    check_assignee(first, by=other)


def test_another_name_is_a_second_person_and_not_the_assignee() -> None:
    check_second_person("李雷", by="韩梅梅")
    with pytest.raises(CallerError, match="case_not_assignee"):
        check_assignee("李雷", by="韩梅梅")


def chained(count: int) -> list[dict[str, object]]:
    events: list[dict[str, object]] = []
    link = b""
    for number in range(1, count + 1):
        event: dict[str, object] = {"number": number, "actor": "李雷", "words": f"步骤 {number}"}
        link = chain(link, event)
        events.append({**event, "link": link})
    return events


@given(count=st.integers(1, 6), data=st.data())
def test_a_changed_dropped_or_swapped_step_is_found(count: int, data: st.DataObject) -> None:
    events = chained(count)
    assert first_broken(events) is None
    place = data.draw(st.integers(0, count - 1))
    changed = [*events]
    changed[place] = {**changed[place], "words": "别的"}
    assert first_broken(changed) == place + 1
    if place < count - 1:
        assert first_broken(events[:place] + events[place + 1 :]) == place + 1


PAYER = Node("payer", "p0")


def edge(one: Node, other: Node, at_ms: int = 0) -> Edge:
    return Edge((one, other), 1, 0, at_ms, at_ms)


def test_a_graph_is_walked_level_by_level_and_each_edge_stands_once() -> None:
    ring = [Node("payer", f"p{number}") for number in range(5)]

    def look(node: Node) -> Surroundings:
        place = ring.index(node)
        near = (ring[place - 1], ring[(place + 1) % 5])
        return Surroundings(tuple(edge(node, other) for other in near), is_cut=False)

    assert explore(ring[0], hops=0, look=look).hops == {ring[0]: 0}
    one = explore(ring[0], hops=1, look=look)
    assert (len(one.hops), len(one.edges)) == (3, 2)
    whole = explore(ring[0], hops=HOPS_MAX, look=look)
    assert (len(whole.hops), len(whole.edges), max(whole.hops.values())) == (5, 5, 2)
    with pytest.raises(CallerError, match="field_invalid"):
        explore(ring[0], hops=HOPS_MAX + 1, look=look)


def test_a_node_that_knows_everybody_is_cut_and_says_so() -> None:
    asked: list[Node] = []

    def look(node: Node) -> Surroundings:
        asked.append(node)
        others = [Node("device", f"{node.id}.{number}") for number in range(1_000)]
        return Surroundings(tuple(edge(node, other) for other in others), is_cut=False)

    graph = explore(PAYER, hops=HOPS_MAX, look=look)
    assert len(graph.hops) == NODES_PER_GRAPH_MAX
    assert PAYER in graph.cut
    assert len(asked) <= NODES_PER_GRAPH_MAX
    assert sum(1 for hop in graph.hops.values() if hop == 1) == NEIGHBOURS_PER_NODE_MAX


def test_links_count_their_payments_and_frauds_and_a_card_that_never_paid_is_seen() -> None:
    def payment(number: int, device: str, card: str | None) -> dict[str, object]:
        return {
            "payment_id": f"pay{number}", "created_at_ms": number, "payer_id": "p0",
            "instrument_id": card, "device": device,
        }  # fmt: skip

    near = surroundings(
        PAYER,
        [payment(1, "d1", None), payment(2, "d1", "c1"), payment(3, "d2", "c1")],
        frauds=["pay2"],
        is_cut=False,
        kept=[(Node("card", "c1"), 0), (Node("card", "c9"), 7)],
    )
    found = {one.nodes[1].id: (one.payments, one.fraud, one.last_at_ms) for one in near.edges}
    assert found == {"d1": (2, 1, 2), "c1": (2, 1, 3), "d2": (1, 0, 3), "c9": (0, 0, 7)}
    assert [one.last_at_ms for one in near.edges] == [7, 3, 3, 2]


def test_a_long_timeline_keeps_the_latest_and_says_that_it_is_cut() -> None:
    items = [
        {"at_ms": n, "kind": "payment", "subject": "p", "number": 1, "what": "x"}
        for n in range(EVENTS_PER_TIMELINE_MAX + 3)
    ]
    found = timeline(reversed(items), [])
    assert found["is_cut"]
    assert [found["items"][0]["at_ms"], found["items"][-1]["at_ms"]] == [3, len(items) - 1]
    assert found["counts"] == {"payment": len(items)}
