"""A replay counts what the rules would have hit, one payment at a time or in columns."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.db.working_set import WorkingSet
from backend.risk.cases.model import CaseClock
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.live import LIVE_BY_DEFAULT
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.scoring import Scoring
from backend.risk.labels.service import LabelPayment
from backend.risk.labels.tables import LABEL
from backend.risk.lists.service import SetBlock
from backend.risk.models.payments_repository import TrainingRepository
from backend.risk.rules.compiled import Action, compile_rules
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.replay import STOPS, WHOLE, Figures, History, Replay, replay_ledger
from backend.risk.rules.rule_file import read_set, row_of, shipped_rules
from protocol.errors import CallerError
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, shop_of_two
from tillway.risk.cli import app
from tillway.risk.replay import _live_of_shipped

RULE = """
[[rule]]
id = "{name}"
when = "{when}"
action = "{action}"
severity = "medium"
owner = "risk"
zh = "太多。"
en = "Too much."
fires = {{ "payment.amount_minor" = 1000000, "payer.count_1h" = 99.0 }}
holds = {{ "payment.amount_minor" = 1, "payer.count_1h" = 1.0 }}
"""
CANDIDATE = "".join(
    RULE.format(name=name, when=when, action=action)
    for name, when, action in (
        ("large", "payment.amount_minor > 5000", "decline"),
        ("many", "payer.count_1h > 5.0", "review"),
        ("both", "payment.amount_minor > 3000 && payer.count_1h > 3.0", "challenge"),
        ("vip", "payment.amount_minor > 8000", "allow"),
        ("listed", "payment.amount_minor > 5000 || list.block_payer", "limit"),
    )
)
LIVE = RULE.format(name="old", when="payment.amount_minor > 7000", action="decline")


def history(rows: int, seed: int = 3) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    luck = np.random.default_rng(seed)
    amount = luck.integers(1, 10_000, rows)
    count = luck.integers(0, 9, rows).astype(np.float64)
    count[luck.random(rows) < 0.2] = np.nan
    facts = {"payment.amount_minor": amount.astype(np.float64), "payer.count_1h": count}
    return facts, amount, luck.choice(np.array([-1, 0, 0, 1], np.int8), rows)


def counted(rows: int) -> dict[str, Figures]:
    """The same figures, one payment at a time."""
    facts, amount, verdict = history(rows)
    candidate, live = (read_set(text, FIELDS).rules for text in (CANDIDATE, LIVE))
    found = {rule.rule_id: Figures(rule_id=rule.rule_id, action=rule.action.value)
             for rule in candidate.rules}  # fmt: skip
    found[WHOLE] = Figures(rule_id=WHOLE, action="")
    for row in range(rows):
        known = {name: float(column[row]) for name, column in facts.items()}
        line = row_of(known, FIELDS)
        hits, was_live = candidate.row(line), bool(live.row(line))
        touched = {rule.rule_id: rule.action in STOPS for rule in hits}
        if any(rule.action is not Action.ALLOW for rule in hits):
            touched[WHOLE] = any(touched.values())
        money, is_fraud, is_honest = int(amount[row]), verdict[row] == 1, verdict[row] == 0
        for name, one in found.items():
            one.frauds_all += int(is_fraud)
            if name not in touched:
                continue
            one.hits += 1
            one.also_live += was_live
            one.frauds += int(is_fraud)
            one.honest += int(is_honest)
            one.fraud_minor += money * int(is_fraud)
            one.honest_minor += money * int(is_honest)
            one.saved_minor += money * int(is_fraud and touched[name])
    return found


def test_columns_in_parts_count_what_single_payments_do() -> None:
    facts, amount, verdict = history(600)
    run = Replay(read_set(CANDIDATE, FIELDS).rules, read_set(LIVE, FIELDS).rules)
    for begin in range(0, 600, 250):
        part = slice(begin, begin + 250)
        run.add(History(facts={name: column[part] for name, column in facts.items()},
                        amount_minor=amount[part], verdict=verdict[part]))  # fmt: skip
    assert run.each | {WHOLE: run.whole} == counted(600)
    assert run.payments == 600
    assert run.unknown == {"list.block_payer"}
    assert 0 < run.whole.saved_minor < run.whole.fraud_minor
    assert run.each["many"].saved_minor == 0


def test_nothing_known_gives_no_precision_and_no_recall() -> None:
    none = Figures(rule_id="x", action="review", hits=6)
    assert (none.precision, none.recall, none.alerts_per_day(3.0)) == (None, None, 2.0)
    some = Figures(rule_id="x", action="review", frauds=1, honest=3, frauds_all=2)
    assert (some.precision, some.recall) == (0.25, 0.5)


class _Labels:
    def __init__(self, payment_ids: list[str]) -> None:
        self._payments = payment_ids

    def reads(self) -> list[Any]:
        return []

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        for number, payment_id in enumerate(self._payments):
            ws.insert(LABEL, {"payment_id": payment_id, "origin": "cas_1",
                              "is_fraud": number % 2, "available_at_ms": now_ms})  # fmt: skip


def test_the_command_replays_the_ledger(tmp_path: Path) -> None:
    url, file = migrated_sqlite(tmp_path / "backend.db"), tmp_path / "rules.toml"
    file.write_text(CANDIDATE, "utf-8")
    with shop_of_two(url) as shop:
        payer = shop.add_payer(balance_minor=1_000_000)
        paid = []
        for number in range(6):
            paid.append(shop.pay(payer, 4_000 + number * 500)["payment_id"])
            shop.clock.at_ms += 61_000
        shop.do(_Labels(paid[:4]))
    words = ["replay", "--database", url, "--until", "2026-12-01", "--days", "30"]
    done = CliRunner().invoke(app, [*words, "--rules", str(file)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    lines = {cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
             for cells in (line.split("│") for line in done.output.splitlines())
             if len(cells) > 2}  # fmt: skip
    # 4,000 and 5,000 are honest, 4,500 and 5,500 are fraud, the later two are not known; of the
    # rules that ship those that are live hit none of them.
    assert lines["large"] == [
        "decline", "3", "0.1", "1.000", "0.500", "5,500", "5,500", "0", "0",
    ]  # fmt: skip
    assert "6 payments of 30 days" in done.output
    assert "unknown in this history: list.block_payer" in done.output
    shipped = CliRunner().invoke(app, words)
    assert shipped.exit_code == 0, shipped.output
    unknown = CliRunner().invoke(app, [*words, "--live", "no_such"]).exception
    assert isinstance(unknown, CallerError)
    assert "no shipped rule no_such" in str(unknown)
    file.write_text(CANDIDATE.replace("> 5000", "> x"), "utf-8")
    refused = CliRunner().invoke(app, [*words, "--rules", str(file)]).exception
    assert isinstance(refused, CallerError)
    assert "large: line 1, column 24" in str(refused)


def test_the_rules_that_judged_hit_the_same_again_also_what_was_declined(tmp_path: Path) -> None:
    clock = CaseClock(lambda day: day.weekday() < 5, 0)
    shop = Shop(
        migrated_sqlite(tmp_path / "backend.db"),
        engine=Engine(RiskDesk(scoring=Scoring(lambda: 0)), clock),
    )
    shop.add_merchant()
    payer, blocked = (shop.add_payer(balance_minor=900_000) for _ in range(2))
    first = str(shop.pay(payer, 90_000)["payment_id"])
    shop.pay(blocked, 100)
    shop.do(SetBlock(payer_id=blocked, is_on=True, reason="stolen phone"))
    shop.do(LabelPayment(label_id=shop.id("lbl"), payment_id=first, is_fraud=True, by="李雷",
                         reason="持卡人来电"))  # fmt: skip
    for amount in (100, 200, 300):
        shop.clock.at_ms += 61_000
        for who in (payer, blocked):
            assert shop.pay(who, amount)["error"]["code"] == "risk_declined"
    decisions, history = DecisionRepository(shop.reader), TrainingRepository(shop.reader)
    told = Counter(
        name for row in decisions.since(0) for name in f"{row['live']} {row['shadow']}".split()
    )
    assert (told["payer_known_fraud"], told["blocked_payer"]) == (3, 3)
    rules = compile_rules([one.rule for one in shipped_rules(FIELDS)], FIELDS)
    run = Replay(rules, rules)
    end_ms = shop.clock.at_ms + 1
    replay_ledger(
        run, history.payments(from_ms=0, until_ms=end_ms), history.labels(until_ms=end_ms),
        kept=decisions.vectors(from_ms=0, until_ms=end_ms), facts_of=decisions.facts_of,
        from_ms=0, until_ms=end_ms,
    )  # fmt: skip
    assert {name: one.hits for name, one in run.each.items() if one.hits} == dict(told)
    assert "list.block_payer" not in run.unknown
    shop.close()


def test_of_the_rules_that_ship_those_in_shadow_are_not_live() -> None:
    found = _live_of_shipped(None).rules
    assert {rule.rule_id for rule in found} == set(LIVE_BY_DEFAULT)
    [one] = _live_of_shipped([LIVE_BY_DEFAULT[0]]).rules
    assert one.rule_id == LIVE_BY_DEFAULT[0]


def test_the_ledger_s_features_are_facts_by_their_names() -> None:
    assert set(PAYMENT.names) <= set(FIELDS)


@pytest.mark.parametrize("action", list(Action))
def test_only_what_keeps_money_back_saves_it(action: Action) -> None:
    assert (action in STOPS) is (action not in {Action.ALLOW, Action.REVIEW})
