"""Conditions mean the same one by one, over columns, and to another implementation of CEL."""

import math
from collections.abc import Mapping
from typing import Any

import cel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.risk.rules.compiled import (
    Action,
    CompiledRules,
    Rule,
    RuleSetError,
    Severity,
    compile_rules,
)
from backend.risk.rules.language.columns import Column, Texts
from backend.risk.rules.language.tree import Type
from backend.risk.rules.limits import NODES_MAX

FIELDS = {
    "payment.amount_minor": Type.INT,
    "payment.currency": Type.STRING,
    "payer.count_1h": Type.DOUBLE,
    "payer.ratio": Type.DOUBLE,
    "payer.visits": Type.INT,
    "device.verdict": Type.STRING,
    "list.is_blocked": Type.BOOL,
    "list.is_friend": Type.BOOL,
}
Facts = dict[str, Any]


def rules_of(*conditions: str) -> CompiledRules:
    return compile_rules(
        [
            Rule(
                rule_id=f"r{number}", when=when, action=Action.REVIEW, severity=Severity.LOW,
                owner="test", zh="测试", en="A test.",
            )
            for number, when in enumerate(conditions)
        ],
        FIELDS,
    )  # fmt: skip


def row_of(facts: Facts) -> list[Any]:
    return [facts.get(name, math.nan if kind.is_number else None) for name, kind in FIELDS.items()]


def columns_of(many: list[Facts]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name, kind in FIELDS.items():
        values = [facts.get(name) for facts in many]
        if kind.is_number:
            found[name] = np.array([math.nan if v is None else v for v in values], np.float64)
        elif kind is Type.STRING:
            found[name] = Texts.of(values)
        else:
            found[name] = np.array([-1 if v is None else int(v) for v in values], np.int8)
    return found


def asked(condition: str, facts: Facts) -> bool:
    """What a row and what a column say, which must be the same."""
    rules = rules_of(condition)
    by_row = bool(rules.row(row_of(facts)))
    by_column = bool(rules.columns(columns_of([facts, {}, facts]), 3)["r0"][0])
    assert by_row == by_column, (condition, facts)
    return by_row


@pytest.mark.parametrize(
    ("condition", "facts", "hits"),
    [
        ("payment.amount_minor > 100", {"payment.amount_minor": 101}, True),
        ("payment.amount_minor > 100", {"payment.amount_minor": 100}, False),
        ("payment.amount_minor > 100.5", {"payment.amount_minor": 101}, True),
        ("payment.amount_minor > 100", {}, False),
        ("!(payment.amount_minor > 100)", {}, False),
        ("payment.amount_minor != 100", {}, False),
        ("payment.amount_minor > 100 || list.is_blocked", {"list.is_blocked": True}, True),
        ("payment.amount_minor > 100 && list.is_blocked", {"list.is_blocked": True}, False),
        ("!(payment.amount_minor > 100 && list.is_blocked)", {"list.is_blocked": False}, True),
        ("has(payer.ratio) && payer.ratio >= 3.0", {"payer.ratio": 3.0}, True),
        ("!has(payer.ratio)", {}, True),
        ("!has(device.verdict) || device.verdict == 'same'", {"device.verdict": "same"}, True),
        ("device.verdict in ['clone', 'emulator']", {"device.verdict": "clone"}, True),
        ("!(device.verdict in ['clone', 'emulator'])", {"device.verdict": "same"}, True),
        ("!(device.verdict in ['clone', 'emulator'])", {}, False),
        ("device.verdict.startsWith('cl')", {"device.verdict": "clone"}, True),
        ("!device.verdict.endsWith('ne')", {"device.verdict": "same"}, True),
        ("device.verdict.contains('lon')", {"device.verdict": "clone"}, True),
        ("size(device.verdict) == 4", {"device.verdict": "same"}, True),
        ("payment.amount_minor in [1, 2.0]", {"payment.amount_minor": 2}, True),
        ("list.is_blocked == false", {"list.is_blocked": False}, True),
        ("list.is_blocked != true", {}, False),
        ("list.is_friend ? payer.ratio > 9.0 : payer.ratio > 3.0",
         {"list.is_friend": False, "payer.ratio": 4.0}, True),
        ("payer.ratio > (list.is_friend ? 9.0 : 3.0)",
         {"list.is_friend": True, "payer.ratio": 4.0}, False),
        ("payment.amount_minor / payer.visits > 10",
         {"payment.amount_minor": 100, "payer.visits": 0}, False),
        ("!(payment.amount_minor / payer.visits > 10)",
         {"payment.amount_minor": 100, "payer.visits": 0}, False),
        ("-7 / 2 == -3 && -7 % 3 == -1", {}, True),
        ("payment.amount_minor * payment.amount_minor > 0",
         {"payment.amount_minor": 1 << 40}, False),
        ("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 3 - 2 == 5", {}, True),
        ("true || false && false", {}, True),
        ("payment.currency == device.verdict",
         {"payment.currency": "CNY", "device.verdict": "CNY"}, True),
        ("payment.currency < device.verdict",
         {"payment.currency": "CNY", "device.verdict": "same"}, True),
        ("device.verdict < 'd'", {"device.verdict": "clone"}, True),
        ("device.verdict < 'd'", {}, False),
        ("!(device.verdict >= 'd')", {}, False),
        ("'d' <= device.verdict || list.is_friend", {"list.is_friend": True}, True),
        ("list.is_blocked in [false]", {"list.is_blocked": False}, True),
        ("!list.is_blocked in [false]", {"list.is_blocked": True}, True),
        ("(payer.visits > 1) in [true]", {"payer.visits": 2}, True),
        ("!((payer.visits > 1) in [true])", {}, False),
        ("has(payer.ratio) in [false]", {}, True),
        ("list.is_friend in [true, false]", {"list.is_friend": False}, True),
        ("list.is_friend in [true, false]", {}, False),
        ('payment.currency == "C\\"\\n"', {"payment.currency": 'C"\n'}, True),
    ],
)  # fmt: skip
def test_a_condition_means_what_cel_says(condition: str, facts: Facts, hits: bool) -> None:
    assert asked(condition, facts) is hits


@pytest.mark.parametrize(
    ("condition", "place", "why"),
    [
        ("", "line 1, column 1", "a value was expected, not the end"),
        ("payment.amount_minor", "line 1, column 1", "this is int"),
        ("payer.secret > 1", "line 1, column 1", "no fact 'payer.secret'"),
        ("payer.__class__ == 1", "line 1, column 1", "no fact 'payer.__class__'"),
        ("payer.ratio.real > 1.0", "line 1, column 13", "no 'real' of a double"),
        ("__import__('os') == 1", "line 1, column 1", "no function '__import__'"),
        ("payment.amount_minor.exists(x, x > 1)", "line 1, column 22", "no 'exists'"),
        ("payment.amount_minor > 'a'", "line 1, column 22", "does not fit int and string"),
        ("payment.amount_minor + 1.0 > 2.0", "line 1, column 22", "does not fit int and double"),
        ("true &&\n  payment.amount_minor", "line 1, column 6", "does not fit bool and int"),
        ("true &&\n payer.ratio @ 2", "line 2, column 14", "not part of the language"),
        ("(payer.ratio > 1.0) in [true, false]", "line 1, column 21", "both truths"),
        ("payer.visits > \u0665", "line 1, column 16", "not part of the language"),
        ("payer.ratio > 1.0 )", "line 1, column 19", "not expected"),
        ("payer.ratio in []", "line 1, column 13", "the list is empty"),
        ("payer.ratio in [payer.count_1h]", "line 1, column 17", "plain values"),
        ("device.verdict in ['a', 1]", "line 1, column 25", "int in a list for string"),
        ("null == 1", "line 1, column 1", "'null' is not part of the language"),
        ("for == 1", "line 1, column 1", "'for' is not part"),
        ("1 < 2 < 3", "line 1, column 7", "does not fit bool and int"),
        ("'abc", "line 1, column 1", "not part of the language"),
        ("'\\x' == 'a'", "line 1, column 2", "unknown escape"),
        ("99999999999999999 > 1", "line 1, column 1", "beyond 2^53"),
        ("(true ? true : false) ? true : false", "line 1, column 23", "another choice"),
        ("(" * 40 + "true" + ")" * 40, "line 1, column 25", "nested deeper"),
        ("!" * 40 + "true", "column 2", "nested deeper"),
        (" || ".join(["true"] * (NODES_MAX // 2 + 9)), "line 1", f"more than {NODES_MAX} parts"),
        ("true" + " " * 3000, "line 1, column 1", "longer than"),
        (f"device.verdict in [{', '.join(['1'] * 300)}]", "line 1", "in a list for string"),
        (f"payer.visits in [{', '.join(['1'] * 300)}]", "line 1", "list of more than"),
    ],
)
def test_a_condition_that_cannot_be_is_refused_with_its_place(
    condition: str, place: str, why: str
) -> None:
    with pytest.raises(RuleSetError) as refused:
        rules_of(condition)
    assert place in str(refused.value)
    assert why in str(refused.value)
    assert str(refused.value).startswith("r0: ")


def test_a_set_names_its_version_and_refuses_an_id_twice() -> None:
    assert rules_of("true").version == rules_of("true").version
    assert rules_of("true").version != rules_of("false").version
    rule = rules_of("true").rules[0]
    with pytest.raises(RuleSetError, match="r0: the id is taken"):
        compile_rules([rule, rule], FIELDS)


NUMBERS = {
    Type.INT: st.one_of(
        st.integers(0, 5).map(str), st.sampled_from(["payment.amount_minor", "payer.visits"])
    ),
    Type.DOUBLE: st.one_of(
        st.sampled_from(["0.5", "1.0", "2.5"]), st.sampled_from(["payer.ratio", "payer.count_1h"])
    ),
}


def reckoned(kind: Type) -> st.SearchStrategy[str]:
    signs = "+-*/%" if kind is Type.INT else "+-*"
    return st.recursive(
        NUMBERS[kind],
        lambda inner: st.tuples(inner, st.sampled_from(signs), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        max_leaves=3,
    )


COMPARED = st.one_of(
    st.tuples(
        st.one_of(reckoned(Type.INT), reckoned(Type.DOUBLE)),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.one_of(reckoned(Type.INT), reckoned(Type.DOUBLE)),
    ).map(lambda parts: f"{parts[0]} {parts[1]} {parts[2]}"),
    st.sampled_from(
        [
            "list.is_blocked", "list.is_friend", "has(payer.ratio)", "has(device.verdict)",
            "device.verdict in ['same', 'clone']", "device.verdict == payment.currency",
            "device.verdict != 'clone'", "device.verdict.startsWith('c')", "payer.visits in [1, 3]",
            "device.verdict.contains('o')", "size(device.verdict) > 4", "true", "false",
            "payment.currency >= device.verdict", "device.verdict < 'd'", "device.verdict >= 'd'",
            "list.is_blocked in [false]", "(payer.visits > 1) in [true]",
            "list.is_friend in [true, false]",
        ]
    ),
)  # fmt: skip
CONDITIONS = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        st.tuples(COMPARED, inner, inner)
        .filter(lambda parts: "?" not in parts[0])
        .map(lambda parts: f"({parts[0]} ? {parts[1]} : {parts[2]})"),
    ),
    max_leaves=6,
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "payment.amount_minor": st.integers(0, 5),
        "payment.currency": st.sampled_from(["CNY", "same"]),
        "payer.count_1h": st.sampled_from([0.0, 0.5, 2.0]),
        "payer.ratio": st.sampled_from([0.0, 1.0, 2.5]),
        "payer.visits": st.integers(0, 3),
        "device.verdict": st.sampled_from(["same", "clone", "drifted"]),
        "list.is_blocked": st.booleans(),
        "list.is_friend": st.booleans(),
    },
)


def by_the_other(condition: str, facts: Mapping[str, object]) -> bool:
    """What the independent implementation says; its error is our unknown."""
    context: dict[str, dict[str, object]] = {name.split(".")[0]: {} for name in FIELDS}
    for name, value in facts.items():
        entity, signal = name.split(".")
        context[entity][signal] = value
    try:
        return cel.evaluate(condition, context) is True
    except (KeyError, ValueError, RuntimeError, TypeError, ZeroDivisionError):
        return False


@settings(max_examples=250)
@given(CONDITIONS, st.lists(FACTS, min_size=1, max_size=6))
def test_rows_columns_and_another_implementation_agree(condition: str, many: list[Facts]) -> None:
    rules = rules_of(condition)
    by_row = [bool(rules.row(row_of(facts))) for facts in many]
    by_column = rules.columns(columns_of(many), len(many))["r0"].tolist()
    assert by_row == by_column
    assert by_row == [by_the_other(condition, facts) for facts in many]


@settings(max_examples=300)
@given(st.text(max_size=60) | st.text("!&|()?:<>=+-*/%.,[]'\"x1 ", max_size=60))
def test_any_text_is_a_condition_or_is_refused(text: str) -> None:
    try:
        rules_of(text)
    except RuleSetError as refused:
        assert "line" in str(refused)
