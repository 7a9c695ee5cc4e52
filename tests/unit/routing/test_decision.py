"""Which channel is chosen, and what is said of the others."""

import json
from dataclasses import replace
from typing import Any

import pytest

from backend.channels.facts import DEFAULT_FACTS, CostTerms, Offer
from backend.channels.model import CUP, NUCC
from backend.routing.config import RoutingSettings
from backend.routing.health import CLOSED, Health, HealthState
from backend.routing.limits import DECISIONS_PER_PAYMENT_MAX, SILENCES_TO_OPEN
from backend.routing.model import (
    Candidate,
    Criterion,
    Decision,
    PassedOver,
    Routing,
    decide,
    explained,
)
from protocol.money import Money

T = 5_000_000
FIRST = Candidate(facts=DEFAULT_FACTS[NUCC], token="tok_a")
SECOND = Candidate(facts=DEFAULT_FACTS[CUP], token="tok_b")
BY_DEFAULT = Routing(facts=DEFAULT_FACTS)


def opened() -> Health:
    health = CLOSED
    for _ in range(SILENCES_TO_OPEN):
        health = health.unanswered(T)
    return health


def chosen(
    *candidates: Candidate, minor: int = 1_000, routing: Routing = BY_DEFAULT, **options: Any
) -> Decision:
    fields: dict[str, Any] = {"offer": Offer.PAY, "now_ms": T, "amount": Money(minor, "CNY")}
    return decide(routing, candidates, **(fields | options))


def reasons(decision: Decision) -> dict[str, PassedOver | None]:
    return {one.channel_id: one.passed_over for one in decision.considered}


def test_what_is_preferred_is_chosen_and_the_other_is_told_with_its_price() -> None:
    decision = chosen(FIRST, SECOND)
    assert decision.channel_id == NUCC
    assert reasons(decision) == {NUCC: None, CUP: None}
    assert [one.cost_micro for one in decision.considered] == [300, 38_250]


@pytest.mark.parametrize(
    ("changes", "options", "reason"),
    [
        ({"token": ""}, {}, PassedOver.NOT_KNOWN),
        ({"health": opened()}, {}, PassedOver.BREAKER_OPEN),
        ({"room_minor": 999}, {}, PassedOver.CAP_EXCEEDED),
        ({}, {"tried": {NUCC}}, PassedOver.TRIED),
        ({"facts": replace(FIRST.facts, amount_minor_max=999)}, {}, PassedOver.AMOUNT),
        ({"facts": replace(FIRST.facts, amount_minor_min=1_001)}, {}, PassedOver.AMOUNT),
        ({"facts": replace(FIRST.facts, currencies=frozenset({"USD"}))}, {}, PassedOver.CURRENCY),
        ({"facts": replace(FIRST.facts, offers=frozenset())}, {}, PassedOver.NOT_OFFERED),
    ],
)
def test_a_channel_that_cannot_take_it_is_passed_over_for_a_reason(
    changes: dict[str, Any], options: dict[str, Any], reason: PassedOver
) -> None:
    decision = chosen(replace(FIRST, **changes), SECOND, **options)
    assert decision.channel_id == CUP
    assert reasons(decision) == {CUP: None, NUCC: reason}


def test_an_amount_that_fits_the_cap_exactly_is_taken() -> None:
    assert chosen(replace(FIRST, room_minor=1_000)).channel_id == NUCC


def test_where_none_can_take_it_none_is_chosen_and_each_says_why() -> None:
    decision = chosen(replace(FIRST, token=""), replace(SECOND, health=opened()))
    assert decision.channel_id is None
    assert reasons(decision) == {NUCC: PassedOver.NOT_KNOWN, CUP: PassedOver.BREAKER_OPEN}


def test_what_counts_first_is_configured() -> None:
    dear = replace(FIRST, facts=replace(FIRST.facts, cost=CostTerms(item_micro=10**9)))
    by_cost = replace(BY_DEFAULT, order_by=(Criterion.COST,))
    assert chosen(dear, SECOND).channel_id == NUCC
    assert chosen(dear, SECOND, routing=by_cost).channel_id == CUP
    probing = replace(FIRST, health=Health(state=HealthState.HALF_OPEN))
    by_health = replace(BY_DEFAULT, order_by=(Criterion.HEALTH, Criterion.PREFERENCE))
    assert chosen(probing, SECOND).channel_id == NUCC
    assert chosen(probing, SECOND, routing=by_health).channel_id == CUP


def test_decisions_are_kept_in_their_order_and_bounded() -> None:
    told = None
    for number in range(DECISIONS_PER_PAYMENT_MAX + 2):
        told = explained(told, replace(chosen(FIRST), at_ms=number))
    assert told is not None
    kept = [decision["at_ms"] for decision in json.loads(told)]
    assert kept == list(range(2, DECISIONS_PER_PAYMENT_MAX + 2))


@pytest.mark.parametrize(
    ("minor", "micro"), [(1, 39), (100, 3_825), (400_000, 15_300_000), (10**8, 16_250_000)]
)
def test_a_rate_is_counted_in_micro_units_and_capped(minor: int, micro: int) -> None:
    assert DEFAULT_FACTS[CUP].cost.cost_micro(minor) == micro


def test_configuration_changes_the_order_and_single_facts() -> None:
    settings = RoutingSettings.model_validate(
        {"card": ["CUP", "NUCC"], "channels": {"NUCC": {"cost_item_micro": 7}}}
    )
    routing = settings.routing(frozenset({NUCC, CUP}))
    assert routing.channels_of("card") == (CUP, NUCC)
    assert routing.facts[NUCC].cost.item_micro == 7
    assert routing.facts[NUCC].amount_minor_max == DEFAULT_FACTS[NUCC].amount_minor_max
    assert settings.routing(frozenset({CUP})).channels_of("card") == (CUP,)
