"""A rule that hits too much decides nothing for a while, by the word of two persons."""

import asyncio

import pytest

from backend.risk.rules.repository import RuleRepository
from backend.risk.rules.suppression import ConfirmSuppression, SuppressRule
from protocol.errors import CallerError
from tests.support.shop import Shop
from tests.unit.risk.test_rule_sets import (
    HAN,
    LI,
    MUCH,
    ONE,
    desk_of,
    drafted,
    live,
    told,
)

HOUR_MS = 3_600_000


def test_a_suppressed_rule_is_told_and_decides_nothing_until_its_end(shop: Shop) -> None:
    live(shop, drafted(shop, ONE))
    until_ms = shop.clock.at_ms + HOUR_MS
    command = SuppressRule(rule_id="above_1", until_ms=until_ms, by=LI, words="误报太多")
    assert shop.do(command) == shop.do(command)
    desk = desk_of(shop)
    asyncio.run(desk.load())
    assert desk.current.judge("p", MUCH, now_ms=until_ms - 1).noted == ()  # one word is not enough
    waiting = RuleRepository(shop.reader).proposed_suppressions(now_ms=shop.clock.at_ms)
    assert [(row["rule_id"], row["proposed_by"]) for row in waiting] == [("above_1", LI)]
    agreed = ConfirmSuppression(rule_id="above_1", until_ms=until_ms, by=HAN, words="同意")
    assert shop.do(agreed) == shop.do(agreed)
    asyncio.run(desk.load())
    found = desk.current.judge("p", MUCH, now_ms=until_ms - 1)
    assert ([rule.rule_id for rule in found.noted], found.hits) == (["above_1"], ())
    assert desk.current.judge("p", MUCH, now_ms=until_ms).noted == ()
    assert [row["actor"] for row in RuleRepository(shop.reader).suppressed(now_ms=0)] == [HAN]
    shop.do(SuppressRule(rule_id="above_1", until_ms=0, by=HAN, words="已修好"))
    asyncio.run(desk.load())
    assert told(desk, shop) == (["above_1"], [])


def test_a_suppression_needs_a_second_person_and_exactly_what_was_proposed(lite: Shop) -> None:
    until_ms = lite.clock.at_ms + HOUR_MS
    fields = {"rule_id": "above_1", "words": "w"}
    with pytest.raises(CallerError, match="rules_state"):
        lite.do(ConfirmSuppression(**fields, until_ms=until_ms, by=HAN))
    lite.do(SuppressRule(**fields, until_ms=until_ms, by=LI))
    with pytest.raises(CallerError, match="rules_same_person"):
        lite.do(ConfirmSuppression(**fields, until_ms=until_ms, by=f" {LI} "))
    for other_ms in (0, until_ms + 1):
        with pytest.raises(CallerError, match="rules_state"):
            lite.do(ConfirmSuppression(**fields, until_ms=other_ms, by=HAN))
    repository = RuleRepository(lite.reader)
    assert repository.suppressed(now_ms=lite.clock.at_ms) == []
    lite.do(SuppressRule(**fields, until_ms=0, by=HAN))  # which also drops what is proposed
    with pytest.raises(CallerError, match="rules_state"):
        lite.do(ConfirmSuppression(**fields, until_ms=until_ms, by=HAN))
    lite.do(SuppressRule(**fields, until_ms=until_ms, by=LI))
    lite.clock.at_ms = until_ms
    with pytest.raises(CallerError, match="its time is over"):
        lite.do(ConfirmSuppression(**fields, until_ms=until_ms, by=HAN))


def test_no_rule_is_suppressed_for_long_or_by_nobody(lite: Shop) -> None:
    now_ms = lite.clock.at_ms
    for rule_id, until_ms, by in (
        ("a", now_ms, LI), ("a", now_ms + 73 * HOUR_MS, LI), ("", now_ms + 1, LI),
        ("a", now_ms + 1, " "),
    ):  # fmt: skip
        with pytest.raises(CallerError, match="field_invalid"):
            lite.do(SuppressRule(rule_id=rule_id, until_ms=until_ms, by=by, words="w"))
