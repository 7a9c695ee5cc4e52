"""All posting rules in random order, over several payers, merchants (one with shards) and
currencies: after every step each book sums to zero, the reserve equation holds, UNSWEPT equals
DUE_CLIENT and OWN_DUE equals OWN_PAYABLE, nothing forbidden is negative, and every balance and hold
is what a tally written by hand says. A fault put into any rule is noticed."""

import random
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from backend.ledger import rules
from backend.ledger.chart import merchant_pending
from backend.ledger.rules import Event
from protocol.money import fee_half_up, fee_returned
from tests.support.books import DATE, open_books
from tests.support.business import channels, offline, paying, returning, settling, sharing, stocks
from tests.support.business.faults import FAULTS, Trial
from tests.support.business.ledgers import PaperLedger, stored_ledger
from tests.support.business.world import Ledger, World

KINDS = (
    *paying.KINDS,
    *channels.KINDS,
    *returning.KINDS,
    *settling.KINDS,
    *stocks.KINDS,
    *offline.KINDS,
    *sharing.KINDS,
)
RULES = {name for name in rules.__all__ if name[0].islower()}
FEE_BPS = 60
PAPER_SEEDS, PAPER_STEPS = 4, 1_200
STORED_SEEDS, STORED_STEPS, VERIFY_EVERY = 4, 300, 50
FAULT_STEPS, EACH_FAULT_TRIED = 1_500, 2


def world(ledger: Ledger, seed: int) -> World:
    return World(ledger, random.Random(seed), KINDS)


@pytest.mark.parametrize("seed", range(STORED_SEEDS))
def test_random_business_keeps_every_promise_after_every_step(tmp_path: Path, seed: int) -> None:
    with stored_ledger(tmp_path / "ledger.db") as ledger:
        business = world(ledger, seed)
        for number in range(STORED_STEPS):
            business.step()
            if number % VERIFY_EVERY == VERIFY_EVERY - 1:
                report = ledger.books.report()
                assert (report.breaks, report.groups) == ([], business.done.total())


def test_every_rule_is_done_and_refused_as_foreseen_over_a_long_business() -> None:
    done: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for seed in range(PAPER_SEEDS):
        business = world(PaperLedger(), seed)
        for _ in range(PAPER_STEPS):
            business.step()
        done.update(business.done)
        refused.update(business.refused)
    assert done.keys() == RULES, f"never done: {RULES - done.keys()}"
    assert min(done.values()) >= 5
    assert len(refused) >= 15


def test_every_fault_put_into_any_leg_of_any_rule_is_noticed() -> None:
    """Each rule in turn is broken at each leg in each way, in the middle of the business."""
    ledger = PaperLedger()
    business = world(ledger, 1)
    tried: Counter[tuple[str, str, int]] = Counter()
    unnoticed = []
    for _ in range(FAULT_STEPS):
        trial = Trial(business, ledger)
        step = trial.made()
        if step is None:
            continue
        if not business.foreseen(step):
            for fault, leg in product(FAULTS, range(len(step.transfers))):
                name = (step.rule, fault.__name__, leg)
                if tried[name] < EACH_FAULT_TRIED:
                    tried[name] += 1
                    if not trial.notices(step.rule, fault, leg):
                        unnoticed.append((*name, step.transfers[leg]))
        honest = trial.made()
        assert honest is not None
        business.take(honest)
    assert unnoticed == []
    missed = {(rule, fault.__name__, 0) for rule in RULES for fault in FAULTS} - tried.keys()
    assert not missed, f"never tried: {missed}"


def test_fifty_refunds_give_back_the_fee_exactly(migrated_url: str) -> None:
    with open_books(migrated_url) as books:
        books.fund("ann", 10_000)
        fee = fee_half_up(10_000, FEE_BPS)
        books.post(
            rules.balance_paid(Event("pay_1", "CNY", DATE), user_id="ann", merchant_id="shop",
                               amount_minor=10_000, fee_minor=fee)
        )  # fmt: skip
        for number in range(50):
            back = fee_returned(
                refunded_before_minor=number * 200, refund_minor=200, fee_bps=FEE_BPS
            )
            books.post(
                rules.balance_refunded(
                    Event(f"rfd_{number}", "CNY", DATE),
                    user_id="ann",
                    sources=[(merchant_pending("shop", "CNY"), 200)],
                    fee_back_minor=back,
                    refers_to="pay_1:1",
                )
            )
        assert books.balance("C:CUST:ann:CNY") == 10_000
        assert books.balance("C:UNSWEPT:CNY") == books.balance("C:MPEND:shop:CNY") == 0
        assert books.report().breaks == []
