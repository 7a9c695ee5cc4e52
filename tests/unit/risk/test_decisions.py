"""What decides among the rules that hit, whichever and however many they are."""

from hypothesis import given
from hypothesis import strategies as st

from backend.risk.judging.model import decide
from backend.risk.rules.compiled import Action, Rule, Severity, compile_rules
from backend.risk.rules.in_use import RulesInUse

HARDEST_FIRST = tuple(reversed(Action))
actions = st.lists(st.sampled_from(Action), max_size=12)


def rules_of(asked: list[Action]) -> list[Rule]:
    """Rules that always hit."""
    return [
        Rule(
            rule_id=f"r{number}", when="true", action=action, severity=Severity.LOW,
            owner="test", zh="测。", en="Test.",
        )
        for number, action in enumerate(asked)
    ]  # fmt: skip


@given(actions)
def test_the_first_rule_with_the_hardest_action_decides_and_allow_leaves_only_what_refuses(
    asked: list[Action],
) -> None:
    rules = RulesInUse(live=compile_rules(rules_of(asked), {}))
    found = decide(rules.judge("pay_1", (), now_ms=0))
    weighed = list(enumerate(asked))
    if Action.ALLOW in asked:
        may = {Action.ALLOW, Action.LIMIT, Action.DECLINE}
        weighed = [(number, action) for number, action in weighed if action in may]
    ranked = sorted(weighed, key=lambda one: HARDEST_FIRST.index(one[1]))
    assert found.action is (ranked[0][1] if ranked else Action.ALLOW)
    assert (found.rule.rule_id if found.rule else None) == (f"r{ranked[0][0]}" if ranked else None)
    assert found.live == tuple(f"r{number}" for number in range(len(asked)))


@given(actions, st.sets(st.integers(0, 11)), st.none() | st.sets(st.integers(0, 11)))
def test_what_is_suppressed_or_not_live_is_noted_and_decides_nothing(
    asked: list[Action], suppressed: set[int], live: set[int] | None
) -> None:
    rules = RulesInUse(
        live=compile_rules(rules_of(asked), {}),
        suppressed_until_ms={f"r{number}": 10 + number % 2 for number in suppressed},
        live_only=None if live is None else frozenset(f"r{number}" for number in live),
    )
    found = rules.judge("pay_1", (), now_ms=10)
    for number, rule in enumerate(rules.live.rules):
        is_suppressed = number in suppressed and number % 2 == 1
        is_idle = is_suppressed or (live is not None and number not in live)
        assert (rule in found.noted, rule in found.hits) == (is_idle, not is_idle)
    assert list(decide(found).shadow) == [rule.rule_id for rule in found.noted]
