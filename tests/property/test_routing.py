"""Routing and breakers, whatever the channels are like and whatever befalls them."""

from hypothesis import given
from hypothesis import strategies as st

from backend.channels.facts import ChannelFacts, CostTerms, Offer
from backend.routing.health import CLOSED, Health, HealthState
from backend.routing.limits import OPEN_MS, PROBE_MS, SILENCES_TO_OPEN
from backend.routing.model import Candidate, Criterion, Routing, decide
from protocol.money import Money

_minor = st.integers(1, 10_000)
_words = st.lists(st.tuples(st.booleans(), st.integers(0, 90_000)), max_size=60)


@st.composite
def _health(draw: st.DrawFn) -> Health:
    health, now = CLOSED, 0
    for is_answered, passed_ms in draw(_words):
        now += passed_ms
        health = health.answered(now) if is_answered else health.unanswered(now)
    return health


@st.composite
def _candidates(draw: st.DrawFn) -> list[Candidate]:
    names = draw(st.lists(st.sampled_from("ABCDEF"), unique=True, max_size=6))
    return [
        Candidate(
            facts=ChannelFacts(
                channel_id=name,
                offers=draw(st.sampled_from([frozenset(Offer), frozenset({Offer.REFUND})])),
                currencies=draw(st.sampled_from([frozenset({"CNY"}), frozenset({"USD"})])),
                amount_minor_max=draw(_minor),
                cost=CostTerms(item_micro=draw(_minor), rate_ppm=draw(_minor)),
            ),
            token=draw(st.sampled_from(["", "tok"])),
            health=draw(_health()),
            room_minor=draw(st.none() | _minor),
        )
        for name in names
    ]


@given(_candidates(), _minor, st.integers(0, 5_000_000), st.permutations(list(Criterion)))
def test_the_chosen_one_can_take_it_and_none_that_can_is_better(
    candidates: list[Candidate], minor: int, now_ms: int, order: list[Criterion]
) -> None:
    routing = Routing(order_by=tuple(order))
    asked = {"amount": Money(minor, "CNY"), "offer": Offer.PAY, "now_ms": now_ms}
    decision = decide(routing, candidates, **asked)  # type: ignore[arg-type]
    by_name = {one.facts.channel_id: one for one in candidates}
    able = [one for one in decision.considered if one.passed_over is None]
    assert {one.channel_id for one in decision.considered} == set(by_name)
    assert decision.channel_id == (able[0].channel_id if able else None)
    for one in able:
        found = by_name[one.channel_id]
        assert found.token
        assert minor <= found.facts.amount_minor_max
        assert found.room_minor is None or minor <= found.room_minor
        assert found.health.admits(now_ms)
    if able and order[0] is Criterion.COST:
        assert able[0].cost_micro == min(one.cost_micro for one in able)
    again = decide(routing, candidates, tried={decision.channel_id or ""}, **asked)  # type: ignore[arg-type]
    assert again.channel_id is None or again.channel_id != decision.channel_id


@given(_words)
def test_a_breaker_admits_nothing_while_it_is_open_and_one_probe_after(
    words: list[tuple[bool, int]],
) -> None:
    health, now = CLOSED, 0
    for is_answered, passed_ms in words:
        now += passed_ms
        before = health.at(now)
        health = health.answered(now) if is_answered else health.unanswered(now)
        if health.state is HealthState.OPEN:
            assert not health.admits(health.opened_at_ms + OPEN_MS - 1)
            assert health.silences >= SILENCES_TO_OPEN or before.state is not HealthState.CLOSED
        if health.at(now).state is HealthState.HALF_OPEN:
            probing = health.admitted(now)
            assert not probing.admits(now)
            assert probing.admits(now + PROBE_MS)
        if is_answered and before.state is not HealthState.OPEN:
            assert health == CLOSED
