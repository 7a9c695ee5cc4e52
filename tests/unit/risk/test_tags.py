"""The taxonomy of tags: every one can be computed, fires on what it says and on nothing beside."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.db.reading import Reader
from backend.risk.aml.transfers import read_transfers
from backend.risk.features.catalogue import PAYMENT
from backend.risk.rules.language.columns import Column, Texts
from backend.risk.rules.language.tree import Type
from backend.risk.tags import repository
from backend.risk.tags.catalogue import all_tags, fields_of, fired
from backend.risk.tags.ledger import LedgerRows, payment_facts
from backend.risk.tags.report import (
    fired_of_payments,
    fired_of_transfers,
    is_implemented,
    is_used,
    report,
)
from backend.risk.tags.repository import TagRepository
from backend.risk.tags.signals import signal_sets
from backend.risk.tags.taxonomy import Category, Fact, Source
from tests.support.shop import shop_of_two
from tests.support.transfer_flows import transfers_of_a_town
from tillway.risk.cli import app

START_MS = 1_790_000_000_000


def _column(kind: Type, values: list[Fact | None]) -> Column:
    if kind is Type.STRING:
        return Texts.of([None if value is None else str(value) for value in values])
    if kind is Type.BOOL:
        return np.array([-1 if value is None else int(bool(value)) for value in values], np.int8)
    return np.array([np.nan if value is None else float(value) for value in values])


@pytest.mark.parametrize("source", list(Source))
def test_every_tag_fires_on_its_signals_and_not_just_beside_them(source: Source) -> None:
    tags = [tag for tag in all_tags() if tag.source is source]
    vectors = [facts for tag in tags for facts in (tag.fires, tag.holds)]
    facts = {
        name: _column(kind, [vector.get(name) for vector in vectors])
        for name, kind in fields_of(source).items()
    }
    masks = dict(fired(source, facts, len(vectors)))
    for place, tag in enumerate(tags):
        assert masks[tag.name][2 * place], f"{tag.name} does not fire: {tag.when}"
        assert not masks[tag.name][2 * place + 1], f"{tag.name} fires beside: {tag.when}"


def test_nothing_that_is_unknown_fires_a_tag() -> None:
    assert not [name for source in Source for name, mask in fired(source, {}, 1) if mask[0]]


def test_there_are_two_thousand_of_twelve_categories_and_no_two_say_the_same() -> None:
    tags = all_tags()
    assert len(tags) >= 2_000
    assert {tag.category for tag in tags} == set(Category)
    assert max(Counter(tag.when for tag in tags).values()) == 1
    assert max(Counter(tag.zh for tag in tags).values()) == 1
    assert all(map(is_implemented, tags))


def test_a_signal_that_payments_are_judged_by_has_the_same_definition_there() -> None:
    judged = {feature.name: feature for feature in PAYMENT.features}
    signals = {f.name: f for one in signal_sets().values() for f in one.features}
    both = judged.keys() & signals.keys()
    assert len(both) >= 40
    assert all(judged[name] == signals[name] for name in both)


def _payment(number: int, at_ms: int, **changed: Any) -> dict[str, Any]:
    row = {"payment_id": f"p{number}", "created_at_ms": at_ms, "amount_minor": 1_000,
           "payer_id": "u1", "instrument_id": None, "device": "d1", "merchant_id": "m1",
           "store": "s1", "cashier": "", "currency": "CNY", "method": "pay_code",
           "funding": "balance", "verification": "none", "coupon_minor": 0}  # fmt: skip
    return {**row, **changed}


def test_what_became_of_a_payment_counts_from_when_it_became_so() -> None:
    payments = [_payment(n, START_MS + n * 60_000) for n in range(6)]
    declined = {"payment_id": "p0", "state_after": "declined", "at_ms": START_MS + 150_000}
    wrong = {"payment_id": "p1", "error_code": "pin_wrong", "verification_kind": "none",
             "at_ms": START_MS + 61_000}  # fmt: skip
    facts = payment_facts(LedgerRows(payments, events=[declined], attempts=[wrong]))
    assert list(facts["payer.declined_1h"]) == [0, 0, 0, 1, 1, 1]  # type: ignore[arg-type]
    assert list(facts["payer.pins_wrong_1h"]) == [0, 0, 1, 1, 1, 1]  # type: ignore[arg-type]
    assert np.isnan(facts["payer_device.since_first_s"][0])  # type: ignore[index]


def test_a_device_is_known_by_its_latest_reading_that_was_judged_before() -> None:
    reading = {"tid": "d1", "number": 1, "received_at_ms": START_MS, "judged_at_ms": START_MS + 50,
               "trust_ppm": 900_000, "verdict": "same", "changed": "[]"}  # fmt: skip
    later = {**reading, "number": 2, "judged_at_ms": START_MS + 90_000, "trust_ppm": 100_000,
             "verdict": "clone", "changed": '["wifiMac"]'}  # fmt: skip
    payments = [_payment(n, START_MS + n * 60_000) for n in range(3)]
    rows = LedgerRows(payments, readings=[reading, later])
    facts = payment_facts(rows)
    assert np.array_equal(facts["device.trust"], [np.nan, 0.9, 0.1], equal_nan=True)  # type: ignore[arg-type]
    times = fired_of_payments(rows)
    assert times["device.verdict.clone"] == times["device.changed.wifi_mac"] == 1
    assert times["device.readings.up_to_0"] == 1


def ledger(seed: int, size: int) -> LedgerRows:
    """A made-up ledger: busy payers, declines, refunds and a storm of small payments."""
    luck, payments, events = random.Random(seed), [], []
    at = START_MS
    for number in range(size):
        is_storm = number % 100 > 80
        at += 2_000 if is_storm else luck.randrange(600_000)
        payments.append(
            _payment(number, at, payer_id=f"u{luck.randrange(3 if is_storm else 20)}",
                     device=f"d{luck.randrange(4)}", merchant_id=f"m{luck.randrange(3)}",
                     amount_minor=luck.choice((100, 5_000, 90_000, 800_000)))
        )  # fmt: skip
        state = luck.choice(("captured", "declined" if is_storm else "captured", "refunded"))
        events.append({"payment_id": f"p{number}", "state_after": state, "at_ms": at + 500})
    return LedgerRows(payments, events)


def test_the_report_counts_what_fired_on_a_history_and_what_is_used(tmp_path: Path) -> None:
    path = tmp_path / "transfers.csv"
    transfers_of_a_town(1, persons=120, days=40, cases=9).write_csv(path)
    by_payments = fired_of_payments(ledger(1, 600))
    by_days = fired_of_transfers(read_transfers(path))
    lines = {line.category: line for line in report(by_payments, by_days)}
    whole = lines.pop("all")
    assert whole.defined == whole.implemented == len(all_tags())
    assert whole.fired == sum(line.fired for line in lines.values())
    assert 300 < whole.fired < whole.defined
    assert lines["card_testing"].fired > 0
    assert lines["laundering"].fired > 100
    assert whole.used == sum(map(is_used, all_tags()))
    assert 0 < whole.used < whole.defined


def test_the_tags_of_a_ledger_that_was_really_written(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "READ_PAGE_ROWS", 2)
    with shop_of_two(migrated_url) as shop:
        payer = shop.add_payer(balance_minor=3_500)
        states = []
        for _ in range(4):
            states.append(shop.pay(payer, 1_000)["state"])
            shop.clock.at_ms += 61_000
        with Reader.opened(shop.url) as reader:
            rows = TagRepository(reader).history(from_ms=0)
    assert states == ["captured", "captured", "captured", "declined"]
    assert [row["amount_minor"] for row in rows.payments] == [1_000] * len(rows.payments)
    facts = payment_facts(rows)
    assert list(facts["merchant.count_1h"]) == [0, 1, 2, 3]  # type: ignore[arg-type]
    assert list(facts["payer.count_1h"][:3]) == [0, 1, 2]  # type: ignore[index]
    assert list(facts["merchant.unconfirmed_share_1h"]) == [0, 1, 1, 1]  # type: ignore[arg-type]
    assert fired_of_payments(rows)["identity.payer.first_ever"] == 1
    counted = CliRunner().invoke(app, ["tags", "--database", migrated_url, "--days", "3650"])
    assert counted.exit_code == 0, counted.output


def test_the_command_counts_and_lists_tags() -> None:
    runner = CliRunner()
    counted = runner.invoke(app, ["tags"])
    assert counted.exit_code == 0, counted.output
    assert f"{len(all_tags()):,}" in counted.output
    listed = runner.invoke(app, ["tags", "--show", "takeover"])
    assert "takeover." in listed.output
    assert runner.invoke(app, ["tags", "--show", "nothing"]).exit_code != 0
