"""The rules that ship fire when they should and hold when they should; a bad file is named."""

import pytest

from backend.risk.rules import rule_file
from backend.risk.rules.compiled import Action, CompiledRules, Rule, RuleSetError, compile_rules
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.language import fused
from backend.risk.rules.rule_file import (
    WrittenRule,
    read_bounded,
    read_set,
    row_of,
    shipped_rules,
    shipped_set,
)

SHIPPED = shipped_rules(FIELDS)
GOOD = """
[[rule]]
id = "one"
when = "payer.count_1m >= 10.0"
action = "decline"
severity = "medium"
owner = "risk"
zh = "太多。"
en = "Too many."
fires = { "payer.count_1m" = 10.0 }
holds = { "payer.count_1m" = 9.0 }
"""


def rule_ids(written: WrittenRule) -> str:
    return written.rule.rule_id


def test_sixty_rules_ship_and_use_every_action() -> None:
    assert len(SHIPPED) >= 60
    assert {written.rule.action for written in SHIPPED} == set(Action)
    compile_rules([written.rule for written in SHIPPED], FIELDS)


def test_the_set_that_ships_is_built_once_for_its_fields() -> None:
    built = shipped_set(FIELDS)
    assert built.rules == tuple(written.rule for written in SHIPPED)
    assert shipped_set(dict(FIELDS)) is built
    moved = shipped_set(dict(reversed(FIELDS.items())))
    written = SHIPPED[0]
    backwards = row_of(written.fires, FIELDS)[::-1]
    assert written.rule in moved.row(backwards)
    assert written.rule in built.row(backwards[::-1])


@pytest.mark.parametrize("written", SHIPPED, ids=rule_ids)
def test_a_shipped_rule_fires_and_holds(written: WrittenRule) -> None:
    alone = compile_rules([written.rule], FIELDS)
    assert alone.row(row_of(written.fires, FIELDS)) == (written.rule,)
    assert alone.row(row_of(written.holds, FIELDS)) == ()
    assert alone.row(row_of({}, FIELDS)) == ()
    assert written.rule.zh.endswith("。")
    assert written.rule.en.endswith(".")


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ('"one"', "one", "not TOML"),
        ("[[rule]]", "[other]", "holds \\[\\[rule\\]\\]"),
        ('owner = "risk"\n', "", "one: 'owner' is missing"),
        ('owner = "risk"', 'owner = "risk"\nextra = 1', "one: 'extra' is missing or unknown"),
        ('"one"', '"one two"', "one two: an id has neither blanks nor colons"),
        ('"one"', '"v1:one"', "v1:one: an id has neither"),
        ('"one"', f'"{"x" * 101}"', "the id is longer than 100"),
        ('owner = "risk"', 'owner = "risk"\ntags = 5', "one: tags are a list of texts"),
        ('owner = "risk"', 'owner = "risk"\ntags = "abc"', "one: tags are a list of texts"),
        ('owner = "risk"', f"tags = {'[' * 5_000}", "not TOML: nested too deep"),
        ('owner = "risk"', f"owner = {'1' * 5_000}", "not TOML"),
        (
            '{ "payer.count_1m" = 10.0 }',
            f'{{ "payment.amount_minor" = 1{"0" * 400} }}',
            "one: payment.amount_minor is a whole number beyond 2",
        ),
        ('owner = "risk"', "owner = 1", "one: owner is not a text"),
        ('"decline"', '"kill"', "one: 'kill' is not a valid Action"),
        (">= 10.0", ">= x", "one: line 1, column 19: there is no fact 'x'"),
        ('{ "payer.count_1m" = 9.0 }', '{ "payer.count_1m" = 99.0 }', "one: fires on its holds"),
        ('{ "payer.count_1m" = 10.0 }', "{ }", "one: does not fire"),
        ('{ "payer.count_1m" = 10.0 }', '{ "x" = 10.0 }', "one: there is no fact 'x'"),
        ('{ "payer.count_1m" = 10.0 }', '{ "payer.count_1m" = 10 }', "is a double, not 10"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_rule(was: str, becomes: str, why: str) -> None:
    assert isinstance(read_set(GOOD, FIELDS).written[0].rule, Rule)
    with pytest.raises(RuleSetError, match=why):
        read_set(GOOD.replace(was, becomes, 1), FIELDS)


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(RuleSetError, match="taken"):
        read_set(GOOD + GOOD, FIELDS)


def numbered(count: int) -> str:
    """So many rules, of which each hits from another amount on."""
    return "".join(
        GOOD.replace('"one"', f'"r{number}"').replace("10.0", f"{number}.5").replace("9.0", "0.0")
        for number in range(count)
    )


def test_a_rule_is_tried_without_asking_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "FUSED_PARTS_MAX", 10)
    text = numbered(20)
    whole = read_set(text, FIELDS).rules
    facts = [row_of({"payer.count_1m": float(number)}, FIELDS) for number in range(21)]
    for count, row in enumerate(facts):
        assert whole.row(row) == whole.rules[:count]
        assert [whole.does_hit(number, row) for number in range(20)] == [
            number < count for number in range(20)
        ]
    monkeypatch.delattr(CompiledRules, "row")
    assert len(read_set(text, FIELDS).written) == 20


def test_a_set_that_would_hold_up_a_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(read_bounded(numbered(4), FIELDS).written) == 4
    monkeypatch.setattr(rule_file, "SET_PARTS_MAX", 11)
    with pytest.raises(
        RuleSetError, match="r3: the conditions up to here have more than 11 parts"
    ) as refused:
        read_bounded(numbered(4), FIELDS)
    assert refused.value.code == "rules_too_large"
    assert len(read_set(numbered(4), FIELDS).written) == 4  # kept before there was a bound
    monkeypatch.setattr(rule_file, "FILE_BYTES_MAX", 100)
    with pytest.raises(RuleSetError, match="more than 100 bytes") as refused:
        read_bounded(GOOD, FIELDS)
    assert refused.value.code == "rules_too_large"
